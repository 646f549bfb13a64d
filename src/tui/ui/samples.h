/* The samples of a deck's guests, as far as they are shown. Screen thread only. */
#ifndef TUI_UI_SAMPLES_H
#define TUI_UI_SAMPLES_H

#include "tui/ui/ui.h"

/* Readies deck->samples. 0 or -ENOMEM. */
int samples_new(struct tui_deck *deck);

/* The guests whose samples are shown: an array of names, which is taken over, or NULL. */
void samples_want(struct samples *samples, json_t *names);

/* What a view needs besides, as bits: VIEW_NEEDS_* of view.h. */
void samples_need(struct samples *samples, unsigned needs);

/* The list of guests came: what the server refused may be there by now. */
void samples_retry(struct samples *samples);

/* To be called with the loop still there and the connection closed; valid for NULL. */
void samples_free(struct samples *samples);

#endif
