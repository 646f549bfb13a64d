/*
 * Frames a second from one port to another on one thread, without and with
 * captures, beside a bare loop that copies the same bytes once (or twice, as a
 * capture must). Medians of rounds that alternate between the ways, and medians
 * of the ratios within a round, so that the machine's mood meets all of them; in
 * CPU time of the sender, so that other load counts only by what it does to the
 * caches. Losing records is cheaper than making them: a rate says little where
 * much was lost. The sender is pinned to the last CPU and the capture writer to
 * the others.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_port.h"
#include "net/capture/capture.h"

#define BURST 64
#define ROUNDS 11

struct bench {
	struct network *network;
	struct net_switch *sw;
	struct fake_ring nics[2];
	uint8_t *ring; /* the sender's frames */
	uint32_t size;
};

static void open_ports(struct bench *bench)
{
	static const char *const names[] = { "a/net0", "b/net0" };

	bench->sw = fake_switch(&bench->network, "lan");
	for (unsigned i = 0; i < 2; i++) {
		uint8_t hello[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
		struct net_frame frame = { .head = hello, .head_size = 60, .size = 60 };

		fake_ring_open(&bench->nics[i], bench->sw, names[i], i + 1);
		fake_mac(hello + 6, i + 1);
		switch_input(bench->nics[i].port, &frame, 1);
	}
	bench->ring = aligned_alloc(4096, FAKE_RING_SIZE);
	for (unsigned i = 0; i < FAKE_RING_FRAMES; i++) {
		uint8_t *frame = fake_slot(bench->ring, i);

		memset(frame, (int)i, FAKE_RING_SLOT);
		fake_mac(frame, 2);
		fake_mac(frame + 6, 1);
		frame[12] = 8;
		frame[13] = 0;
		frame[14] = 0x45;
		frame[23] = 17;
	}
}

/* What a guest's NIC does: heads copied to the own stack, then the switch. */
static void run_switch(struct bench *bench, uint64_t bursts)
{
	uint32_t head = bench->size < NET_HEAD_MAX ? bench->size : NET_HEAD_MAX;
	uint8_t heads[BURST][NET_HEAD_MAX];
	struct net_frame frames[BURST];
	struct iovec rest[BURST];
	unsigned at = 0;

	for (uint64_t n = 0; n < bursts; n++) {
		for (unsigned i = 0; i < BURST; i++) {
			uint8_t *data = fake_slot(bench->ring, at++);

			net_head_copy(heads[i], data, head);
			rest[i].iov_base = data + head;
			rest[i].iov_len = bench->size - head;
			frames[i] = (struct net_frame){ .head = heads[i],
							.head_size = head,
							.size = bench->size,
							.rest = &rest[i],
							.rest_count = bench->size > head };
		}
		switch_input(bench->nics[0].port, frames, BURST);
	}
}

static void run_bare(struct bench *bench, uint64_t bursts)
{
	uint8_t *to = bench->nics[1].slots;

	for (uint64_t n = 0; n < bursts * BURST; n++) {
		memcpy(fake_slot(to, n), fake_slot(bench->ring, n), bench->size);
		__asm__ volatile("" : : : "memory");
	}
}

static void run_bare_twice(struct bench *bench, uint64_t bursts)
{
	uint8_t *to = bench->nics[1].slots, *also = bench->nics[0].slots;

	for (uint64_t n = 0; n < bursts * BURST; n++) {
		memcpy(fake_slot(to, n), fake_slot(bench->ring, n), bench->size);
		memcpy(fake_slot(also, n), fake_slot(bench->ring, n), bench->size);
		__asm__ volatile("" : : : "memory");
	}
}

enum reader { NO_CAPTURE, READS_ALL, READS_NOTHING };

struct way {
	const char *name;
	void (*run)(struct bench *bench, uint64_t bursts);
	enum reader reader;
	uint32_t snap;
	const char *filter;
	double rates[ROUNDS];
	uint64_t recorded, lost;
};

static const struct way all_ways[] = {
	{ .name = "bare, one copy", .run = run_bare },
	{ .name = "bare, two copies", .run = run_bare_twice },
	{ .name = "switch", .run = run_switch },
	{ .name = "capture, 128 B", .run = run_switch, .reader = READS_ALL, .snap = 128 },
	{ .name = "capture, whole", .run = run_switch, .reader = READS_ALL,
	  .snap = CAPTURE_SNAP_MAX },
	{ .name = "capture, filter", .run = run_switch, .reader = READS_ALL, .snap = 128,
	  .filter = "udp port 53" },
	{ .name = "capture, stalled reader", .run = run_switch, .reader = READS_NOTHING,
	  .snap = 128 },
};

#define WAYS (sizeof(all_ways) / sizeof(all_ways[0]))

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_round(struct bench *bench, struct way *way, unsigned round, uint64_t bursts)
{
	struct capture_config config = { .snap = way->snap, .filter = way->filter };
	struct capture *capture = NULL;
	struct capture_stats stats;
	uint64_t start;
	int fds[2] = { -1, -1 };

	if (way->reader == READS_NOTHING && pipe(fds))
		abort();
	config.fd = way->reader == READS_NOTHING ? fds[1] : open("/dev/null", O_WRONLY);
	if (way->reader == NO_CAPTURE)
		close(config.fd);
	else
		capture = fake_capture(bench->network, &config);
	way->run(bench, bursts / 8);
	start = clock_read(CLOCK_THREAD_CPUTIME_ID);
	way->run(bench, bursts);
	way->rates[round] = (double)(bursts * BURST) * 1e3 /
			    (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - start);
	if (capture) {
		usleep(120000);
		capture_get_stats(capture, &stats);
		way->recorded += stats.records;
		way->lost += stats.dropped;
		close(fds[0]); /* the stop need not wait for it */
		capture_stop(capture, NULL);
	}
}

static void pin(int first, int last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* unpinned figures are better than none */
}

static void start_writer(struct bench *bench)
{
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct capture_config config = { .snap = 64, .fd = open("/dev/null", O_WRONLY) };
	struct capture *capture;
	struct cause cause;

	pin(0, last ? last - 1 : 0);
	if (capture_start(&capture, network_capture_hub(bench->network), &config, &cause))
		abort();
	capture_stop(capture, NULL);
	pin(last, last);
}

/* The median of rates over those of another way in the same round, or over 1. */
static double median(const struct way *way, const struct way *over)
{
	double values[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++)
		values[round] = way->rates[round] / (over ? over->rates[round] : 1);
	qsort(values, ROUNDS, sizeof(double), by_value);
	return values[ROUNDS / 2];
}

static void print(const struct way *ways, uint32_t size)
{
	for (unsigned w = 0; w < WAYS; w++) {
		printf("%4u B  %-24s %7.2f M/s  %5.2f of bare  %5.2f of the switch", size,
		       ways[w].name, median(&ways[w], NULL), median(&ways[w], &ways[0]),
		       median(&ways[w], &ways[2]));
		if (ways[w].reader != NO_CAPTURE)
			printf("  %.1f M recorded, %.1f M lost", (double)ways[w].recorded / 1e6,
			       (double)ways[w].lost / 1e6);
		putchar('\n');
	}
}

int main(void)
{
	const uint32_t sizes[] = { 64, 1500 };
	struct bench bench = { 0 };

	open_ports(&bench);
	start_writer(&bench);
	for (unsigned s = 0; s < 2; s++) {
		uint64_t bursts = sizes[s] == 64 ? 40000 : 12000;
		struct way ways[WAYS];

		memcpy(ways, all_ways, sizeof(ways));
		bench.size = sizes[s];
		for (unsigned round = 0; round < ROUNDS; round++)
			for (unsigned w = 0; w < WAYS; w++)
				run_round(&bench, &ways[w], round, bursts);
		print(ways, sizes[s]);
	}
	fake_ring_close(&bench.nics[0]);
	fake_ring_close(&bench.nics[1]);
	network_free(bench.network);
	free(bench.ring);
	return 0;
}
