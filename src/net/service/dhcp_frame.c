/* See dhcp_frame.h. */
#include "net/service/dhcp_frame.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

#define AT_IP 14u
#define ETHERTYPE_IP4 0x0800u
#define PROTOCOL_UDP 17u
#define UDP_HEADER 8u
#define BROADCAST UINT32_MAX

_Static_assert(DHCP_FRAME_HEADERS == AT_IP + 20u + UDP_HEADER, "of Ethernet, IPv4 and UDP");

/* Where the frame's UDP header is; 0 unless it is the first or only fragment of IPv4 UDP. */
static size_t udp_offset(const uint8_t *data, size_t captured)
{
	size_t header;

	if (captured < AT_IP + 20 || get_be16(data + 12) != ETHERTYPE_IP4 ||
	    data[AT_IP] >> 4 != 4 || data[AT_IP + 9] != PROTOCOL_UDP ||
	    get_be16(data + AT_IP + 6) & 0x1fff)
		return 0;
	header = (data[AT_IP] & 15u) * 4u;
	return header >= 20 && captured >= AT_IP + header + UDP_HEADER ? AT_IP + header : 0;
}

bool dhcp_is_request(const uint8_t *data, size_t captured, size_t size)
{
	size_t udp = udp_offset(data, captured < size ? captured : size);

	return udp && get_be16(data + udp + 2) == DHCP_SERVER_PORT;
}

bool dhcp_frame_read(const struct dhcp_frame_server *server, const uint8_t *frame, size_t size,
		     struct dhcp_message *message)
{
	static const uint8_t none[NET_MAC_SIZE];
	size_t udp = udp_offset(frame, size), ip_end, udp_size;
	uint32_t to;

	if (!udp || get_be16(frame + AT_IP + 6) & 0x2000)
		return false;
	to = get_be32(frame + AT_IP + 16);
	ip_end = AT_IP + (size_t)get_be16(frame + AT_IP + 2);
	udp_size = get_be16(frame + udp + 4);
	if (ip_end > size || udp_size < UDP_HEADER || !range_inside(udp, udp_size, ip_end))
		return false;
	if (to != BROADCAST && to != server->address && to != server->broadcast)
		return false;
	return dhcp_message_read(message, frame + udp + UDP_HEADER, udp_size - UDP_HEADER) == 0 &&
	       message->op == DHCP_BOOTREQUEST && !(message->chaddr[0] & 1) &&
	       memcmp(message->chaddr, none, NET_MAC_SIZE) != 0;
}

size_t dhcp_frame_write(const struct dhcp_frame_server *server, const struct dhcp_message *reply,
			uint8_t *out)
{
	size_t payload = dhcp_message_write(reply, out + DHCP_FRAME_HEADERS);
	size_t udp_size = UDP_HEADER + payload;
	uint8_t *ip = out + AT_IP, *udp = ip + 20;
	uint32_t to = reply->yiaddr, sum;

	if (reply->type == DHCP_NAK)
		to = BROADCAST;
	else if (reply->ciaddr)
		to = reply->ciaddr;
	else if (reply->flags & DHCP_BROADCAST)
		to = BROADCAST;
	memset(out, 0xff, NET_MAC_SIZE);
	if (to != BROADCAST)
		memcpy(out, reply->chaddr, NET_MAC_SIZE);
	memcpy(out + NET_MAC_SIZE, server->mac, NET_MAC_SIZE);
	put_be16(out + 12, ETHERTYPE_IP4);

	memset(ip, 0, 20 + UDP_HEADER);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + udp_size));
	ip[8] = 64;
	ip[9] = PROTOCOL_UDP;
	put_be32(ip + 12, server->address);
	put_be32(ip + 16, to);
	put_be16(ip + 10, inet_checksum(inet_sum(0, ip, 20)));

	put_be16(udp, DHCP_SERVER_PORT);
	put_be16(udp + 2, DHCP_CLIENT_PORT);
	put_be16(udp + 4, (uint16_t)udp_size);
	sum = inet_sum(PROTOCOL_UDP + (uint32_t)udp_size, ip + 12, 8);
	sum = inet_checksum(inet_sum(sum, udp, udp_size));
	put_be16(udp + 6, sum ? (uint16_t)sum : 0xffff);
	return DHCP_FRAME_HEADERS + payload;
}
