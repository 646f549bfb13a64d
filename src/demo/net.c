/*
 * Ethernet, ARP (RFC 826), IPv4 without fragments and options (RFC 791), ICMP
 * echo (RFC 792) and UDP (RFC 768). Every length is checked before it is used.
 * CPU 0, between tasks or in one.
 */
#include "net.h"

#include "clock.h"
#include "nic.h"
#include "task.h"
#include "tcp.h"

#define ETHER 14u
#define TYPE_IP 0x0800
#define TYPE_ARP 0x0806
#define NEIGHBOURS 64
#define NEIGHBOUR_LIFE (60 * SECOND)
#define ASK_AGAIN (300 * MILLISECOND)
#define PINGS 4
#define UDP_HANDLERS 8

struct neighbour {
	uint32_t ip;
	uint8_t mac[6];
	bool known;
	uint64_t until, asked;
};

struct ping {
	uint32_t ip;
	uint16_t id, sequence;
	bool used, answered;
	uint64_t at;
};

struct net_address net_address = { .origin = "none" };
struct net_counters net_counters;

static struct neighbour neighbours[NEIGHBOURS];
static struct ping pings[PINGS];
static struct {
	uint16_t port;
	net_udp_handler *handler;
} handlers[UDP_HANDLERS];
static uint8_t *open_frame;
static uint32_t probe_ip;
static bool probe_answered;
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

