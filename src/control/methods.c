/* The table of methods and the check of their parameters. Any thread. */
#include "control/methods.h"

#include <errno.h>
#include <string.h>

#include "control/names.h"
#include "control/protocol.h"

#define STRING_MAX_BYTES 4096
#define NAMES_MAX 4096
#define PORTS_MAX 1024
#define WORDS_MAX 64
#define FRAME_MAX 65550
#define INTEGER_MAX ((uint64_t)INT64_MAX)

/* With quotes and a comma each, and another KiB around them. */
_Static_assert(NAMES_MAX * (NAME_SIZE - 1 + 3) + 1024 <= CONTROL_MESSAGE_MAX,
	       "the longest list of names fits a message");
_Static_assert(FRAME_MAX * 2 + 1024 <= CONTROL_MESSAGE_MAX, "so does the longest frame");

#define GUEST { "guest", METHOD_NAME, true, 0, 0, NULL }
#define CONSOLE { "console", METHOD_CHOICE, false, 0, 0, "serial|virtio" }
#define SUBSCRIPTION { "subscription", METHOD_INTEGER, true, 1, INTEGER_MAX, NULL }
#define FILTER { "filter", METHOD_STRING, false, 0, 0, NULL }
#define PORTS { "ports", METHOD_PORTS, false, 0, 0, NULL }
#define SNAP { "snap", METHOD_INTEGER, false, 1, FRAME_MAX, NULL }
#define PAST { "past", METHOD_INTEGER, false, 1, 86400000, NULL }
#define NAMES { "names", METHOD_BOOL, false, 0, 0, NULL }
#define ORDER(...) &(const struct method_order){ __VA_ARGS__ }

