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
#define DATAGRAM_MIN 576u /* that each client takes */
#define IP_UDP 28u
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
	OPTION_BROADCAST = 28,
	OPTION_MAX_SIZE = 57,
	OPTION_CLIENT_ID = 61,
	OPTION_RAPID = 80,
	OPTION_FQDN = 81,
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
	case OPTION_BROADCAST:
		out->broadcast = number;
		break;
	case OPTION_MAX_SIZE:
		out->max_size = size >= 2 ? get_be16(data) : 0;
		break;
	case OPTION_RAPID:
		out->rapid = true;
		break;
	case OPTION_FQDN:
		out->fqdn = size >= 3 ? data : NULL;
		out->fqdn_size = size;
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

/* The first label of a whole name, in either of its encodings (RFC 4702 §2.3). */
static void take_name(struct dhcp_message *out)
{
	const uint8_t *name = out->fqdn + 3;
	uint8_t size = (uint8_t)(out->fqdn_size - 3), label = 0;

	if (out->fqdn[0] & FQDN_WIRE) {
		label = size && name[0] < size ? name[0] : 0;
		name++;
	} else {
		while (label < size && name[label] != '.')
			label++;
	}
	out->hostname = label ? name : NULL;
	out->hostname_size = label;
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
	if (!out->hostname && out->fqdn)
		take_name(out);
	return 0;
}

/* Where options are written: up to where the client has room, less the one that ends them. */
struct writer {
	uint8_t *at, *end;
};

static void write_option(struct writer *writer, uint8_t code, const void *data, size_t size)
{
	if ((size_t)(writer->end - writer->at) < size + 2)
		return;
	writer->at[0] = code;
	writer->at[1] = (uint8_t)size;
	memcpy(writer->at + 2, data, size);
	writer->at += 2 + size;
}

static void write_number(struct writer *writer, uint8_t code, uint32_t number)
{
	uint8_t data[4];

	if (!number)
		return;
	put_be32(data, number);
	write_option(writer, code, data, sizeof(data));
}

static void write_dns(struct writer *writer, const struct dhcp_message *message)
{
	const struct dhcp_addresses *dns = message->settings ? &message->settings->dns : NULL;
	uint8_t data[4 * DHCP_ADDRESSES_MAX];

	if (!dns || !dns->count) {
		write_number(writer, OPTION_DNS, message->dns);
		return;
	}
	for (uint32_t i = 0; i < dns->count; i++)
		put_be32(data + 4 * i, dns->list[i]);
	write_option(writer, OPTION_DNS, data, 4 * dns->count);
}

static size_t client_room(const struct dhcp_message *message)
{
	size_t room = message->max_size > DATAGRAM_MIN ? message->max_size : DATAGRAM_MIN;

	room -= IP_UDP;
	return room < DHCP_PAYLOAD_MAX ? room : DHCP_PAYLOAD_MAX;
}

size_t dhcp_message_write(const struct dhcp_message *message, uint8_t *out)
{
	struct writer writer = { out + AT_OPTIONS, out + client_room(message) - 1 };
	size_t size;

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
	write_option(&writer, OPTION_TYPE, &message->type, 1);
	write_number(&writer, OPTION_SERVER_ID, message->server_id);
	write_number(&writer, OPTION_LEASE, message->lease_s);
	write_number(&writer, OPTION_SUBNET, message->subnet);
	write_number(&writer, OPTION_ROUTER, message->router);
	write_dns(&writer, message);
	write_number(&writer, OPTION_BROADCAST, message->broadcast);
	if (message->rapid)
		write_option(&writer, OPTION_RAPID, "", 0);
	if (message->client_id)
		write_option(&writer, OPTION_CLIENT_ID, message->client_id,
			     message->client_id_size);
	if (message->settings)
		writer.at += dhcp_options_write(message->settings, message->router, writer.at,
						(size_t)(writer.end - writer.at));
	if (message->fqdn)
		write_option(&writer, OPTION_FQDN, message->fqdn, message->fqdn_size);
	*writer.at++ = OPTION_END;
	size = (size_t)(writer.at - out);
	return size < PAYLOAD_MIN ? PAYLOAD_MIN : size;
}

const char *dhcp_type_name(unsigned type)
{
	static const char *const names[] = { NULL,  "Discover", "Offer",   "Request", "Decline",
					     "ACK", "NAK",      "Release", "Inform" };

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}
