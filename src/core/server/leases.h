/*
 * The addresses that switches have given to cards by DHCP since those are there, for one answer.
 * Deck thread.
 */
#ifndef CORE_SERVER_LEASES_H
#define CORE_SERVER_LEASES_H

#include <stdint.h>

struct leases;
struct network;
struct profile_net;

/* NULL: there are none, or no memory for them. */
struct leases *leases_take(struct network *network);
void leases_free(struct leases *leases);

/* The address of a card, in host byte order; 0: it has none. leases may be NULL. */
uint32_t leases_find(const struct leases *leases, const struct profile_net *net);

#endif
