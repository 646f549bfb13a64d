/*
 * Frames a second from one virtio NIC to another on one thread: the whole way of a frame, with
 * all checks of both rings, beside a bare loop that copies the same bytes once between rings of the
 * same size; and the same where the switch keeps its past, where a capture has all, and where one
 * has nothing of it. The drivers only advance indices. Medians of rounds that alternate, in CPU
 * time of the sender, so that other load counts only by what it does to the caches. A line for each
 * size: bytes, both rates in millions a second, and their ratio; then the other three's ratios to
 * the switch alone.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/bus/pci.h"
#include "core/bus/platform.h"
#include "core/virtio/net.h"
#include "core/virtio/pci.h"
#include "net/capture/capture.h"
#include "net/network.h"

#define RX 0
#define TX 1
#define SIZE 1024u
#define RAM (16u << 20)
#define RING(n) (0x10000u + (n) * 0x10000u)
#define AVAILABLE 0x8000u
#define USED 0xa000u
#define BUFFER(n, i) (0x100000u + ((n) * SIZE + (i)) * 0x800u)
#define HEADER 12u
#define ROUNDS 11
#define TURN 256u /* frames that are sent at once */

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct guest {
	struct bus io, mmio;
	struct irq_router irq;
	struct pci pci;
	struct guest_memory memory;
	struct virtio_net net;
	struct virtio_pci transport;
	uint16_t *available[2]; /* flags, index, entries */
	const uint16_t *used[2];
};

/* What there is beside the switch. */
enum way { ALONE, PAST, CAPTURE, FILTERED, WAYS };

struct bench {
	struct loop loop;
	struct network *network;
	struct capture *capture;
	struct net_switch *sw;
	struct guest guests[2];
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "nics: %s\n", what);
	exit(1);
}

static void set(struct guest *guest, uint64_t offset, uint64_t value, unsigned length)
{
	bus_write(&guest->mmio, PLATFORM_PCI_BASE + offset, &value, length);
}

static void *at(struct guest *guest, uint64_t address)
{
	return memory_at(&guest->memory, address, 1);
}

static void set_up_rings(struct guest *guest)
{
	for (unsigned n = 0; n < 2; n++) {
		struct descriptor *table = at(guest, RING(n));

		guest->available[n] = at(guest, RING(n) + AVAILABLE);
		guest->used[n] = at(guest, RING(n) + USED);
		guest->available[n][0] = 1; /* no interrupts */
		for (unsigned i = 0; i < SIZE; i++) {
			table[i] = (struct descriptor){ BUFFER(n, i), 0x800, n == RX ? 2 : 0, 0 };
			guest->available[n][2 + i] = (uint16_t)i;
		}
	}
}

static void start_driver(struct guest *guest)
{
	set(guest, 0x14, 3, 1);
	set(guest, 0x08, 1, 4);
	set(guest, 0x0c, 1, 4); /* VIRTIO_F_VERSION_1 */
	set(guest, 0x14, 0x0b, 1);
	for (unsigned n = 0; n < 2; n++) {
		set(guest, 0x16, n, 2);
		set(guest, 0x18, SIZE, 2);
		set(guest, 0x20, RING(n), 8);
		set(guest, 0x28, RING(n) + AVAILABLE, 8);
		set(guest, 0x30, RING(n) + USED, 8);
		set(guest, 0x1c, 1, 2);
	}
	set(guest, 0x14, 0x0f, 1);
}

static void join(struct bench *bench, unsigned g)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct net_port_config config = { .name = g ? "b/net0" : "a/net0", .kind = "guest",
					  .addresses[0].mac = { 2, 0, 0, 0, 0, (uint8_t)g },
					  .accepts = NET_ACCEPTS_NOTHING };
	struct guest *guest = &bench->guests[g];
	struct cause cause = { "" };

	must(!memory_create(&guest->memory, RAM, &cause) &&
	     !pci_create(&guest->pci, &guest->io, &guest->mmio, &guest->irq, &cause), cause.text);
	virtio_net_init(&guest->net, config.addresses[0].mac, SIZE);
	must(!virtio_pci_create(&guest->transport, &guest->net.device, &guest->pci, 1,
				&guest->memory, &bench->loop, -1, &cause), cause.text);
	bus_write(&guest->mmio, PLATFORM_ECAM_BASE + (1 << 15) + PCI_COMMAND, &command, 2);
	must(!switch_port_add(&guest->net.port, bench->sw, &config, &virtio_net_port_ops,
			      &guest->net, &cause), cause.text);
	set_up_rings(guest);
	start_driver(guest);
}

static void leave(struct guest *guest)
{
	virtio_net_disconnect(&guest->net);
	virtio_pci_destroy(&guest->transport);
	virtio_net_destroy(&guest->net);
	pci_destroy(&guest->pci);
	memory_destroy(&guest->memory);
}