const struct method method_table[METHOD_COUNT] = {
	[METHOD_HELLO] = { "hello", METHOD_OBSERVE, 0,
		{ { "version", METHOD_INTEGER, true, 0, INTEGER_MAX, NULL },
		  { "role", METHOD_CHOICE, false, 0, 0, "operate|observe" } },
		.help = "agrees on the protocol's version" },
	[METHOD_GUEST_LIST] = { "guest.list", METHOD_OBSERVE, 0, { { 0 } },
		.help = "lists the guests" },
	[METHOD_GUEST_SHOW] = { "guest.show", METHOD_OBSERVE, 0, { GUEST },
		.help = "shows one guest in full" },
	[METHOD_GUEST_START] = { "guest.start", METHOD_OPERATE,
		GUEST_DOWN | GUEST_IN(GUEST_STOPPING), { GUEST },
		.help = "starts a guest",
		.order = ORDER("start", "starts guests", NULL, false, "started", "starting",
			       METHOD_GUEST_RESUME) },
	[METHOD_GUEST_STOP] = { "guest.stop", METHOD_OPERATE, GUEST_ALIVE, { GUEST },
		.help = "presses a guest's power button",
		.order = ORDER("stop", "presses guests' power buttons", "shut it down", false, "stopped",
			       "power button pressed", 0) },
	[METHOD_GUEST_OFF] = { "guest.off", METHOD_OPERATE, GUEST_ALIVE, { GUEST },
		.help = "takes a guest's power away at once",
		.order = ORDER(NULL, NULL, "force it off", true, "forced off", "forced off", 0) },
	[METHOD_GUEST_PAUSE] = { "guest.pause", METHOD_OPERATE, GUEST_IN(GUEST_RUNNING), { GUEST },
		.help = "pauses a guest",
		.order = ORDER("pause", "pauses guests", NULL, false, "paused", "paused",
			       METHOD_GUEST_RESUME) },
	[METHOD_GUEST_RESUME] = { "guest.resume", METHOD_OPERATE, GUEST_IN(GUEST_PAUSED), { GUEST },
		.help = "lets a paused guest go on",
		.order = ORDER("resume", "lets paused guests go on", NULL, false, "resumed", "resumed",
			       0) },
	[METHOD_GUEST_RESET] = { "guest.reset", METHOD_OPERATE,
		GUEST_IN(GUEST_STARTING) | GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED),
		{ GUEST },
		.help = "presses a guest's reset button",
		.order = ORDER("reset", "presses guests' reset buttons", "reset it", true, "reset",
			       "reset", 0) },
	[METHOD_GUEST_RESIZE] = { "guest.resize", METHOD_OPERATE,
		GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED),
		{ GUEST, { "device", METHOD_NAME, true, 0, 0, NULL },
		  { "size", METHOD_INTEGER, true, 0, INTEGER_MAX, NULL } },
		.help = "gives a guest's device another size" },
	[METHOD_GUEST_EJECT] = { "guest.eject", METHOD_OPERATE,
		GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED),
		{ GUEST, { "device", METHOD_NAME, true, 0, 0, NULL },
		  { "force", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "takes the medium out of a guest's drive" },
	[METHOD_GUEST_INSERT] = { "guest.insert", METHOD_OPERATE,
		GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED),
		{ GUEST, { "device", METHOD_NAME, true, 0, 0, NULL },
		  { "path", METHOD_STRING, true, 0, 0, NULL },
		  { "force", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "puts another medium into a guest's drive" },
	[METHOD_GUEST_UNLOCK] = { "guest.unlock", METHOD_OPERATE, GUEST_DOWN,
		{ GUEST, { "device", METHOD_NAME, true, 0, 0, NULL },
		  { "secret", METHOD_STRING, true, 0, 0, NULL } },
		.help = "gives the passphrase of an encrypted disk" },
	[METHOD_DECK_RELOAD] = { "deck.reload", METHOD_OPERATE, 0, { { 0 } },
		.help = "reads the folder of profiles again" },
	[METHOD_DECK_QUIT] = { "deck.quit", METHOD_OPERATE, 0,
		{ { "mode", METHOD_CHOICE, true, 0, 0, "shutdown|off|idle" } },
		.help = "ends all guests and the deck" },
	[METHOD_PROFILE_CHECK] = { "profile.check", METHOD_OPERATE, 0,
		{ { "path", METHOD_STRING, true, 0, 0, NULL } },
		.help = "reads a profile and lists its mistakes" },
	[METHOD_STATS_SUBSCRIBE] = { "stats.subscribe", METHOD_OBSERVE, 0,
		{ { "guests", METHOD_NAMES, true, 0, 0, NULL },
		  { "interval_ms", METHOD_INTEGER, true, 100, 3600000, NULL },
		  { "history", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "sends the guests' statistics as they change" },
	[METHOD_STATS_UPDATE] = { "stats.update", METHOD_OBSERVE, 0,
		{ SUBSCRIPTION, { "guests", METHOD_NAMES, true, 0, 0, NULL } },
		.help = "changes the guests of a subscription" },
	[METHOD_STATS_CANCEL] = { "stats.cancel", METHOD_OBSERVE, 0, { SUBSCRIPTION },
		.help = "ends a subscription to statistics" },
	[METHOD_STATS_HISTORY] = { "stats.history", METHOD_OBSERVE, 0,
		{ GUEST, { "span", METHOD_CHOICE, true, 0, 0, "10m|1h|24h" } },
		.help = "tells what a guest used over a longer time" },
	[METHOD_HOST_SUBSCRIBE] = { "host.subscribe", METHOD_OBSERVE, 0,
		{ { "interval_ms", METHOD_INTEGER, true, 100, 3600000, NULL } },
		.help = "sends how the host is, and what all guests use together" },
	[METHOD_HOST_CANCEL] = { "host.cancel", METHOD_OBSERVE, 0, { SUBSCRIPTION },
		.help = "ends a subscription to the host" },
	[METHOD_EVENTS_SUBSCRIBE] = { "events.subscribe", METHOD_OBSERVE, 0,
		{ { "history", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "sends events as they happen" },
	[METHOD_CONSOLE_OPEN] = { "console.open", METHOD_OBSERVE, GUEST_ALIVE | GUEST_DOWN,
		{ GUEST, CONSOLE, { "backlog", METHOD_BOOL, false, 0, 0, NULL },
		  { "until_end", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "turns the connection into a guest's console" },
	[METHOD_CONSOLE_WINDOW] = { "console.window", METHOD_OPERATE, GUEST_ALIVE | GUEST_DOWN,
		{ GUEST, CONSOLE, { "rows", METHOD_INTEGER, true, 1, UINT16_MAX, NULL },
		  { "columns", METHOD_INTEGER, true, 1, UINT16_MAX, NULL } },
		.help = "says in how large a window a guest's console is shown" },
	[METHOD_CONSOLE_BREAK] = { "console.break", METHOD_OPERATE, GUEST_IN(GUEST_RUNNING),
		{ GUEST, { "sysrq", METHOD_STRING, false, 0, 0, NULL } },
		.help = "sends a break to a guest's serial port" },
	[METHOD_SCREEN_SUBSCRIBE] = { "screen.subscribe", METHOD_OBSERVE,
		GUEST_ALIVE | GUEST_DOWN, { GUEST },
		.help = "sends what a guest's VGA screen shows, as it changes" },
	[METHOD_SCREEN_CANCEL] = { "screen.cancel", METHOD_OBSERVE, 0, { SUBSCRIPTION },
		.help = "ends a subscription to a screen" },
	[METHOD_SCREEN_TYPE] = { "screen.type", METHOD_OPERATE, GUEST_ALIVE,
		{ GUEST, { "text", METHOD_STRING, true, 0, 0, NULL } },
		.help = "types on a guest's keyboard" },
	[METHOD_SWITCH_LIST] = { "switch.list", METHOD_OBSERVE, 0, { { 0 } },
		.help = "lists switches, their ports, addresses and leases" },
	[METHOD_PORT_SET] = { "port.set", METHOD_OPERATE, 0,
		{ { "port", METHOD_PORT, true, 0, 0, NULL },
		  { "settings", METHOD_WORDS, true, 0, 0, NULL } },
		.help = "changes settings of a port of a switch" },
	[METHOD_PORT_BREAK] = { "port.break", METHOD_OPERATE, 0,
		{ { "port", METHOD_PORT, true, 0, 0, NULL }, FILTER },
		.help = "sets a breakpoint of a port, or takes it away" },
	[METHOD_PORT_HELD] = { "port.held", METHOD_OBSERVE, 0, { { 0 } },
		.help = "lists breakpoints and the frames that they hold" },
	[METHOD_PORT_DECIDE] = { "port.decide", METHOD_OPERATE, 0,
		{ { "port", METHOD_PORT, true, 0, 0, NULL },
		  { "decision", METHOD_CHOICE, true, 0, 0, "pass|drop" },
		  { "data", METHOD_BYTES, false, 14, FRAME_MAX, NULL } },
		.help = "passes or drops the frame that a port holds" },
	[METHOD_PORT_INJECT] = { "port.inject", METHOD_OPERATE, 0,
		{ { "port", METHOD_PORT, true, 0, 0, NULL },
		  { "data", METHOD_BYTES, true, 14, FRAME_MAX, NULL } },
		.help = "puts a frame in at a port, as if it had sent it" },
	[METHOD_PACKETS_SUBSCRIBE] = { "packets.subscribe", METHOD_OBSERVE, 0,
		{ { "switch", METHOD_NAME, false, 0, 0, NULL }, FILTER,
		  { "bytes", METHOD_INTEGER, false, 1, FRAME_MAX, NULL },
		  { "program", METHOD_BOOL, false, 0, 0, NULL } },
		.help = "sends a line about each packet" },
	[METHOD_PACKETS_CANCEL] = { "packets.cancel", METHOD_OBSERVE, 0, { SUBSCRIPTION },
		.help = "ends a subscription to packets" },
	[METHOD_CAPTURE_START] = { "capture.start", METHOD_OPERATE, 0,
		{ PORTS, FILTER, SNAP, NAMES, PAST, { "path", METHOD_STRING, false, 0, 0, NULL } },
		.help = "captures packets to a file on the deck's host" },
	[METHOD_CAPTURE_STOP] = { "capture.stop", METHOD_OPERATE, 0,
		{ { "capture", METHOD_INTEGER, true, 1, INTEGER_MAX, NULL } },
		.help = "ends a capture" },
	[METHOD_CAPTURE_LIST] = { "capture.list", METHOD_OBSERVE, 0, { { 0 } },
		.help = "lists the captures to files" },
	[METHOD_CAPTURE_STREAM] = { "capture.stream", METHOD_OBSERVE, 0,
		{ PORTS, FILTER, SNAP, NAMES, PAST },
		.help = "turns the connection into a pcapng stream" },
};

const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strcmp(method_table[i].name, name) == 0)
			return &method_table[i];
	return NULL;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text), n;

	for (; *choices; choices += n + (choices[n] == '|')) {
		n = strcspn(choices, "|");
		if (n == length && memcmp(choices, text, n) == 0)
			return true;
	}
	return false;
}

static bool is_array_of(const json_t *value, size_t min, size_t max,
			bool (*is)(const char *text))
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) < min || json_array_size(value) > max)
		return false;
	json_array_foreach((json_t *)value, i, item)
		if (!json_is_string(item) || !is(json_string_value(item)))
			return false;
	return true;
}

static bool is_words(const json_t *value)
{
	const char *key;
	json_t *word;

	if (!json_object_size(value) || json_object_size(value) > WORDS_MAX)
		return false;
	json_object_foreach((json_t *)value, key, word)
		if (!json_is_string(word) || json_string_length(word) > STRING_MAX_BYTES)
			return false;
	return true;
}

static bool is_bytes(const char *text, const struct method_arg *arg)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	return !text[digits] && digits % 2 == 0 && digits / 2 >= arg->min &&
	       digits / 2 <= arg->max;
}

