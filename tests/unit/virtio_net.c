/*
 * The network device over rings built by hand, with a fake switch that keeps what
 * is sent and delivers what a test wants: headers, merged buffers, offloads,
 * notification, and drivers that lie or reset under traffic.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bus/platform.h"
#include "core/virtio/net.h"
#include "core/virtio/pci.h"
#include "settle.h"

#define RX 0
#define TX 1
#define SIZE 16u /* descriptors of a ring */
#define RAM (1u << 20)
#define RING(n) (0x1000u + (n) * 0x1000u)
#define AVAILABLE 0x400u
#define USED 0x800u
#define DATA 0x10000u
#define HEADER 12u
#define ISR 0x400u    /* in the BAR */
#define CONFIG 0x800u

#define NEXT 1
#define WRITE 2

#define GUEST_CSUM (1ull << 1)
#define MAC (1ull << 5)
#define GUEST_TSO4 (1ull << 7)
#define GUEST_ECN (1ull << 9)
#define MRG_RXBUF (1ull << 15)
#define STATUS (1ull << 16)
#define EVENT_IDX (1ull << 29)
#define VERSION_1 (1ull << 32)

/* --- the fake switch and the fake router --- */

static struct {
	struct net_port_ops ops;
	void *backend;
	uint32_t accepts;
	unsigned count;
	unsigned largest; /* burst since it was zeroed */
	unsigned resumed; /* senders */
	struct virtio_pci *described; /* or NULL: looked at within each burst */
	struct net_frame frames[NET_BURST_MAX];
	uint8_t data[NET_BURST_MAX][2048];
} port;

int switch_port_add(struct net_port **out, struct net_switch *sw,
		    const struct net_port_config *config, const struct net_port_ops *ops,
		    void *backend, struct cause *cause)
{
	(void)sw;
	(void)config;
	(void)cause;
	memset(&port, 0, sizeof(port));
	port.ops = *ops;
	port.backend = backend;
	*out = (struct net_port *)&port;
	return 0;
}

void switch_port_remove(struct net_port *removed)
{
	assert_ptr_equal(removed, &port);
	port.backend = NULL;
}

void switch_port_accepts(struct net_port *changed, uint32_t accepts)
{
	(void)changed;
	__atomic_store_n(&port.accepts, accepts, __ATOMIC_RELAXED);
}

void switch_input(struct net_port *from, const struct net_frame *frames, unsigned count)
{
	(void)from;
	assert_true(count && count <= NET_BURST_MAX);
	if (count > port.largest)
		port.largest = count;
	if (port.described) {
		char text[32];

		virtio_pci_describe(port.described, text, sizeof(text));
		assert_string_equal(text, "running");
	}
	for (unsigned i = 0; i < count; i++) {
		struct net_frame *kept = &port.frames[port.count % NET_BURST_MAX];
		uint8_t *data = port.data[port.count++ % NET_BURST_MAX];
		uint32_t at = frames[i].head_size;

		*kept = frames[i];
		memcpy(data, frames[i].head, at);
		for (unsigned n = 0; n < frames[i].rest_count; n++) {
			size_t size = frames[i].rest[n].iov_len;

			if (at + size > sizeof(port.data[0]))
				size = sizeof(port.data[0]) - at;
			memcpy(data + at, frames[i].rest[n].iov_base, size);
			at += (uint32_t)size;
		}
	}
}

/* Frames do not stay with this sender: see virtio_net_stay.c for those that do. */
uint64_t switch_patience(const struct net_port *from)
{
	(void)from;
	return 0;
}

uint64_t switch_send(struct net_port *from, const struct net_frame *frames, unsigned count,
		     struct net_stay *stay)
{
	(void)from;
	(void)frames;
	(void)count;
	(void)stay;
	fail();
	return 0;
}

void switch_offer_again(struct net_port *from)
{
	(void)from;
	fail();
}

bool switch_stays_on(struct net_port *from, uint32_t slot)
{
	(void)from;
	(void)slot;
	fail();
	return false;
}

void switch_resume(struct net_port *from, const struct port_set *senders)
{
	(void)from;
	for (unsigned i = 0; i < NET_PORTS_MAX; i++)
		port.resumed += port_set_has(senders, i);
}

