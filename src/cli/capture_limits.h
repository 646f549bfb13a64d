/*
 * When a capture ends and when it goes on in another file, in dumpcap(1)'s words: what follows
 * -a and -b. Main thread.
 */
#ifndef CLI_CAPTURE_LIMITS_H
#define CLI_CAPTURE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define CAPTURE_FILES_MAX 99999u

/* 0 everywhere: no limit. */
struct capture_limit {
	uint64_t duration; /* ns */
	uint64_t interval; /* ns; only of files: at multiples of it since the epoch, in UTC */
	uint64_t bytes;	   /* in a file */
	uint64_t packets;
	uint64_t files;
};

struct capture_limits {
	struct capture_limit stop; /* the whole capture; bytes: its file */
	struct capture_limit turn; /* one file; files: how many are kept */
};

/*
 * Reads "duration:1.5" and the like, for a stop or a turn. NULL, or what is wrong with it, to
 * follow "'duration:x' ".
 */
const char *capture_limit_read(struct capture_limit *limit, bool stop, const char *text);

/* The names that one of them can have: "duration:SECONDS, ...". */
const char *capture_limit_words(bool stop);

/* NULL, or what does not go together. */
const char *capture_limits_check(const struct capture_limits *limits);

/* Whether there are to be several files. */
bool capture_limits_turn(const struct capture_limits *limits);

#endif
