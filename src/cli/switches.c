/* switches: what is plugged in where. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"
#include "base/suggest.h"
#include "base/units.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"

/* The members of an object: "no buffer 3, same port 1", "delay=20ms loss=1%". */
static void members_text(char *text, size_t size, const json_t *object, const char *equals,
			 const char *between)
{
	char number[24];
	const char *key;
	json_t *value;
	size_t at = 0;

	text[0] = '\0';
	json_object_foreach((json_t *)object, key, value) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		if (at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s%s%s", at ? between : "",
					       key, equals,
					       json_is_string(value) ? json_string_value(value) :
								       number);
	}
}

/* Whether any port is not plain. */
static bool some_are_set(const json_t *ports)
{
	json_t *port;
	size_t i;

	json_array_foreach((json_t *)ports, i, port)
		if (json_object_size(json_object_get(port, "settings")))
			return true;
	return false;
}

/* Whether one of them leads somewhere, and says how that is. */
static bool has_state(const json_t *ports)
{
	json_t *port;
	size_t i;

	json_array_foreach((json_t *)ports, i, port)
		if (*text_of(port, "state", ""))
			return true;
	return false;
}

static void print_ports(const json_t *ports)
{
	bool states = has_state(ports), set_up = some_are_set(ports);
	struct columns columns = { .count = 8 + states + set_up, .right = 0x78 };
	char in[24], out[24], in_bytes[TEXT_NUMBER], out_bytes[TEXT_NUMBER], drops[128], set[256];
	json_t *port;
	size_t i;

	columns_add(&columns, (const char *const[]){ "  PORT", "KIND", "MAC", "IN", "BYTES IN",
						     "OUT", "BYTES OUT", "DROPS",
						     states ? "STATE" : "SET TO", "SET TO" },
		    NULL);
	json_array_foreach((json_t *)ports, i, port) {
		char name[128];

		snprintf(name, sizeof(name), "  %s", text_of(port, "name", "?"));
		snprintf(in, sizeof(in), "%lld", (long long)number_of(port, "in_frames"));
		snprintf(out, sizeof(out), "%lld", (long long)number_of(port, "out_frames"));
		text_size(in_bytes, (double)number_of(port, "in_bytes"));
		text_size(out_bytes, (double)number_of(port, "out_bytes"));
		members_text(drops, sizeof(drops), json_object_get(port, "drops"), " ", ", ");
		members_text(set, sizeof(set), json_object_get(port, "settings"), "=", " ");
		columns_add(&columns, (const char *const[]){ name, text_of(port, "kind", "?"),
			    text_of(port, "mac", ""), in, in_bytes, out, out_bytes, drops,
			    states ? text_of(port, "state", "") : set, set }, NULL);
	}
	columns_print(&columns, COLUMNS_MAX);
}

static void print_leases(const json_t *leases)
{
	struct columns columns = { .count = 5 };
	char left[TEXT_NUMBER], name[40];
	json_t *lease;
	size_t i;

	if (!json_array_size(leases))
		return;
	columns_add(&columns, (const char *const[]){ "  LEASE", "MAC", "PORT", "EXPIRES IN",
						     "HOSTNAME" }, NULL);
	json_array_foreach((json_t *)leases, i, lease) {
		snprintf(name, sizeof(name), "  %s", text_of(lease, "address", "?"));
		columns_add(&columns, (const char *const[]){ name, text_of(lease, "mac", "?"),
			    text_of(lease, "port", ""),
			    text_age(left, (double)number_of(lease, "remaining")),
			    text_of(lease, "hostname", "") }, NULL);
	}
	columns_print(&columns, COLUMNS_MAX);
}

static void print_vlans(const json_t *vlans)
{
	struct columns columns = { .count = 3, .right = 6 };
	char number[24], frames[24], bytes[TEXT_NUMBER];
	json_t *vlan;
	size_t i;

	if (!json_array_size(vlans))
		return;
	columns_add(&columns, (const char *const[]){ "  VLAN", "FRAMES", "BYTES" }, NULL);
	json_array_foreach((json_t *)vlans, i, vlan) {
		snprintf(number, sizeof(number), "  %lld", (long long)number_of(vlan, "vlan"));
		snprintf(frames, sizeof(frames), "%lld", (long long)number_of(vlan, "frames"));
		text_size(bytes, (double)number_of(vlan, "bytes"));
		columns_add(&columns, (const char *const[]){ number, frames, bytes }, NULL);
	}
	columns_print(&columns, COLUMNS_MAX);
}

static bool wanted(const struct cli *cli, const char *name)
{
	if (cli->argc == 0)
		return true;
	for (int i = 0; i < cli->argc; i++)
		if (strcmp(cli->argv[i], name) == 0)
			return true;
	return false;
}

/* Leaves the switches asked for. A name of none is a failure. */
static json_t *select_switches(struct cli *cli, const json_t *all)
{
	json_t *list = json_array(), *row;
	size_t i;

	for (int at = 0; at < cli->argc; at++) {
		struct suggestion suggestion = { .wrong = cli->argv[at] };
		bool found = false;

		json_array_foreach((json_t *)all, i, row) {
			found |= strcmp(text_of(row, "name", ""), cli->argv[at]) == 0;
			suggest_offer(&suggestion, text_of(row, "name", ""));
		}
		if (found)
			continue;
		if (suggestion.best)
			fail("switch '%s': there is none; did you mean '%s'?", cli->argv[at],
			     suggestion.best);
		else
			fail("switch '%s': there is none", cli->argv[at]);
		json_decref(list);
		return NULL;
	}
	json_array_foreach((json_t *)all, i, row)
		if (wanted(cli, text_of(row, "name", "")))
			json_array_append(list, row);
	return list;
}

/* What the kinds of a switch's ports say of it besides: ", mtu 1400". */
static void print_fields(json_t *sw)
{
	static const char *const told[] = { "name", "address", "uplink" };
	const char *key;
	json_t *value;

	json_object_foreach(sw, key, value) {
		bool is_told = !json_is_string(value);

		for (size_t i = 0; i < ARRAY_SIZE(told); i++)
			is_told |= strcmp(key, told[i]) == 0;
		if (is_told)
			continue;
		plain_print(stdout, ", %s %s", key, json_string_value(value));
	}
	putchar('\n');
}

static void print_switches(const json_t *switches)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)switches, i, row) {
		if (i)
			putchar('\n');
		plain_print(stdout, "%s: %s, uplink %s", text_of(row, "name", "?"),
			    text_of(row, "address", "no address"), text_of(row, "uplink", "none"));
		print_fields(row);
		print_ports(json_object_get(row, "ports"));
		print_leases(json_object_get(row, "leases"));
		print_vlans(json_object_get(row, "vlans"));
	}
}

int switches_main(struct cli *cli)
{
	json_t *result = session_ask(cli, "switch.list", NULL), *list, *object;

	if (!result)
		return CLI_FAILED;
	list = select_switches(cli, json_object_get(result, "switches"));
	json_decref(result);
	if (!list)
		return CLI_FAILED;
	object = json_pack("{s:o}", "switches", list);
	if (cli->json)
		output_json(object);
	else
		print_switches(list);
	json_decref(object);
	return CLI_OK;
}
