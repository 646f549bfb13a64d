/* A host that refuses system calls, as a container's seccomp profile or an old kernel does. */
#ifndef TESTS_LIB_REFUSE_H
#define TESTS_LIB_REFUSE_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define REFUSALS_MAX 8

struct refusal {
	long call; /* SYS_... */
	int error;
};

/* The calling thread and those that it starts are refused them for good. 0 or -1 with errno. */
static inline int refuse_calls(const struct refusal *refusals, unsigned count)
{
	struct sock_filter program[2 + 2 * REFUSALS_MAX];
	struct sock_fprog filter = { .filter = program };

	if (count > REFUSALS_MAX) {
		errno = E2BIG;
		return -1;
	}
	program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							     offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < count; i++) {
		program[filter.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)refusals[i].call, 0, 1);
		program[filter.len++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)refusals[i].error);
	}
	program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

#endif
