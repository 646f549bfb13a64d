/*
 * The state of the network's view, and how it looks. Screen thread only.
 */
#ifndef TUI_VIEWS_NETWORK_DRAW_H
#define TUI_VIEWS_NETWORK_DRAW_H

#include "tui/ui/subscribe.h"
#include "tui/ui/ui.h"

enum pane { PANE_PACKETS, PANE_SWITCHES, PANE_PORTS, PANE_COUNT };

struct network_view {
	enum pane pane;
	size_t selected; /* switch */
	size_t port_top, ports_shown;
	uint64_t packet_end; /* the packet after the lowest one shown, when the list is held */
	size_t packets_shown;
	char filter[PROMPT_TEXT]; /* of what is shown */
	char asked[PROMPT_TEXT];  /* of the subscription, as far as one is asked for */
	char typed[PROMPT_TEXT];  /* the last one, also a refused one */
	bool restoring;		  /* what is asked for is the one before that */
	char path[PROMPT_TEXT];	  /* typed for a capture that did not begin yet */
	json_int_t other;	  /* the capture that a question is about */
	char ending[PROMPT_TEXT]; /* the path of the one that was told to end last */
	char saving[PROMPT_TEXT]; /* where a past goes; "": nowhere */
	struct subscription packets;
	char subscribed[512]; /* switch of the subscription or of the one asked for */
	bool polling, polling_captures;
	struct loop_timer captures_due; /* one runs, and another view is shown */
};

/* The switch that is chosen, or NULL when there is none. */
const struct switch_row *network_chosen(const struct view *view);

/* Draws it, and notes in the state how many ports and packets found room. */
void network_draw(struct view *view, struct rect rect);

#endif
