/*
 * Makes the programs of the table in filters_table.h, as C, when vmdeck is
 * built: "make_filters >filters.inc". libseccomp; seccomp_rule_add(3).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/thread.h"
#include "sandbox/filters.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define OWN_NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWNET | CLONE_NEWCGROUP)

#define NEWEST_CALL __NR_futex_waitv /* that the table was made with; Linux 5.16 */
#define LENGTH_MAX 4096

/* A bit for each filter, named as the table names them. */
enum {
#define FILTER_BIT(NAME, name, whose) NAME = 1 << FILTER_##NAME,
	FILTERS(FILTER_BIT)
#undef FILTER_BIT
	ALL = (1 << FILTER_COUNT) - 1,
	PROCESSES = (1 << FILTER_THREADS) - 1,
	THREADS = ALL & ~PROCESSES,
#ifdef THREAD_SANITIZED
	MOST = ALL, /* sanitizers do the same on every thread */
#else
	MOST = ALL & ~VCPU,
#endif
};

enum effect { ALLOWED, FAILING, KILLING };

struct row {
	const char *call;
	unsigned who;
	enum effect effect;
	int error; /* of FAILING */
	unsigned conditions;
	struct scmp_arg_cmp condition[2];
};

static const struct row rows[] = {
#define IF(n, mask, value) { n, SCMP_CMP_MASKED_EQ, mask, value }
#define CALL(call, who) { #call, who, ALLOWED, 0, 0, { { 0 } } },
#define WHEN(call, who, n, mask, value) { #call, who, ALLOWED, 0, 1, { IF(n, mask, value) } },
#define WHEN_BOTH(call, who, n, mask, value, n2, mask2, value2) \
	{ #call, who, ALLOWED, 0, 2, { IF(n, mask, value), IF(n2, mask2, value2) } },
#define FAILS(call, who, error) { #call, who, FAILING, error, 0, { { 0 } } },
#define FAILS_WHEN(call, who, n, mask, value, error) \
	{ #call, who, FAILING, error, 1, { IF(n, mask, value) } },
#define DEADLY(call, who) { #call, who, KILLING, 0, 0, { { 0 } } },
#include "sandbox/filters_table.h"
#ifdef THREAD_SANITIZED
/* What sanitizers do: they look at the process and at what it was started with. */
#define SANITIZED(call) CALL(call, ALL)
	SANITIZED(openat)
	SANITIZED(open)
	SANITIZED(readlink)
	SANITIZED(mmap)
	SANITIZED(mprotect)
	SANITIZED(clone)
	SANITIZED(ptrace)
	SANITIZED(wait4)
	SANITIZED(prctl)
	SANITIZED(getppid)
	SANITIZED(getdents)
	SANITIZED(getdents64)
	SANITIZED(stat)
	SANITIZED(pipe)
	SANITIZED(pipe2)
	SANITIZED(mincore)
	SANITIZED(personality)
	SANITIZED(dup2)
	SANITIZED(tgkill)
	SANITIZED(pread64)
	SANITIZED(setrlimit)
	SANITIZED(prlimit64)
#endif
};

static void __attribute__((noreturn)) fail(const char *what, int error)
{
	fprintf(stderr, "make_filters: %s: %s\n", what, strerror(error));
	exit(1);
}

/* A call that is open without conditions is open, whatever other rows say of it. */
static bool superseded(const struct row *row, unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (&rows[i] != row && (rows[i].who & bit) && !strcmp(rows[i].call, row->call) &&
		    rows[i].effect == ALLOWED && !rows[i].conditions &&
		    (row->conditions || row->effect != ALLOWED || &rows[i] < row))
			return true;
	return false;
}

static void add(scmp_filter_ctx filter, const struct row *row)
{
	uint32_t action = row->effect == ALLOWED ? SCMP_ACT_ALLOW :
			  row->effect == FAILING ? SCMP_ACT_ERRNO(row->error) :
						   SCMP_ACT_KILL_PROCESS;
	int number = seccomp_syscall_resolve_name(row->call);
	int error;

	if (number == __NR_SCMP_ERROR)
		fail(row->call, ENOSYS);
	error = seccomp_rule_add_array(filter, action, number, row->conditions, row->condition);
	if (error)
		fail(row->call, -error);
}

/*
 * What stands before the table's own program: what is newer than the table does
 * not exist, and a vCPU enters its guest without walks through the trees of its own
 * filter and of the one that it was born with.
 */
static size_t begin(enum call_filter filter, struct sock_filter *program)
{
	static const struct sock_filter run[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KVM_RUN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct sock_filter known[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	size_t length = 0;

	if (filter == FILTER_VCPU || filter == FILTER_DECK) {
		memcpy(program, run, sizeof(run));
		length = ARRAY_SIZE(run);
	}
	memcpy(program + length, known, sizeof(known));
	return length + ARRAY_SIZE(known);
}

static size_t make(enum call_filter filter, struct sock_filter program[LENGTH_MAX])
{
	unsigned bit = 1u << filter;
	scmp_filter_ctx context = seccomp_init(filter < FILTER_THREADS ? SCMP_ACT_KILL_PROCESS :
									 SCMP_ACT_ERRNO(EPERM));
	size_t length = begin(filter, program);
	int error, fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;

	if (!context || fd < 0)
		fail("seccomp_init", ENOMEM);
	error = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !error && i < ARRAY_SIZE(rows); i++)
		if ((rows[i].who & bit) && !superseded(&rows[i], bit))
			add(context, &rows[i]);
	if (!error)
		error = seccomp_export_bpf(context, fd);
	if (error)
		fail("seccomp_export_bpf", -error);
	n = pread(fd, program + length, (LENGTH_MAX - length) * sizeof(*program), 0);
	if (n <= 0 || n % (ssize_t)sizeof(*program))
		fail("its program", EIO);
	seccomp_release(context);
	close(fd);
	return length + (size_t)n / sizeof(*program);
}

static void print(const char *name, const struct sock_filter *program, size_t length)
{
	printf("static const struct sock_filter %s_program[] = {\n", name);
	for (size_t i = 0; i < length; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", program[i].code, program[i].jt,
		       program[i].jf, program[i].k);
	printf("};\n");
}

int main(void)
{
	static const char *const names[] = {
#define FILTER_TEXT(NAME, name, whose) #name,
		FILTERS(FILTER_TEXT)
#undef FILTER_TEXT
	};
	static struct sock_filter program[LENGTH_MAX];

	for (unsigned i = 0; i < FILTER_COUNT; i++)
		print(names[i], program, make(i, program));
	return fflush(stdout) != 0;
}
