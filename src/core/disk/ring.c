/*
 * The ring that serves the disks of one guest: what becomes of a request. fallocate(2).
 * The guest's I/O thread.
 *
 * A request is a sequence of steps. Data that moved only in part goes on where
 * it stopped; zeroes are asked of the file system first and written if it
 * cannot; a stable change that is no plain write ends with a sync.
 *
 * A step for which the file system has no room is held: its request keeps what
 * it has done and goes on from there when it is submitted again.
 */
#include "core/disk/disk.h"

#include <assert.h>
#include <errno.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/disk/direct.h"
#include "core/disk/image.h"

#define RING_RETRIES 16		  /* of one step that the kernel asks to repeat */
#define RING_PIECE_MAX (1u << 30) /* bytes of one plain read or write */
#define ZEROES_SIZE (256u << 10)

enum step { STEP_DATA, STEP_DISCARD, STEP_PUNCH, STEP_ZERO_RANGE, STEP_WRITE_ZEROES, STEP_SYNC, STEP_DONE };

/* In .bss and only read: costs no memory. Aligned for all that goes past the page cache. */
static _Alignas(4096) uint8_t zeroes[ZEROES_SIZE];

/* Creation */

static void submit_again(void *arg)
{
	disk_submit(arg);
}

int disk_ring_create(struct disk_ring **out, struct loop *loop, struct cause *cause)
{
	struct disk_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return cause_errno(cause, ENOMEM, "disks");
	ring->loop = loop;
	ring->waiting_end = &ring->waiting;
	ring->held_end = &ring->held;
	ring->again.fire = submit_again;
	ring->again.arg = ring;
	*out = ring;
	return 0;
}

void disk_ring_exchanges(struct disk_ring *ring)
{
	ring->exchanges = true;
}

/* The kernel's own switch, or -1 where it has none (before 6.6). io_uring(7). */
static int io_uring_disabled(void)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int level = -1;

	if (file && fscanf(file, "%d", &level) != 1)
		level = -1;
	if (file)
		fclose(file);
	return level;
}

static void explain_refusal(int error, struct cause *why)
{
	int level = io_uring_disabled();

	if (level > 0)
		cause_set(why, 0, "io_uring is switched off here: kernel.io_uring_disabled is %d, "
			  "sysctl kernel.io_uring_disabled=0 allows it", level);
	else if (error == EPERM || error == EACCES || (error == ENOSYS && level == 0))
		cause_set(why, 0, "io_uring is forbidden here by a filter of system calls, such as "
			  "a container's seccomp profile");
	else if (error == ENOSYS)
		cause_set(why, 0, "the kernel is built without io_uring, or a container hides it");
	else
		cause_errno(why, error, "io_uring cannot be set up");
}

bool disk_ring_is_refused(const struct disk_ring *ring, struct cause *why)
{
	if (ring->refused)
		explain_refusal(ring->refused, why);
	return ring->refused;
}

bool disk_ring_probe(struct cause *why)
{
	struct disk_ring *ring = NULL;
	struct loop loop;
	int r = loop_init(&loop, why);

	if (r < 0)
		return false;
	r = disk_ring_create(&ring, &loop, why);
	if (!r) {
		r = uring_engine.create(ring);
		if (!r)
			uring_engine.destroy(ring);
		else
			explain_refusal(-r, why);
	}
	disk_ring_destroy(ring);
	loop_destroy(&loop);
	return r == 0;
}

/* A guest without disks needs no io_uring, so it is made for the first one. */
static int ring_setup(struct disk_ring *ring, struct cause *cause)
{
	const struct disk_engine *engine = &uring_engine;
	int r = engine->create(ring);

	if (r < 0 && r != -EMFILE && r != -ENFILE) {
		ring->refused = -r;
		engine = &pool_engine;
		r = engine->create(ring);
	}
	if (r < 0)
		return cause_errno(cause, -r, "disks cannot be served");
	ring->engine = engine;
	return 0;
}

void disk_ring_destroy(struct disk_ring *ring)
{
	if (!ring)
		return;
	assert(!ring->in_flight && !ring->waiting && !ring->held);
	loop_timer_cancel(ring->loop, &ring->again);
	if (ring->engine)
		ring->engine->destroy(ring);
	free(ring);
}

