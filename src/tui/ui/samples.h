/* The samples of a deck's guests, as far as they are shown. Screen thread only. */
#ifndef TUI_UI_SAMPLES_H
#define TUI_UI_SAMPLES_H

#include "tui/ui/ui.h"

/* Readies deck->samples. 0 or -ENOMEM. */
int samples_new(struct tui_deck *deck);

/* The guests whose samples are shown: an array of names, which is taken over, or NULL. */
void samples_want(struct samples *samples, json_t *names);

/* Whether the newest values of all guests are wanted besides, for model_values(). */
void samples_want_all(struct samples *samples, bool wanted);

/* The list of guests came: what the server refused may be there by now. */
void samples_retry(struct samples *samples);

/* To be called with the loop still there and the connection closed; valid for NULL. */
void samples_free(struct samples *samples);

#endif
