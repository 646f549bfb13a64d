/* The birth of threads, and the pool of their stacks. Any thread; the pool has one lock. */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GUARD_SIZE 4096u
#define CHUNK_STACKS 64u /* of one mapping, most of which is never touched */

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* madvise(2), since Linux 6.13 */
#endif

struct chunk {
	struct chunk *next;
	uint8_t *stacks;
	uint64_t busy, guarded; /* a bit for each stack */
};

static struct chunk *chunks;
static pthread_mutex_t chunks_lock = PTHREAD_MUTEX_INITIALIZER;

static struct chunk *add_chunk(void)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));
	void *stacks;

	if (!chunk)
		return NULL;
	stacks = mmap(NULL, CHUNK_STACKS * THREAD_STACK_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stacks == MAP_FAILED) {
		free(chunk);
		return NULL;
	}
	/* A huge page would be one thread's use and many threads' memory. */
	madvise(stacks, CHUNK_STACKS * THREAD_STACK_SIZE, MADV_NOHUGEPAGE);
	chunk->stacks = stacks;
	chunk->next = chunks;
	chunks = chunk;
	return chunk;
}

/* The kernel's own guard leaves the mapping whole; older kernels split it. */
static int guard(uint8_t *stack)
{
	if (madvise(stack, GUARD_SIZE, MADV_GUARD_INSTALL) == 0)
		return 0;
	return mprotect(stack, GUARD_SIZE, PROT_NONE);
}

static void *take_stack(void)
{
	struct chunk *chunk;
	uint8_t *stack = NULL;

	pthread_mutex_lock(&chunks_lock);
	for (chunk = chunks; chunk && chunk->busy == UINT64_MAX; chunk = chunk->next)
		;
	if (!chunk)
		chunk = add_chunk();
	if (chunk) {
		unsigned index = (unsigned)__builtin_ctzll(~chunk->busy);
		uint64_t bit = 1ull << index;

		stack = chunk->stacks + (size_t)index * THREAD_STACK_SIZE;
		if (!(chunk->guarded & bit) && guard(stack) < 0) {
			stack = NULL;
		} else {
			chunk->guarded |= bit;
			chunk->busy |= bit;
		}
	}
	pthread_mutex_unlock(&chunks_lock);
	return stack;
}

/* An empty chunk goes back to the system when there is another empty one. */
static void give_stack(uint8_t *stack)
{
	struct chunk **link = &chunks, *chunk;
	bool spare = false;

	pthread_mutex_lock(&chunks_lock);
	while (stack < (*link)->stacks || stack >= (*link)->stacks + CHUNK_STACKS * THREAD_STACK_SIZE)
		link = &(*link)->next;
	chunk = *link;
	chunk->busy &= ~(1ull << ((size_t)(stack - chunk->stacks) / THREAD_STACK_SIZE));
	for (const struct chunk *other = chunks; other; other = other->next)
		spare |= other != chunk && !other->busy;
	if (!chunk->busy && spare) {
		*link = chunk->next;
		munmap(chunk->stacks, CHUNK_STACKS * THREAD_STACK_SIZE);
		free(chunk);
	}
	pthread_mutex_unlock(&chunks_lock);
}

/* The new thread's first steps: all that its role says of it comes before run(). */
static void *enter(void *arg)
{
	struct thread *thread = arg;

	pthread_setname_np(pthread_self(), thread->name);
	if (thread->role->confine)
		thread->role->confine(thread->role->kind);
	return thread->run(thread->arg);
}

int thread_start(struct thread *thread, const struct thread_role *role, const char *name,
		 void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all;
	int err;

	*thread = (struct thread){ .role = role, .run = run, .arg = arg };
	snprintf(thread->name, sizeof(thread->name), "%s", name ? name : role->name);
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &all);
	if (role->pooled) {
		thread->stack = take_stack();
		if (!thread->stack) {
			pthread_attr_destroy(&attr);
			return -ENOMEM;
		}
		pthread_attr_setstack(&attr, (uint8_t *)thread->stack + GUARD_SIZE,
				      THREAD_STACK_SIZE - GUARD_SIZE);
	}
	err = pthread_create(&thread->id, &attr, enter, thread);
	pthread_attr_destroy(&attr);
	if (err && thread->stack) {
		give_stack(thread->stack);
		thread->stack = NULL;
	}
	return -err;
}

void thread_join(struct thread *thread)
{
	pthread_join(thread->id, NULL);
	if (thread->stack)
		give_stack(thread->stack);
	thread->stack = NULL;
}
