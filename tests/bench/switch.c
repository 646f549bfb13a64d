/*
 * Frames a second from one port to another on one thread, beside a bare loop
 * that copies the same bytes once. Medians of rounds that alternate between
 * the ways, so that the machine's mood meets all of them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fake_port.h"

#define RING 256
#define SLOT 2048
#define BURST 64
#define ROUNDS 11

struct receiver {
	uint8_t *ring;
	unsigned at;
};

static unsigned deliver(void *backend, const struct net_frame *const *frames, unsigned count,
			enum net_verdict *verdicts)
{
	struct receiver *receiver = backend;

	(void)verdicts;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *to = receiver->ring + receiver->at++ % RING * SLOT;

		net_head_copy(to, frames[i]->head, frames[i]->head_size);
		to += frames[i]->head_size;
		for (uint32_t k = 0; k < frames[i]->rest_count; k++) {
			memcpy(to, frames[i]->rest[k].iov_base, frames[i]->rest[k].iov_len);
			to += frames[i]->rest[k].iov_len;
		}
	}
	return count;
}

static void flush(void *backend)
{
	(void)backend;
}

static const struct net_port_ops ops = { .kind = "guest", .deliver = deliver, .flush = flush };

struct bench {
	struct network *network;
	struct net_switch *sw;
	struct net_port *from, *to;
	struct receiver receivers[2];
	uint8_t *ring; /* the sender's frames */
	uint32_t size;
};

static void open_ports(struct bench *bench)
{
	struct net_port_config config[] = { { .name = "a/net0", .mac = { 2, 0, 0, 0, 0, 1 } },
					    { .name = "b/net0", .mac = { 2, 0, 0, 0, 0, 2 } } };
	struct net_port **ports[] = { &bench->from, &bench->to };

	bench->sw = fake_switch(&bench->network, "lan");
	for (int i = 0; i < 2; i++) {
		uint8_t hello[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
		struct net_frame frame = { .head = hello, .head_size = 60, .size = 60 };

		bench->receivers[i].ring = aligned_alloc(4096, RING * SLOT);
		memset(bench->receivers[i].ring, 0, RING * SLOT);
		if (switch_port_add(ports[i], bench->sw, &config[i], &ops, &bench->receivers[i],
				    NULL))
			abort();
		memcpy(hello + 6, config[i].mac, 6);
		switch_input(*ports[i], &frame, 1);
	}
	bench->ring = aligned_alloc(4096, RING * SLOT);
	for (unsigned i = 0; i < RING; i++) {
		uint8_t *frame = bench->ring + i * SLOT;

		memset(frame, (int)i, SLOT);
		memcpy(frame, config[1].mac, 6);
		memcpy(frame + 6, config[0].mac, 6);
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
			uint8_t *data = bench->ring + at++ % RING * SLOT;

			net_head_copy(heads[i], data, head);
			rest[i].iov_base = data + head;
			rest[i].iov_len = bench->size - head;
			frames[i] = (struct net_frame){ .head = heads[i],
							.head_size = head,
							.size = bench->size,
							.rest = &rest[i],
							.rest_count = bench->size > head };
		}
		switch_input(bench->from, frames, BURST);
	}
}

static void run_bare(struct bench *bench, uint64_t bursts)
{
	uint8_t *to = bench->receivers[1].ring;

	for (uint64_t n = 0; n < bursts * BURST; n++) {
		memcpy(to + n % RING * SLOT, bench->ring + n % RING * SLOT, bench->size);
		__asm__ volatile("" : : : "memory");
	}
}

struct way {
	const char *name;
	void (*run)(struct bench *bench, uint64_t bursts);
	double rates[ROUNDS];
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	const uint32_t sizes[] = { 64, 1500 };
	struct bench bench = { 0 };

	open_ports(&bench);
	for (unsigned s = 0; s < 2; s++) {
		struct way ways[] = { { "bare copy", run_bare, { 0 } },
				      { "switch", run_switch, { 0 } } };
		unsigned count = sizeof(ways) / sizeof(ways[0]);
		uint64_t bursts = sizes[s] == 64 ? 60000 : 15000;

		bench.size = sizes[s];
		for (unsigned round = 0; round < ROUNDS; round++) {
			for (unsigned w = 0; w < count; w++) {
				uint64_t start = clock_monotonic();

				ways[w].run(&bench, bursts);
				ways[w].rates[round] = (double)(bursts * BURST) * 1e3 /
						       (double)(clock_monotonic() - start);
			}
		}
		for (unsigned w = 0; w < count; w++) {
			qsort(ways[w].rates, ROUNDS, sizeof(double), by_value);
			printf("%4u B  %-24s %7.2f M frames/s  %5.2f of bare\n", sizes[s],
			       ways[w].name, ways[w].rates[ROUNDS / 2],
			       ways[w].rates[ROUNDS / 2] / ways[0].rates[ROUNDS / 2]);
		}
	}
	switch_port_remove(bench.from);
	switch_port_remove(bench.to);
	network_free(bench.network);
	free(bench.receivers[0].ring);
	free(bench.receivers[1].ring);
	free(bench.ring);
	return 0;
}
