/*
 * The one door through which every thread but the first comes into the process:
 * signals, name, stack, and what its role may do.
 *
 * Threads of guests are many and alike, with small stacks out of one pool. Each
 * mapping of its own that a stack has, and each change of protection for
 * its guard page, makes the kernel look at every virtual machine of the
 * process. So stacks are cut from large mappings, keep their guard pages when a
 * thread has ended, and serve the next one.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define THREAD_SANITIZED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define THREAD_SANITIZED
#endif
#endif

#define THREAD_NAME_MAX 16 /* with the NUL, as the system takes it */

/* With the guard page. Sanitizers keep state of their own on each stack. */
#ifdef THREAD_SANITIZED
#define THREAD_STACK_SIZE (2u << 20)
#else
#define THREAD_STACK_SIZE (256u << 10)
#endif

/* What a thread is for; each kind of thread has one, constant, beside its function. */
struct thread_role {
	const char *name; /* of a thread that is given none */
	bool pooled;	  /* a small stack out of the pool; false: the system's own */

	/* Before anything else the thread gives up what its kind never needs, or NULL. */
	void (*confine)(unsigned kind);
	unsigned kind; /* what confine() is told */
};

struct thread {
	const struct thread_role *role;
	pthread_t id;
	void *(*run)(void *arg);
	void *arg;
	char name[THREAD_NAME_MAX];
	void *stack; /* out of the pool, or NULL */
};

/*
 * Starts run(arg) with all signals blocked; name, cut to 15 characters, is what
 * "top -H" and gdb show, NULL: the role's. role and *thread stay where they are
 * until thread_join(). Any thread. 0, -ENOMEM or -EAGAIN.
 */
int thread_start(struct thread *thread, const struct thread_role *role, const char *name,
		 void *(*run)(void *arg), void *arg);

/* Waits for its end and takes the stack back. Any thread but itself, once. */
void thread_join(struct thread *thread);

#endif
