/* See vhost_inflight.h. The guest's I/O thread. */
#include "core/virtio/vhost_inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VERSION 1
#define ALIGNMENT 64 /* of what belongs to a queue */

struct note {
	uint8_t taken;
	uint8_t padding[5];
	uint16_t next; /* in the list of those that are returned at once */
	uint64_t counter;
};

struct notes {
	uint64_t features;
	uint16_t version; /* not 0: there is something to be looked at */
	uint16_t count;	  /* of the descriptors; written by the backend */
	uint16_t last_returned;
	uint16_t used; /* index of the used ring, once what was returned is no longer noted */
	struct note of[];
};

static size_t size_of_queue(uint16_t queue_size)
{
	size_t size = sizeof(struct notes) + queue_size * sizeof(struct note);

	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int vhost_inflight_create(struct vhost_inflight *inflight, unsigned queues, uint16_t queue_size)
{
	const size_t size = queues * size_of_queue(queue_size);
	int fd = memfd_create("vmdeck-inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *notes = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		notes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (notes == MAP_FAILED) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	*inflight = (struct vhost_inflight){ .fd = fd, .notes = notes, .size = size,
					     .queues = (uint16_t)queues, .queue_size = queue_size };
	return 0;
}

void vhost_inflight_destroy(struct vhost_inflight *inflight)
{
	if (!inflight->notes)
		return;
	munmap(inflight->notes, inflight->size);
	close(inflight->fd);
	*inflight = (struct vhost_inflight){ .fd = -1 };
}

static struct notes *notes_of(const struct vhost_inflight *inflight, unsigned n)
{
	return (struct notes *)(void *)(inflight->notes + n * size_of_queue(inflight->queue_size));
}

static void forget(uint8_t *heads, uint16_t head)
{
	heads[head / 8] &= (uint8_t)~(1u << head % 8);
}

/*
 * Those that were in the used ring already, but not struck from the notes: a list of as many as
 * the ring is ahead of them.
 */
static void forget_returned(const struct notes *notes, const struct virtq *queue, uint8_t *heads)
{
	uint16_t ahead = (uint16_t)(virtq_returned(queue) - notes->used);
	uint16_t head = notes->last_returned;

	for (; ahead && ahead <= queue->size && head < queue->size; ahead--) {
		forget(heads, head);
		head = notes->of[head].next;
	}
}

static int count_heads(const struct virtq *queue, const uint8_t *heads)
{
	int count = 0;

	for (unsigned i = 0; i < VHOST_INFLIGHT_BYTES; i++)
		count += __builtin_popcount(heads[i]);
	return count <= virtq_unreturned(queue) ? count : -EINVAL; /* which may be that itself */
}

int vhost_inflight_write(struct vhost_inflight *inflight, unsigned n, const struct virtq *queue,
			 const uint8_t heads[VHOST_INFLIGHT_BYTES])
{
	struct notes *notes = notes_of(inflight, n);

	memset(notes, 0, size_of_queue(inflight->queue_size));
	notes->version = VERSION;
	notes->used = virtq_returned(queue);
	/* Any order will do: it was for the backend to choose. */
	for (uint16_t head = 0; head < queue->size; head++) {
		notes->of[head].taken = heads[head / 8] >> head % 8 & 1;
		notes->of[head].counter = head;
	}
	return count_heads(queue, heads) < 0 ? -EINVAL : 0;
}

bool vhost_inflight_begun(const struct vhost_inflight *inflight, unsigned n)
{
	return notes_of(inflight, n)->count == inflight->queue_size;
}

int vhost_inflight_read(const struct vhost_inflight *inflight, unsigned n,
			const struct virtq *queue, uint8_t heads[VHOST_INFLIGHT_BYTES])
{
	const struct notes *notes = notes_of(inflight, n);

	memset(heads, 0, VHOST_INFLIGHT_BYTES);
	for (uint16_t head = 0; head < queue->size; head++)
		if (notes->of[head].taken)
			heads[head / 8] |= (uint8_t)(1u << head % 8);
	forget_returned(notes, queue, heads);
	return count_heads(queue, heads);
}
