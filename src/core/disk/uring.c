/*
 * The io_uring of one guest: where its rings lie, what may be done with it, and
 * what is. Thread: as of disk.h. io_uring(7), io_uring_setup(2),
 * io_uring_register(2).
 *
 * The ring starts disabled; with the first request it is enabled with its
 * restrictions: reading, writing, syncing, fallocate() and discards, fixed files only,
 * nothing can be registered any more but these files, if disks come and go. From then on
 * it belongs to the guest's I/O thread. The loop watches the ring's own descriptor.
 *
 * The rings lie in two pages of our own where the kernel takes them (6.5).
 * Mapping them from the kernel instead makes two mappings a guest, and each
 * KVM_CREATE_VM locks every mapping of the process: with hundreds of guests
 * that is a good part of what starting one costs.
 *
 * The kernel ends an io_uring after close() has returned, and until then may
 * write the tail of the completions once more. So the pages are detached from
 * their addresses first: what comes late goes to pages that only the kernel has.
 */
#include <assert.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "core/disk/image.h"

#ifndef IORING_SETUP_NO_MMAP
#define IORING_SETUP_NO_MMAP (1u << 14)
#endif

#define RING_PAGE 4096u

/* liburing 2.3 declares these wrappers but does not export them. */
static int uring_setup(unsigned entries, struct io_uring_params *params)
{
	long r = syscall(SYS_io_uring_setup, entries, params);

	return r < 0 ? -errno : (int)r;
}

static int uring_register(struct io_uring *uring, unsigned operation, const void *arg, unsigned n)
{
	long r = syscall(SYS_io_uring_register, uring->ring_fd, operation, arg, n);

	return r < 0 ? -errno : 0;
}

/* The last field of sq_off and cq_off; older headers have no name for it. */
static void set_address(void *offsets, size_t size, const void *memory)
{
	uint64_t address = (uintptr_t)memory;

	memcpy((uint8_t *)offsets + size - sizeof(address), &address, sizeof(address));
}

/* What io_uring_queue_mmap() does, with rings that are there already. */
static void describe(struct io_uring *uring, const struct io_uring_params *params, int fd,
		     uint8_t *rings)
{
	struct io_uring_sq *sq = &uring->sq;
	struct io_uring_cq *cq = &uring->cq;

	memset(uring, 0, sizeof(*uring));
	sq->khead = (unsigned *)(rings + params->sq_off.head);
	sq->ktail = (unsigned *)(rings + params->sq_off.tail);
	sq->kring_mask = (unsigned *)(rings + params->sq_off.ring_mask);
	sq->kring_entries = (unsigned *)(rings + params->sq_off.ring_entries);
	sq->kflags = (unsigned *)(rings + params->sq_off.flags);
	sq->kdropped = (unsigned *)(rings + params->sq_off.dropped);
	sq->array = (unsigned *)(rings + params->sq_off.array);
	sq->ring_mask = *sq->kring_mask;
	sq->ring_entries = *sq->kring_entries;
	sq->sqes = (struct io_uring_sqe *)(rings + RING_PAGE);
	for (unsigned i = 0; i < sq->ring_entries; i++)
		sq->array[i] = i;
	cq->khead = (unsigned *)(rings + params->cq_off.head);
	cq->ktail = (unsigned *)(rings + params->cq_off.tail);
	cq->kring_mask = (unsigned *)(rings + params->cq_off.ring_mask);
	cq->kring_entries = (unsigned *)(rings + params->cq_off.ring_entries);
	cq->kflags = (unsigned *)(rings + params->cq_off.flags);
	cq->koverflow = (unsigned *)(rings + params->cq_off.overflow);
	cq->cqes = (struct io_uring_cqe *)(rings + params->cq_off.cqes);
	cq->ring_mask = *cq->kring_mask;
	cq->ring_entries = *cq->kring_entries;
	uring->flags = params->flags;
	uring->features = params->features;
	uring->ring_fd = uring->enter_ring_fd = fd;
}

static void release_pages(struct disk_ring *ring)
{
	if (ring->pages && !madvise(ring->pages, 2 * RING_PAGE, MADV_DONTNEED))
		free(ring->pages);
	ring->pages = NULL;
}

