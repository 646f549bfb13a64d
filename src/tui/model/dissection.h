/*
 * A packet taken apart: its fields, which lie in each other, and the bytes that each of them
 * is. It is read from what sharkd answers (Wireshark's wiki, Development/sharkd-JSON-RPC), or
 * made of what a list says of the packet. Pure; an answer is hostile, and its text becomes
 * harmless where it is drawn.
 */
#ifndef TUI_MODEL_DISSECTION_H
#define TUI_MODEL_DISSECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "tui/model/netmodel.h"

#define DISSECTION_ANSWER (4u << 20) /* bytes of an answer, at most */
#define DISSECTION_FIELDS 4096u
#define DISSECTION_DEPTH 24 /* what lies deeper is left out */
#define DISSECTION_LABEL 1024 /* bytes; what is longer is cut */
#define DISSECTION_NUMBER 2 /* of the request that the answer is for */

struct dissection_field {
	char *label;
	char *filter; /* "ip.src == 10.0.0.2", "tcp", or "" */
	uint32_t at, size; /* bytes of the packet; size 0: it has none of its own */
	int depth;
	uint32_t inner; /* fields that lie in it, which follow it */
	bool open; /* those are shown */
};

struct dissection {
	struct dissection_field *fields;
	uint32_t count;
	bool cut; /* not all of the answer is there */
	uint32_t *rows; /* of the fields that are shown, in their order */
	uint32_t row_count;
};

/* Frees what there is, which may be nothing. */
void dissection_free(struct dissection *dissection);

/*
 * Reads a line that came from sharkd, of a packet of which so many bytes are known. 1: it was the
 * answer, and its fields take the place of those before; 0: it answers something else; -EPROTO
 * or -ENOMEM with a cause, and the fields stay as they were.
 */
int dissection_read(struct dissection *dissection, const char *line, size_t size,
		    uint32_t captured, struct cause *cause);

/* Has what the list says of the packet as its fields. 0, or -ENOMEM, and there are none. */
int dissection_list(struct dissection *dissection, const struct packet *packet);

/*
 * Makes the rows: of fields whose label contains text, in any case, and those around them, or,
 * where text is "", of those that lie in open ones.
 */
void dissection_rows(struct dissection *dissection, const char *text);

/* Opens a field, or closes it. False: nothing lies in it, or it is so already. */
bool dissection_open(struct dissection *dissection, uint32_t field, bool open);

/* The field around one, or itself if it is an outermost one. */
uint32_t dissection_outer(const struct dissection *dissection, uint32_t field);

/*
 * A filter (pcap-filter(7)) of packets that have the same in that field, or that protocol;
 * data has the packet's bytes. False: no such filter says that.
 */
bool dissection_filter(const struct dissection_field *field, const uint8_t *data,
		       uint32_t captured, char *out, size_t size);

#endif
