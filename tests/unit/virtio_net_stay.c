/*
 * Frames that stay with their sender, as their receiver has no room: three virtio NICs of
 * guests on a switch, with rings built by hand. The test's thread is the I/O thread of all.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/bus/pci.h"
#include "core/bus/platform.h"
#include "core/virtio/net.h"
#include "core/virtio/pci.h"
#include "fake_router.h"
#include "net/capture/capture.h"
#include "net/network.h"
#include "settle.h"

#define RX 0
#define TX 1
#define SIZE 64u /* descriptors of a ring */
#define RAM (1u << 20)
#define RING(n) (0x1000u + (n) * 0x1000u)
#define AVAILABLE 0x400u
#define USED 0x800u
#define BUFFER(n, i) (0x10000u + (n) * 0x20000u + (i) * 0x800u)
#define HEADER 12u
#define FRAME 60u
#define SENT (HEADER + FRAME)
#define PATIENCE 200u /* ms */

#define NEXT 1
#define WRITE 2

enum { A, B, C, GUESTS };

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
	uint16_t available[2]; /* indices that the driver has given */
	uint16_t read;	       /* of the used receive buffers */
};

struct bench {
	struct loop loop;
	struct network *network;
	struct net_switch *sw;
	struct guest guests[GUESTS];
};

/* --- drivers --- */

static void *at(struct guest *guest, uint64_t address)
{
	return memory_at(&guest->memory, address, 1);
}

static void set(struct guest *guest, uint64_t offset, uint64_t value, unsigned length)
{
	bus_write(&guest->mmio, PLATFORM_PCI_BASE + offset, &value, length);
}

static void driver_start(struct guest *guest)
{
	set(guest, 0x14, 0, 1);
	memset(at(guest, RING(RX)), 0, 0x2000);
	guest->available[RX] = guest->available[TX] = guest->read = 0;
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

static void describe(struct guest *guest, unsigned n, unsigned i, uint32_t length, uint16_t flags)
{
	struct descriptor *table = at(guest, RING(n));

	table[i] = (struct descriptor){ BUFFER(n, i), length, flags, 0 };
}

static void offer(struct guest *guest, unsigned n, unsigned i)
{
	uint16_t *ring = at(guest, RING(n) + AVAILABLE);

	ring[2 + guest->available[n] % SIZE] = (uint16_t)i;
	__atomic_store_n(&ring[1], ++guest->available[n], __ATOMIC_RELEASE);
}

static void ring(struct bench *bench, unsigned g, unsigned n)
{
	set(&bench->guests[g], 0x1000 + 4 * n, n, 2);
	settle(&bench->loop);
}

static uint16_t used(struct guest *guest, unsigned n)
{
	return __atomic_load_n((uint16_t *)at(guest, RING(n) + USED) + 1, __ATOMIC_ACQUIRE);
}

static void give_buffers(struct guest *guest, unsigned count)
{
	for (unsigned k = 0; k < count; k++) {
		unsigned i = guest->available[RX] % SIZE;

		describe(guest, RX, i, 0x800, WRITE);
		offer(guest, RX, i);
	}
}

static void mac_of(uint8_t mac[NET_MAC_SIZE], unsigned g)
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(g + 1) }, NET_MAC_SIZE);
}

/* Offers a frame with that number from one guest to another; GUESTS: to all. */
static void put_frame(struct bench *bench, unsigned from, unsigned to, uint8_t number)
{
	struct guest *guest = &bench->guests[from];
	unsigned i = guest->available[TX] % SIZE;
	uint8_t *data = at(guest, BUFFER(TX, i));

	memset(data, 0, SENT);
	memset(data + HEADER, 0xff, NET_MAC_SIZE);
	if (to < GUESTS)
		mac_of(data + HEADER, to);
	mac_of(data + HEADER + NET_MAC_SIZE, from);
	data[SENT - 1] = number;
	describe(guest, TX, i, SENT, 0);
	offer(guest, TX, i);
}

