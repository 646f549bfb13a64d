/*
 * Frames that are larger than those of the network, on their way from libslirp
 * to the guests: it may make large TCP segments, which cost as much as small
 * ones and are cut, if at all, where the switch does that for a guest that
 * cannot take them (TCP segmentation offload). Datagrams that are larger are
 * sent in fragments. Pure; the NAT process.
 */
#ifndef NET_PORT_NAT_SEGMENTS_H
#define NET_PORT_NAT_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#define NAT_MTU 1500u	    /* of the guests */
#define NAT_SEGMENT 1460u   /* a segment of that */
#define NAT_LARGE_MTU 16100u /* of libslirp: eleven segments and a header */

/*
 * A frame from a guest that nat_guard() let pass. If it begins a connection and
 * allows segments of NAT_SEGMENT, it allows large ones after this.
 */
void nat_allow_large(uint8_t *frame, size_t size);

/* A frame of libslirp's: NAT_SEGMENT if it is a large segment, else 0. */
uint32_t nat_segment_of(const uint8_t *frame, size_t size);

/* One of libslirp's that is neither a segment nor too large, or its fragments (RFC 791 §3.2). */
void nat_fragment(const uint8_t *frame, size_t size,
		  void (*send)(void *arg, const uint8_t *frame, size_t size), void *arg);

#endif
