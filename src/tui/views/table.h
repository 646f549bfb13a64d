/* The views. Screen thread only. */
#ifndef TUI_VIEWS_TABLE_H
#define TUI_VIEWS_TABLE_H

#include "tui/ui/view.h"

/*
 * One row for each view, whose file defines view_NAME. The first one is there
 * from the start; the help screen names them in this order.
 */
#define VIEWS(ROW) \
	ROW(deck) \
	ROW(guest) \
	ROW(console) \
	ROW(network) \
	ROW(port) \
	ROW(map) \
	ROW(packet) \
	ROW(frame) \
	ROW(stream) \
	ROW(log) \
	ROW(help)

#define VIEWS_DECLARE(name) extern const struct view_ops view_##name;
VIEWS(VIEWS_DECLARE)
#undef VIEWS_DECLARE

extern const struct view_ops *const views_table[];
extern const size_t views_count;

#endif