/* The number of the next frame that a guest has received; -1: there is none. */
static int next_frame(struct guest *guest)
{
	uint32_t *entries = at(guest, RING(RX) + USED + 4);

	if (guest->read == used(guest, RX))
		return -1;
	return ((uint8_t *)at(guest, BUFFER(RX, entries[2 * (guest->read++ % SIZE)])))[SENT - 1];
}

/* Those from first on have been received, in order; the number behind the last one. */
static unsigned take_frames(struct guest *guest, unsigned first)
{
	int frame;

	while ((frame = next_frame(guest)) >= 0)
		assert_int_equal(frame, first++);
	return first;
}

/* Those from first to last have been received, in order, and no others. */
static void assert_frames(struct guest *guest, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		assert_int_equal(next_frame(guest), i);
	assert_int_equal(next_frame(guest), -1);
}

static uint64_t drops(const struct guest *guest, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(guest->net.port, &counters);
	return counters.drops[verdict];
}

static uint64_t sent(const struct guest *guest)
{
	struct net_port_counters counters;

	switch_port_counters(guest->net.port, &counters);
	return counters.rx_frames;
}

/* --- three guests --- */

static void join(struct bench *bench, unsigned g)
{
	static const char *const names[] = { "a/net0", "b/net0", "c/net0" };
	struct net_port_config config = { .name = names[g], .kind = "guest",
					  .accepts = NET_ACCEPTS_NOTHING };
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct guest *guest = &bench->guests[g];
	struct cause cause;

	mac_of(config.addresses[0].mac, g);
	assert_int_equal(memory_create(&guest->memory, RAM, &cause), 0);
	assert_int_equal(pci_create(&guest->pci, &guest->io, &guest->mmio, &guest->irq,
				    &cause), 0);
	virtio_net_init(&guest->net, config.addresses[0].mac, SIZE);
	assert_int_equal(virtio_pci_create(&guest->transport, &guest->net.device, &guest->pci, 1,
					   &guest->memory, &bench->loop, -1, &cause), 0);
	bus_write(&guest->mmio, PLATFORM_ECAM_BASE + (1 << 15) + PCI_COMMAND, &command, 2);
	assert_int_equal(switch_port_add(&guest->net.port, bench->sw, &config,
					 &virtio_net_port_ops, &guest->net, &cause), 0);
	driver_start(guest);
}

static void leave(struct guest *guest)
{
	virtio_net_disconnect(&guest->net);
	virtio_pci_destroy(&guest->transport);
	virtio_net_destroy(&guest->net);
	pci_destroy(&guest->pci);
	memory_destroy(&guest->memory);
}

static int setup_with(void **state, unsigned patience)
{
	struct switch_config config = { .name = "lan", .patience = patience };
	struct bench *bench = calloc(1, sizeof(*bench));
	struct cause cause;

	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	assert_int_equal(network_new(&bench->network, &cause), 0);
	assert_int_equal(switch_new(&bench->sw, bench->network, &config, &cause), 0);
	for (unsigned g = 0; g < GUESTS; g++)
		join(bench, g);
	settle(&bench->loop);
	*state = bench;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, PATIENCE);
}

