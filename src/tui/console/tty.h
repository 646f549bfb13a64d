/*
 * A guest's console as the screen keeps it: its connection and its terminal.
 * Both live on while another view is shown. Screen thread only.
 */
#ifndef TUI_CONSOLE_TTY_H
#define TUI_CONSOLE_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/client.h"
#include "tui/console/emulator.h"

#define TTY_OUTPUT 16384

enum tty_state { TTY_OPENING, TTY_OPEN, TTY_CLOSED };

struct tty {
	char *name;
	struct emulator *emulator;
	struct client *client; /* until console.open is answered */
	int fd;		       /* then; or -1 */
	struct loop_source source;
	struct loop *loop;
	enum tty_state state;
	char reason[256]; /* why it is closed */
	uint8_t output[TTY_OUTPUT]; /* typed, not yet sent */
	size_t output_size;
	void (*changed)(void *arg, struct tty *tty);
	void *arg;
	struct tty *next;
};

/* Makes a console of rows x columns; changed(arg) is called when there is something to draw.
   NULL: no memory. */
struct tty *tty_new(struct loop *loop, const char *name, int rows, int columns,
			    void (*changed)(void *arg, struct tty *tty), void *arg);

/*
 * Connects, unless it is connected. dial(arg) returns a connected stream socket
 * of the control server, or a negative errno with a cause, which becomes the
 * reason that the console is closed for.
 */
void tty_connect(struct tty *tty, int (*dial)(void *arg, struct cause *cause), void *arg);

void tty_free(struct tty *tty);

#endif
