/*
 * Views and what they share. A view draws a snapshot of the model and turns
 * commands into requests; it waits for nothing. Screen thread only.
 */
#ifndef TUI_UI_UI_H
#define TUI_UI_UI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <wchar.h>

#include "base/loop.h"
#include "control/client.h"
#include "tui/canvas/draw.h"
#include "tui/canvas/terminal.h"
#include "tui/console/tty.h"
#include "tui/model/messages.h"
#include "tui/model/model.h"
#include "tui/model/netmodel.h"
#include "tui/ui/config.h"
#include "tui/ui/keys.h"
#include "tui/ui/prompt.h"

struct tui;

/* Any op may be NULL. */
struct view {
	void (*enter)(struct tui *tui); /* it comes up, also again after a view above it */
	void (*leave)(struct tui *tui); /* it is no longer shown */
	void (*draw)(struct tui *tui, struct rect rect);
	bool (*command)(struct tui *tui, enum command command); /* false: not the view's */
	void (*input)(struct tui *tui, wint_t key, bool special); /* keys without a command */
	void (*tick)(struct tui *tui); /* every second while it is shown */
	void (*notified)(struct tui *tui, const char *method, const json_t *params);
	json_t *(*stats)(struct tui *tui); /* new array: the guests whose samples it shows */
	void (*title)(struct tui *tui, char *out, size_t size);
	bool full; /* draws the whole screen, without header, messages and footer */
};

struct deck_view {
	char selected[128];
	char filter[64];
	size_t top, page; /* of the filtered list */
	unsigned chart;	  /* the first one */
};

struct guest_view {
	char name[128];
	json_t *show, *before; /* results of guest.show: the last two */
	uint64_t show_at, before_at;
	int top, lines, page;
	bool asked;
};

struct console_view {
	struct tty *list, *current;
	unsigned back; /* lines scrolled back */
};

struct scroll_view {
	int top, lines, page;
};

enum pane { PANE_PACKETS, PANE_SWITCHES, PANE_PORTS, PANE_COUNT };

struct network_view {
	enum pane pane;
	size_t selected;	/* switch */
	size_t port_top, ports_shown;
	bool held;		/* the list of packets does not follow */
	uint64_t packet_end;	/* the packet after the lowest one shown, when held */
	size_t packets_shown;
	char filter[PROMPT_TEXT];
	json_int_t subscription; /* 0: none */
	char subscribed[512];	/* switch of the subscription or of the one asked for */
	bool asked, stale, polling, polling_captures, shown;
};

struct subscription {
	json_t *names; /* of the one that is there or asked for; NULL: none */
	json_int_t id; /* 0: none yet */
	bool asked, stale, failed;
	uint64_t sampled;	/* when the newest sample was taken, CLOCK_MONOTONIC */
	struct loop_timer fill; /* the server is silent when nothing changes */
};

struct editor {
	pid_t pid; /* 0: none runs */
	int pidfd;
	struct loop_source source;
	char path[4096];
};

#define TUI_DEPTH 8

struct tui {
	const struct tui_config *config;
	struct loop loop;
	struct terminal terminal;
	struct loop_source input, signals;
	struct client *client;
	struct model model;
	struct netmodel network;

	const struct view *const *views; /* by enum view_id */
	enum view_id stack[TUI_DEPTH];
	unsigned depth; /* at least 1 */
	struct prompt prompt;
	struct loop_timer redraw, tick, list, hush;
	uint64_t drawn; /* when, CLOCK_MONOTONIC */
	struct messages messages;
	bool message_shown; /* the last one is on the screen */

	bool list_asked, list_again; /* guest.list */
	bool quitting;		     /* deck.quit was sent */
	bool ended;		     /* the deck said that it ends */
	char asked_guest[128];	     /* whom a question is about */
	struct subscription stats;
	struct editor editor;

	struct deck_view deck;
	struct guest_view guest;
	struct console_view console;
	struct network_view net;
	struct scroll_view log, help;
	enum view_id help_for;

	enum tui_result result;
	bool finish_after_editor;
	int error;
	struct cause *cause;
};

/* Readies a zeroed screen for what follows; views are by enum view_id. */
void tui_init(struct tui *tui, const struct view *const *views);

/* The view that is shown. */
enum view_id tui_current(const struct tui *tui);
const struct view *tui_view(const struct tui *tui);
void tui_show(struct tui *tui); /* brings up the first one */

void tui_dirty(struct tui *tui); /* has the screen drawn soon, at most every 30 ms */
void tui_open(struct tui *tui, enum view_id view);
void tui_back(struct tui *tui);
void tui_finish(struct tui *tui, enum tui_result result);

/* Keeps a message (see messages_add()) and shows it for a while. */
void tui_message(struct tui *tui, enum severity severity, uint64_t time, const char *guest,
		 const char *text);
void tui_say(struct tui *tui, enum severity severity, const char *guest, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Sends a request (params is taken over). A failure is shown as a message,
 * whether reply is NULL or not; reply's arg is the tui.
 */
bool tui_call(struct tui *tui, const char *method, json_t *params, client_reply reply);

/* Shows the server's words on the message line. */
void tui_fail(struct tui *tui, const struct client_error *error);

/* Asks for guest.list soon; many events make one request. */
void tui_list(struct tui *tui);

#endif
