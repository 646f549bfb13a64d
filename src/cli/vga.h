/*
 * A guest's VGA screen on the terminal: a source of bytes that a console session shows as
 * it does a serial port's, and what it takes is typed on the guest's keyboard. On a base
 * loop, whose thread it is.
 */
#ifndef CLI_VGA_H
#define CLI_VGA_H

#include <jansson.h>

#include "base/loop.h"
#include "cli/screen_text.h"
#include "cli/window.h"
#include "control/client.h"
#include "control/typing.h"

struct vga {
	struct loop *loop;
	struct client *client; /* its owner's, with the guest's screen subscribed */
	int fd;		       /* ours; the session has the other end */
	struct loop_source source;
	struct window window;
	struct typing typing;
	struct remote_screen screen;
	struct screen_text text;
	size_t size, written; /* of out */
	char out[sizeof(SCREEN_TEXT_BEGIN) + SCREEN_TEXT_MAX];
};

/*
 * Begins; loop, client and typing.guest are set, all else is zero. The session's end of the
 * connection, its caller's to close, or -errno; vga_end() is to be called in both cases.
 */
int vga_begin(struct vga *vga);

/* Takes a notification "screen". */
void vga_update(struct vga *vga, const json_t *params);

/* The connection to the deck has ended: so does the session's, behind what was drawn. */
void vga_hang_up(struct vga *vga);

void vga_end(struct vga *vga);

/* Shows the screen as it is once, as lines of text on standard output. An exit status. */
int vga_print(struct link *link, const char *guest);

#endif
