/* The table of keys. Pure. Footers show the hints in the order of the table. */
#include "tui/ui/keys.h"

#include <ctype.h>
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* Where a key works, and what it does. */
#define ALL(sets) sets, NULL
#define IN(view) 0, view
#define DO(command) COMMAND_##command, NULL
#define OPEN(view) COMMAND_OPEN, view
#define ORDER(method) COMMAND_ORDER, method

static const struct key rows[] = {
	{ IN("console prefix"), 'q', "q", DO(BACK), "leave", "leave the console" },
	{ IN("console prefix"), KEYS_CTRL(']'), "Ctrl-]", DO(SEND_PREFIX), "send it",
	  "send %s to the guest" },
	{ IN("console prefix"), '\t', "Tab", DO(TURN), "other side",
	  "turn to the guest's serial port beside a virtio console, to its VGA screen and keyboard, "
	  "and back" },
	{ IN("console prefix"), ']', "]", DO(NEXT_GUEST), "next guest",
	  "to the console of the next guest that runs" },
	{ IN("console prefix"), '[', "[", DO(PREVIOUS_GUEST), "previous guest",
	  "to the console of the guest before that runs" },
	{ IN("console prefix"), 'w', "w", DO(SAVE), "save",
	  "save what the console has printed lately, as text, to a file of this machine" },

	{ IN("deck"), '\r', "Enter", OPEN("guest"), "details",
	  "show everything about the guest: devices, exits, the last lines of a crash" },
	{ IN("deck"), KEY_ENTER, "Enter", OPEN("guest"), NULL, NULL },
	{ IN("deck"), '\n', "Enter", OPEN("guest"), NULL, NULL },
	{ ALL(KEYS_BACK), 'q', "q", DO(BACK), "back", "go back to the view before" },
	{ ALL(KEYS_BACK), 27, "Esc", DO(BACK), NULL, NULL },
	{ ALL(KEYS_ORDERS), 'c', "c", OPEN("console"), "console", "open the guest's console" },
	{ ALL(KEYS_ORDERS), 's', "s", ORDER("guest.start"), "start",
	  "start the guest, or let it go on when it is paused" },
	{ IN("deck"), 'q', "q", DO(QUIT), "leave", "leave the screen" },
	{ ALL(KEYS_HELP), '?', "?", OPEN("help"), "help", "show all keys" },
	{ ALL(KEYS_LIST), ':', ":", DO(PALETTE), "command",
	  "type a command, as vmdeck has them on the command line, or find one" },
	{ ALL(KEYS_LIST), KEYS_CTRL('p'), "Ctrl-P", DO(PALETTE), NULL, NULL },
	{ ALL(KEYS_ORDERS), 'S', "S", ORDER("guest.stop"), "power button",
	  "press the guest's power button, so that it shuts down (asks first)" },
	{ ALL(KEYS_ORDERS), 'p', "p", ORDER("guest.pause"), "pause",
	  "pause the guest, or let it go on" },
	{ IN("deck"), 'n', "n", OPEN("network"), "network", "watch switches, ports and packets" },
	{ ALL(KEYS_NETWORK), 'n', "n", OPEN("network"), NULL, "watch switches, ports and packets" },
	{ IN("deck"), 'M', "M", OPEN("map"), NULL,
	  "show a map of switches and what is at them, with how much goes to and fro" },
	{ IN("network"), 'M', "M", OPEN("map"), NULL, NULL },
	{ IN("map"), '\r', "Enter", DO(CHOOSE), "show",
	  "show the guest, or the port of no guest, or the packets" },
	{ IN("map"), '\n', "Enter", DO(CHOOSE), NULL, NULL },
	{ IN("map"), KEY_ENTER, "Enter", DO(CHOOSE), NULL, NULL },
	{ ALL(KEYS_ORDERS), 'e', "e", DO(EDIT), "edit",
	  "edit the guest's profile in $VISUAL or $EDITOR" },
	{ ALL(KEYS_ORDERS), 'F', "F", ORDER("guest.off"), "force off",
	  "turn the guest off at once (asks first)" },
	{ ALL(KEYS_ORDERS), 'Z', "Z", ORDER("guest.reset"), "reset",
	  "reset the guest (asks first)" },
	{ ALL(KEYS_ORDERS), 'm', "m", DO(MEDIUM), "medium",
	  "take the medium out of the guest's CD-ROM drive, or put another in" },
	{ IN("deck"), 'y', "y", DO(COPY_GUEST), NULL,
	  "copy the guest's profile to that of another guest, whose name is asked for" },
	{ IN("deck"), 'r', "r", DO(RENAME), NULL, "give the guest another name" },
	{ IN("deck"), 'D', "D", DO(DELETE), NULL,
	  "delete the guest's profile (asks first); the images of its disks stay" },
	{ IN("deck"), 'R', "R", DO(RELOAD), "reload",
	  "read the profiles again, which also happens when they change" },
	{ IN("deck"), '/', "/", DO(FILTER), "filter",
	  "show only guests whose name contains a text, or, with # before it, that have a tag which "
	  "begins so, while it is typed; Esc takes that back" },
	{ IN("deck"), KEY_F(6), "F6", DO(SORT), "sort",
	  "choose by what the list is sorted, or, with a second %s, sort it the other way round; "
	  "so does a click on the head of a column" },
	{ IN("deck"), '<', "<", DO(SORT_LEFT), NULL, "sort by the column to the left" },
	{ IN("deck"), '>', ">", DO(SORT_RIGHT), NULL, "sort by the column to the right" },
	{ IN("deck"), 'I', "I", DO(SORT_REVERSE), NULL, "sort the other way round" },
	{ IN("deck"), ' ', "Space", DO(MARK), "mark",
	  "mark the guest, or take the mark off; orders are for all marked guests, if there "
	  "are any" },
	{ IN("deck"), 'V', "V", DO(MARK_RANGE), NULL,
	  "mark all from the guest that was marked last up to the selected one" },
	{ IN("deck"), '*', "*", DO(MARK_OTHERS), NULL,
	  "mark the listed guests that are not marked, and take the marks off the others" },
	{ IN("deck"), 'u', "u", DO(UNMARK), NULL, "take all marks off" },
	{ IN("deck"), 27, "Esc", DO(BACK), NULL,
	  "take all marks off; without marks, show all guests again" },
	{ IN("deck"), '\t', "Tab", DO(CHART), NULL,
	  "put another chart first, where not all of them have room" },
	{ IN("deck"), 't', "t", DO(SPAN), NULL,
	  "have the charts span the last ten minutes, the last hour, the last day, as averages that "
	  "the deck keeps, and the last two minutes again" },
	{ IN("deck"), 'l', "l", DO(LIST_ALONE), NULL,
	  "give the whole screen to the list, without charts, or take it back" },
	{ IN("deck"), 'v', "v", DO(CHARTS_ALONE), NULL,
	  "give the screen to the charts of the selected guest, or take it back" },
	{ ALL(KEYS_LOG), 'L', "L", OPEN("log"), "messages", "read past messages" },
	{ IN("log"), '/', "/", DO(FILTER), "filter",
	  "show only messages that contain a text, while it is typed; Esc takes that back" },

	{ IN("network"), '\r', "Enter", DO(LOOK), "details",
	  "take the selected packet apart, field by field and byte by byte; in another pane than "
	  "that of packets, show everything about the selected port: each reason for drops, leases, "
	  "addresses" },
	{ IN("network"), '\n', "Enter", DO(LOOK), NULL, NULL },
	{ IN("network"), KEY_ENTER, "Enter", DO(LOOK), NULL, NULL },
	{ IN("network"), '\t', "Tab", DO(NEXT), "next pane", "go to the next pane" },
	{ IN("network"), 'f', "f", DO(FILTER), "filter",
	  "show only packets that match a filter (pcap-filter(7)), such as: tcp port 80; what is "
	  "listed already, too" },
	{ IN("network"), '/', "/", DO(FILTER), NULL, NULL },
	{ IN("network"), ' ', "Space", DO(HOLD), "hold",
	  "hold the list of packets, or follow it" },
	{ IN("network"), KEY_LEFT, "Left", DO(LEFT), NULL, "move what is said of packets back" },
	{ IN("network"), KEY_RIGHT, "Right", DO(RIGHT), NULL,
	  "show what is cut off of what is said of packets" },
	{ IN("network"), 'm', "m", DO(CHOOSE), NULL, "mark the selected packet, or no more" },
	{ IN("network"), 'c', "c", DO(CONVERSATION), NULL,
	  "show only the conversation of the selected packet, with the filter for that" },
	{ IN("network"), 't', "t", OPEN("stream"), NULL,
	  "read what the selected packet's TCP connection carries, as text" },
	{ IN("network"), 's', "s", DO(SAVE), NULL,
	  "save the marked packets, or all that are listed, to a pcapng file of this machine" },
	{ IN("network"), 'a', "a", DO(NAMES), NULL,
	  "show addresses of packets, or the names of the guests that have them" },
	{ IN("network"), 'w', "w", DO(CAPTURE), "capture to a file",
	  "write packets of the selected port, or of the switch, to a pcapng file; each %s begins "
	  "one more" },
	{ IN("network"), 'x', "x", DO(END_CAPTURE), NULL, "end the selected capture" },
	{ IN("network"), 'W', "W", DO(SAVE_PAST), NULL,
	  "write to a file what the switch has kept of its past" },
	{ IN("network"), 'b', "b", DO(BREAK), "breakpoint",
	  "stop frames that the selected port sends and that match a filter, and pause the guests "
	  "of its switch until it is said what becomes of them; no filter: take the breakpoint away" },
	{ IN("network"), 'p', "p", DO(PASS), NULL, "let the frame go on that a port holds" },
	{ IN("network"), 'd', "d", DO(DROP), NULL, "drop the frame that a port holds" },
	{ IN("network"), 'e', "e", OPEN("frame"), NULL,
	  "change bytes of the frame that a port holds, and let it go on" },

	{ IN("packet"), '\r', "Enter", DO(LOOK), "unfold",
	  "show what lies in the selected field, or hide it" },
	{ IN("packet"), '\n', "Enter", DO(LOOK), NULL, NULL },
	{ IN("packet"), KEY_ENTER, "Enter", DO(LOOK), NULL, NULL },
	{ IN("packet"), KEY_RIGHT, "Right", DO(RIGHT), NULL, "show what lies in the selected field" },
	{ IN("packet"), KEY_LEFT, "Left", DO(LEFT), NULL,
	  "hide what lies in the selected field, or go to the one that it lies in" },
	{ IN("packet"), '/', "/", DO(FILTER), "find",
	  "show only fields that contain a text, while it is typed; Esc takes that back" },
	{ IN("packet"), 'c', "c", DO(CONVERSATION), "filter for this",
	  "list only packets that have the same in the selected field" },

	{ IN("frame"), '\r', "Enter", DO(PASS), "pass it",
	  "let the frame go on with these bytes. 0 to f change the one under the cursor, Delete "
	  "takes it out, Insert puts one before it" },
	{ IN("frame"), '\n', "Enter", DO(PASS), NULL, NULL },
	{ IN("frame"), KEY_ENTER, "Enter", DO(PASS), NULL, NULL },
	{ IN("frame"), KEY_LEFT, "Left", DO(LEFT), NULL, "to the digit before" },
	{ IN("frame"), KEY_RIGHT, "Right", DO(RIGHT), NULL, "to the next digit" },

	{ ALL(KEYS_LIST), KEY_UP, "Up", DO(UP), NULL, "move up" },
	{ ALL(KEYS_LIST), 'k', "k", DO(UP), NULL, NULL },
	{ ALL(KEYS_LIST), KEY_DOWN, "Down", DO(DOWN), NULL, "move down" },
	{ ALL(KEYS_LIST), 'j', "j", DO(DOWN), NULL, NULL },
	{ ALL(KEYS_LIST), KEY_PPAGE, "PageUp", DO(PAGE_UP), NULL, "move up by a page" },
	{ ALL(KEYS_LIST), KEY_NPAGE, "PageDown", DO(PAGE_DOWN), NULL, "move down by a page" },
	{ ALL(KEYS_LIST), KEY_HOME, "Home", DO(FIRST), NULL, "go to the first line" },
	{ ALL(KEYS_LIST), 'g', "g", DO(FIRST), NULL, NULL },
	{ ALL(KEYS_LIST), KEY_END, "End", DO(LAST), NULL, "go to the last line" },
	{ ALL(KEYS_LIST), 'G', "G", DO(LAST), NULL, NULL },
	{ ALL(KEYS_LIST), KEYS_CTRL('l'), "Ctrl-L", DO(REDRAW), NULL, "draw the screen anew" },
	{ ALL(KEYS_LIST), KEYS_CTRL('z'), "Ctrl-Z", DO(SUSPEND), NULL,
	  "stop the screen for the shell, whose fg brings it back; guests go on" },
	{ ALL(KEYS_BACK), KEYS_CTRL('c'), "Ctrl-C", DO(BACK), NULL, NULL },
	{ IN("deck"), KEYS_CTRL('c'), "Ctrl-C", DO(QUIT), NULL, NULL },

	{ IN("console"), KEYS_CTRL(']'), "Ctrl-]", DO(PREFIX), NULL,
	  "have the next key be for the screen, as below; every other key goes to the guest" },
	{ IN("console"), '\t', "Tab", DO(NEXT), NULL,
	  "turn to the guest's next side, where the guest does not get the key: it does not run, or "
	  "shows no text" },
	{ IN("console"), KEY_PPAGE, "PageUp", DO(PAGE_UP), "scroll back",
	  "scroll back, unless a full-screen program runs in the guest" },
	{ IN("console"), KEY_NPAGE, "PageDown", DO(PAGE_DOWN), NULL, "scroll forward, likewise" },
	{ IN("console"), KEY_SPREVIOUS, "Shift-PageUp", DO(SCROLL_UP), NULL, "scroll back always" },
	{ IN("console"), KEY_SNEXT, "Shift-PageDown", DO(SCROLL_DOWN), NULL,
	  "scroll forward always" },

	{ IN("console prefix"), '/', "/", DO(SEARCH), "search",
	  "look for a text in what the console keeps, from the last line up; a text without capital "
	  "letters finds them, too" },
	{ IN("console prefix"), 'y', "y", DO(COPY), "copy",
	  "select text of what is in sight, which stands still meanwhile, for the terminal's clipboard" },
	{ IN("console prefix"), 'b', "b", DO(LINE_BREAK), "break",
	  "send a break to the guest's serial port" },
	{ IN("console prefix"), 'r', "r", DO(SYSRQ), "SysRq",
	  "send a Magic SysRq key, which is asked for, to a Linux guest: to its serial port by a "
	  "break, or on the VGA screen's keyboard by Alt and SysRq" },
	{ IN("console copy"), ' ', "Space", DO(MARK), "begin",
	  "begin the selection here; without a beginning, it is the line of the cursor" },
	{ IN("console copy"), '\r', "Enter", DO(CHOOSE), "copy",
	  "hand what is selected to the terminal's clipboard (OSC 52, which many terminals allow only "
	  "if they are set so)" },
	{ IN("console copy"), '\n', "Enter", DO(CHOOSE), NULL, NULL },
	{ IN("console copy"), KEY_ENTER, "Enter", DO(CHOOSE), NULL, NULL },
	{ IN("console copy"), 'y', "y", DO(CHOOSE), NULL, NULL },
	{ IN("console copy"), KEY_UP, "Up", DO(UP), "move", "move up" },
	{ IN("console copy"), 'k', "k", DO(UP), NULL, NULL },
	{ IN("console copy"), KEY_DOWN, "Down", DO(DOWN), NULL, "move down" },
	{ IN("console copy"), 'j', "j", DO(DOWN), NULL, NULL },
	{ IN("console copy"), KEY_LEFT, "Left", DO(LEFT), NULL, "move left" },
	{ IN("console copy"), 'h', "h", DO(LEFT), NULL, NULL },
	{ IN("console copy"), KEY_RIGHT, "Right", DO(RIGHT), NULL, "move right" },
	{ IN("console copy"), 'l', "l", DO(RIGHT), NULL, NULL },
	{ IN("console copy"), KEY_HOME, "Home", DO(FIRST), NULL, "to the line's beginning" },
	{ IN("console copy"), '0', "0", DO(FIRST), NULL, NULL },
	{ IN("console copy"), KEY_END, "End", DO(LAST), NULL, "to the line's end" },
	{ IN("console copy"), '$', "$", DO(LAST), NULL, NULL },
	{ IN("console copy"), 27, "Esc", DO(NONE), "cancel", "copy nothing" },
	{ IN("console copy"), 'q', "q", DO(NONE), NULL, NULL },
	{ IN("console copy"), KEYS_CTRL(']'), "Ctrl-]", DO(PREFIX), NULL,
	  "copy nothing, and have the next key be for the screen" },
	{ IN("console search"), 'n', "n", DO(OLDER), "older", "to the next line above that has the text" },
	{ IN("console search"), 'N', "N", DO(NEWER), "newer", "to the next line below that has it" },
	{ IN("console search"), '/', "/", DO(SEARCH), "search", "look for another text" },
	{ IN("console search"), KEY_PPAGE, "PageUp", DO(SCROLL_UP), "scroll", "scroll back" },
	{ IN("console search"), KEY_NPAGE, "PageDown", DO(SCROLL_DOWN), NULL, "scroll forward" },
	{ IN("console search"), 27, "Esc", DO(END_SEARCH), "end",
	  "end the search, as any other key does, which then goes to the guest" },
	{ IN("console search"), 'q', "q", DO(END_SEARCH), NULL, NULL },
	{ IN("console search"), '\r', "Enter", DO(END_SEARCH), NULL, NULL },
	{ IN("console search"), '\n', "Enter", DO(END_SEARCH), NULL, NULL },
	{ IN("console search"), KEY_ENTER, "Enter", DO(END_SEARCH), NULL, NULL },
	{ IN("console search"), KEYS_CTRL(']'), "Ctrl-]", DO(PREFIX), NULL,
	  "have the next key be for the screen" },
	{ IN("console prefix"), ':', ":", DO(PALETTE), "command", "type a command" },
	{ IN("console prefix"), 27, "Esc", DO(NONE), "cancel", "do nothing" },
};