static int setup_impatient(void **state)
{
	return setup_with(state, 0);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	for (unsigned g = 0; g < GUESTS; g++)
		leave(&bench->guests[g]);
	network_free(bench->network);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static void put_frames(struct bench *bench, unsigned to, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		put_frame(bench, A, to, (uint8_t)i);
}

/* --- tests --- */

static void frames_stay_until_there_is_room(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A], *b = &bench->guests[B];
	unsigned next, last;

	give_buffers(b, 8); /* one of which is kept for others */
	put_frames(bench, B, 0, 39);
	ring(bench, A, TX);
	next = take_frames(b, 0);
	assert_int_equal(next, 7);
	assert_int_equal(used(a, TX), next);
	assert_int_equal(sent(a), next);
	/* What comes later stays behind it, also with room. */
	put_frames(bench, B, 40, 49);
	give_buffers(b, 12);
	ring(bench, A, TX);
	for (unsigned rounds = 0; next < 50 && rounds < 10; rounds++) {
		ring(bench, B, RX);
		last = next;
		next = take_frames(b, next);
		assert_true(next > last && next <= last + 12);
		give_buffers(b, next - last);
	}
	assert_int_equal(next, 50);
	assert_int_equal(used(a, TX), 50);
	assert_int_equal(sent(a), 50);
	assert_int_equal(drops(b, NET_DROP_NO_BUFFER) + drops(b, NET_DROP_OVER_SHARE), 0);
	assert_int_equal(a->net.stayed_count, 0);
}

static void others_do_not_wait(void **state)
{
	struct bench *bench = *state;
	struct guest *b = &bench->guests[B], *c = &bench->guests[C];

	give_buffers(c, 40);
	for (unsigned i = 0; i < 20; i++) {
		put_frame(bench, A, B, (uint8_t)i);
		put_frame(bench, A, C, (uint8_t)i);
	}
	put_frame(bench, A, GUESTS, 20); /* a flood stays nowhere */
	ring(bench, A, TX);
	assert_frames(c, 0, 20);
	assert_int_equal(used(&bench->guests[A], TX), 21);
	assert_int_equal(drops(b, NET_DROP_NO_BUFFER), 1);
	give_buffers(b, 40);
	ring(bench, B, RX);
	assert_frames(b, 0, 19);
}

/* Of a sender that has frames for several, half of the queue stays free of those for one. */
static void one_of_several_does_not_fill_the_queue(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A], *b = &bench->guests[B];
	unsigned next;

	put_frames(bench, B, 0, 39); /* alone it may */
	ring(bench, A, TX);
	assert_int_equal(a->net.stayed_count, 40);
	give_buffers(b, 60);
	ring(bench, B, RX);
	assert_frames(b, 0, 39);
	give_buffers(&bench->guests[C], 8);
	put_frames(bench, C, 0, 0);
	ring(bench, A, TX);
	put_frames(bench, B, 40, 99);
	ring(bench, A, TX);
	assert_int_equal(a->net.stayed_count, SIZE / 2);
	put_frames(bench, C, 1, 1);
	ring(bench, A, TX);
	assert_frames(&bench->guests[C], 0, 1);
	next = take_frames(b, 40);
	give_buffers(b, SIZE / 2);
	ring(bench, B, RX);
	assert_frames(b, next, next + SIZE / 2 - 1);
	assert_int_equal(drops(b, NET_DROP_NO_BUFFER) + drops(b, NET_DROP_OVER_SHARE),
			 60 - (next - 40) - SIZE / 2);
}

