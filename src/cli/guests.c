/* list, show, start, stop, pause, resume, reset. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static int64_t seconds_since(int64_t ns)
{
	return ((int64_t)clock_wall() - ns) / (int64_t)NS_PER_S;
}

static void list_row(struct columns *columns, const json_t *guest)
{
	const char *state = text_of(guest, "state", "?");
	char cpus[24], memory[16], age[24];

	snprintf(cpus, sizeof(cpus), "%lld", (long long)number_of(guest, "cpus"));
	output_bytes(memory, (double)number_of(guest, "memory"));
	output_duration(age, seconds_since(number_of(guest, "since")));
	if (guest_state_find(state) == GUEST_INVALID) {
		cpus[0] = '-';
		memory[0] = '-';
		cpus[1] = memory[1] = '\0';
	}
	columns_add(columns, (const char *const[]){ text_of(guest, "name", "?"), state,
		    number_of(guest, "since") ? age : "-", cpus, memory,
		    text_of(guest, "reason", "") }, state_colour(state));
}

int list_main(struct cli *cli)
{
	struct columns columns = { .count = 6, .right = 1u << 3 | 1u << 4 };
	json_t *result = session_ask(cli, "guest.list", NULL), *guests, *guest;
	size_t i;

	if (!result)
		return CLI_FAILED;
	if (cli->json) {
		output_json(result);
		json_decref(result);
		return CLI_OK;
	}
	guests = json_object_get(result, "guests");
	columns_add(&columns, (const char *const[]){ "NAME", "STATE", "SINCE", "CPUS", "MEMORY",
						     "" }, NULL);
	json_array_foreach(guests, i, guest)
		list_row(&columns, guest);
	columns_print(&columns, 1);
	json_decref(result);
	return CLI_OK;
}

static void show_line(const char *name, const char *text)
{
	if (!text || !*text)
		return;
	printf("%-10s ", name);
	output_text(text);
	putchar('\n');
}

/* ", running": what a device says of itself, behind what the profile says of it. */
static void end_device(const json_t *result, const json_t *device)
{
	const char *name = text_of(device, "name", "");
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "devices"), i, row)
		if (strcmp(text_of(row, "name", "?"), name) == 0) {
			fputs(", ", stdout);
			output_text(text_of(row, "status", "?"));
		}
	putchar('\n');
}

static void show_hardware(const json_t *result)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "disks"), i, row) {
		printf("%-10s ", text_of(row, "name", "?"));
		output_text(text_of(row, "path", "?"));
		if (json_is_true(json_object_get(row, "readonly")))
			fputs(" (read-only)", stdout);
		end_device(result, row);
	}
	json_array_foreach(json_object_get(result, "nets"), i, row) {
		printf("%-10s %s on %s", text_of(row, "name", "?"), text_of(row, "mac", "?"),
		       text_of(row, "switch", "?"));
		end_device(result, row);
	}
}

static void show_mistakes(const json_t *result)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "mistakes"), i, row) {
		output_text(text_of(result, "profile", "profile"));
		if (number_of(row, "line"))
			printf(":%lld", (long long)number_of(row, "line"));
		printf(": ");
		output_text(text_of(row, "text", ""));
		putchar('\n');
	}
}

static void show_exits(const json_t *result)
{
	struct columns columns = { .count = 2, .right = 1u << 1 };
	char count[24];
	json_t *row;
	size_t i;

	if (!json_array_size(json_object_get(result, "exits")))
		return;
	puts("\nVM exits:");
	json_array_foreach(json_object_get(result, "exits"), i, row) {
		snprintf(count, sizeof(count), "%lld", (long long)number_of(row, "count"));
		columns_add(&columns, (const char *const[]){ text_of(row, "reason", "?"), count },
			    NULL);
	}
	columns_print(&columns, COLUMNS_MAX);
}

static void show_lines(const char *title, const char *text)
{
	size_t n;

	printf("\n%s:\n", title);
	for (; *text; text += n + (text[n] == '\n')) {
		char line[256];

		n = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		output_text(line);
		putchar('\n');
	}
}

static void show_guest(const json_t *result)
{
	const char *state = text_of(result, "state", "?"), *colour = state_colour(state);
	char memory[16], since[40], text[64];
	json_t *tail = json_object_get(result, "console_tail"), *row;
	size_t i;

	show_line("name", text_of(result, "name", "?"));
	printf("%-10s %s%s%s, since %s\n", "state", colour, state, *colour ? "\033[0m" : "",
	       output_time(since, number_of(result, "since")));
	show_line("reason", text_of(result, "reason", NULL));
	snprintf(text, sizeof(text), "%lld", (long long)number_of(result, "cpus"));
	show_line("cpus", text);
	show_line("memory", output_bytes(memory, (double)number_of(result, "memory")));
	show_line("profile", text_of(result, "profile", "built in"));
	show_line("autostart", json_is_true(json_object_get(result, "autostart")) ? "yes" : "no");
	show_hardware(result);
	show_mistakes(result);
	show_exits(result);
	if (text_of(result, "registers", NULL))
		show_lines("Registers", text_of(result, "registers", ""));
	if (json_array_size(tail))
		puts("\nConsole:");
	json_array_foreach(tail, i, row) {
		output_text(json_string_value(row) ? json_string_value(row) : "");
		putchar('\n');
	}
}

