/*
 * Other demo guests on the same switch, and the services that they offer each
 * other.
 */
#ifndef DEMO_PEERS_H
#define DEMO_PEERS_H

#include "lib.h"

#define PEERS_MAX 32

struct peer {
	char name[32];
	uint32_t ip;
	uint64_t seen; /* ns; 0: no peer */
};

extern struct peer peers[PEERS_MAX];
extern bool peers_quiet; /* says nothing by itself */

/* Counters of what other guests sent us. */
struct service_counters {
	uint64_t texts, transfers, transfer_bytes, requests;
};

extern struct service_counters service_counters;

/* Answers on its ports from now on. */
void services_setup(void);

/* Says hello, to find and be found. */
void hello_task(void *unused);

/* The peer with that name, or none by NULL. */
const struct peer *peer_named(const char *name);

/* A peer's name or an IPv4 address. */
bool peer_address(const char *text, uint32_t *ip);

/* The n-th live peer, counting round; NULL when there is none. */
const struct peer *peer_turn(unsigned n);
unsigned peer_count(void);

/* What tcp_transfer() did. */
struct transfer {
	uint64_t bytes;
	uint64_t time;     /* ns */
	const char *error; /* NULL: sent, and the peer's checksum was right */
};

/* Sends bytes of a pattern to the peer's transfer port and checks the sum that it answers. */
void tcp_transfer(uint32_t ip, uint64_t bytes, uint32_t seed, struct transfer *result);

#endif
