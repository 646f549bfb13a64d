/* Relative sequence numbers of TCP (RFC 9293 §3.4). Pure. */
#include "net/decode/sequence.h"

#include <string.h>

#include "net/decode/parts.h"

/* FNV-1a, for a table that a stranger may fill: a collision costs a wrong base alone. */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t end_hash(const char *address, unsigned port)
{
	return mix(mix(0xcbf29ce484222325u, address, strlen(address)), &port, sizeof(port));
}

void sequence_relative(const struct packet *packet, unsigned from, unsigned to, unsigned flags,
		       uint32_t *sequence, uint32_t *acknowledged)
{
	uint64_t one = end_hash(packet->out->from, from), other = end_hash(packet->out->to, to);
	bool back = one > other; /* which of the two ways it is */
	uint64_t ends[] = { back ? other : one, back ? one : other }, key;
	struct sequence_connection *connection;

	if (!packet->sequences)
		return;
	key = mix(0xcbf29ce484222325u, ends, sizeof(ends)) | 1;
	connection = &packet->sequences->connections[(key >> 16) % SEQUENCE_CONNECTIONS];
	if (connection->key != key || (flags & (SEQUENCE_SYN | SEQUENCE_ACK)) == SEQUENCE_SYN)
		*connection = (struct sequence_connection){ .key = key };
	if (!connection->known[back]) {
		connection->base[back] = *sequence - !(flags & SEQUENCE_SYN);
		connection->known[back] = true;
	}
	if (!connection->known[!back] && flags & SEQUENCE_ACK) {
		connection->base[!back] = *acknowledged - 1;
		connection->known[!back] = true;
	}
	*sequence -= connection->base[back];
	*acknowledged -= connection->base[!back];
}