void switch_port_refuse(struct net_port *of, enum net_verdict verdict)
{
	(void)of;
	(void)verdict;
	fail();
}

static atomic_uint raised; /* times that a line went up */

void irq_set_line(struct irq_router *router, unsigned line, bool level)
{
	(void)router;
	(void)line;
	if (level)
		atomic_fetch_add(&raised, 1);
}

int irq_msi_alloc(struct irq_router *router)
{
	(void)router;
	return -1;
}

void irq_msi_free(struct irq_router *router, int gsi)
{
	(void)router;
	(void)gsi;
}

int irq_msi_set(struct irq_router *router, int gsi, int fd, uint64_t address, uint32_t data)
{
	(void)router;
	(void)gsi;
	(void)fd;
	(void)address;
	(void)data;
	return -1;
}

void irq_msi_clear(struct irq_router *router, int gsi, int fd)
{
	(void)router;
	(void)gsi;
	(void)fd;
}

/* --- a guest with one NIC --- */

struct bench {
	struct bus io, mmio;
	struct irq_router irq;
	struct pci pci;
	struct guest_memory memory;
	struct loop loop;
	struct virtio_net net;
	struct virtio_pci transport;
	uint16_t available[2]; /* indices that the driver has given */
};

/* Bus master enable */
static void allow(struct bench *bench, bool master)
{
	uint16_t command = PCI_COMMAND_MEMORY | (master ? PCI_COMMAND_MASTER : 0);

	bus_write(&bench->mmio, PLATFORM_ECAM_BASE + (1 << 15) + PCI_COMMAND, &command, 2);
}

