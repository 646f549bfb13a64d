/* See walls.h. prctl(2), setrlimit(2), capabilities(7). */
#include "sandbox/walls.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/thread.h"
#include "sandbox/confine.h"
#include "sandbox/helper.h"
#include "sandbox/view.h"

static const struct {
	const char *name, *with, *without;
} names[] = {
#define WALL_TEXTS(NAME, name, with, without) [WALL_NUMBER_##NAME] = { name, with, without },
	WALL_LIST(WALL_TEXTS)
#undef WALL_TEXTS
};

const char *wall_name(unsigned number)
{
	return names[number].name;
}

const char *wall_means(unsigned number, bool in_force)
{
	return in_force ? names[number].with : names[number].without;
}

uint32_t walls_wanted(const struct walls *walls)
{
	uint32_t wanted = (1u << WALL_COUNT) - 1;

	return walls->network ? wanted & ~(uint32_t)WALL_NET : wanted;
}

/* A bound that is there already stays, if it is less: nobody but root can raise it. */
static bool limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return false;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

static bool set_limits(const struct walls *walls)
{
	bool set = limit(RLIMIT_NOFILE, walls->descriptors) && limit(RLIMIT_MEMLOCK, 0) &&
		   limit(RLIMIT_MSGQUEUE, 0) && limit(RLIMIT_NPROC, 0);

#ifndef THREAD_SANITIZED /* their shadow takes terabytes, and their reports go to files */
	set = set && limit(RLIMIT_AS, walls->memory) && limit(RLIMIT_FSIZE, 0);
#endif
	return set;
}

/* The limit is for a host that does not know of the other; where it is 0 for good it stays so. */
static bool leave_no_core(void)
{
	confine_process();
	return prctl(PR_SET_DUMPABLE, 0) == 0;
}

/*
 * The helper asks for all namespaces at once or for none, and only who has a
 * process namespace of its own is the first process in one.
 */
static uint32_t find_namespaces(const struct walls *walls)
{
	uint32_t found = WALL_USER | WALL_PID | WALL_IPC;

	if (getpid() != 1)
		return 0;
	return walls->network ? found : found | WALL_NET;
}

/* As seen by whoever is outside of its user namespace. */
static bool is_root_outside(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, count, uid = geteuid();
	bool root = uid == 0;

	while (map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3)
		if (uid >= inside && uid - inside < count)
			root = outside + (uid - inside) == 0;
	if (map)
		fclose(map);
	return root;
}

/* Also those that root could get by executing something. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS);
	for (unsigned long n = 0; prctl(PR_CAPBSET_DROP, n, 0, 0, 0) == 0; n++)
		;
	return syscall(SYS_capset, &header, none) == 0;
}

uint32_t walls_enter(const struct walls *walls)
{
	uint32_t in_force = find_namespaces(walls);

	in_force |= is_root_outside() ? 0 : WALL_NOT_ROOT;
#ifndef THREAD_SANITIZED
	close_range(HELPER_FD_COUNT, ~0u, 0);
#endif
	in_force |= view_enter(walls->readable) ? WALL_MOUNT : 0;
	in_force |= drop_capabilities() ? WALL_CAPABILITIES : 0;
	in_force |= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? WALL_NO_NEW_PRIVS : 0;
	in_force |= landlock_enter(walls->readable, walls->network) ? WALL_LANDLOCK : 0;
	in_force |= leave_no_core() ? WALL_NO_CORE : 0;
	in_force |= set_limits(walls) ? WALL_LIMITS : 0;
	return filter_enter(walls->filter) < 0 ? 0 : in_force | WALL_SECCOMP;
}
