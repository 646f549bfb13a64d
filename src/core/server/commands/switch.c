/* What the protocol shows of the switches. Deck thread. */
#include "core/server/commands/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "control/message.h"
#include "control/names.h"
#include "core/profile/port_settings.h"
#include "core/server/json.h"
#include "net/network.h"

static json_t *drops_json(const struct net_port_counters *counters)
{
	json_t *drops = json_object();

	for (unsigned i = NET_DROP_SHORT; i < NET_VERDICT_COUNT; i++)
		if (counters->drops[i])
			json_object_set_new(drops, net_verdict_name((enum net_verdict)i),
					    json_integer((json_int_t)counters->drops[i]));
	return drops;
}

#define FIELDS_MAX 32

static void add_fields(json_t *json, const struct port_field *fields, size_t count)
{
	for (size_t i = 0; i < count && i < FIELDS_MAX; i++)
		json_object_set_new(json, fields[i].name, message_text(fields[i].text));
}

/* A port that leads elsewhere has none. */
static json_t *port_mac(const struct switch_port_info *port)
{
	static const uint8_t none[NET_MAC_SIZE];

	return memcmp(port->mac, none, sizeof(none)) ? mac_json(port->mac) : json_null();
}

/* What is not as it is at a plain port. */
static json_t *settings_json(const struct net_port_settings *settings)
{
	json_t *json = json_object();
	char text[PORT_SETTING_MAX];

	for (const struct profile_key *key = net_port_keys; key->key; key++)
		if (port_settings_text(settings, key, text))
			json_object_set_new(json, key->key, message_text(text));
	return json;
}

/* What was done on purpose to frames that went one way. */
static json_t *impaired_json(const struct net_impaired *impaired)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{ "lost", impaired->lost }, { "over_limit", impaired->over_limit },
		{ "delayed", impaired->delayed }, { "duplicated", impaired->duplicated },
		{ "corrupted", impaired->corrupted }, { "reordered", impaired->reordered },
	};
	json_t *json = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].count)
			json_object_set_new(json, rows[i].name,
					    json_integer((json_int_t)rows[i].count));
	return json;
}

static json_t *port_json(struct net_switch *sw, const struct switch_port_info *port)
{
	const struct net_port_counters *counters = &port->counters;
	struct port_field fields[FIELDS_MAX];
	json_t *json = json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
			 "name", message_text(port->name), "kind", message_text(port->kind),
			 "mac", port_mac(port),
			 "in_frames", (json_int_t)counters->tx_frames,
			 "in_bytes", (json_int_t)counters->tx_bytes,
			 "out_frames", (json_int_t)counters->rx_frames,
			 "out_bytes", (json_int_t)counters->rx_bytes,
			 "drops", drops_json(counters),
			 "settings", settings_json(&port->settings),
			 "in_impaired", impaired_json(&port->impaired[NET_WAY_IN]),
			 "out_impaired", impaired_json(&port->impaired[NET_WAY_OUT]));

	add_fields(json, fields, switch_describe_port(sw, port->name, fields, FIELDS_MAX));
	return json;
}

/* The ways out first, then the guests. */
static int by_port(const void *a, const void *b)
{
	const struct switch_port_info *one = a, *other = b;
	bool of_guest[] = { strcmp(one->kind, "guest") == 0, strcmp(other->kind, "guest") == 0 };

	return of_guest[0] != of_guest[1] ? of_guest[0] - of_guest[1] :
					    name_order(one->name, other->name);
}

struct port_list {
	struct switch_port_info *rows;
	size_t count;
};

static struct port_list list_ports(struct net_switch *sw)
{
	size_t room = switch_list_ports(sw, NULL, 0);
	struct port_list ports = { .rows = calloc(room + 1, sizeof(*ports.rows)) };

	if (!ports.rows)
		return ports;
	ports.count = switch_list_ports(sw, ports.rows, room);
	if (ports.count > room)
		ports.count = room;
	qsort(ports.rows, ports.count, sizeof(*ports.rows), by_port);
	return ports;
}

static json_t *ports_json(struct net_switch *sw, const struct port_list *ports)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ports->count; i++)
		json_array_append_new(list, port_json(sw, &ports->rows[i]));
	return list;
}

/* The port that a lease was given to, or null: it is no more. */
static json_t *lease_port(const struct port_list *ports, const struct dhcp_lease_info *lease)
{
	for (size_t i = 0; i < ports->count && lease->port != DHCP_NO_PORT; i++)
		if (ports->rows[i].slot == lease->port)
			return message_text(ports->rows[i].name);
	return json_null();
}