static int setup(void **state)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 1 };
	struct bench *bench = calloc(1, sizeof(*bench));
	struct cause cause;

	atomic_store(&raised, 0);
	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	assert_int_equal(memory_create(&bench->memory, RAM, &cause), 0);
	assert_int_equal(pci_create(&bench->pci, &bench->io, &bench->mmio, &bench->irq, &cause), 0);
	virtio_net_init(&bench->net, mac, SIZE);
	assert_int_equal(virtio_pci_create(&bench->transport, &bench->net.device, &bench->pci, 1,
					   &bench->memory, &bench->loop, -1, &cause), 0);
	allow(bench, true);
	assert_int_equal(switch_port_add(&bench->net.port, NULL, NULL, &virtio_net_port_ops,
					 &bench->net, &cause), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	virtio_net_disconnect(&bench->net);
	virtio_pci_destroy(&bench->transport);
	virtio_net_destroy(&bench->net);
	pci_destroy(&bench->pci);
	memory_destroy(&bench->memory);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static void *at(struct bench *bench, uint64_t address)
{
	return memory_at(&bench->memory, address, 1);
}

static uint64_t get(struct bench *bench, uint64_t offset, unsigned length)
{
	uint64_t value = 0;

	bus_read(&bench->mmio, PLATFORM_PCI_BASE + offset, &value, length);
	return value;
}

static void set(struct bench *bench, uint64_t offset, uint64_t value, unsigned length)
{
	bus_write(&bench->mmio, PLATFORM_PCI_BASE + offset, &value, length);
}

/* The driver resets the device and sets it up with empty rings. */
static void driver_start(struct bench *bench, uint64_t features)
{
	features |= VERSION_1 | MAC;
	set(bench, 0x14, 0, 1);
	assert_int_equal(get(bench, 0x14, 1), 0);
	memset(at(bench, RING(0)), 0, 0x2000);
	bench->available[RX] = bench->available[TX] = 0;
	set(bench, 0x14, 3, 1);
	for (unsigned i = 0; i < 2; i++) {
		set(bench, 0x08, i, 4);
		set(bench, 0x0c, features >> (32 * i) & 0xffffffff, 4);
	}
	set(bench, 0x14, 0x0b, 1);
	assert_int_equal(get(bench, 0x14, 1), 0x0b);
	for (unsigned n = 0; n < 2; n++) {
		set(bench, 0x16, n, 2);
		set(bench, 0x18, SIZE, 2);
		set(bench, 0x20, RING(n), 8);
		set(bench, 0x28, RING(n) + AVAILABLE, 8);
		set(bench, 0x30, RING(n) + USED, 8);
		set(bench, 0x1c, 1, 2);
	}
	set(bench, 0x14, 0x0f, 1);
	assert_int_equal(get(bench, 0x14, 1), 0x0f);
}

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

static void describe(struct bench *bench, unsigned n, unsigned i, uint64_t address,
		     uint32_t length, uint16_t flags)
{
	struct descriptor *table = at(bench, RING(n));

	table[i] = (struct descriptor){ address, length, flags, (uint16_t)(i + 1) };
}

static void offer(struct bench *bench, unsigned n, uint16_t head)
{
	uint16_t *ring = at(bench, RING(n) + AVAILABLE);

	ring[2 + bench->available[n] % SIZE] = head;
	__atomic_store_n(&ring[1], ++bench->available[n], __ATOMIC_RELEASE);
}

static uint16_t used_index(struct bench *bench, unsigned n)
{
	return __atomic_load_n((uint16_t *)at(bench, RING(n) + USED) + 1, __ATOMIC_ACQUIRE);
}

static uint32_t used_length(struct bench *bench, unsigned n, unsigned i)
{
	return ((uint32_t *)at(bench, RING(n) + USED + 4))[2 * (i % SIZE) + 1];
}

static void kick(struct bench *bench, unsigned n)
{
	set(bench, 0x1000 + 4 * n, n, 2);
	settle(&bench->loop);
}

/* Gives count receive buffers of size bytes, one descriptor each. */
static void give_buffers(struct bench *bench, unsigned count, uint32_t size)
{
	for (unsigned i = 0; i < count; i++) {
		describe(bench, RX, i, DATA + i * 0x1000, size, WRITE);
		offer(bench, RX, (uint16_t)i);
	}
}

/* A frame from somewhere else in the switch; what became of it. */
static enum net_verdict deliver(uint32_t size, const struct net_offload *offload)
{
	static uint8_t data[NET_FRAME_MAX];
	struct iovec rest = { data + 40, size > 40 ? size - 40 : 0 };
	struct net_frame frame = { .head = data, .head_size = size < 40 ? size : 40, .size = size,
				   .rest = &rest, .rest_count = size > 40 };
	const struct net_frame *list[] = { &frame };
	enum net_verdict verdict = NET_FORWARD;
	unsigned taken;

	for (uint32_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7);
	if (offload)
		frame.offload = *offload;
	taken = port.ops.deliver(port.backend, 0, list, 1, &verdict);
	assert_int_equal(taken, verdict == NET_FORWARD);
	port.ops.flush(port.backend);
	return verdict;
}

static void assert_frame(const uint8_t *data, uint32_t from, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(data[i], (uint8_t)((from + i) * 7));
}

/* --- transmission --- */

static void test_transmit(void **state)
{
	struct bench *bench = *state;
	uint8_t *data = at(bench, DATA);

	driver_start(bench, 0);
	settle(&bench->loop);
	memset(data, 0, HEADER);
	data[0] = 0xff;	  /* flags: all of them */
	data[6] = 14;	  /* csum_start */
	data[8] = 6;	  /* csum_offset */
	data[10] = 0xff;  /* num_buffers: not the driver's */
	for (unsigned i = 0; i < 1000; i++)
		data[HEADER + i] = (uint8_t)(i * 7);

	/* Header and frame cut in the oddest way. */
	describe(bench, TX, 0, DATA, 1, NEXT);
	describe(bench, TX, 1, DATA + 1, 10, NEXT);
	describe(bench, TX, 2, DATA + 11, 90, NEXT);
	describe(bench, TX, 3, DATA, 0, NEXT);
	describe(bench, TX, 4, DATA + 101, HEADER + 1000 - 101, 0);
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.count, 1);
	assert_int_equal(port.frames[0].size, 1000);
	assert_frame(port.data[0], 0, 1000);
	assert_int_equal(port.frames[0].offload.flags, NET_OFFLOAD_NEEDS_CSUM);
	assert_int_equal(port.frames[0].offload.csum_start, 14);
	assert_int_equal(used_index(bench, TX), 1);
	assert_int_equal(used_length(bench, TX, 0), 0);

	/* Without a request nothing of the header is left. */
	data[0] = 2 | 4; /* DATA_VALID, RSC_INFO */
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.frames[1].offload.flags, 0);
	assert_int_equal(port.frames[1].offload.csum_start, 0);
	data[1] = 3; /* UDP: the switch refuses it, and has to see it */
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.frames[2].offload.gso_type, 3);
}

