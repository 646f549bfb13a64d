/* See line.h: a line of a screen is taken apart and made of what the table of commands says. */
#include "cli/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"

/* --- what is known where the line is typed --- */

static json_t *look(struct cli *cli, const char *method, json_t *params)
{
	const struct command_place *place = cli->look_arg;
	json_t *answer = place->answer ? place->answer(place->arg, method, params) : NULL;

	if (!answer && params)
		fail("guest '%s': there is none", text_of(params, "guest", ""));
	json_decref(params);
	return answer;
}

static void begin(struct cli *cli, const void *hooks, const struct command_place *place)
{
	memset(cli, 0, sizeof(*cli));
	cli->hooks = hooks;
	cli->commands = command_list();
	cli->on_screen = true;
	cli->guest = place->guest;
	cli->marked = place->marked;
	cli->look = look;
	cli->look_arg = (void *)place;
}

/* --- what a line asks for --- */

/* Of the requests those that change something: what else there is, the screen shows. */
static json_t *take_orders(struct cli *cli)
{
	json_t *orders = json_array(), *request;
	size_t i;

	json_array_foreach(cli->requests, i, request)
		if (method_find(text_of(request, "method", ""))->role == METHOD_OPERATE)
			json_array_append(orders, request);
	json_decref(cli->requests);
	cli->requests = NULL;
	return orders;
}

static int refuse(const struct command *command)
{
	return fail("%s does nothing to a deck: it is for a shell, 'vmdeck %s'", command->name,
		    command->name);
}

/* CLI_OK when all that is given means something here. */
static int check_options(const struct cli *cli)
{
	const struct command *command = cli->command;

	for (unsigned i = 0; command->options && command->options[i].name; i++)
		if (cli->values[i].set &&
		    command_option_of_shell(command, command->options[i].name))
			return fail("--%s is for 'vmdeck %s' in a shell alone",
				    command->options[i].name, command->name);
	return cli->socket ? fail("--socket is for a shell; this screen shows one deck") : CLI_OK;
}

static int read_words(struct cli *cli, struct words *words)
{
	int error;

	cli->command = command_find(cli->commands, words->words[0]);
	if (!cli->command)
		return no_command(cli->commands, words->words[0]);
	if (!command_on_screen(cli->command))
		return refuse(cli->command);
	error = options_read(cli, (int)words->count, words->words);
	if (error < 0)
		return fail("%s %s: %s", cli->command->name, cli->command->args,
			    command_help(cli->command));
	if (!error)
		error = check_options(cli);
	return !error && cli->command->requests ? cli->command->requests(cli) : error;
}

/* A view of one guest is asked for by the first word. */
static void take_view(struct command_asked *asked, const struct cli *cli)
{
	const char *first = json_array_size(asked->requests) ?
		text_of(json_array_get(asked->requests, 0), "method", "") : "";

	asked->view = !*first || strcmp(first, "capture.start") == 0 ? cli->command->view : NULL;
	if (cli->command->word == WORD_GUEST && cli->argc)
		snprintf(asked->guest, sizeof(asked->guest), "%s", cli->argv[0]);
}

int line_read(const void *hooks, const char *line, const struct command_place *place,
	      struct command_asked *asked, struct cause *cause)
{
	struct cause unread;
	struct words words;
	struct cli cli;
	int status;

	/* What is told to nobody is not printed over the screen either. */
	cause = cause ? cause : &unread;
	*asked = (struct command_asked){ .requests = NULL };
	if (words_split(&words, line) < 0)
		return cause_set(cause, ENOMEM, "there is no memory for the line");
	if (!words.count || words.end == WORDS_QUOTE) {
		const char *what = words.count ? "a quote is not closed" : "a command is missing";

		words_free(&words);
		return cause_set(cause, EINVAL, "%s", what);
	}
	begin(&cli, hooks, place);
	cause_set(cause, 0, "this cannot be asked");
	fail_into(cause);
	status = read_words(&cli, &words);
	fail_into(NULL);
	asked->requests = take_orders(&cli);
	if (status) {
		json_decref(asked->requests);
		*asked = (struct command_asked){ .requests = NULL };
	} else {
		take_view(asked, &cli);
		asked->marked = cli.all_marked;
	}
	words_free(&words);
	return status ? -EINVAL : 0;
}

/* --- what can follow --- */

void line_complete(const void *hooks, const char *line, const struct command_place *place,
		   void (*offer)(void *arg, const char *word, const char *help), void *offer_arg)
{
	static char none[] = "";
	struct words words;
	struct cause cause;
	struct cli cli;

	if (words_split(&words, line) < 0)
		return;
	if (!words.count || words.end == WORDS_BLANK)
		words.words[words.count++] = none;
	begin(&cli, hooks, place);
	fail_into(&cause);
	complete_offer(&cli, (int)words.count, words.words, offer, offer_arg);
	fail_into(NULL);
	words_free(&words);
}

