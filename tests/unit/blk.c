/*
 * virtio-blk over a transport that is this test: rings built by hand in guest
 * memory, every request type, odd framings, resets under way, and requests of
 * a hostile driver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>
#include <linux/virtio_blk.h>

#include "base/clock.h"
#include "core/virtio/blk.h"
#include "lib/refuse.h"
#include "scratch.h"

#define IMAGE_SIZE (1u << 20)
#define MEMORY_SIZE (16u << 20)
#define RING_SIZE VIRTIO_BLK_QUEUE_SIZE
#define TABLE 0x1000u
#define AVAILABLE 0x2000u
#define USED 0x3000u
#define HEADERS 0x10000u /* 32 bytes for each head: header, status */
#define DATA 0x100000u

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

struct fixture {
	struct scratch scratch;
	struct loop loop;
	struct loop_timer limit;
	struct disk_ring *ring;
	struct disk *disk;
	struct virtio_blk blk;
	struct guest_memory memory;
	uint16_t available, seen;
	unsigned interrupts, kicks, resets;
	const char *broken;
};

static struct fixture *current;

/* The transport */

void virtio_interrupt(struct virtio *device, unsigned n)
{
	(void)device;
	assert_int_equal(n, 0);
	current->interrupts++;
	loop_stop(&current->loop);
}

void virtio_kick_again(struct virtio *device, unsigned n)
{
	(void)device;
	assert_int_equal(n, 0);
	current->kicks++;
}

void virtio_config_changed(struct virtio *device)
{
	(void)device;
	fail();
}

void virtio_broken(struct virtio *device, const char *why)
{
	(void)device;
	current->broken = why;
}

void virtio_reset_done(struct virtio *device)
{
	(void)device;
	current->resets++;
	loop_stop(&current->loop);
}

static void kick(struct fixture *f)
{
	struct virtio *device = &f->blk.device;

	pthread_mutex_lock(&device->lock);
	device->ops->kick(device, 0);
	while (f->kicks) {
		f->kicks--;
		device->ops->kick(device, 0);
	}
	pthread_mutex_unlock(&device->lock);
}

/* The driver */

static void *guest(struct fixture *f, uint64_t address)
{
	return f->memory.regions[0].host + address;
}

static struct descriptor *descriptor(struct fixture *f, unsigned n)
{
	return (struct descriptor *)guest(f, TABLE) + n;
}

static void start_device(struct fixture *f, uint64_t features)
{
	struct virtio *device = &f->blk.device;
	struct virtq *queue = &device->queues[0];

	*queue = (struct virtq){ .memory = &f->memory, .size = RING_SIZE,
				 .descriptor_address = TABLE, .driver_address = AVAILABLE,
				 .device_address = USED };
	memset(guest(f, TABLE), 0, DATA - TABLE);
	f->available = f->seen = 0;
	assert_int_equal(virtq_enable(queue), 0);
	device->features = features;
	device->running = true;
	device->ops->start(device);
}

static int open_all(struct fixture *f, bool readonly)
{
	struct disk_config config = { .name = "disk0", .path = f->scratch.path,
				      .readonly = readonly };

	if (disk_ring_create(&f->ring, &f->loop, NULL) < 0 ||
	    disk_open(&f->disk, f->ring, &config, NULL) < 0 ||
	    virtio_blk_init(&f->blk, f->disk, "serial-of-more-than-20-bytes", 1, NULL) < 0)
		return -1;
	pthread_mutex_init(&f->blk.device.lock, NULL);
	start_device(f, 1ull << VIRTIO_BLK_F_FLUSH);
	return 0;
}

static void too_long(void *arg)
{
	(void)arg;
	abort();
}

static int setup_mode(void **state, bool readonly)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_create(&f->scratch) < 0 ||
	    scratch_image(&f->scratch, "x.img", IMAGE_SIZE) < 0 ||
	    loop_init(&f->loop, NULL) < 0 || memory_create(&f->memory, MEMORY_SIZE, NULL) < 0)
		return -1;
	f->limit.fire = too_long;
	loop_timer_set(&f->loop, &f->limit, 120 * NS_PER_S);
	*state = current = f;
	return open_all(f, readonly);
}