static void test_transmit_many(void **state)
{
	struct bench *bench = *state;

	driver_start(bench, EVENT_IDX);
	settle(&bench->loop);
	for (unsigned round = 0; round < 5000; round++) {
		unsigned count = 1 + round % SIZE;

		for (unsigned i = 0; i < count; i++) {
			describe(bench, TX, i, DATA + i * 0x1000, HEADER + 60, 0);
			offer(bench, TX, (uint16_t)i);
		}
		kick(bench, TX);
		/* The device has sent all of it and asks to be told of the next. */
		assert_int_equal(used_index(bench, TX), bench->available[TX]);
		assert_int_equal(*(uint16_t *)at(bench, RING(TX) + USED + 4 + 8 * SIZE),
				 bench->available[TX]);
	}
}

static void test_transmit_broken(void **state)
{
	struct bench *bench = *state;
	unsigned before;
	char text[96];

	driver_start(bench, 0);
	settle(&bench->loop);
	describe(bench, TX, 0, DATA, HEADER - 1, 0);
	describe(bench, TX, 1, DATA, HEADER + 60, 0);
	offer(bench, TX, 1);
	offer(bench, TX, 0);
	offer(bench, TX, 1);
	kick(bench, TX);
	before = port.count;
	assert_int_equal(before, 1); /* the good one before it */
	assert_int_equal(get(bench, 0x14, 1), 0x4f);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_non_null(strstr(text, "needs reset: the transmit queue"));
	offer(bench, TX, 1);
	kick(bench, TX);
	assert_int_equal(port.count, before);

	/* A new driver begins anew. */
	driver_start(bench, 0);
	describe(bench, TX, 0, DATA, HEADER + 60, 0);
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.count, before + 1);
}

/* --- reception --- */

static void test_receive(void **state)
{
	struct bench *bench = *state;
	uint8_t *data = at(bench, DATA);

	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
	driver_start(bench, 0);
	assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
	give_buffers(bench, 3, HEADER + 1514);
	atomic_store(&raised, 0);
	assert_int_equal(deliver(1514, NULL), NET_FORWARD);
	assert_int_equal(used_index(bench, RX), 1);
	assert_int_equal(used_length(bench, RX, 0), HEADER + 1514);
	assert_frame(data + HEADER, 0, 1514);
	assert_int_equal(data[10], 1);
	assert_int_equal(atomic_load(&raised), 1);
	assert_int_equal(get(bench, 0x400, 1), 1);

	/* Too long for a buffer that must not be merged: dropped, and the buffer stays. */
	assert_int_equal(deliver(1515, NULL), NET_DROP_LONG);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(used_length(bench, RX, 1), HEADER + 60);

	/* Paused: nothing comes in. */
	virtio_net_pause(&bench->net, true);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
	virtio_net_pause(&bench->net, false);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
	assert_int_equal(used_index(bench, RX), 3);
	set(bench, 0x14, 0, 1);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
	virtio_net_pause(&bench->net, false);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
}

/* No ring is touched while the driver forbids it; afterwards both go on where they were. */
static void test_bus_master(void **state)
{
	struct bench *bench = *state;
	static uint8_t data[60];
	struct net_frame frame = { .head = data, .head_size = 60, .size = 60 };
	const struct net_frame *list[] = { &frame };
	enum net_verdict verdict = NET_FORWARD;

	allow(bench, false);
	driver_start(bench, 0);
	give_buffers(bench, 3, HEADER + 1514);
	describe(bench, TX, 0, DATA + 0x8000, HEADER + 60, 0);
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.count, 0);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
	virtio_net_pause(&bench->net, false);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);

	allow(bench, true);
	settle(&bench->loop);
	assert_int_equal(port.count, 1);
	assert_int_equal(used_index(bench, TX), 1);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(used_index(bench, RX), 1);

	/* Forbidden between a burst and its interrupt. */
	assert_int_equal(port.ops.deliver(port.backend, 0, list, 1, &verdict), 1);
	allow(bench, false);
	port.ops.flush(port.backend);
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(used_index(bench, RX), 1);
	assert_int_equal(used_index(bench, TX), 1);
	get(bench, 0x400, 1);
	atomic_store(&raised, 0);
	allow(bench, true);
	settle(&bench->loop);
	assert_int_equal(used_index(bench, RX), 2);
	assert_int_equal(used_index(bench, TX), 2);
	assert_int_equal(port.count, 2);
	assert_int_equal(atomic_load(&raised), 1);

	/* Forbidden, it can be reset. */
	allow(bench, false);
	driver_start(bench, 0);
	give_buffers(bench, 1, HEADER + 1514);
	allow(bench, true);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
}

