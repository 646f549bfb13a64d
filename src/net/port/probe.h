/*
 * Frames by which a port of a switch finds that it is part of a loop: what goes out by one port
 * and comes in by one of the same switch. The uplink thread.
 *
 * Each has a key of its own, which counts for a few seconds: who has once seen one, such as a
 * peer, cannot have a port taken for a part of a loop later, or another one.
 */
#ifndef NET_PORT_PROBE_H
#define NET_PORT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/names.h"
#include "net/frame/frame.h"

#define PROBE_SIZE 60u
#define PROBE_KEY_SIZE 24u
#define PROBES_KEPT 64u /* the last that were sent */
#define PROBE_TIME 5u	/* s for which one counts */

struct probe_sent {
	uint64_t until; /* ns; 0: none */
	uint8_t key[PROBE_KEY_SIZE];
	char sw[NAME_SIZE], port[NAME_SIZE];
};

/* Of a process. All zero: none was sent. */
struct probes {
	struct probe_sent sent[PROBES_KEPT];
	unsigned next;
	uint8_t from[NET_MAC_SIZE];
};

/* A broadcast frame, of IEEE 802's type for local experiments, from a port of a switch. now: ns. */
void probe_write(struct probes *probes, uint64_t now, uint8_t out[PROBE_SIZE], const char *sw,
		 const char *port);

/* Whether it is one from that switch of late; then port is the one that it is from. */
bool probe_read(const struct probes *probes, uint64_t now, const uint8_t *frame, size_t size,
		const char *sw, char port[NAME_SIZE]);

#endif
