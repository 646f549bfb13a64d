/*
 * A guest's console: a ring of what it printed, readers that follow it, and
 * what people type.
 *
 * The guest's vCPU thread writes, the deck thread reads. The ring keeps the
 * last CONSOLE_SIZE bytes; it lives as long as the guest is defined.
 */
#ifndef CORE_MACHINE_CONSOLE_H
#define CORE_MACHINE_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/loop.h"

#define CONSOLE_SIZE 65536u

/*
 * Somebody who follows the console; called on the deck thread when there is more to read. What
 * comes after a rest is told at once. What follows closely is told together, each CONSOLE_PACE:
 * a guest prints a byte an exit, and would have the deck thread look at each of them.
 */
#define CONSOLE_PACE (5 * NS_PER_MS)

struct console_reader {
	uint64_t position; /* bytes of output before it, counted from the guest's first */
	void (*more)(void *arg);
	void *arg;
	struct console_reader *next;
};

/* The other end of a console, by which the machine has it: any number that it likes. */
struct console_ops {
	/* Takes typed bytes to the guest; returns how many. */
	size_t (*input)(void *arg, unsigned line, const uint8_t *data, size_t size);
	/* 0, or -EAGAIN: it has no room now, -EOPNOTSUPP: it knows no break. */
	int (*send_break)(void *arg, unsigned line);
	/* Another window shows it, or one of another size; NULL: that is nothing to it. */
	void (*window)(void *arg, unsigned line, unsigned rows, unsigned columns);
};

struct console {
	pthread_mutex_t lock;
	uint8_t *ring;	/* made on the first byte */
	uint64_t written; /* bytes ever */
	struct loop *loop; /* the deck's */
	struct loop_task wake;
	struct loop_timer pace; /* armed from when readers were told to when they are again */
	uint64_t told;	/* written, when they were last; deck thread only */
	bool followed; /* there are readers */
	bool telling;  /* they are being told: wake is posted, or pace armed */
	struct console_reader *readers; /* deck thread only */
	const struct console_ops *ops; /* NULL while the guest is not running */
	void *arg;
	unsigned line;
	unsigned rows, columns; /* of the window that shows it; 0: nobody has said */
};

int console_init(struct console *console, struct loop *deck_loop);
void console_destroy(struct console *console);

/* vCPU thread: the guest printed. Never waits for a reader. */
void console_output(struct console *console, const uint8_t *data, size_t size);

/*
 * Deck thread. backlog: start at the oldest byte kept, else at the end. Returns how many
 * bytes there are before what is printed from now on.
 */
uint64_t console_follow(struct console *console, struct console_reader *reader, bool backlog);
void console_unfollow(struct console *console, struct console_reader *reader);

/*
 * Copies up to room bytes that reader has not seen; 0 when it has seen all. *lost gets
 * the number of bytes that had been overwritten before it came.
 */
size_t console_read(struct console *console, struct console_reader *reader, uint8_t *data,
		    size_t room, uint64_t *lost);

/* Types into the guest; returns how many bytes it took. Deck thread. */
size_t console_input(struct console *console, const uint8_t *data, size_t size);

/*
 * Sends a break to the guest, and size bytes behind it. 0, or -EAGAIN: the guest does not read,
 * -EOPNOTSUPP: no line has breaks, -ENODEV: it is down. Deck thread.
 */
int console_break(struct console *console, const uint8_t *data, size_t size);

/* It is shown in a window of that size, each below 65536. Deck thread. */
void console_window(struct console *console, unsigned rows, unsigned columns);

/*
 * Deck or I/O thread: the other end from now on; NULL when the machine goes. It hears at once
 * of the window, if there is one. Its functions are called with the console's lock held.
 */
void console_attach(struct console *console, const struct console_ops *ops, void *arg,
		    unsigned line);

/*
 * The last lines, at most max, newest last, for a crash report: one text, '\n' between them;
 * control characters other than newline and tab, and escape sequences, are left out. Returns
 * a malloc'd string.
 */
char *console_tail(struct console *console, unsigned max);

#endif