static void test_receive_merged(void **state)
{
	struct bench *bench = *state;
	uint8_t *data = at(bench, DATA);

	driver_start(bench, MRG_RXBUF);
	/* The first buffer's header is cut within its last field. */
	describe(bench, RX, 0, DATA, 11, WRITE | NEXT);
	describe(bench, RX, 1, DATA + 0x100, 101, WRITE);
	offer(bench, RX, 0);
	describe(bench, RX, 2, DATA + 0x1000, 200, WRITE);
	offer(bench, RX, 2);
	describe(bench, RX, 3, DATA + 0x2000, 200, WRITE);
	offer(bench, RX, 3);

	/* More than there is: nothing is taken. */
	assert_int_equal(deliver(501, NULL), NET_DROP_NO_BUFFER);
	assert_int_equal(used_index(bench, RX), 0);
	assert_int_equal(deliver(400, NULL), NET_FORWARD);
	assert_int_equal(used_index(bench, RX), 3);
	assert_int_equal(used_length(bench, RX, 0), 112);
	assert_int_equal(used_length(bench, RX, 1), 200);
	assert_int_equal(used_length(bench, RX, 2), 100);
	assert_int_equal(data[10], 3);
	assert_int_equal(data[0x100], 0);
	assert_frame(data + 0x101, 0, 100);
	assert_frame(data + 0x1000, 100, 200);
	assert_frame(data + 0x2000, 300, 100);
}

/*
 * Buffers that the driver gives while a burst is delivered, here by the burst's first frame itself,
 * whose buffer lies over the index of the available ring: a large frame takes some of them, and
 * what comes behind it takes none that were not given.
 */
static void test_receive_merged_meanwhile(void **state)
{
	static uint8_t data[1000];
	const uint8_t first[16] = { [14] = 4 }; /* the index then */
	const struct iovec rest = { data + 40, sizeof(data) - 40 };
	const struct net_frame frames[] = {
		{ .head = first, .head_size = sizeof(first), .size = sizeof(first) },
		{ .head = data, .head_size = 40, .size = sizeof(data), .rest = &rest,
		  .rest_count = 1 },
		{ .head = data, .head_size = 40, .size = 40 },
	};
	const struct net_frame *const list[] = { &frames[0], &frames[1], &frames[2] };
	enum net_verdict verdicts[] = { NET_FORWARD, NET_FORWARD, NET_FORWARD };
	struct bench *bench = *state;

	driver_start(bench, MRG_RXBUF);
	describe(bench, RX, 0, RING(RX) + AVAILABLE + 4 - HEADER - sizeof(first),
		 HEADER + sizeof(first), WRITE);
	offer(bench, RX, 0);
	for (uint16_t i = 1; i < 8; i++) {
		describe(bench, RX, i, DATA + i * 0x1000, 400, WRITE);
		offer(bench, RX, i);
	}
	((uint16_t *)at(bench, RING(RX) + AVAILABLE))[1] = 2;
	assert_int_equal(port.ops.deliver(port.backend, 0, list, 3, verdicts), 2);
	assert_int_equal(verdicts[1], NET_FORWARD);
	assert_int_equal(verdicts[2], NET_DROP_NO_BUFFER);
	port.ops.flush(port.backend);
	assert_int_equal(used_index(bench, RX), 4);
}

