/*
 * The time that the charts of the deck view span: what the screen has seen itself, or longer ones
 * of which the deck keeps averages. Screen thread only.
 */
#ifndef TUI_VIEWS_DECK_SPANS_H
#define TUI_VIEWS_DECK_SPANS_H

#include "tui/ui/ui.h"

/* All zero: the screen's own two minutes. */
struct deck_spans {
	struct view *view;
	unsigned span; /* a row of the table of panels' times; 0: the screen's own */
	char guest[128]; /* whom what is known, or asked for, is about */
	unsigned of;	 /* and of which span that is */
	uint64_t asked_at; /* CLOCK_MONOTONIC, ns; 0: not yet */
	bool asking, known;
	struct chart_series *series; /* MODEL_FIELDS of them; NULL until they are asked for */
};

/* The next span, and round. */
void deck_spans_next(struct deck_spans *spans, struct view *view);

/*
 * The guest as its charts are to be drawn: itself, or *room with other series, which are NULL
 * while they are not known. Asks the deck for what is missing or old.
 */
const struct tui_guest *deck_spans_of(struct deck_spans *spans, const struct tui_guest *guest,
				      struct tui_guest *room);

void deck_spans_destroy(struct deck_spans *spans);

#endif