static int setup(void **state)
{
	return setup_mode(state, false);
}

static int setup_readonly(void **state)
{
	return setup_mode(state, true);
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", NULL };
	struct fixture *f = *state;
	int r;

	virtio_blk_destroy(&f->blk);
	virtio_blk_destroy(&f->blk);
	disk_close(f->disk);
	disk_ring_destroy(f->ring);
	loop_destroy(&f->loop);
	memory_destroy(&f->memory);
	r = scratch_remove(&f->scratch, files);
	free(f);
	return r;
}

static void offer(struct fixture *f, uint16_t head)
{
	uint16_t *ring = guest(f, AVAILABLE);

	ring[2 + f->available % RING_SIZE] = head;
	__atomic_store_n(&ring[1], ++f->available, __ATOMIC_RELEASE);
}

static uint16_t used_index(struct fixture *f)
{
	return __atomic_load_n((uint16_t *)guest(f, USED) + 1, __ATOMIC_ACQUIRE);
}

/* Waits until this many more requests are used. */
static void wait_used(struct fixture *f, unsigned count)
{
	f->seen = (uint16_t)(f->seen + count);
	while ((int16_t)(used_index(f) - f->seen) < 0) {
		assert_null(f->broken);
		assert_int_equal(loop_run(&f->loop), 0);
	}
	assert_int_equal(used_index(f), f->seen);
}

static uint32_t used_length(struct fixture *f)
{
	uint32_t *ring = guest(f, USED + 4);

	return ring[2 * ((f->seen - 1u) % RING_SIZE) + 1];
}

static uint64_t header_at(unsigned head)
{
	return HEADERS + 32u * head;
}

static uint8_t *status_of(struct fixture *f, unsigned head)
{
	return guest(f, header_at(head) + 16);
}

/* A request of header, data (none if size is 0) and status, in three descriptors from head on. */
static void build(struct fixture *f, uint16_t head, uint32_t type, uint64_t sector, uint64_t data,
		  uint32_t size, bool in)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	uint16_t n = head;

	memcpy(guest(f, header_at(head)), &header, sizeof(header));
	*status_of(f, head) = 0xee;
	*descriptor(f, n) = (struct descriptor){ header_at(head), 16, NEXT, (uint16_t)(n + 1) };
	n++;
	if (size) {
		*descriptor(f, n) = (struct descriptor){ data, size, in ? NEXT | WRITE : NEXT,
							 (uint16_t)(n + 1) };
		n++;
	}
	*descriptor(f, n) = (struct descriptor){ header_at(head) + 16, 1, WRITE, 0 };
	offer(f, head);
}

static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t size, bool in)
{
	build(f, 0, type, sector, DATA, size, in);
	kick(f);
	wait_used(f, 1);
	return *status_of(f, 0);
}

/* Requests */

static void reads_and_writes(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = guest(f, DATA);

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 3, 4096, true), VIRTIO_BLK_S_OK);
	assert_int_equal(used_length(f), 4097);
	for (unsigned i = 0; i < 4096; i++)
		assert_int_equal(data[i], scratch_byte(1536 + i));
	memset(data, 0x77, 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 8, 1024, false), VIRTIO_BLK_S_OK);
	assert_int_equal(used_length(f), 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK);
	memset(data, 0, 4096);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 7, 2048, true), VIRTIO_BLK_S_OK);
	for (unsigned i = 0; i < 2048; i++)
		assert_int_equal(data[i], i >= 512 && i < 1536 ? 0x77 : scratch_byte(3584 + i));
}

static void write_through_without_flush(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_discard_write_zeroes range = { .sector = 8, .num_sectors = 8 };

	start_device(f, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 8, 1024, false), VIRTIO_BLK_S_OK);
	memcpy(guest(f, DATA), &range, sizeof(range));
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_OK);
}

