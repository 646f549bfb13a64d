/*
 * The switch's own port, with a switch of one guest: DHCP, ARP, ping, and NAT
 * to servers on this host's loopback.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "net/port/nat_channel.h"
#include "net/port/port.h"
#include "net/port/thread.h"
#include "net/service/dhcp.h"
#include "net/switch/switch.h"
#include "with_nat.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define GATEWAY IP(10, 0, 2, 2)
#define DNS IP(10, 0, 2, 3)
#define GUEST IP(10, 0, 2, 15)
#define INBOX 1024
#define URGENT 2000 /* what an urgent pointer of the tests says */

static const uint8_t guest_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t gateway_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };
static const uint8_t all_macs[6] = { 255, 255, 255, 255, 255, 255 };

struct packet {
	size_t size;
	uint8_t data[20000];
};

/* The fake switch: the uplink's port on one side, an inbox of the guest on the other. */
struct net_port {
	const struct net_port_ops *ops;
	void *backend;
	char name[NET_PORT_NAME_MAX];
	const char *kind;
	uint8_t mac[6];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct packet *inbox;
	unsigned first, count;
	uint32_t accepts;
	uint32_t named; /* the latest address */
	bool blocked; /* switch_input() does not return */
	unsigned inside;
	unsigned refused[NET_VERDICT_COUNT]; /* after deliver() */
	atomic_uint waits, retries;	     /* until so many calls of switch_retry() */
};

struct net_switch {
	struct net_port port;
	bool used;
};

int switch_port_add(struct net_port **out, struct net_switch *sw,
		    const struct net_port_config *config, const struct net_port_ops *ops,
		    void *backend, struct cause *cause)
{
	if (sw->used)
		return cause_set(cause, EEXIST, "%s: there is such a port", config->name);
	sw->used = true;
	sw->port.ops = ops;
	sw->port.backend = backend;
	sw->port.kind = config->kind;
	snprintf(sw->port.name, sizeof(sw->port.name), "%s", config->name);
	memcpy(sw->port.mac, config->addresses[0].mac, 6);
	sw->port.accepts = config->accepts;
	*out = &sw->port;
	return 0;
}

void switch_port_remove(struct net_port *port)
{
	port->ops = NULL;
}

bool switch_has_receivers(const struct net_port *port)
{
	return port;
}

uint32_t switch_flaps(const struct net_port *port)
{
	return !port;
}

bool switch_take_flaps(struct net_port *port)
{
	return port;
}

void switch_output(struct net_port *port, const struct net_frame *frame)
{
	(void)port;
	(void)frame;
}

void switch_port_accepts(struct net_port *port, uint32_t accepts)
{
	port->accepts = accepts;
}

void switch_port_refuse(struct net_port *port, enum net_verdict verdict)
{
	pthread_mutex_lock(&port->lock);
	port->refused[verdict]++;
	pthread_mutex_unlock(&port->lock);
}

unsigned switch_leases(const struct net_port *port, uint32_t from, bool *outside)
{
	(void)port;
	(void)from;
	*outside = false;
	return 0;
}

void switch_name_address(struct net_port *port, uint32_t from, uint32_t address)
{
	(void)from;
	pthread_mutex_lock(&port->lock);
	port->named = address;
	pthread_mutex_unlock(&port->lock);
}

void switch_input(struct net_port *port, const struct net_frame *frames, unsigned count)
{
	pthread_mutex_lock(&port->lock);
	port->inside++;
	pthread_cond_broadcast(&port->changed);
	while (port->blocked)
		pthread_cond_wait(&port->changed, &port->lock);
	port->inside--;
	for (unsigned i = 0; i < count && port->count < INBOX; i++) {
		struct packet *packet = &port->inbox[(port->first + port->count++) % INBOX];
		const struct net_frame *frame = &frames[i];
		size_t at = frame->head_size;

		packet->size = frame->size;
		memcpy(packet->data, frame->head, at);
		for (unsigned j = 0; j < frame->rest_count; j++) {
			memcpy(packet->data + at, frame->rest[j].iov_base, frame->rest[j].iov_len);
			at += frame->rest[j].iov_len;
		}
		if (at != frame->size)
			abort();
	}
	pthread_cond_broadcast(&port->changed);
	pthread_mutex_unlock(&port->lock);
}

bool switch_waits(const struct net_port *port)
{
	return port->waits > port->retries;
}

bool switch_retry(struct net_port *port)
{
	bool waits;

	pthread_mutex_lock(&port->lock);
	port->retries++;
	waits = switch_waits(port);
	pthread_cond_broadcast(&port->changed);
	pthread_mutex_unlock(&port->lock);
	return waits;
}

struct world {
	struct uplink *uplink;
	struct port *attached;
	struct net_switch sw;
	uint32_t sender; /* slot of the port that deliver() plays */
	char notice[512]; /* the last one; guarded by the port's lock */
	unsigned notices;
};

/* Hands a frame to the uplink's port as a switch does; NET_FORWARD, or why it was refused. */
static enum net_verdict deliver(struct world *w, const uint8_t *data, size_t size, bool flush)
{
	size_t head = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;
	size_t half = (size - head) / 2;
	struct iovec rest[2] = {
		{ .iov_base = (void *)(uintptr_t)(data + head), .iov_len = half },
		{ .iov_base = (void *)(uintptr_t)(data + head + half), .iov_len = size - head - half },
	};
	struct net_frame frame = { .head = data, .head_size = (uint32_t)head,
				   .size = (uint32_t)size, .rest = rest, .rest_count = 2 };
	const struct net_frame *frames[1] = { &frame };
	enum net_verdict verdict = NET_FORWARD;
	unsigned taken = w->sw.port.ops->deliver(w->sw.port.backend, w->sender, frames, 1, &verdict);