static void test_receive_offloads(void **state)
{
	const struct net_offload csum = { .flags = 1, .csum_start = 34, .csum_offset = 6 };
	const struct net_offload tso = { .flags = 1, .gso_type = NET_GSO_TCPV4, .gso_size = 1448,
					 .csum_start = 34, .csum_offset = 16 };
	struct net_offload ecn = tso;
	struct bench *bench = *state;
	uint8_t *data = at(bench, DATA);

	ecn.gso_type |= NET_GSO_ECN;
	/* What was decided on for an earlier driver does not reach one that cannot take it. */
	driver_start(bench, 0);
	assert_int_equal(port.accepts, 0);
	give_buffers(bench, 4, 0x1000);
	assert_int_equal(deliver(100, &csum), NET_DROP_LINK_DOWN);

	driver_start(bench, GUEST_CSUM | GUEST_TSO4);
	assert_int_equal(port.accepts, NET_ACCEPTS_CSUM); /* it could be a segment with ECN */
	give_buffers(bench, 4, 0x1000);
	assert_int_equal(deliver(100, &csum), NET_FORWARD);
	assert_memory_equal(data, &csum, sizeof(csum));
	assert_int_equal(deliver(3000, &ecn), NET_DROP_LINK_DOWN);

	driver_start(bench, GUEST_CSUM | GUEST_TSO4 | GUEST_ECN);
	assert_int_equal(port.accepts, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	give_buffers(bench, 4, 0x1000);
	assert_int_equal(deliver(3000, &ecn), NET_FORWARD);
	assert_memory_equal(data, &ecn, sizeof(ecn));
}

static void test_receive_notification(void **state)
{
	struct bench *bench = *state;
	uint16_t *flags = at(bench, RING(RX) + AVAILABLE);
	uint16_t *event = at(bench, RING(RX) + AVAILABLE + 4 + 2 * SIZE);

	driver_start(bench, 0);
	assert_int_equal(*(uint16_t *)at(bench, RING(RX) + USED), 1); /* no kicks for buffers */
	give_buffers(bench, 8, 0x600);
	atomic_store(&raised, 0);
	*flags = 1; /* no interrupts */
	deliver(60, NULL);
	assert_int_equal(atomic_load(&raised), 0);
	*flags = 0;
	deliver(60, NULL);
	assert_int_equal(atomic_load(&raised), 1);
	get(bench, 0x400, 1);

	driver_start(bench, EVENT_IDX);
	give_buffers(bench, 8, 0x600);
	atomic_store(&raised, 0);
	*flags = 1; /* means nothing with event indices */
	*event = 2; /* an interrupt when the third is used */
	deliver(60, NULL);
	deliver(60, NULL);
	assert_int_equal(atomic_load(&raised), 0);
	deliver(60, NULL);
	assert_int_equal(atomic_load(&raised), 1);
	get(bench, 0x400, 1);
	deliver(60, NULL);
	assert_int_equal(atomic_load(&raised), 1);
}

/* Who had no room is told once there is more, and not because the driver rings. */
static void test_receive_room(void **state)
{
	struct bench *bench = *state;

	driver_start(bench, 0);
	settle(&bench->loop);
	assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
	for (unsigned i = 0; i < 3; i++)
		kick(bench, RX);
	assert_int_equal(port.resumed, 0);
	give_buffers(bench, 1, 0x600);
	kick(bench, RX);
	assert_int_equal(port.resumed, 1);
	kick(bench, RX);
	assert_int_equal(port.resumed, 1);
}

/*
 * Buffers that came while a burst was delivered, here by a frame whose buffer lies over the index
 * of the available ring, are not told of: the driver was asked for those behind them.
 */
static void test_receive_room_meanwhile(void **state)
{
	const uint8_t data[16] = { [14] = SIZE + 10 };
	const struct net_frame frame = { .head = data, .head_size = sizeof(data),
					 .size = sizeof(data) };
	const struct net_frame *const list[] = { &frame, &frame };
	enum net_verdict verdicts[] = { NET_FORWARD, NET_FORWARD };
	struct bench *bench = *state;

	driver_start(bench, EVENT_IDX);
	settle(&bench->loop);
	give_buffers(bench, SIZE, 0x600);
	describe(bench, RX, SIZE - 3, RING(RX) + AVAILABLE + 4 - HEADER - sizeof(data),
		 HEADER + sizeof(data), WRITE);
	for (unsigned i = 0; i < SIZE - 3; i++)
		assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(port.ops.deliver(port.backend, 0, list, 2, verdicts), 1);
	assert_int_equal(verdicts[1], NET_DROP_OVER_SHARE); /* as of the buffers that it knew of */
	settle(&bench->loop);
	assert_int_equal(port.resumed, 1);
}

/* Buffers that break the rules: each is reported by the I/O thread. */
static void test_receive_broken(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		uint16_t flags;
	} bad[] = {
		{ DATA, 1514, 0 },			  /* not to be written */
		{ DATA, HEADER - 1, WRITE },		  /* less than a header */
		{ RAM - 8, 64, WRITE },			  /* beyond the RAM */
		{ 0xffffffffffffff00, 0x200, WRITE },	  /* around the end */
		{ DATA, 0, WRITE },			  /* nothing */
	};
	struct bench *bench = *state;
	char text[96];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		driver_start(bench, MRG_RXBUF);
		settle(&bench->loop);
		describe(bench, RX, 0, DATA, 0x100, WRITE);
		describe(bench, RX, 1, bad[i].address, bad[i].length, bad[i].flags);
		offer(bench, RX, 0);
		offer(bench, RX, 1);
		assert_int_equal(deliver(60, NULL), NET_FORWARD);
		assert_int_equal(get(bench, 0x14, 1), 0x0f);
		assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
		assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
		settle(&bench->loop);
		assert_int_equal(get(bench, 0x14, 1), 0x4f);
		virtio_pci_describe(&bench->transport, text, sizeof(text));
		assert_non_null(strstr(text, "needs reset: the receive queue"));
		assert_int_equal(used_index(bench, RX), 1);
	}
	driver_start(bench, 0);
	give_buffers(bench, 1, 0x600);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	settle(&bench->loop);
	assert_int_equal(get(bench, 0x14, 1), 0x0f);
}