uint16_t net_checksum(uint32_t start, const uint8_t *data, unsigned length)
{
	uint64_t sum = 0;
	uint32_t word;

	for (; length >= 4; length -= 4, data += 4) {
		memcpy(&word, data, 4);
		sum += word;
	}
	for (unsigned i = 0; i < length; i++)
		sum += (uint64_t)data[i] << (i & 1) * 8 << (i & 2) * 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = (uint16_t)(sum << 8 | sum >> 8) + start;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

uint32_t net_pseudo_sum(uint32_t from, uint32_t to, unsigned protocol, unsigned length)
{
	return (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + protocol + length;
}

static bool on_link(uint32_t ip)
{
	return ((ip ^ net_address.ip) & net_address.mask) == 0;
}

static struct neighbour *neighbour_find(uint32_t ip, bool make)
{
	struct neighbour *oldest = &neighbours[0];

	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		if (neighbours[i].ip == ip)
			return &neighbours[i];
		if (neighbours[i].until < oldest->until)
			oldest = &neighbours[i];
	}
	if (!make)
		return NULL;
	*oldest = (struct neighbour){ .ip = ip, .until = clock_now() + NEIGHBOUR_LIFE };
	return oldest;
}

static void learn(uint32_t ip, const uint8_t *mac, bool make)
{
	struct neighbour *n;

	if (ip == 0 || mac[0] & 1)
		return;
	n = neighbour_find(ip, make);
	if (n == NULL)
		return;
	memcpy(n->mac, mac, 6);
	n->known = true;
	n->until = clock_now() + NEIGHBOUR_LIFE;
	task_event();
}

/* ARP tells who has an address; a packet from there is only believed while nobody has told. */
static bool is_known(uint32_t ip)
{
	const struct neighbour *n = neighbour_find(ip, false);

	return n != NULL && n->known && n->until > clock_now();
}

static uint8_t *new_frame(const uint8_t *to, unsigned type)
{
	uint8_t *frame = nic_frame();

	if (frame == NULL)
		return NULL;
	memcpy(frame, to, 6);
	memcpy(frame + 6, nic_mac, 6);
	put16(frame + 12, type);
	return frame;
}

static void send_arp(unsigned operation, const uint8_t *to_mac, uint32_t from, uint32_t to)
{
	uint8_t *frame = new_frame(to_mac, TYPE_ARP), *arp;

	if (frame == NULL)
		return;
	arp = frame + ETHER;
	put16(arp, 1);
	put16(arp + 2, TYPE_IP);
	put16(arp + 4, 6 << 8 | 4);
	put16(arp + 6, operation);
	memcpy(arp + 8, nic_mac, 6);
	put32(arp + 14, from);
	memset(arp + 18, 0, 6);
	if (operation == 2)
		memcpy(arp + 18, to_mac, 6);
	put32(arp + 24, to);
	nic_send(ETHER + 28);
}

void net_ask(uint32_t ip)
{
	send_arp(1, broadcast, net_address.ip, ip);
}

void net_probe(uint32_t ip)
{
	probe_ip = ip;
	probe_answered = false;
	send_arp(1, broadcast, 0, ip);
}

bool net_probe_answered(void)
{
	return probe_answered;
}

void net_configure(uint32_t ip, uint32_t mask, uint32_t gateway, const char *origin)
{
	bool changed = ip != net_address.ip;

	net_address = (struct net_address){ ip, mask, gateway, origin };
	probe_ip = 0;
	if (changed && ip != 0)
		send_arp(1, broadcast, ip, ip);
	task_event();
}

static void input_arp(const uint8_t *arp, unsigned length)
{
	uint32_t from, to;

	if (length < 28 || get16(arp) != 1 || get16(arp + 2) != TYPE_IP ||
	    get16(arp + 4) != (6 << 8 | 4)) {
		net_counters.bad++;
		return;
	}
	from = get32(arp + 14);
	to = get32(arp + 24);
	if (from != 0 && from == probe_ip)
		probe_answered = true;
	if (net_address.ip == 0 || from == net_address.ip)
		return;
	learn(from, arp + 8, to == net_address.ip);
	if (get16(arp + 6) == 1 && to == net_address.ip)
		send_arp(2, arp + 8, net_address.ip, from);
}

/* The next hop's entry when its MAC is known; asks for it otherwise. */
static struct neighbour *next_hop(uint32_t to)
{
	uint32_t ip = on_link(to) ? to : net_address.gateway;
	uint64_t now = clock_now();
	struct neighbour *n;

	if (ip == 0)
		return NULL;
	n = neighbour_find(ip, true);
	if (n->known && n->until > now)
		return n;
	if (n->asked + ASK_AGAIN <= now || n->asked == 0) {
		n->asked = now;
		net_ask(ip);
	}
	return NULL;
}

bool net_mac_of(uint32_t ip, uint8_t mac[6])
{
	struct neighbour *n = next_hop(ip);

	if (n != NULL)
		memcpy(mac, n->mac, 6);
	return n != NULL;
}

bool net_resolve(uint32_t ip, uint64_t timeout)
{
	uint64_t limit = clock_now() + timeout;

	while (clock_now() < limit) {
		if (net_address.ip != 0 && next_hop(ip) != NULL)
			return true;
		task_wait(minimum(limit, clock_now() + ASK_AGAIN));
	}
	return false;
}

uint8_t *net_packet(uint32_t to, unsigned protocol)
{
	static uint16_t identification;
	const uint8_t *mac = broadcast;
	uint8_t *ip;

	if (to != IP_BROADCAST) {
		struct neighbour *n = net_address.ip != 0 ? next_hop(to) : NULL;

		if (n == NULL)
			return NULL;
		mac = n->mac;
	}
	open_frame = new_frame(mac, TYPE_IP);
	if (open_frame == NULL)
		return NULL;
	ip = open_frame + ETHER;
	put16(ip, 0x4500);
	put16(ip + 4, identification++);
	put16(ip + 6, 0x4000);
	put16(ip + 8, 64 << 8 | protocol);
	put16(ip + 10, 0);
	put32(ip + 12, net_address.ip);
	put32(ip + 16, to);
	return ip + 20;
}

void net_send(unsigned length)
{
	uint8_t *ip = open_frame + ETHER;

	put16(ip + 2, 20 + length);
	put16(ip + 10, net_checksum(0, ip, 20));
	nic_send(ETHER + 20 + length);
}

bool net_send_udp(uint32_t to, uint16_t from_port, uint16_t to_port, const void *data,
		  unsigned length)
{
	uint8_t *udp = length <= UDP_PAYLOAD_MAX ? net_packet(to, IP_UDP) : NULL;
	uint16_t sum;

	if (udp == NULL)
		return false;
	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, 8 + length);
	put16(udp + 6, 0);
	memcpy(udp + 8, data, length);
	sum = net_checksum(net_pseudo_sum(net_address.ip, to, IP_UDP, 8 + length), udp, 8 + length);
	put16(udp + 6, sum == 0 ? 0xffff : sum);
	net_send(8 + length);
	return true;
}

void net_listen_udp(uint16_t port, net_udp_handler *handler)
{
	for (unsigned i = 0; i < UDP_HANDLERS; i++) {
		if (handlers[i].handler == NULL || handlers[i].port == port) {
			handlers[i].port = port;
			handlers[i].handler = handler;
			return;
		}
	}
}

static void input_udp(uint32_t from, uint32_t to, const uint8_t *udp, unsigned length)
{
	unsigned size;

	size = length >= 8 ? get16(udp + 4) : 0;
	if (size < 8 || size > length ||
	    (get16(udp + 6) != 0 &&
	     net_checksum(net_pseudo_sum(from, to, IP_UDP, size), udp, size) != 0)) {
		net_counters.bad++;
		return;
	}
	for (unsigned i = 0; i < UDP_HANDLERS; i++)
		if (handlers[i].handler != NULL && handlers[i].port == get16(udp + 2))
			handlers[i].handler(from, get16(udp), udp + 8, size - 8);
}