static int check_value(const struct method_arg *arg, const json_t *value, struct cause *cause)
{
	const char *text = json_string_value(value);

	switch (arg->type) {
	case METHOD_STRING:
		if (text && *text && json_string_length(value) <= STRING_MAX_BYTES)
			return 0;
		return cause_set(cause, EINVAL, "%s: a string of 1 to %d bytes is needed",
				 arg->name, STRING_MAX_BYTES);
	case METHOD_NAME:
		if (text && name_valid(text))
			return 0;
		return cause_set(cause, EINVAL, "%s: a name is needed: " NAME_RULE, arg->name);
	case METHOD_NAMES:
		if ((text && strcmp(text, "*") == 0) ||
		    is_array_of(value, 0, NAMES_MAX, name_valid))
			return 0;
		return cause_set(cause, EINVAL, "%s: an array of at most %d names, or \"*\", "
				 "is needed", arg->name, NAMES_MAX);
	case METHOD_PORTS:
		if (is_array_of(value, 1, PORTS_MAX, name_of_port_valid))
			return 0;
		return cause_set(cause, EINVAL, "%s: an array of 1 to %d names of ports "
				 "(\"web/net0\") or switches is needed", arg->name, PORTS_MAX);
	case METHOD_PORT:
		if (text && name_of_port_valid(text))
			return 0;
		return cause_set(cause, EINVAL, "%s: the name of a port (\"web/net0\") is needed",
				 arg->name);
	case METHOD_WORDS:
		if (is_words(value))
			return 0;
		return cause_set(cause, EINVAL, "%s: an object of 1 to %d strings is needed",
				 arg->name, WORDS_MAX);
	case METHOD_BYTES:
		if (text && is_bytes(text, arg))
			return 0;
		return cause_set(cause, EINVAL, "%s: %llu to %llu bytes in hexadecimal are needed",
				 arg->name, (unsigned long long)arg->min,
				 (unsigned long long)arg->max);
	case METHOD_INTEGER:
		if (json_is_integer(value) && json_integer_value(value) >= 0 &&
		    (uint64_t)json_integer_value(value) >= arg->min &&
		    (uint64_t)json_integer_value(value) <= arg->max)
			return 0;
		if (arg->max == INTEGER_MAX)
			return cause_set(cause, EINVAL, "%s: an integer is needed", arg->name);
		return cause_set(cause, EINVAL, "%s: an integer from %llu to %llu is needed",
				 arg->name, (unsigned long long)arg->min,
				 (unsigned long long)arg->max);
	case METHOD_BOOL:
		if (json_is_boolean(value))
			return 0;
		return cause_set(cause, EINVAL, "%s: true or false is needed", arg->name);
	case METHOD_CHOICE:
		if (text && is_choice(arg->choices, text))
			return 0;
		return cause_set(cause, EINVAL, "%s: one of %s is needed", arg->name,
				 arg->choices);
	}
	return -EINVAL;
}

