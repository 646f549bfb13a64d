/*
 * Finishing what a guest left to its NIC: checksums (virtio 1.2 §5.1.6.2,
 * RFC 1071) and TCP segmentation (headers as in RFC 791, RFC 8200, RFC 9293).
 * The sending port's thread, on that port's scratch buffer.
 */
#include "net/switch/offload.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/frame/checksum.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define PROTOCOL_TCP 6
#define TCP_CHECKSUM 16 /* offset of the field */
#define TCP_FLAGS 13
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

/* Finds the headers in the first limit bytes; all of them must be there. */
static bool parse_headers(const uint8_t *head, uint32_t limit, const struct net_offload *offload,
			  struct offload_headers *out)
{
	uint32_t type_at = 12, type, tcp = offload->csum_start;

	for (int tags = 0; tags < 2; tags++) {
		type = get_be16(head + type_at);
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			break;
		type_at += 4;
	}
	type = get_be16(head + type_at);
	out->ip = type_at + 2;
	out->tcp = tcp;
	out->v6 = (offload->gso_type & ~NET_GSO_ECN) == NET_GSO_TCPV6;
	if (offload->csum_offset != TCP_CHECKSUM || !range_inside(tcp, 20, limit))
		return false;
	if (out->v6) {
		if (type != ETHERTYPE_IPV6 || tcp < out->ip + 40 || head[out->ip] >> 4 != 6)
			return false;
	} else {
		uint32_t words = head[out->ip] & 15;

		if (type != ETHERTYPE_IPV4 || head[out->ip] >> 4 != 4 || words < 5 ||
		    out->ip + words * 4 != tcp || head[out->ip + 9] != PROTOCOL_TCP)
			return false;
	}
	out->end = tcp + (uint32_t)(head[tcp + 12] >> 4) * 4;
	return out->end >= tcp + 20 && out->end <= limit;
}

/*
 * Whether a checksum at that place is behind all that decides where a frame goes and who sent it,
 * which was looked at before the checksum is there.
 */
static bool is_behind_addresses(const struct net_frame *frame, uint32_t at)
{
	uint32_t type_at = 12, type = get_be16(frame->head + type_at);

	for (int tags = 0; tags < 2 && (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ); tags++) {
		type_at += 4;
		if (type_at + 2 > frame->head_size)
			return false;
		type = get_be16(frame->head + type_at);
	}
	return type != ETHERTYPE_ARP && at >= type_at + 2 + (type == ETHERTYPE_IPV6 ? 40 : 20);
}

bool offload_valid(const struct net_frame *frame)
{
	const struct net_offload *offload = &frame->offload;
	struct offload_headers headers;
	uint32_t payload;

	if (!(offload->flags & NET_OFFLOAD_NEEDS_CSUM))
		return offload->gso_type == NET_GSO_NONE;
	if (!range_inside((uint64_t)offload->csum_start + offload->csum_offset, 2, frame->size) ||
	    !is_behind_addresses(frame, (uint32_t)offload->csum_start + offload->csum_offset))
		return false;
	switch (offload->gso_type) {
	case NET_GSO_NONE:
		return true;
	case NET_GSO_TCPV4:
	case NET_GSO_TCPV6:
	case NET_GSO_TCPV4 | NET_GSO_ECN:
	case NET_GSO_TCPV6 | NET_GSO_ECN:
		break;
	default:
		return false;
	}
	if (frame->head_size < 40 || !offload->gso_size ||
	    !parse_headers(frame->head, frame->head_size, offload, &headers))
		return false;
	payload = frame->size - headers.end;
	return payload <= offload->gso_size * OFFLOAD_SEGMENTS_MAX;
}

