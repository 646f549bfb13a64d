/* See capture_reader.h. */
#include "cli/capture_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/savefile.h"
#include "base/thread.h"
#include "cli/fail.h"
#include "sandbox/confine.h"
#include "sandbox/filters.h"

#define MEMORY_MAX (256u << 20)
#define FD_FILE 3 /* behind the standard ones; and where records go */
#define FD_RECORDS 4

enum kind { FRAME, ERROR, END };

/* What comes from the process; size bytes follow: a frame, or the text of an error. */
struct record {
	uint32_t kind, size;
	uint64_t stamp;
	uint64_t left_out;
};

/* --- the process that reads --- */

static void put(const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t n = write(FD_RECORDS, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1); /* nobody reads any more */
		at += n;
		size -= (size_t)n;
	}
}

static void put_record(enum kind kind, uint64_t stamp, uint64_t left_out, const void *data,
		       size_t size)
{
	const struct record record = { kind, (uint32_t)size, stamp, left_out };

	put(&record, sizeof(record));
	put(data, size);
}

static void put_error(void *arg, const char *text)
{
	(void)arg;
	put_record(ERROR, 0, 0, text, strnlen(text, CAUSE_SIZE - 1));
}

static void put_frame(void *arg, uint64_t stamp, uint64_t left_out, const uint8_t *data,
		      size_t size)
{
	(void)arg;
	put_record(FRAME, stamp, left_out, data, size);
}

static void put_end(void *arg, uint64_t stamp, uint64_t left_out)
{
	(void)arg;
	put_record(END, stamp, left_out, NULL, 0);
}

static const struct savefile_reader putter = {
	.frame_min = CAPTURE_READER_FRAME_MIN,
	.frame_max = CAPTURE_READER_FRAME_MAX,
	.frame = put_frame,
	.end = put_end,
	.failed = put_error,
};

/* Nothing but the two files is open; the library is there before its file can be looked for. */
static void __attribute__((noreturn)) run(int file, int records)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	struct cause cause;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Out of the way of each other. */
	file = fcntl(file, F_DUPFD, FD_RECORDS + 1);
	records = fcntl(records, F_DUPFD, FD_RECORDS + 1);
	if (dup2(file, FD_FILE) < 0 || dup2(records, FD_RECORDS) < 0 ||
	    close_range(FD_RECORDS + 1, ~0u, 0) < 0)
		_exit(1);
	if (savefile_prepare(&cause) < 0) {
		put_error(NULL, cause.text);
		_exit(1);
	}
	confine_cores();
#ifndef THREAD_SANITIZED
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	filter_enter(FILTER_COMPILER);
	savefile_read(FD_FILE, &putter);
	_exit(0);
}

/* --- the one that asks --- */

static int start(struct capture_reader *reader, int file)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("%s: %s", reader->path, strerror(errno));
	fflush(NULL);
	reader->pid = fork();
	if (reader->pid == 0)
		run(file, ends[1]);
	close(ends[1]);
	reader->records = reader->pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (reader->records)
		return 0;
	close(ends[0]);
	return fail("%s: %s", reader->path, strerror(errno));
}

int capture_reader_open(struct capture_reader *reader, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int status;

	reader->path = standard ? "standard input" : path;
	reader->records = NULL;
	reader->pid = -1;
	reader->left_out = reader->stamp = reader->size = 0;
	if (file < 0)
		status = fail("%s: %s", path, strerror(errno));
	else
		status = start(reader, file);
	if (!standard && file >= 0)
		close(file);
	return status ? -1 : 0;
}

static int broken(const struct capture_reader *reader)
{
	fail("%s: what reads it has ended", reader->path);
	return -1;
}

int capture_reader_next(struct capture_reader *reader)
{
	struct record record;

	if (fread(&record, sizeof(record), 1, reader->records) != 1 ||
	    record.size > sizeof(reader->frame) ||
	    (record.kind == ERROR && record.size >= CAUSE_SIZE) ||
	    (record.size && fread(reader->frame, record.size, 1, reader->records) != 1))
		return broken(reader);
	if (record.kind == ERROR) {
		fail("%s: %.*s", reader->path, (int)record.size, (const char *)reader->frame);
		return -1;
	}
	reader->left_out = record.left_out;
	if (record.kind == END)
		return 0;
	reader->size = record.size;
	reader->stamp = record.stamp;
	return record.kind == FRAME ? 1 : broken(reader);
}

void capture_reader_close(struct capture_reader *reader)
{
	if (reader->records)
		fclose(reader->records);
	reader->records = NULL;
	if (reader->pid > 0) {
		kill(reader->pid, SIGKILL);
		waitpid(reader->pid, NULL, 0);
	}
	reader->pid = -1;
}