const struct keys keys_table = { rows, ARRAY_SIZE(rows) };

bool keys_has(const struct view_ops *view, const struct key *key)
{
	return key->sets & view->keys || (key->view && strcmp(key->view, view->id) == 0);
}

bool keys_order(const struct key *key)
{
	enum command command = key->command;

	return command == COMMAND_ORDER || command == COMMAND_EDIT || command == COMMAND_MEDIUM ||
	       command == COMMAND_COPY_GUEST || command == COMMAND_RENAME ||
	       command == COMMAND_DELETE || command == COMMAND_RELOAD || command == COMMAND_CAPTURE ||
	       command == COMMAND_SAVE_PAST || command == COMMAND_END_CAPTURE ||
	       command == COMMAND_LINE_BREAK || command == COMMAND_SYSRQ ||
	       command == COMMAND_BREAK || command == COMMAND_PASS || command == COMMAND_DROP;
}

bool keys_same(const struct key *one, const struct key *other)
{
	return one->command == other->command &&
	       (!one->target || strcmp(one->target, other->target) == 0);
}

const struct key *keys_find(const struct keys *keys, const struct view_ops *view, int key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->rows[i].key == key && keys_has(view, &keys->rows[i]))
			return &keys->rows[i];
	return NULL;
}

/* The first key that gives a command, as keys_label() is asked for; NULL: there is none. */
static const struct key *find_command(const struct keys *keys, const struct view_ops *view,
				      enum command command, const char *target)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct key *key = &keys->rows[i];

		if (key->command == command && (!view || keys_has(view, key)) &&
		    (!target || (key->target && strcmp(key->target, target) == 0)))
			return key;
	}
	return NULL;
}