	assert_int_equal(taken, verdict == NET_FORWARD);
	if (flush)
		w->sw.port.ops->flush(w->sw.port.backend);
	return verdict;
}

static void send_frame(struct world *w, const uint8_t *data, size_t size)
{
	enum net_verdict verdict;

	/* The other side may be slow. */
	while ((verdict = deliver(w, data, size, true)) == NET_DROP_OVER_SHARE)
		usleep(1000);
	assert_int_equal(verdict, NET_FORWARD);
}

static bool receive_within(struct world *w, struct packet *out, unsigned seconds)
{
	struct net_port *port = &w->sw.port;
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&port->lock);
	while (!port->count && !error)
		error = pthread_cond_timedwait(&port->changed, &port->lock, &until);
	if (!error) {
		*out = port->inbox[port->first];
		port->first = (port->first + 1) % INBOX;
		port->count--;
	}
	pthread_mutex_unlock(&port->lock);
	return !error;
}

static void receive(struct world *w, struct packet *out)
{
	if (!receive_within(w, out, 60))
		fail_msg("no frame came");
}

static void put_ethernet(struct packet *p, const uint8_t *to, uint16_t type)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->data, to, 6);
	memcpy(p->data + 6, guest_mac, 6);
	put_be16(p->data + 12, type);
	p->size = 14;
}

static void put_arp(struct packet *p, uint16_t op, const uint8_t *to, uint32_t target)
{
	put_ethernet(p, to, 0x0806);
	memcpy(p->data + 14, "\0\1\x08\0\6\4", 6);
	put_be16(p->data + 20, op);
	memcpy(p->data + 22, guest_mac, 6);
	put_be32(p->data + 28, GUEST);
	put_be32(p->data + 38, target);
	p->size = 60;
}

/* An IPv4 packet to the gateway around size bytes that are at data + 34 already. */
static void put_ip(struct packet *p, uint8_t protocol, uint32_t to, size_t size)
{
	uint8_t *ip = p->data + 14, *body = ip + 20;
	uint32_t sum = 0;

	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + size));
	ip[8] = 64;
	ip[9] = protocol;
	put_be32(ip + 12, GUEST);
	put_be32(ip + 16, to);
	put_be16(ip + 10, 0);
	put_be16(ip + 10, inet_checksum(inet_sum(0, ip, 20)));
	if (protocol != 1)
		sum = inet_sum(protocol + (uint32_t)size, ip + 12, 8);
	put_be16(body + (protocol == 1 ? 2 : protocol == 6 ? 16 : 6),
		 inet_checksum(inet_sum(sum, body, size)));
	p->size = 34 + size;
}

/* Makes the packet one with these flags and this offset, in units of 8 bytes. */
static void put_fragment(struct packet *p, uint16_t fragment)
{
	uint8_t *ip = p->data + 14;

	put_be16(ip + 6, fragment);
	put_be16(ip + 10, 0);
	put_be16(ip + 10, inet_checksum(inet_sum(0, ip, 20)));
}

static void put_echo(struct packet *p, uint32_t to, size_t body)
{
	put_ethernet(p, gateway_mac, 0x0800);
	p->data[34] = 8;
	put_be16(p->data + 38, 0x1234);
	put_be16(p->data + 40, 7);
	for (size_t i = 0; i < body; i++)
		p->data[42 + i] = (uint8_t)i;
	put_ip(p, 1, to, 8 + body);
}

/* What the port says of itself by that name. */
static void describe(struct world *w, const char *name, char text[128])
{
	struct port_field fields[8];
	size_t count = w->attached->kind->describe(w->attached, fields, ARRAY_SIZE(fields));

	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0) {
			strcpy(text, fields[i].text);
			return;
		}
	fail_msg("nothing is said of %s", name);
}

static void wait_until(struct world *w, const char *name, const char *wanted)
{
	char text[128] = "";

	for (unsigned i = 0; i < 6000; i++) {
		describe(w, name, text);
		if (strcmp(text, wanted) == 0)
			return;
		usleep(10000);
	}
	fail_msg("%s is %s, not %s", name, text, wanted);
}

static void take_notice(void *arg, const char *text)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->sw.port.lock);
	snprintf(w->notice, sizeof(w->notice), "%s", text);
	w->notices++;
	pthread_mutex_unlock(&w->sw.port.lock);
}

static int setup(void **state, const struct port_kind *kind, bool loopback)
{
	struct switch_config config = { .name = "lan", .address = GATEWAY, .prefix = 24,
					.uplink = kind == &port_nat ? kind : NULL,
					.loopback = loopback };
	struct world *w = calloc(1, sizeof(*w));
	const struct uplink_listener listener = { .notice = take_notice, .arg = w };

	*state = w;
	w->sw.port.inbox = calloc(INBOX, sizeof(struct packet));
	pthread_mutex_init(&w->sw.port.lock, NULL);
	pthread_cond_init(&w->sw.port.changed, NULL);
	if (uplink_new(&w->uplink, &listener, NULL) ||
	    kind->create(&w->attached, w->uplink, &w->sw, &config, NULL, NULL))
		return 1;
	if (kind == &port_nat)
		wait_until(w, "nat", "running");
	return 0;
}

