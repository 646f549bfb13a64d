/*
 * Where the sequence numbers of TCP connections begin, as far as a list has seen
 * them. Pure; one thread at a time.
 */
#ifndef NET_DECODE_SEQUENCE_H
#define NET_DECODE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_CONNECTIONS 1024u /* a power of two */

/* All zero: no connection is known. One that collides with another begins anew. */
struct sequence_table {
	struct sequence_connection {
		uint64_t key; /* 0: none */
		uint32_t base[2];
		bool known[2]; /* of each way */
	} connections[SEQUENCE_CONNECTIONS];
};

#endif
