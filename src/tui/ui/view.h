/*
 * What a view is, and the commands that keys give it. A view draws a snapshot
 * of the model and turns commands into requests; it waits for nothing. Screen
 * thread only.
 */
#ifndef TUI_UI_VIEW_H
#define TUI_UI_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "tui/canvas/draw.h"

struct terminal_click;
struct tui;
struct tui_deck;

/* What keys do; the names of the settings' section [keys] are made of these. */
#define COMMANDS(X) \
	X(NONE) \
	/* moving */ \
	X(UP) X(DOWN) X(PAGE_UP) X(PAGE_DOWN) X(FIRST) X(LAST) X(SCROLL_UP) \
	X(SCROLL_DOWN) \
	/* between views */ \
	X(OPEN) X(BACK) X(QUIT) X(REDRAW) X(PALETTE) X(SUSPEND) \
	/* to a guest, and to the deck */ \
	X(ORDER) X(EDIT) X(COPY_GUEST) X(RENAME) X(DELETE) X(MEDIUM) X(RELOAD) \
	/* inside a view */ \
	X(LOOK) X(FILTER) X(CHART) X(NEXT) X(HOLD) X(CAPTURE) X(SAVE_PAST) X(MARK) \
	X(MARK_RANGE) X(MARK_OTHERS) X(UNMARK) X(SORT) X(SORT_LEFT) X(SORT_RIGHT) \
	X(SORT_REVERSE) X(LIST_ALONE) X(CHARTS_ALONE) X(SPAN) X(END_CAPTURE) X(BREAK) \
	X(PASS) X(DROP) X(LEFT) X(RIGHT) X(CHOOSE) X(NAMES) X(CONVERSATION) X(SAVE) \
	/* of a console */ \
	X(PREFIX) X(SEND_PREFIX) X(TURN) X(NEXT_GUEST) X(PREVIOUS_GUEST) X(LINE_BREAK) \
	X(SYSRQ) X(SEARCH) X(OLDER) X(NEWER) X(END_SEARCH) X(COPY)

#define COMMAND_ENUM(name) COMMAND_##name,
enum command { COMMANDS(COMMAND_ENUM) COMMAND_COUNT };
#undef COMMAND_ENUM

/* Sets of keys that views have in common. */
enum key_set {
	KEYS_LIST = 1,	   /* moving over lines, drawing anew */
	KEYS_BACK = 2,	   /* to the view before */
	KEYS_ORDERS = 4,   /* to the guest that the view is about */
	KEYS_HELP = 8,
	KEYS_LOG = 16,
	KEYS_NETWORK = 32,
};

/* What a view can need to know besides. */
#define VIEW_NEEDS_ALL 1u  /* the newest values of all guests */
#define VIEW_NEEDS_HOST 2u /* how the host is */

/* A view of a screen. */
struct view {
	const struct view_ops *ops;
	struct tui *tui;
	struct tui_deck *deck; /* whose guests it shows */
	void *state;	       /* ops->size bytes */
	const struct view_ops *mode; /* one of its modes, whose keys work now; NULL: its own do */
	struct view *below;    /* the view to go back to, while it is open */
};

/*
 * A row of the table of views, or a mode of a view, which has keys in place of the view's. The
 * screen's lowest lines name the keys of a mode; of its ops only input is called. Any op may be
 * NULL.
 */
struct view_ops {
	const char *id;	  /* what the table of keys calls it */
	const char *name; /* for the help screen */
	unsigned keys;	  /* KEYS_* */
	size_t size; /* of its state, which begins as zeros; 0: it has none */
	bool marks; /* orders are for all guests that are marked, where some are */
	const struct view_ops *const *modes; /* all that a view has, ended by NULL; or NULL */
	bool once; /* a mode: it ends with its first key */
	bool full; /* draws the whole screen, without header, messages and footer */
	void (*create)(struct view *view);  /* before anything else */
	void (*destroy)(struct view *view); /* the connection is closed already */

	/* For a view of one guest, before it comes up: whom to show. false: it cannot be. */
	bool (*open)(struct view *view, const char *guest);
	const char *(*guest)(struct view *view); /* whom orders are for, or "" */
	void (*enter)(struct view *view); /* it comes up, also again after a view above it */
	void (*leave)(struct view *view); /* it is no longer shown, but may be below another */
	void (*close)(struct view *view); /* after leave: nor will it be gone back to */
	void (*draw)(struct view *view, struct rect rect);
	bool (*command)(struct view *view, enum command command); /* false: not the view's */
	void (*input)(struct view *view, wint_t key, bool special); /* keys without a command */
	void (*tick)(struct view *view); /* every second while it is shown */
	json_t *(*stats)(struct view *view); /* new array: the guests whose samples it shows */
	unsigned (*needs)(struct view *view); /* VIEW_NEEDS_*, besides stats */
	void (*click)(struct view *view, int y, int x); /* of the mouse; NULL: it is the terminal's */
	bool (*wants_mouse)(struct view *view); /* mouse is to be called; or NULL */
	void (*mouse)(struct view *view, const struct terminal_click *click); /* all its buttons */
	void (*title)(struct view *view, char *out, size_t size);
};

#endif
