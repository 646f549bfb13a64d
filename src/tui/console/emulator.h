/*
 * The terminal that a guest's console is shown on: libvterm and the lines
 * that scrolled off its top. Its input is hostile. One thread at a time.
 */
#ifndef TUI_CONSOLE_EMULATOR_H
#define TUI_CONSOLE_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vterm.h>

#define EMULATOR_SCROLLBACK 2000 /* lines */

enum {
	EMULATOR_BOLD = 1, EMULATOR_UNDERLINE = 2, EMULATOR_REVERSE = 4
};

struct emulator_cell {
	uint32_t c;	    /* a code point; 0: blank */
	uint8_t width;	    /* 1 or 2; the cell behind a wide one has 0 */
	uint8_t attributes; /* EMULATOR_* */
	VTermColor fg, bg;
};

struct emulator;

/*
 * A terminal of rows x columns (each 2..1000). output gets what it answers to the
 * guest (cursor reports, keys), inside emulator_input() and emulator_key().
 */
struct emulator *emulator_new(int rows, int columns,
			      void (*output)(const char *data, size_t size, void *arg), void *arg);
/* Forgets everything it shows and keeps. */
void emulator_reset(struct emulator *emulator);

void emulator_free(struct emulator *emulator);

void emulator_resize(struct emulator *emulator, int rows, int columns);

/* What the guest printed. */
void emulator_input(struct emulator *emulator, const uint8_t *data, size_t size);

/* A key pressed: a character (key VTERM_KEY_NONE), or a key. */
void emulator_key(struct emulator *emulator, VTermKey key, uint32_t c, VTermModifier modifier);

/* Lines kept above the screen. */
unsigned emulator_scrollback(const struct emulator *emulator);

/* The cells of a row, 0 at the top of the screen, negative above it; out has columns. */
void emulator_row(struct emulator *emulator, int row, struct emulator_cell *out, int columns);

/* Whether a full-screen program has switched to the other screen. */
bool emulator_alternate(const struct emulator *emulator);

/* Where the cursor is; false: hidden. */
bool emulator_cursor(const struct emulator *emulator, int *row, int *column);

#endif