int ring_add_disk(struct disk_ring *ring, struct disk *disk, struct cause *cause)
{
	unsigned slot = 0;
	int r = 0;

	if (ring->begun && !ring->exchanges)
		return cause_set(cause, EBUSY, "disks are opened before the guest runs");
	while (slot < DISK_RING_DISKS && ring->disks[slot])
		slot++;
	if (slot == DISK_RING_DISKS)
		return cause_set(cause, ENOSPC, "a guest has at most %u disks", DISK_RING_DISKS);
	if (!ring->engine)
		r = ring_setup(ring, cause);
	if (r < 0)
		return r;
	disk->slot = (int)slot;
	r = ring->engine->add ? ring->engine->add(ring, disk) : 0;
	if (r < 0) {
		disk->slot = -1;
		return cause_errno(cause, -r, "%s cannot be added", disk->config.path);
	}
	ring->disks[slot] = disk;
	return 0;
}

void ring_remove_disk(struct disk_ring *ring, struct disk *disk)
{
	if (ring->engine->remove)
		ring->engine->remove(ring, disk);
	ring->disks[disk->slot] = NULL;
}

/* Steps of a request */

/* Where a chain of zeroing methods goes on: the file system's first, ours last. */
static enum step next_zero_step(const struct disk_request *request, enum step failed)
{
	const struct disk *disk = request->disk;
	enum step order[2] = { STEP_ZERO_RANGE, STEP_PUNCH };
	unsigned i = 0;

	if (request->unmap) {
		order[0] = STEP_PUNCH;
		order[1] = STEP_ZERO_RANGE;
	}
	if (failed != STEP_DONE)
		i = failed == order[0] ? 1 : 2;
	for (; i < 2; i++)
		if (order[i] == STEP_PUNCH ? !disk->no_punch : !disk->no_zero_range)
			return order[i];
	return STEP_WRITE_ZEROES;
}

static enum step first_step(const struct disk_request *request)
{
	switch (request->operation) {
	case DISK_FLUSH:
		return STEP_SYNC;
	case DISK_DISCARD:
		return request->disk->discards ? STEP_DISCARD : STEP_PUNCH;
	case DISK_WRITE_ZEROES:
		return next_zero_step(request, STEP_DONE);
	default:
		return STEP_DATA;
	}
}

/* The rest of a request from done_bytes on: the end of a torn iovec, or all that follow. */
static void data_step(const struct disk_request *request, struct disk_step *step)
{
	uint64_t skip = request->done_bytes;
	const struct iovec *iov = request->iov;
	unsigned count = request->iov_count;

	while (!request->bounce && skip >= iov->iov_len) {
		skip -= iov->iov_len;
		iov++;
		count--;
	}
	step->iov = iov;
	step->count = count;
	if (request->bounce) {
		step->one = (struct iovec){ request->bounce, direct_piece(request) };
		step->iov = &step->one;
		step->count = 1;
	} else if (skip || count == 1) {
		uint64_t left = iov->iov_len - skip;

		step->one.iov_base = (uint8_t *)iov->iov_base + skip;
		step->one.iov_len = left < RING_PIECE_MAX ? (size_t)left : RING_PIECE_MAX;
		step->iov = &step->one;
		step->count = 1;
	}
	step->call = request->operation == DISK_WRITE ? DISK_CALL_WRITE : DISK_CALL_READ;
	if (step->call == DISK_CALL_WRITE && request->stable)
		step->flags = RWF_DSYNC;
}

void ring_step(const struct disk_request *request, struct disk_step *step)
{
	uint64_t left = request->length - request->done_bytes;

	*step = (struct disk_step){ .offset = request->offset + request->done_bytes,
				    .length = left };
	switch (request->step) {
	case STEP_DISCARD:
		step->call = DISK_CALL_DISCARD;
		break;
	case STEP_PUNCH:
		step->call = DISK_CALL_ALLOCATE;
		step->flags = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		break;
	case STEP_ZERO_RANGE:
		step->call = DISK_CALL_ALLOCATE;
		step->flags = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
		break;
	case STEP_WRITE_ZEROES:
		step->call = DISK_CALL_WRITE;
		step->one = (struct iovec){ zeroes, left < ZEROES_SIZE ? left : ZEROES_SIZE };
		step->iov = &step->one;
		step->count = 1;
		break;
	case STEP_SYNC:
		step->call = DISK_CALL_SYNC;
		break;
	default:
		data_step(request, step);
	}
}