const char *keys_label(const struct keys *keys, const struct view_ops *view, enum command command,
		       const char *target)
{
	const struct key *key = find_command(keys, view, command, target);

	return key ? key->label : "";
}

int keys_code(const struct keys *keys, const struct view_ops *view, enum command command)
{
	const struct key *key = find_command(keys, view, command, NULL);

	return key ? key->key : 0;
}

void keys_name(const struct key *key, char out[KEYS_NAME])
{
#define COMMAND_TEXT(name) #name,
	static const char *const commands[] = { COMMANDS(COMMAND_TEXT) };
#undef COMMAND_TEXT
	const char *name = key->target ? key->target : commands[key->command];
	const char *method = key->command == COMMAND_ORDER ? strchr(name, '.') : NULL;
	size_t n = 0;

	for (name = method ? method + 1 : name; *name && n < KEYS_NAME - 1; name++)
		out[n++] = (char)(*name == '_' || *name == ' ' ? '-' : tolower((unsigned char)*name));
	out[n] = '\0';
}

void keys_help(const struct key *key, char *out, size_t size)
{
	const char *own = strstr(key->help, "%s");

	if (own)
		snprintf(out, size, "%.*s%s%s", (int)(own - key->help), key->help, key->label,
			 own + strlen("%s"));
	else
		snprintf(out, size, "%s", key->help);
}
