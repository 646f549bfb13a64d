/*
 * The virtio block device. virtio 1.2 §5.2. Requests on the guest's I/O
 * thread, configuration and reset on vCPU threads; all under the device lock.
 *
 * A burst of requests is taken from the ring and handed to the kernel with one
 * system call; a run of completions is published at once, with one interrupt a
 * queue.
 */
#include "core/virtio/blk.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "core/virtio/blk_command.h"

#define BIT(n) (1ull << (n))

#define BURST VIRTIO_BLK_REQUESTS
#define IOV_SMALL 16   /* iovecs within a request */
#define IOV_TABLES 8   /* for requests with more; at most 32 */
#define IOV_TABLE_SIZE VIRTIO_BLK_QUEUE_SIZE

/* Of a discard or zero request; bounds how long one of them can take. */
#define RANGE_SECTORS_MAX ((1u << 30) / DISK_SECTOR)
#define PHYSICAL_BLOCK_EXP 3 /* 4096 bytes */

#define CONFIG_SIZE offsetof(struct virtio_blk_config, max_secure_erase_sectors)

struct blk_request {
	struct disk_request disk;
	struct virtio_blk *blk;
	struct blk_request *next; /* in the list of finished ones */
	uint8_t *status;	  /* in guest memory */
	uint32_t in_size;	  /* bytes that the device may write before it */
	uint16_t head;
	uint8_t queue;
	int8_t table;	/* table of iovecs, or -1 */
	uint8_t result; /* VIRTIO_BLK_S_... */
	struct iovec iov[IOV_SMALL];
};

struct blk_memory {
	struct blk_request requests[VIRTIO_BLK_REQUESTS];
	struct iovec tables[IOV_TABLES][IOV_TABLE_SIZE];
	struct iovec popped[IOV_TABLE_SIZE];
};

static struct virtio_blk *blk_of(struct virtio *device)
{
	return container_of(device, struct virtio_blk, device);
}

/* --- configuration --- */

