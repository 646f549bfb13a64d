/*
 * The terminal of a screen: a process behind walls that emulates the one console
 * that is shown. It is fed what that console keeps, as fast as it can take and
 * no faster; it may hang, end or lie, and is started again. Screen thread only;
 * nothing here waits.
 */
#ifndef TUI_CONSOLE_EMULATION_H
#define TUI_CONSOLE_EMULATION_H

#include "base/loop.h"
#include "sandbox/sandbox.h"
#include "tui/console/picture.h"
#include "tui/console/tty.h"

struct emulation;

/*
 * Starts the process, of a kind that speaks as emulator_process does; changed(arg)
 * is called when there is something new to draw. NULL: no memory, which is all
 * that can be wrong; that there is no process, emulation_trouble() says.
 */
struct emulation *emulation_new(struct loop *loop, const struct sandbox_kind *kind,
				void (*changed)(void *arg), void *arg);

/* Valid for NULL. */
void emulation_free(struct emulation *emulation);

/*
 * Shows a console, or none (NULL). One that was shown last goes on where it was;
 * any other begins with what it keeps. What came while it was not shown is
 * not answered to.
 */
void emulation_show(struct emulation *emulation, struct tty *tty);

/* The console that is shown has more, or has begun again. */
void emulation_more(struct emulation *emulation);

/* The size from now on, rows and columns as in grid.h. */
void emulation_resize(struct emulation *emulation, int rows, int columns);

/* Scrolls back, so many lines above the last ones. */
void emulation_scroll(struct emulation *emulation, unsigned back);

/*
 * Looks for a text in the console's lines, above and on the screen; changed() is called when it
 * was found, or is nowhere. One search at a time: another takes its place.
 */
void emulation_find(struct emulation *emulation, const struct find_text *text, enum find_step step);

/*
 * What came of it, once: true, and in found a line's place, of which no number may be trusted but
 * found itself; or that there is none.
 */
bool emulation_found(struct emulation *emulation, struct terminal_found *found);

/* A button of the mouse, for a guest that asks for it; what finds no room is lost. */
void emulation_mouse(struct emulation *emulation, const struct terminal_mouse *mouse);

/* What is to be drawn now; NULL: nothing has been shown of that console yet. */
const struct picture *emulation_picture(struct emulation *emulation);

/* What befell the process lately, a sentence; "": nothing. */
const char *emulation_trouble(const struct emulation *emulation);

/* The process, or 0 while there is none. */
int emulation_pid(const struct emulation *emulation);

#endif
