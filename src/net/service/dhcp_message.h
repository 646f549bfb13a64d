/*
 * A DHCP message on the wire (RFC 2131 §2, RFC 2132). Pure; any thread.
 */
#ifndef NET_SERVICE_DHCP_MESSAGE_H
#define NET_SERVICE_DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame/frame.h"
#include "net/service/dhcp_options.h"

#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u

enum dhcp_type { /* RFC 2132 §9.6 */
		 DHCP_DISCOVER = 1,
		 DHCP_OFFER,
		 DHCP_REQUEST,
		 DHCP_DECLINE,
		 DHCP_ACK,
		 DHCP_NAK,
		 DHCP_RELEASE,
		 DHCP_INFORM
};

#define DHCP_BOOTREQUEST 1
#define DHCP_BOOTREPLY 2
#define DHCP_BROADCAST 0x8000u /* in flags */

/* Flags of option 81 (RFC 4702 §2.1). */
#define FQDN_SERVER 1u
#define FQDN_OVERRIDE 2u
#define FQDN_WIRE 4u
#define FQDN_NO_UPDATES 8u

/* Addresses are in host byte order, 0 where there is none. */
struct dhcp_message {
	uint8_t op;
	uint8_t type; /* 0: not DHCP but plain BOOTP */
	uint16_t flags;
	uint32_t xid;
	uint32_t ciaddr, yiaddr, giaddr;
	uint8_t chaddr[NET_MAC_SIZE];
	uint32_t requested, server_id; /* options 50 and 54 */
	uint32_t subnet, router, dns;  /* options 1, 3 and 6: the first address */
	uint32_t broadcast;	       /* option 28 */
	uint32_t lease_s;              /* option 51 */
	const uint8_t *client_id;      /* option 61, inside the bytes that were read, or NULL */
	uint8_t client_id_size;
	const uint8_t *hostname; /* option 12, unchecked bytes, or NULL */
	uint8_t hostname_size;
	const uint8_t *fqdn; /* option 81 (RFC 4702), the same; at least 3 bytes */
	uint8_t fqdn_size;
	uint8_t fqdn_bytes[UINT8_MAX]; /* room for an answer's */
	bool rapid;	   /* option 80 (RFC 4039) */
	uint16_t max_size; /* option 57: bytes of a datagram that the client takes; 0: it says none */
	const struct dhcp_settings *settings; /* what else is told; NULL: nothing. Written alone */
};

/*
 * Reads the UDP payload. -EINVAL unless it is a BOOTP message of Ethernet
 * with the DHCP cookie; options that are cut off or malformed end the list.
 */
int dhcp_message_read(struct dhcp_message *out, const uint8_t *payload, size_t size);

/*
 * Writes the UDP payload, at least 300 bytes. Returns its size; room must be DHCP_PAYLOAD_MAX.
 * What the client has no room for is left out, the lesser things first; it has as much as each
 * has (RFC 2131 §2), unless max_size says more.
 */
#define DHCP_PAYLOAD_MAX 1200u
size_t dhcp_message_write(const struct dhcp_message *message, uint8_t *out);

/* "Discover", "ACK", ...; NULL for a number that is none. */
const char *dhcp_type_name(unsigned type);

#endif
