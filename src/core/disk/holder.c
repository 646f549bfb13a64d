/* See holder.h. fcntl(2), proc_pid_fdinfo(5), proc_pid_stat(5). */
#include "core/disk/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/disk/file.h"

#define MARK 300	      /* bytes from the start; QEMU's locks end before */
#define FLAG_EXITING 0x4u     /* PF_EXITING of the kernel's include/linux/sched.h */
#define PROC_PATH_MAX 64

void image_mark(int fd)
{
	struct flock mark = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = MARK, .l_len = 1 };

	/* Without it others are told less. */
	(void)fcntl(fd, F_SETLK, &mark);
}

static pid_t marked_by(int fd)
{
	struct flock mark = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MARK, .l_len = 1 };

	if (fcntl(fd, F_OFD_GETLK, &mark) < 0 || mark.l_type == F_UNLCK || mark.l_pid <= 0)
		return 0;
	return mark.l_pid;
}

/* A small file of /proc as a string. */
static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* One that is ending lets go by itself. */
static bool is_alive(pid_t pid)
{
	char path[PROC_PATH_MAX], text[512], state, *at;
	unsigned flags;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	at = read_text(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
	if (!at || sscanf(at, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return false;
	return state != 'Z' && state != 'X' && !(flags & FLAG_EXITING);
}

/* Whether the process has the image open by this number, with locks on it. */
static bool holds(const char *pid, const char *number, const struct stat *st)
{
	char path[PROC_PATH_MAX], text[2048];
	struct stat other;

	snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, number);
	if (stat(path, &other) < 0 || !disk_file_same(&other, st))
		return false;
	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, number);
	return read_text(path, text, sizeof(text)) && strstr(text, "\nlock:");
}

static bool holds_any(const char *pid, const struct stat *st)
{
	char path[PROC_PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder)))
		found = isdigit((unsigned char)*entry->d_name) && holds(pid, entry->d_name, st);
	if (folder)
		closedir(folder);
	return found;
}

static pid_t opened_by(const struct stat *st)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	pid_t pid = 0;

	while (folder && !pid && (entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name) && holds_any(entry->d_name, st))
			pid = atoi(entry->d_name);
	if (folder)
		closedir(folder);
	return pid;
}

void image_find_holder(struct image_holder *holder, int fd, const struct stat *st, bool thorough)
{
	char path[PROC_PATH_MAX];

	*holder = (struct image_holder){ .pid = marked_by(fd) };
	if (!holder->pid && thorough)
		holder->pid = opened_by(st);
	if (holder->pid && !is_alive(holder->pid))
		holder->pid = 0;
	if (!holder->pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	read_text(path, holder->name, sizeof(holder->name));
	holder->name[strcspn(holder->name, "\n")] = '\0';
}
