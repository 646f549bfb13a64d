/* See saving.h. */
#include "tui/ui/saving.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/worker.h"

#define LEAVE_NS (2 * NS_PER_S)

static const struct thread_role role = { .name = "vmdeck-save" };

struct saving {
	struct worker worker;
	struct worker_job job;
	struct tui *tui;
	bool busy;
	uint8_t *data;
	size_t size;
	char path[PATH_MAX], before[128], after[128];
	int error; /* errno */
};

struct saving *saving_new(struct tui *tui)
{
	struct saving *saving = calloc(1, sizeof(*saving));

	if (!saving)
		return NULL;
	saving->tui = tui;
	worker_init(&saving->worker, &tui->loop, &role, 1);
	return saving;
}

bool saving_busy(const struct saving *saving)
{
	return saving->busy;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Helper thread. What could not be written whole is removed. */
static void work(void *arg)
{
	struct saving *saving = arg;
	int fd = open(saving->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	saving->error = fd < 0 ? errno : write_all(fd, saving->data, saving->size);
	if (fd >= 0 && close(fd) < 0 && !saving->error)
		saving->error = errno;
	if (fd >= 0 && saving->error)
		unlink(saving->path);
}

static void drop(struct saving *saving)
{
	free(saving->data);
	saving->data = NULL;
	saving->busy = false;
}

static void done(void *arg)
{
	struct saving *saving = arg;

	drop(saving);
	if (saving->error)
		tui_say(saving->tui, SEVERITY_ERROR, NULL, "%s: %s", saving->path,
			strerror(saving->error));
	else
		tui_say(saving->tui, SEVERITY_GOOD, NULL, "%s %s%s.", saving->before, saving->path,
			saving->after);
}

void saving_begin(struct saving *saving, const char *typed, void *data, size_t size,
		  const char *before, const char *after)
{
	struct cause cause = { "" };

	saving->data = data;
	saving->size = size;
	snprintf(saving->before, sizeof(saving->before), "%s", before);
	snprintf(saving->after, sizeof(saving->after), "%s", after);
	saving->job = (struct worker_job){ .work = work, .done = done, .arg = saving };
	if (paths_typed(saving->path, typed, &cause) == 0) {
		saving->busy = worker_post(&saving->worker, &saving->job) == 0;
		if (saving->busy)
			return;
		cause_set(&cause, 0, "%s: no thread can be made to write it", saving->path);
	}
	drop(saving);
	tui_say(saving->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
}

void saving_free(struct saving *saving)
{
	/* One that a disk holds up stays where it is until the process has ended. */
	if (!saving || !worker_leave(&saving->worker, LEAVE_NS))
		return;
	worker_destroy(&saving->worker);
	free(saving);
}