static int setup_none(void **state)
{
	return setup(state, &port_own, false);
}

static int setup_nat(void **state)
{
	return setup(state, &port_nat, true);
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->attached->kind->destroy(w->attached);
	uplink_free(w->uplink);
	pthread_mutex_destroy(&w->sw.port.lock);
	pthread_cond_destroy(&w->sw.port.changed);
	free(w->sw.port.inbox);
	free(w);
	return 0;
}

static void check_arp(struct world *w, uint32_t address)
{
	struct packet p, answer;
	uint8_t mac[6] = { 0x52, 0x55 };

	put_be32(mac + 2, address);
	put_arp(&p, 1, all_macs, address);
	send_frame(w, p.data, p.size);
	receive(w, &answer);
	assert_memory_equal(answer.data, guest_mac, 6);
	assert_memory_equal(answer.data + 6, mac, 6);
	assert_int_equal(get_be16(answer.data + 20), 2);
	assert_memory_equal(answer.data + 22, mac, 6);
	assert_int_equal(get_be32(answer.data + 28), address);
	assert_memory_equal(answer.data + 32, guest_mac, 6);
	assert_int_equal(get_be32(answer.data + 38), GUEST);
}

static void check_ping(struct world *w, size_t body)
{
	struct packet p, answer;

	put_echo(&p, GATEWAY, body);
	send_frame(w, p.data, p.size);
	do {
		receive(w, &answer);
	} while (answer.data[23] != 1);
	assert_true(answer.size >= p.size);
	assert_memory_equal(answer.data, guest_mac, 6);
	assert_memory_equal(answer.data + 6, gateway_mac, 6);
	assert_int_equal(inet_checksum(inet_sum(0, answer.data + 14, 20)), 0);
	assert_int_equal(get_be32(answer.data + 26), GATEWAY);
	assert_int_equal(get_be32(answer.data + 30), GUEST);
	assert_int_equal(answer.data[34], 0);
	assert_int_equal(inet_checksum(inet_sum(0, answer.data + 34, 8 + body)), 0);
	assert_memory_equal(answer.data + 38, p.data + 38, 4 + body);
}

static void answers_for_itself_without_uplink(void **state)
{
	struct world *w = *state;
	struct packet p, answer;

	assert_string_equal(w->sw.port.name, "lan/dhcp");
	assert_string_equal(w->sw.port.kind, "service");
	assert_memory_equal(w->sw.port.mac, gateway_mac, 6);
	check_arp(w, GATEWAY);
	check_ping(w, 56);
	check_ping(w, 1400);

	/* Silent: other addresses, a broken checksum, other protocols. */
	put_arp(&p, 1, all_macs, DNS);
	send_frame(w, p.data, p.size);
	put_echo(&p, GATEWAY, 8);
	p.data[45] ^= 1;
	send_frame(w, p.data, p.size);
	put_echo(&p, DNS, 8);
	send_frame(w, p.data, p.size);
	put_echo(&p, GATEWAY, 8);
	p.data[16] = 0xff;
	send_frame(w, p.data, p.size);
	put_ethernet(&p, gateway_mac, 0x0800);
	put_ip(&p, 17, GATEWAY, 8);
	send_frame(w, p.data, p.size);
	check_arp(w, GATEWAY);
	assert_false(receive_within(w, &answer, 0));
}

static void put_dhcp(struct packet *p, uint8_t type)
{
	put_ethernet(p, all_macs, 0x0800);
	put_be16(p->data + 34, 68);
	put_be16(p->data + 36, 67);
	put_be16(p->data + 38, 8 + 260);
	p->data[42] = 1;
	p->data[43] = 1;
	p->data[44] = 6;
	memcpy(p->data + 70, guest_mac, 6);
	put_be32(p->data + 278, 0x63825363);
	memcpy(p->data + 282, "\x35\1", 2);
	p->data[284] = type;
	memcpy(p->data + 285, "\x32\4\x0a\0\2\x0f\x0c\3web\xff", 12);
	put_ip(p, 17, UINT32_MAX, 8 + 260);
}

static void check_dhcp(struct world *w)
{
	struct dhcp_lease_info info;
	struct packet p, answer;

	put_dhcp(&p, 1);
	send_frame(w, p.data, p.size);
	receive(w, &answer);
	assert_int_equal(answer.data[284], 2);
	assert_int_equal(get_be32(answer.data + 58), GUEST);
	assert_int_equal(w->attached->kind->list_leases(w->attached, &info, 1), 0);
	put_dhcp(&p, 3);
	p.data[75] ^= 1; /* for another client */
	put_be16(p.data + 40, 0);
	put_ip(&p, 17, UINT32_MAX, 8 + 260);
	send_frame(w, p.data, p.size);
	put_dhcp(&p, 3);
	send_frame(w, p.data, p.size);
	receive(w, &answer);
	assert_int_equal(w->sw.port.refused[NET_DROP_FORGED], 1);
	assert_int_equal(answer.data[284], 5);
	assert_int_equal(w->attached->kind->list_leases(w->attached, &info, 1), 1);
	assert_int_equal(w->sw.port.named, info.address);
	assert_int_equal(info.address, GUEST);
	assert_string_equal(info.hostname, "web");
	assert_in_range(info.remaining_s, 1, 3600);
	/* One server alone has answered. */
	check_arp(w, GATEWAY);
	assert_false(receive_within(w, &answer, 0));
}

