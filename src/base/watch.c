/* See watch.h. */
#include "base/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define PAUSE (200 * NS_PER_MS)

#define ITSELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define NAMES (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define CONTENT (IN_CLOSE_WRITE | IN_ATTRIB)

/*
 * Watches the nearest folder above this one that is there, so that it is seen when the next on
 * the way is made, or when the folder is moved away and another takes its place. Where both are
 * one folder to inotify, as of guests and switches, the masks are joined.
 */
static void watch_above(struct watch *watch, struct watch_folder *folder)
{
	char path[PATH_MAX], *slash;

	folder->above = -1;
	if ((size_t)snprintf(path, sizeof(path), "%s", folder->path) >= sizeof(path))
		return;
	while (folder->above < 0 && (slash = strrchr(path, '/'))) {
		snprintf(folder->below, sizeof(folder->below), "%s", slash + 1);
		slash[slash == path] = '\0';
		folder->above = inotify_add_watch(watch->fd, path, NAMES | ITSELF | IN_MASK_ADD);
		if (slash == path)
			break;
	}
}

/* From above to below: what is made meanwhile is seen by one of the two. */
static int watch_folder(struct watch *watch, struct watch_folder *folder)
{
	int above;

	do {
		above = folder->above;
		watch_above(watch, folder);
	} while (folder->above != above);
	folder->own = inotify_add_watch(watch->fd, folder->path,
					NAMES | CONTENT | ITSELF | IN_MASK_ADD);
	return folder->own >= 0 || errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

static void forget(struct watch *watch, int descriptor)
{
	for (unsigned i = 0; i < WATCH_FOLDERS; i++)
		if (descriptor == watch->folders[i].own || descriptor == watch->folders[i].above)
			return;
	inotify_rm_watch(watch->fd, descriptor);
}

/* 0, or the first of a negative errno. */
static int watch_again(struct watch *watch)
{
	struct watch_folder before[WATCH_FOLDERS];
	int err = 0, one;

	memcpy(before, watch->folders, sizeof(before));
	for (unsigned i = 0; i < WATCH_FOLDERS; i++) {
		one = watch->folders[i].path ? watch_folder(watch, &watch->folders[i]) : 0;
		err = err ? err : one;
	}
	for (unsigned i = 0; i < WATCH_FOLDERS; i++) {
		forget(watch, before[i].own);
		forget(watch, before[i].above);
	}
	return err;
}

/* A file that has just been made is empty; it counts when it is written. A link is as it is. */
static bool is_being_made(const struct watch_folder *folder, const struct inotify_event *event)
{
	char path[PATH_MAX];
	struct stat st;

	int n = snprintf(path, sizeof(path), "%s/%s", folder->path, event->name);

	if (!(event->mask & IN_CREATE) || n < 0 || (size_t)n >= sizeof(path))
		return false;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

/* Whether an event is about files that count, or about the way to them. */
static bool concerns(const struct watch *watch, const struct watch_folder *folder,
		     const struct inotify_event *event)
{
	if (!folder->path)
		return false;
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
		return event->wd == folder->own || event->wd == folder->above;
	if (!event->len)
		return false;
	if (event->wd == folder->own && watch->counts(watch->arg, event->name))
		return !is_being_made(folder, event);
	return event->wd == folder->above && strcmp(event->name, folder->below) == 0;
}

/* Whether something has changed. */
static bool take(struct watch *watch)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool changed = false;
	ssize_t size, at;

	while ((size = read(watch->fd, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < size;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			changed |= event->mask & IN_Q_OVERFLOW;
			for (unsigned i = 0; i < WATCH_FOLDERS; i++)
				changed |= concerns(watch, &watch->folders[i], event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	if (changed)
		watch_again(watch);
	return changed;
}

static void tell(void *arg)
{
	struct watch *watch = arg;

	watch->changed = false;
	watch->call(watch->arg);
}

static void events_came(void *arg, uint32_t events)
{
	struct watch *watch = arg;

	(void)events;
	if (!take(watch) || watch->changed)
		return;
	watch->changed = true;
	loop_timer_set(watch->loop, &watch->pause, PAUSE);
}

void watch_flush(struct watch *watch)
{
	if (!watch->loop || (!take(watch) && !watch->changed))
		return;
	loop_timer_cancel(watch->loop, &watch->pause);
	tell(watch);
}

int watch_init(struct watch *watch, struct loop *loop, const char *const folders[WATCH_FOLDERS],
	       bool (*counts)(void *arg, const char *name), void (*changed)(void *arg), void *arg,
	       struct cause *cause)
{
	int err;

	*watch = (struct watch){ .counts = counts, .call = changed, .arg = arg,
				 .pause = { .fire = tell, .arg = watch } };
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return cause_errno(cause, errno, "inotify");
	watch->loop = loop;
	for (unsigned i = 0; i < WATCH_FOLDERS; i++)
		watch->folders[i] = (struct watch_folder){ .path = folders[i], .own = -1,
							   .above = -1 };
	err = watch_again(watch);
	if (!err)
		err = loop_add(loop, &watch->source, watch->fd, EPOLLIN, events_came, watch);
	if (!err)
		return 0;
	watch_destroy(watch);
	return cause_errno(cause, -err, "inotify");
}

void watch_destroy(struct watch *watch)
{
	if (!watch->loop)
		return;
	loop_timer_cancel(watch->loop, &watch->pause);
	loop_remove(watch->loop, &watch->source);
	close(watch->fd);
	watch->loop = NULL;
}
