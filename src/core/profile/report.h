/*
 * The mistakes of a profile: all of them, each with its line. Any thread.
 */
#ifndef CORE_PROFILE_REPORT_H
#define CORE_PROFILE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cause.h"

/* One mistake; lines are counted from 1, 0 when it concerns the file as a whole. */
struct profile_mistake {
	unsigned line;
	char text[CAUSE_SIZE]; /* "memory: 'x' is not a size; write 512M or 2G" */
};

#define PROFILE_MISTAKES_MAX 100 /* of a report; one more says that there are others */

/* By line, those of the file as a whole first. */
struct profile_report {
	struct profile_mistake *mistakes;
	size_t count;
	struct profile_mistake *warnings; /* no mistakes, but worth a look */
	size_t warning_count;
};

/* Adds a mistake in its place by line; beyond PROFILE_MISTAKES_MAX one says that there are more. */
void profile_report_add(struct profile_report *report, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a warning. */
void profile_report_warn(struct profile_report *report, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool profile_report_equal(const struct profile_report *one, const struct profile_report *other);

/* "file:line", or "file" of a mistake of the file as a whole; cut to size bytes. */
void profile_mistake_place(char *out, size_t size, const char *path,
			   const struct profile_mistake *mistake);

/*
 * The first mistake, of one at least, as a part of a sentence: "web.ini:3: memory: ... (and 2
 * more)"; cut to size bytes, its text so that the rest has room.
 */
void profile_report_first(char *out, size_t size, const char *path,
			  const struct profile_report *report);

/* "file:line: text" or "file: text", one mistake a line; no warnings. */
void profile_report_print(const struct profile_report *report, const char *path, FILE *out);
void profile_report_free(struct profile_report *report); /* leaves an empty one */

#endif