static void input_icmp(uint32_t from, bool to_us, const uint8_t *icmp, unsigned length)
{
	uint8_t *reply;

	if (length < 8 || net_checksum(0, icmp, length) != 0) {
		net_counters.bad++;
		return;
	}
	if (icmp[0] == 8 && to_us) {
		reply = net_packet(from, IP_ICMP);
		if (reply == NULL)
			return;
		memcpy(reply, icmp, length);
		reply[0] = 0;
		put16(reply + 2, 0);
		put16(reply + 2, net_checksum(0, reply, length));
		net_send(length);
		net_counters.echoes++;
		return;
	}
	for (unsigned i = 0; icmp[0] == 0 && i < PINGS; i++) {
		if (pings[i].used && !pings[i].answered && pings[i].ip == from &&
		    pings[i].id == get16(icmp + 4) && pings[i].sequence == get16(icmp + 6)) {
			pings[i].answered = true;
			pings[i].at = clock_now();
		}
	}
}

static void input_ip(const uint8_t *frame, unsigned length)
{
	const uint8_t *ip = frame + ETHER;
	unsigned header, total;
	uint32_t from, to;

	length -= ETHER;
	header = length >= 20 ? (ip[0] & 15) * 4 : 0;
	total = length >= 20 ? get16(ip + 2) : 0;
	if (length < 20 || ip[0] >> 4 != 4 || header < 20 || total < header || total > length ||
	    net_checksum(0, ip, header) != 0) {
		net_counters.bad++;
		return;
	}
	from = get32(ip + 12);
	to = get32(ip + 16);
	if (get16(ip + 6) & 0x3fff ||
	    (net_address.ip != 0 && to != net_address.ip && to != IP_BROADCAST &&
	     to != (net_address.ip | ~net_address.mask)))
		return;
	if (net_address.ip != 0 && on_link(from) && to == net_address.ip && !is_known(from))
		learn(from, frame + 6, true);
	if (ip[9] == IP_ICMP)
		input_icmp(from, to == net_address.ip, ip + header, total - header);
	else if (ip[9] == IP_UDP)
		input_udp(from, to, ip + header, total - header);
	else if (ip[9] == IP_TCP && to == net_address.ip && net_address.ip != 0)
		tcp_input(from, ip + header, total - header);
}

/* Floods are for UDP port 9: counted before anything else is looked at. */
static bool input_sink(const uint8_t *frame, unsigned length)
{
	if (length < ETHER + 28 || get32(frame + 12) >> 8 != (TYPE_IP << 8 | 0x45) ||
	    frame[23] != IP_UDP || get16(frame + 36) != PORT_SINK)
		return false;
	net_counters.sink_frames++;
	net_counters.sink_bytes += length;
	return true;
}

void net_input(const uint8_t *frame, unsigned length)
{
	if (length < ETHER) {
		net_counters.bad++;
		return;
	}
	if (!(frame[0] & 1) && memcmp(frame, nic_mac, 6) != 0)
		return;
	if (input_sink(frame, length))
		return;
	if (get16(frame + 12) == TYPE_ARP)
		input_arp(frame + ETHER, length - ETHER);
	else if (get16(frame + 12) == TYPE_IP)
		input_ip(frame, length);
}

static struct ping *ping_new(uint32_t ip, unsigned sequence)
{
	static uint16_t next_id;

	for (unsigned i = 0; i < PINGS; i++) {
		if (!pings[i].used) {
			pings[i] = (struct ping){
				.ip = ip, .id = ++next_id, .sequence = sequence, .used = true
			};
			return &pings[i];
		}
	}
	return NULL;
}

bool net_ping(uint32_t ip, unsigned sequence, unsigned size, uint64_t timeout, uint64_t *rtt)
{
	uint64_t sent, limit = clock_now() + timeout;
	struct ping *ping;
	uint8_t *icmp;
	bool answered;

	if (size > IP_PAYLOAD_MAX - 8 || !net_resolve(ip, timeout))
		return false;
	ping = ping_new(ip, sequence);
	if (ping == NULL)
		return false;
	icmp = net_packet(ip, IP_ICMP);
	if (icmp == NULL) {
		ping->used = false;
		return false;
	}
	put32(icmp, 8u << 24);
	put16(icmp + 4, ping->id);
	put16(icmp + 6, sequence);
	for (unsigned i = 0; i < size; i++)
		icmp[8 + i] = i;
	put16(icmp + 2, net_checksum(0, icmp, 8 + size));
	net_send(8 + size);
	sent = clock_now();
	while (!ping->answered && clock_now() < limit)
		task_wait(limit);
	*rtt = ping->at - sent;
	answered = ping->answered;
	ping->used = false;
	return answered;
}
