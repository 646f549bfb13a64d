/* list, show. */
#include "cli/commands.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/plain.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/message_text.h"
#include "control/states.h"

#define VIEW_OLD_MS 2000
#define VIEW_WAIT_MS 200 /* in which most guests have answered */

static int64_t seconds_since(int64_t ns)
{
	return ((int64_t)clock_wall() - ns) / (int64_t)NS_PER_S;
}

#define NOTE_SIZE 1024

static void __attribute__((format(printf, 2, 3))) add_note(char text[NOTE_SIZE],
							   const char *format, ...)
{
	size_t n = strlen(text);
	va_list ap;

	if (n)
		n += (size_t)snprintf(text + n, NOTE_SIZE - n, ", ");
	if (n >= NOTE_SIZE)
		return;
	va_start(ap, format);
	vsnprintf(text + n, NOTE_SIZE - n, format, ap);
	va_end(ap);
}

/* "web.ini:3: memory: ... (and 1 more)"; of one that is alive it is what keeps the new one away. */
static void add_mistake(char text[NOTE_SIZE], const json_t *guest)
{
	const json_t *mistakes = json_object_get(guest, "mistakes");
	const json_t *first = json_array_get(mistakes, 0);
	const char *path = text_of(guest, "profile", "profile"), *slash = strrchr(path, '/');
	bool alive = guest_state_in(guest_state_find(text_of(guest, "state", "")), GUEST_ALIVE);
	size_t count = json_array_size(mistakes);
	char line[16] = "", more[40] = "";

	if (number_of(first, "line"))
		snprintf(line, sizeof(line), ":%u", (unsigned)number_of(first, "line"));
	if (count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", count - 1);
	add_note(text, "%s%s%s: %s%s", alive ? "its new profile has mistakes: " : "",
		 slash ? slash + 1 : path, line, text_of(first, "text", ""), more);
}

/* What is not in its state. */
static void put_note(char text[NOTE_SIZE], const json_t *guest)
{
	int64_t pressed = number_of(guest, "pressed"), restarts = number_of(guest, "restarts");
	const char *pending = text_of(guest, "pending", "");
	const char *orphaned = text_of(guest, "orphaned", "");
	char age[TEXT_NUMBER];

	text[0] = '\0';
	if (pressed) {
		text_age(age, (double)seconds_since(pressed));
		add_note(text, "power button pressed %s ago", age);
	}
	if (json_is_true(json_object_get(guest, "starts_again")))
		add_note(text, "starts again");
	if (restarts)
		add_note(text, "restarted %lld time%s", (long long)restarts,
			 restarts == 1 ? "" : "s");
	if (*pending)
		add_note(text, "new at its next reset: %s", pending);
	if (*orphaned)
		add_note(text, "its profile %s", orphaned);
}

/* The first that it has by DHCP. */
static const char *address_of(const json_t *guest)
{
	const json_t *net;
	size_t i;

	json_array_foreach(json_object_get(guest, "nets"), i, net)
		if (text_of(net, "address", NULL))
			return text_of(net, "address", "");
	return "-";
}

static void list_row(struct columns *columns, const json_t *guest)
{
	const char *state = text_of(guest, "state", "?");
	char cpus[24], memory[16], age[TEXT_NUMBER], note[NOTE_SIZE];

	snprintf(cpus, sizeof(cpus), "%lld", (long long)number_of(guest, "cpus"));
	text_size(memory, (double)number_of(guest, "memory"));
	text_age(age, (double)seconds_since(number_of(guest, "since")));
	if (guest_state_find(state) == GUEST_INVALID) {
		cpus[0] = '-';
		memory[0] = '-';
		cpus[1] = memory[1] = '\0';
	}
	put_note(note, guest);
	if (json_array_size(json_object_get(guest, "mistakes")))
		add_mistake(note, guest);
	columns_add(columns, (const char *const[]){ text_of(guest, "name", "?"), state,
		    number_of(guest, "since") ? age : "-", cpus, memory, address_of(guest),
		    text_of(guest, "reason", note) }, state_colour(state));
}

static bool has_tag(const json_t *guest, const char *wanted)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(json_object_get(guest, "tags"), i, tag)
		if (strcasecmp(json_string_value(tag), wanted) == 0)
			return true;
	return false;
}

