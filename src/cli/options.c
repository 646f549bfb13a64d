/* Reading a subcommand's options and words by its table. */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "cli/fail.h"

const struct option_row common_options[] = {
	{ 'j', "json", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "print JSON" },
	{ 0, "socket", OPTION_TEXT, "PATH", WORD_FILE, 0, 0,
	  "the deck's socket (also $VMDECK_SOCKET)" },
	{ 'h', "help", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "explain the command" },
	{ .name = NULL },
};

/* An option's row, the command's own or a common one, and where its value goes; or NULL. */
struct found {
	const struct option_row *row;
	struct option_value *value;
};

static bool matches(const struct option_row *row, const char *name, size_t length, char letter)
{
	if (letter)
		return row->letter == letter;
	return strlen(row->name) == length && memcmp(row->name, name, length) == 0;
}

static struct found find(struct cli *cli, struct option_value *common, const char *name,
			 size_t length, char letter)
{
	const struct option_row *row = cli->command->options;

	for (unsigned i = 0; row && row[i].name; i++)
		if (matches(&row[i], name, length, letter))
			return (struct found){ &row[i], &cli->values[i] };
	row = common_options;
	for (unsigned i = 0; row[i].name; i++)
		if (matches(&row[i], name, length, letter) && (row[i].letter != 'j' ||
							       cli->command->json))
			return (struct found){ &row[i], &common[i] };
	return (struct found){ NULL, NULL };
}

static int unknown(struct cli *cli, const char *word)
{
	struct suggestion suggestion = { .wrong = word + 2 };
	const struct option_row *row;

	if (strncmp(word, "--", 2) != 0)
		return usage_error(cli->command, "%s has no option -%c", cli->command->name,
				   word[1]);
	for (row = cli->command->options; row && row->name; row++)
		suggest_offer(&suggestion, row->name);
	for (row = common_options; row->name; row++)
		if (row->letter != 'j' || cli->command->json)
			suggest_offer(&suggestion, row->name);
	if (suggestion.best)
		return usage_error(cli->command, "%s has no option %s; did you mean --%s?",
				   cli->command->name, word, suggestion.best);
	return usage_error(cli->command, "%s has no option %s", cli->command->name, word);
}

static int read_number(struct cli *cli, const struct found *found, const char *text)
{
	char *end;

	errno = 0;
	found->value->number = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' ||
	    found->value->number < found->row->min || found->value->number > found->row->max)
		return usage_error(cli->command, "--%s: '%s' is not a number from %llu to %llu",
				   found->row->name, text, (unsigned long long)found->row->min,
				   (unsigned long long)found->row->max);
	return 0;
}

static int set(struct cli *cli, const struct found *found, const char *text)
{
	struct option_value *value = found->value;

	value->set = true;
	value->text = text;
	if (found->row->type == OPTION_NUMBER)
		return read_number(cli, found, text);
	if (found->row->type == OPTION_LIST) {
		if (value->count == LIST_MAX)
			return usage_error(cli->command, "--%s: at most %d of them",
					   found->row->name, LIST_MAX);
		value->list[value->count++] = text;
	}
	return 0;
}

/* The words yet to read. */
struct words {
	int argc, at;
	char **argv;
};

static int need_value(struct cli *cli, const struct found *found, struct words *words,
		      const char *attached)
{
	if (attached)
		return set(cli, found, attached);
	if (words->at + 1 >= words->argc)
		return usage_error(cli->command, "--%s needs a value (%s)", found->row->name,
				   found->row->arg);
	return set(cli, found, words->argv[++words->at]);
}

static int read_long(struct cli *cli, struct option_value *common, struct words *words)
{
	char *word = words->argv[words->at], *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	struct found found = find(cli, common, word + 2, length, 0);

	if (!found.row)
		return unknown(cli, word);
	if (found.row->type != OPTION_FLAG)
		return need_value(cli, &found, words, equals ? equals + 1 : NULL);
	if (equals)
		return usage_error(cli->command, "--%s takes no value", found.row->name);
	return set(cli, &found, NULL);
}

/* -w, -wf, -wFILE */
static int read_short(struct cli *cli, struct option_value *common, struct words *words)
{
	char *word = words->argv[words->at];
	int error = 0;

	for (char *at = word + 1; error == 0 && *at; at++) {
		struct found found = find(cli, common, NULL, 0, *at);
		char one[3] = { '-', *at, '\0' };

		if (!found.row)
			return unknown(cli, one);
		if (found.row->type != OPTION_FLAG)
			return need_value(cli, &found, words, at[1] ? at + 1 : NULL);
		error = set(cli, &found, NULL);
	}
	return error;
}

/* The guest of the screen, for a line that begins with none: argv has room for it. */
static void name_guest(struct cli *cli)
{
	const struct command *command = cli->command;

	if (cli->marked && !cli->argc && command->word == WORD_GUEST && command->min_args == 1 &&
	    command->max_args < 0) {
		cli->argv[cli->argc++] = (char *)cli->marked;
		cli->all_marked = true;
		return;
	}
	if (!cli->guest || !*cli->guest || cli->argc != command->min_args - 1 ||
	    (command->word != WORD_GUEST && command->word != WORD_DRIVE))
		return;
	memmove(&cli->argv[1], &cli->argv[0], (size_t)cli->argc * sizeof(*cli->argv));
	cli->argv[0] = (char *)cli->guest;
	cli->argc++;
}

static int check_count(struct cli *cli)
{
	const struct command *command = cli->command;

	if (cli->argc < command->min_args)
		return usage_error(command, "%s needs %s", command->name, command->args);
	if (command->max_args >= 0 && cli->argc > command->max_args)
		return usage_error(command, "%s: '%s' is one word too many", command->name,
				   cli->argv[command->max_args]);
	return 0;
}

int options_read(struct cli *cli, int argc, char **argv)
{
	struct option_value common[3];
	struct words words = { .argc = argc, .at = 1, .argv = argv };
	bool only_words = false;
	int error = 0, kept = 0;

	memset(common, 0, sizeof(common));
	for (; error == 0 && words.at < argc; words.at++) {
		char *word = argv[words.at];

		if (only_words || word[0] != '-' || word[1] == '\0')
			argv[kept++] = word;
		else if (strcmp(word, "--") == 0)
			only_words = true;
		else if (word[1] == '-')
			error = read_long(cli, common, &words);
		else
			error = read_short(cli, common, &words);
	}
	if (error)
		return error;
	if (common[2].set)
		return -1;
	cli->json |= common[0].set;
	if (common[1].set)
		cli->socket = common[1].text;
	cli->argc = kept;
	cli->argv = argv;
	name_guest(cli);
	return check_count(cli);
}

const struct option_value *option_given(const struct cli *cli, const char *name)
{
	const struct option_row *row = cli->command->options;

	for (unsigned i = 0; row && row[i].name; i++)
		if (!strcmp(row[i].name, name) && cli->values[i].set)
			return &cli->values[i];
	return NULL;
}

const char *option_text(const struct cli *cli, const char *name)
{
	const struct option_value *value = option_given(cli, name);

	return value ? value->text : NULL;
}
