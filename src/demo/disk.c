/*
 * virtio-blk driver, virtio 1.2 §5.2: requests that a task waits for one by one,
 * or has many of. CPU 0.
 */
#include "disk.h"

#include "clock.h"
#include "machine.h"
#include "memory.h"
#include "task.h"
#include "virtio.h"

#define F_READ_ONLY (1ull << 5)
#define F_FLUSH (1ull << 9)
#define REQUESTS DISK_DEPTH_MAX
#define RING 128
#define CHAIN 3 /* header, data, status */
#define TIMEOUT (60 * SECOND)
#define MARKER "VMDECK DEMO DISK"

struct request {
	uint32_t type, reserved;
	uint64_t sector;
	volatile uint8_t status;
	bool used;
	volatile bool done;
	uint32_t length;
};

struct disk_counters disk_counters;

static struct virtio device;
static struct queue queue;
static struct request requests[REQUESTS];
static uint8_t *buffers[4];
static uint64_t size;
static bool writable_known;

bool disk_setup(void)
{
	if (!virtio_open(&device, VIRTIO_BLOCK, F_READ_ONLY | F_FLUSH | VIRTIO_F_EVENT_IDX) ||
	    !virtio_queue(&device, &queue, 0, RING, VECTOR_DISK) || queue.size < REQUESTS * CHAIN)
		return false;
	for (unsigned i = 0; i < 8; i++)
		size |= (uint64_t)virtio_config(&device, i) << 8 * i;
	if (size > UINT64_MAX / SECTOR)
		size = 0;
	size *= SECTOR;
	virtio_start(&device);
	queue_interrupt(&queue, 1);
	return true;
}

uint64_t disk_size(void)
{
	return size;
}

bool disk_read_only(void)
{
	return device.features & F_READ_ONLY;
}

void disk_poll(void)
{
	uint32_t head, written;

	if (size == 0)
		return;
	do {
		while (queue_take(&queue, &head, &written))
			if (head % CHAIN == 0 && head / CHAIN < REQUESTS)
				requests[head / CHAIN].done = true;
		queue_interrupt(&queue, 1);
	} while (queue_has_used(&queue));
	task_event();
}

static void submit(struct request *request, void *data, uint32_t length)
{
	unsigned head = (request - requests) * CHAIN, at = head;
	struct descriptor *d = queue.descriptors;

	d[at] = (struct descriptor){ (uintptr_t)request, 16, DESCRIPTOR_NEXT, at + 1 };
	at++;
	if (length > 0) {
		d[at] = (struct descriptor){ (uintptr_t)data, length, DESCRIPTOR_NEXT, at + 1 };
		d[at].flags |= request->type == DISK_READ ? DESCRIPTOR_WRITE : 0;
		at++;
	}
	d[at] = (struct descriptor){ (uintptr_t)&request->status, 1, DESCRIPTOR_WRITE, 0 };
	queue_add(&queue, head);
}

/* Why a request cannot be made, or NULL. */
static const char *check(enum disk_operation operation, uint64_t offset, uint32_t length)
{
	if (size == 0)
		return "there is no disk";
	if (offset > size || length > size - offset)
		return "beyond the end of the disk";
	if ((offset | length) % SECTOR != 0)
		return "not in whole sectors of 512 bytes";
	if (operation != DISK_READ && disk_read_only())
		return "the disk is read-only";
	return NULL;
}

int disk_begin(enum disk_operation operation, uint64_t offset, void *data, uint32_t length,
	       const char **why)
{
	*why = check(operation, offset, length);
	for (unsigned i = 0; *why == NULL && i < REQUESTS; i++) {
		if (requests[i].used)
			continue;
		requests[i] = (struct request){
			.type = operation, .sector = offset / SECTOR, .status = 0xff,
			.used = true, .length = length,
		};
		submit(&requests[i], data, length);
		return i;
	}
	return -1;
}

void disk_send(void)
{
	queue_publish(&queue);
}

bool disk_ended(int number, const char **why)
{
	struct request *request = &requests[number];

	*why = NULL;
	if (!request->done)
		return false;
	request->used = false;
	if (request->status != 0) {
		disk_counters.errors++;
		*why = request->status == 1 ? "I/O error" : "the disk refused the request";
	} else if (request->type == DISK_READ) {
		disk_counters.reads++;
		disk_counters.read_bytes += request->length;
	} else if (request->type == DISK_WRITE) {
		disk_counters.writes++;
		disk_counters.written_bytes += request->length;
	}
	return true;
}

const char *disk_transfer(enum disk_operation operation, uint64_t offset, void *data,
			  uint32_t length)
{
	const char *why;
	uint64_t limit;
	int number;

	if (operation == DISK_FLUSH && size != 0 && !(device.features & F_FLUSH))
		return NULL;
	while ((number = disk_begin(operation, offset, data, length, &why)) < 0) {
		if (why != NULL)
			return why;
		task_wait(clock_now() + SECOND);
	}
	disk_send();
	limit = clock_now() + TIMEOUT;
	while (!disk_ended(number, &why) && clock_now() < limit)
		task_wait(limit);
	/* One that is never answered stays taken: the device may still write to it. */
	if (requests[number].used) {
		disk_counters.errors++;
		return "no answer from the disk";
	}
	return why;
}

static const char *claim(uint8_t *sector)
{
	const char *why = disk_transfer(DISK_READ, 0, sector, SECTOR);
	unsigned bits = 0;

	if (why != NULL || memcmp(sector, MARKER, strlen(MARKER)) == 0)
		return why;
	for (unsigned i = 0; i < SECTOR; i++)
		bits |= sector[i];
	if (bits != 0)
		return "the disk has no demo marker, so it is not written (force does)";
	memcpy(sector, MARKER, strlen(MARKER));
	return disk_transfer(DISK_WRITE, 0, sector, SECTOR);
}

const char *disk_claim(void)
{
	const char *why;
	uint8_t *sector;

	if (writable_known)
		return NULL;
	if (disk_read_only())
		return "the disk is read-only";
	sector = disk_buffer();
	if (sector == NULL)
		return "no buffer is free";
	why = claim(sector);
	writable_known = why == NULL;
	disk_free(sector);
	return why;
}

struct virtio *disk_device(void)
{
	return &device;
}

void disk_give_up(void)
{
	size = 0;
}

static bool taken[ARRAY_SIZE(buffers)];

uint8_t *disk_buffer(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(buffers); i++) {
		if (buffers[i] == NULL)
			buffers[i] = memory_take(DISK_TRANSFER_MAX);
		if (!taken[i] && buffers[i] != NULL) {
			taken[i] = true;
			return buffers[i];
		}
	}
	return NULL;
}

void disk_free(uint8_t *buffer)
{
	for (unsigned i = 0; i < ARRAY_SIZE(buffers); i++)
		if (buffers[i] == buffer)
			taken[i] = false;
}