/* --- the line of a request --- */

struct spelling {
	char *line;
	size_t size;
	bool whole;
};

static void add(struct spelling *spelling, const char *word)
{
	if (words_add(spelling->line, spelling->size, word) < 0)
		spelling->whole = false;
}

static void add_option(struct spelling *spelling, const char *option, const char *value)
{
	if (!value)
		return;
	add(spelling, option);
	add(spelling, value);
}

/* The row of a method, its own or that which a row's --force makes. */
static const struct command *find_row(enum method_id id, bool *forced)
{
	for (const struct command *row = command_list(); row->name; row++) {
		*forced = row->forced && row->forced == id;
		if (*forced || row->method == (int)id)
			return row;
	}
	return NULL;
}

static void spell_port(struct spelling *spelling, enum method_id id, const json_t *params)
{
	const char *verb = id == METHOD_PORT_SET ? "set" :
			   id == METHOD_PORT_BREAK ? "break" : text_of(params, "decision", "");
	char setting[512];
	const char *key;
	json_t *value;

	add(spelling, "port");
	add(spelling, verb);
	add(spelling, text_of(params, "port", ""));
	if (id == METHOD_PORT_BREAK)
		add(spelling, text_of(params, "filter", "off"));
	json_object_foreach(json_object_get(params, "settings"), key, value) {
		snprintf(setting, sizeof(setting), "%s=%s", key, json_string_value(value));
		add(spelling, setting);
	}
	add_option(spelling, "--data", text_of(params, "data", NULL));
}

static void spell_capture(struct spelling *spelling, const json_t *params)
{
	char number[32];
	json_t *port;
	size_t i;

	add(spelling, "capture");
	json_array_foreach(json_object_get(params, "ports"), i, port)
		add_option(spelling, "-i", json_string_value(port));
	add_option(spelling, "-f", text_of(params, "filter", NULL));
	snprintf(number, sizeof(number), "%lld", (long long)number_of(params, "snap"));
	add_option(spelling, "-s", number_of(params, "snap") ? number : NULL);
	snprintf(number, sizeof(number), "%llds", (long long)number_of(params, "past") / 1000);
	add_option(spelling, "--past", number_of(params, "past") ? number : NULL);
	if (json_is_false(json_object_get(params, "names")))
		add(spelling, "-n");
	add_option(spelling, "-w", text_of(params, "path", NULL));
}

/* "insert --force web/disk1 x.iso", "stop web" */
static void spell_guest(struct spelling *spelling, const struct command *row, bool forced,
			const json_t *params)
{
	const char *device = text_of(params, "device", NULL);
	char drive[2 * NAME_SIZE];

	add(spelling, row->name);
	if (forced || json_is_true(json_object_get(params, "force")))
		add(spelling, "--force");
	snprintf(drive, sizeof(drive), "%s%s%s", text_of(params, "guest", ""), device ? "/" : "",
		 device ? device : "");
	add(spelling, drive);
	if (text_of(params, "path", NULL))
		add(spelling, text_of(params, "path", ""));
}

static bool spell_quit(struct spelling *spelling, const json_t *params)
{
	const char *mode = text_of(params, "mode", "");

	add(spelling, "shutdown");
	if (strcmp(mode, "off") == 0)
		add(spelling, "--force");
	return strcmp(mode, "idle") != 0;
}

bool line_spell(const void *hooks, const char *method, const json_t *params, char *out,
		size_t size)
{
	const struct method *found = method_find(method);
	struct spelling spelling = { out, size, true };
	enum method_id id = found ? (enum method_id)(found - method_table) : METHOD_HELLO;
	bool forced = false;
	const struct command *row = find_row(id, &forced);

	(void)hooks;
	*out = '\0';
	switch (id) {
	case METHOD_PORT_SET:
	case METHOD_PORT_BREAK:
	case METHOD_PORT_DECIDE:
		spell_port(&spelling, id, params);
		return spelling.whole;
	case METHOD_CAPTURE_START:
		spell_capture(&spelling, params);
		return spelling.whole;
	case METHOD_DECK_QUIT:
		return spell_quit(&spelling, params) && spelling.whole;
	case METHOD_DECK_RELOAD:
		add(&spelling, row->name);
		return spelling.whole;
	default:
		if (!row || !(found->order || id == METHOD_GUEST_EJECT ||
			      id == METHOD_GUEST_INSERT))
			return false;
		spell_guest(&spelling, row, forced, params);
		return spelling.whole;
	}
}
