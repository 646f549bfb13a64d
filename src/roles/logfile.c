/* See logfile.h. */
#include "roles/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/plain.h"

#define STAMP_SIZE 48

static void close_file(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

/* Nothing but a file: another kind of thing could hold up the deck. */
static int open_file(struct logfile *log)
{
	int err = 0;

	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
		       O_NONBLOCK | O_NOCTTY, 0600);
	if (log->fd < 0 || fstat(log->fd, &log->st) < 0)
		err = -errno;
	else if (!S_ISREG(log->st.st_mode))
		err = -EINVAL;
	if (err)
		close_file(log);
	return err;
}

/* Another deck may have turned it over, or somebody removed it. */
static bool is_there(const struct logfile *log)
{
	struct stat st;

	return log->fd >= 0 && lstat(log->path, &st) == 0 && st.st_ino == log->st.st_ino &&
	       st.st_dev == log->st.st_dev;
}

/* A new file in place of a full one. */
static void turn_over(struct logfile *log)
{
	char old[PATH_MAX + 8];

	close_file(log);
	snprintf(old, sizeof(old), "%s.old", log->path);
	rename(log->path, old);
	open_file(log);
}

/* "2026-01-31 12:00:00 [4711] " */
static size_t stamp(char out[STAMP_SIZE], uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm tm;
	size_t n = localtime_r(&seconds, &tm) ? strftime(out, STAMP_SIZE, "%F %T", &tm) : 0;

	return n + (size_t)snprintf(out + n, STAMP_SIZE - n, " [%d] ", (int)getpid());
}

/* Decks of one user share the file: a line is one write. */
static void write_line(struct logfile *log, uint64_t time_ns, const char *text)
{
	char line[STAMP_SIZE + JOURNAL_SENTENCE + 1], *clean;
	size_t n = stamp(line, time_ns), size;
	ssize_t written = 0;

	snprintf(line + n, sizeof(line) - n, "%s\n", text);
	clean = plain_copy(line, true, 0, 1, &size);
	if (!is_there(log)) {
		close_file(log);
		open_file(log);
	}
	if (clean && log->fd >= 0)
		written = write(log->fd, clean, size);
	(void)written; /* to tell of a failure would make the next line */
	free(clean);
	if (log->fd >= 0 && fstat(log->fd, &log->st) == 0 && log->st.st_size >= LOGFILE_MAX)
		turn_over(log);
}

static void tell_event(void *arg, const struct deck_event *event)
{
	char text[JOURNAL_SENTENCE];

	if (journal_sentence(event, text, sizeof(text)))
		write_line(arg, event->time_ns, text);
}

void logfile_open(struct logfile *log, struct deck *deck)
{
	char folder[PATH_MAX - 16];
	struct cause cause;
	int err = paths_state(log->path, &cause);

	if (!err && snprintf(folder, sizeof(folder), "%s", log->path) >= (int)sizeof(folder))
		err = cause_set(&cause, ENAMETOOLONG, "its path is too long");
	if (!err)
		err = paths_make(folder, &cause);
	if (!err) {
		snprintf(log->path, sizeof(log->path), "%s/deck.log", folder);
		err = open_file(log);
		if (err)
			cause_errno(&cause, -err, "%s", log->path);
	}
	if (err) {
		cause_prefix(&cause, err, "there is no log file");
		deck_notice(deck, "%s", cause.text);
		return;
	}
	log->deck = deck;
	log->listener = (struct deck_listener){ .event = tell_event, .arg = log };
	write_line(log, clock_wall(), "the deck begins");
	deck_listen(deck, &log->listener);
	deck_replay(deck, &log->listener);
}

void logfile_close(struct logfile *log)
{
	if (!log->deck)
		return;
	deck_unlisten(log->deck, &log->listener);
	write_line(log, clock_wall(), "the deck has ended");
	close_file(log);
	log->deck = NULL;
}
