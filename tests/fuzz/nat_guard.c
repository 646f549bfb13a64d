/*
 * libFuzzer: nat_guard(). What passes and what does not is compared with an
 * oracle that reads the frame by the headers of the C library. nat_guard_sum()
 * and nat_guard_sent() see the same frames.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "net/port/nat_guard.h"

#define SEED(text) { text, sizeof(text) - 1 }

/* ARP; a ping; UDP with padding; a SYN with options; urgent data; two fragments; IP options */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\377\377\377\377\377\377RT\000\0224V\010\006\000\001\010\000\006\004\000\001RT\000"
	     "\0224V\012\000\002\017\000\000\000\000\000\000\012\000\002\002"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000\040\0224\000\000@\001P\231\012\000"
	     "\002\017\012\000\002\002\010\000QQ\000\001\000\007aaaa"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000\040\0224\000\000@\021P\211\012\000"
	     "\002\017\012\000\002\002\023\210\027p\000\014\332\343abcd\000\000\000\000\000\000"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000<\0224\000\000@\006Px\012\000\002"
	     "\017\012\000\002\002\234@\000P\000\000\003\350\000\000\000\000\240\002\372\360\224"
	     "\205\000\000\002\004\005\264\004\002\010\012\000\000\000\001\000\000\000\000\001"
	     "\003\003\007"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000/\0224\000\000@\006P\205\012\000\002"
	     "\017\012\000\002\002\234@\000P\000\000\003\350\000\000\000\000P8\372\360\224\205"
	     "\007\320urgent!"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000\040\0224\000\001@\021P\210\012\000"
	     "\002\017\012\000\002\002AAAAAAAAAAAA"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000E\000\000\040\0224\040\000@\021P\210\012\000"
	     "\002\017\012\000\002\002\023\210\027p\000\024\332\343abcd"),
	SEED("RU\012\000\002\002RT\000\0224V\010\000F\000\000$\0224\000\000@\021P\210\012\000"
	     "\002\017\012\000\002\002\001\001\001\000\023\210\027p\000\014\332\343abcd"),
	{ NULL, 0 },
};

struct oracle {
	bool whole; /* every header is there, and each length fits in the one outside it */
	bool known; /* ARP, or IPv4 without options around ICMP, TCP or UDP */
	bool fragment;
	bool summed; /* the IPv4 header's checksum is right */
	enum net_verdict way; /* by its addresses */
	size_t size; /* without what follows the datagram */
	struct tcphdr *tcp;
	size_t tcp_size;
};

static bool tcp_options_fit(const uint8_t *option, const uint8_t *end)
{
	while (option < end && *option != TCPOPT_EOL) {
		if (*option == TCPOPT_NOP) {
			option++;
			continue;
		}
		if (end - option == 1 || option[1] <= 1 || option + option[1] > end)
			return false;
		option += option[1];
	}
	return true;
}

static void consult_tcp(struct oracle *oracle, uint8_t *body, size_t size)
{
	struct tcphdr *tcp = (void *)body;

	oracle->whole = size >= sizeof(*tcp) && tcp->th_off >= 5 && tcp->th_off * 4u <= size &&
			tcp_options_fit(body + sizeof(*tcp), body + tcp->th_off * 4u);
	oracle->tcp = tcp;
	oracle->tcp_size = size;
}

static const struct nat_network network = { .address = 0x0a000202, .dns = 0x0a000203,
					    .mask = 0xffffff00 };

static bool inside(uint32_t address)
{
	return address >> 8 == 0x0a0002;
}

/* Whoever has come by a forwarded port is answered: TCP that opens nothing. */
static bool answers(const struct ip *ip, const struct tcphdr *tcp)
{
	return ip->ip_p == IPPROTO_TCP &&
	       ((tcp->th_flags & TH_ACK) || (tcp->th_flags & (TH_SYN | TH_RST)) == TH_RST);
}

static enum net_verdict consult_addresses(const struct ip *ip, uint16_t port)
{
	uint32_t from = ntohl(ip->ip_src.s_addr), to = ntohl(ip->ip_dst.s_addr);
	bool ping = ip->ip_p == IPPROTO_ICMP;

	if (!inside(from) || (from & 0xff) == 0 || (from & 0xff) == 2 || (from & 0xff) == 3 ||
	    (from & 0xff) == 255)
		return NET_DROP_BAD_SOURCE;
	if (to == 0x0a000202)
		return ping || answers(ip, (const void *)(ip + 1)) ? NET_FORWARD :
								     NET_DROP_LOOPBACK;
	if (to == 0x0a000203)
		return ping || port == 53 ? NET_FORWARD : NET_DROP_UNSUPPORTED;
	if (to >> 24 == IN_LOOPBACKNET || to >> 24 == 0)
		return NET_DROP_LOOPBACK;
	return IN_MULTICAST(to) || IN_BADCLASS(to) || to >> 16 == 0xa9fe || inside(to)
		       ? NET_DROP_UNSUPPORTED
		       : NET_FORWARD;
}