/* A guest has no room for an answer: that is tried again until there is. */
static void what_waits_is_tried_again(void **state)
{
	struct world *w = *state;

	w->sw.port.waits = 3;
	check_ping(w, 20);
	pthread_mutex_lock(&w->sw.port.lock);
	while (w->sw.port.retries < 3)
		pthread_cond_wait(&w->sw.port.changed, &w->sw.port.lock);
	pthread_mutex_unlock(&w->sw.port.lock);
	usleep(10000);
	assert_int_equal(w->sw.port.retries, 3);
}

static void gives_leases(void **state)
{
	check_dhcp(*state);
}

static void nat_answers_for_gateway_and_dns(void **state)
{
	struct world *w = *state;

	assert_string_equal(w->sw.port.name, "lan/nat");
	assert_string_equal(w->sw.port.kind, "nat");
	check_dhcp(w);
	check_arp(w, GATEWAY);
	check_arp(w, DNS);
	check_ping(w, 56);
}

/* A server on this host's loopback. */
static int listen_loopback(int type, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void nat_passes_udp(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	struct packet p, answer;
	uint16_t port;
	char text[16] = "";
	int fd = listen_loopback(SOCK_DGRAM, &port);

	check_arp(w, GATEWAY);
	put_ethernet(&p, gateway_mac, 0x0800);
	put_be16(p.data + 34, 5000);
	put_be16(p.data + 36, port);
	put_be16(p.data + 38, 8 + 5);
	memcpy(p.data + 42, "hello", 5);
	put_ip(&p, 17, GATEWAY, 13);
	send_frame(w, p.data, p.size);
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &from_size),
			 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(sendto(fd, "back", 4, 0, (struct sockaddr *)&from, from_size), 4);
	receive(w, &answer);
	assert_int_equal(answer.data[23], 17);
	assert_int_equal(get_be32(answer.data + 26), GATEWAY);
	assert_int_equal(get_be16(answer.data + 34), port);
	assert_int_equal(get_be16(answer.data + 36), 5000);
	assert_memory_equal(answer.data + 42, "back", 4);
	close(fd);
}

/* The guest's end of a TCP connection that takes everything in order. */
struct tcp {
	struct world *w;
	uint16_t from, to;
	uint32_t sent, seen;
	size_t received;
	bool finished, reset;
};

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static void tcp_send(struct tcp *tcp, uint8_t flags, const char *data)
{
	struct packet p;
	size_t size = strlen(data);

	put_ethernet(&p, gateway_mac, 0x0800);
	put_be16(p.data + 34, tcp->from);
	put_be16(p.data + 36, tcp->to);
	put_be32(p.data + 38, tcp->sent);
	put_be32(p.data + 42, flags & ACK ? tcp->seen : 0);
	p.data[46] = 5 << 4;
	p.data[47] = flags;
	put_be16(p.data + 48, 60000);
	put_be16(p.data + 52, flags & URG ? URGENT : 0);
	memcpy(p.data + 54, data, size);
	put_ip(&p, 6, GATEWAY, 20 + size);
	send_frame(tcp->w, p.data, p.size);
	tcp->sent += (uint32_t)size + (flags & (SYN | FIN) ? 1 : 0);
}

/* Takes one segment of this connection; its data, if new, is acknowledged. */
static uint8_t tcp_receive(struct tcp *tcp, uint8_t *out)
{
	struct packet p;
	uint8_t flags;
	size_t header, size;

	do {
		receive(tcp->w, &p);
	} while (p.data[23] != 6 || get_be16(p.data + 36) != tcp->from);
	assert_int_equal(get_be16(p.data + 34), tcp->to);
	flags = p.data[47];
	header = 34 + (p.data[46] >> 4) * 4u;
	size = 14u + get_be16(p.data + 16) - header;
	if (flags & SYN)
		tcp->seen = get_be32(p.data + 38) + 1;
	tcp->reset |= (flags & RST) != 0;
	if ((!size && !(flags & FIN)) || flags & RST)
		return flags;
	if (get_be32(p.data + 38) == tcp->seen) {
		if (out)
			memcpy(out + tcp->received, p.data + header, size);
		tcp->received += size;
		tcp->seen += (uint32_t)size + (flags & FIN ? 1 : 0);
		tcp->finished |= (flags & FIN) != 0;
	}
	tcp_send(tcp, ACK, "");
	return flags;
}

