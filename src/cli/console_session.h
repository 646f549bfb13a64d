/*
 * The terminal as a guest's console: what is typed goes to a connection that
 * console.open has made raw, and what comes from there to standard output as it
 * is, which is what a console is for. Neither side waits for the other, nor for
 * whoever reads the output. On a base loop, whose thread it is.
 */
#ifndef CLI_CONSOLE_SESSION_H
#define CLI_CONSOLE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/loop.h"

#define CONSOLE_SESSION_TYPED 4096u
#define CONSOLE_SESSION_PRINTED 16384u

/* Any may be NULL but ended. */
struct console_session_ops {
	/* On a terminal the escape was typed. True (NULL: so too): the next key is command()'s;
	   false: nothing is typed any more. */
	bool (*escape)(void *arg);
	bool (*command)(void *arg, uint8_t key); /* true: the key is for the guest after all */
	void (*input_end)(void *arg);		 /* nobody types any more */
	void (*output_failed)(void *arg, int error); /* an errno; what comes is dropped from now on */
	/* The connection is at its end and all of it is written, or dropped; 0 or its errno. */
	void (*ended)(void *arg, int error);
};

struct console_session {
	const struct console_session_ops *ops;
	void *arg;
	struct loop *loop;
	int fd; /* the connection, non-blocking; its owner's */
	struct loop_source connection, input, output;
	struct loop_timer again; /* in place of epoll, which takes no regular files */
	struct termios saved;
	uint8_t escape_key;
	bool raw, escaped, input_is_file;
	bool input_ended, output_gone, connection_ended, told;
	int error;
	size_t typed, sent;	 /* bytes in keys: read, and gone to the connection */
	size_t printed, written; /* bytes in text: read, and gone to standard output */
	const uint8_t *rest;	 /* read of the connection before the session began */
	size_t rest_size;
	uint8_t keys[CONSOLE_SESSION_TYPED];
	uint8_t text[CONSOLE_SESSION_PRINTED];
};

/*
 * Begins. The session is zeroed but for ops, arg, loop, fd, escape_key (what is taken
 * from a terminal's keys, 0: none) and rest, which stays valid. A terminal on standard
 * input becomes raw. ops may be called from here on. 0 or -errno; then it has ended.
 */
int console_session_begin(struct console_session *session);

/* Drops what waits for standard output and what still comes; returns how many bytes of it came. */
size_t console_session_give_up(struct console_session *session);

/* The terminal becomes what it was. Valid at any time, and twice. */
void console_session_restore(struct console_session *session);

/* Restores the terminal and watches nothing any more. */
void console_session_end(struct console_session *session);

#endif
