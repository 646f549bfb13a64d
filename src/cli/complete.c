/*
 * complete: what can follow the words of a command line, one candidate a
 * line. The last word is the one being typed. Quiet whatever happens: it
 * runs while somebody types.
 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/names.h"
#include "control/states.h"

#define WORDS_MAX 256
#define COMMON_OPTIONS 3

/* The words before the one that is typed, taken apart by the command's table. */
struct typing {
	struct cli *cli;
	void (*offer)(void *arg, const char *word, const char *help);
	void *arg;
	const char *typed;
	struct {
		const char *text;
		const struct option_row *of; /* whose value it is, or NULL */
	} words[WORDS_MAX];
	unsigned count, own_count; /* all of them; those that are no option's */
	const struct option_row *given[OPTIONS_MAX + COMMON_OPTIONS];
	unsigned given_count;
	const struct option_row *pending; /* whose value is typed, or NULL */
	bool only_words;		  /* "--" stands before it */
};

/* A screen looks for what is typed by itself; help: NULL where a word says it all. */
static void offer(const struct typing *typing, const char *candidate, const char *help)
{
	if (typing->cli->on_screen ||
	    strncmp(candidate, typing->typed, strlen(typing->typed)) == 0)
		typing->offer(typing->arg, candidate, help);
}

/* What is there already is not offered again. */
static void offer_new(const struct typing *typing, const char *candidate, const char *help)
{
	for (unsigned i = 0; i < typing->count; i++)
		if (typing->words[i].of == typing->pending &&
		    strcmp(typing->words[i].text, candidate) == 0)
			return;
	offer(typing, candidate, help);
}

static bool is_given(const struct typing *typing, const struct option_row *row)
{
	for (unsigned i = 0; i < typing->given_count; i++)
		if (typing->given[i] == row)
			return true;
	return false;
}

/* The states in which the command makes sense. */
static uint32_t states_of(const struct typing *typing)
{
	const struct command *command = typing->cli->command;

	if (command->states || command->method < 0)
		return command->states;
	return method_table[command->method].states;
}

static json_t *look(const struct typing *typing, const char *method)
{
	return typing->cli->look ? typing->cli->look(typing->cli, method, NULL) : NULL;
}

/* Guests in one of the states; 0: in any. */
static void offer_guests(const struct typing *typing, uint32_t states)
{
	json_t *result = look(typing, "guest.list"), *guest;
	size_t i;

	json_array_foreach(json_object_get(result, "guests"), i, guest) {
		enum guest_state state = guest_state_find(text_of(guest, "state", ""));

		if (!states || guest_state_in(state, states))
			offer_new(typing, text_of(guest, "name", ""), text_of(guest, "state", ""));
	}
	json_decref(result);
}

static void offer_drives(const struct typing *typing, uint32_t states)
{
	json_t *result = look(typing, "guest.list"), *guest, *disk;
	char name[2 * NAME_SIZE];
	size_t i, j;

	json_array_foreach(json_object_get(result, "guests"), i, guest) {
		if (!guest_state_in(guest_state_find(text_of(guest, "state", "")), states))
			continue;
		json_array_foreach(json_object_get(guest, "disks"), j, disk) {
			if (!json_is_true(json_object_get(disk, "cdrom")))
				continue;
			snprintf(name, sizeof(name), "%s/%s", text_of(guest, "name", ""),
				 text_of(disk, "name", ""));
			offer(typing, name, text_of(disk, "path", "no medium"));
		}
	}
	json_decref(result);
}

/* The names of switches, of ports, or of both. */
static void offer_places(const struct typing *typing, bool switches, bool ports)
{
	json_t *result = look(typing, "switch.list"), *row, *port;
	size_t i, j;

	json_array_foreach(json_object_get(result, "switches"), i, row) {
		if (switches)
			offer_new(typing, text_of(row, "name", ""), "switch");
		json_array_foreach(json_object_get(row, "ports"), j, port)
			if (ports)
				offer_new(typing, text_of(port, "name", ""),
					  text_of(port, "kind", ""));
	}
	json_decref(result);
}

