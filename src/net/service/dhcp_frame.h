/* DHCP messages in frames of IPv4 and UDP (RFC 2131 §4.1). Pure; any thread. */
#ifndef NET_SERVICE_DHCP_FRAME_H
#define NET_SERVICE_DHCP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/service/dhcp_message.h"

#define DHCP_FRAME_HEADERS 42u /* bytes before the message in a frame that is written */

/* The server's own, and of its network; in host byte order. */
struct dhcp_frame_server {
	const uint8_t *mac;
	uint32_t address, broadcast;
};

/*
 * Whether a frame of size bytes, of which the first captured ones are in data,
 * is IPv4 UDP to the server's port 67.
 */
bool dhcp_is_request(const uint8_t *data, size_t captured, size_t size);

/* A client's message in a frame of size bytes, if it is whole and meant for this server. */
bool dhcp_frame_read(const struct dhcp_frame_server *server, const uint8_t *frame, size_t size,
		     struct dhcp_message *message);

/*
 * The answer, to the address that the client has, or to all, or to the one that it gets. Returns
 * its size; out has room for DHCP_FRAME_HEADERS + DHCP_PAYLOAD_MAX bytes.
 */
size_t dhcp_frame_write(const struct dhcp_frame_server *server, const struct dhcp_message *reply,
			uint8_t *out);

#endif
