/*
 * A frame on its way through the switch, and what became of it.
 *
 * head is a private copy: a guest can rewrite its buffers while we look, so
 * every decision reads head only. rest is read once, when it is copied.
 */
#ifndef NET_FRAME_FRAME_H
#define NET_FRAME_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "control/names.h"

#define NET_HEAD_MAX 128     /* bytes of a frame that decisions may look at */
#define NET_FRAME_MIN 14     /* an Ethernet header; shorter is dropped */
#define NET_FRAME_MAX 65550  /* 14 + 65536: a TSO frame of the largest IP packet */
#define NET_REST_MAX 64      /* iovecs of one frame, beyond its head */
#define NET_BURST_MAX 64     /* frames handed over in one call */
#define NET_MAC_SIZE 6

#define NET_PORT_NAME_MAX 96 /* "web/net0", with the zero */
#define NET_PORTS_MAX 1024   /* ports of one switch */

/*
 * Unfinished offloads, with the layout and the values of struct virtio_net_hdr
 * (virtio 1.2 §5.1.6), little-endian, without num_buffers. All zero: a plain frame.
 */
struct net_offload {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_size;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

#define NET_OFFLOAD_NEEDS_CSUM 1u /* flags: the checksum at csum_start + csum_offset is partial */
#define NET_OFFLOAD_DATA_VALID 2u /* flags: checksums have been verified */
#define NET_GSO_NONE 0u
#define NET_GSO_TCPV4 1u
#define NET_GSO_TCPV6 4u
#define NET_GSO_ECN 0x80u

/* Offloads that a port takes unresolved, as bits. */
#define NET_ACCEPTS_CSUM 1u
#define NET_ACCEPTS_TSO4 2u
#define NET_ACCEPTS_TSO6 4u
#define NET_ACCEPTS_NOTHING 0x80u /* no frame at all: the link is down */

struct net_frame {
	const uint8_t *head;	  /* the first head_size bytes, private to the sender's thread */
	uint32_t head_size;	  /* the smaller of size and NET_HEAD_MAX */
	uint32_t size;		  /* the whole frame, without preamble and FCS */
	const struct iovec *rest; /* the bytes from head_size on, size - head_size in all */
	uint32_t rest_count;	  /* at most NET_REST_MAX */
	struct net_offload offload;
};

#define NET_TAG_SIZE 4u /* of a VLAN (IEEE 802.1Q): type 0x8100 and what it says */

/* Bytes of its Ethernet header, with such a tag if there is a whole one; for NET_FRAME_MIN on. */
static inline uint32_t net_frame_header(const struct net_frame *frame)
{
	bool tagged = frame->head_size >= NET_FRAME_MIN + NET_TAG_SIZE &&
		      frame->head[12] == 0x81 && frame->head[13] == 0;

	return NET_FRAME_MIN + (tagged ? NET_TAG_SIZE : 0);
}

/*
 * What a burst may cost those who receive it, and with that how long a port that is
 * removed, a vCPU that writes a register and others wait for its end: bytes, and for
 * each frame and each segment that a receiver may need so many more.
 */
#define NET_BURST_COST_MAX (256u * 1024)
#define NET_SEGMENT_COST 256u

static inline uint64_t net_frame_cost(const struct net_frame *frame)
{
	uint64_t segments = 1;

	if (frame->offload.gso_type && frame->offload.gso_size)
		segments += frame->size / frame->offload.gso_size;
	return frame->size + segments * NET_SEGMENT_COST;
}

/*
 * Copies a head (size at most NET_HEAD_MAX) by two overlapping blocks of fixed
 * size. A plain memcpy() of unknown size costs a call or, worse, rep movs,
 * which is several times dearer than all else that the switch does to a frame.
 */
static inline void net_head_copy(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size >= 64) {
		memcpy(to, from, 64);
		if (size > 64)
			memcpy(to + size - 64, from + size - 64, 64);
	} else if (size >= 32) {
		memcpy(to, from, 32);
		memcpy(to + size - 32, from + size - 32, 32);
	} else if (size >= 16) {
		memcpy(to, from, 16);
		memcpy(to + size - 16, from + size - 16, 16);
	} else {
		for (size_t i = 0; i < size; i++)
			to[i] = from[i];
	}
}

/*
 * Copies the first size bytes of a frame, fewer if it has fewer; returns how
 * many. The bytes behind the head are read once.
 */
static inline uint32_t net_frame_copy(uint8_t *to, const struct net_frame *frame, uint32_t size)
{
	uint32_t at = frame->head_size < size ? frame->head_size : size;

	net_head_copy(to, frame->head, at);
	for (uint32_t i = 0; at < size && i < frame->rest_count && i < NET_REST_MAX; i++) {
		uint32_t part = size - at;

		if (frame->rest[i].iov_len < part)
			part = (uint32_t)frame->rest[i].iov_len;
		memcpy(to + at, frame->rest[i].iov_base, part);
		at += part;
	}
	return at;
}

/* What the switch decided. A frame has one verdict; drops say why. */
enum net_verdict {
	NET_FORWARD,	      /* to the one port that has the address */
	NET_FLOOD,	      /* to all other ports: broadcast, multicast, unknown address */
	NET_DROP_SHORT,	      /* less than an Ethernet header */
	NET_DROP_LONG,	      /* more than NET_FRAME_MAX or a buffer of the receiver, too many iovecs */
	NET_DROP_SAME_PORT,   /* the address is at the port it came from */
	NET_DROP_NO_BUFFER,   /* the receiver had no room */
	NET_DROP_OVER_SHARE,  /* the receiver has room, but the sender holds its share of it */
	NET_DROP_LINK_DOWN,   /* the receiver is not there: not started, paused, driver not ready */
	NET_DROP_BAD_SOURCE,  /* the source address is a group address, zero, or of another network */
	NET_DROP_FORGED,      /* it claims an address that is another port's */
	NET_DROP_BAD_OFFLOAD, /* what it asks for (checksum, segmentation) does not fit the frame */
	NET_DROP_FRAGMENT,    /* a part of an IPv4 datagram, at a port that takes whole ones */
	NET_DROP_BAD_HEADER,  /* its headers contradict each other, or it ends within them */
	NET_DROP_BAD_CHECKSUM, /* a checksum in its headers is wrong */
	NET_DROP_UNSUPPORTED, /* a protocol, address or IPv4 option that is of no use there */
	NET_DROP_LOOPBACK,    /* to the host's loopback, where the receiver does not lead */
	NET_DROP_VLAN,	      /* it is of a VLAN that its port is not in */
	NET_DROP_PRIVATE,     /* from one private port to another */
	NET_DROP_SPAN,	      /* from or to a port that gets copies alone */
	NET_DROP_STORM,	      /* one of more floods than its port may send */
	NET_DROP_LOST,	      /* as its port is set to lose some */
	NET_DROP_LIMIT,	      /* its port is set to hold frames back, and holds as many as it may */
	NET_DROP_DECIDED,     /* a breakpoint had stopped it, and somebody decided so */
	NET_DROP_NO_LEASE,    /* DHCP has no address for the client, or its port has enough */
	NET_DROP_RELAYED,     /* DHCP by way of a relay, of which a switch needs none */
	NET_VERDICT_COUNT
};

/* "forward", "flood", "no buffer", ...: a word or two for people. Never NULL. */
const char *net_verdict_name(enum net_verdict verdict);

#endif