/* Paused between a burst and its interrupt: the driver is told, and a second device goes on. */
static void test_link(void **state)
{
	struct bench *bench = *state;

	/* There is no driver yet that could be told. */
	port.ops.link(port.backend, false);
	port.ops.link(port.backend, true);
	assert_int_equal(get(bench, ISR, 1), 0);
	driver_start(bench, STATUS);
	assert_int_equal(get(bench, CONFIG + 6, 2), 1);
	atomic_store(&raised, 0);
	port.ops.link(port.backend, false);
	assert_int_equal(get(bench, CONFIG + 6, 2), 0);
	assert_int_equal(atomic_load(&raised), 1);
	assert_int_equal(get(bench, ISR, 1), 2);
	port.ops.link(port.backend, true);
	assert_int_equal(get(bench, CONFIG + 6, 2), 1);
	assert_int_equal(atomic_load(&raised), 2);
}

static void test_pause_and_load(void **state)
{
	struct bench *bench = *state;
	static uint8_t data[60];
	struct net_frame frame = { .head = data, .head_size = 60, .size = 60 };
	const struct net_frame *list[] = { &frame };
	struct virtio_pci_registers saved = { 0 };
	enum net_verdict verdict = NET_FORWARD;
	uint16_t available[2];
	uint8_t *ram;

	driver_start(bench, MRG_RXBUF | GUEST_CSUM);
	settle(&bench->loop);
	give_buffers(bench, 3, HEADER + 1514);
	assert_int_equal(port.ops.deliver(port.backend, 0, list, 1, &verdict), 1);
	assert_int_equal(used_index(bench, RX), 0);
	atomic_store(&raised, 0);
	virtio_pci_pause(&bench->transport, true);
	virtio_net_pause(&bench->net, true);
	assert_int_equal(used_index(bench, RX), 1);
	assert_int_equal(atomic_load(&raised), 1);
	port.ops.flush(port.backend);
	assert_int_equal(atomic_load(&raised), 1);
	describe(bench, TX, 0, DATA + 0x8000, HEADER + 60, 0);
	offer(bench, TX, 0);
	kick(bench, TX);
	assert_int_equal(port.count, 0);
	virtio_pci_save(&bench->transport, &saved);
	memcpy(available, bench->available, sizeof(available));
	ram = malloc(RAM);
	assert_non_null(ram);
	memcpy(ram, at(bench, 0), RAM);
	teardown((void **)&bench);

	setup((void **)&bench);
	*state = bench;
	memcpy(at(bench, 0), ram, RAM);
	memcpy(bench->available, available, sizeof(available));
	free(ram);
	allow(bench, false); /* as after power-on */
	virtio_pci_pause(&bench->transport, true);
	virtio_net_pause(&bench->net, true);
	assert_null(virtio_pci_load(&bench->transport, &saved));
	settle(&bench->loop);
	assert_int_equal(deliver(60, NULL), NET_DROP_LINK_DOWN);
	assert_int_equal(port.count, 0);
	assert_int_equal(port.accepts, NET_ACCEPTS_NOTHING);
	virtio_net_pause(&bench->net, false);
	assert_int_equal(port.accepts, NET_ACCEPTS_CSUM);
	virtio_pci_pause(&bench->transport, false);
	settle(&bench->loop);
	assert_int_equal(port.count, 1);
	assert_int_equal(used_index(bench, TX), 1);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
	assert_int_equal(deliver(60, NULL), NET_DROP_NO_BUFFER);
	assert_int_equal(used_index(bench, RX), 3);
}

