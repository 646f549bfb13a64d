/* DHCP messages: reading and writing (RFC 2131 §2, RFC 2132). Pure; any thread. */
#include "net/service/dhcp_message.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

#define COOKIE 0x63825363u
#define AT_SNAME 44u
#define AT_FILE 108u
#define AT_COOKIE 236u
#define AT_OPTIONS 240u
#define PAYLOAD_MIN 300u /* BOOTP's size; old clients drop less */

enum {
	OPTION_PAD = 0,
	OPTION_SUBNET = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_CLIENT_ID = 61,
	OPTION_END = 255
};

static void read_option(struct dhcp_message *out, unsigned code, const uint8_t *data, uint8_t size,
			uint8_t *overload)
{
	uint32_t number = size >= 4 ? get_be32(data) : 0;

	switch (code) {
	case OPTION_SUBNET:
		out->subnet = number;
		break;
	case OPTION_ROUTER:
		out->router = number;
		break;
	case OPTION_DNS:
		out->dns = number;
		break;
	case OPTION_HOSTNAME:
		out->hostname = data;
		out->hostname_size = size;
		break;
	case OPTION_REQUESTED:
		out->requested = number;
		break;
	case OPTION_LEASE:
		out->lease_s = number;
		break;
	case OPTION_OVERLOAD:
		*overload = size ? data[0] : 0;
		break;
	case OPTION_TYPE:
		out->type = size ? data[0] : 0;
		break;
	case OPTION_SERVER_ID:
		out->server_id = number;
		break;
	case OPTION_CLIENT_ID:
		out->client_id = size ? data : NULL;
		out->client_id_size = size;
		break;
	}
}

/* Option 52 inside the overloaded fields has no meaning, so theirs is thrown away. */
static void read_options(struct dhcp_message *out, const uint8_t *p, size_t size, uint8_t *overload)
{
	size_t at = 0;

	while (at < size && p[at] != OPTION_END) {
		if (p[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (size - at < 2 || p[at + 1] > size - at - 2)
			return;
		read_option(out, p[at], p + at + 2, p[at + 1], overload);
		at += 2u + p[at + 1];
	}
}

int dhcp_message_read(struct dhcp_message *out, const uint8_t *p, size_t size)
{
	uint8_t overload = 0, ignored;

	memset(out, 0, sizeof(*out));
	if (size < AT_OPTIONS || get_be32(p + AT_COOKIE) != COOKIE)
		return -EINVAL;
	if ((p[0] != DHCP_BOOTREQUEST && p[0] != DHCP_BOOTREPLY) || p[1] != 1 ||
	    p[2] != NET_MAC_SIZE)
		return -EINVAL;
	out->op = p[0];
	out->xid = get_be32(p + 4);
	out->flags = get_be16(p + 10);
	out->ciaddr = get_be32(p + 12);
	out->yiaddr = get_be32(p + 16);
	out->giaddr = get_be32(p + 24);
	memcpy(out->chaddr, p + 28, NET_MAC_SIZE);
	read_options(out, p + AT_OPTIONS, size - AT_OPTIONS, &overload);
	if (overload & 1)
		read_options(out, p + AT_FILE, AT_COOKIE - AT_FILE, &ignored);
	if (overload & 2)
		read_options(out, p + AT_SNAME, AT_FILE - AT_SNAME, &ignored);
	return 0;
}

static uint8_t *write_option(uint8_t *at, uint8_t code, const void *data, uint8_t size)
{
	at[0] = code;
	at[1] = size;
	memcpy(at + 2, data, size);
	return at + 2 + size;
}

static uint8_t *write_number(uint8_t *at, uint8_t code, uint32_t number)
{
	uint8_t data[4];

	if (!number)
		return at;
	put_be32(data, number);
	return write_option(at, code, data, sizeof(data));
}

size_t dhcp_message_write(const struct dhcp_message *message, uint8_t *out)
{
	uint8_t *at = out + AT_OPTIONS;

	memset(out, 0, DHCP_PAYLOAD_MAX);
	out[0] = message->op;
	out[1] = 1;
	out[2] = NET_MAC_SIZE;
	put_be32(out + 4, message->xid);
	put_be16(out + 10, message->flags);
	put_be32(out + 12, message->ciaddr);
	put_be32(out + 16, message->yiaddr);
	put_be32(out + 24, message->giaddr);
	memcpy(out + 28, message->chaddr, NET_MAC_SIZE);
	put_be32(out + AT_COOKIE, COOKIE);
	at = write_option(at, OPTION_TYPE, &message->type, 1);
	at = write_number(at, OPTION_SERVER_ID, message->server_id);
	at = write_number(at, OPTION_LEASE, message->lease_s);
	at = write_number(at, OPTION_SUBNET, message->subnet);
	at = write_number(at, OPTION_ROUTER, message->router);
	at = write_number(at, OPTION_DNS, message->dns);
	if (message->client_id)
		at = write_option(at, OPTION_CLIENT_ID, message->client_id,
				  message->client_id_size);
	*at++ = OPTION_END;
	return (size_t)(at - out) < PAYLOAD_MIN ? PAYLOAD_MIN : (size_t)(at - out);
}

const char *dhcp_type_name(unsigned type)
{
	static const char *const names[] = { NULL,  "Discover", "Offer",   "Request", "Decline",
					     "ACK", "NAK",      "Release", "Inform" };

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}