static bool takes(const struct method *method, const char *name)
{
	for (size_t i = 0; i < METHOD_ARGS_MAX && method->args[i].name; i++)
		if (strcmp(method->args[i].name, name) == 0)
			return true;
	return false;
}

int method_check(const struct method *method, const json_t *params, struct cause *cause)
{
	const struct method_arg *arg;
	const json_t *value;
	const char *name;
	int error = 0;

	json_object_foreach((json_t *)params, name, value)
		if (!takes(method, name))
			return cause_set(cause, EINVAL, "%.64s: %s has no such parameter", name,
					 method->name);
	for (arg = method->args; error == 0 && arg < method->args + METHOD_ARGS_MAX && arg->name;
	     arg++) {
		value = json_object_get(params, arg->name);
		if (value && !json_is_null(value))
			error = check_value(arg, value, cause);
		else if (arg->required)
			error = cause_set(cause, EINVAL, "%s: %s needs this parameter", arg->name,
					  method->name);
	}
	return error;
}

int method_check_state(const struct method *method, const char *guest, enum guest_state state,
		       struct cause *cause)
{
	const struct method_order *order = method->order;
	const struct method *counterpart = order ? &method_table[order->counterpart] : method;
	char states[GUEST_STATES_TEXT], other[80] = "";

	if (!method->states || guest_state_in(state, method->states))
		return 0;
	guest_states_text(method->states, states);
	if (order && order->counterpart && guest_state_in(state, counterpart->states))
		snprintf(other, sizeof(other), "; one that is %s can be %s",
			 guest_state_name(state), counterpart->order->done);
	return cause_set(cause, EBUSY, "%s is %s; only a guest that is %s can be %s%s", guest,
			 guest_state_name(state), states, order ? order->done : "reached", other);
}
