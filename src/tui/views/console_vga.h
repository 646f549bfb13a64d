/*
 * A guest's VGA screen and keyboard, the other side of the console view. It is subscribed
 * to while it or another side is shown. Screen thread.
 */
#ifndef TUI_VIEWS_CONSOLE_VGA_H
#define TUI_VIEWS_CONSOLE_VGA_H

#include <stdbool.h>
#include <stdint.h>

#include "control/names.h"
#include "control/remote_screen.h"
#include "control/typing.h"
#include "tui/ui/subscribe.h"

/* Begins as zeros. */
struct console_vga {
	struct view *view;
	struct subscription subscription;
	struct typing typing;
	char guest[NAME_SIZE];	 /* whose it is; "": nobody's */
	char trouble[256];	 /* why there is no picture, or "" */
	struct remote_screen screen;
	bool shown;  /* else another side is */
	bool unseen; /* it has text that was not there when it was shown last */
	char seen_of[NAME_SIZE]; /* whose it was then, */
	uint64_t seen;		 /* and what it was */
};

void console_vga_create(struct console_vga *vga, struct view *view);
void console_vga_destroy(struct console_vga *vga);

void console_vga_show(struct console_vga *vga, const char *guest);
void console_vga_watch(struct console_vga *vga, const char *guest); /* beside what is shown */
void console_vga_stop(struct console_vga *vga);

void console_vga_draw(const struct console_vga *vga, struct rect body);
void console_vga_key(struct console_vga *vga, wint_t key, bool special);

#endif