static void identity(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20, true), VIRTIO_BLK_S_OK);
	assert_int_equal(used_length(f), 21);
	assert_memory_equal(guest(f, DATA), "serial-of-more-than-", 20);
}

static void zeroes_and_discards(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_discard_write_zeroes *range = guest(f, DATA);

	*range = (struct virtio_blk_discard_write_zeroes){ .sector = 16, .num_sectors = 16,
							   .flags = 1 };
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	range->flags = 2;
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false),
			 VIRTIO_BLK_S_UNSUPP);
	range->flags = 0;
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 32, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 8, false), VIRTIO_BLK_S_IOERR);
	range->num_sectors = UINT32_MAX;
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_IOERR);
	range->num_sectors = 1;
	range->sector = UINT64_MAX / 512 + 2; /* 512 * sector wraps to 512 */
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 15, 9216, true), VIRTIO_BLK_S_OK);
	for (unsigned i = 0; i < 9216; i++)
		assert_int_equal(((uint8_t *)guest(f, DATA))[i],
				 i >= 512 && i < 8704 ? 0 : scratch_byte(7680 + i));
}

static void wrong_requests_get_an_error(void **state)
{
	struct fixture *f = *state;
	struct disk_counters counters;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, IMAGE_SIZE / 512, 512, true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(used_length(f), 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, IMAGE_SIZE / 512 - 1, 1024, true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, UINT64_MAX / 512 + 1, 512, false),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(used_length(f), 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 100, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 0, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, 1234, 0, 512, true), VIRTIO_BLK_S_UNSUPP);
	assert_null(f->broken);
	disk_get_counters(f->disk, &counters);
	assert_int_equal(counters.write_requests, 0);
}

static void readonly_disk(void **state)
{
	struct fixture *f = *state;
	uint64_t features = f->blk.device.ops->features(&f->blk.device);
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 1 };

	assert_true(features & 1ull << VIRTIO_BLK_F_RO);
	assert_false(features & 1ull << VIRTIO_BLK_F_DISCARD);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	memcpy(guest(f, DATA), &range, sizeof(range));
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_OK);
}

static void configuration(void **state)
{
	struct fixture *f = *state;
	const struct virtio_ops *ops = f->blk.device.ops;
	uint64_t capacity;
	uint32_t seg_max;
	uint8_t all[sizeof(struct virtio_blk_config)];

	ops->config_read(&f->blk.device, 0, &capacity, 8);
	assert_int_equal(capacity, IMAGE_SIZE / 512);
	ops->config_read(&f->blk.device, 12, &seg_max, 4);
	assert_int_equal(seg_max, RING_SIZE - 2);
	assert_int_equal(ops->config_size, 60);
	for (uint32_t i = 0; i < ops->config_size; i++)
		ops->config_read(&f->blk.device, i, all + i, 1);
	assert_int_equal(all[24], 3);
	assert_int_equal(all[56], 1);
}

/* The header in two pieces with data in the second, the status in the data's last buffer. */
static void any_framing(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = 4 };
	uint8_t *data = guest(f, DATA);

	memcpy(data, &header, 16);
	memset(data + 16, 0x11, 512);
	*descriptor(f, 0) = (struct descriptor){ DATA, 5, NEXT, 1 };
	*descriptor(f, 1) = (struct descriptor){ DATA + 5, 0, NEXT, 2 };
	*descriptor(f, 2) = (struct descriptor){ DATA + 5, 111, NEXT, 3 };
	*descriptor(f, 3) = (struct descriptor){ DATA + 116, 412, NEXT, 4 };
	*descriptor(f, 4) = (struct descriptor){ DATA + 0x1000, 1, WRITE, 0 };
	offer(f, 0);
	kick(f);
	wait_used(f, 1);
	assert_int_equal(data[0x1000], VIRTIO_BLK_S_OK);
	header.type = VIRTIO_BLK_T_IN;
	memcpy(data, &header, 16);
	*descriptor(f, 0) = (struct descriptor){ DATA, 16, NEXT, 1 };
	*descriptor(f, 1) = (struct descriptor){ DATA + 0x2000, 300, WRITE | NEXT, 2 };
	*descriptor(f, 2) = (struct descriptor){ DATA + 0x3000, 213, WRITE, 0 };
	offer(f, 0);
	kick(f);
	wait_used(f, 1);
	assert_int_equal(used_length(f), 513);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(data[0x2000 + i], 0x11);
	for (unsigned i = 0; i < 212; i++)
		assert_int_equal(data[0x3000 + i], 0x11);
	assert_int_equal(data[0x3000 + 212], VIRTIO_BLK_S_OK);
}

