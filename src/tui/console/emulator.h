/*
 * The terminal that a guest's console is shown on: libvterm and the lines
 * that scrolled off its top. Its input is hostile. One thread at a time.
 */
#ifndef TUI_CONSOLE_EMULATOR_H
#define TUI_CONSOLE_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/console/grid.h"

#define EMULATOR_SCROLLBACK 2000 /* lines, or as many as there is memory for */

struct emulator;

struct emulator_ops {
	/* What it answers to the guest, inside emulator_input(). */
	void (*output)(const char *data, size_t size, void *arg);

	/* There is no memory for it. Does not return. */
	void (*exhausted)(void *arg);
};

/* A terminal of rows x columns, GRID_MIN to GRID_*_MAX each. NULL: no memory. */
struct emulator *emulator_new(int rows, int columns, const struct emulator_ops *ops, void *arg);

void emulator_free(struct emulator *emulator);

void emulator_resize(struct emulator *emulator, int rows, int columns);

/* What the guest printed. */
void emulator_input(struct emulator *emulator, const uint8_t *data, size_t size);

/* Lines kept above the screen. */
unsigned emulator_scrollback(const struct emulator *emulator);

/* The cells of a row, 0 at the top of the screen, negative above it; out has columns. */
void emulator_row(struct emulator *emulator, int row, struct grid_cell *out, int columns);

/* The number of the screen's first line among all that ever were, which scrolling makes grow. */
uint64_t emulator_first_line(const struct emulator *emulator);

/* Whether a row of the screen, or lines above it, changed since emulator_unchanged(). */
bool emulator_changed(const struct emulator *emulator, int row);
bool emulator_scrolled(const struct emulator *emulator);
void emulator_unchanged(struct emulator *emulator);

/* Whether a full-screen program has switched to the other screen. */
bool emulator_alternate(const struct emulator *emulator);

/* Whether the guest asked for the cursor keys of applications (DECCKM). */
bool emulator_cursor_keys(const struct emulator *emulator);

/* Whether the guest asks for the mouse (xterm's ctlseqs, "Mouse Tracking"). */
bool emulator_wants_mouse(const struct emulator *emulator);

/* A button of it, as struct terminal_mouse has it: output() gets what the guest is to be told. */
void emulator_mouse(struct emulator *emulator, int row, int column, int button, bool pressed);

/* Where the cursor is; false: hidden. */
bool emulator_cursor(const struct emulator *emulator, int *row, int *column);

#endif
