/*
 * The switch as a host on its own network when nothing else answers for it:
 * ARP (RFC 826) and echo (RFC 792). Pure; any thread.
 */
#ifndef NET_SERVICE_RESPONDER_H
#define NET_SERVICE_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"

/*
 * Answers a frame sent to the host that has mac and address (host byte order).
 * reply has room for size bytes, but at least RESPONDER_REPLY_MIN. Returns the
 * size of the answer, at most that room, or 0 if there is none.
 */
#define RESPONDER_REPLY_MIN 42u
size_t responder_input(const uint8_t mac[NET_MAC_SIZE], uint32_t address, const uint8_t *frame,
		       size_t size, uint8_t *reply);

#endif
