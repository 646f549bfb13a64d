/*
 * Threads in place of an io_uring, for hosts that refuse it: each step of a request is a
 * system call that one of them waits for. The guest's I/O thread, and the threads of the
 * pool as said below. preadv2(2), pwritev2(2), fallocate(2), fdatasync(2).
 *
 * What a flush covers is the same: a write was done before the flush that comes after it
 * is asked for, and what is under way at once has no order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/worker.h"
#include "core/disk/image.h"
#include "sandbox/confine.h"

static const struct thread_role disk_role = {
	.name = "disk", .pooled = true, .confine = confine_thread, .kind = FILTER_DISK,
};

/* A step that is in flight. */
struct pool_step {
	struct worker_job job;
	struct disk_ring *ring;
	struct disk_request *request;
	int result;
	struct pool_step *next; /* in the list that it is in */
};

struct disk_pool {
	struct worker worker;
	struct pool_step *unused;
	struct pool_step *prepared, **prepared_end;
	struct pool_step steps[RING_ENTRIES];
};

/* On a thread of the pool. */
static void carry_out(void *arg)
{
	struct pool_step *pool_step = arg;
	int fd = pool_step->request->disk->file.fd;
	struct disk_step step;
	ssize_t r = -1;

	ring_step(pool_step->request, &step);
	switch (step.call) {
	case DISK_CALL_READ:
		r = preadv2(fd, step.iov, (int)step.count, (off_t)step.offset, step.flags);
		break;
	case DISK_CALL_WRITE:
		r = pwritev2(fd, step.iov, (int)step.count, (off_t)step.offset, step.flags);
		break;
	case DISK_CALL_SYNC:
		r = fdatasync(fd);
		break;
	case DISK_CALL_ALLOCATE:
		r = fallocate(fd, step.flags, (off_t)step.offset, (off_t)step.length);
		break;
	case DISK_CALL_DISCARD: /* by an ioctl, which the walls around these threads forbid */
		errno = EOPNOTSUPP;
		break;
	}
	pool_step->result = r < 0 ? -errno : (int)r;
}

static void carried_out(void *arg)
{
	struct pool_step *step = arg;
	struct disk_pool *pool = step->ring->pool;

	step->next = pool->unused;
	pool->unused = step;
	ring_step_done(step->ring, step->request, step->result);
}

static void batch_done(void *arg)
{
	ring_batch_done(arg);
}

static int create(struct disk_ring *ring)
{
	struct disk_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	worker_init(&pool->worker, ring->loop, &disk_role, WORKER_THREADS_MAX);
	pool->worker.ran = batch_done;
	pool->worker.arg = ring;
	pool->prepared_end = &pool->prepared;
	for (unsigned i = 0; i < RING_ENTRIES; i++) {
		struct pool_step *step = &pool->steps[i];

		step->job = (struct worker_job){ carry_out, carried_out, step, NULL };
		step->ring = ring;
		step->next = pool->unused;
		pool->unused = step;
	}
	ring->pool = pool;
	return 0;
}

static void destroy(struct disk_ring *ring)
{
	worker_finish(&ring->pool->worker);
	worker_destroy(&ring->pool->worker);
	free(ring->pool);
	ring->pool = NULL;
}

static void prepare(struct disk_ring *ring, struct disk_request *request)
{
	struct disk_pool *pool = ring->pool;
	struct pool_step *step = pool->unused;

	pool->unused = step->next;
	step->request = request;
	step->next = NULL;
	*pool->prepared_end = step;
	pool->prepared_end = &step->next;
}

static bool submit(struct disk_ring *ring)
{
	struct disk_pool *pool = ring->pool;
	struct pool_step *step;

	while ((step = pool->prepared)) {
		ring->begun = true;
		if (worker_post(&pool->worker, &step->job) < 0)
			return false;
		pool->prepared = step->next;
		if (!pool->prepared)
			pool->prepared_end = &pool->prepared;
	}
	return true;
}

const struct disk_engine pool_engine = { create, destroy, NULL, NULL, prepare, submit };