/* What stays is in a capture once, with what became of it. */
static void captures_have_each_frame_once(void **state)
{
	struct bench *bench = *state;
	struct capture_config config = { .snap = 64, .fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct capture_stats last;
	struct capture *capture;
	struct cause cause;

	assert_int_equal(capture_start(&capture, network_capture_hub(bench->network), &config,
				       &cause), 0);
	for (unsigned i = 0; i < 20; i++)
		put_frame(bench, A, i % 2 ? C : B, (uint8_t)(i / 2));
	give_buffers(&bench->guests[C], 40);
	ring(bench, A, TX);
	assert_int_equal(used(&bench->guests[A], TX), 10);
	give_buffers(&bench->guests[B], 40);
	ring(bench, B, RX);
	assert_frames(&bench->guests[B], 0, 9);
	assert_frames(&bench->guests[C], 0, 9);
	capture_stop(capture, &last);
	assert_int_equal(last.records, 20);
	assert_int_equal(last.dropped, 0);
}

/* Runs the loop until the sender has all of its frames back, or for much longer than it may take. */
static void until_returned(struct bench *bench, uint16_t count)
{
	uint64_t limit = clock_monotonic() + 50 * PATIENCE * NS_PER_MS;

	while (used(&bench->guests[A], TX) != count && clock_monotonic() < limit) {
		settle(&bench->loop);
		usleep(1000);
	}
	assert_int_equal(used(&bench->guests[A], TX), count);
}

static void nobody_waits_for_one_that_takes_nothing(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A], *b = &bench->guests[B];
	uint64_t start = clock_monotonic();

	put_frames(bench, B, 0, 9);
	ring(bench, A, TX);
	assert_int_equal(used(a, TX), 0);
	until_returned(bench, 10);
	assert_true(clock_monotonic() - start >= PATIENCE * NS_PER_MS);
	assert_int_equal(drops(b, NET_DROP_NO_BUFFER), 10);
	assert_int_equal(sent(a), 10);
	/* Not again, until it has taken something. */
	put_frames(bench, B, 10, 19);
	ring(bench, A, TX);
	assert_int_equal(used(a, TX), 20);
	assert_int_equal(drops(b, NET_DROP_NO_BUFFER), 20);
	give_buffers(b, 1);
	put_frames(bench, B, 20, 21);
	ring(bench, A, TX);
	assert_frames(b, 20, 20);
	assert_int_equal(used(a, TX), 21);
	give_buffers(b, 1);
	ring(bench, B, RX);
	assert_frames(b, 21, 21);
}

static void none_stay_on_an_impatient_switch(void **state)
{
	struct bench *bench = *state;

	give_buffers(&bench->guests[B], 4);
	put_frames(bench, B, 0, 9);
	ring(bench, A, TX);
	assert_frames(&bench->guests[B], 0, 3);
	assert_int_equal(used(&bench->guests[A], TX), 10);
	assert_int_equal(drops(&bench->guests[B], NET_DROP_NO_BUFFER), 6);
}

/* What is saved of a queue knows of no frames that stay. */
static void a_guest_that_pauses_keeps_none(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A];

	put_frames(bench, B, 0, 9);
	ring(bench, A, TX);
	virtio_net_pause(&a->net, true);
	virtio_pci_pause(&a->transport, true);
	assert_int_equal(used(a, TX), 10);
	assert_int_equal(a->net.device.queues[TX].next_available,
			 a->net.device.queues[TX].next_used);
	assert_int_equal(drops(a, NET_DROP_NO_BUFFER), 10);
	virtio_pci_pause(&a->transport, false);
	virtio_net_pause(&a->net, false);
	give_buffers(&bench->guests[B], 4);
	put_frames(bench, B, 10, 10);
	ring(bench, A, TX);
	assert_frames(&bench->guests[B], 10, 10);
}

static void a_driver_that_begins_anew_has_none(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A];

	put_frames(bench, B, 0, 9);
	ring(bench, A, TX);
	driver_start(a);
	give_buffers(&bench->guests[B], 4);
	ring(bench, B, RX);
	assert_int_equal(used(a, TX), 0);
	assert_int_equal(next_frame(&bench->guests[B]), -1);
	put_frames(bench, B, 5, 5);
	ring(bench, A, TX);
	assert_frames(&bench->guests[B], 5, 5);
}

/* A driver that changes what it has offered breaks its own queue alone. */
static void what_stays_is_looked_at_again(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A], *b = &bench->guests[B];
	struct descriptor *table = at(a, RING(TX));

	put_frames(bench, B, 0, 2);
	ring(bench, A, TX);
	mac_of((uint8_t *)at(a, BUFFER(TX, 1)) + HEADER, C);
	give_buffers(b, 8);
	give_buffers(&bench->guests[C], 8);
	ring(bench, B, RX);
	assert_int_equal(next_frame(b), 0);
	assert_int_equal(next_frame(b), 2);
	assert_frames(&bench->guests[C], 1, 1);
	give_buffers(b, 1);
	put_frames(bench, B, 3, 20);
	ring(bench, A, TX);
	assert_true(a->net.stayed_count != 0);
	for (unsigned i = 0; i < SIZE; i++)
		table[i].address = RAM - 1;
	give_buffers(b, 20);
	ring(bench, B, RX);
	assert_true(a->net.device.queues[TX].broken);
	assert_int_equal(a->net.stayed_count, 0);
}

