/* The guard in front of libslirp. Pure; any thread. */
#include "net/port/nat_guard.h"

#include "base/bytes.h"

#define ETHERNET 14u
#define ARP_SIZE 28u
#define IP_HEADER 20u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define ICMP_HEADER 8u

#define IP_RESERVED 0x8000u
#define IP_FRAGMENT 0x3fffu /* more fragments, and the offset */
#define TCP_URG 0x20u
#define TCP_OPTION_END 0u
#define TCP_OPTION_NOP 1u

static enum net_verdict check_arp(const uint8_t *arp, size_t size)
{
	static const uint8_t ethernet_ip[6] = { 0, 1, 8, 0, 6, 4 };

	if (size < ARP_SIZE || memcmp(arp, ethernet_ip, sizeof(ethernet_ip)) != 0)
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
	case 1:
		return size < ICMP_HEADER ? NET_DROP_BAD_HEADER : NET_FORWARD;
	case 6:
		return check_tcp(body, size);
	case 17:
		return check_udp(body, size);
	}
	return NET_DROP_UNSUPPORTED;
}

/* *size: of what follows the Ethernet header; it becomes the datagram's. */
static enum net_verdict check_ip(uint8_t *ip, size_t *size)
{
	size_t header, total;
	uint16_t fragment;

	if (*size < IP_HEADER || ip[0] >> 4 != 4)
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
	*size = total;
	return check_body(ip[9], ip + IP_HEADER, total - IP_HEADER);
}

enum net_verdict nat_guard(uint8_t *frame, size_t *size)
{
	enum net_verdict verdict = NET_DROP_UNSUPPORTED;
	size_t rest;

	if (*size < ETHERNET)
		return NET_DROP_BAD_HEADER;
	rest = *size - ETHERNET;
	switch (get_be16(frame + 12)) {
	case 0x0800:
		verdict = check_ip(frame + ETHERNET, &rest);
		break;
	case 0x0806:
		verdict = check_arp(frame + ETHERNET, rest);
		break;
	}
	*size = ETHERNET + rest;
	return verdict;
}