/* Leaves those that have the tag. */
static void select_tagged(json_t *guests, const char *tag)
{
	for (size_t i = json_array_size(guests); i-- > 0;)
		if (!has_tag(json_array_get(guests, i), tag))
			json_array_remove(guests, i);
}

int list_main(struct cli *cli)
{
	struct columns columns = { .count = 7, .right = 1u << 3 | 1u << 4 };
	json_t *result = session_ask(cli, "guest.list", NULL), *guests, *guest;
	size_t i;

	if (!result)
		return CLI_FAILED;
	guests = json_object_get(result, "guests");
	if (cli->values[0].set)
		select_tagged(guests, cli->values[0].text);
	if (cli->json) {
		output_json(result);
		json_decref(result);
		return CLI_OK;
	}
	columns_add(&columns, (const char *const[]){ "NAME", "STATE", "SINCE", "CPUS", "MEMORY",
						     "ADDRESS", "" }, NULL);
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
	plain_print(stdout, "%-10s %s\n", name, text);
}

/* ", running": what a device says of itself, behind what the profile says of it. */
static void end_device(const json_t *result, const json_t *device)
{
	const char *name = text_of(device, "name", "");
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "devices"), i, row)
		if (strcmp(text_of(row, "name", "?"), name) == 0)
			plain_print(stdout, ", %s", text_of(row, "status", "?"));
	putchar('\n');
}

/* Whether a list of the profile's has it. */
static bool is_listed(const json_t *list, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)list, i, row)
		if (strcmp(text_of(row, "name", ""), name) == 0)
			return true;
	return false;
}

/* Where the host leads to a card. */
static void show_forwards(const json_t *net)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(net, "forwards"), i, row)
		plain_print(stdout, ", port %lld from %s", (long long)number_of(row, "port"),
			    text_of(row, "host", "?"));
}

static void show_hardware(const json_t *result)
{
	const json_t *disks = json_object_get(result, "disks");
	const json_t *nets = json_object_get(result, "nets");
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)disks, i, row) {
		bool memory = json_is_true(json_object_get(row, "in_memory"));

		plain_print(stdout, "%-10s %s", text_of(row, "name", "?"),
			    text_of(row, "path", memory ? "in memory" : "no medium"));
		if (json_is_true(json_object_get(row, "readonly")))
			fputs(" (read-only)", stdout);
		end_device(result, row);
	}
	json_array_foreach((json_t *)nets, i, row) {
		plain_print(stdout, "%-10s %s, %s on %s", text_of(row, "name", "?"),
			    text_of(row, "model", "?"), text_of(row, "mac", "?"),
			    text_of(row, "switch", "?"));
		if (text_of(row, "address", NULL))
			plain_print(stdout, ", %s", text_of(row, "address", ""));
		show_forwards(row);
		end_device(result, row);
	}
	json_array_foreach(json_object_get(result, "devices"), i, row) {
		const char *name = text_of(row, "name", "?");

		if (!is_listed(disks, name) && !is_listed(nets, name))
			show_line(name, text_of(row, "status", "?"));
	}
}

/* What the guest itself says of its memory. */
static void show_memory_view(const json_t *result)
{
	const json_t *view = json_object_get(result, "memory_view");
	char total[TEXT_NUMBER], used[TEXT_NUMBER], back[TEXT_NUMBER], target[TEXT_NUMBER];
	int64_t all = number_of(view, "total"), available = number_of(view, "available");

	if (!json_is_object(view))
		return;
	if (all)
		plain_print(stdout, "%-10s uses %s of %s\n", "its view",
			    text_size(used, (double)(all - available)),
			    text_size(total, (double)all));
	if (number_of(view, "target") != number_of(result, "memory"))
		plain_print(stdout, "%-10s has given %s back, to be left with %s\n", "",
			    text_size(back, (double)number_of(view, "balloon")),
			    text_size(target, (double)number_of(view, "target")));
}

