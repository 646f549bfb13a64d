/*
 * What a capture costs whose reader has stopped: the sender no more than 5 %
 * over no capture at all, the capture its records, all of them counted, and
 * other captures nothing; and what a capture of one port costs the others.
 * Cost is the CPU time of the sending thread, so that
 * other load on the machine counts only by what it does to the caches.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_port.h"
#include "net/capture/capture.h"

#define ROUNDS 15
#define TRIES 8
#define COST_MAX 1.05

struct lan {
	struct network *network;
	struct net_switch *sw;
	struct fake_ring nics[3];
	uint8_t *ring; /* the sender's frames, from port 0 to 1 */
	uint64_t sent; /* frames */
};

static void send_bursts(struct lan *lan, unsigned port, unsigned bursts, uint32_t size)
{
	uint32_t head = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;
	uint8_t heads[NET_BURST_MAX][NET_HEAD_MAX];
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rest[NET_BURST_MAX];
	unsigned at = 0;

	for (unsigned n = 0; n < bursts; n++) {
		for (unsigned i = 0; i < NET_BURST_MAX; i++) {
			uint8_t *data = fake_slot(lan->ring, at++);

			net_head_copy(heads[i], data, head);
			heads[i][11] = (uint8_t)(port + 1);
			heads[i][5] = (uint8_t)(2 - port);
			rest[i].iov_base = data + head;
			rest[i].iov_len = size - head;
			frames[i] = (struct net_frame){ .head = heads[i], .head_size = head,
							.size = size, .rest = &rest[i],
							.rest_count = size > head };
		}
		switch_input(lan->nics[port].port, frames, NET_BURST_MAX);
	}
	lan->sent += (uint64_t)bursts * NET_BURST_MAX;
}

static int setup(void **state)
{
	struct lan *lan = calloc(1, sizeof(*lan));

	lan->sw = fake_switch(&lan->network, "lan");
	lan->ring = aligned_alloc(4096, FAKE_RING_SIZE);
	memset(lan->ring, 0, FAKE_RING_SIZE);
	for (unsigned i = 0; i < FAKE_RING_FRAMES; i++)
		lan->ring[i * FAKE_RING_SLOT] = lan->ring[i * FAKE_RING_SLOT + 6] = 2;
	fake_ring_open(&lan->nics[0], lan->sw, "a/net0", 1);
	fake_ring_open(&lan->nics[1], lan->sw, "b/net0", 2);
	fake_ring_open(&lan->nics[2], lan->sw, "c/net0", 3);
	for (unsigned i = 0; i < 2; i++) /* the switch learns */
		send_bursts(lan, i, 1, 64);
	lan->sent = 0;
	*state = lan;
	return 0;
}

static int teardown(void **state)
{
	struct lan *lan = *state;

	for (unsigned i = 0; i < 3; i++)
		fake_ring_close(&lan->nics[i]);
	network_free(lan->network);
	free(lan->ring);
	free(lan);
	return 0;
}

/* A capture into a pipe that is full, as are its buffers. */
static struct capture *start_stalled(struct lan *lan, const char *const *ports, uint32_t size,
				     int fds[2])
{
	struct capture_config config = { .ports = ports, .snap = 128 };
	struct capture_stats stats = { 0 };
	struct capture *capture;

	assert_int_equal(pipe(fds), 0);
	config.fd = fds[1];
	capture = fake_capture(lan->network, &config);
	for (unsigned n = 0; !stats.dropped && n < 10000; n++) {
		send_bursts(lan, 0, 50, size);
		usleep(200);
		capture_get_stats(capture, &stats);
	}
	assert_true(stats.dropped > 0);
	return capture;
}

/* Until everything sent has been counted one way or the other. */
static struct capture_stats settle(const struct capture *capture, uint64_t sent)
{
	struct capture_stats stats;

	for (int i = 0; i < 1000; i++) {
		capture_get_stats(capture, &stats);
		if (stats.records + stats.dropped == sent)
			break;
		usleep(5000);
	}
	assert_int_equal(stats.records + stats.dropped, sent);
	return stats;
}

