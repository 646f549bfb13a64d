/*
 * What the screen knows of the network: switches with their ports, and the
 * packets that passed. Screen thread only.
 */
#ifndef TUI_MODEL_NETMODEL_H
#define TUI_MODEL_NETMODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/filter.h"

struct port_row {
	char name[100], mac[20];
	char state[128]; /* of one that leads somewhere: how that is; or "" */
	uint64_t out_frames, out_bytes, in_frames, in_bytes; /* out: what the guest sends */
	double out_rate, in_rate; /* bytes a second */
	uint64_t drops;		  /* for reasons that are not usual (drops.h), */
	char why[48];		  /* the most frequent one of them, */
	uint64_t usual;		  /* and for those that are, such as a link that is down */
	char usual_why[48];
	char set[96];	   /* what it is set to, "delay=20ms loss=1%"; it may be cut off */
	uint64_t rose; /* when drops last grew, CLOCK_MONOTONIC, ns; 0: not while looked at */
};

struct lease_row {
	char mac[20], address[48], hostname[64];
	char port[100]; /* that it was given to; "": that is no more */
	uint64_t remaining; /* s */
};

struct mac_row {
	char mac[20], port[100];
	uint64_t age; /* s */
};

struct switch_row {
	bool all; /* no switch: all of them together, where there are several */
	char name[40], uplink[16], address[48];
	struct port_row *ports;
	struct lease_row *leases;
	struct mac_row *macs;
	size_t port_count, lease_count, mac_count;
};

/* A breakpoint of a port, and the first frame that it holds. */
struct break_row {
	char port[100], filter[256]; /* filter "": it was taken away, and holds frames still */
	bool holds, decided; /* a frame; what becomes of it is said already */
	uint64_t since;	     /* it holds it; ns since the epoch */
	uint64_t behind;     /* frames that wait behind it */
	size_t size, known;  /* bytes of it, and in data */
	uint8_t *data;
	char summary[384]; /* "10.0.2.15 > 10.0.2.16 ICMP Echo request" */
};

enum packet_field {
	PACKET_FROM_PORT, PACKET_VERDICT, PACKET_FROM, PACKET_TO, PACKET_PROTOCOL, PACKET_TEXT,
	PACKET_FIELDS
};

/* One packet; the strings lie behind it in one block. */
struct packet {
	uint64_t time; /* ns since the epoch */
	bool dropped;
	bool mark; /* no packet: its text says what follows */
	bool chosen; /* by a key, for what is done with several */
	bool hidden; /* the filter that was set after it came does not match it */
	uint32_t size, captured; /* bytes of the frame, and in data; 0: none were sent */
	const uint8_t *data;
	const char *fields[PACKET_FIELDS];
};

#define NETMODEL_PACKETS 4096
#define NETMODEL_BYTES 2048	      /* of each that are asked for */
#define NETMODEL_OWN 64 /* captures; a deck has no more */

/* The newest of a list. */
struct packet_ring {
	struct packet *packets[NETMODEL_PACKETS]; /* packet n is at n % NETMODEL_PACKETS */
	uint64_t count;				  /* ever added */
};

struct netmodel {
	struct switch_row *switches;
	size_t switch_count;
	json_t *lists, *lists_before; /* the last two results of switch.list, or NULL */
	char port[100]; /* the one that is looked at by itself, */
	uint64_t packet; /* and the packet, by its number */
	char wanted[128]; /* the filter that another view wants of the list; "": none does */
	uint64_t updated; /* CLOCK_MONOTONIC, ns */
	bool known;

	struct break_row *breaks;
	size_t break_count;

	struct packet_ring shown;   /* what the list shows, but for what is hidden: */
	uint64_t rows[NETMODEL_PACKETS]; /* row r is packet rows[r % NETMODEL_PACKETS] */
	uint64_t row_first, row_end;
	struct filter filter; /* of what is shown */
	struct packet_ring *later; /* what came while it is held, else NULL */
	uint64_t missed; /* not sent to us, or pushed out of later */

	json_t *captures; /* of capture.list, or NULL */
	json_int_t own[NETMODEL_OWN]; /* numbers of those that this screen began; 0: free */
};

void netmodel_destroy(struct netmodel *model);

/* Takes over, with a reference to it, the result of switch.list, received at now (CLOCK_MONOTONIC, ns). */
void netmodel_switches(struct netmodel *model, json_t *result, uint64_t now);

/* Whether a capture of capture.list runs. */
bool netmodel_runs(const json_t *capture);

/* How many do. */
size_t netmodel_running(const struct netmodel *model);

/* The capture of that number in the list, or NULL. */
const json_t *netmodel_capture(const struct netmodel *model, json_int_t number);

/* Whether this screen began a capture; and that it did, or that it is none of its any more. */
bool netmodel_owns(const struct netmodel *model, json_int_t number);
void netmodel_own(struct netmodel *model, json_int_t number);
void netmodel_disown(struct netmodel *model, json_int_t number);

/* Takes over the result of port.held. */
void netmodel_breaks(struct netmodel *model, const json_t *result);

/* The first breakpoint that holds a frame that waits for a decision, or NULL. */
const struct break_row *netmodel_holds(const struct netmodel *model);

/* The breakpoint of a port, or NULL. */
const struct break_row *netmodel_break_of(const struct netmodel *model, const char *port);

/* Adds the packets of a notification. */
void netmodel_packets(struct netmodel *model, const json_t *params);

/* Forgets all packets; the list is not held then. */
void netmodel_forget_packets(struct netmodel *model);

/*
 * From here on a packet that came before is shown if it matches; filter, which is taken over, is
 * that of the packets to come.
 */
void netmodel_filter(struct netmodel *model, struct filter *filter);

/* The number of the packet in a row, of row_first to row_end. */
static inline uint64_t netmodel_row(const struct netmodel *model, uint64_t row)
{
	return model->rows[row % NETMODEL_PACKETS];
}

/* The row of a packet, or of the one before it that is shown, or the first one. */
uint64_t netmodel_row_of(const struct netmodel *model, uint64_t n);

/* Adds a line in place of a packet, unless there is nothing before it; two become one. */
void netmodel_mark(struct netmodel *model, const char *text);

/*
 * Holds the list: what is shown stays, whatever comes. Following it again adds what came
 * meanwhile, of which the newest NETMODEL_PACKETS are kept. Both are valid at any time.
 */
void netmodel_hold(struct netmodel *model);
void netmodel_follow(struct netmodel *model);

static inline bool netmodel_held(const struct netmodel *model)
{
	return model->later;
}

/* Chooses packet n of the list, or no more. */
void netmodel_choose(struct netmodel *model, uint64_t n);

/*
 * What an address of a packet is called: the guest that has it, by its lease or its card, or the
 * switch; the address itself if nobody is known to have it.
 */
const char *netmodel_name(const struct netmodel *model, const char *address, char out[100]);

/* Number n of the list, or NULL when it is not kept (any more). */
const struct packet *netmodel_packet(const struct netmodel *model, uint64_t n);

#endif