void offload_begin(struct offload_scratch *scratch, const struct net_frame *frame)
{
	uint32_t copied;

	scratch->offload = frame->offload;
	scratch->size = frame->size;
	scratch->done = 0;
	scratch->finished = false;
	copied = net_frame_copy(scratch->linear, frame, frame->size);
	memset(scratch->linear + copied, 0, frame->size - copied);
	if (frame->offload.gso_type == NET_GSO_NONE ||
	    !parse_headers(scratch->linear, frame->head_size, &frame->offload,
			   &scratch->headers)) {
		scratch->headers.end = 0;
		return;
	}
	scratch->sequence = get_be32(scratch->linear + scratch->headers.tcp + 4);
	scratch->identifier = get_be16(scratch->linear + scratch->headers.ip + 4);
}

/* Frame i of the batch is the head (headers or more of it) and size bytes of linear at from. */
static void set_frame(struct offload_scratch *s, unsigned i, const uint8_t *head,
		      uint32_t head_size, uint32_t from, uint32_t size)
{
	struct net_frame *frame = &s->frames[i];

	s->rest[i].iov_base = s->linear + from;
	s->rest[i].iov_len = size;
	memset(frame, 0, sizeof(*frame));
	frame->head = head;
	frame->head_size = head_size;
	frame->size = head_size + size;
	frame->rest = &s->rest[i];
	frame->rest_count = size ? 1 : 0;
	s->list[i] = frame;
}

/* The headers of the segment that carries size bytes of payload, s->done bytes into it. */
static void finish_headers(const struct offload_scratch *s, uint8_t *head, uint32_t size,
			   bool first, bool last, uint32_t number)
{
	const struct offload_headers *h = &s->headers;
	uint8_t *ip = head + h->ip, *tcp = head + h->tcp;
	uint32_t tcp_size = h->end - h->tcp + size;
	uint16_t sum;
	uint64_t total;

	if (h->v6) {
		put_be16(ip + 4, (uint16_t)(h->tcp - h->ip - 40 + tcp_size));
	} else {
		put_be16(ip + 2, (uint16_t)(h->tcp - h->ip + tcp_size));
		put_be16(ip + 4, (uint16_t)(s->identifier + number));
		put_be16(ip + 10, 0);
		sum = checksum_fold(checksum_add(0, ip, h->tcp - h->ip));
		memcpy(ip + 10, &sum, sizeof(sum));
	}
	put_be32(tcp + 4, s->sequence + s->done);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (!first)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	put_be16(tcp + TCP_CHECKSUM, 0);
	total = checksum_pseudo(ip, h->v6, PROTOCOL_TCP, tcp_size);
	total = checksum_add(total, tcp, h->end - h->tcp);
	/* An odd size is at the very end only, as RFC 1071 wants it. */
	total = checksum_add(total, s->linear + h->end + s->done, size);
	sum = checksum_fold(total);
	memcpy(tcp + TCP_CHECKSUM, &sum, sizeof(sum));
}

static unsigned next_segments(struct offload_scratch *s)
{
	uint32_t payload = s->size - s->headers.end, step = s->offload.gso_size;
	unsigned count = 0;

	while (count < NET_BURST_MAX && !s->finished) {
		uint32_t size = payload - s->done < step ? payload - s->done : step;
		uint32_t more = NET_HEAD_MAX - s->headers.end;
		uint8_t *head = s->heads[count];

		if (more > size)
			more = size;
		memcpy(head, s->linear, s->headers.end);
		finish_headers(s, head, size, !s->done, s->done + size == payload, s->done / step);
		memcpy(head + s->headers.end, s->linear + s->headers.end + s->done, more);
		set_frame(s, count, head, s->headers.end + more, s->headers.end + s->done + more,
			  size - more);
		s->done += size;
		s->finished = s->done == payload;
		count++;
	}
	return count;
}

unsigned offload_next(struct offload_scratch *s)
{
	uint32_t head_size = s->size < NET_HEAD_MAX ? s->size : NET_HEAD_MAX;

	if (s->headers.end)
		return next_segments(s);
	if (s->finished)
		return 0;
	s->finished = true;
	if (s->offload.flags & NET_OFFLOAD_NEEDS_CSUM)
		checksum_finish(s->linear, s->size, s->offload.csum_start, s->offload.csum_offset);
	set_frame(s, 0, s->linear, head_size, head_size, s->size - head_size);
	return 1;
}
