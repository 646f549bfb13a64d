/*
 * The state of the network's view, and what is selected in it. Screen thread only.
 */
#ifndef TUI_VIEWS_NETWORK_STATE_H
#define TUI_VIEWS_NETWORK_STATE_H

#include "tui/ui/subscribe.h"
#include "tui/ui/ui.h"

enum pane {
	PANE_PACKETS, PANE_SWITCHES, PANE_PORTS,
	PANE_CAPTURES, /* while one runs */
	PANE_HELD, /* while a frame waits */
	PANE_COUNT
};

struct network_view {
	enum pane pane;
	size_t selected; /* switch */
	size_t port, port_top, ports_shown; /* port: the selected one */
	uint64_t packet_at, row_top; /* the selected one and the first row, when it is held */
	size_t packets_shown;
	int shift; /* columns that what is said of packets is moved to the left by */
	bool addresses; /* not the names of guests in their place */
	char filter[PROMPT_TEXT]; /* of what is shown */
	char asked[PROMPT_TEXT];  /* of the subscription, as far as one is asked for */
	char typed[PROMPT_TEXT];  /* the last one, also a refused one */
	bool restoring;		  /* what is asked for is the one before that */
	char path[PROMPT_TEXT];	  /* typed for a capture that did not begin yet */
	char breaking[100];	  /* the port whose breakpoint is asked about */
	char held_port[100];	  /* the frame that was seen: where, */
	uint64_t held_since;	  /* and since when; ns since the epoch */
	int held_top, held_lines, held_page;
	enum pane pane_before; /* that one had the keys before it came */
	char scope[100];	  /* what that one is of: a port or a switch; "": all */
	json_int_t capture;	  /* the selected one, by its number */
	int captures_shown;
	json_int_t other;	  /* the one that a question is about */
	char ending[PROMPT_TEXT]; /* the path of the one that was told to end last */
	char saving[PROMPT_TEXT]; /* where a past goes; "": nowhere */
	struct saving *packet_saving; /* network_save.c; NULL until then */
	struct subscription packets;
	char subscribed[512]; /* switch of the subscription or of the one asked for */
	bool polling, polling_captures;
	bool listing_is_old; /* the list that is asked for may lack the newest capture */
	struct loop_timer captures_due; /* one runs, and another view is shown */
};

/* The switch that is chosen, or NULL when there is none. */
const struct switch_row *network_chosen(const struct view *view);

/* The port that is selected, or NULL. */
const struct port_row *network_chosen_port(const struct view *view);

/* The row of the packet that is selected: the newest, unless the list is held. */
uint64_t network_row_at(const struct view *view);

/* That packet, which may be a line between packets, or NULL. */
const struct packet *network_chosen_packet(const struct view *view);

/* The style of a pane's frame: it says whether the pane has the keys. */
unsigned network_pane_style(const struct view *view, enum pane pane);

#endif
