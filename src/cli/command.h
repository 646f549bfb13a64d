/*
 * What the subcommands are made of: the table, their options, their output.
 * Main thread.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "cli/cli.h"
#include "control/client.h"
#include "control/methods.h"
#include "control/states.h"

#define OPTIONS_MAX 8
#define LIST_MAX 64

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_NUMBER };

/* What a word on the command line can be, for completion. */
enum word_type { WORD_ANY, WORD_GUEST, WORD_PORT, WORD_FILE, WORD_COMMAND };

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
	const struct command *command;
	const char *socket; /* --socket, or NULL */
	bool json;
	int argc; /* the words that are no options */
	char **argv;
	struct option_value values[OPTIONS_MAX];
};

struct command {
	const char *name;  /* NULL ends the table */
	const char *alias; /* or NULL */
	const char *args;  /* "GUEST..." */
	int min_args, max_args;
	enum word_type word;
	int method; /* enum method_id, whose states and help are the command's; or -1 */
	enum method_id forced; /* the order that option OPTION_FORCE makes of it, or 0 */
	bool json;  /* has output that --json shows */
	const char *help; /* a sentence without the dot; NULL: the method's */
	const char *more; /* further help, or NULL */
	const struct option_row *options; /* or NULL */
	int (*run)(struct cli *cli); /* NULL: a hook's */
};

extern const struct command command_table[];

const struct command *command_find(const char *name);
const char *command_help(const struct command *command);

/* Options that every subcommand has: --json, --socket, --help; ends with name NULL. */
extern const struct option_row common_options[];

/* options.c: 0; CLI_USAGE after a message; -1 when --help was asked for. */
int options_read(struct cli *cli, int argc, char **argv);

/* help.c */
void help_overview(const struct cli_hooks *hooks);
void help_command(const struct command *command, const struct cli_hooks *hooks);
int usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* session.c: "vmdeck: " and the sentence on stderr; CLI_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connects to the deck. NULL after a message. */
struct link *session_open(struct cli *cli);

/* Calls a method; the result is the caller's. NULL after a message. params is taken over. */
json_t *session_call(struct link *link, const char *method, json_t *params);

/* Calls one method over a connection of its own. NULL after a message. */
json_t *session_ask(struct cli *cli, const char *method, json_t *params);

/* output.c */
bool output_colour(void);	/* stdout is a terminal and NO_COLOR is not set */
void output_json(const json_t *value);	    /* in several lines */
void output_json_line(const json_t *value); /* in one */

/* Text from a guest or a file, without what a terminal would obey. */
void output_text(const char *text);

const char *output_bytes(char text[16], double bytes);	   /* "512M", "1.5G" */
const char *output_time(char text[40], int64_t ns);	   /* "2026-01-31 12:00:00" */
const char *output_duration(char text[24], int64_t seconds); /* "3d 4h", "5m 6s" */
const char *state_colour(const char *name); /* an escape sequence for a guest's state, or "" */

#define COLUMNS_MAX 16

/* Rows of words in columns as wide as their widest; the last is not padded. */
struct columns {
	unsigned count;
	unsigned right; /* bits: columns aligned to the right */
	char ***rows;
	const char **colours; /* of the whole row's second column, or "" */
	size_t used, room;
};

/* A row of count words, copied; colour is an escape sequence for the column colour_at, or NULL. */
void columns_add(struct columns *columns, const char *const *words, const char *colour);
void columns_print(struct columns *columns, unsigned colour_at); /* and frees */

/* A member of an object as text, number, or what stands for nothing. */
const char *text_of(const json_t *object, const char *key, const char *standard);
int64_t number_of(const json_t *object, const char *key);

/* The subcommands. */
int list_main(struct cli *cli);
int show_main(struct cli *cli);
int order_main(struct cli *cli); /* start, stop, pause, resume, reset */
int console_main(struct cli *cli);
int capture_main(struct cli *cli);
int check_main(struct cli *cli);
int switches_main(struct cli *cli);
int stats_main(struct cli *cli);
int events_main(struct cli *cli);
int reload_main(struct cli *cli);
int shutdown_main(struct cli *cli);
int complete_main(struct cli *cli);
int help_main(struct cli *cli);

/* complete.c: prints what can follow the words; takes them raw. */
int complete_words(struct cli *cli, int argc, char **argv);

#endif
