/*
 * What a subcommand is: its row, the rows of its options, and what the command
 * line gave. Main thread.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/hooks.h"
#include "control/methods.h"

#define OPTIONS_MAX 32
#define LIST_MAX 64

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_NUMBER };

/* What a word on the command line can be, for completion. */
enum word_type {
	WORD_ANY, WORD_GUEST, WORD_PORT, WORD_SWITCH, WORD_FILE, WORD_PROFILE, WORD_COMMAND,
	WORD_DRIVE, /* "web/disk1"; words behind it are files */
	WORD_SETTING /* a port, behind a verb; words behind it are settings of it */
};

/* Places of the options of orders that can be waited for, or forced. */
#define OPTION_WAIT 0
#define OPTION_TIMEOUT 1
#define OPTION_FORCE 2

struct option_row {
	char letter;	  /* 0: none */
	const char *name; /* NULL ends the list */
	enum option_type type;
	const char *arg;  /* "FILE"; of all but flags */
	enum word_type word;
	uint64_t min, max; /* of a number */
	const char *help;
};

/* What the command line gave for the option of the same place. */
struct option_value {
	bool set;
	const char *text;
	uint64_t number;
	const char *list[LIST_MAX];
	unsigned count;
};

struct cli {
	const struct cli_hooks *hooks;
	const struct command *commands; /* all of them, ended by one without a name */
	const struct command *command;
	const char *socket; /* --socket, or NULL */
	bool json, dry_run;
	int argc; /* the words that are no options */
	char **argv;
	struct option_value values[OPTIONS_MAX];

	/* What the command line asks of the deck, as far as it is made: requests.h. */
	json_t *requests;
	bool on_screen; /* it is asked by a screen: what it makes is made on the deck's host */
	const char *guest; /* where that is about a guest, for a line that names none; or NULL */
	const char *marked; /* one of several that it is about, where a command takes several */
	bool all_marked;    /* that one stands for all of them */
	/*
	 * The answer to a question that a word left out raises, new, or NULL after a message; NULL:
	 * nothing may be asked.
	 */
	json_t *(*look)(struct cli *cli, const char *method, json_t *params);
	void *look_arg;
};

struct command {
	const char *name;  /* NULL ends the table */
	const char *alias; /* or NULL */
	const char *args;  /* "GUEST..." */
	int min_args, max_args;
	const char *verbs; /* "create|info": what the first word can be; or NULL */
	enum word_type word;
	int method; /* enum method_id, whose states and help are the command's; or -1 */
	uint32_t states; /* GUEST_IN(): of guests that are offered, where the method says none */
	enum method_id forced; /* the order that option OPTION_FORCE makes of it, or 0 */
	bool json;  /* has output that --json shows */
	const char *help; /* a sentence without the dot; NULL: the method's */
	const char *more; /* further help, or NULL */
	const struct option_row *options; /* or NULL */
	int (*run)(struct cli *cli);

	/*
	 * Adds to cli->requests what it asks of a deck, but for what it looks at besides. CLI_OK, or
	 * another status after a message. NULL: it asks nothing of one.
	 */
	int (*requests)(struct cli *cli);
	const char *shell_options; /* "wait|timeout": without meaning in a screen; or NULL */
	const char *view; /* of the screen: shows what it prints, or what comes of it; or NULL */
};

/* The row of a name or an alias, or NULL. */
const struct command *command_find(const struct command *commands, const char *name);
const char *command_help(const struct command *command);

/* Whether it does something in a screen: to the deck, or shows a view. */
bool command_on_screen(const struct command *command);

/* Whether a screen has no use for an option of a command. */
bool command_option_of_shell(const struct command *command, const char *option);

#endif