/* Opens the connection; returns the server's end. */
static int tcp_open(struct tcp *tcp, int listener)
{
	int fd;

	tcp_send(tcp, SYN, "");
	assert_int_equal(tcp_receive(tcp, NULL), SYN | ACK);
	tcp_send(tcp, ACK, "");
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void nat_passes_tcp(void **state)
{
	struct tcp tcp = { .w = *state, .from = 40000, .sent = 1000 };
	int listener = listen_loopback(SOCK_STREAM, &tcp.to), fd;
	size_t bulk = 1000 * 1000, written = 0;
	uint8_t *source = malloc(bulk), *target = calloc(1, bulk + 5);
	char text[16] = "";

	check_arp(*state, GATEWAY);
	fd = tcp_open(&tcp, listener);
	assert_int_equal(write(fd, "hello", 5), 5);
	while (tcp.received < 5)
		tcp_receive(&tcp, target);
	assert_memory_equal(target, "hello", 5);
	tcp_send(&tcp, ACK | PSH, "abc");
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_memory_equal(text, "abc", 3);

	/* More than every buffer on the way holds. */
	for (size_t i = 0; i < bulk; i++)
		source[i] = (uint8_t)(i * 7 + (i >> 8));
	while (tcp.received < bulk + 5) {
		ssize_t n = send(fd, source + written, bulk - written, MSG_DONTWAIT);

		written += n > 0 ? (size_t)n : 0;
		tcp_receive(&tcp, target);
	}
	assert_memory_equal(target + 5, source, bulk);

	shutdown(fd, SHUT_WR);
	while (!tcp.finished)
		tcp_receive(&tcp, NULL);
	tcp_send(&tcp, ACK | FIN, "");
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	close(fd);
	close(listener);
	free(source);
	free(target);
}

/* Hands a frame over, as often as it takes, and throws away what comes meanwhile. */
static void send_patiently(struct world *w, const uint8_t *data, size_t size, bool flush)
{
	struct packet answer;

	while (deliver(w, data, size, flush) == NET_DROP_OVER_SHARE) {
		w->sw.port.ops->flush(w->sw.port.backend);
		sched_yield();
		while (receive_within(w, &answer, 0))
			;
	}
}

/* Throws away what comes until libslirp has opened the connection. */
static void tcp_open_among_others(struct tcp *tcp)
{
	tcp_send(tcp, SYN, "");
	while (tcp_receive(tcp, NULL) != (SYN | ACK))
		;
	tcp_send(tcp, ACK, "");
}

/* Without its first byte nothing of it can go on, so libslirp keeps each segment by itself. */
static void nat_keeps_little_of_what_comes_too_early(void **state)
{
	struct tcp tcp = { .w = *state, .sent = 1000 };
	int listener = listen_loopback(SOCK_STREAM, &tcp.to), pid = nat_pid();
	struct packet p;

	check_arp(*state, GATEWAY);
	for (tcp.from = 40000; tcp.from < 40004; tcp.from++) {
		tcp.sent = 1000;
		tcp_open_among_others(&tcp);
		for (uint32_t at = 30000; at > 0; at--) {
			put_ethernet(&p, gateway_mac, 0x0800);
			put_be16(p.data + 34, tcp.from);
			put_be16(p.data + 36, tcp.to);
			put_be32(p.data + 38, tcp.sent + 2 * at);
			put_be32(p.data + 42, tcp.seen);
			p.data[46] = 5 << 4;
			p.data[47] = ACK;
			put_ip(&p, 6, GATEWAY, 21);
			send_patiently(tcp.w, p.data, p.size, true);
		}
	}
	tcp_open_among_others(&tcp);
	assert_int_equal(nat_pid(), pid);
	close(listener);
}

/* The urgent pointer goes far beyond the data; libslirp 4.7.0 would send what is in memory there. */
static void nat_passes_urgent_data_as_data(void **state)
{
	struct tcp tcp = { .w = *state, .from = 40002, .sent = 1000 };
	int listener = listen_loopback(SOCK_STREAM, &tcp.to), fd;
	char text[64] = "";
	ssize_t size = 0, n;

	check_arp(*state, GATEWAY);
	fd = tcp_open(&tcp, listener);
	tcp_send(&tcp, ACK | PSH | URG, "urgent");
	tcp_send(&tcp, ACK | PSH | URG, " matter");
	tcp_send(&tcp, ACK | PSH, ", and more");
	tcp_send(&tcp, ACK | FIN, "");
	while (size < (ssize_t)sizeof(text) &&
	       (n = read(fd, text + size, sizeof(text) - (size_t)size)) > 0)
		size += n;
	assert_int_equal(size, strlen("urgent matter, and more"));
	assert_memory_equal(text, "urgent matter, and more", (size_t)size);
	assert_int_equal(recv(fd, text, 1, MSG_OOB), -1);
	close(fd);
	close(listener);
	check_ping(*state, 56);
}

static void nat_refuses_closed_ports(void **state)
{
	struct tcp tcp = { .w = *state, .from = 40001, .sent = 1 };

	close(listen_loopback(SOCK_STREAM, &tcp.to));
	check_arp(*state, GATEWAY);
	tcp_send(&tcp, SYN, "");
	assert_true(tcp_receive(&tcp, NULL) & RST);
}

/* More sockets than one batch of events, opened and closed by numbers that are used again. */
static void nat_keeps_many_connections_apart(void **state)
{
	enum { COUNT = 100 };
	struct tcp tcp[COUNT];
	uint16_t port;
	int listener = listen_loopback(SOCK_STREAM, &port), fds[COUNT];
	char text[8];

	check_arp(*state, GATEWAY);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < COUNT; i++) {
			tcp[i] = (struct tcp){ .w = *state, .to = port,
					       .from = (uint16_t)(41000 + round * COUNT + i) };
			fds[i] = tcp_open(&tcp[i], listener);
		}
		for (unsigned i = 0; i < COUNT; i++) {
			snprintf(text, sizeof(text), "%u", i);
			tcp_send(&tcp[i], ACK | PSH, text);
		}
		for (unsigned i = 0; i < COUNT; i++) {
			ssize_t n = read(fds[i], text, sizeof(text) - 1);

			assert_true(n > 0);
			text[n] = '\0';
			assert_int_equal(strtoul(text, NULL, 10), i);
			assert_int_equal(write(fds[i], text, (size_t)n), n);
		}
		for (unsigned i = 0; i < COUNT; i++)
			tcp_send(&tcp[i], RST | ACK, "");
		for (unsigned i = 0; i < COUNT; i++)
			close(fds[i]);
	}
	close(listener);
	check_ping(*state, 8);
}