/* An indirect table of as many buffers as can be, none next to another. */
static void indirect_read(struct fixture *f, uint16_t head, unsigned pieces)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN, .sector = head };
	uint64_t base = 0x40000u + 4096u * head;
	struct descriptor *table = guest(f, base);

	memcpy(guest(f, header_at(head)), &header, 16);
	*status_of(f, head) = 0xee;
	table[0] = (struct descriptor){ header_at(head), 16, NEXT, 1 };
	for (unsigned i = 1; i <= pieces; i++)
		table[i] = (struct descriptor){ DATA + 0x10000u * head + 1024u * (pieces - i), 512,
						NEXT | WRITE, (uint16_t)(i + 1) };
	table[pieces + 1] = (struct descriptor){ header_at(head) + 16, 1, WRITE, 0 };
	*descriptor(f, head) = (struct descriptor){ base, 16 * (pieces + 2), INDIRECT, 0 };
	offer(f, head);
}

/* More requests with long scatter lists than there are tables for: the rest waits. */
static void long_scatter_lists(void **state)
{
	struct fixture *f = *state;

	for (uint16_t head = 0; head < 24; head++)
		indirect_read(f, head, 60);
	kick(f);
	wait_used(f, 24);
	for (uint16_t head = 0; head < 24; head++) {
		uint8_t *data = guest(f, DATA + 0x10000u * head);

		assert_int_equal(*status_of(f, head), VIRTIO_BLK_S_OK);
		for (unsigned i = 0; i < 60; i++)
			assert_int_equal(data[1024 * (59 - i)], scratch_byte((head + i) * 512u));
	}
	indirect_read(f, 0, 126);
	kick(f);
	wait_used(f, 1);
	assert_int_equal(*status_of(f, 0), VIRTIO_BLK_S_OK);
}

/* A full ring of requests: all answered, with far fewer interrupts than requests. */
static void bursts(void **state)
{
	struct fixture *f = *state;
	unsigned total = 0;

	for (unsigned round = 0; round < 50; round++) {
		for (uint16_t head = 0; head + 2 < RING_SIZE; head += 3, total++)
			build(f, head, VIRTIO_BLK_T_IN, head, DATA + 512u * head, 512, true);
		kick(f);
		wait_used(f, RING_SIZE / 3);
		for (uint16_t head = 0; head + 2 < RING_SIZE; head += 3)
			assert_int_equal(*status_of(f, head), VIRTIO_BLK_S_OK);
	}
	assert_true(f->interrupts < total);
	/* And one more than requests at once, by indirect tables. */
	for (uint16_t head = 0; head < RING_SIZE; head++)
		indirect_read(f, head, 1);
	kick(f);
	wait_used(f, RING_SIZE);
}

/* What is under way when the machine pauses is answered; what waits in the ring goes on waiting. */
static void pause_drains(void **state)
{
	struct fixture *f = *state;
	unsigned answered;

	for (uint16_t head = 0; head < RING_SIZE; head++)
		indirect_read(f, head, 1);
	pthread_mutex_lock(&f->blk.device.lock);
	f->blk.device.ops->kick(&f->blk.device, 0);
	f->blk.device.paused = true;
	pthread_mutex_unlock(&f->blk.device.lock);
	assert_false(virtio_blk_is_idle(&f->blk));
	while (!virtio_blk_is_idle(&f->blk))
		assert_int_equal(loop_run(&f->loop), 0);
	answered = used_index(f);
	assert_int_equal(answered, VIRTIO_BLK_REQUESTS);
	assert_int_equal(f->blk.device.queues[0].next_available, answered);
	f->blk.device.paused = false;
	kick(f);
	wait_used(f, RING_SIZE);
}