static uint64_t blk_features(struct virtio *device)
{
	uint64_t features = BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
			    BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_TOPOLOGY);

	if (device->queue_count > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	if (disk_is_readonly(blk_of(device)->disk))
		return features | BIT(VIRTIO_BLK_F_RO);
	return features | BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

static void blk_config_read(struct virtio *device, uint32_t offset, void *data, unsigned length)
{
	struct virtio_blk_config config = {
		.capacity = disk_size(blk_of(device)->disk) / DISK_SECTOR,
		/* Header and status take a descriptor each. */
		.seg_max = VIRTIO_BLK_QUEUE_SIZE - 2,
		.blk_size = DISK_SECTOR,
		.physical_block_exp = PHYSICAL_BLOCK_EXP,
		.min_io_size = 1u << PHYSICAL_BLOCK_EXP,
		.num_queues = (uint16_t)device->queue_count,
		.max_discard_sectors = RANGE_SECTORS_MAX,
		.max_discard_seg = 1,
		.discard_sector_alignment = 1u << PHYSICAL_BLOCK_EXP,
		.max_write_zeroes_sectors = RANGE_SECTORS_MAX,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};

	memcpy(data, (const uint8_t *)&config + offset, length);
}

/* --- memory of requests --- */

static struct blk_request *request_take(struct virtio_blk *blk)
{
	struct blk_request *request = &blk->memory->requests[blk->unused[--blk->unused_count]];

	request->blk = blk;
	request->table = -1;
	return request;
}

static void request_release(struct virtio_blk *blk, struct blk_request *request)
{
	if (request->table >= 0)
		blk->unused_tables |= 1u << request->table;
	blk->unused[blk->unused_count++] = (uint8_t)(request - blk->memory->requests);
}

static bool idle(const struct virtio_blk *blk)
{
	return blk->unused_count == VIRTIO_BLK_REQUESTS;
}

/* --- completion --- */

/*
 * Puts a request into the used ring. The length counts from the start of what the device may
 * write (§2.7.8.2): filled bytes of in_size, and the status only if nothing was left out.
 */
static void answer(struct virtq *queue, uint16_t head, uint8_t *status, uint8_t result,
		   uint32_t filled, uint32_t in_size)
{
	*(volatile uint8_t *)status = result;
	virtq_push(queue, head, filled == in_size ? filled + 1 : filled);
}

static void answer_now(struct virtio_blk *blk, const struct blk_command *command, uint8_t result,
		       uint32_t filled)
{
	answer(&blk->device.queues[command->queue], command->chain.head, command->status, result,
	       filled, command->in_size);
}

static void publish(struct virtio_blk *blk)
{
	for (unsigned n = 0; n < blk->device.queue_count; n++)
		if (virtq_publish(&blk->device.queues[n]))
			virtio_interrupt(&blk->device, n);
}

/* The disk is done with a request; the driver is told in blk_batch(). */
static void blk_done(struct disk_request *disk_request, int result)
{
	struct blk_request *request = container_of(disk_request, struct blk_request, disk);
	struct virtio_blk *blk = request->blk;

	request->result = result < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	request->next = blk->finished;
	blk->finished = request;
}

/* --- serving --- */

enum served { SERVED, QUEUED, NO_ROOM };

/* Iovecs that stay until the request is done; NULL when there is no room now. */
static struct iovec *keep_iov(struct virtio_blk *blk, struct blk_request *request,
			      const struct iovec *iov, unsigned count)
{
	struct iovec *kept = request->iov;

	if (count > IOV_SMALL) {
		if (!blk->unused_tables)
			return NULL;
		request->table = (int8_t)__builtin_ctz(blk->unused_tables);
		blk->unused_tables &= ~(1u << request->table);
		kept = blk->memory->tables[request->table];
	}
	memcpy(kept, iov, count * sizeof(*iov));
	return kept;
}

/* Hands a request to the disk. operation, offset, length and flags are set in *order. */
static enum served start_request(struct virtio_blk *blk, const struct blk_command *command,
				 const struct disk_request *order, struct iovec *iov,
				 unsigned iov_count)
{
	struct blk_request *request = request_take(blk);
	unsigned count = blk_join(iov, iov_count);

	request->disk = *order;
	request->disk.stable = blk->stable;
	request->disk.iov = keep_iov(blk, request, iov, count);
	if (!request->disk.iov) {
		request_release(blk, request);
		return NO_ROOM;
	}
	request->disk.iov_count = count;
	request->disk.done = blk_done;
	request->head = command->chain.head;
	request->queue = (uint8_t)command->queue;
	request->status = command->status;
	request->in_size = command->in_size;
	if (disk_queue(blk->disk, &request->disk) < 0) {
		request_release(blk, request);
		answer_now(blk, command, VIRTIO_BLK_S_IOERR, 0);
		return SERVED;
	}
	return QUEUED;
}

static enum served serve_data(struct virtio_blk *blk, struct blk_command *command)
{
	bool reading = command->type == VIRTIO_BLK_T_IN;
	struct disk_request order = {
		.operation = reading ? DISK_READ : DISK_WRITE,
		.length = reading ? command->in_size : command->out_size,
		.offset = command->sector * DISK_SECTOR,
	};

	if (!order.length || order.length % DISK_SECTOR ||
	    command->sector >= disk_size(blk->disk) / DISK_SECTOR) {
		answer_now(blk, command, VIRTIO_BLK_S_IOERR, 0);
		return SERVED;
	}
	if (reading)
		return start_request(blk, command, &order, command->in, command->in_count);
	return start_request(blk, command, &order, command->out, command->out_count);
}

/* Discard and write zeroes: exactly one segment, as the configuration says. */
static enum served serve_range(struct virtio_blk *blk, struct blk_command *command)
{
	bool discard = command->type == VIRTIO_BLK_T_DISCARD;
	uint32_t allowed = discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	struct disk_request order = { .operation = discard ? DISK_DISCARD : DISK_WRITE_ZEROES };
	struct virtio_blk_discard_write_zeroes range;
	uint8_t result = VIRTIO_BLK_S_IOERR;

	if (command->out_size != sizeof(range) || !blk_command_take(command, &range, sizeof(range)))
		goto refuse;
	if (range.flags & ~allowed) {
		result = VIRTIO_BLK_S_UNSUPP;
		goto refuse;
	}
	if (!range.num_sectors || range.num_sectors > RANGE_SECTORS_MAX ||
	    range.sector >= disk_size(blk->disk) / DISK_SECTOR)
		goto refuse;
	order.offset = range.sector * DISK_SECTOR;
	order.length = (uint64_t)range.num_sectors * DISK_SECTOR;
	order.unmap = range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	return start_request(blk, command, &order, command->out, 0);
refuse:
	answer_now(blk, command, result, 0);
	return SERVED;
}

static enum served serve_id(struct virtio_blk *blk, struct blk_command *command)
{
	answer_now(blk, command, VIRTIO_BLK_S_OK,
		   blk_command_give(command, blk->serial, VIRTIO_BLK_SERIAL));
	return SERVED;
}

static enum served serve_one(struct virtio_blk *blk, struct blk_command *command)
{
	struct disk_request flush = { .operation = DISK_FLUSH };

	switch (command->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return serve_data(blk, command);
	case VIRTIO_BLK_T_FLUSH:
		return start_request(blk, command, &flush, command->out, 0);
	case VIRTIO_BLK_T_GET_ID:
		return serve_id(blk, command);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return serve_range(blk, command);
	default:
		answer_now(blk, command, VIRTIO_BLK_S_UNSUPP, 0);
		return SERVED;
	}
}

/* One request from a ring: 1, 0 when there is none or no room for it, or -EINVAL. */
static int serve_next(struct virtio_blk *blk, unsigned n)
{
	struct virtq *queue = &blk->device.queues[n];
	struct blk_command command;
	int r;

	if (!blk->unused_count) {
		blk->stalled |= 1u << n;
		return 0;
	}
	r = virtq_pop(queue, &command.chain, blk->memory->popped, IOV_TABLE_SIZE);
	if (r <= 0) {
		if (r < 0)
			virtio_broken(&blk->device, "a request queue breaks the rules of virtio");
		return r;
	}
	if (!blk_command_parse(&command, blk->memory->popped)) {
		virtio_broken(&blk->device, "a request lacks its header or its status byte");
		return virtq_break(queue);
	}
	command.queue = n;
	if (serve_one(blk, &command) != NO_ROOM)
		return 1;
	virtq_unpop(queue);
	blk->stalled |= 1u << n;
	return 0;
}

/* Serves a burst; device lock held. What is left is seen to later, by us or by a kick. */
static void serve(struct virtio_blk *blk, unsigned n)
{
	struct virtq *queue = &blk->device.queues[n];
	unsigned count = 0;
	int r = 0;

	blk->stalled &= ~(1u << n);
	virtq_want_kicks(queue, false);
	while (count < BURST) {
		r = serve_next(blk, n);
		if (r > 0) {
			count++;
			continue;
		}
		if (r < 0 || (blk->stalled & 1u << n))
			break;
		virtq_want_kicks(queue, true);
		if (!virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (count == BURST)
		virtio_kick_again(&blk->device, n);
	publish(blk);
	disk_submit(disk_get_ring(blk->disk));
}

/* The queues that stalled, the one whose turn it is first: none takes all that gets free. */
static void serve_stalled(struct virtio_blk *blk)
{
	unsigned count = blk->device.queue_count;
	uint32_t stalled = blk->stalled;

	for (unsigned i = 0; i < count; i++)
		if (stalled & 1u << (blk->turn + i) % count)
			serve(blk, (blk->turn + i) % count);
	blk->turn = (blk->turn + 1) % count;
}

static void finish(struct virtio_blk *blk, struct blk_request *request)
{
	bool filled = request->result == VIRTIO_BLK_S_OK && request->disk.operation == DISK_READ;

	if (!blk->resetting && !blk->device.running) {
		request->next = blk->held;
		blk->held = request;
		return;
	}
	if (!blk->resetting)
		answer(&blk->device.queues[request->queue], request->head, request->status, request->result,
		       filled ? request->in_size : 0, request->in_size);
	request_release(blk, request);
}

/* Answers, or with a reset under way drops, what was finished while the device was stopped. */
static void finish_held(struct virtio_blk *blk)
{
	struct blk_request *request;

	while ((request = blk->held)) {
		blk->held = request->next;
		finish(blk, request);
	}
}

static void blk_kick(struct virtio *device, unsigned n)
{
	struct virtio_blk *blk = blk_of(device);

	finish_held(blk);
	/* One that stalled goes on when a request is done; while it was paused none may be left. */
	if (!blk->resetting && (!(blk->stalled & 1u << n) || idle(blk)))
		serve(blk, n);
}

/* The loop has delivered a run of blk_done(). */
static void blk_batch(void *arg)
{
	struct virtio_blk *blk = arg;
	struct blk_request *request;

	pthread_mutex_lock(&blk->device.lock);
	while ((request = blk->finished)) {
		blk->finished = request->next;
		finish(blk, request);
	}
	if (blk->resetting && idle(blk)) {
		blk->resetting = false;
		virtio_reset_done(&blk->device);
	} else if (!blk->resetting && blk->device.running) {
		publish(blk);
		if (blk->stalled && !blk->device.paused)
			serve_stalled(blk);
	}
	pthread_mutex_unlock(&blk->device.lock);
}

/* --- life --- */

static void blk_start(struct virtio *device)
{
	struct virtio_blk *blk = blk_of(device);

	blk->stalled = 0;
	blk->stable = !(device->features & BIT(VIRTIO_BLK_F_FLUSH));
}

static bool blk_reset(struct virtio *device)
{
	struct virtio_blk *blk = blk_of(device);

	blk->stalled = 0;
	blk->resetting = true;
	finish_held(blk);
	blk->resetting = !idle(blk);
	return !blk->resetting;
}

static const struct virtio_ops blk_ops = {
	.id = 2,
	.class_code = 0x010000, /* mass storage, SCSI: what firmware expects of virtio-blk */
	.queues = 1,
	.queue_size = VIRTIO_BLK_QUEUE_SIZE,
	.config_size = CONFIG_SIZE,
	.features = blk_features,
	.config_read = blk_config_read,
	.start = blk_start,
	.kick = blk_kick,
	.reset = blk_reset,
};

int virtio_blk_init(struct virtio_blk *blk, struct disk *disk, const char *serial,
		    unsigned queues, struct cause *cause)
{
	/* Pages of its own: much of it is never touched, and its neighbours on a heap would be. */
	void *memory = mmap(NULL, sizeof(*blk->memory), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t length = strlen(serial);

	if (memory == MAP_FAILED)
		return cause_errno(cause, ENOMEM, "disk %s: no memory for requests", serial);
	*blk = (struct virtio_blk){ .device = { .ops = &blk_ops, .queue_count = queues },
				    .disk = disk };
	memcpy(blk->serial, serial, length < VIRTIO_BLK_SERIAL ? length : VIRTIO_BLK_SERIAL);
	blk->memory = memory;
	for (unsigned i = 0; i < VIRTIO_BLK_REQUESTS; i++)
		blk->unused[i] = (uint8_t)(VIRTIO_BLK_REQUESTS - 1 - i);
	blk->unused_count = VIRTIO_BLK_REQUESTS;
	blk->unused_tables = (1u << IOV_TABLES) - 1;
	disk_on_batch(disk, blk_batch, blk);
	return 0;
}

int virtio_blk_grow(struct virtio_blk *blk, const struct disk_growth *growth, struct cause *cause)
{
	int r;

	pthread_mutex_lock(&blk->device.lock);
	r = disk_grow(blk->disk, growth, cause);
	if (!r)
		virtio_config_changed(&blk->device);
	pthread_mutex_unlock(&blk->device.lock);
	return r;
}

bool virtio_blk_is_idle(struct virtio_blk *blk)
{
	bool is_idle;

	pthread_mutex_lock(&blk->device.lock);
	is_idle = idle(blk);
	pthread_mutex_unlock(&blk->device.lock);
	return is_idle;
}

void virtio_blk_destroy(struct virtio_blk *blk)
{
	if (!blk->memory)
		return;
	assert(idle(blk));
	disk_on_batch(blk->disk, NULL, NULL);
	munmap(blk->memory, sizeof(*blk->memory));
	blk->memory = NULL;
}