/* All that "capture --interface" takes. */
static void offer_sources(const struct typing *typing)
{
	offer_places(typing, true, true);
	offer_guests(typing, 0);
}

/* "delay=": what comes behind it nobody knows here. */
static void offer_settings(const struct typing *typing)
{
	const char *key;
	char text[64];

	for (size_t i = 0; (key = typing->cli->hooks->setting(i)); i++) {
		snprintf(text, sizeof(text), "%s=", key);
		offer(typing, text, NULL);
	}
}

static void offer_commands(const struct typing *typing)
{
	for (const struct command *command = typing->cli->commands; command->name; command++)
		if (!typing->cli->on_screen || command_on_screen(command))
			offer(typing, command->name, command_help(command));
}

static void offer_profile(void *arg, const char *name)
{
	offer_new(arg, name, NULL);
}

/* The shell knows those best. */
static void offer_files(const struct typing *typing)
{
	if (!typing->cli->on_screen)
		typing->offer(typing->arg, "<file>", NULL);
}

static void offer_words(struct typing *typing, enum word_type word)
{
	const struct cli *cli = typing->cli;

	if (word == WORD_GUEST)
		offer_guests(typing, states_of(typing));
	else if (word == WORD_DRIVE && !typing->own_count)
		offer_drives(typing, states_of(typing));
	else if (word == WORD_SWITCH)
		offer_places(typing, true, false);
	else if (word == WORD_PORT)
		offer_sources(typing);
	else if (word == WORD_SETTING && typing->own_count == 1 &&
		 strcmp(typing->words[0].text, "held") != 0)
		offer_places(typing, false, true);
	else if (word == WORD_SETTING && strcmp(typing->words[0].text, "set") == 0)
		offer_settings(typing);
	else if (word == WORD_COMMAND)
		offer_commands(typing);
	else if (word == WORD_PROFILE)
		cli->hooks->profiles(offer_profile, typing);
	if (word == WORD_FILE || word == WORD_PROFILE || (word == WORD_DRIVE && typing->own_count))
		offer_files(typing);
}

/* "create|info": each of them. */
static void offer_verbs(const struct typing *typing, const char *verbs)
{
	char verb[32];
	size_t n;

	for (; *verbs; verbs += n + (verbs[n] == '|')) {
		n = strcspn(verbs, "|");
		snprintf(verb, sizeof(verb), "%.*s", (int)n, verbs);
		offer(typing, verb, NULL);
	}
}

static void offer_option(const struct typing *typing, const char *name, const char *help)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s", name);
	offer(typing, text, help);
}

static void offer_options(const struct typing *typing)
{
	const struct option_row *tables[] = { typing->cli->command->options, common_options };

	for (unsigned i = 0; i < (typing->cli->on_screen ? 1 : ARRAY_SIZE(tables)); i++)
		for (const struct option_row *row = tables[i]; row && row->name; row++)
			if ((row->letter != 'j' || typing->cli->command->json) &&
			    (row->type == OPTION_LIST || !is_given(typing, row)) &&
			    !(typing->cli->on_screen &&
			      command_option_of_shell(typing->cli->command, row->name)))
				offer_option(typing, row->name, row->help);
}

/* The options that stand before a command or without one: "[--demo[=GUESTS]] [--headless]". */
static void offer_screen_options(const struct typing *typing)
{
	static const char *const own[] = { "socket", "dry-run", "help", "version" };
	const char *args = typing->cli->hooks->screen_args, *at = args ? args : "";
	char name[32];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		offer_option(typing, own[i], NULL);
	while ((at = strstr(at, "--"))) {
		at += 2;
		n = strcspn(at, "[] =");
		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		offer_option(typing, name, NULL);
		at += n;
	}
}

/* The option that "wait" or "interface=lan" gives, or that a letter does, which is 0 then. */
static const struct option_row *option_of(const struct command *command, const char *word,
					  char letter)
{
	const struct option_row *tables[] = { command->options, common_options };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct option_row *row = tables[i]; row && row->name; row++)
			if (letter ? row->letter == letter
				   : strncmp(word, row->name, strlen(row->name)) == 0 &&
				     strchr("=", word[strlen(row->name)]))
				return row;
	return NULL;
}