/* The receiver is gone: nobody tells, and its frames go where others without an address go. */
static void a_receiver_that_leaves_is_waited_for_no_longer(void **state)
{
	struct bench *bench = *state;
	struct guest *b = &bench->guests[B];

	give_buffers(&bench->guests[C], 8);
	put_frames(bench, B, 0, 3);
	ring(bench, A, TX);
	virtio_net_disconnect(&b->net);
	until_returned(bench, 4);
	assert_frames(&bench->guests[C], 0, 3);
}

/* One that is paused, or whose driver is gone, is not waited for. */
static void a_receiver_that_stops_is_waited_for_no_longer(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A], *b = &bench->guests[B];

	put_frames(bench, B, 0, 3);
	ring(bench, A, TX);
	assert_int_equal(used(a, TX), 0);
	virtio_net_pause(&b->net, true);
	settle(&bench->loop);
	assert_int_equal(used(a, TX), 4);
	virtio_net_pause(&b->net, false);
	put_frames(bench, B, 4, 7);
	ring(bench, A, TX);
	assert_int_equal(used(a, TX), 4);
	set(b, 0x14, 0, 1);
	settle(&bench->loop);
	assert_int_equal(used(a, TX), 8);
	assert_int_equal(drops(b, NET_DROP_LINK_DOWN), 8);
}

#define SLOW 24u	   /* receivers: more than have a frame in what is offered at once */
#define LARGE_REST 0x60000u /* of frames so large that a burst holds a few of them */
#define LARGE 65000u

/* Makes the last frame of a guest's a large one. */
static void enlarge(struct guest *guest)
{
	struct descriptor *table = at(guest, RING(TX));

	table[(guest->available[TX] - 1u) % SIZE].flags = NEXT;
	table[(guest->available[TX] - 1u) % SIZE].next = SIZE - 1;
	table[SIZE - 1] = (struct descriptor){ LARGE_REST, LARGE, 0, 0 };
}

static unsigned has_no_room(void *backend, uint32_t from, const struct net_frame *const *frames,
			    unsigned count, enum net_verdict *verdicts)
{
	unsigned *offered = backend;

	(void)from;
	(void)frames;
	*offered += count;
	for (unsigned i = 0; i < count; i++)
		verdicts[i] = NET_DROP_NO_BUFFER;
	return 0;
}

static void no_flush(void *backend)
{
	(void)backend;
}

