/*
 * What libslirp is not shown. Its 4.7.0 takes on trust what a guest wrote:
 *
 * - ip_reass() writes to an address out of the payload of a lone last fragment;
 * - an urgent pointer makes sosendoob() send what lies behind its buffer;
 * - a TCP or UDP header that the datagram does not hold is read from the heap,
 *   and so is the value of a TCP option that is cut off;
 * - a UDP length below 8 becomes a negative size.
 *
 * IP options, which libslirp removes by moving the rest of the packet, the
 * protocols that it does not translate, and IPv6 and NC-SI are not needed. Nor
 * is what a router must not forward: addresses of no host (RFC 1122 §3.2.1.3),
 * link-local ones (RFC 3927 §7), those of the host's loopback.
 */
#ifndef NET_PORT_NAT_GUARD_H
#define NET_PORT_NAT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"

/* Of the switch; addresses in host byte order. */
struct nat_network {
	uint32_t address, dns, mask;
	bool loopback; /* the services of the host's loopback are at address */
};

/*
 * Looks at a frame of *size bytes by its head, the first head_size of them,
 * the smaller of *size and NET_HEAD_MAX, which nobody else may be writing to
 * (RFC 826, RFC 791, RFC 768, RFC 792, RFC 9293). NET_FORWARD: it may go to
 * libslirp, with *size less what followed the IP datagram, and without TCP's
 * urgent flag and pointer. Else the reason. Pure; any thread.
 */
enum net_verdict nat_guard(const struct nat_network *network, uint8_t *head, size_t head_size,
			   size_t *size);

/*
 * Of a frame that has passed, *size as it is then: whether the checksum of its
 * ICMP, TCP or UDP is right. head holds head_size bytes of it, as above; rest
 * are the others, which somebody may be writing to. Pure; any thread.
 */
bool nat_guard_sum(const uint8_t *head, size_t head_size, const uint8_t *rest, size_t size);

/*
 * Whether NAT may send such a frame to guests, of size bytes that nobody else
 * is writing to: it comes from the gateway, and what is ARP speaks for that
 * alone. Pure; any thread.
 */
bool nat_guard_sent(const struct nat_network *network, const uint8_t *frame, size_t size);

/*
 * Of a frame that NAT may send: asks in *offload for segments of that much
 * payload, and makes its checksum the partial one that goes with it (virtio 1.2
 * §5.1.6.2). False: it is not TCP, or not whole. Pure; any thread.
 */
bool nat_guard_large(uint8_t *frame, size_t size, uint32_t segment, struct net_offload *offload);

/*
 * Makes the checksum in the head, whatever it is; the rest as for
 * nat_guard_sum(). False: the frame has none that could be asked for.
 */
bool nat_guard_finish(uint8_t *head, size_t head_size, const uint8_t *rest, size_t size);

#endif
