/*
 * The terminal as a guest's console: what is typed goes to a connection that
 * console.open has made raw, and what comes from there to standard output as it
 * is, which is what a console is for. Neither side waits for the other, nor for
 * whoever reads the output. On a base loop, whose thread it is.
 *
 * A terminal is given back as it was: modes that the guest has changed are put back,
 * and what it still answers to the guest's questions is read. Questions in what the
 * guest printed before are not repeated.
 */
#ifndef CLI_CONSOLE_SESSION_H
#define CLI_CONSOLE_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/loop.h"
#include "base/modes.h"
#include "cli/queries.h"

#define CONSOLE_SESSION_TYPED 65536u
#define CONSOLE_SESSION_PRINTED 16384u
#define CONSOLE_SESSION_UNSAID 16384u

/* Any may be NULL but ended. */
struct console_session_ops {
	/* On a terminal the escape was typed. True (NULL: so too): the next key is command()'s;
	   false: nothing is typed any more. */
	bool (*escape)(void *arg);
	bool (*command)(void *arg, uint8_t key); /* true: the key is for the guest after all */
	void (*input_end)(void *arg);		 /* nobody types any more */
	/* The guest does not read, and what is typed from now on is lost. */
	void (*deaf)(void *arg);
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
	struct loop_timer stalled;
	int output_fd; /* standard output, or if that is a terminal a description of our own */
	struct termios saved;
	struct sigaction stop; /* of SIGTSTP, which is ignored while raw */
	uint8_t escape_key;
	bool says_end; /* the connection is told when nobody types any more */
	bool said_end;
	bool raw, escaped, input_is_file, output_is_file;
	bool output_waits; /* text is left, and room for it is watched for */
	bool output_is_terminal;
	bool deaf; /* a terminal's keys find no room any more: only the escape is looked for */
	bool input_ended, output_gone, connection_ended, told;
	bool heard; /* something was printed */
	int error;
	size_t typed;		 /* bytes in keys, which the connection has not taken */
	size_t printed, written; /* bytes in text: read, and gone to standard output */
	const uint8_t *rest;	 /* read of the connection before the session began */
	size_t rest_size;
	uint8_t keys[CONSOLE_SESSION_TYPED];
	struct queries queries;
	struct modes modes; /* that what was printed has left the terminal in */
	uint8_t text[CONSOLE_SESSION_PRINTED + QUERIES_HELD_MAX];
	struct loop_timer speak;
	char unsaid[CONSOLE_SESSION_UNSAID]; /* until a sequence is at its end */
	size_t unsaid_size;
};

/*
 * Begins. The session is zeroed but for ops, arg, loop, fd, says_end, escape_key (what is taken
 * from a terminal's keys, 0: none), queries.old (how much comes that was printed before)
 * and rest, which stays valid. A terminal on standard input becomes raw. ops may be
 * called from here on. 0 or -errno; then it has ended.
 */
int console_session_begin(struct console_session *session);

/*
 * A line on standard error, at most 4 KiB, without control characters; on the terminal that
 * the console is on it begins where no other has begun. What that has no room for is lost, so
 * that nobody waits for it. Within a control sequence or a character of the guest's it waits for
 * the end of that, a second at most. Valid before the session begins.
 */
void console_session_say(struct console_session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drops what waits for standard output and what still comes; returns how many bytes of it came. */
size_t console_session_give_up(struct console_session *session);

/*
 * The terminal becomes what it was, at the beginning of a line, in half a second at most. Valid at
 * any time, and twice.
 */
void console_session_restore(struct console_session *session);

/* Restores the terminal and watches nothing any more. */
void console_session_end(struct console_session *session);

#endif