static void consult_ip(struct oracle *oracle, uint8_t *data, size_t size)
{
	unsigned long sum = 0;
	const struct ip *ip = (const void *)data;
	uint8_t *body = data + sizeof(*ip);
	const struct udphdr *udp = (const void *)body;
	size_t total, left;

	if (size < sizeof(*ip) || ip->ip_v != IPVERSION || ip->ip_hl < 5)
		return;
	total = ntohs(ip->ip_len);
	if (total < ip->ip_hl * 4u || total > size || ntohs(ip->ip_off) & IP_RF)
		return;
	oracle->whole = true;
	oracle->size = sizeof(struct ether_header) + total;
	oracle->fragment = (ntohs(ip->ip_off) & (IP_MF | IP_OFFMASK)) != 0;
	oracle->known = ip->ip_hl == 5;
	for (size_t i = 0; i < sizeof(*ip); i += 2)
		sum += (unsigned long)data[i] << 8 | data[i + 1];
	oracle->summed = sum % 0xffff == 0 && sum;
	if (oracle->fragment || !oracle->known || !oracle->summed)
		return;
	left = total - sizeof(*ip);
	if (ip->ip_p == IPPROTO_TCP)
		consult_tcp(oracle, body, left);
	else if (ip->ip_p == IPPROTO_UDP)
		oracle->whole = left >= sizeof(*udp) && ntohs(udp->uh_ulen) >= sizeof(*udp) &&
				ntohs(udp->uh_ulen) <= left;
	else if (ip->ip_p == IPPROTO_ICMP)
		oracle->whole = left >= ICMP_MINLEN;
	else
		oracle->known = false;
	if (oracle->known && oracle->whole)
		oracle->way = consult_addresses(ip, (uint16_t)(body[2] << 8 | body[3]));
}

static void consult(struct oracle *oracle, uint8_t *data, size_t size)
{
	const struct ether_header *ethernet = (const void *)data;
	const struct ether_arp *arp = (const void *)(ethernet + 1);

	memset(oracle, 0, sizeof(*oracle));
	if (size < sizeof(*ethernet))
		return;
	oracle->size = size;
	oracle->summed = true;
	oracle->way = NET_FORWARD;
	if (ntohs(ethernet->ether_type) == ETHERTYPE_IP) {
		consult_ip(oracle, data + sizeof(*ethernet), size - sizeof(*ethernet));
	} else if (ntohs(ethernet->ether_type) == ETHERTYPE_ARP) {
		oracle->known = true;
		oracle->whole = size >= sizeof(*ethernet) + sizeof(*arp) &&
				ntohs(arp->arp_hrd) == ARPHRD_ETHER &&
				ntohs(arp->arp_pro) == ETHERTYPE_IP && arp->arp_hln == ETH_ALEN &&
				arp->arp_pln == sizeof(struct in_addr);
	} else {
		oracle->whole = true;
	}
}

static enum net_verdict expected(const struct oracle *oracle)
{
	if (!oracle->whole)
		return NET_DROP_BAD_HEADER;
	if (oracle->fragment)
		return NET_DROP_FRAGMENT;
	if (!oracle->known)
		return NET_DROP_UNSUPPORTED;
	return oracle->summed ? oracle->way : NET_DROP_BAD_CHECKSUM;
}

/* The sum of a segment in ones' complement, 0..0xfffe: 0xffff and 0 are the same number. */
static unsigned segment_sum(const struct oracle *oracle)
{
	const uint8_t *segment = (const void *)oracle->tcp;
	unsigned long sum = 0;

	for (size_t i = 0; i < oracle->tcp_size; i++)
		sum += (unsigned long)segment[i] << (i % 2 ? 0 : 8);
	return (unsigned)(sum % 0xffff);
}

/* What the guard may change in a segment, done to the original, but for the checksum. */
static void calm(struct tcphdr *tcp, const struct tcphdr *guarded)
{
	if (!(tcp->th_flags & TH_URG))
		return;
	tcp->th_flags &= (uint8_t)~TH_URG;
	tcp->th_urp = 0;
	tcp->th_sum = guarded->th_sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* With these two bytes the headers behind Ethernet's are aligned. */
	uint8_t *guarded = malloc(2 + size), *plain = malloc(2 + size);
	uint8_t *frame, *original;
	struct oracle before, after;
	size_t left = size;
	enum net_verdict verdict;

	if (!guarded || !plain)
		abort();
	frame = guarded + 2;
	original = plain + 2;
	memcpy(frame, data, size);
	memcpy(original, data, size);
	consult(&before, original, size);
	nat_guard_sent(&network, frame, size);
	verdict = nat_guard(&network, frame, size < NET_HEAD_MAX ? size : NET_HEAD_MAX, &left);
	if (verdict != expected(&before))
		abort();
	if (verdict == NET_FORWARD) {
		size_t head = left < NET_HEAD_MAX ? left : NET_HEAD_MAX;

		nat_guard_sum(frame, head, frame + head, left);
		consult(&after, frame, left);
		if (left != before.size || expected(&after) != NET_FORWARD || after.size != left)
			abort();
		if (after.tcp) {
			if (after.tcp->th_flags & TH_URG ||
			    segment_sum(&before) != segment_sum(&after))
				abort();
			calm(before.tcp, after.tcp);
		}
		if (memcmp(frame, original, left) != 0)
			abort();
	}
	free(guarded);
	free(plain);
	return 0;
}
