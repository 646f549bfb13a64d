/* See nat_segments.h. */
#include "net/port/nat_segments.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "net/frame/checksum.h"

#define ETHERNET 14u
#define IP_HEADER 20u
#define TCP_HEADER 20u
#define HEADERS (ETHERNET + IP_HEADER)
#define ETHERTYPE_IP 0x0800
#define TCP 6u
#define SYN 2u
#define OPTION_NOP 1u
#define OPTION_MSS 2u
#define MORE 0x2000u
#define OFFSET 0x1fffu /* in units of 8 bytes */
#define FRAGMENT ((NAT_MTU - IP_HEADER) & ~7u)

static bool is_tcp(const uint8_t *frame, size_t size)
{
	return size >= HEADERS + TCP_HEADER && get_be16(frame + 12) == ETHERTYPE_IP &&
	       frame[ETHERNET] == 0x45 && frame[ETHERNET + 9] == TCP;
}

static void put_sum(uint8_t *frame, size_t size)
{
	uint8_t *tcp = frame + HEADERS, pseudo[12] = { 0 };
	uint16_t sum;

	memcpy(pseudo, frame + ETHERNET + 12, 8);
	pseudo[9] = TCP;
	put_be16(pseudo + 10, (uint16_t)(size - HEADERS));
	put_be16(tcp + 16, 0);
	sum = checksum_fold(checksum_add(checksum_add(0, pseudo, sizeof(pseudo)), tcp,
					 size - HEADERS));
	memcpy(tcp + 16, &sum, sizeof(sum));
}

void nat_allow_large(uint8_t *frame, size_t size)
{
	uint8_t *tcp = frame + HEADERS;
	size_t at = TCP_HEADER, end;

	if (!is_tcp(frame, size) || !(tcp[13] & SYN))
		return;
	end = (tcp[12] >> 4) * 4u;
	while (at + 4 <= end && HEADERS + end <= size) {
		if (tcp[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (tcp[at] == OPTION_MSS && get_be16(tcp + at + 2) >= NAT_SEGMENT) {
			put_be16(tcp + at + 2, NAT_LARGE_MTU - IP_HEADER - TCP_HEADER);
			put_sum(frame, size);
		}
		if (tcp[at] <= OPTION_MSS || tcp[at + 1] < 2)
			return;
		at += tcp[at + 1];
	}
}

uint32_t nat_segment_of(const uint8_t *frame, size_t size)
{
	return size > ETHERNET + NAT_MTU && is_tcp(frame, size) ? NAT_SEGMENT : 0;
}

void nat_fragment(const uint8_t *frame, size_t size,
		  void (*send)(void *arg, const uint8_t *frame, size_t size), void *arg)
{
	uint8_t part[ETHERNET + NAT_MTU], *ip = part + ETHERNET;
	uint16_t field, sum;

	if (size <= ETHERNET + NAT_MTU) {
		send(arg, frame, size);
		return;
	}
	if (get_be16(frame + 12) != ETHERTYPE_IP || frame[ETHERNET] != 0x45)
		return;
	field = get_be16(frame + ETHERNET + 6);
	for (size_t done = 0, left = size - HEADERS; left;) {
		size_t now = left > FRAGMENT ? FRAGMENT : left;

		left -= now;
		memcpy(part, frame, HEADERS);
		memcpy(part + HEADERS, frame + HEADERS + done, now);
		put_be16(ip + 2, (uint16_t)(IP_HEADER + now));
		put_be16(ip + 6, (uint16_t)((((field & OFFSET) + done / 8) & OFFSET) |
					    (left ? MORE : field & MORE)));
		put_be16(ip + 10, 0);
		sum = checksum_fold(checksum_add(0, ip, IP_HEADER));
		memcpy(ip + 10, &sum, sizeof(sum));
		send(arg, part, HEADERS + now);
		done += now;
	}
}
