/* The views. */
#include "tui/views/table.h"

const struct view *const views_table[VIEW_COUNT] = {
	[VIEW_DECK] = &view_deck,	[VIEW_GUEST] = &view_guest,
	[VIEW_CONSOLE] = &view_console, [VIEW_NETWORK] = &view_network,
	[VIEW_LOG] = &view_log,		[VIEW_HELP] = &view_help,
};
