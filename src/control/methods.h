/*
 * The table of the protocol's methods: what each is called, which arguments
 * it takes, in which states of a guest it is legal, and who may use it.
 *
 * The server dispatches by it; the subcommands that are orders to guests, help,
 * completion, the screen's questions and vmdeck-protocol(7) are made from it.
 * It holds no handlers: those are the core's. Any thread.
 */
#ifndef CONTROL_METHODS_H
#define CONTROL_METHODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "control/states.h"

enum method_id {
	METHOD_HELLO,
	METHOD_GUEST_LIST, METHOD_GUEST_SHOW,
	METHOD_GUEST_START, METHOD_GUEST_STOP, METHOD_GUEST_OFF,
	METHOD_GUEST_PAUSE, METHOD_GUEST_RESUME, METHOD_GUEST_RESET,
	METHOD_GUEST_RESIZE, METHOD_GUEST_EJECT, METHOD_GUEST_INSERT, METHOD_GUEST_UNLOCK,
	METHOD_DECK_RELOAD, METHOD_DECK_QUIT,
	METHOD_PROFILE_CHECK,
	METHOD_STATS_SUBSCRIBE, METHOD_STATS_UPDATE, METHOD_STATS_CANCEL, METHOD_STATS_HISTORY,
	METHOD_HOST_SUBSCRIBE, METHOD_HOST_CANCEL,
	METHOD_EVENTS_SUBSCRIBE,
	METHOD_CONSOLE_OPEN,
	METHOD_CONSOLE_WINDOW, METHOD_CONSOLE_BREAK,
	METHOD_SCREEN_SUBSCRIBE, METHOD_SCREEN_CANCEL, METHOD_SCREEN_TYPE,
	METHOD_SWITCH_LIST, METHOD_PORT_SET,
	METHOD_PORT_BREAK, METHOD_PORT_HELD, METHOD_PORT_DECIDE, METHOD_PORT_INJECT,
	METHOD_PACKETS_SUBSCRIBE, METHOD_PACKETS_CANCEL,
	METHOD_CAPTURE_START, METHOD_CAPTURE_STOP, METHOD_CAPTURE_LIST, METHOD_CAPTURE_STREAM,
	METHOD_COUNT
};

enum method_type {
	METHOD_STRING,	/* at most 4096 bytes */
	METHOD_NAME,	/* of a guest or switch: name_valid() */
	METHOD_NAMES,	/* an array of at most 4096 names, or "*" for all */
	METHOD_PORTS,	/* an array of 1 to 1024 names of ports ("web/net0") or switches */
	METHOD_PORT,	/* one of a port */
	METHOD_WORDS,	/* an object of 1 to 64 strings */
	METHOD_BYTES,	/* hex digits of min..max bytes */
	METHOD_INTEGER,	/* min..max */
	METHOD_BOOL,
	METHOD_CHOICE	/* one of choices, "shutdown|off" */
};

struct method_arg {
	const char *name; /* NULL ends the list */
	enum method_type type;
	bool required;	  /* otherwise it may be left out or null */
	uint64_t min, max;
	const char *choices;
};

#define METHOD_ARGS_MAX 8

/* A client that said hello with role "observe" may only look. */
enum method_role { METHOD_OBSERVE, METHOD_OPERATE };

/* What an order to a guest has besides. */
struct method_order {
	/* The subcommand, whose words are guests, and its help; NULL: another's option gives it. */
	const char *command, *command_help;

	/* What to ask before, or NULL. It has the guest as " it": "reset it". */
	const char *confirm;
	bool loses; /* the guest loses what it has not written */

	const char *done;  /* what has become of a guest by it: "started", */
	const char *given; /* and what becomes of those that it was just given to: "starting" */

	enum method_id counterpart; /* what a key for both gives where this is not legal; or 0 */
};

struct method {
	const char *name;
	enum method_role role;
	uint32_t states; /* GUEST_IN(): in which its "guest" may be; 0: any */
	struct method_arg args[METHOD_ARGS_MAX];
	const char *help; /* a sentence without the dot */
	const struct method_order *order; /* NULL: it is no order to a guest */
};

/* By enum method_id. */
extern const struct method method_table[METHOD_COUNT];

const struct method *method_find(const char *name);

/*
 * Checks params (an object, or NULL for none) against the method's arguments:
 * missing, unknown, of the wrong type, out of range. 0, or -EINVAL with a cause
 * that names the parameter.
 */
int method_check(const struct method *method, const json_t *params, struct cause *cause);

/*
 * Checks whether a guest in this state may have the method done to it. 0, or -EBUSY with
 * a sentence that names the state and those it may be in.
 */
int method_check_state(const struct method *method, const char *guest, enum guest_state state,
		       struct cause *cause);

#endif
