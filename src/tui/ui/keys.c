/* The table of keys. Pure. Footers show the hints in the order of the table. */
#include "tui/ui/keys.h"

#include <curses.h>

#include "base/checked.h"

#define DECK (1u << VIEW_DECK)
#define GUEST (1u << VIEW_GUEST)
#define CONSOLE (1u << VIEW_CONSOLE)
#define NETWORK (1u << VIEW_NETWORK)
#define LOG (1u << VIEW_LOG)
#define HELP (1u << VIEW_HELP)
#define LISTS (DECK | GUEST | NETWORK | LOG | HELP)
#define ORDERS (DECK | GUEST)
#define INNER (GUEST | NETWORK | LOG | HELP)

const struct key keys_table[] = {
	{ DECK, '\r', "Enter", COMMAND_OPEN, "details",
	  "show everything about the guest: devices, exits, the last lines of a crash" },
	{ DECK, KEY_ENTER, "Enter", COMMAND_OPEN, NULL, NULL },
	{ DECK, '\n', "Enter", COMMAND_OPEN, NULL, NULL },
	{ INNER, 'q', "q", COMMAND_BACK, "back", "go back to the view before" },
	{ INNER, 27, "Esc", COMMAND_BACK, NULL, NULL },
	{ ORDERS, 'c', "c", COMMAND_CONSOLE, "console", "open the guest's console" },
	{ ORDERS, 's', "s", COMMAND_START, "start", "start the guest" },
	{ DECK, 'q', "q", COMMAND_QUIT, "leave", "leave the screen" },
	{ LISTS & ~HELP, '?', "?", COMMAND_HELP, "help", "show all keys" },
	{ ORDERS, 'S', "S", COMMAND_POWER, "power button",
	  "press the guest's power button, so that it shuts down" },
	{ ORDERS, 'p', "p", COMMAND_PAUSE, "pause", "pause the guest, or let it go on" },
	{ DECK, 'n', "n", COMMAND_NETWORK, "network", "watch switches, ports and packets" },
	{ GUEST | LOG, 'n', "n", COMMAND_NETWORK, NULL, "watch switches, ports and packets" },
	{ ORDERS, 'e', "e", COMMAND_EDIT, "edit",
	  "edit the guest's profile in $VISUAL or $EDITOR" },
	{ ORDERS, 'F', "F", COMMAND_OFF, "force off", "turn the guest off at once (asks first)" },
	{ ORDERS, 'Z', "Z", COMMAND_RESET, "reset", "reset the guest (asks first)" },
	{ DECK, '/', "/", COMMAND_FILTER, "filter", "show only guests whose name contains a text" },
	{ DECK, '\t', "Tab", COMMAND_CHART, NULL,
	  "put another chart first, where not all of them have room" },
	{ DECK | GUEST | NETWORK, 'L', "L", COMMAND_LOG, "messages", "read past messages" },

	{ NETWORK, '\t', "Tab", COMMAND_NEXT, "next pane", "go to the next pane" },
	{ NETWORK, 'f', "f", COMMAND_FILTER, "filter",
	  "show only packets that match a filter (pcap-filter(7)), such as: tcp port 80" },
	{ NETWORK, ' ', "Space", COMMAND_HOLD, "hold", "hold the list of packets, or follow it" },
	{ NETWORK, 'w', "w", COMMAND_CAPTURE, "capture to a file",
	  "write packets to a pcapng file; a second w ends it" },

	{ LISTS, KEY_UP, "Up", COMMAND_UP, NULL, "move up" },
	{ LISTS, 'k', "k", COMMAND_UP, NULL, NULL },
	{ LISTS, KEY_DOWN, "Down", COMMAND_DOWN, NULL, "move down" },
	{ LISTS, 'j', "j", COMMAND_DOWN, NULL, NULL },
	{ LISTS, KEY_PPAGE, "PageUp", COMMAND_PAGE_UP, NULL, "move up by a page" },
	{ LISTS, KEY_NPAGE, "PageDown", COMMAND_PAGE_DOWN, NULL, "move down by a page" },
	{ LISTS, KEY_HOME, "Home", COMMAND_FIRST, NULL, "go to the first line" },
	{ LISTS, 'g', "g", COMMAND_FIRST, NULL, NULL },
	{ LISTS, KEY_END, "End", COMMAND_LAST, NULL, "go to the last line" },
	{ LISTS, 'G', "G", COMMAND_LAST, NULL, NULL },
	{ LISTS, KEYS_CTRL('l'), "Ctrl-L", COMMAND_REDRAW, NULL, "draw the screen anew" },
	{ INNER, KEYS_CTRL('c'), "Ctrl-C", COMMAND_BACK, NULL, NULL },
	{ DECK, KEYS_CTRL('c'), "Ctrl-C", COMMAND_QUIT, NULL, NULL },

	{ CONSOLE, KEYS_CTRL(']'), "Ctrl-]", COMMAND_BACK, "leave the console",
	  "leave the console; every other key goes to the guest" },
	{ CONSOLE, KEY_PPAGE, "PageUp", COMMAND_PAGE_UP, "scroll back",
	  "scroll back, unless a full-screen program runs in the guest" },
	{ CONSOLE, KEY_NPAGE, "PageDown", COMMAND_PAGE_DOWN, NULL, "scroll forward, likewise" },
	{ CONSOLE, KEY_SPREVIOUS, "Shift-PageUp", COMMAND_SCROLL_UP, NULL, "scroll back always" },
	{ CONSOLE, KEY_SNEXT, "Shift-PageDown", COMMAND_SCROLL_DOWN, NULL,
	  "scroll forward always" },
};

const size_t keys_count = ARRAY_SIZE(keys_table);

enum command keys_find(enum view_id view, int key)
{
	for (size_t i = 0; i < keys_count; i++)
		if (keys_table[i].key == key && keys_table[i].views & 1u << view)
			return keys_table[i].command;
	return COMMAND_NONE;
}

const char *keys_view_name(enum view_id view)
{
	static const char *const names[VIEW_COUNT] = {
		[VIEW_DECK] = "Guests",	      [VIEW_GUEST] = "Details of a guest",
		[VIEW_CONSOLE] = "Console",   [VIEW_NETWORK] = "Network",
		[VIEW_LOG] = "Messages",      [VIEW_HELP] = "Help",
	};

	return names[view];
}