/* The first page takes both rings, the second the submission entries. */
static int place(struct disk_ring *ring, unsigned flags)
{
	struct io_uring_params params = { .flags = flags | IORING_SETUP_NO_MMAP };
	size_t end;
	int fd;

	static_assert(RING_ENTRIES * sizeof(struct io_uring_sqe) <= RING_PAGE,
		      "the entries fit into a page");
	ring->pages = aligned_alloc(RING_PAGE, 2 * RING_PAGE);
	if (!ring->pages)
		return -ENOMEM;
	memset(ring->pages, 0, 2 * RING_PAGE);
	set_address(&params.cq_off, sizeof(params.cq_off), ring->pages);
	set_address(&params.sq_off, sizeof(params.sq_off), ring->pages + RING_PAGE);
	fd = uring_setup(RING_ENTRIES, &params);
	if (fd < 0)
		goto failed;
	end = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	if (end > RING_PAGE ||
	    params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe) > RING_PAGE) {
		close(fd);
		fd = -EINVAL;
		goto failed;
	}
	describe(&ring->uring, &params, fd, ring->pages);
	return 0;
failed:
	release_pages(ring);
	return fd;
}

static int restrict_ring(struct io_uring *uring, bool exchanges)
{
	static const uint8_t operations[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_READ,
					      IORING_OP_WRITE, IORING_OP_FSYNC,
					      IORING_OP_FALLOCATE, IORING_OP_URING_CMD };
	struct io_uring_restriction rules[ARRAY_SIZE(operations) + 3] = { 0 };
	unsigned n;

	for (n = 0; n < ARRAY_SIZE(operations); n++) {
		rules[n].opcode = IORING_RESTRICTION_SQE_OP;
		rules[n].sqe_op = operations[n];
	}
	rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
	rules[n++].sqe_flags = IOSQE_FIXED_FILE;
	rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	rules[n++].sqe_flags = IOSQE_FIXED_FILE | IOSQE_ASYNC;
	if (exchanges) {
		rules[n].opcode = IORING_RESTRICTION_REGISTER_OP;
		rules[n++].register_op = IORING_REGISTER_FILES_UPDATE;
	}
	return uring_register(uring, IORING_REGISTER_RESTRICTIONS, rules, n);
}

/* Filters can refuse this call alone, which would be found out when the guest waits for it. */
static int try_enter(const struct io_uring *uring)
{
	long r = syscall(SYS_io_uring_enter, uring->ring_fd, 0, 0, 0, NULL, 0);

	/* That the ring is disabled is the kernel's answer. */
	return r >= 0 || errno == EBADFD ? 0 : -errno;
}

static void destroy(struct disk_ring *ring)
{
	loop_remove(ring->loop, &ring->source);
	loop_unpost(ring->loop, &ring->reap);
	if (ring->pages)
		close(ring->uring.ring_fd);
	else
		io_uring_queue_exit(&ring->uring);
	release_pages(ring);
}

static void ready(void *arg, uint32_t events);
static void reap(void *arg);

static int create(struct disk_ring *ring)
{
	/*
	 * Newest first: 6.5, 6.0, 5.19, 5.10. Not DEFER_TASKRUN: with it epoll is not woken by
	 * completions that need the task's own work (tried on 6.18).
	 */
	static const struct {
		bool placed;
		unsigned flags;
	} ways[] = {
		{ true, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN },
		{ false, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN },
		{ false, IORING_SETUP_COOP_TASKRUN },
		{ false, 0 },
	};
	int none[DISK_RING_DISKS], r = -EINVAL;

	ring->reap = (struct loop_task){ .run = reap, .arg = ring };
	/* The error of the last one, which asks for least, is the one to tell. */
	for (unsigned i = 0; r < 0 && i < ARRAY_SIZE(ways); i++) {
		unsigned flags = ways[i].flags | IORING_SETUP_R_DISABLED;

		r = ways[i].placed ? place(ring, flags) :
				     io_uring_queue_init(RING_ENTRIES, &ring->uring, flags);
	}
	if (r < 0)
		return r;
	memset(none, -1, sizeof(none));
	r = io_uring_register_files(&ring->uring, none, DISK_RING_DISKS);
	if (!r)
		r = restrict_ring(&ring->uring, ring->exchanges);
	if (!r)
		r = try_enter(&ring->uring);
	if (!r)
		r = loop_add(ring->loop, &ring->source, ring->uring.ring_fd, EPOLLIN, ready, ring);
	if (r < 0)
		destroy(ring);
	return r;
}

