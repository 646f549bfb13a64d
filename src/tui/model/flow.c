/*
 * Conversations: Ethernet with VLAN tags (IEEE 802.1Q), IPv4 (RFC 791), IPv6 (RFC 8200), TCP
 * (RFC 9293) and UDP (RFC 768) as far as their ends go. Pure.
 */
#include "tui/model/flow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

#define TAGS_MAX 2
#define IPV4 0x0800
#define IPV6 0x86dd

/* What is behind the IP header at at; end: where IP says that it ends. */
static void read_ports(struct flow *flow, const uint8_t *data, size_t captured, size_t at,
		       size_t end)
{
	size_t header;

	if ((flow->protocol != FLOW_TCP && flow->protocol != FLOW_UDP) ||
	    !range_inside(at, 4, captured))
		return;
	flow->from_port = get_be16(data + at);
	flow->to_port = get_be16(data + at + 2);
	if (flow->protocol == FLOW_UDP) {
		flow->ports = true;
		return;
	}
	if (!range_inside(at, 20, captured))
		return;
	header = (data[at + 12] >> 4) * 4u;
	if (header < 20 || at + header > end)
		return;
	flow->ports = true;
	flow->sequence = get_be32(data + at + 4);
	flow->flags = data[at + 13];
	flow->payload_at = at + header;
	flow->payload_size = end - flow->payload_at;
}

static void read_ip4(struct flow *flow, const uint8_t *data, size_t captured, size_t at)
{
	size_t header, total;

	if (!range_inside(at, 20, captured) || data[at] >> 4 != 4)
		return;
	header = (data[at] & 15u) * 4u;
	total = get_be16(data + at + 2);
	if (header < 20 || total < header)
		return;
	flow->version = 4;
	flow->protocol = data[at + 9];
	memcpy(flow->from, data + at + 12, 4);
	memcpy(flow->to, data + at + 16, 4);
	if (!(get_be16(data + at + 6) & 0x3fff)) /* no fragment */
		read_ports(flow, data, captured, at + header, at + total);
}

/* Extension headers are not walked over: such packets have no ports. */
static void read_ip6(struct flow *flow, const uint8_t *data, size_t captured, size_t at)
{
	if (!range_inside(at, 40, captured) || data[at] >> 4 != 6)
		return;
	flow->version = 6;
	flow->protocol = data[at + 6];
	memcpy(flow->from, data + at + 8, 16);
	memcpy(flow->to, data + at + 24, 16);
	read_ports(flow, data, captured, at + 40, at + 40 + get_be16(data + at + 4));
}

bool flow_read(struct flow *flow, const uint8_t *data, size_t captured)
{
	size_t at = 12;

	memset(flow, 0, sizeof(*flow));
	if (captured < 14)
		return false;
	memcpy(flow->mac_to, data, 6);
	memcpy(flow->mac_from, data + 6, 6);
	for (unsigned tags = 0; tags < TAGS_MAX && range_inside(at, 6, captured) &&
	     (get_be16(data + at) == 0x8100 || get_be16(data + at) == 0x88a8); tags++) {
		flow->vlan = true;
		at += 4;
	}
	if (get_be16(data + at) == IPV4)
		read_ip4(flow, data, captured, at + 2);
	else if (get_be16(data + at) == IPV6)
		read_ip6(flow, data, captured, at + 2);
	return true;
}

int flow_same(const struct flow *one, const struct flow *other)
{
	if (one->version != other->version || one->protocol != other->protocol ||
	    one->ports != other->ports || one->vlan != other->vlan)
		return 0;
	if (!one->version)
		return memcmp(one->mac_from, other->mac_from, 6) == 0 &&
		       memcmp(one->mac_to, other->mac_to, 6) == 0 ? 1 :
		       memcmp(one->mac_from, other->mac_to, 6) == 0 &&
		       memcmp(one->mac_to, other->mac_from, 6) == 0 ? -1 : 0;
	if (memcmp(one->from, other->from, 16) == 0 && memcmp(one->to, other->to, 16) == 0 &&
	    one->from_port == other->from_port && one->to_port == other->to_port)
		return 1;
	return memcmp(one->from, other->to, 16) == 0 && memcmp(one->to, other->from, 16) == 0 &&
	       one->from_port == other->to_port && one->to_port == other->from_port ? -1 : 0;
}

static void address_text(const struct flow *flow, bool from, char out[INET6_ADDRSTRLEN])
{
	const uint8_t *mac = from ? flow->mac_from : flow->mac_to;

	if (flow->version)
		inet_ntop(flow->version == 4 ? AF_INET : AF_INET6, from ? flow->from : flow->to,
			  out, INET6_ADDRSTRLEN);
	else
		snprintf(out, INET6_ADDRSTRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
			 mac[2], mac[3], mac[4], mac[5]);
}

void flow_filter(const struct flow *flow, char out[FLOW_TEXT])
{
	const char *kind = flow->version ? "host" : "ether host";
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	size_t n;

	address_text(flow, true, from);
	address_text(flow, false, to);
	n = (size_t)snprintf(out, FLOW_TEXT, "%s%s %s and %s %s", flow->vlan ? "vlan and " : "",
			     kind, from, kind, to);
	if (flow->ports) {
		const char *name = flow->protocol == FLOW_TCP ? "tcp" : "udp";

		snprintf(out + n, FLOW_TEXT - n, " and %s port %u and %s port %u", name,
			 flow->from_port, name, flow->to_port);
	} else if (flow->version) {
		snprintf(out + n, FLOW_TEXT - n, " and %s proto %u",
			 flow->version == 4 ? "ip" : "ip6", flow->protocol);
	}
}

void flow_end(const struct flow *flow, bool from, char out[64])
{
	char address[INET6_ADDRSTRLEN];

	address_text(flow, from, address);
	if (!flow->ports)
		snprintf(out, 64, "%s", address);
	else
		snprintf(out, 64, flow->version == 6 ? "[%s]:%u" : "%s:%u", address,
			 from ? flow->from_port : flow->to_port);
}