int show_main(struct cli *cli)
{
	json_t *result = session_ask(cli, "guest.show", json_pack("{s:s}", "guest", cli->argv[0]));

	if (!result)
		return CLI_FAILED;
	if (cli->json)
		output_json(result);
	else
		show_guest(result);
	json_decref(result);
	return CLI_OK;
}

/* Gives one order to each guest named; goes on after a failure. */
static int order_all(struct cli *cli, struct link *link, const char *method)
{
	int status = CLI_OK;
	json_t *result;

	for (int i = 0; i < cli->argc; i++) {
		result = session_call(link, method, json_pack("{s:s}", "guest", cli->argv[i]));
		if (!result)
			status = CLI_FAILED;
		json_decref(result);
	}
	return status;
}

int order_main(struct cli *cli)
{
	struct link *link = session_open(cli);
	int status;

	if (!link)
		return CLI_FAILED;
	status = order_all(cli, link, method_table[cli->command->method].name);
	link_free(link);
	return status;
}

/* What a guest on whose change of state we wait has come to. */
enum outcome { NOT_YET, REACHED, MISSED };

static enum outcome outcome_of(bool starting, enum guest_state state)
{
	if (state == GUEST_RUNNING)
		return starting ? REACHED : NOT_YET;
	if (state == GUEST_STOPPED)
		return starting ? MISSED : REACHED;
	return guest_state_in(state, GUEST_BAD) ? MISSED : NOT_YET;
}

/* Takes note of one event; returns how many guests are done by it. */
static int take_event(struct cli *cli, const json_t *message, bool starting, bool *done,
		      int *status)
{
	const json_t *params = json_object_get(message, "params");
	const char *guest = text_of(params, "guest", ""), *state = text_of(params, "state", "");
	enum outcome outcome = outcome_of(starting, guest_state_find(state));
	int count = 0;

	if (outcome == NOT_YET)
		return 0;
	for (int i = 0; i < cli->argc; i++) {
		if (done[i] || strcmp(cli->argv[i], guest) != 0)
			continue;
		done[i] = true;
		count++;
		if (outcome == MISSED) {
			const char *text = text_of(params, "text", "");

			*status = fail("%s: %s%s%s", guest, state, *text ? ": " : "", text);
		}
	}
	return count;
}

static int wait_for_all(struct cli *cli, struct link *link, bool starting,
			const struct option_value *timeout)
{
	uint64_t due = clock_monotonic() + timeout->number * NS_PER_S, now;
	bool done[LIST_MAX] = { false };
	int left = cli->argc, status = CLI_OK, ms = -1, error;
	struct cause cause;
	json_t *message;

	while (left > 0) {
		now = clock_monotonic();
		if (timeout->set)
			ms = due > now ? (int)((due - now) / NS_PER_MS) : 0;
		error = link_next(link, &message, ms, &cause);
		if (error == -ETIMEDOUT)
			return fail("%d of %d guests %s after %llu seconds", left, cli->argc,
				    starting ? "do not run" : "have not stopped",
				    (unsigned long long)timeout->number);
		if (error < 0)
			return fail("%s", cause.text);
		left -= take_event(cli, message, starting, done, &status);
		json_decref(message);
	}
	return status;
}

static int order_and_wait(struct cli *cli, const char *method, bool starting)
{
	struct link *link;
	json_t *result;
	int status;

	if (cli->argc > LIST_MAX)
		return usage_error(cli->command, "--wait takes at most %d guests", LIST_MAX);
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = session_call(link, "events.subscribe", NULL);
	status = result ? order_all(cli, link, method) : CLI_FAILED;
	json_decref(result);
	if (status == CLI_OK)
		status = wait_for_all(cli, link, starting, &cli->values[1]);
	link_free(link);
	return status;
}

/* --timeout without --wait would do nothing. */
static int order_with_options(struct cli *cli, const char *method, bool starting)
{
	struct link *link;
	int status;

	if (cli->values[0].set)
		return order_and_wait(cli, method, starting);
	if (cli->values[1].set)
		return usage_error(cli->command, "--timeout goes with --wait");
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	status = order_all(cli, link, method);
	link_free(link);
	return status;
}

int start_main(struct cli *cli)
{
	return order_with_options(cli, "guest.start", true);
}

int stop_main(struct cli *cli)
{
	return order_with_options(cli, cli->values[2].set ? "guest.off" : "guest.stop", false);
}