static json_t *macs_json(struct net_switch *sw)
{
	size_t room = switch_list_macs(sw, NULL, 0), count = 0;
	struct switch_mac_info *macs = calloc(room + 1, sizeof(*macs));
	json_t *list = json_array();

	if (macs)
		count = switch_list_macs(sw, macs, room);
	for (size_t i = 0; i < count && i < room; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}",
			"mac", mac_json(macs[i].mac), "port", message_text(macs[i].port),
			"age", (json_int_t)macs[i].age_s, "vlan", (json_int_t)macs[i].vlan));
	free(macs);
	return list;
}

static json_t *leases_json(struct net_switch *sw, const struct port_list *ports)
{
	size_t room = switch_list_leases(sw, NULL, 0), count = 0;
	struct dhcp_lease_info *leases = calloc(room + 1, sizeof(*leases));
	json_t *list = json_array();

	if (leases)
		count = switch_list_leases(sw, leases, room);
	for (size_t i = 0; i < count && i < room; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:I, s:o}",
			"mac", mac_json(leases[i].mac),
			"address", address_json(leases[i].address),
			"port", lease_port(ports, &leases[i]),
			"remaining", (json_int_t)leases[i].remaining_s,
			"hostname", message_text(leases[i].hostname)));
	free(leases);
	return list;
}

static json_t *vlans_json(struct net_switch *sw)
{
	size_t room = switch_list_vlans(sw, NULL, 0), count = 0;
	struct switch_vlan_info *vlans = calloc(room + 1, sizeof(*vlans));
	json_t *list = json_array();

	if (vlans)
		count = switch_list_vlans(sw, vlans, room);
	for (size_t i = 0; i < count && i < room; i++)
		json_array_append_new(list, json_pack("{s:i, s:I, s:I}", "vlan", (int)vlans[i].vlan,
			"frames", (json_int_t)vlans[i].frames,
			"bytes", (json_int_t)vlans[i].bytes));
	free(vlans);
	return list;
}

static json_t *switch_json(struct net_switch *sw)
{
	const struct switch_config *config = switch_get_config(sw);
	struct port_field fields[FIELDS_MAX];
	size_t count = switch_describe(sw, fields, FIELDS_MAX);
	struct port_list ports = list_ports(sw);
	json_t *json = json_pack("{s:o, s:o, s:n, s:o, s:o, s:o, s:o}",
				 "name", message_text(config->name),
				 "uplink",
				 message_text(config->uplink ? config->uplink->name : "none"),
				 "address", "ports", ports_json(sw, &ports),
				 "leases", leases_json(sw, &ports), "macs", macs_json(sw),
				 "vlans", vlans_json(sw));

	add_fields(json, fields, count);
	free(ports.rows);
	return json;
}

static int by_switch(const void *a, const void *b)
{
	struct net_switch *const *one = a, *const *other = b;

	return name_order(switch_get_config(*one)->name, switch_get_config(*other)->name);
}

static int list_switches(struct request *request, struct cause *cause)
{
	struct network *network = deck_network(request->deck);
	size_t room = network_list_switches(network, NULL, 0), count;
	struct net_switch **switches = calloc(room + 1, sizeof(struct net_switch *));
	json_t *list = json_array();

	if (!switches || !list) {
		free(switches);
		json_decref(list);
		return cause_errno(cause, ENOMEM, "switch.list");
	}
	count = network_list_switches(network, switches, room);
	if (count > room)
		count = room;
	qsort(switches, count, sizeof(*switches), by_switch);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, switch_json(switches[i]));
	free(switches);
	request->result = json_pack("{s:o}", "switches", list);
	return 0;
}

static int set_port(struct request *request, struct cause *cause)
{
	struct network *network = deck_network(request->deck);
	const char *name = param_string(request, "port"), *key;
	struct net_port_settings settings;
	json_t *text;
	int error = network_get_port(network, name, &settings, cause);

	json_object_foreach(json_object_get(request->params, "settings"), key, text)
		if (!error)
			error = port_settings_take(&settings, key, json_string_value(text), cause);
	return error ? error : network_set_port(network, name, &settings, cause);
}

const struct handler switch_commands[] = {
	{ METHOD_SWITCH_LIST, .run = list_switches },
	{ METHOD_PORT_SET, .run = set_port },
	HANDLERS_END
};
