/* stats: what guests use, once or as it changes. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/units.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/fields.h"
#include "control/message_text.h"

#define FIRST_INTERVAL_MS 250 /* the deck samples twice a second */
#define FIRST_PATIENCE_MS 1500

/* Adds the changed values to what is known: {name: {field: value}}. */
static void merge(json_t *known, const json_t *guests)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)guests, i, row) {
		const char *name = text_of(row, "name", "");
		json_t *values = json_object_get(known, name);

		if (!values) {
			values = json_object();
			json_object_set_new(known, name, values);
		}
		json_object_update(values, json_object_get(row, "values"));
	}
}

static double value_of(const json_t *values, enum stats_field field)
{
	char name[STATS_NAME_SIZE];

	stats_field_name(field, name);
	return json_number_value(json_object_get(values, name));
}

static void add_row(struct columns *columns, const char *guest, const json_t *values)
{
	static const enum stats_field rates[] = { STATS_DISK_READ, STATS_DISK_WRITE, STATS_NET_IN,
						  STATS_NET_OUT };
	char cpu[24], memory[TEXT_NUMBER], rate[ARRAY_SIZE(rates)][TEXT_NUMBER], exits[24];
	const char *words[] = { guest, cpu, memory, rate[0], rate[1], rate[2], rate[3], exits };

	snprintf(cpu, sizeof(cpu), "%.1f", value_of(values, STATS_CPU));
	text_size(memory, value_of(values, STATS_MEMORY));
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		text_rate(rate[i], value_of(values, rates[i]));
	snprintf(exits, sizeof(exits), "%.0f", value_of(values, STATS_EXITS));
	columns_add(columns, words, NULL);
}

/* first: what stands in the first column, as of its head. */
static void begin_table(struct columns *columns, const char *first)
{
	*columns = (struct columns){ .count = 8, .right = 0xfe };
	columns_add(columns, (const char *const[]){ first, "CPU%", "MEMORY", "READ", "WRITE",
						    "NET IN", "NET OUT", "EXITS/s" }, NULL);
}

static void print_table(const json_t *known)
{
	struct columns columns;
	const char *name;
	json_t *values;

	begin_table(&columns, "GUEST");
	json_object_foreach((json_t *)known, name, values)
		add_row(&columns, name, values);
	columns_print(&columns, COLUMNS_MAX);
	fflush(stdout);
}

/* The next notification's params, or NULL: -ETIMEDOUT or worse in *error. */
static json_t *next(struct link *link, int timeout_ms, int *error, struct cause *cause)
{
	json_t *message, *params;

	do {
		*error = link_next(link, &message, timeout_ms, cause);
	} while (*error == -EINTR);
	if (*error < 0)
		return NULL;
	params = json_incref(json_object_get(message, "params"));
	json_decref(message);
	return params;
}

static int show_once(struct cli *cli, struct link *link)
{
	json_t *known = json_object(), *params, *object, *list = json_array(), *values;
	struct cause cause;
	const char *name;
	int error;

	params = next(link, FIRST_PATIENCE_MS, &error, &cause);
	if (!params && error != -ETIMEDOUT) {
		json_decref(known);
		json_decref(list);
		return fail("%s", cause.text);
	}
	merge(known, json_object_get(params, "guests"));
	json_decref(params);
	json_object_foreach(known, name, values)
		json_array_append_new(list, json_pack("{s:o, s:O}", "name", message_text(name), "values",
						      values));
	object = json_pack("{s:o}", "guests", list);
	if (cli->json)
		output_json(object);
	else
		print_table(known);
	json_decref(object);
	json_decref(known);
	return CLI_OK;
}

static int watch(struct cli *cli, struct link *link)
{
	bool redraw = output_terminal();
	json_t *known = json_object(), *params;
	struct cause cause;
	int error;

	link_set_reader(link, STDOUT_FILENO);
	while ((params = next(link, -1, &error, &cause))) {
		merge(known, json_object_get(params, "guests"));
		if (cli->json) {
			output_json_line(params);
		} else {
			if (redraw)
				fputs("\033[H\033[J", stdout);
			print_table(known);
		}
		json_decref(params);
		if (ferror(stdout))
			break;
	}
	json_decref(known);
	if (error == -ECONNRESET || error == -EPIPE || error == 0)
		return CLI_OK; /* what was wrong with the output is said at the end */
	return fail("%s", cause.text);
}

