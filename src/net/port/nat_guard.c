/* The guard in front of libslirp. Pure; any thread. */
#include "net/port/nat_guard.h"

#include "base/bytes.h"
#include "net/frame/checksum.h"

#define ETHERNET 14u
#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_ARP 0x0806
#define ARP_SIZE 28u
#define IP_HEADER 20u
#define TCP_HEADER 20u
#define TCP_HEADER_MAX 60u
#define UDP_HEADER 8u
#define ICMP_HEADER 8u

#define ICMP 1u
#define TCP 6u
#define UDP 17u
#define PORT_DNS 53u
#define PORT_BOOTP 67u
#define PORT_TFTP 69u

#define IP_RESERVED 0x8000u
#define IP_FRAGMENT 0x3fffu /* more fragments, and the offset */
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_OPTION_END 0u
#define TCP_OPTION_NOP 1u

_Static_assert(ETHERNET + IP_HEADER + TCP_HEADER_MAX <= NET_HEAD_MAX, "a head holds all headers");

static const uint8_t arp_of_ipv4[6] = { 0, 1, 8, 0, 6, 4 };

static enum net_verdict check_arp(const uint8_t *arp, size_t size)
{
	if (size < ARP_SIZE || memcmp(arp, arp_of_ipv4, sizeof(arp_of_ipv4)) != 0)
		return NET_DROP_BAD_HEADER;
	return NET_FORWARD;
}

/* Without URG its pointer means nothing. The checksum by the difference: RFC 1624 §3. */
static void clear_urgent(uint8_t *tcp)
{
	uint32_t sum = (uint16_t)~get_be16(tcp + 16);

	sum += (uint16_t)~get_be16(tcp + 12);
	sum += (uint16_t)~get_be16(tcp + 18);
	tcp[13] &= (uint8_t)~TCP_URG;
	put_be16(tcp + 18, 0);
	put_be16(tcp + 16, inet_checksum(inet_sum(sum, tcp + 12, 2)));
}

static enum net_verdict check_tcp(uint8_t *tcp, size_t size)
{
	size_t header, at = TCP_HEADER;