static void prepare(struct disk_ring *ring, struct disk_request *request)
{
	if (request->bounce && request->operation == DISK_WRITE)
		direct_gather(request);
	ring->engine->prepare(ring, request);
	ring->in_flight++;
}

static enum step after_change(const struct disk_request *request)
{
	return request->stable ? STEP_SYNC : STEP_DONE;
}

/* A fallocate() was refused: a discard is only a hint, zeroes have other ways. */
static enum step after_refusal(struct disk_request *request, int error)
{
	bool never = error == EOPNOTSUPP || error == ENOSYS || error == ENOTTY;

	if (never && request->step == STEP_PUNCH)
		request->disk->no_punch = true;
	if (never && request->step == STEP_ZERO_RANGE)
		request->disk->no_zero_range = true;
	if (request->operation == DISK_DISCARD)
		return STEP_DONE;
	return next_zero_step(request, request->step);
}

static bool out_of_room(int result)
{
	return result == -ENOSPC || result == -EDQUOT;
}

/*
 * The kernel finished a step with res. 1: the request has another one to do,
 * else its result.
 */
static int advance(struct disk_request *request, int res)
{
	if (res == -EINTR || res == -EAGAIN)
		return request->retries++ < RING_RETRIES ? 1 : -EIO;
	switch (request->step) {
	case STEP_DISCARD:
		/* Kernels before 6.12 cannot, nor all devices; a hole may be all the same to them. */
		request->step = res < 0 ? STEP_PUNCH : after_change(request);
		request->disk->discards = res >= 0;
		break;
	case STEP_PUNCH:
	case STEP_ZERO_RANGE:
		if (res == -EOPNOTSUPP || res == -ENOSYS || res == -ENOTTY || res == -EINVAL ||
		    (request->operation == DISK_DISCARD && out_of_room(res)))
			request->step = after_refusal(request, -res);
		else if (res < 0)
			return res;
		else
			request->step = after_change(request);
		break;
	case STEP_DATA:
	case STEP_WRITE_ZEROES:
		if (res < 0)
			return res;
		/* Nothing moved: the image was made shorter behind our back. */
		if (!res || (uint64_t)res > request->length - request->done_bytes)
			return -EIO;
		if (request->bounce && request->operation == DISK_READ)
			direct_scatter(request, (size_t)res);
		request->done_bytes += (uint64_t)res;
		if (request->done_bytes < request->length)
			break;
		request->step = request->step == STEP_DATA ? STEP_DONE : after_change(request);
		break;
	default:
		if (res < 0)
			return res;
		request->step = STEP_DONE;
	}
	request->retries = 0;
	return request->step == STEP_DONE ? 0 : 1;
}

static void finish(struct disk_request *request, int result)
{
	struct disk *disk = request->disk;

	disk->finished = true;
	free(request->bounce);
	if (result < 0) {
		counter_add(&disk->errors, 1);
	} else if (request->operation == DISK_READ) {
		counter_add(&disk->read_requests, 1);
		counter_add(&disk->read_bytes, request->length);
	} else if (request->operation == DISK_WRITE) {
		counter_add(&disk->write_requests, 1);
		counter_add(&disk->write_bytes, request->length);
	} else if (request->operation == DISK_FLUSH) {
		counter_add(&disk->flushes, 1);
	}
	request->done(request, result);
}

/* Queue and completions */

static bool fits(const struct disk *disk, const struct disk_request *request)
{
	uint64_t sum = 0;

	if (request->operation == DISK_FLUSH)
		return true;
	if (!request->length || !range_inside(request->offset, request->length, disk_size(disk)))
		return false;
	if (request->operation != DISK_READ && request->operation != DISK_WRITE)
		return true;
	if (request->iov_count > DISK_IOV_MAX)
		return false;
	for (unsigned i = 0; i < request->iov_count; i++)
		if (__builtin_add_overflow(sum, request->iov[i].iov_len, &sum))
			return false;
	return sum == request->length;
}

