/*
 * A guest's console as the screen keeps it: its connection and what came last.
 * Both live on while another view is shown. Screen thread only.
 */
#ifndef TUI_CONSOLE_TTY_H
#define TUI_CONSOLE_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/client.h"
#include "tui/console/kept.h"

#define TTY_OUTPUT 16384

enum tty_state { TTY_OPENING, TTY_OPEN, TTY_CLOSED };

struct tty;

struct tty_ops {
	void (*came)(void *arg, struct tty *tty);    /* there is more in kept */
	void (*changed)(void *arg, struct tty *tty); /* its state */
};

struct tty {
	char *name;
	const char *which; /* of the guest's consoles, as console.open has it; NULL: the shown one */
	struct kept kept;
	unsigned opened; /* times; each begins with an empty kept */
	uint64_t old;	 /* position: what is before it came before this screen did */
	struct client *client; /* until console.open is answered */
	int fd;		       /* then; or -1 */
	struct loop_source source;
	struct loop *loop;
	enum tty_state state;
	bool held;	  /* nothing is read */
	bool unseen;	  /* for its owner: something came that was not shown */
	char reason[256]; /* why it is closed */
	uint8_t output[TTY_OUTPUT]; /* typed, not yet sent */
	size_t output_size;
	size_t lost; /* bytes that found no room since some was taken */
	const struct tty_ops *ops;
	void *arg;
	struct tty *next;
};

/* Makes a console; which is a constant. NULL: no memory. */
struct tty *tty_new(struct loop *loop, const char *name, const char *which,
		    const struct tty_ops *ops, void *arg);

/*
 * Connects, unless it is connected. dial(arg) returns a connected stream socket
 * of the control server, or a negative errno with a cause, which becomes the
 * reason that the console is closed for. read_only: nothing can be typed by it.
 */
void tty_connect(struct tty *tty, int (*dial)(void *arg, struct cause *cause), void *arg,
		 bool read_only);

/* Types into the guest. What finds no room is lost, as on a wire, and counted. */
void tty_send(struct tty *tty, const void *data, size_t size);

/* Leaves what comes with the deck, which keeps the last of it and counts what was lost. */
void tty_hold(struct tty *tty, bool held);

void tty_free(struct tty *tty);

#endif
