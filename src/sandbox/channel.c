/* See channel.h. memfd_create(2), eventfd(2). */
#include "sandbox/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

#define PAGE 4096u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* What is before the bytes of a record, at a multiple of its own size. */
union record_head {
	struct {
		uint32_t size, mark;
	};
	uint64_t both;
};

_Static_assert(sizeof(struct channel_page) <= PAGE, "places and what is said");
_Static_assert(sizeof(union record_head) == 8, "channel_record_max()");

static size_t file_size(const struct channel_layout *layout)
{
	return (size_t)PAGE + layout->to_process + layout->from_process + layout->shared;
}

/* The page, each ring twice, and what is shared, in one range of addresses. */
static size_t mapped_size(const struct channel_layout *layout)
{
	return (size_t)PAGE + 2 * ((size_t)layout->to_process + layout->from_process) +
	       layout->shared;
}

static bool map_part(uint8_t **at, int fd, off_t offset, size_t size)
{
	void *mapped = mmap(*at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset);

	*at += size;
	return mapped != MAP_FAILED;
}

static int map_all(struct channel *channel, const struct channel_layout *layout)
{
	off_t to = PAGE, from = to + layout->to_process, shared = from + layout->from_process;
	size_t size = mapped_size(layout);
	int fd = channel->memory_fd;
	uint8_t *at;

	channel->memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0);
	if (channel->memory == MAP_FAILED) {
		channel->memory = NULL;
		return -ENOMEM;
	}
	channel->memory_size = size;
	at = channel->memory;
	channel->page = channel->memory;
	if (!map_part(&at, fd, 0, PAGE) || !map_part(&at, fd, to, layout->to_process) ||
	    !map_part(&at, fd, to, layout->to_process) ||
	    !map_part(&at, fd, from, layout->from_process) ||
	    !map_part(&at, fd, from, layout->from_process) ||
	    (layout->shared && !map_part(&at, fd, shared, layout->shared)))
		return -ENOMEM;
	if (layout->shared)
		channel->shared = at - layout->shared;
	return 0;
}

/* Which ring is whose. */
static void take_ends(struct channel *channel, const struct channel_layout *layout, bool process)
{
	uint8_t *to = (uint8_t *)channel->memory + PAGE;
	uint8_t *from = to + 2 * (size_t)layout->to_process;
	struct channel_page *page = channel->page;

	channel->out = (struct channel_writer){
		.places = process ? &page->from_process : &page->to_process,
		.bytes = process ? from : to,
		.size = process ? layout->from_process : layout->to_process,
		.wake_fd = channel->peer_fd,
	};
	channel->in = (struct channel_reader){
		.places = process ? &page->to_process : &page->from_process,
		.bytes = process ? to : from,
		.size = process ? layout->to_process : layout->from_process,
		.wake_fd = channel->peer_fd,
	};
}

int channel_create(struct channel *channel, const struct channel_layout *layout,
		   struct cause *cause)
{
	int error;

	*channel = (struct channel){ .wake_fd = -1, .peer_fd = -1 };
	channel->memory_fd = memfd_create("vmdeck-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	channel->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	channel->peer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (channel->memory_fd < 0 || channel->wake_fd < 0 || channel->peer_fd < 0 ||
	    ftruncate(channel->memory_fd, (off_t)file_size(layout)) < 0 ||
	    fcntl(channel->memory_fd, F_ADD_SEALS, SEALS) < 0)
		error = -errno;
	else
		error = map_all(channel, layout);
	if (error) {
		channel_destroy(channel);
		return cause_errno(cause, -error, "shared memory for a process of its own");
	}
	take_ends(channel, layout, false);
	return 0;
}

int channel_attach(struct channel *channel, const struct channel_layout *layout, int memory_fd,
		   int wake_fd, int peer_fd)
{
	struct stat status;
	int seals = fcntl(memory_fd, F_GET_SEALS);
	int error;

	*channel = (struct channel){ .memory_fd = memory_fd, .wake_fd = wake_fd,
				     .peer_fd = peer_fd };
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(memory_fd, &status) < 0 ||
	    (size_t)status.st_size != file_size(layout))
		return -EINVAL;
	error = map_all(channel, layout);
	if (!error)
		take_ends(channel, layout, true);
	return error;
}

