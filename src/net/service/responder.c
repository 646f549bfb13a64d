/* ARP and echo for a switch's own address (RFC 826, RFC 792). Pure; any thread. */
#include "net/service/responder.h"

#include <string.h>

#include "base/bytes.h"

#define ETHERNET 14u
#define ARP_SIZE 28u
#define IP_HEADER 20u
#define ECHO_HEADER 8u

static size_t answer_arp(const uint8_t *mac, uint32_t address, const uint8_t *frame, size_t size,
			 uint8_t *reply)
{
	/* Ethernet, IPv4, their address sizes, request */
	static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	const uint8_t *arp = frame + ETHERNET;
	uint8_t *answer = reply + ETHERNET;

	if (size < ETHERNET + ARP_SIZE || memcmp(arp, request, sizeof(request)) != 0 ||
	    get_be32(arp + 24) != address || get_be32(arp + 14) == address)
		return 0;
	memcpy(reply, frame + NET_MAC_SIZE, NET_MAC_SIZE);
	memcpy(reply + NET_MAC_SIZE, mac, NET_MAC_SIZE);
	put_be16(reply + 12, 0x0806);
	memcpy(answer, request, sizeof(request));
	answer[7] = 2;
	memcpy(answer + 8, mac, NET_MAC_SIZE);
	put_be32(answer + 14, address);
	memcpy(answer + 18, arp + 8, NET_MAC_SIZE + 4);
	return ETHERNET + ARP_SIZE;
}

static size_t answer_echo(const uint8_t *mac, uint32_t address, const uint8_t *frame, size_t size,
			  uint8_t *reply)
{
	const uint8_t *ip = frame + ETHERNET, *echo;
	size_t header, total, body;
	uint8_t *answer = reply + ETHERNET;

	if (size < ETHERNET + IP_HEADER || ip[0] >> 4 != 4)
		return 0;
	header = (ip[0] & 15u) * 4u;
	total = get_be16(ip + 2);
	if (header < IP_HEADER || total < header + ECHO_HEADER || total > size - ETHERNET)
		return 0;
	echo = ip + header;
	body = total - header;
	if (ip[9] != 1 || get_be16(ip + 6) & 0x3fff || get_be32(ip + 16) != address ||
	    echo[0] != 8 || echo[1] != 0 || inet_checksum(inet_sum(0, echo, body)) != 0)
		return 0;
	memcpy(reply, frame + NET_MAC_SIZE, NET_MAC_SIZE);
	memcpy(reply + NET_MAC_SIZE, mac, NET_MAC_SIZE);
	put_be16(reply + 12, 0x0800);
	memset(answer, 0, IP_HEADER);
	answer[0] = 0x45;
	put_be16(answer + 2, (uint16_t)(IP_HEADER + body));
	answer[8] = 64;
	answer[9] = 1;
	put_be32(answer + 12, address);
	memcpy(answer + 16, ip + 12, 4);
	put_be16(answer + 10, inet_checksum(inet_sum(0, answer, IP_HEADER)));
	answer += IP_HEADER;
	memcpy(answer, echo, body);
	answer[0] = 0;
	put_be16(answer + 2, 0);
	put_be16(answer + 2, inet_checksum(inet_sum(0, answer, body)));
	return ETHERNET + IP_HEADER + body;
}

size_t responder_input(const uint8_t mac[NET_MAC_SIZE], uint32_t address, const uint8_t *frame,
		       size_t size, uint8_t *reply)
{
	/* Nobody has a group address or none: an answer would go astray. */
	static const uint8_t none[NET_MAC_SIZE];

	if (size < ETHERNET || frame[NET_MAC_SIZE] & 1 ||
	    memcmp(frame + NET_MAC_SIZE, none, NET_MAC_SIZE) == 0)
		return 0;
	switch (get_be16(frame + 12)) {
	case 0x0806:
		return answer_arp(mac, address, frame, size, reply);
	case 0x0800:
		return answer_echo(mac, address, frame, size, reply);
	}
	return 0;
}
