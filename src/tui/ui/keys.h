/*
 * The table of keys: where it works, the key, what it does, words about it.
 * Dispatch, the footer, the help screen and sentences that name a key read it.
 * Pure.
 */
#ifndef TUI_UI_KEYS_H
#define TUI_UI_KEYS_H

#include "tui/ui/view.h"

/* Ctrl with a letter, as the terminal sends it. */
#define KEYS_CTRL(c) ((c) & 0x1f)

struct key {
	unsigned sets;	  /* KEYS_*: works in the views that have one of them, */
	const char *view; /* or in the view, or mode of one, of this id */
	int key;	  /* a character, or KEY_* of curses */
	const char *label; /* "PageUp" */
	enum command command;
	const char *target; /* COMMAND_OPEN: id of a view; COMMAND_ORDER: method; else NULL */
	const char *hint;   /* a word for the footer, or NULL: not there */
	const char *help;   /* see keys_help(); NULL: another name of the key above */
};

struct keys {
	const struct key *rows;
	size_t count;
};

extern const struct keys keys_table;

/* Whether a key works in a view. */
bool keys_has(const struct view_ops *view, const struct key *key);

/* Whether it orders something, or leads to an order: a screen that is read-only refuses it. */
bool keys_order(const struct key *key);

/* Whether two keys do the same. */
bool keys_same(const struct key *one, const struct key *other);

/* The row of a key in a view, or NULL if it has none. */
const struct key *keys_find(const struct keys *keys, const struct view_ops *view, int key);

/*
 * How the key is called that gives a command, to name it in a sentence: the first
 * one of a view, or, with view NULL, of any. target NULL: any. "" if there is none.
 */
const char *keys_label(const struct keys *keys, const struct view_ops *view, enum command command,
		       const char *target);

/* Its code, of the first one of a view; 0: there is none. */
int keys_code(const struct keys *keys, const struct view_ops *view, enum command command);

#define KEYS_NAME 32

/*
 * What a key does by name, as settings have it: "start", "console", "page-up"; the same of all keys
 * that do the same.
 */
void keys_name(const struct key *key, char out[KEYS_NAME]);

/* The help of a key that has one, for the help screen; %s in it is the key's own label. */
void keys_help(const struct key *key, char *out, size_t size);

#endif
