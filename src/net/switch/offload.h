/*
 * Unfinished checksums and segmentation, finished for ports that cannot.
 *
 * A frame is copied once into a scratch buffer, checksums are computed from
 * that copy, and what is delivered refers to it, so a guest that rewrites its
 * buffers meanwhile changes nothing. The thread that owns the scratch buffer.
 */
#ifndef NET_SWITCH_OFFLOAD_H
#define NET_SWITCH_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "net/frame/frame.h"

/*
 * Of one frame; more is refused. What a guest sends has segments of its MTU: 64 KiB
 * at the smallest one that IPv4 hosts have in practice, 576, are 126.
 */
#define OFFLOAD_SEGMENTS_MAX 256u

/* Where the TCP/IP headers of a frame to be segmented are, in bytes from its start. */
struct offload_headers {
	uint32_t ip, tcp, end;
	bool v6;
};

struct offload_scratch {
	struct net_frame frames[NET_BURST_MAX];
	const struct net_frame *list[NET_BURST_MAX];
	struct iovec rest[NET_BURST_MAX];
	struct offload_headers headers;
	struct net_offload offload;
	bool finished;
	uint32_t size;	     /* of the frame in linear */
	uint32_t done;	     /* bytes of its payload handed out */
	uint32_t sequence;   /* TCP sequence number of the first segment */
	uint16_t identifier; /* IPv4 identification of the first segment */
	uint8_t heads[NET_BURST_MAX][NET_HEAD_MAX];
	uint8_t linear[NET_FRAME_MAX + 2];
};

/* Whether a port that accepts these NET_ACCEPTS_* must not see this request as it is. */
static inline bool offload_unresolved(const struct net_offload *offload, uint32_t accepts)
{
	if (!offload->flags && !offload->gso_type)
		return false;
	if (!(accepts & NET_ACCEPTS_CSUM))
		return true;
	switch (offload->gso_type & ~NET_GSO_ECN) {
	case NET_GSO_NONE:
		return false;
	case NET_GSO_TCPV4:
		return !(accepts & NET_ACCEPTS_TSO4);
	default:
		return !(accepts & NET_ACCEPTS_TSO6);
	}
}

/* Whether the request fits the frame (its size and head): the sender may be hostile. */
bool offload_valid(const struct net_frame *frame);

/*
 * Starts on a frame that is offload_valid(). offload_next() then yields plain
 * frames, at most NET_BURST_MAX at a time, and 0 after the last. They are
 * valid until the next call.
 */
void offload_begin(struct offload_scratch *scratch, const struct net_frame *frame);
unsigned offload_next(struct offload_scratch *scratch);

#endif