static void show_mistakes(const json_t *result)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "mistakes"), i, row)
		output_mistake(text_of(result, "profile", "profile"),
			       (unsigned)number_of(row, "line"), false, text_of(row, "text", ""));
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

static void show_tags(const json_t *tags)
{
	const json_t *tag;
	char text[512] = "";
	size_t i, n = 0;

	json_array_foreach(tags, i, tag)
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
					      json_string_value(tag));
	if (*text)
		show_line("tags", text);
}

static void show_guest(const json_t *result)
{
	const char *state = text_of(result, "state", "?");
	char memory[16], since[40], text[64], note[NOTE_SIZE];
	json_t *tail = json_object_get(result, "console_tail"), *row;
	size_t i;

	show_line("name", text_of(result, "name", "?"));
	plain_print(stdout, "%-10s ", "state");
	output_coloured(state_colour(state), state);
	plain_print(stdout, ", since %s\n", output_time(since, number_of(result, "since")));
	show_line("reason", text_of(result, "reason", NULL));
	put_note(note, result);
	show_line("note", note);
	snprintf(text, sizeof(text), "%lld", (long long)number_of(result, "cpus"));
	if (strcmp(state, guest_state_name(GUEST_INVALID)) != 0) {
		show_line("cpus", text);
		show_line("memory", text_size(memory, (double)number_of(result, "memory")));
		if (text_of(result, "firmware", NULL))
			show_line("firmware", text_of(result, "firmware", NULL));
		if (text_of(result, "kernel", NULL) || !text_of(result, "firmware", NULL))
			show_line("kernel", text_of(result, "kernel", "built in"));
		show_line("initrd", text_of(result, "initrd", NULL));
		show_line("cmdline", text_of(result, "cmdline", NULL));
	}
	show_line("profile", text_of(result, "profile", "built in"));
	show_tags(json_object_get(result, "tags"));
	show_line("autostart", json_is_true(json_object_get(result, "autostart")) ? "yes" : "no");
	show_memory_view(result);
	if (text_of(result, "ssh", NULL))
		plain_print(stdout, "%-10s %s%s\n", "login", text_of(result, "ssh", ""),
			    strcmp(text_of(result, "ssh_from", ""), "host") == 0 ? "" :
			    ", from guests of its switch; this host does not reach it");
	show_hardware(result);
	show_mistakes(result);
	show_exits(result);
	if (text_of(result, "registers", NULL)) {
		puts("\nRegisters:");
		plain_lines(stdout, text_of(result, "registers", ""));
	}
	if (json_array_size(tail))
		puts("\nConsole:");
	json_array_foreach(tail, i, row)
		plain_print(stdout, "%s\n", json_string_value(row) ? json_string_value(row) : "");
}

/* A guest is asked about its memory when somebody looks, so an old answer is looked at twice. */
static bool is_old_view(const json_t *result)
{
	const json_t *view = json_object_get(result, "memory_view");

	return json_object_get(view, "age_ms") && number_of(view, "age_ms") > VIEW_OLD_MS &&
	       guest_state_find(text_of(result, "state", "")) == GUEST_RUNNING;
}

static json_t *ask(struct cli *cli)
{
	return session_ask(cli, "guest.show",
			   json_pack("{s:o}", "guest", message_text(cli->argv[0])));
}

int show_main(struct cli *cli)
{
	json_t *result = ask(cli);

	if (result && is_old_view(result)) {
		poll(NULL, 0, VIEW_WAIT_MS);
		json_decref(result);
		result = ask(cli);
	}
	if (!result)
		return CLI_FAILED;
	if (cli->json)
		output_json(result);
	else
		show_guest(result);
	json_decref(result);
	return CLI_OK;
}
