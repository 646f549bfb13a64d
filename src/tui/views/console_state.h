/*
 * The state of the console's view, and what its parts share. Screen thread only.
 */
#ifndef TUI_VIEWS_CONSOLE_STATE_H
#define TUI_VIEWS_CONSOLE_STATE_H

#include "tui/console/emulation.h"
#include "tui/console/tty.h"
#include "tui/ui/saving.h"
#include "tui/ui/ui.h"
#include "tui/views/console_vga.h"

enum side { SIDE_CONSOLE, SIDE_SERIAL, SIDE_VGA, SIDES };

struct console_view {
	struct tty *list;
	struct tty *current, *serial; /* the guest's console, and its serial port if that is another */
	const struct tty *turned; /* the console in whose place another side of its guest is shown */
	enum side side;		  /* that one */
	bool unasked;		  /* nobody turned to it, nor typed there */
	const struct tty *told;	  /* the console whose guest knows of this size */
	int told_rows, told_columns;
	struct console_vga vga;
	struct emulation *emulation;
	struct saving *saving; /* NULL until something is saved */
	unsigned back; /* lines scrolled back */
	struct find_text wanted; /* what is looked for, and shown where it is; length 0: nothing */
	struct terminal_found found; /* where it was found last; found 0: nowhere yet */
	struct console_copy *copy; /* console_copy.c; NULL: nothing is selected now */
	char said[256]; /* the beginning of what befell the terminal, when that was said */
};

/* The keys behind Ctrl-]. */
extern const struct view_ops console_prefix;

/* console_sides.c: the side that is shown, and its terminal; NULL: it is the VGA screen. */
enum side console_side(const struct console_view *state);
struct tty *console_tty(const struct console_view *state);
bool console_on_vga(const struct view *view);
bool console_is_virtio(const struct view *view, const char *guest);
bool console_has(const struct view *view, enum side side); /* whether the guest has it */
enum side console_behind(const struct view *view, enum side side); /* as they are turned */
bool console_turn(struct view *view); /* to the next one; false: there is none */

/* console_status.c: draws the line of status. */
void console_draw_status(const struct view *view, int y);

/* Keys while a text is looked for. */
extern const struct view_ops console_search;

/* console_search.c: what they do; false: another's command. */
bool console_search_command(struct view *view, enum command command);
void console_search_look(struct view *view); /* shows what was found, if an answer came */
void console_search_draw(const struct view *view, const struct picture *picture, int y,
			 int columns);
void console_search_end(struct view *view); /* nothing is looked for any more */

/* Keys while text is selected. */
extern const struct view_ops console_copying;

/* console_copy.c: what they do; false: another's command. */
bool console_copy_command(struct view *view, enum command command);
bool console_copy_draw(const struct view *view, int rows, int columns); /* false: none is */
void console_copy_end(struct view *view);

/* console_prefix.c: what the keys behind the prefix do; false: another's command. */
bool console_prefix_command(struct view *view, enum command command);

/* console.c: shows the guest's side anew; has another guest shown; types a key into it. */
void console_show(struct view *view);
void console_go(struct view *view, const char *guest);
void console_send_key(struct view *view, wint_t key, bool special);
void console_type(struct view *view, wint_t key, bool special); /* the same, at the last lines */
void console_scroll(struct view *view, unsigned back); /* as far as there are lines */

#endif
