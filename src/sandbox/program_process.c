/* A program that is running; see program.h. What it says comes over sockets: unix(7). */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "sandbox/helper.h"
#include "sandbox/program.h"

#define HEARD_MAX 64 /* pieces of its last words */
#define KILL_LIMIT 1000 /* ms in which the kernel ends one, unless a device holds it up */

static _Atomic uint32_t refused;

uint32_t program_refused(void)
{
	return atomic_load(&refused);
}

/* --- its last words --- */

static void end_line(struct program_process *process)
{
	process->line[process->line_size] = '\0';
	if (process->line_size)
		memcpy(process->words, process->line, process->line_size + 1);
	process->line_size = 0;
}

int program_hear(struct program_process *process)
{
	char text[512];
	ssize_t n = recv(process->error_fd, text, sizeof(text), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			end_line(process);
			continue;
		}
		/* What is wrong stands at a line's end. */
		if (process->line_size + 1 == sizeof(process->line)) {
			process->line_size /= 2;
			memcpy(process->line, process->line + sizeof(process->line) / 2,
			       process->line_size);
		}
		process->line[process->line_size++] = text[i];
	}
	if (n > 0)
		return 1;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	end_line(process);
	return -EPIPE;
}

/* --- its end --- */

void program_close(struct program_process *process)
{
	if (process->status_fd >= 0)
		close(process->status_fd);
	if (process->error_fd >= 0)
		close(process->error_fd);
	process->status_fd = process->error_fd = -1;
	atomic_store(&process->pid, 0);
}

/* Its last words without its name, and without the option that QEMU's programs begin with. */
static const char *without_preface(const struct program_process *process)
{
	const char *name = program_name(process->program), *words = process->words, *end;
	size_t size = strlen(name);

	if (!strncmp(words, name, size) && !strncmp(words + size, ": ", 2))
		words += size + 2;
	end = strncmp(words, "--", 2) ? NULL : strstr(words, ": ");
	return end ? end + 2 : words;
}

static void explain(const struct program_process *process, ssize_t n,
		    const struct helper_report *report, char *why, size_t size)
{
	const char *name = program_name(process->program);
	int used;

	if (n != sizeof(*report))
		used = snprintf(why, size, "%s is gone with what started it", name);
	else if (report->says == HELPER_REFUSED)
		used = snprintf(why, size, "%s could not be started: %s", name,
				strerror(report->code));
	else if (report->says == HELPER_KILLED)
		used = snprintf(why, size, "%s was ended by signal %d (%s)", name, report->code,
				strsignal(report->code));
	else if (report->code == HELPER_NOT_EXECUTED)
		used = snprintf(why, size, "%s could not be executed", name);
	else
		used = snprintf(why, size, "%s ended with status %d", name, report->code);
	if (*process->words && used > 0 && (size_t)used < size)
		snprintf(why + used, size - (size_t)used, ": %s", without_preface(process));
}

int program_ended(struct program_process *process, char *why, size_t size)
{
	struct helper_report report = { 0 };
	ssize_t n = recv(process->status_fd, &report, sizeof(report), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == sizeof(report) && report.says == HELPER_STARTED) {
		atomic_store(&process->pid, report.code);
		process->refused = report.refused;
		atomic_fetch_or(&refused, report.refused);
		return 0;
	}
	/* A process that it has left behind may go on writing. */
	for (unsigned i = 0; i < HEARD_MAX && program_hear(process) > 0; i++)
		;
	end_line(process);
	process->exit_status = n == sizeof(report) && report.says == HELPER_EXITED ? report.code
										   : -EIO;
	explain(process, n, &report, why, size);
	return 1;
}

/* Has the helper send it a signal, and waits until it has ended. False: it has not by then. */
static bool end_within(struct program_process *process, char how, int limit_ms)
{
	uint64_t until = clock_monotonic() + (uint64_t)limit_ms * NS_PER_MS, now;
	struct pollfd wait = { .fd = process->status_fd, .events = POLLIN };
	char why[PROGRAM_WORDS_MAX];

	/* Of one that has ended the other end is closed, and what it says is still there. */
	(void)send(process->status_fd, &how, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	while ((now = clock_monotonic()) < until &&
	       poll(&wait, 1, (int)((until - now) / NS_PER_MS) + 1) > 0)
		if (program_ended(process, why, sizeof(why)))
			return true;
	return false;
}

bool program_kill(struct program_process *process)
{
	bool ended = process->status_fd < 0 || end_within(process, HELPER_KILL, KILL_LIMIT);

	program_close(process);
	return ended;
}

void program_end(struct program_process *process, int limit_ms)
{
	if (process->status_fd >= 0 && end_within(process, HELPER_ASK, limit_ms))
		program_close(process);
	else
		(void)program_kill(process);
}

/* --- its beginning, and waiting for all of it --- */

int program_start(struct program_process *process, const struct program_order *order,
		  struct cause *cause)
{
	int errors[2];

	process->program = order->program;
	process->status_fd = process->error_fd = -1;
	atomic_store(&process->pid, 0);
	process->refused = 0;
	process->exit_status = 0;
	process->line_size = 0;
	process->words[0] = '\0';
	/* Not a pipe, which would be one more call that the thread may make. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, errors) < 0)
		return cause_errno(cause, errno, "%s", program_name(order->program));
	process->status_fd = helper_run(order, errors[1], cause);
	close(errors[1]);
	if (process->status_fd < 0) {
		close(errors[0]);
		return process->status_fd;
	}
	process->error_fd = errors[0];
	return 0;
}

/* Waits for something of it, or of cancel_fd. 1, or -ECANCELED, -ETIMEDOUT. */
static int wait_for_news(struct program_process *process, int cancel_fd, uint64_t until)
{
	struct pollfd polls[] = {
		{ .fd = process->status_fd, .events = POLLIN },
		{ .fd = process->error_fd, .events = POLLIN },
		{ .fd = cancel_fd, .events = POLLIN },
	};
	uint64_t now = clock_monotonic();
	int left = until ? (int)((until - now) / NS_PER_MS) + 1 : -1;

	if (until && now >= until)
		return -ETIMEDOUT;
	if (poll(polls, ARRAY_SIZE(polls), left) < 0)
		return errno == EINTR ? 1 : -errno;
	if (polls[2].revents)
		return -ECANCELED;
	/* Whoever closes standard error goes on without words. */
	if (polls[1].revents && program_hear(process) < 0) {
		close(process->error_fd);
		process->error_fd = -1;
	}
	return 1;
}

int program_wait(struct program_process *process, int cancel_fd, int limit_ms,
		 struct cause *cause)
{
	uint64_t until = limit_ms < 0 ? 0 : clock_monotonic() + (uint64_t)limit_ms * NS_PER_MS;
	char why[CAUSE_SIZE];
	int r;

	do {
		r = wait_for_news(process, cancel_fd, until);
	} while (r > 0 && !program_ended(process, why, sizeof(why)));
	if (r < 0) {
		(void)program_kill(process);
		return cause_errno(cause, -r, "%s", program_name(process->program));
	}
	program_close(process);
	return process->exit_status ? cause_set(cause, EIO, "%s", why) : 0;
}
