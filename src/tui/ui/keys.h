/*
 * The table of keys: view, key, command, help. Dispatch, the footer and the
 * help screen read it. Pure.
 */
#ifndef TUI_UI_KEYS_H
#define TUI_UI_KEYS_H

#include <stddef.h>

enum view_id {
	VIEW_DECK, VIEW_GUEST, VIEW_CONSOLE, VIEW_NETWORK, VIEW_LOG, VIEW_HELP,
	VIEW_COUNT
};

enum command {
	COMMAND_NONE,
	/* moving */
	COMMAND_UP, COMMAND_DOWN, COMMAND_PAGE_UP, COMMAND_PAGE_DOWN, COMMAND_FIRST, COMMAND_LAST,
	COMMAND_SCROLL_UP, COMMAND_SCROLL_DOWN,
	/* between views */
	COMMAND_OPEN, COMMAND_BACK, COMMAND_CONSOLE, COMMAND_NETWORK, COMMAND_LOG, COMMAND_HELP,
	COMMAND_QUIT, COMMAND_REDRAW,
	/* orders to a guest */
	COMMAND_START, COMMAND_POWER, COMMAND_OFF, COMMAND_PAUSE, COMMAND_RESET, COMMAND_EDIT,
	/* inside a view */
	COMMAND_FILTER, COMMAND_CHART, COMMAND_NEXT, COMMAND_HOLD, COMMAND_CAPTURE,
};

/* Ctrl with a letter, as the terminal sends it. */
#define KEYS_CTRL(c) ((c) & 0x1f)

struct key {
	unsigned views;	   /* bits: 1 << view */
	int key;	   /* a character, or KEY_* of curses */
	const char *label; /* "PageUp" */
	enum command command;
	const char *hint;  /* a word for the footer, or NULL: not there */
	const char *help;  /* for the help screen, or NULL: another name of the key above */
};

extern const struct key keys_table[];
extern const size_t keys_count;

/* The command of a key in a view, COMMAND_NONE if it has none. */
enum command keys_find(enum view_id view, int key);

/* What the help screen calls a view. */
const char *keys_view_name(enum view_id view);

#endif