static void filter_lets_only_own_frames_in(void **state)
{
	struct world *w = *state;
	struct packet p, answer;

	put_echo(&p, GATEWAY, 8);
	p.data[5] = 99; /* flooded, but for another host */
	send_frame(w, p.data, p.size);
	put_ethernet(&p, all_macs, 0x86dd);
	send_frame(w, p.data, 60);
	put_ethernet(&p, all_macs, 0x0800);
	put_be16(p.data + 36, 138);
	put_ip(&p, 17, IP(10, 0, 2, 255), 8);
	send_frame(w, p.data, p.size);
	put_ethernet(&p, gateway_mac, 0x0800);
	send_frame(w, p.data, 13);
	put_ethernet(&p, gateway_mac, 0x86dd);
	send_frame(w, p.data, 60);
	put_ethernet(&p, gateway_mac, 0x88f8);
	send_frame(w, p.data, 60);
	check_arp(w, GATEWAY);
	assert_false(receive_within(w, &answer, 0));
}

static void service_ignores_what_it_does_not_know(void **state)
{
	struct world *w = *state;
	struct packet p, answer;

	put_ethernet(&p, gateway_mac, 0x0800);
	send_frame(w, p.data, 14);
	put_ethernet(&p, gateway_mac, 0x0806);
	send_frame(w, p.data, 14);
	/* First and last parts of packets. */
	put_echo(&p, GATEWAY, 8);
	put_fragment(&p, 0x2000);
	send_frame(w, p.data, p.size);
	put_fragment(&p, 1);
	send_frame(w, p.data, p.size);
	put_dhcp(&p, 1);
	put_fragment(&p, 0x2000);
	send_frame(w, p.data, p.size);
	put_fragment(&p, 1);
	memcpy(p.data, gateway_mac, 6);
	send_frame(w, p.data, p.size);
	check_arp(w, GATEWAY);
	assert_false(receive_within(w, &answer, 0));
}

/* The first of these, alone, ends a process whose libslirp 4.7.0 sees it. */
static void nat_refuses_fragments(void **state)
{
	static const uint16_t offsets[] = { 1, 0x2000, 0x2001, 0x1fff, 0x4001 };
	struct world *w = *state;
	struct packet p;

	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		put_ethernet(&p, gateway_mac, 0x0800);
		memset(p.data + 34, 0x41, 200);
		put_ip(&p, 17, GATEWAY, 200);
		put_fragment(&p, offsets[i]);
		assert_int_equal(deliver(w, p.data, p.size, true), NET_DROP_FRAGMENT);
		check_arp(w, GATEWAY);
		check_ping(w, 56);
	}
}

static void nat_refuses_bad_headers(void **state)
{
	struct world *w = *state;
	struct packet p;

	put_ethernet(&p, gateway_mac, 0x0800);
	assert_int_equal(deliver(w, p.data, 14, true), NET_DROP_BAD_HEADER);
	put_ethernet(&p, gateway_mac, 0x0806);
	assert_int_equal(deliver(w, p.data, 14, true), NET_DROP_BAD_HEADER);
	put_ethernet(&p, gateway_mac, 0x0800);
	put_be16(p.data + 36, 5000);
	put_be16(p.data + 38, 7);
	put_ip(&p, 17, GATEWAY, 8);
	assert_int_equal(deliver(w, p.data, p.size, true), NET_DROP_BAD_HEADER);
	put_ethernet(&p, gateway_mac, 0x0800);
	put_ip(&p, 132, GATEWAY, 16);
	assert_int_equal(deliver(w, p.data, p.size, true), NET_DROP_UNSUPPORTED);
	check_arp(w, GATEWAY);
	check_ping(w, 56);
}

static void a_flood_leaves_room_in_the_queue(void **state)
{
	struct world *w = *state;
	struct net_port *port = &w->sw.port;
	struct packet p, answer;
	enum net_verdict verdict;
	unsigned taken = 0;

	check_arp(w, GATEWAY);
	pthread_mutex_lock(&port->lock);
	port->blocked = true;
	pthread_mutex_unlock(&port->lock);
	put_echo(&p, GATEWAY, 8);
	send_frame(w, p.data, p.size);
	pthread_mutex_lock(&port->lock);
	while (!port->inside)
		pthread_cond_wait(&port->changed, &port->lock);
	pthread_mutex_unlock(&port->lock);
	while ((verdict = deliver(w, p.data, p.size, false)) == NET_FORWARD)
		taken++;
	assert_int_equal(verdict, NET_DROP_OVER_SHARE);
	assert_int_equal(taken, 512);
	w->sender = 1;
	for (unsigned i = 0; i < 200; i++)
		send_frame(w, p.data, p.size);
	w->sw.port.ops->flush(w->sw.port.backend);
	pthread_mutex_lock(&port->lock);
	port->blocked = false;
	pthread_cond_broadcast(&port->changed);
	pthread_mutex_unlock(&port->lock);
	for (unsigned i = 0; i < 1 + 512 + 200; i++)
		receive(w, &answer);
	check_arp(w, GATEWAY);
}