static void reset_waits_for_requests(void **state)
{
	struct fixture *f = *state;
	struct virtio *device = &f->blk.device;

	for (uint16_t head = 0; head < 60; head += 3)
		build(f, head, VIRTIO_BLK_T_OUT, head, DATA + 512u * head, 512, false);
	kick(f);
	pthread_mutex_lock(&device->lock);
	device->running = false;
	assert_false(device->ops->reset(device));
	pthread_mutex_unlock(&device->lock);
	while (!f->resets)
		assert_int_equal(loop_run(&f->loop), 0);
	assert_int_equal(f->resets, 1);
	assert_int_equal(used_index(f), 0);
	for (uint16_t head = 0; head < 60; head += 3)
		assert_int_equal(*status_of(f, head), 0xee);
	start_device(f, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	pthread_mutex_lock(&device->lock);
	assert_true(device->ops->reset(device));
	pthread_mutex_unlock(&device->lock);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Requests are under way, and the driver forbids the use of memory before they are done. */
static void stop_with_requests(struct fixture *f, unsigned count)
{
	struct virtio *device = &f->blk.device;
	struct loop_timer timer = { .fire = stop_loop, .arg = &f->loop };
	struct disk_counters before, now;

	disk_get_counters(f->disk, &before);
	for (uint16_t head = 0; head < 3 * count; head += 3)
		build(f, head, VIRTIO_BLK_T_IN, head, DATA + 512u * head, 512, true);
	kick(f);
	pthread_mutex_lock(&device->lock);
	device->running = false;
	pthread_mutex_unlock(&device->lock);
	do {
		loop_timer_set(&f->loop, &timer, NS_PER_MS);
		assert_int_equal(loop_run(&f->loop), 0);
		disk_get_counters(f->disk, &now);
	} while (now.read_requests - before.read_requests < count);
	assert_int_equal(used_index(f), f->seen);
	for (uint16_t head = 0; head < 3 * count; head += 3)
		assert_int_equal(*status_of(f, head), 0xee);
}

/* What is done while the rings may not be touched is answered later, or goes with a reset. */
static void answers_wait_for_bus_mastering(void **state)
{
	struct fixture *f = *state;
	struct virtio *device = &f->blk.device;

	stop_with_requests(f, 20);
	pthread_mutex_lock(&device->lock);
	device->running = true;
	device->ops->start(device);
	pthread_mutex_unlock(&device->lock);
	kick(f);
	wait_used(f, 20);
	for (uint16_t head = 0; head < 60; head += 3)
		assert_int_equal(*status_of(f, head), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);

	stop_with_requests(f, 20);
	pthread_mutex_lock(&device->lock);
	assert_true(device->ops->reset(device));
	pthread_mutex_unlock(&device->lock);
	assert_int_equal(used_index(f), f->seen);
	start_device(f, 0);
	for (uint16_t head = 0; head < RING_SIZE; head++)
		indirect_read(f, head, 1);
	kick(f);
	wait_used(f, RING_SIZE);
}

/* The device needs a reset: neither that request nor any later one is served before. */
static void lacking_header_or_status_breaks(void **state)
{
	static const struct descriptor chains[][2] = {
		{ { DATA, 15, NEXT, 1 }, { DATA + 512, 1, WRITE, 0 } },	 /* short header */
		{ { DATA, 16, 0, 0 }, { 0 } },				 /* no status */
		{ { DATA, 16, NEXT, 1 }, { DATA + 512, 0, WRITE, 0 } },	 /* an empty one */
		{ { DATA, 512, WRITE, 0 }, { 0 } },			 /* no header */
		{ { DATA, 0, NEXT, 1 }, { DATA + 512, 513, WRITE, 0 } }, /* an empty one */
		{ { DATA, 0, 0, 0 }, { 0 } },				 /* nothing at all */
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct virtq *queue = &f->blk.device.queues[0];

		f->broken = NULL;
		start_device(f, 0);
		build(f, 4, VIRTIO_BLK_T_GET_ID, 0, DATA + 0x1000, 20, true);
		memcpy(descriptor(f, 0), chains[i], sizeof(chains[i]));
		offer(f, 0);
		build(f, 8, VIRTIO_BLK_T_IN, 0, DATA + 0x2000, 512, true);
		kick(f);
		assert_non_null(f->broken);
		assert_true(queue->broken);
		assert_int_equal(used_index(f), 1); /* what was right before it */
		assert_int_equal(*status_of(f, 4), VIRTIO_BLK_S_OK);

		build(f, 8, VIRTIO_BLK_T_GET_ID, 0, DATA + 0x1000, 20, true);
		kick(f);
		assert_int_equal(used_index(f), 1);
		assert_int_equal(*status_of(f, 8), 0xee);
		assert_true(f->blk.device.ops->reset(&f->blk.device));
	}
	f->broken = NULL;
	start_device(f, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

/* Random chains and headers: nothing crashes, every accepted request is answered once. */
static void hostile_driver(void **state)
{
	struct fixture *f = *state;
	struct virtio *device = &f->blk.device;
	unsigned answered = 0;

	srandom(20241);
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t *words = guest(f, DATA);

		f->broken = NULL;
		start_device(f, random() & 1 ? 1ull << VIRTIO_BLK_F_FLUSH : 0);
		for (unsigned i = 0; i < 64; i++)
			words[i] = (uint32_t)(random() & 1 ? random() % 16 : 0);
		for (unsigned n = 0; n < 16; n++) {
			static const uint32_t lengths[] = { 0, 1, 15, 16, 17, 512, 513, 4096 };
			uint64_t address = DATA + (uint64_t)random() % 4 * 16;
			uint16_t flags = (uint16_t)(random() % 8 ? random() & 3 : random());

			if (random() % 16 == 0)
				address = (uint64_t)random() << (random() % 33);
			*descriptor(f, n) = (struct descriptor){
				address, random() % 32 ? lengths[random() % 8] : (uint32_t)random(),
				flags, (uint16_t)(random() % 18) };
		}
		for (unsigned i = 0; i < 8; i++)
			offer(f, (uint16_t)(random() % 16));
		kick(f);
		answered += used_index(f);
		pthread_mutex_lock(&device->lock);
		device->running = false;
		if (!device->ops->reset(device)) {
			unsigned resets = f->resets;

			pthread_mutex_unlock(&device->lock);
			while (f->resets == resets)
				assert_int_equal(loop_run(&f->loop), 0);
		} else {
			pthread_mutex_unlock(&device->lock);
		}
	}
	assert_true(answered > 0);
	assert_true(f->resets > 0);
	f->broken = NULL;
	start_device(f, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 9, 512, true), VIRTIO_BLK_S_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(reads_and_writes),
		TEST(write_through_without_flush),
		TEST(identity),
		TEST(zeroes_and_discards),
		TEST(wrong_requests_get_an_error),
		cmocka_unit_test_setup_teardown(readonly_disk, setup_readonly, teardown),
		TEST(configuration),
		TEST(any_framing),
		TEST(long_scatter_lists),
		TEST(bursts),
		TEST(pause_drains),
		TEST(reset_waits_for_requests),
		TEST(answers_wait_for_bus_mastering),
		TEST(lacking_header_or_status_breaks),
		TEST(hostile_driver),
	};
	int failed;

	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (refuse_calls(&(struct refusal){ SYS_io_uring_setup, ENOSYS }, 1) == 0)
		failed += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return failed;
}