static int add(struct disk_ring *ring, const struct disk *disk)
{
	return io_uring_register_files_update(&ring->uring, (unsigned)disk->slot, &disk->file.fd, 1);
}

static void remove_disk(struct disk_ring *ring, const struct disk *disk)
{
	int none = -1;

	if (!ring->begun || ring->exchanges)
		io_uring_register_files_update(&ring->uring, (unsigned)disk->slot, &none, 1);
}

static void prepare_data(struct io_uring_sqe *sqe, int slot, const struct disk_step *step)
{
	bool writing = step->call == DISK_CALL_WRITE;

	if (step->count == 1)
		io_uring_prep_rw(writing ? IORING_OP_WRITE : IORING_OP_READ, sqe, slot,
				 step->iov->iov_base, (unsigned)step->iov->iov_len, step->offset);
	else
		io_uring_prep_rw(writing ? IORING_OP_WRITEV : IORING_OP_READV, sqe, slot,
				 step->iov, step->count, step->offset);
	sqe->rw_flags = step->flags;
}

/* BLOCK_URING_CMD_DISCARD of linux/blkdev.h, since Linux 6.12. */
static void prepare_discard(struct io_uring_sqe *sqe, int slot, const struct disk_step *step)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, slot, NULL, 0, 0);
	sqe->cmd_op = _IO(0x12, 0);
	sqe->addr = step->offset;
	sqe->addr3 = step->length;
}

static void prepare(struct disk_ring *ring, struct disk_request *request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	int slot = request->disk->slot;
	struct disk_step step;

	assert(sqe);
	ring_step(request, &step);
	switch (step.call) {
	case DISK_CALL_ALLOCATE:
		io_uring_prep_fallocate(sqe, slot, step.flags, (off_t)step.offset,
					(off_t)step.length);
		break;
	case DISK_CALL_DISCARD:
		prepare_discard(sqe, slot, &step);
		break;
	case DISK_CALL_SYNC:
		io_uring_prep_fsync(sqe, slot, IORING_FSYNC_DATASYNC);
		break;
	default:
		prepare_data(sqe, slot, &step);
	}
	/* What reads ahead of a file waits for that, at once or on one of the kernel's threads. */
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE |
				    (request->disk->file.far ? IOSQE_ASYNC : 0u));
	io_uring_sqe_set_data(sqe, request);
}

static bool submit(struct disk_ring *ring)
{
	int r = 0;

	if (!io_uring_sq_ready(&ring->uring))
		return true;
	if (!ring->begun)
		r = uring_register(&ring->uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	if (!r) {
		ring->begun = true;
		r = io_uring_submit(&ring->uring);
	}
	/* What lies in the page cache is done at once: nobody has to wake us for that. */
	if (io_uring_cq_ready(&ring->uring))
		loop_soon(ring->loop, &ring->reap);
	/* Out of memory or interrupted: what is left in the queue is offered again. */
	return r >= 0 && !io_uring_sq_ready(&ring->uring);
}

static void ready(void *arg, uint32_t events)
{
	struct disk_ring *ring = arg;
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	(void)events;
	io_uring_for_each_cqe(&ring->uring, head, cqe) {
		ring_step_done(ring, io_uring_cqe_get_data(cqe), cqe->res);
		if (++count == RING_ENTRIES)
			break;
	}
	io_uring_cq_advance(&ring->uring, count);
	ring_batch_done(ring);
}

static void reap(void *arg)
{
	ready(arg, 0);
}

const struct disk_engine uring_engine = { create, destroy, add, remove_disk, prepare, submit };