	if (size < TCP_HEADER)
		return NET_DROP_BAD_HEADER;
	header = (tcp[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > size)
		return NET_DROP_BAD_HEADER;
	while (at < header && tcp[at] != TCP_OPTION_END) {
		if (tcp[at] == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		if (header - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > header - at)
			return NET_DROP_BAD_HEADER;
		at += tcp[at + 1];
	}
	if (tcp[13] & TCP_URG)
		clear_urgent(tcp);
	return NET_FORWARD;
}

static enum net_verdict check_udp(const uint8_t *udp, size_t size)
{
	size_t length;

	if (size < UDP_HEADER)
		return NET_DROP_BAD_HEADER;
	length = get_be16(udp + 4);
	return length < UDP_HEADER || length > size ? NET_DROP_BAD_HEADER : NET_FORWARD;
}

static enum net_verdict check_body(uint8_t protocol, uint8_t *body, size_t size)
{
	switch (protocol) {
	case ICMP:
		return size < ICMP_HEADER ? NET_DROP_BAD_HEADER : NET_FORWARD;
	case TCP:
		return check_tcp(body, size);
	case UDP:
		return check_udp(body, size);
	}
	return NET_DROP_UNSUPPORTED;
}

/* A guest's own: of the network, and of one host that is not the switch. */
static bool is_guests(const struct nat_network *network, uint32_t address)
{
	uint32_t host = address & ~network->mask;

	return ((address ^ network->address) & network->mask) == 0 && host &&
	       host != ~network->mask && address != network->address && address != network->dns;
}

/* Of a connection that somebody else has opened. */
static bool is_answer(const uint8_t *tcp)
{
	return tcp[13] & TCP_ACK || (tcp[13] & (TCP_SYN | TCP_RST)) == TCP_RST;
}

/* What is behind the switch's own address. */
static enum net_verdict check_service(const struct nat_network *network, const uint8_t *ip)
{
	uint16_t port = get_be16(ip + IP_HEADER + 2);

	if (ip[9] == ICMP)
		return NET_FORWARD;
	/* Whoever comes by a forwarded port from this host comes from there. */
	if (!network->loopback)
		return ip[9] == TCP && is_answer(ip + IP_HEADER) ? NET_FORWARD : NET_DROP_LOOPBACK;
	/* libslirp's own servers */
	return ip[9] == UDP && (port == PORT_BOOTP || port == PORT_TFTP) ? NET_DROP_UNSUPPORTED
									  : NET_FORWARD;
}

static enum net_verdict check_addresses(const struct nat_network *network, const uint8_t *ip)
{
	uint32_t to = get_be32(ip + 16);

	if (!is_guests(network, get_be32(ip + 12)))
		return NET_DROP_BAD_SOURCE;
	if (to == network->address)
		return check_service(network, ip);
	if (to == network->dns)
		return ip[9] == ICMP || get_be16(ip + IP_HEADER + 2) == PORT_DNS
			       ? NET_FORWARD
			       : NET_DROP_UNSUPPORTED;
	/* To Linux the address 0.0.0.0 is this host. */
	if (to >> 24 == 127 || to >> 24 == 0)
		return NET_DROP_LOOPBACK;
	if (to >> 28 >= 0xe || to >> 16 == 0xa9fe || ((to ^ network->address) & network->mask) == 0)
		return NET_DROP_UNSUPPORTED;
	return NET_FORWARD;
}

/* left: of the head, behind the Ethernet header; *size: of the frame; it becomes the datagram's. */
static enum net_verdict check_ip(const struct nat_network *network, uint8_t *ip, size_t left,
				 size_t *size)
{
	enum net_verdict verdict;
	size_t header, total;
	uint16_t fragment;

	if (left < IP_HEADER || ip[0] >> 4 != 4)
		return NET_DROP_BAD_HEADER;
	header = (ip[0] & 15u) * 4u;
	total = get_be16(ip + 2);
	fragment = get_be16(ip + 6);
	if (header < IP_HEADER || total < header || total > *size || fragment & IP_RESERVED)
		return NET_DROP_BAD_HEADER;
	if (fragment & IP_FRAGMENT)
		return NET_DROP_FRAGMENT;
	if (header != IP_HEADER)
		return NET_DROP_UNSUPPORTED;
	if (checksum_fold(checksum_add(0, ip, IP_HEADER)))
		return NET_DROP_BAD_CHECKSUM;
	*size = total;
	verdict = check_body(ip[9], ip + IP_HEADER, total - IP_HEADER);
	return verdict == NET_FORWARD ? check_addresses(network, ip) : verdict;
}

enum net_verdict nat_guard(const struct nat_network *network, uint8_t *head, size_t head_size,
			   size_t *size)
{
	enum net_verdict verdict = NET_DROP_UNSUPPORTED;
	size_t rest;

	if (head_size < ETHERNET)
		return NET_DROP_BAD_HEADER;
	rest = *size - ETHERNET;
	switch (get_be16(head + 12)) {
	case ETHERTYPE_IP:
		verdict = check_ip(network, head + ETHERNET, head_size - ETHERNET, &rest);
		break;
	case ETHERTYPE_ARP:
		verdict = check_arp(head + ETHERNET, head_size - ETHERNET);
		break;
	}
	*size = ETHERNET + rest;
	return verdict;
}

/* Bytes that the checksum of ICMP, TCP or UDP covers, of those behind the IPv4 header. */
static size_t covered(const uint8_t *head, size_t size)
{
	const uint8_t *ip = head + ETHERNET;

	return ip[9] == UDP ? get_be16(ip + IP_HEADER + 4) : size - ETHERNET - IP_HEADER;
}

static uint64_t pseudo_sum(const uint8_t *head, size_t length)
{
	const uint8_t *ip = head + ETHERNET;
	uint8_t pseudo[12] = { 0 };

	memcpy(pseudo, ip + 12, 8);
	pseudo[9] = ip[9];
	put_be16(pseudo + 10, (uint16_t)length);
	return checksum_add(0, pseudo, sizeof(pseudo));
}

static uint64_t body_sum(uint64_t sum, const uint8_t *head, size_t head_size, const uint8_t *rest,
			 size_t length)
{
	const uint8_t *body = head + ETHERNET + IP_HEADER;
	size_t first = head_size - ETHERNET - IP_HEADER;

	if (length <= first)
		return checksum_add(sum, body, length);
	return checksum_add(checksum_add(sum, body, first), rest, length - first);
}

bool nat_guard_sum(const uint8_t *head, size_t head_size, const uint8_t *rest, size_t size)
{
	const uint8_t *ip = head + ETHERNET;
	size_t length = covered(head, size);
	uint64_t sum = 0;

	if (get_be16(head + 12) != ETHERTYPE_IP)
		return true;
	if (ip[9] == UDP && !get_be16(ip + IP_HEADER + 6))
		return true;
	if (ip[9] != ICMP)
		sum = pseudo_sum(head, length);
	return !checksum_fold(body_sum(sum, head, head_size, rest, length));
}

bool nat_guard_finish(uint8_t *head, size_t head_size, const uint8_t *rest, size_t size)
{
	uint8_t *ip = head + ETHERNET, *at;
	size_t length = covered(head, size);
	uint16_t sum;

	if (get_be16(head + 12) != ETHERTYPE_IP || ip[9] == ICMP)
		return false;
	at = ip + IP_HEADER + (ip[9] == TCP ? 16 : 6);
	put_be16(at, 0);
	sum = checksum_fold(body_sum(pseudo_sum(head, length), head, head_size, rest, length));
	if (!sum)
		sum = 0xffff; /* the same number; to UDP a zero means "none" */
	memcpy(at, &sum, sizeof(sum));
	return true;
}

bool nat_guard_large(uint8_t *frame, size_t size, uint32_t segment, struct net_offload *offload)
{
	uint8_t *ip = frame + ETHERNET, *tcp = ip + IP_HEADER;
	size_t header;
	uint16_t sum;

	if (size < ETHERNET + IP_HEADER + TCP_HEADER || get_be16(frame + 12) != ETHERTYPE_IP ||
	    ip[0] != 0x45 || ip[9] != TCP || get_be16(ip + 2) != size - ETHERNET || !segment ||
	    segment > UINT16_MAX)
		return false;
	header = (tcp[12] >> 4) * 4u;
	if (header < TCP_HEADER || header >= size - ETHERNET - IP_HEADER)
		return false;
	sum = (uint16_t)~checksum_fold(pseudo_sum(frame, size - ETHERNET - IP_HEADER));
	memcpy(tcp + 16, &sum, sizeof(sum));
	*offload = (struct net_offload){
		.flags = NET_OFFLOAD_NEEDS_CSUM,
		.gso_type = NET_GSO_TCPV4,
		.header_size = (uint16_t)(ETHERNET + IP_HEADER + header),
		.gso_size = (uint16_t)segment,
		.csum_start = ETHERNET + IP_HEADER,
		.csum_offset = 16,
	};
	return true;
}

static bool is_gateways(const struct nat_network *network, const uint8_t *mac)
{
	uint32_t address = get_be32(mac + 2);

	return get_be16(mac) == 0x5255 && (address == network->address || address == network->dns);
}

bool nat_guard_sent(const struct nat_network *network, const uint8_t *frame, size_t size)
{
	const uint8_t *arp = frame + ETHERNET;

	if (size < ETHERNET || size > NET_FRAME_MAX || !is_gateways(network, frame + 6))
		return false;
	switch (get_be16(frame + 12)) {
	case ETHERTYPE_IP:
		return true;
	case ETHERTYPE_ARP:
		return size >= ETHERNET + ARP_SIZE &&
		       memcmp(arp, arp_of_ipv4, sizeof(arp_of_ipv4)) == 0 &&
		       is_gateways(network, arp + 8) &&
		       memcmp(arp + 10, arp + 14, 4) == 0;
	}
	return false;
}
