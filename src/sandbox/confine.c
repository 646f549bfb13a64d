/* See confine.h. capabilities(7), setrlimit(2), seccomp(2). */
#include "sandbox/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/thread.h"

#define BIT(capability) (1ull << (capability))

/* Files of other users, such as a root deck is given images of. */
#define OTHERS_FILES (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER))

static const uint64_t kept[FILTER_COUNT] = {
	[FILTER_DECK] = OTHERS_FILES,
};

static _Atomic uint32_t missing, entered;

void confine_capabilities(uint64_t kept_set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) != 0)
		return;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= (uint32_t)(kept_set >> 32 * i);
		sets[i].effective &= sets[i].permitted;
		sets[i].inheritable = 0;
	}
	(void)syscall(SYS_capset, &header, sets);
}

void confine_thread(unsigned filter)
{
	confine_capabilities(kept[filter]);
	if (filter_enter(filter) < 0)
		atomic_fetch_or(&missing, 1u << filter);
	else
		atomic_fetch_or(&entered, 1u << filter);
}

/* By a filter of ours. */
static bool is_confined(void)
{
	int mode = prctl(PR_GET_SECCOMP);

#ifdef THREAD_SANITIZED
	return mode == SECCOMP_MODE_FILTER; /* these let sanitizers ask what they like */
#else
	/* Ours do not let it ask; one that a container has put around it does. */
	return mode < 0 && errno == EPERM;
#endif
}

void confine_by_birth(unsigned filter)
{
	if (!is_confined())
		confine_thread(filter);
}

/* core_pattern names a program or a socket, which take a core whatever a limit of 0 says. */
static bool cores_are_sent(void)
{
	FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
	int first = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	return first == '|' || first == '@' || first == EOF;
}

bool confine_cores(void)
{
	/* Not 0 bytes: what core_pattern starts would take the core all the same, core(5). */
	const struct rlimit none = { 1, 1 };
	struct rlimit limit;

	if (setrlimit(RLIMIT_CORE, &none) == 0)
		return true;
	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && !cores_are_sent();
}

bool confine_process(void)
{
	/* Nor is it anything that a process of its user's may look into: ptrace(2). */
	prctl(PR_SET_DUMPABLE, 0);
	return confine_cores();
}

uint32_t confine_missing(void)
{
	return atomic_load(&missing);
}

uint32_t confine_entered(void)
{
	return atomic_load(&entered);
}