static void fill_frames(struct bench *bench, uint32_t size)
{
	struct descriptor *table = at(&bench->guests[0], RING(TX));

	for (unsigned i = 0; i < SIZE; i++) {
		uint8_t *frame = (uint8_t *)at(&bench->guests[0], BUFFER(TX, i)) + HEADER;

		memset(frame - HEADER, 0, HEADER);
		memset(frame, (int)i, size);
		memcpy(frame, (const uint8_t[]){ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 8, 0 }, 14);
		table[i].length = HEADER + size;
	}
}

static void run_nics(struct bench *bench, uint32_t size, uint64_t frames)
{
	struct guest *a = &bench->guests[0], *b = &bench->guests[1];
	struct virtio *device = &a->net.device;

	(void)size;
	for (uint64_t done = 0; done < frames; done += TURN) {
		__atomic_store_n(&b->available[RX][1], (uint16_t)(b->used[RX][1] + SIZE),
				 __ATOMIC_RELEASE);
		__atomic_store_n(&a->available[TX][1], (uint16_t)(a->available[TX][1] + TURN),
				 __ATOMIC_RELEASE);
		pthread_mutex_lock(&device->lock);
		device->ops->kick(device, TX);
		pthread_mutex_unlock(&device->lock);
	}
	must(a->used[TX][1] == a->available[TX][1], "frames were not sent");
}

static void run_bare(struct bench *bench, uint32_t size, uint64_t frames)
{
	uint8_t *from = at(&bench->guests[0], BUFFER(TX, 0));
	uint8_t *to = at(&bench->guests[1], BUFFER(RX, 0));

	for (uint64_t done = 0; done < frames; done++) {
		size_t offset = done % SIZE * 0x800;

		memcpy(to + offset, from + offset, HEADER + size);
		__asm__ volatile("" : : : "memory");
	}
}

/* Of all, or of ARP, of which there is none. */
static void start_capture(struct bench *bench, enum way way)
{
	static const struct filter_insn insns[] = {
		{ 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x806 }, { 0x06, 0, 0, 262144 }, { 0x06, 0, 0, 0 },
	};
	struct filter program = { 0 };
	struct capture_config config = { .snap = 128, .fd = open("/dev/null", O_WRONLY) };
	struct cause cause = { "" };

	if (way == FILTERED) {
		must(!filter_set(&program, insns, 4, &cause), cause.text);
		config.filter = "arp";
		config.program = &program;
	}
	must(!capture_start(&bench->capture, network_capture_hub(bench->network), &config, &cause),
	     cause.text);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

typedef void runner(struct bench *bench, uint32_t size, uint64_t frames);

/* Millions of frames a second of CPU time. */
static double rate(struct bench *bench, runner *run, uint32_t size, uint64_t frames)
{
	uint64_t start = clock_read(CLOCK_THREAD_CPUTIME_ID);

	run(bench, size, frames);
	return (double)frames * 1e3 / (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void measure(struct bench *benches, uint32_t size, uint64_t frames)
{
	double rates[WAYS][ROUNDS], bare[ROUNDS], ratio[WAYS][ROUNDS];

	for (unsigned way = 0; way < WAYS; way++) {
		fill_frames(&benches[way], size);
		run_nics(&benches[way], size, frames / 8);
	}
	run_bare(benches, size, frames / 8);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bare[round] = rate(benches, run_bare, size, frames);
		for (unsigned way = 0; way < WAYS; way++) {
			rates[way][round] = rate(&benches[way], run_nics, size, frames);
			ratio[way][round] = rates[way][round] /
					    (way ? rates[ALONE][round] : bare[round]);
		}
	}
	printf("%u %.2f %.2f", size, median(rates[ALONE]), median(bare));
	for (unsigned way = 0; way < WAYS; way++)
		printf(" %.3f", median(ratio[way]));
	putchar('\n');
}

static void begin(struct bench *bench, enum way way)
{
	struct switch_config config = { .name = "lan", .patience = 5 };
	struct cause cause = { "" };

	if (way == PAST)
		config.past = (struct past_config){ .bytes = 16u << 20, .seconds = 300, .snap = 128 };
	must(!loop_init(&bench->loop, &cause) && !network_new(&bench->network, &cause) &&
	     !switch_new(&bench->sw, bench->network, &config, &cause), cause.text);
	for (unsigned g = 0; g < 2; g++)
		join(bench, g);
	if (way == CAPTURE || way == FILTERED)
		start_capture(bench, way);
}

static void end(struct bench *bench)
{
	struct net_port_counters counters;

	switch_port_counters(bench->guests[1].net.port, &counters);
	for (unsigned i = 0; i < NET_VERDICT_COUNT; i++)
		must(!counters.drops[i], "frames were lost");
	capture_stop(bench->capture, NULL);
	for (unsigned g = 0; g < 2; g++)
		leave(&bench->guests[g]);
	network_free(bench->network);
	loop_destroy(&bench->loop);
}

int main(void)
{
	static struct bench benches[WAYS];

	for (unsigned way = 0; way < WAYS; way++)
		begin(&benches[way], way);
	measure(benches, 60, 4u << 20);
	measure(benches, 1500, 1u << 20);
	for (unsigned way = 0; way < WAYS; way++)
		end(&benches[way]);
	return 0;
}
