/*
 * One of the programs that are compared: started pinned to one CPU, its
 * standard output a pipe on which the guest's bytes arrive. One thread.
 */
#ifndef TESTS_BENCH_SIDE_H
#define TESTS_BENCH_SIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SIDE_ARGUMENTS 32

struct side {
	const char *name;
	const char *argv[SIDE_ARGUMENTS]; /* ends with NULL */
	pid_t pid;
	int out; /* read end of the pipe */
};

/* The driver keeps to the first CPU it may use, the sides get the last. */
void side_pin_driver(void);

/* 0, or -1 with a message. Standard error goes to the file at errors. */
int side_start(struct side *side, const char *errors);

/* Waits for the next byte; when gets the time it came. False after timeout ms or at the end. */
bool side_byte(struct side *side, int timeout, uint64_t *when);

/* When the side started last called exec, ns of CLOCK_MONOTONIC; valid once it printed. */
uint64_t side_started(void);

/* Throws away what is there to be read. */
void side_drain(struct side *side);

/* Stopped processes take no CPU; see kill(2), SIGSTOP. */
void side_freeze(struct side *side);
void side_thaw(struct side *side);

/* Ends it by force. Valid on one that did not start. */
void side_end(struct side *side);

/* Runs a program to its end and calls line() for each line it prints; its exit status is 0? */
bool side_lines(struct side *side, const char *errors, void (*line)(void *arg, const char *text),
		void *arg);

/* CPU time, ns, of the whole machine and of this program with the sides that have ended. */
struct load {
	uint64_t time, all, own;
};

void load_read(struct load *load);

/* The part of one CPU that others used between two readings: 0 is a quiet machine. */
double load_others(const struct load *before, const struct load *after);

#endif
