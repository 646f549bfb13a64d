/* The four charts of a guest, each in a frame. Screen thread only. */
#ifndef TUI_VIEWS_PANEL_H
#define TUI_VIEWS_PANEL_H

#include "tui/canvas/draw.h"
#include "tui/model/model.h"

enum panel { PANEL_CPU, PANEL_NET, PANEL_MEMORY, PANEL_DISK, PANEL_COUNT };

/* The times that charts span: the screen's own two minutes, and those of stats.history. */
#define PANEL_SPANS 4u

/* "10m"; of the first one "2m". A constant. */
const char *panel_span_name(unsigned span);

/*
 * Draws a chart into rect, of the guest's series, which are of a span's time; empty says why when
 * there is no sample.
 */
void panel_draw(struct rect rect, enum panel panel, const struct tui_guest *guest, unsigned span,
		const char *empty);

#endif