static void send_udp(struct world *w, uint16_t from, uint32_t to, uint16_t port)
{
	struct packet p;

	put_ethernet(&p, gateway_mac, 0x0800);
	put_be16(p.data + 34, from);
	put_be16(p.data + 36, port);
	put_be16(p.data + 38, 8 + 5);
	memcpy(p.data + 42, "hello", 5);
	put_ip(&p, 17, to, 13);
	while (deliver(w, p.data, p.size, true) != NET_FORWARD)
		usleep(1000);
}

/* One guest takes all that it can have; what it has goes on, and so do others. */
static void sockets_are_shared_out(void **state)
{
	enum { HALF = NAT_SOCKETS_MAX / 2 };
	struct world *w = *state;
	char text[128];
	uint16_t port;
	int fd = listen_loopback(SOCK_DGRAM, &port);

	for (uint16_t i = 0; i < HALF; i++) {
		send_udp(w, (uint16_t)(20000 + i), GATEWAY, port);
		assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	}
	for (uint16_t i = HALF; i < HALF + 100; i++)
		send_udp(w, (uint16_t)(20000 + i), GATEWAY, port);
	snprintf(text, sizeof(text), "%u of %u, 100 packets refused a further one", HALF,
		 NAT_SOCKETS_MAX);
	wait_until(w, "sockets", text);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	send_udp(w, 20000, GATEWAY, port);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	check_ping(w, 56);
	w->sender = 1;
	send_udp(w, 20000, GATEWAY, port);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	snprintf(text, sizeof(text), "%u of %u, 100 packets refused a further one", HALF + 1,
		 NAT_SOCKETS_MAX);
	wait_until(w, "sockets", text);
	close(fd);
}

/* It takes seconds, within which the sockets become idle. */
static void idle_sockets_give_way(void **state)
{
	enum { HALF = NAT_SOCKETS_MAX / 2 };
	struct world *w = *state;
	ssize_t got = -1;
	char text[128];
	uint16_t port;
	int fd = listen_loopback(SOCK_DGRAM, &port);

	for (uint16_t i = 0; i < HALF; i++) {
		send_udp(w, (uint16_t)(20000 + i), GATEWAY, port);
		assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	}
	for (unsigned i = 0; i < 600 && got < 0; i++) {
		send_udp(w, 30000, GATEWAY, port);
		usleep(100000);
		got = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	}
	assert_int_equal(got, 5);
	describe(w, "sockets", text);
	assert_in_range(strtoul(text, NULL, 10), 1, HALF - 1);
	check_ping(w, 56);
	close(fd);
}

static void a_flood_leaves_room_in_the_ring(void **state)
{
	struct world *w = *state;
	struct packet p, answer;
	enum net_verdict verdict;
	unsigned taken = 0;

	check_arp(w, GATEWAY);
	kill(nat_pid(), SIGSTOP);
	put_echo(&p, GATEWAY, 8);
	while ((verdict = deliver(w, p.data, p.size, false)) == NET_FORWARD)
		taken++;
	assert_int_equal(verdict, NET_DROP_OVER_SHARE);
	assert_in_range(taken, 100, 128);
	w->sender = 1;
	for (unsigned i = 0; i < 40; i++)
		send_frame(w, p.data, p.size);
	kill(nat_pid(), SIGCONT);
	for (unsigned i = 0; i < taken + 40; i++)
		receive(w, &answer);
	for (unsigned i = 0; i < 1000; i++) {
		send_frame(w, p.data, p.size);
		receive(w, &answer);
	}
	check_arp(w, GATEWAY);
}

/* How often a thread has slept; 0 if there is no such thread of that name. */
static unsigned long sleeps_of(const char *process, long thread, const char *name)
{
	char path[64], line[128];
	unsigned long sleeps = 0;
	bool named = false;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%s/task/%ld/status", process, thread);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Name:\t", 6) == 0)
			named = strncmp(line + 6, name, strlen(name)) == 0;
		if (named)
			sscanf(line, "voluntary_ctxt_switches: %lu", &sleeps);
	}
	if (status)
		fclose(status);
	return sleeps;
}

/*
 * How often the uplink thread has slept. It is the newest of its name: this
 * program's main thread and that of a sanitizer have the same.
 */
static unsigned long count_sleeps(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	long newest = 0;

	assert_non_null(tasks);
	while ((task = readdir(tasks))) {
		long thread = strtol(task->d_name, NULL, 10);

		if (thread > newest && sleeps_of("self", thread, "uplink\n"))
			newest = thread;
	}
	closedir(tasks);
	assert_int_not_equal(newest, getpid());
	return sleeps_of("self", newest, "uplink\n");
}

static unsigned long count_process_sleeps(void)
{
	int pid = nat_pid();
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return sleeps_of(text, pid, "vmdeck-nat\n");
}

/* The deck looks after what was sent to the process for a second or two. */
static void nat_at_rest_does_not_wake_up(void **state)
{
	struct timespec pause = { .tv_sec = 2, .tv_nsec = 200 * 1000 * 1000 };
	unsigned long before, process_before;

	check_dhcp(*state);
	check_ping(*state, 56);
	nanosleep(&pause, NULL);
	before = count_sleeps();
	process_before = count_process_sleeps();
	nanosleep(&pause, NULL);
	assert_int_equal(count_sleeps(), before);
	assert_int_equal(count_process_sleeps(), process_before);
}

