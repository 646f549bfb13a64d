/* Bytes as lines of hexadecimal digits with their text. Screen thread only. */
#ifndef TUI_UI_HEX_H
#define TUI_UI_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "tui/canvas/draw.h"

#define HEX_NO_CURSOR SIZE_MAX

struct hex {
	const uint8_t *data;
	size_t size;
	const uint8_t *was; /* the same before they were changed, or NULL */
	size_t was_size;
	size_t cursor; /* digit, two a byte, or HEX_NO_CURSOR */
	size_t marked_at, marked; /* so many bytes stand out from there on */
};

/* How many bytes a line of so many columns has: 16, 8, 4, ... 1. */
int hex_per_line(int width);

/* The lines that so many bytes take. */
int hex_lines(size_t size, int width);

/* Draws lines from line top on, as many as r has rows. */
void hex_draw(struct rect r, const struct hex *hex, int top);

#endif
