/*
 * A packet in one line: from, to, protocol, summary. Pure; any thread.
 * The bytes are hostile.
 */
#ifndef NET_DECODE_DECODE_H
#define NET_DECODE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "net/decode/sequence.h"
#include "net/decode/summary.h"

/*
 * data holds the first captured bytes of a frame of size bytes, from its
 * Ethernet header on. Always fills out with terminated strings.
 */
void packet_summarize(const uint8_t *data, size_t captured, size_t size,
		      struct packet_summary *out);

/*
 * The same of one packet of a list, in its order: with sequence numbers of TCP that are
 * relative to where sequences, all zero at first, saw the connection begin.
 */
void packet_summarize_next(struct sequence_table *sequences, const uint8_t *data, size_t captured,
			   size_t size, struct packet_summary *out);

#endif
