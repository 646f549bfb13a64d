/*
 * The chunks that records travel in: a bitmap over one mapping. Taking and
 * giving is a few atomics, by any thread; the lowest free chunk is taken, so
 * that little traffic touches little memory.
 */
#include "net/capture_private.h"

#include <sys/mman.h>

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

	for (uint32_t index = 0; index < touched; index++) {
		uint64_t bit = 1ull << index % 64;

		if (atomic_fetch_or_explicit(&hub->used[index / 64], bit, memory_order_acquire) &
		    bit)
			continue;
		madvise(chunk_at(hub, index), CHUNK_SIZE, MADV_DONTNEED);
		capture_pool_give(hub, chunk_at(hub, index));
	}
}
