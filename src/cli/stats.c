/* stats: what guests use, once or as it changes. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


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

static const char *rate(char text[16], const json_t *values, const char *field)
{
	return output_bytes(text, json_number_value(json_object_get(values, field)));
}

static const char *count(char text[24], const json_t *values, const char *field)
{
	snprintf(text, 24, "%.0f", json_number_value(json_object_get(values, field)));
	return text;
}

static void print_table(const json_t *known)
{
	struct columns columns = { .count = 8, .right = 0xfe };
	const char *name;
	json_t *values;

	columns_add(&columns, (const char *const[]){ "GUEST", "CPU%", "MEMORY", "READ/s",
						     "WRITE/s", "IN/s", "OUT/s", "EXITS/s" },
		    NULL);
	json_object_foreach((json_t *)known, name, values) {
		char cpu[24], memory[16], read[16], write[16], in[16], out[16], exits[24];

		snprintf(cpu, sizeof(cpu), "%.1f",
			 json_number_value(json_object_get(values, "cpu")));
		columns_add(&columns, (const char *const[]){ name, cpu,
			    rate(memory, values, "memory"), rate(read, values, "disk_read"),
			    rate(write, values, "disk_write"), rate(in, values, "net_in"),
			    rate(out, values, "net_out"), count(exits, values, "exits") }, NULL);
	}
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
		json_array_append_new(list, json_pack("{s:s, s:O}", "name", name, "values",
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
	bool redraw = isatty(STDOUT_FILENO) && output_colour();
	json_t *known = json_object(), *params;
	struct cause cause;
	int error;

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
	if (error == -ECONNRESET || error == 0)
		return error ? CLI_OK : CLI_FAILED;
	return fail("%s", cause.text);
}

static json_t *subscribe(struct cli *cli, struct link *link, int interval_ms)
{
	json_t *names = cli->argc ? json_array() : json_string("*");
	json_t *result, *missing;

	for (int i = 0; i < cli->argc; i++)
		json_array_append_new(names, json_string(cli->argv[i]));
	result = session_call(link, "stats.subscribe",
			      json_pack("{s:o, s:i}", "guests", names, "interval_ms",
					interval_ms));
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
	int interval = watching ? 1000 : FIRST_INTERVAL_MS, status = CLI_FAILED;
	struct link *link;
	json_t *result;

	if (cli->values[1].set)
		interval = (int)cli->values[1].number;
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = subscribe(cli, link, interval);
	if (result)
		status = watching ? watch(cli, link) : show_once(cli, link);
	json_decref(result);
	link_free(link);
	return status;
}
