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

static void print_table(const json_t *known)
{
	struct columns columns = { .count = 8, .right = 0xfe };
	const char *name;
	json_t *values;

	columns_add(&columns, (const char *const[]){ "GUEST", "CPU%", "MEMORY", "READ",
						     "WRITE", "NET IN", "NET OUT", "EXITS/s" },
		    NULL);
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

int stats_requests(struct cli *cli)
{
	request_add(cli, METHOD_STATS_SUBSCRIBE, subscription(cli));
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
