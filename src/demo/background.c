/*
 * What a guest of the demonstration does by itself, each kind in a task of its
 * own: ARP and ping, datagrams, TCP transfers, disk bursts, CPU and memory in
 * waves, and a short line on the console now and then. CPU 0.
 */
#include "background.h"

#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "memory.h"
#include "net.h"
#include "nic.h"
#include "peers.h"
#include "task.h"

#define WAVE (20 * SECOND)
#define DISK_AREA (16ul << 20)
#define WORKING_SET (64ul << 20)

static bool on;
static uint32_t chance = 1;
static struct {
	uint64_t pings, lost, datagrams, transfers, bad_transfers, bursts, bad_bursts;
} done;

bool background_on(void)
{
	return on;
}

void background_set(bool wanted)
{
	if (on == wanted)
		return;
	on = wanted;
	for (unsigned i = 0; i < CPUS_MAX && !on; i++)
		if (cpus[i].online)
			cpu_set_load(i, 0);
	task_event();
}

/* Sleeps, then waits until the demonstration is on. */
static void rest(uint64_t time)
{
	if (on)
		task_sleep(time);
	while (!on)
		task_wait(NEVER);
}

static void ping_task(void *unused)
{
	(void)unused;
	for (unsigned n = 0;; n++) {
		const struct peer *peer;
		uint64_t rtt;

		rest(SECOND);
		peer = peer_turn(n);
		if (peer == NULL) {
			if (net_address.gateway != 0)
				net_ping(net_address.gateway, n, 56, SECOND / 2, &rtt);
			continue;
		}
		if (n % 8 == 0)
			net_ask(peer->ip);
		done.pings++;
		done.lost += !net_ping(peer->ip, n, 56, SECOND / 2, &rtt);
	}
}

static void datagram_task(void *unused)
{
	uint8_t data[1024];

	(void)unused;
	memset(data, 0, sizeof(data));
	for (unsigned n = 0;; n++) {
		const struct peer *peer;

		rest(200 * MILLISECOND + random_next(&chance) % (300 * MILLISECOND));
		peer = peer_turn(random_next(&chance));
		if (peer != NULL && net_send_udp(peer->ip, PORT_TEXT, PORT_TEXT, data,
						 64 + random_next(&chance) % (sizeof(data) - 64)))
			done.datagrams++;
	}
}

static void transfer_task(void *unused)
{
	(void)unused;
	for (;;) {
		struct transfer result;
		const struct peer *peer;

		rest(2 * SECOND + random_next(&chance) % (3 * SECOND));
		peer = peer_turn(random_next(&chance));
		if (peer == NULL)
			continue;
		tcp_transfer(peer->ip, 4096 + random_next(&chance) % 28672, random_next(&chance),
			     &result);
		done.transfers++;
		done.bad_transfers += result.error != NULL;
	}
}

/* Writes a few pieces, flushes, reads them back. */
static const char *burst(uint8_t *buffer)
{
	uint64_t area = minimum(disk_size() - minimum(disk_size(), 4096), DISK_AREA) & -4096ull;
	uint32_t length = 4096 << random_next(&chance) % 4, seed = random_next(&chance);
	unsigned count = 4 + random_next(&chance) % 28;
	uint64_t offset;
	const char *why = NULL;

	if ((uint64_t)count * length > area)
		return NULL;
	offset = 4096 + random_next(&chance) % (area - count * length + 1) / 4096 * 4096;
	for (unsigned i = 0; i < count && why == NULL; i++) {
		pattern_fill(buffer, offset + i * length, length, seed);
		why = disk_transfer(DISK_WRITE, offset + i * length, buffer, length);
		task_sleep(5 * MILLISECOND);
	}
	if (why == NULL)
		why = disk_transfer(DISK_FLUSH, 0, NULL, 0);
	for (unsigned i = 0; i < count && why == NULL; i++) {
		why = disk_transfer(DISK_READ, offset + i * length, buffer, length);
		if (why == NULL && !pattern_matches(buffer, offset + i * length, length, seed))
			why = "what was read is not what was written";
		task_sleep(5 * MILLISECOND);
	}
	return why;
}

static void disk_task(void *unused)
{
	const char *why;
	uint8_t *buffer;

	(void)unused;
	rest(0);
	why = disk_claim();
	buffer = disk_buffer();
	for (;;) {
		rest(SECOND / 2 + random_next(&chance) % (2 * SECOND));
		if (why == NULL && buffer != NULL) {
			const char *error = burst(buffer);

			done.bursts++;
			done.bad_bursts += error != NULL;
			if (error != NULL)
				note("demo: disk: %s", error);
		} else if (disk_size() >= DISK_TRANSFER_MAX && buffer != NULL) {
			for (unsigned i = 0; i < 16; i++)
				disk_transfer(DISK_READ, 0, buffer, DISK_TRANSFER_MAX);
			done.bursts++;
		}
	}
}

/* 5 to 80 %; the CPUs of a guest a quarter of a wave apart. */
static void load_task(void *unused)
{
	unsigned phase = hash(HASH_START, guest_name, strlen(guest_name)) % 1000;

	(void)unused;
	for (;;) {
		unsigned turn;

		rest(250 * MILLISECOND);
		turn = clock_now() % WAVE / (WAVE / 1000) + phase;
		for (unsigned i = 0; i < CPUS_MAX; i++)
			if (cpus[i].online)
				cpu_set_load(i, 425 + 375 * sine(turn + 250 * i) / 1000);
	}
}

/* Walks a set that grows and shrinks between a tenth and half of what is free. */
static void memory_task(void *unused)
{
	uint64_t all = minimum(memory_free_pages(), WORKING_SET / 4096);

	(void)unused;
	for (;;) {
		uint64_t pages, last = memory_free_pages() - 1;

		rest(SECOND);
		pages = all * (300 + sine(clock_now() % (3 * WAVE) / (3 * WAVE / 1000)) / 5) / 1000;
		for (uint64_t n = 0; n < pages && on; n++) {
			volatile uint8_t *page = memory_free_page(last - n);

			*page = *page;
			if (n % 256 == 255)
				task_yield();
		}
	}
}

static void report_task(void *unused)
{
	(void)unused;
	for (;;) {
		rest(5 * SECOND);
		note("demo: %u peers, %lu pings (%lu lost), %lu transfers (%lu bad), %lu disk "
		     "bursts (%lu bad)",
		     peer_count(), done.pings, done.lost, done.transfers, done.bad_transfers,
		     done.bursts, done.bad_bursts);
	}
}

void background_setup(void)
{
	chance = hash(HASH_START, guest_name, strlen(guest_name)) ^ hash(HASH_START, nic_mac, 6);
	chance |= 1;
	task_start(load_task, NULL);
	if (memory_free_pages() > 0)
		task_start(memory_task, NULL);
	task_start(report_task, NULL);
	if (disk_size() != 0)
		task_start(disk_task, NULL);
	if (nic_present()) {
		task_start(ping_task, NULL);
		task_start(datagram_task, NULL);
		task_start(transfer_task, NULL);
	}
}
