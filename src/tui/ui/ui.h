/*
 * The screen, its decks, and what views share: which of them is shown,
 * messages, requests. Screen thread only.
 */
#ifndef TUI_UI_UI_H
#define TUI_UI_UI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "control/client.h"
#include "tui/canvas/terminal.h"
#include "tui/model/messages.h"
#include "tui/model/model.h"
#include "tui/model/netmodel.h"
#include "tui/model/status.h"
#include "tui/ui/config.h"
#include "tui/ui/keys.h"
#include "tui/ui/prompt.h"
#include "tui/ui/settings.h"
#include "tui/ui/view.h"

/* A deck: the connection to it, and what is known of it. */
struct tui_deck {
	struct tui *tui;
	const struct tui_config *config;
	struct client *client;
	struct model model;
	struct netmodel network;
	bool held_asked, held_again;	    /* held.c: port.held */
	bool switches_asked;		    /* switches.c: switch.list */
	struct subscription *subscriptions; /* subscribe.c */
	struct samples *samples;	    /* samples.c */
	struct loop_timer list;
	bool list_asked, list_again; /* guest.list */
	unsigned list_more;	     /* after that, one a second */
	bool quitting;		     /* deck.quit was sent, */
	bool forcing;		     /* and takes the power of all */
	bool ending;		     /* somebody else has it end: it waits for its guests */
	bool ended;		     /* the deck said that it ends */
	char unlocking[128];	     /* orders.c: who is looked at or given a passphrase; or "", */
	size_t unlocking_disk;	     /* and from or at which disk in the protocol's list */
	json_t *looked_at, *mistakes; /* mistakes.c: a guest as it was listed, and what it has; */
	uint64_t looked;	      /* when, CLOCK_MONOTONIC, ns */
	bool looking;		      /* the deck is asked for that */
	struct marked *marked;	      /* marked.c: orders to marked guests that are under way */
};

#define TUI_DECKS 8

struct tui {
	struct loop loop;
	struct terminal terminal;
	struct loop_source input, signals;

	struct tui_deck decks[TUI_DECKS]; /* those that the screen is connected to come first */
	size_t deck_count;
	struct tui_deck *deck; /* the one that is shown */

	struct settings settings;
	const struct keys *keys; /* theirs */
	struct view *views; /* all there are; the first one is never left */
	size_t view_count;
	struct view *top; /* the one that is shown */

	struct prompt prompt;
	struct messages messages;
	struct status status; /* above the footer */
	char ordered[128];	/* the guest that an order was given to last, or "", */
	uint64_t ordered_until; /* CLOCK_MONOTONIC, ns: what is said of it till then came of that */
	struct loop_timer redraw, tick, expire;
	uint64_t drawn; /* CLOCK_MONOTONIC: the next frame is due FRAME_NS later */
	const struct method *asked; /* orders.c: the order that a question is about, */
	char asked_guest[128];	    /* the guest, and the answers */
	struct choice asked_choices[3];
	size_t asked_disk;	    /* whose passphrase it is about, in the protocol's list, */
	char asked_device[16];	    /* and its name */
	struct editor *editor; /* edit.c; NULL until a profile is edited */
	struct media *media;   /* media.c; NULL until a medium is exchanged */
	struct palette *palette; /* palette.c; NULL until it is made */
	void (*noted)(struct tui *tui, const char *method, const json_t *params); /* a request is sent */

	bool stopped; /* suspend.c: the shell has the terminal */
	bool pasting, paste_told; /* what comes is pasted; that it is no command was said */
	uint64_t pasted;	  /* when the last of it came, CLOCK_MONOTONIC */
	enum tui_result result;
	bool finished; /* ends as soon as the terminal is the screen's again */
	int error;
	struct cause *cause;
};

/* Makes a zeroed screen fit to say something; keys stay the caller's. */
void tui_prepare(struct tui *tui, const struct keys *keys);

/*
 * Makes the views of a screen that shows a deck. 0 or -ENOMEM, which tui_destroy()
 * clears up after, too.
 */
int tui_init(struct tui *tui, const struct view_ops *const *views, size_t count);

/* Destroys what tui_init() made, and the messages. */
void tui_destroy(struct tui *tui);

bool tui_shows(const struct view *view);

void tui_dirty(struct tui *tui); /* has the screen drawn soon, at most every 30 ms or so */
void tui_drawn(struct tui *tui); /* it was */

/* Brings up the view of that id; guest says whom to show, for a view of one guest. */
void tui_open(struct tui *tui, const char *id, const char *guest);
void tui_back(struct tui *tui);
void tui_show(struct tui *tui); /* brings up the first one */
void tui_finish(struct tui *tui, enum tui_result result);

/* An order is given to a guest: what events say of it soon is what came of a key. */
void tui_ordered(struct tui *tui, const char *guest);

/*
 * Keeps what an event says (see messages_add()), and shows it: what is bad, as trouble, and what
 * came of an order as an answer.
 */
void tui_message(struct tui *tui, enum severity severity, uint64_t time, const char *guest,
		 const char *text);

/* Keeps what came of a key, and shows it: an error as a refusal. */
void tui_say(struct tui *tui, enum severity severity, const char *guest, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Shows a state until it is said to have ended; what it begins with is kept. */
void tui_state(struct tui *tui, enum status_rank rank, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void tui_state_ended(struct tui *tui, enum status_rank rank);

void tui_hush(struct tui *tui); /* takes all but states off the status line */
void tui_key_pressed(struct tui *tui); /* somebody has seen what is there */

/* The guest that the view which is shown is about, or "". */
const char *tui_chosen(struct tui *tui);

/* The guest of that name; NULL and a message when there is none. */
const struct tui_guest *tui_guest(struct tui_deck *deck, const char *name);

/* How the key of a command is called in a view. */
const char *tui_key(const struct view *view, enum command command);

/* What a screen that only watches says to who would have it order something. */
#define TUI_READ_ONLY "This screen is read-only (-R): it watches, and orders nothing."

/*
 * Sends a request (params is taken over); one that changes something is refused in a screen that
 * only watches. Without a reply a failure is shown as
 * a message; one that cannot be sent always is, and makes it return false.
 */
bool tui_call(struct tui_deck *deck, const char *method, json_t *params, client_reply reply,
	      void *arg);

/* The server's words as a refusal, until a request of that method succeeds. */
void tui_fail(struct tui *tui, const struct client_error *error);

/* The same until somebody calls tui_settle() with that kind. */
void tui_fail_as(struct tui *tui, const char *kind, const struct client_error *error);
void tui_settle(struct tui *tui, enum status_rank rank, const char *kind);

/* Asks for guest.list soon; many events make one request. */
void tui_list(struct tui_deck *deck);

#endif
