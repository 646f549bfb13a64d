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
 * protocols that it does not translate, and IPv6 and NC-SI are not needed.
 * Of what passes, libslirp checks IP, ICMP, TCP and UDP checksums itself.
 */
#ifndef NET_PORT_NAT_GUARD_H
#define NET_PORT_NAT_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"

/*
 * Looks at a frame of *size bytes, which nobody else may be writing to (RFC
 * 826, RFC 791, RFC 768, RFC 792, RFC 9293). NET_FORWARD: it may go to
 * libslirp, with *size less what followed the IP datagram, and without TCP's
 * urgent flag and pointer. Else the reason: NET_DROP_FRAGMENT,
 * NET_DROP_BAD_HEADER or NET_DROP_UNSUPPORTED. Pure; any thread.
 */
enum net_verdict nat_guard(uint8_t *frame, size_t *size);

#endif