void channel_destroy(struct channel *channel)
{
	int fds[] = { channel->memory_fd, channel->wake_fd, channel->peer_fd };

	if (channel->memory)
		munmap(channel->memory, channel->memory_size);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*channel = (struct channel){ .memory_fd = -1, .wake_fd = -1, .peer_fd = -1 };
}

/* Whoever sleeps says so first and looks once more; whoever wakes shows first and asks then. */
static void wake(_Atomic uint32_t *sleeps, int fd)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(sleeps, memory_order_relaxed) &&
	    atomic_exchange_explicit(sleeps, 0, memory_order_relaxed)) {
		ssize_t n = write(fd, &one, sizeof(one));

		(void)n; /* it is woken already */
	}
}

/* What a record of size bytes takes of a ring. */
static uint32_t taken(uint32_t size)
{
	return (uint32_t)align_up((uint64_t)size + sizeof(union record_head), 8);
}

uint32_t channel_used(struct channel_writer *out)
{
	uint32_t used;

	out->tail = atomic_load_explicit(&out->places->tail, memory_order_acquire);
	used = out->head - out->tail;
	return used > out->size ? out->size : used;
}

static bool fits(struct channel_writer *out, uint32_t size)
{
	uint32_t used = out->head - out->tail;

	if (size > channel_record_max(out->size))
		return false;
	if (used <= out->size && taken(size) <= out->size - used)
		return true;
	return taken(size) <= out->size - channel_used(out);
}

void *channel_reserve(struct channel_writer *out, uint32_t size)
{
	if (!fits(out, size))
		return NULL;
	return out->bytes + (out->head & (out->size - 1)) + sizeof(union record_head);
}

void channel_commit(struct channel_writer *out, uint32_t size, uint32_t mark)
{
	union record_head head = { { size, mark } };

	memcpy(out->bytes + (out->head & (out->size - 1)), &head, sizeof(head));
	out->head += taken(size);
}

void channel_publish(struct channel_writer *out)
{
	atomic_store_explicit(&out->places->head, out->head, memory_order_release);
	wake(&out->places->reader_sleeps, out->wake_fd);
}

bool channel_wait_for_room(struct channel_writer *out, uint32_t size)
{
	if (fits(out, size))
		return false;
	atomic_store_explicit(&out->places->writer_sleeps, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	return !fits(out, size);
}

int channel_next(struct channel_reader *in, uint32_t *size, uint32_t *mark)
{
	union record_head head;
	uint32_t there;

	if (in->head == in->tail)
		in->head = atomic_load_explicit(&in->places->head, memory_order_acquire);
	there = in->head - in->tail;
	if (!there)
		return 0;
	if (there > in->size || there < sizeof(head) || in->tail % 8)
		return -EPROTO;
	head.both = __atomic_load_n((const uint64_t *)(const void *)
				    (in->bytes + (in->tail & (in->size - 1))), __ATOMIC_RELAXED);
	if (head.size > channel_record_max(in->size) || taken(head.size) > there)
		return -EPROTO;
	in->record_size = head.size;
	in->record_mark = head.mark;
	*size = head.size;
	*mark = head.mark;
	return 1;
}

void channel_copy(const struct channel_reader *in, void *to, uint32_t size)
{
	assert(size <= in->record_size);
	memcpy(to, in->bytes + (in->tail & (in->size - 1)) + sizeof(union record_head), size);
}

void channel_drop(struct channel_reader *in)
{
	in->tail += taken(in->record_size);
}

void channel_release(struct channel_reader *in)
{
	atomic_store_explicit(&in->places->tail, in->tail, memory_order_release);
	wake(&in->places->writer_sleeps, in->wake_fd);
}

bool channel_wait_for_record(struct channel_reader *in)
{
	atomic_store_explicit(&in->places->reader_sleeps, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&in->places->head, memory_order_acquire) == in->tail;
}

void channel_woken(struct channel *channel)
{
	uint64_t count;
	ssize_t n = read(channel->wake_fd, &count, sizeof(count));

	(void)n;
}