/* Each is offered its frame once; what there is for others is sent, and nothing is done for ever. */
static void many_receivers_without_room_hold_nobody(void **state)
{
	static const struct net_port_ops slow_ops = { .deliver = has_no_room, .flush = no_flush,
						      .resumes = true };
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A];
	struct net_port *ports[SLOW];
	struct loop_task resume = { .run = virtio_net_port_ops.resume, .arg = &a->net };
	unsigned offered = 0, then;

	for (unsigned i = 0; i < SLOW; i++) {
		struct net_port_config config = { .kind = "guest",
						  .addresses = { { .mac = { 2, 0, 0, 0, 1, i } } } };
		uint8_t *data = at(a, BUFFER(TX, i));
		struct cause cause;
		char name[8];

		snprintf(name, sizeof(name), "slow%u", i);
		config.name = name;
		assert_int_equal(switch_port_add(&ports[i], bench->sw, &config, &slow_ops, &offered,
						 &cause), 0);
		put_frame(bench, A, C, 0);
		memcpy(data + HEADER, config.addresses[0].mac, NET_MAC_SIZE);
		enlarge(a);
	}
	ring(bench, A, TX);
	settle(&bench->loop);
	assert_int_equal(a->net.stayed_count, SLOW);
	give_buffers(&bench->guests[C], 8);
	put_frame(bench, A, C, 7);
	ring(bench, A, TX);
	settle(&bench->loop);
	assert_frames(&bench->guests[C], 7, 7);
	assert_int_equal(a->net.stayed_count, SLOW);
	/* Without room there is nothing to be tried again. */
	then = offered;
	ring(bench, A, TX);
	assert_int_equal(offered, then);
	/* Room that there is for one after its frame's turn has it offered anew. */
	virtio_net_port_ops.resume(&a->net);
	loop_post(&bench->loop, &resume);
	settle(&bench->loop);
	settle(&bench->loop);
	assert_int_equal(offered, then + 2 * SLOW);
	for (unsigned i = 0; i < SLOW; i++)
		switch_port_remove(ports[i]);
}

/* It would not fit tomorrow either, and those behind it would wait for it. */
static void one_that_is_too_long_does_not_stay(void **state)
{
	struct bench *bench = *state;

	give_buffers(&bench->guests[B], 8);
	put_frame(bench, A, B, 0);
	put_frame(bench, A, B, 1);
	enlarge(&bench->guests[A]);
	put_frame(bench, A, B, 2);
	ring(bench, A, TX);
	assert_int_equal(used(&bench->guests[A], TX), 3);
	assert_int_equal(next_frame(&bench->guests[B]), 0);
	assert_frames(&bench->guests[B], 2, 2);
	assert_int_equal(drops(&bench->guests[B], NET_DROP_LONG), 1);
}

/* What had been offered before the bad one was found does not count for the next driver. */
static void a_queue_that_is_broken_holds_nothing(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A];

	for (unsigned i = 0; i < 8; i++) {
		put_frame(bench, A, i < 6 ? B : C, (uint8_t)i);
		enlarge(a);
	}
	ring(bench, A, TX);
	assert_int_equal(a->net.stayed_count, 8);
	describe(a, TX, 6, HEADER - 1, 0);
	virtio_net_port_ops.resume(&a->net);
	settle(&bench->loop);
	assert_true(a->net.device.queues[TX].broken);
	driver_start(a);
	give_buffers(&bench->guests[B], 4);
	put_frame(bench, A, B, 8);
	ring(bench, A, TX);
	assert_frames(&bench->guests[B], 8, 8);
}

static void a_sender_leaves_with_some(void **state)
{
	struct bench *bench = *state;
	struct guest *a = &bench->guests[A];

	put_frames(bench, B, 0, 3);
	ring(bench, A, TX);
	assert_int_equal(a->net.stayed_count, 4);
	virtio_net_disconnect(&a->net);
	assert_int_equal(a->net.stayed_count, 0);
	put_frames(bench, B, 4, 4);
	ring(bench, A, TX);
	assert_int_equal(next_frame(&bench->guests[B]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_stay_until_there_is_room, setup, teardown),
		cmocka_unit_test_setup_teardown(others_do_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_several_does_not_fill_the_queue, setup,
						teardown),
		cmocka_unit_test_setup_teardown(captures_have_each_frame_once, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_for_one_that_takes_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(none_stay_on_an_impatient_switch, setup_impatient,
						teardown),
		cmocka_unit_test_setup_teardown(a_guest_that_pauses_keeps_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_driver_that_begins_anew_has_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_stays_is_looked_at_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_that_leaves_is_waited_for_no_longer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_that_stops_is_waited_for_no_longer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(many_receivers_without_room_hold_nobody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_is_too_long_does_not_stay, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_queue_that_is_broken_holds_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_sender_leaves_with_some, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
