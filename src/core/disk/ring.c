/*
 * The io_uring that serves the disks of one guest. io_uring(7), fallocate(2).
 *
 * The ring starts disabled; with the first request it is enabled with its
 * restrictions: reading, writing, syncing and fallocate(), fixed files only, nothing can be
 * registered any more. From then on it belongs to the guest's I/O thread. The
 * loop watches the ring's own descriptor.
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
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/disk/image.h"

#define RING_RETRIES 16		  /* of one step that the kernel asks to repeat */
#define RING_PIECE_MAX (1u << 30) /* bytes of one plain read or write */
#define ZEROES_SIZE (256u << 10)

enum step { STEP_DATA, STEP_PUNCH, STEP_ZERO_RANGE, STEP_WRITE_ZEROES, STEP_SYNC, STEP_DONE };

/* In .bss and only read: costs no memory. */
static uint8_t zeroes[ZEROES_SIZE];

/* Creation */

static int ring_failed(int error, struct cause *cause)
{
	switch (error) {
	case ENOSYS:
		return cause_set(cause, error, "this kernel has no io_uring; vmdeck needs "
					       "Linux 5.10 or newer with CONFIG_IO_URING");
	case EPERM:
	case EACCES:
		return cause_set(cause, error,
				 "io_uring is forbidden here; allow it with "
				 "sysctl kernel.io_uring_disabled=0, or in a container with a "
				 "seccomp profile that permits it");
	default:
		return cause_errno(cause, error, "io_uring cannot be set up");
	}
}

static void ring_ready(void *arg, uint32_t events);

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
	ring->uring.ring_fd = -1;
	ring->waiting_end = &ring->waiting;
	ring->held_end = &ring->held;
	ring->again.fire = submit_again;
	ring->again.arg = ring;
	*out = ring;
	return 0;
}

/* A guest without disks needs no io_uring, so it is made for the first one. */
static int ring_setup(struct disk_ring *ring, struct cause *cause)
{
	int r = uring_create(ring);

	if (r < 0)
		return ring_failed(-r, cause);
	r = loop_add(ring->loop, &ring->source, ring->uring.ring_fd, EPOLLIN, ring_ready, ring);
	if (r < 0) {
		uring_destroy(ring);
		return ring_failed(-r, cause);
	}
	return 0;
}

void disk_ring_destroy(struct disk_ring *ring)
{
	if (!ring)
		return;
	assert(!ring->in_flight && !ring->waiting && !ring->held);
	if (ring->uring.ring_fd >= 0) {
		loop_timer_cancel(ring->loop, &ring->again);
		loop_remove(ring->loop, &ring->source);
		uring_destroy(ring);
	}
	free(ring);
}

int ring_add_disk(struct disk_ring *ring, struct disk *disk, const struct disk_config *config,
		  struct cause *cause)
{
	unsigned slot = 0;
	int r = 0;

	if (ring->enabled)
		return cause_set(cause, EBUSY, "disks are opened before the guest runs");
	while (slot < DISK_RING_DISKS && ring->disks[slot])
		slot++;
	if (slot == DISK_RING_DISKS)
		return cause_set(cause, ENOSPC, "a guest has at most %u disks", DISK_RING_DISKS);
	if (ring->uring.ring_fd < 0)
		r = ring_setup(ring, cause);
	if (r < 0)
		return r;
	r = io_uring_register_files_update(&ring->uring, slot, &disk->fd, 1);
	if (r < 0)
		return cause_errno(cause, -r, "%s cannot be added", config->path);
	ring->disks[slot] = disk;
	disk->slot = (int)slot;
	return 0;
}

void ring_remove_disk(struct disk_ring *ring, struct disk *disk)
{
	int none = -1;

	if (!ring->enabled)
		io_uring_register_files_update(&ring->uring, (unsigned)disk->slot, &none, 1);
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
		return STEP_PUNCH;
	case DISK_WRITE_ZEROES:
		return next_zero_step(request, STEP_DONE);
	default:
		return STEP_DATA;
	}
}

