/*
 * The guest's address: from the command line (ip=a.b.c.d/n,gateway), by DHCP
 * (RFC 2131) with the guest's name as host name, or, while nobody answers,
 * link-local (RFC 3927). A task.
 */
#include "clock.h"
#include "console.h"
#include "net.h"
#include "nic.h"
#include "start.h"
#include "task.h"

#define CLIENT_PORT 68
#define SERVER_PORT 67
#define MAGIC 0x63825363u
#define FIXED 240u /* bytes up to the options */

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6 };

static struct answer {
	uint32_t transaction;
	unsigned type;
	uint32_t ip, mask, gateway, server, lease; /* lease: s */
} answer;

static uint32_t transaction;

static void read_options(struct answer *a, const uint8_t *options, unsigned length)
{
	for (unsigned at = 0; at < length && options[at] != 255;) {
		unsigned code = options[at], size;
		const uint8_t *value = options + at + 2;

		if (code == 0) {
			at++;
			continue;
		}
		size = at + 1 < length ? options[at + 1] : length;
		if (at + 2 + size > length)
			return;
		if (code == 53 && size >= 1)
			a->type = value[0];
		if (code == 1 && size >= 4)
			a->mask = get32(value);
		if (code == 3 && size >= 4)
			a->gateway = get32(value);
		if (code == 51 && size >= 4)
			a->lease = get32(value);
		if (code == 54 && size >= 4)
			a->server = get32(value);
		at += 2 + size;
	}
}

static void input(uint32_t from, uint16_t port, const uint8_t *data, unsigned length)
{
	struct answer a = { .mask = 0xffffff00, .lease = 3600, .server = from };

	if (port != SERVER_PORT || length < FIXED || data[0] != 2 || get32(data + 236) != MAGIC ||
	    get32(data + 4) != transaction || memcmp(data + 28, nic_mac, 6) != 0)
		return;
	a.transaction = transaction;
	a.ip = get32(data + 16);
	read_options(&a, data + FIXED, length - FIXED);
	answer = a;
	task_event();
}

static unsigned option(uint8_t *at, unsigned code, const void *value, unsigned size)
{
	at[0] = code;
	at[1] = size;
	memcpy(at + 2, value, size);
	return 2 + size;
}

static void send(unsigned type, const struct answer *a, bool renewal)
{
	uint8_t data[400] = { 1, 1, 6, 0 }, *options = data + FIXED, type8 = type, ip[4];
	static const uint8_t wanted[] = { 1, 3, 6, 51 };

	put32(data + 4, transaction);
	if (renewal)
		put32(data + 12, net_address.ip);
	else
		put16(data + 10, 0x8000); /* the answer is to be broadcast */
	memcpy(data + 28, nic_mac, 6);
	put32(data + 236, MAGIC);
	options += option(options, 53, &type8, 1);
	options += option(options, 12, guest_name, strlen(guest_name));
	options += option(options, 55, wanted, sizeof(wanted));
	if (type == REQUEST && !renewal) {
		put32(ip, a->ip);
		options += option(options, 50, ip, 4);
		put32(ip, a->server);
		options += option(options, 54, ip, 4);
	}
	*options++ = 255;
	net_send_udp(renewal ? a->server : IP_BROADCAST, CLIENT_PORT, SERVER_PORT, data,
		     maximum(options - data, 300));
}

static bool wait_for(unsigned type, uint64_t time)
{
	uint64_t limit = clock_now() + time;

	while (clock_now() < limit) {
		if (answer.transaction == transaction && answer.type == NAK)
			return false;
		if (answer.transaction == transaction && answer.type == type && answer.ip != 0)
			return true;
		task_wait(limit);
	}
	return false;
}

/* DISCOVER to ACK. */
static bool acquire(uint64_t patience, struct answer *lease)
{
	transaction++;
	send(DISCOVER, NULL, false);
	if (!wait_for(OFFER, patience))
		return false;
	*lease = answer;
	send(REQUEST, lease, false);
	if (!wait_for(ACK, patience))
		return false;
	*lease = answer;
	return true;
}

static bool renew(struct answer *lease)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!net_resolve(lease->server, SECOND))
			continue;
		transaction++;
		send(REQUEST, lease, true);
		if (wait_for(ACK, 2 * SECOND)) {
			*lease = answer;
			return true;
		}
	}
	return false;
}

static void tell(void)
{
	uint32_t mask = net_address.mask;
	unsigned bits = 0;

	for (; mask & 0x80000000u; mask <<= 1)
		bits++;
	note("net: %s/%u by %s", ip_text(net_address.ip), bits, net_address.origin);
}

static void hold(struct answer lease)
{
	net_configure(lease.ip, lease.mask, lease.gateway, "DHCP");
	tell();
	do {
		task_sleep(maximum(lease.lease, 20) * SECOND / 2);
	} while (renew(&lease));
	net_configure(0, 0, 0, "none");
}

static void take_link_local(void)
{
	uint32_t seed = hash(HASH_START, nic_mac, 6) | 1, ip;

	for (unsigned i = 0; i < 8; i++) {
		ip = 0xa9fe0100 + random_next(&seed) % 0xfd00;
		net_probe(ip);
		task_sleep(150 * MILLISECOND);
		if (!net_probe_answered())
			break;
	}
	net_configure(ip, 0xffff0000, 0, "link-local");
	tell();
}

/* "a.b.c.d/n" or "a.b.c.d/n,gateway" */
static bool take_given(void)
{
	char text[64], *gateway = NULL, *prefix = NULL;
	uint32_t ip, router = 0;
	uint64_t bits = 24;

	if (!start_option("ip", text, sizeof(text)))
		return false;
	for (char *at = text; *at != '\0'; at++) {
		if (*at == ',') {
			gateway = at + 1;
			*at = '\0';
		} else if (*at == '/') {
			prefix = at + 1;
			*at = '\0';
		}
	}
	if (!parse_ip(text, &ip) || (gateway != NULL && !parse_ip(gateway, &router)) ||
	    (prefix != NULL && !parse_number(prefix, false, &bits)) || bits < 1 || bits > 32) {
		note("net: ip= wants a.b.c.d/n or a.b.c.d/n,gateway");
		return false;
	}
	net_configure(ip, UINT32_MAX << (32 - bits), router, "command line");
	tell();
	return true;
}

void link_task(void *unused)
{
	uint64_t patience = 400 * MILLISECOND, pause = 0;
	struct answer lease;

	(void)unused;
	if (take_given())
		return;
	transaction = hash(HASH_START, nic_mac, 6);
	net_listen_udp(CLIENT_PORT, input);
	for (unsigned tries = 0;; tries++) {
		if (acquire(patience, &lease)) {
			hold(lease);
			tries = 0;
			pause = 0;
			patience = 400 * MILLISECOND;
			continue;
		}
		if (tries == 1 && net_address.ip == 0)
			take_link_local();
		if (tries >= 1) {
			pause = pause == 0 ? 4 * SECOND : minimum(pause * 2, 64 * SECOND);
			patience = SECOND;
			task_sleep(pause);
		}
	}
}