static void drain(int fd)
{
	static uint8_t data[65536];

	for (int quiet = 0; quiet < 20;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };

		if (poll(&wait, 1, 5) <= 0)
			quiet++;
		else if (read(fd, data, sizeof(data)) > 0)
			quiet = 0;
		else
			break;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nanoseconds a frame of the sending thread. */
static double measure(struct lan *lan, uint32_t size)
{
	unsigned bursts = size == 64 ? 8000 : 1000;
	uint64_t begun;

	send_bursts(lan, 0, bursts / 8, size);
	begun = clock_read(CLOCK_THREAD_CPUTIME_ID);
	send_bursts(lan, 0, bursts, size);
	return (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - begun) / (bursts * NET_BURST_MAX);
}

/* A capture of a port that is in none of the traffic. */
static struct capture *start_elsewhere(struct lan *lan, uint32_t size, int fds[2])
{
	const char *const c[] = { "c/net0", NULL };
	struct capture_config config = { .ports = c, .snap = 128 };

	(void)size;
	assert_int_equal(pipe(fds), 0);
	config.fd = fds[1];
	return fake_capture(lan->network, &config);
}

static struct capture *start_all_stalled(struct lan *lan, uint32_t size, int fds[2])
{
	return start_stalled(lan, NULL, size, fds);
}

typedef struct capture *(*starter)(struct lan *lan, uint32_t size, int fds[2]);

/* Rounds with and without the capture in turn; the medians' ratio. */
static double cost(struct lan *lan, starter start, uint32_t size)
{
	double off[ROUNDS], on[ROUNDS], ratio;

	for (int round = 0; round < ROUNDS; round++) {
		struct capture *capture;
		int fds[2];

		off[round] = measure(lan, size);
		capture = start(lan, size, fds);
		on[round] = measure(lan, size);
		close(fds[0]);
		capture_stop(capture, NULL);
	}
	qsort(off, ROUNDS, sizeof(*off), by_value);
	qsort(on, ROUNDS, sizeof(*on), by_value);
	ratio = on[ROUNDS / 2] / off[ROUNDS / 2];
	print_message("%4u B: %.2f ns a frame without the capture, %.2f ns with it, ratio %.3f\n",
		      size, off[ROUNDS / 2], on[ROUNDS / 2], ratio);
	return ratio;
}

static void costs_nothing(struct lan *lan, starter start)
{
	const uint32_t sizes[] = { 64, 1500 };

	for (int s = 0; s < 2; s++) {
		double ratio = cost(lan, start, sizes[s]);

		for (int tries = 1; tries < TRIES && ratio > COST_MAX; tries++)
			ratio = cost(lan, start, sizes[s]);
		assert_true(ratio <= COST_MAX);
	}
}

static void a_stalled_reader_costs_the_sender_nothing(void **state)
{
	costs_nothing(*state, start_all_stalled);
}

static void a_capture_of_another_port_costs_the_sender_nothing(void **state)
{
	costs_nothing(*state, start_elsewhere);
}

static void what_a_stalled_reader_misses_is_counted(void **state)
{
	const char *const a[] = { "a/net0", NULL };
	struct lan *lan = *state;
	struct capture *capture;
	struct capture_stats before, after;
	int fds[2];

	capture = start_stalled(lan, a, 64, fds);
	before = settle(capture, lan->sent);
	send_bursts(lan, 0, 1000, 64);
	send_bursts(lan, 1, 1000, 64); /* to the port that it captures */
	after = settle(capture, lan->sent);
	assert_int_equal(after.records, before.records);
	drain(fds[0]);
	send_bursts(lan, 0, 10, 64);
	after = settle(capture, lan->sent);
	assert_int_equal(after.records, before.records + 10ul * NET_BURST_MAX);
	close(fds[0]);
	capture_stop(capture, NULL);
}

static void take(void *arg, const struct capture_record *records, unsigned count)
{
	(void)records;
	atomic_fetch_add((_Atomic uint64_t *)arg, count);
}

static void others_do_not_stall(void **state)
{
	struct lan *lan = *state;
	_Atomic uint64_t taken = 0;
	struct capture_config config = { .snap = 64, .fd = -1, .records = take, .arg = &taken };
	struct capture *stalled, *healthy;
	struct capture_stats stats, before;
	uint64_t sent;
	int fds[2];

	stalled = start_stalled(lan, NULL, 64, fds);
	before = settle(stalled, lan->sent);
	healthy = fake_capture(lan->network, &config);
	sent = lan->sent;
	for (int i = 0; i < 20; i++) {
		send_bursts(lan, 0, 10, 64);
		usleep(2000);
	}
	stats = settle(healthy, lan->sent - sent);
	assert_int_equal(stats.dropped, 0);
	settle(stalled, lan->sent);
	capture_stop(healthy, NULL);
	assert_int_equal(taken, lan->sent - sent);
	send_bursts(lan, 0, 1000, 64);
	stats = settle(stalled, lan->sent);
	assert_int_equal(stats.records, before.records);
	close(fds[0]);
	capture_stop(stalled, NULL);
}

#define LAN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAN_TEST(what_a_stalled_reader_misses_is_counted),
		LAN_TEST(others_do_not_stall),
		LAN_TEST(a_stalled_reader_costs_the_sender_nothing),
		LAN_TEST(a_capture_of_another_port_costs_the_sender_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