/* The rest of a request from done_bytes on: the end of a torn iovec, or all that follow. */
static void prepare_data(struct io_uring_sqe *sqe, const struct disk_request *request)
{
	bool writing = request->operation == DISK_WRITE;
	uint64_t offset = request->offset + request->done_bytes;
	uint64_t skip = request->done_bytes;
	const struct iovec *iov = request->iov;
	unsigned count = request->iov_count;

	while (skip >= iov->iov_len) {
		skip -= iov->iov_len;
		iov++;
		count--;
	}
	if (skip || count == 1) {
		uint8_t *data = (uint8_t *)iov->iov_base + skip;
		uint64_t left = iov->iov_len - skip;
		unsigned piece = left < RING_PIECE_MAX ? (unsigned)left : RING_PIECE_MAX;

		if (writing)
			io_uring_prep_write(sqe, request->disk->slot, data, piece, offset);
		else
			io_uring_prep_read(sqe, request->disk->slot, data, piece, offset);
	} else if (writing) {
		io_uring_prep_writev(sqe, request->disk->slot, iov, count, offset);
	} else {
		io_uring_prep_readv(sqe, request->disk->slot, iov, count, offset);
	}
	if (writing && request->stable)
		sqe->rw_flags = RWF_DSYNC;
}

static void prepare(struct disk_ring *ring, struct disk_request *request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	int slot = request->disk->slot;
	uint64_t left = request->length - request->done_bytes;
	unsigned piece = left < ZEROES_SIZE ? (unsigned)left : ZEROES_SIZE;

	assert(sqe);
	switch (request->step) {
	case STEP_PUNCH:
		io_uring_prep_fallocate(sqe, slot, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)request->offset, (off_t)request->length);
		break;
	case STEP_ZERO_RANGE:
		io_uring_prep_fallocate(sqe, slot, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
					(off_t)request->offset, (off_t)request->length);
		break;
	case STEP_WRITE_ZEROES:
		io_uring_prep_write(sqe, slot, zeroes, piece,
				    request->offset + request->done_bytes);
		break;
	case STEP_SYNC:
		io_uring_prep_fsync(sqe, slot, IORING_FSYNC_DATASYNC);
		break;
	default:
		prepare_data(sqe, request);
	}
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data(sqe, request);
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
	if (!request->length || !range_inside(request->offset, request->length, disk->size))
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
	request->step = (uint8_t)first_step(request);
	if (ring->in_flight < RING_ENTRIES && !ring->waiting) {
		prepare(ring, request);
		return 0;
	}
	*ring->waiting_end = request;
	ring->waiting_end = &request->next;
	return 0;
}

static int enable(struct disk_ring *ring)
{
	int r;

	if (ring->enabled)
		return 0;
	r = uring_enable(ring);
	if (!r)
		ring->enabled = true;
	return r;
}

void disk_submit(struct disk_ring *ring)
{
	int r;

	if (!io_uring_sq_ready(&ring->uring))
		return;
	r = enable(ring);
	if (!r)
		r = io_uring_submit(&ring->uring);
	/* Out of memory or interrupted: what is left in the queue is offered again. */
	if (r < 0 || io_uring_sq_ready(&ring->uring))
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

static void complete(struct disk_ring *ring, const struct io_uring_cqe *cqe)
{
	struct disk_request *request = io_uring_cqe_get_data(cqe);
	int result = advance(request, cqe->res);

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

static void ring_ready(void *arg, uint32_t events)
{
	struct disk_ring *ring = arg;
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	(void)events;
	io_uring_for_each_cqe(&ring->uring, head, cqe) {
		complete(ring, cqe);
		if (++count == RING_ENTRIES)
			break;
	}
	io_uring_cq_advance(&ring->uring, count);
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
