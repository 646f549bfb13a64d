/*
 * A root folder of its own, with nothing in it but what may be read.
 * mount_namespaces(7), pivot_root(2), mount_setattr(2). The process's only thread.
 *
 * Mounts are made apart from the tree and then put into it, which needs no
 * folder of the host's to mount upon (Linux 5.2; mount_setattr is of 5.12).
 */
#include "sandbox/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOTHING_RUNS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* An empty folder that is in no tree yet; a descriptor or -1. */
static int make_root(void)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC), root = -1;

	if (context < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		root = fsmount(context, FSMOUNT_CLOEXEC, NOTHING_RUNS);
	close(context);
	return root;
}

static bool make_readonly(int mount)
{
	struct mount_attr attributes = { .attr_set = NOTHING_RUNS | MOUNT_ATTR_RDONLY };

	return mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
			     sizeof(attributes)) == 0;
}

/* The folders above path, which is relative to root, and what a mount of that mode goes upon. */
static bool make_place(int root, const char *path, mode_t mode)
{
	char part[PATH_MAX];
	int fd;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(root, part, 0755) < 0 && errno != EEXIST)
			return false;
	}
	if (S_ISDIR(mode))
		return mkdirat(root, path, 0755) == 0 || errno == EEXIST;
	fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* True also when there is nothing to be shown. */
static bool show(int root, const char *path)
{
	struct stat st;
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	bool shown;

	if (tree < 0)
		return errno == ENOENT || errno == EACCES;
	while (*path == '/')
		path++;
	shown = fstat(tree, &st) == 0 && make_readonly(tree) && make_place(root, path, st.st_mode) &&
		move_mount(tree, "", root, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
	close(tree);
	return shown;
}

/* The root that is there is taken away only when the new one is complete. */
static bool fill(int root, const char *const *readable)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	for (; readable && *readable; readable++)
		if (!show(root, *readable))
			return false;
	return true;
}

bool view_enter(const char *const *readable)
{
	bool entered = false;
	int root;

	/* Never in a namespace that others are in, wherever this process comes from. */
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	root = make_root();
	if (root < 0)
		return false;
	if (fill(root, readable) && fchdir(root) == 0 &&
	    syscall(SYS_pivot_root, ".", ".") == 0) {
		/* The old root lies upon the new one. */
		entered = umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 && make_readonly(root);
	}
	close(root);
	return entered;
}