static void take_option(struct typing *typing, const struct option_row *row, const char *value)
{
	if (!row)
		return;
	if (typing->given_count < ARRAY_SIZE(typing->given))
		typing->given[typing->given_count++] = row;
	if (row->type != OPTION_FLAG && !value)
		typing->pending = row;
}

static void add_word(struct typing *typing, const char *word, const struct option_row *of)
{
	typing->own_count += !of;
	if (typing->count == WORDS_MAX)
		return;
	typing->words[typing->count].text = word;
	typing->words[typing->count++].of = of;
}

static void take_word(struct typing *typing, struct cli *cli, const char *word)
{
	const struct command *command = cli->command;

	if (typing->pending) {
		if (typing->pending == &common_options[1])
			cli->socket = word;
		add_word(typing, word, typing->pending);
		typing->pending = NULL;
	} else if (typing->only_words || word[0] != '-' || !word[1]) {
		add_word(typing, word, NULL);
	} else if (strcmp(word, "--") == 0) {
		typing->only_words = true;
	} else if (word[1] == '-') {
		take_option(typing, option_of(command, word + 2, 0), strchr(word, '='));
	} else {
		for (const char *at = word + 1; *at && !typing->pending; at++)
			take_option(typing, option_of(command, "", *at), NULL);
	}
}

/* How many words of argv are the program's own options. */
static int own_options(struct cli *cli, int argc, char **argv)
{
	int n = 0;

	while (n < argc - 1 && (strncmp(argv[n], "--socket", 8) == 0 ||
				strcmp(argv[n], "--dry-run") == 0)) {
		bool joined = argv[n][8] == '=';

		if (argv[n][2] == 'd') {
			n++;
			continue;
		}
		if (!joined && n + 2 >= argc)
			break;
		cli->socket = joined ? argv[n] + 9 : argv[n + 1];
		n += joined ? 1 : 2;
	}
	return n;
}

void complete_offer(struct cli *cli, int argc, char **argv,
		    void (*take)(void *arg, const char *word, const char *help), void *arg)
{
	struct typing typing = { .cli = cli, .typed = argc ? argv[argc - 1] : "", .offer = take,
				 .arg = arg };
	int own = cli->on_screen ? 0 : own_options(cli, argc, argv);

	argv += own;
	argc -= own;
	if (argc > 1 && strcmp(argv[0], "--socket") == 0)
		offer_files(&typing);
	else if (argc >= 1 && argv[0][0] == '-' && typing.typed[0] == '-' && !cli->on_screen)
		offer_screen_options(&typing);
	else if (argc <= 1)
		offer_commands(&typing);
	if (argc <= 1)
		return;
	cli->command = command_find(cli->commands, argv[0]);
	if (!cli->command || (cli->on_screen && !command_on_screen(cli->command)))
		return;
	for (int i = 1; i < argc - 1; i++)
		take_word(&typing, cli, argv[i]);
	if (typing.pending)
		offer_words(&typing, typing.pending->word);
	else if (typing.typed[0] == '-' && !typing.only_words)
		offer_options(&typing);
	else if (cli->command->verbs && !typing.own_count)
		offer_verbs(&typing, cli->command->verbs);
	else if (cli->command->max_args < 0 || (int)typing.own_count < cli->command->max_args)
		offer_words(&typing, cli->command->word);
}

static void print(void *arg, const char *word, const char *help)
{
	(void)arg;
	(void)help;
	plain_print(stdout, "%s\n", word);
}

static json_t *look_quietly(struct cli *cli, const char *method, json_t *params)
{
	json_decref(params);
	return session_try(cli, method);
}

int complete_words(struct cli *cli, int argc, char **argv)
{
	cli->look = look_quietly;
	complete_offer(cli, argc, argv, print, NULL);
	return CLI_OK;
}

int complete_main(struct cli *cli)
{
	return complete_words(cli, cli->argc, cli->argv);
}
