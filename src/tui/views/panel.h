/* The four charts of a guest, each in a frame. Screen thread only. */
#ifndef TUI_VIEWS_PANEL_H
#define TUI_VIEWS_PANEL_H

#include "tui/canvas/draw.h"
#include "tui/model/model.h"

enum panel { PANEL_CPU, PANEL_NET, PANEL_MEMORY, PANEL_DISK, PANEL_COUNT };

/* Draws a chart of two minutes into rect; empty says why when there is no sample. */
void panel_draw(struct rect rect, enum panel panel, const struct tui_guest *guest,
		const char *empty);

#endif