static void send_large(struct bench *bench, uint32_t size, uint16_t segment, unsigned count)
{
	const struct net_offload offload = { .flags = 1, .gso_type = segment ? NET_GSO_TCPV4 : 0,
					     .gso_size = segment, .csum_start = 34,
					     .csum_offset = 16 };

	memcpy(at(bench, DATA), &offload, sizeof(offload));
	port.count = port.largest = 0;
	for (unsigned i = 0; i < count; i++) {
		describe(bench, TX, i, DATA, HEADER + size, 0);
		offer(bench, TX, (uint16_t)i);
	}
	kick(bench, TX);
	assert_int_equal(port.count, count);
}

/* Whoever waits for the end of a burst waits for so many bytes and segments at most. */
static void test_bursts_are_bounded(void **state)
{
	struct bench *bench = *state;

	driver_start(bench, 0);
	port.described = &bench->transport; /* which does not wait for it */
	send_large(bench, 1000, 0, SIZE);
	assert_int_equal(port.largest, SIZE);
	send_large(bench, 60000, 0, SIZE);
	assert_int_equal(port.largest, 5);
	send_large(bench, 10000, 100, SIZE);
	assert_int_equal(port.largest, 8);
	port.described = NULL;
}

/* Senders on threads of their own while the driver resets, pauses and lies. */
static atomic_bool flooding;

static void *flood(void *arg)
{
	static uint8_t data[1514];
	struct iovec rest = { data + 60, sizeof(data) - 60 };
	const struct net_offload offloads[] = { { 0 }, { .flags = 1, .csum_start = 34, .csum_offset = 6 } };
	enum net_verdict verdicts[8];

	(void)arg;
	while (atomic_load(&flooding)) {
		struct net_frame frames[8];
		const struct net_frame *list[8];

		for (unsigned i = 0; i < 8; i++) {
			frames[i] = (struct net_frame){ .head = data, .head_size = 60,
							.size = i & 1 ? 60 : sizeof(data),
							.rest = &rest, .rest_count = !(i & 1),
							.offload = offloads[i / 4] };
			list[i] = &frames[i];
			verdicts[i] = NET_FORWARD;
		}
		port.ops.deliver(port.backend, 0, list, 8, verdicts);
		port.ops.flush(port.backend);
	}
	return NULL;
}

static void test_reset_under_traffic(void **state)
{
	struct bench *bench = *state;
	pthread_t threads[2];

	atomic_store(&flooding, true);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flood, NULL), 0);
	for (unsigned i = 0; i < 300; i++) {
		set(bench, 0x14, 0, 1);
		/* The rings are rewritten only while nobody delivers: the device is reset. */
		driver_start(bench, (i & 1 ? MRG_RXBUF : 0) | (i & 2 ? EVENT_IDX : 0) |
				    (i & 4 ? GUEST_CSUM : 0));
		give_buffers(bench, SIZE, i % 16 == 7 ? 4 : i & 8 ? 0x600 : 0x100);
		virtio_net_pause(&bench->net, i % 5 == 0);
		allow(bench, i % 3 != 0);
		allow(bench, i % 7 != 0);
		settle(&bench->loop);
		virtio_net_pause(&bench->net, false);
		allow(bench, true);
		get(bench, 0x400, 1);
	}
	atomic_store(&flooding, false);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	driver_start(bench, 0);
	give_buffers(bench, 1, 0x600);
	assert_int_equal(deliver(60, NULL), NET_FORWARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_transmit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bus_master, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_merged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_merged_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_offloads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_notification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_room_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bursts_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pause_and_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_under_traffic, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