static json_t *subscription(const struct cli *cli)
{
	json_t *names = cli->argc ? json_array() : message_text("*");
	int interval = cli->values[0].set ? 1000 : FIRST_INTERVAL_MS;

	for (int i = 0; i < cli->argc; i++)
		json_array_append_new(names, message_text(cli->argv[i]));
	if (cli->values[1].set)
		interval = (int)cli->values[1].number;
	return json_pack("{s:o, s:i}", "guests", names, "interval_ms", interval);
}

static bool is_past(const struct cli *cli)
{
	return cli->values[2].set;
}

static json_t *past(const struct cli *cli)
{
	return json_pack("{s:o, s:o}", "guest", message_text(cli->argv[0]), "span",
			 message_text(cli->values[2].text));
}

/* What options do not go together is said. */
static bool is_past_of_one(const struct cli *cli)
{
	if (cli->argc == 1 && !cli->values[0].set && !cli->values[1].set)
		return true;
	usage_error(cli->command, "--past is about one guest, and goes with neither --watch nor "
		    "--interval");
	return false;
}

int stats_requests(struct cli *cli)
{
	if (!is_past(cli)) {
		request_add(cli, METHOD_STATS_SUBSCRIBE, subscription(cli));
		return CLI_OK;
	}
	if (!is_past_of_one(cli))
		return CLI_USAGE;
	request_add(cli, METHOD_STATS_HISTORY, past(cli));
	return CLI_OK;
}

/* The values of all fields in a slot; NULL: the guest did not run. */
static json_t *slot_values(const json_t *fields, size_t slot)
{
	json_t *values = json_object(), *list;
	const char *name;

	json_object_foreach((json_t *)fields, name, list) {
		json_t *value = json_array_get(list, slot);

		if (json_is_number(value))
			json_object_set(values, name, value);
	}
	if (json_object_size(values))
		return values;
	json_decref(values);
	return NULL;
}

static void print_past(const json_t *result)
{
	const json_t *fields = json_object_get(result, "fields");
	size_t slots = json_array_size(json_object_get(fields, "cpu"));
	int64_t ends = json_integer_value(json_object_get(result, "ends"));
	int64_t step = json_integer_value(json_object_get(result, "interval_ms")) * 1000000;
	struct columns columns;

	begin_table(&columns, "FROM");
	for (size_t i = 0; i < slots; i++) {
		json_t *values = slot_values(fields, i);
		char text[40];

		if (!values)
			continue;
		output_time(text, ends - (int64_t)(slots - i) * step);
		add_row(&columns, text, values);
		json_decref(values);
	}
	columns_print(&columns, COLUMNS_MAX);
}

static int show_past(struct cli *cli)
{
	json_t *result;

	if (!is_past_of_one(cli))
		return CLI_USAGE;
	result = session_ask(cli, "stats.history", past(cli));
	if (!result)
		return CLI_FAILED;
	if (cli->json)
		output_json(result);
	else
		print_past(result);
	json_decref(result);
	return CLI_OK;
}


static json_t *subscribe(struct cli *cli, struct link *link)
{
	json_t *result = session_call(link, "stats.subscribe", subscription(cli)), *missing;

	missing = json_object_get(result, "missing");
	if (json_array_size(missing)) {
		fail("guest '%s': there is none",
		     json_string_value(json_array_get(missing, 0)));
		json_decref(result);
		return NULL;
	}
	return result;
}

int stats_main(struct cli *cli)
{
	bool watching = cli->values[0].set;
	int status = CLI_FAILED;
	struct link *link;
	json_t *result;

	if (is_past(cli))
		return show_past(cli);
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = subscribe(cli, link);
	if (result)
		status = watching ? watch(cli, link) : show_once(cli, link);
	json_decref(result);
	link_free(link);
	return status;
}
