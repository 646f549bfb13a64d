/*
 * The chunks that records travel in: a bitmap over one mapping. Taking and
 * giving is a few atomics, by any thread; the lowest free chunk is taken, so
 * that little traffic touches little memory.
 */
#include "net/capture/capture_private.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/checked.h"

#define POOL_SIZE ((size_t)POOL_CHUNKS * CHUNK_SIZE)
#define POOL_PAGE (2u * 1024 * 1024) /* a huge page */
#define GROUP (POOL_PAGE / CHUNK_SIZE) /* chunks in it */
#define GROUP_BITS ((1ull << GROUP) - 1)

_Static_assert(64 % GROUP == 0 && POOL_CHUNKS % GROUP == 0, "no group crosses a word");

static struct chunk *chunk_at(const struct capture_hub *hub, uint32_t index)
{
	return (struct chunk *)(void *)(hub->pool + (size_t)index * CHUNK_SIZE);
}

struct chunk *capture_pool_take(struct capture_hub *hub)
{
	if (atomic_load_explicit(&hub->full_count, memory_order_relaxed) >= FULL_MAX)
		return NULL;
	for (uint32_t word = 0; word < POOL_WORDS; word++) {
		uint64_t used = atomic_load_explicit(&hub->used[word], memory_order_relaxed);

		while (~used) {
			uint32_t bit = (uint32_t)__builtin_ctzll(~used), index = word * 64 + bit;
			uint32_t touched;

			used = atomic_fetch_or_explicit(&hub->used[word], 1ull << bit,
							memory_order_acquire);
			if (used >> bit & 1)
				continue;
			touched = atomic_load_explicit(&hub->touched, memory_order_relaxed);
			while (touched <= index &&
			       !atomic_compare_exchange_weak_explicit(
				       &hub->touched, &touched, index + 1, memory_order_relaxed,
				       memory_order_relaxed))
				;
			return chunk_at(hub, index);
		}
	}
	return NULL;
}

void capture_pool_give(struct capture_hub *hub, struct chunk *chunk)
{
	uint32_t index = (uint32_t)((size_t)((uint8_t *)chunk - hub->pool) / CHUNK_SIZE);

	atomic_fetch_and_explicit(&hub->used[index / 64], ~(1ull << index % 64),
				  memory_order_release);
}

void capture_pool_trim(struct capture_hub *hub)
{
	uint32_t touched = atomic_exchange_explicit(&hub->touched, 0, memory_order_relaxed);

	for (uint32_t index = 0; index < touched; index += GROUP) {
		uint64_t group = GROUP_BITS << index % 64;
		_Atomic uint64_t *word = &hub->used[index / 64];
		uint64_t used = atomic_load_explicit(word, memory_order_relaxed);

		/* A group is taken as a whole, so that nobody writes to it meanwhile. */
		while (!(used & group) &&
		       !atomic_compare_exchange_weak_explicit(word, &used, used | group,
							      memory_order_acquire,
							      memory_order_relaxed))
			;
		if (used & group)
			continue;
		madvise(chunk_at(hub, index), POOL_PAGE, MADV_DONTNEED);
		atomic_fetch_and_explicit(word, ~group, memory_order_release);
	}
}

int capture_pool_map(struct capture_hub *hub)
{
	void *map = mmap(NULL, POOL_SIZE + POOL_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return -errno;
	hub->pool_map = map;
	hub->pool = (uint8_t *)align_up((uintptr_t)map, POOL_PAGE);
	madvise(hub->pool, POOL_SIZE, MADV_NOHUGEPAGE);
	return 0;
}

void capture_pool_advise(struct capture_hub *hub, bool huge)
{
	if (huge == hub->huge)
		return;
	hub->huge = huge;
	/* A burst of traffic would otherwise spend more on page faults than on records. */
	madvise(hub->pool, POOL_SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void capture_pool_unmap(struct capture_hub *hub)
{
	if (hub->pool_map)
		munmap(hub->pool_map, POOL_SIZE + POOL_PAGE);
	hub->pool_map = hub->pool = NULL;
}
