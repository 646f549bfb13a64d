/*
 * Landlock, by system calls, since headers are often older than kernels.
 * landlock(7), landlock_create_ruleset(2). The process's only thread.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "sandbox/view.h"

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_REG (1ull << 8)
#define FS_FIRST 0x1fffull  /* all of the first version, 5.13 */
#define FS_REFER (1ull << 13)	  /* 2, 5.19 */
#define FS_TRUNCATE (1ull << 14)  /* 3, 6.2 */
#define FS_IOCTL_DEV (1ull << 15) /* 5, 6.10 */
#define NET_TCP 3ull		  /* 4, 6.7: to bind and to connect */
#define SCOPES 3ull		  /* 6, 6.12: abstract sockets and signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* What each version brought; a kernel takes an attribute that is no longer than it knows. */
static const struct {
	struct ruleset more;
	size_t size;
} versions[] = {
	{ { FS_FIRST, 0, 0 }, 8 },     { { FS_REFER, 0, 0 }, 8 },	{ { FS_TRUNCATE, 0, 0 }, 8 },
	{ { 0, NET_TCP, 0 }, 16 },     { { FS_IOCTL_DEV, 0, 0 }, 16 }, { { 0, 0, SCOPES }, 24 },
};

static bool allow(int ruleset, const char *path, uint64_t of_file, uint64_t of_folder)
{
	struct path_rule rule = { .allowed = of_file | of_folder };
	struct stat st;
	bool allowed;

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return true; /* what is not there needs no rule */
	if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed = of_file;
	allowed = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent);
	return allowed;
}

static long get_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
}

bool landlock_is_there(void)
{
	return get_version() > 0;
}

/* A set without rules, and what it handles of files; or -1. */
static int make_ruleset(bool network, uint64_t *handled)
{
	long version = get_version();
	struct ruleset wanted = { 0 };
	size_t size = 0;

	for (long i = 0; i < version && i < (long)ARRAY_SIZE(versions); i++) {
		wanted.fs |= versions[i].more.fs;
		wanted.net |= network ? 0 : versions[i].more.net;
		wanted.scoped |= versions[i].more.scoped;
		size = versions[i].size;
	}
	*handled = wanted.fs;
	return size ? (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0) : -1;
}

static bool enter(int ruleset)
{
	bool entered = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;

	close(ruleset);
	return entered;
}

bool landlock_enter(const char *const *readable, bool network)
{
	uint64_t handled;
	int ruleset = make_ruleset(network, &handled);
	bool allowed = true;

	if (ruleset < 0)
		return false;
	for (; allowed && readable && *readable; readable++)
		allowed = allow(ruleset, *readable, FS_READ_FILE, FS_READ_DIR);
	if (allowed)
		return enter(ruleset);
	close(ruleset);
	return false;
}

bool landlock_enter_program(const struct landlock_file *files, bool network)
{
	static const uint64_t of_file[] = {
		[LANDLOCK_READ] = FS_READ_FILE,
		[LANDLOCK_EXECUTE] = FS_READ_FILE | FS_EXECUTE,
		[LANDLOCK_WRITE] = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
	};
	static const uint64_t of_folder[] = {
		[LANDLOCK_READ] = FS_READ_DIR,
		[LANDLOCK_EXECUTE] = FS_READ_DIR,
		[LANDLOCK_WRITE] = FS_READ_DIR | FS_MAKE_REG | FS_REMOVE_FILE,
	};
	uint64_t handled;
	int ruleset = make_ruleset(network, &handled);
	bool allowed = true;

	if (ruleset < 0)
		return false;
	for (; allowed && files->path; files++)
		allowed = allow(ruleset, files->path, of_file[files->access] & handled,
				of_folder[files->access] & handled);
	if (allowed)
		return enter(ruleset);
	close(ruleset);
	return false;
}
