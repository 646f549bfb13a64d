/*
 * For tests of the switch: ports that keep what they are given, frames to send
 * them, and an uplink that does nothing.
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "net/capture/capture.h"
#include "net/network.h"

#define FAKE_KEPT 256

struct fake_frame {
	uint32_t size;
	struct net_offload offload;
	uint32_t from;
	uint8_t *data;
};

struct fake_port {
	struct net_port *port;
	uint8_t mac[NET_MAC_SIZE];
	pthread_mutex_t lock;
	struct fake_frame kept[FAKE_KEPT];
	unsigned count;	      /* frames kept */
	unsigned room;	      /* beyond it: no buffer */
	bool down;	      /* link down */
	unsigned calls;	      /* of deliver() */
	unsigned first_call, last_call; /* counted over all ports */
	atomic_uint flushes;  /* calls of flush() */
	atomic_bool gone;     /* set after removal: a call is a failure */
	atomic_uint intruded; /* calls when gone */
	unsigned forgotten;   /* calls of forget() */
	uint32_t last_forgotten;
	unsigned links; /* calls of link() */
	bool up;	/* what it was told last */
};

/* Adds a port with address 02:00:00:00:hi:lo of number. Aborts the test if refused. */
void fake_port_open(struct fake_port *fake, struct net_switch *sw, const char *name,
		    unsigned number, uint32_t accepts);

/* The same with settings. */
void fake_port_open_set(struct fake_port *fake, struct net_switch *sw, const char *name,
			unsigned number, const struct net_port_settings *settings);

/* The same, where what people set is kept. */
void fake_port_open_kept(struct fake_port *fake, struct net_switch *sw, const char *name,
			 unsigned number, const struct net_port_settings *settings,
			 struct net_port_kept **kept);

/* With these addresses instead, 1..NET_PORT_ADDRESSES_MAX. */
void fake_port_open_at(struct fake_port *fake, struct net_switch *sw, const char *name,
		       const struct net_port_address *addresses, unsigned count);
void fake_port_close(struct fake_port *fake);
void fake_port_clear(struct fake_port *fake); /* forgets what it kept */

/* The address 02:00:00:00:hi:lo. */
void fake_mac(uint8_t *mac, unsigned number);

/*
 * Builds a frame in data (size bytes, which the caller has filled beyond the
 * 14th) that stays valid as long as data and rest: head points into data.
 */
void fake_frame(struct net_frame *frame, struct iovec *rest, uint8_t *data, uint32_t size,
		const uint8_t *to, const uint8_t *from);

/* Sends one frame of size bytes with a counting payload. */
void fake_send(struct fake_port *from, const uint8_t *to, const uint8_t *source, uint32_t size);

/* What a guest's NIC costs: a port that copies frames into a ring of slots, and counts nothing. */
#define FAKE_RING_FRAMES 256
#define FAKE_RING_SLOT 2048
#define FAKE_RING_SIZE (FAKE_RING_FRAMES * FAKE_RING_SLOT)

struct fake_ring {
	struct net_port *port;
	uint8_t *slots;
	unsigned at; /* frames received */
};

/* Slot n of such a ring, round and round. */
static inline uint8_t *fake_slot(uint8_t *slots, uint64_t n)
{
	return slots + n % FAKE_RING_FRAMES * FAKE_RING_SLOT;
}

void fake_ring_open(struct fake_ring *ring, struct net_switch *sw, const char *name,
		    unsigned number);
void fake_ring_close(struct fake_ring *ring);

struct net_switch *fake_switch(struct network **network, const char *name);

/* The same that keeps its past. */
struct net_switch *fake_switch_past(struct network **network, const char *name,
				    const struct past_config *past);
/* A switch, lan, with the ports a/net0, b/net0 and c/net0; *state is a struct fake_lan. */
struct fake_lan {
	struct network *network;
	struct net_switch *sw;
	struct fake_port a, b, c;
};

int fake_lan_setup(void **state);
int fake_lan_teardown(void **state);

/* Compiles config->filter, if there is one, into *program for config->program: must work. */
void fake_filter(struct capture_config *config, struct filter *program);

/* A capture that must start; its filter is compiled. */
struct capture *fake_capture(struct network *network, const struct capture_config *config);

#endif