static void hostile_frames_do_no_harm(void **state)
{
	struct world *w = *state;
	uint32_t seed = 4711;
	struct packet p, answer;

	for (unsigned round = 0; round < 3000; round++) {
		size_t size;

		switch (round % 4) {
		case 0:
			put_arp(&p, 1, all_macs, GATEWAY);
			break;
		case 1:
			put_echo(&p, GATEWAY, round % 64);
			break;
		case 2:
			put_dhcp(&p, (uint8_t)(round / 4 % 9));
			break;
		case 3:
			put_ethernet(&p, gateway_mac, 0x0800);
			p.data[46] = 0x50;
			put_ip(&p, 6, GATEWAY, 20 + round % 64);
			break;
		}
		size = p.size;
		for (unsigned i = 0; i < 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			p.data[14 + (seed >> 8) % (size - 14)] = (uint8_t)(seed >> 24);
		}
		/* Not out to the network of this host. */
		if (round % 2)
			put_be32(p.data + 30, GATEWAY);
		if (round % 16 == 5)
			size -= size / 3;
		send_patiently(w, p.data, size, round % 8 == 7);
	}
	/* The gateway may have learned a wrong MAC for the guest, which this corrects. */
	put_arp(&p, 1, all_macs, GATEWAY);
	send_patiently(w, p.data, p.size, true);
	put_echo(&p, GATEWAY, 8);
	put_be16(p.data + 38, 0x5678);
	put_be16(p.data + 36, 0);
	put_ip(&p, 1, GATEWAY, 16);
	send_patiently(w, p.data, p.size, true);
	do {
		receive(w, &answer);
	} while (answer.data[23] != 1 || get_be16(answer.data + 38) != 0x5678);
	assert_memory_equal(answer.data, guest_mac, 6);
	assert_int_equal(answer.data[34], 0);
}

static void wrong_networks_have_causes(void **state)
{
	struct world *w = *state;
	struct switch_config config = { .name = "wan", .uplink = &port_nat, .prefix = 30 };
	struct net_switch other = { .used = true };
	struct port *port;
	struct cause cause;

	assert_int_equal(port_nat.check(&config, NULL, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "needs an address"));
	config.address = IP(10, 0, 3, 2);
	assert_int_equal(port_nat.check(&config, NULL, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "prefix"));
	config.prefix = 24;
	assert_int_equal(port_nat.check(&config, NULL, &cause), 0);
	config.address = IP(10, 0, 3, 255);
	assert_int_equal(port_nat.create(&port, w->uplink, &other, &config, NULL,
					 &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "10.0.3.255"));
	config.address = IP(10, 0, 3, 254);
	assert_int_equal(port_nat.create(&port, w->uplink, &other, &config, NULL,
					 &cause), -EEXIST);
	assert_null(port);
	uplink_free(NULL);
}

/* A switch has one port at its address, whatever it leads to. */
static void kinds_are_wanted_as_configured(void **state)
{
	struct switch_config config = { .name = "lan" };

	(void)state;
	assert_false(port_own.wanted(&config));
	assert_false(port_nat.wanted(&config));
	config.address = GATEWAY;
	assert_true(port_own.wanted(&config));
	assert_false(port_nat.wanted(&config));
	config.uplink = port_find_uplink("nat");
	assert_ptr_equal(config.uplink, &port_nat);
	assert_false(port_own.wanted(&config));
	assert_true(port_nat.wanted(&config));
	assert_null(port_find_uplink("none"));
	assert_null(port_find_uplink("service"));
}

static void shows_the_address(void **state)
{
	struct world *w = *state;
	struct port_field field;

	assert_int_equal(w->attached->kind->describe(w->attached, NULL, 0), 1);
	assert_int_equal(w->attached->kind->describe(w->attached, &field, 1), 1);
	assert_string_equal(field.name, "address");
	assert_string_equal(field.text, "10.0.2.2/24");
}

#define WITH(test, kind) cmocka_unit_test_setup_teardown(test, setup_##kind, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_wanted_as_configured),
		WITH(shows_the_address, none),
		WITH(answers_for_itself_without_uplink, none),
		WITH(gives_leases, none),
		WITH(what_waits_is_tried_again, none),
		WITH(what_waits_is_tried_again, nat),
		WITH(filter_lets_only_own_frames_in, none),
		WITH(service_ignores_what_it_does_not_know, none),
		WITH(a_flood_leaves_room_in_the_queue, none),
		WITH(hostile_frames_do_no_harm, none),
		WITH(nat_answers_for_gateway_and_dns, nat),
		WITH(nat_passes_udp, nat),
		WITH(nat_passes_tcp, nat),
		WITH(nat_keeps_little_of_what_comes_too_early, nat),
		WITH(nat_passes_urgent_data_as_data, nat),
		WITH(nat_refuses_closed_ports, nat),
		WITH(nat_keeps_many_connections_apart, nat),
		WITH(nat_refuses_fragments, nat),
		WITH(nat_refuses_bad_headers, nat),
		WITH(filter_lets_only_own_frames_in, nat),
		WITH(a_flood_leaves_room_in_the_ring, nat),
		WITH(sockets_are_shared_out, nat),
		WITH(idle_sockets_give_way, nat),
		WITH(nat_at_rest_does_not_wake_up, nat),
		WITH(hostile_frames_do_no_harm, nat),
		WITH(wrong_networks_have_causes, nat),
	};

	begin_with_nat(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