int disk_queue(struct disk *disk, struct disk_request *request)
{
	struct disk_ring *ring = disk->ring;

	if (!fits(disk, request))
		return -EINVAL;
	if (disk->config.readonly && request->operation != DISK_READ &&
	    request->operation != DISK_FLUSH)
		return -EROFS;
	request->disk = disk;
	request->done_bytes = 0;
	request->retries = 0;
	request->next = NULL;
	request->bounce = NULL;
	request->step = (uint8_t)first_step(request);
	if (disk->file.block_align && request->step == STEP_DATA &&
	    direct_prepare(&disk->file, request) < 0)
		return -ENOMEM;
	if (ring->in_flight < RING_ENTRIES && !ring->waiting) {
		prepare(ring, request);
		return 0;
	}
	*ring->waiting_end = request;
	ring->waiting_end = &request->next;
	return 0;
}

void disk_submit(struct disk_ring *ring)
{
	if (!ring->engine->submit(ring))
		loop_timer_set(ring->loop, &ring->again, NS_PER_MS);
}

static void fill(struct disk_ring *ring)
{
	struct disk_request *request;

	while (ring->in_flight < RING_ENTRIES && (request = ring->waiting)) {
		ring->waiting = request->next;
		if (!ring->waiting)
			ring->waiting_end = &ring->waiting;
		prepare(ring, request);
	}
}

/*
 * A sync is not tried again: the kernel tells of pages that it could not write once, and forgets
 * them.
 */
static bool lacks_room(const struct disk_request *request, int result)
{
	return out_of_room(result) && request->operation != DISK_READ &&
	       request->step != STEP_SYNC;
}

static void hold(struct disk_ring *ring, struct disk_request *request, int error)
{
	if (!ring->held) {
		ring->full_disk = request->disk;
		ring->full_error = error;
	}
	request->retries = 0;
	request->next = NULL;
	*ring->held_end = request;
	ring->held_end = &request->next;
}

void ring_step_done(struct disk_ring *ring, struct disk_request *request, int result)
{
	result = advance(request, result);
	ring->in_flight--;
	if (result > 0)
		prepare(ring, request);
	else if (ring->full && lacks_room(request, result))
		hold(ring, request, result);
	else
		finish(request, result);
}

static void tell_batches(struct disk_ring *ring)
{
	for (unsigned i = 0; i < DISK_RING_DISKS; i++) {
		struct disk *disk = ring->disks[i];

		if (!disk || !disk->finished)
			continue;
		disk->finished = false;
		if (disk->batch)
			disk->batch(disk->batch_arg);
	}
}

static void tell_full(struct disk_ring *ring)
{
	const struct disk *disk = ring->full_disk;

	ring->full_disk = NULL;
	if (disk)
		ring->full(ring->full_arg, disk, ring->full_error);
}

void ring_batch_done(struct disk_ring *ring)
{
	fill(ring);
	tell_batches(ring);
	disk_submit(ring);
	tell_full(ring);
}

/* No room */

void disk_on_full(struct disk_ring *ring,
		  void (*full)(void *arg, const struct disk *disk, int error), void *arg)
{
	ring->full = full;
	ring->full_arg = arg;
}

void disk_retry(struct disk_ring *ring)
{
	if (!ring->held)
		return;
	/* They were there before what waits in line. */
	*ring->held_end = ring->waiting;
	if (!ring->waiting)
		ring->waiting_end = ring->held_end;
	ring->waiting = ring->held;
	ring->held = NULL;
	ring->held_end = &ring->held;
	ring->full_disk = NULL;
	fill(ring);
	disk_submit(ring);
}

void disk_give_up(struct disk_ring *ring)
{
	struct disk_request *request;

	ring->full = NULL;
	ring->full_disk = NULL;
	while ((request = ring->held)) {
		ring->held = request->next;
		finish(request, -ENOSPC);
	}
	ring->held_end = &ring->held;
	tell_batches(ring);
}
