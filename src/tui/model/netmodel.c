/* The network as the screen knows it. Screen thread. */
#include "tui/model/netmodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tui/model/drops.h"
#include "tui/model/json.h"

#define ROWS_MAX 4096

static void switches_free(struct switch_row *switches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(switches[i].ports);
		free(switches[i].leases);
		free(switches[i].macs);
	}
	free(switches);
}

static void empty(struct packet_ring *ring)
{
	for (size_t i = 0; i < NETMODEL_PACKETS; i++) {
		free(ring->packets[i]);
		ring->packets[i] = NULL;
	}
	ring->count = 0;
}

/* Takes the packet over. True: the oldest had to go. */
static bool add(struct packet_ring *ring, struct packet *packet)
{
	struct packet **slot = &ring->packets[ring->count++ % NETMODEL_PACKETS];
	bool pushed = *slot;

	free(*slot);
	*slot = packet;
	return pushed;
}

static uint64_t oldest(const struct packet_ring *ring)
{
	return ring->count > NETMODEL_PACKETS ? ring->count - NETMODEL_PACKETS : 0;
}

/* Of lines between packets that come together the last one is shown. */
static void add_row(struct netmodel *model, uint64_t n)
{
	const struct packet *last = model->row_first < model->row_end ?
		model->shown.packets[netmodel_row(model, model->row_end - 1) % NETMODEL_PACKETS] : NULL;

	if (last && last->mark && model->shown.packets[n % NETMODEL_PACKETS]->mark)
		model->row_end--;
	model->rows[model->row_end++ % NETMODEL_PACKETS] = n;
}

/* Takes over a packet that the list shows, unless it is hidden. */
static void show(struct netmodel *model, struct packet *packet)
{
	add(&model->shown, packet);
	if (!packet->hidden)
		add_row(model, model->shown.count - 1);
	while (model->row_first < model->row_end &&
	       netmodel_row(model, model->row_first) < oldest(&model->shown))
		model->row_first++;
}

static bool is_hidden(const struct netmodel *model, const struct packet *packet)
{
	return !packet->mark && packet->captured && model->filter.count &&
	       !filter_match(&model->filter, packet->data, packet->captured, packet->size);
}

void netmodel_filter(struct netmodel *model, struct filter *filter)
{
	struct packet_ring *rings[] = { &model->shown, model->later };

	filter_free(&model->filter);
	model->filter = *filter;
	*filter = (struct filter){ 0 };
	for (size_t i = 0; i < 2 && rings[i]; i++)
		for (uint64_t n = oldest(rings[i]); n < rings[i]->count; n++) {
			struct packet *packet = rings[i]->packets[n % NETMODEL_PACKETS];

			packet->hidden = is_hidden(model, packet);
		}
	model->row_first = model->row_end = 0;
	for (uint64_t n = oldest(&model->shown); n < model->shown.count; n++)
		if (!model->shown.packets[n % NETMODEL_PACKETS]->hidden)
			add_row(model, n);
}

uint64_t netmodel_row_of(const struct netmodel *model, uint64_t n)
{
	uint64_t low = model->row_first, high = model->row_end;

	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;

		if (netmodel_row(model, middle) <= n)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void netmodel_forget_packets(struct netmodel *model)
{
	netmodel_follow(model);
	empty(&model->shown);
	model->row_first = model->row_end = 0;
	model->missed = 0;
}

void netmodel_hold(struct netmodel *model)
{
	if (!model->later)
		model->later = calloc(1, sizeof(*model->later));
}

void netmodel_follow(struct netmodel *model)
{
	struct packet_ring *later = model->later;
	uint64_t n;

	if (!later)
		return;
	for (n = oldest(later); n < later->count; n++)
		show(model, later->packets[n % NETMODEL_PACKETS]);
	free(later);
	model->later = NULL;
}

static void breaks_free(struct break_row *breaks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(breaks[i].data);
	free(breaks);
}

void netmodel_destroy(struct netmodel *model)
{
	switches_free(model->switches, model->switch_count);
	breaks_free(model->breaks, model->break_count);
	netmodel_forget_packets(model);
	filter_free(&model->filter);
	json_decref(model->captures);
	json_decref(model->lists);
	json_decref(model->lists_before);
	memset(model, 0, sizeof(*model));
}

static void copy(char *out, size_t size, const json_t *object, const char *key)
{
	snprintf(out, size, "%s", json_text(object, key));
}

/* Zeroed rows for a list of the server, and how many; NULL for none. */
static void *rows(const json_t *list, size_t size, size_t *count)
{
	size_t n = json_array_size(list);
	void *out;

	n = n > ROWS_MAX ? ROWS_MAX : n;
	out = n ? calloc(n, size) : NULL;
	*count = out ? n : 0;
	return out;
}

static void port_drops(struct port_row *port, json_t *drops)
{
	json_int_t most = 0, most_usual = 0;
	const char *name;
	json_t *value;

	json_object_foreach(drops, name, value) {
		const struct drop_reason *reason = drop_reason(name);
		json_int_t n = json_integer_value(value);
		bool usual = reason && reason->usual;

		if (n <= 0)
			continue;
		*(usual ? &port->usual : &port->drops) += (uint64_t)n;
		if (usual && n > most_usual)
			snprintf(port->usual_why, sizeof(port->usual_why), "%s", name);
		if (!usual && n > most)
			snprintf(port->why, sizeof(port->why), "%s", name);
		if (n > *(usual ? &most_usual : &most))
			*(usual ? &most_usual : &most) = n;
	}
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void port_settings(struct port_row *port, json_t *settings)
{
	size_t used = 0;
	const char *key;
	json_t *value;

	json_object_foreach(settings, key, value)
		if (used < sizeof(port->set) && json_is_string(value))
			used += (size_t)snprintf(port->set + used, sizeof(port->set) - used,
						 "%s%s=%s", used ? " " : "", key,
						 json_string_value(value));
}

static void port_fill(struct port_row *port, const json_t *json, const struct switch_row *before,
		      double seconds, uint64_t now)
{
	copy(port->name, sizeof(port->name), json, "name");
	copy(port->mac, sizeof(port->mac), json, "mac");
	copy(port->state, sizeof(port->state), json, "state");
	port->out_frames = json_count(json, "out_frames");
	port->out_bytes = json_count(json, "out_bytes");
	port->in_frames = json_count(json, "in_frames");
	port->in_bytes = json_count(json, "in_bytes");
	port_drops(port, json_object_get(json, "drops"));
	port_settings(port, json_object_get(json, "settings"));
	for (size_t i = 0; before && i < before->port_count; i++) {
		const struct port_row *old = &before->ports[i];

		if (strcmp(old->name, port->name) != 0)
			continue;
		port->out_rate = rate(port->out_bytes, old->out_bytes, seconds);
		port->in_rate = rate(port->in_bytes, old->in_bytes, seconds);
		port->rose = port->drops > old->drops ? now : old->rose;
	}
}

static void switch_fill(struct switch_row *row, const json_t *json,
			const struct netmodel *model, double seconds, uint64_t now)
{
	const json_t *ports = json_object_get(json, "ports");
	const json_t *leases = json_object_get(json, "leases");
	const json_t *macs = json_object_get(json, "macs");
	const struct switch_row *before = NULL;

	copy(row->name, sizeof(row->name), json, "name");
	copy(row->uplink, sizeof(row->uplink), json, "uplink");
	copy(row->address, sizeof(row->address), json, "address");
	for (size_t i = 0; i < model->switch_count; i++)
		if (strcmp(model->switches[i].name, row->name) == 0)
			before = &model->switches[i];
	row->ports = rows(ports, sizeof(*row->ports), &row->port_count);
	for (size_t i = 0; i < row->port_count; i++)
		port_fill(&row->ports[i], json_array_get(ports, i), before, seconds, now);
	row->leases = rows(leases, sizeof(*row->leases), &row->lease_count);
	for (size_t i = 0; i < row->lease_count; i++) {
		const json_t *lease = json_array_get(leases, i);

		copy(row->leases[i].mac, sizeof(row->leases[i].mac), lease, "mac");
		copy(row->leases[i].address, sizeof(row->leases[i].address), lease, "address");
		copy(row->leases[i].port, sizeof(row->leases[i].port), lease, "port");
		copy(row->leases[i].hostname, sizeof(row->leases[i].hostname), lease, "hostname");
		row->leases[i].remaining = json_count(lease, "remaining");
	}
	row->macs = rows(macs, sizeof(*row->macs), &row->mac_count);
	for (size_t i = 0; i < row->mac_count; i++) {
		const json_t *mac = json_array_get(macs, i);

		copy(row->macs[i].mac, sizeof(row->macs[i].mac), mac, "mac");
		copy(row->macs[i].port, sizeof(row->macs[i].port), mac, "port");
		row->macs[i].age = json_count(mac, "age");
	}
}

/* Copies rows behind what there is. */
static void append(void *to, size_t *count, const void *from, size_t more, size_t size)
{
	if (!to || !from)
		return;
	memcpy((char *)to + *count * size, from, more * size);
	*count += more;
}

/* The row of all switches, behind them. */
static void all_fill(struct switch_row *all, const struct switch_row *switches, size_t count)
{
	size_t ports = 0, leases = 0, macs = 0;

	for (size_t i = 0; i < count; i++) {
		ports += switches[i].port_count;
		leases += switches[i].lease_count;
		macs += switches[i].mac_count;
	}
	all->all = true;
	snprintf(all->name, sizeof(all->name), "all switches");
	all->ports = calloc(ports + 1, sizeof(*all->ports));
	all->leases = calloc(leases + 1, sizeof(*all->leases));
	all->macs = calloc(macs + 1, sizeof(*all->macs));
	for (size_t i = 0; i < count; i++) {
		append(all->ports, &all->port_count, switches[i].ports, switches[i].port_count,
		       sizeof(*all->ports));
		append(all->leases, &all->lease_count, switches[i].leases,
		       switches[i].lease_count, sizeof(*all->leases));
		append(all->macs, &all->mac_count, switches[i].macs, switches[i].mac_count,
		       sizeof(*all->macs));
	}
}

void netmodel_switches(struct netmodel *model, json_t *result, uint64_t now)
{
	const json_t *list = json_object_get(result, "switches");
	double seconds = model->known ? (double)(now - model->updated) / (double)NS_PER_S : 0;
	size_t count;
	struct switch_row *switches;

	count = json_array_size(list) > ROWS_MAX ? ROWS_MAX : json_array_size(list);
	switches = calloc(count + 1, sizeof(*switches));
	if (!switches)
		return;
	for (size_t i = 0; i < count; i++)
		switch_fill(&switches[i], json_array_get(list, i), model, seconds, now);
	if (count > 1) {
		all_fill(&switches[count], switches, count);
		count++;
	}
	switches_free(model->switches, model->switch_count);
	model->switches = switches;
	model->switch_count = count;
	json_decref(model->lists_before);
	model->lists_before = model->lists;
	model->lists = json_incref(result);
	model->updated = now;
	model->known = true;
}

/* --- captures --- */

bool netmodel_runs(const json_t *capture)
{
	return !json_is_string(json_object_get(capture, "ended"));
}

size_t netmodel_running(const struct netmodel *model)
{
	const json_t *capture;
	size_t i, count = 0;

	json_array_foreach(model->captures, i, capture)
		count += netmodel_runs(capture);
	return count;
}

const json_t *netmodel_capture(const struct netmodel *model, json_int_t number)
{
	const json_t *capture;
	size_t i;

	json_array_foreach(model->captures, i, capture)
		if (json_integer_value(json_object_get(capture, "capture")) == number)
			return capture;
	return NULL;
}

/* The place of a number; 0: a free one. */
static json_int_t *own_place(struct netmodel *model, json_int_t number)
{
	for (size_t i = 0; i < NETMODEL_OWN; i++)
		if (model->own[i] == number)
			return &model->own[i];
	return NULL;
}

bool netmodel_owns(const struct netmodel *model, json_int_t number)
{
	for (size_t i = 0; i < NETMODEL_OWN; i++)
		if (number && model->own[i] == number)
			return true;
	return false;
}

void netmodel_own(struct netmodel *model, json_int_t number)
{
	json_int_t *place = own_place(model, 0);

	if (place)
		*place = number;
}

void netmodel_disown(struct netmodel *model, json_int_t number)
{
	json_int_t *place = own_place(model, number);

	if (place)
		*place = 0;
}

/* --- breakpoints --- */

/* Bytes of hexadecimal digits; as many as there are, up to half of their number. */
static size_t hex_bytes(uint8_t *out, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; text[0] && text[1]; text += 2) {
		const char *high = strchr(digits, text[0]), *low = strchr(digits, text[1]);

		if (!high || !low)
			break;
		out[n++] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return n;
}

static void break_fill(struct break_row *row, const json_t *json)
{
	const json_t *frame = json_object_get(json, "frame");

	copy(row->port, sizeof(row->port), json, "port");
	copy(row->filter, sizeof(row->filter), json, "filter");
	if (!json_is_object(frame))
		return;
	row->holds = true;
	row->decided = json_bool(frame, "decided");
	row->since = json_count(frame, "since");
	row->behind = json_count(frame, "behind");
	row->size = json_count(frame, "size");
	row->data = malloc(strlen(json_text(frame, "data")) / 2 + 1);
	row->known = row->data ? hex_bytes(row->data, json_text(frame, "data")) : 0;
	snprintf(row->summary, sizeof(row->summary), "%s > %s %s %s", json_text(frame, "from"),
		 json_text(frame, "to"), json_text(frame, "protocol"),
		 json_text(frame, "summary"));
}

void netmodel_breaks(struct netmodel *model, const json_t *result)
{
	const json_t *list = json_object_get(result, "breakpoints");

	breaks_free(model->breaks, model->break_count);
	model->breaks = rows(list, sizeof(*model->breaks), &model->break_count);
	for (size_t i = 0; i < model->break_count; i++)
		break_fill(&model->breaks[i], json_array_get(list, i));
}

const struct break_row *netmodel_holds(const struct netmodel *model)
{
	for (size_t i = 0; i < model->break_count; i++)
		if (model->breaks[i].holds && !model->breaks[i].decided)
			return &model->breaks[i];
	return NULL;
}

const struct break_row *netmodel_break_of(const struct netmodel *model, const char *port)
{
	for (size_t i = 0; i < model->break_count; i++)
		if (strcmp(model->breaks[i].port, port) == 0)
			return &model->breaks[i];
	return NULL;
}

/* --- packets --- */

/* hex: its bytes in hexadecimal */
static struct packet *packet_new(const char *const fields[PACKET_FIELDS], const char *hex)
{
	size_t sizes[PACKET_FIELDS], size = sizeof(struct packet) + strlen(hex) / 2, captured;
	struct packet *packet;
	char *at;

	for (size_t i = 0; i < PACKET_FIELDS; i++) {
		sizes[i] = strnlen(fields[i], 255);
		size += sizes[i] + 1;
	}
	packet = calloc(1, size);
	if (!packet)
		return NULL;
	at = (char *)(packet + 1);
	captured = hex_bytes((uint8_t *)at, hex);
	packet->data = (uint8_t *)at;
	packet->captured = (uint32_t)captured;
	at += captured;
	for (size_t i = 0; i < PACKET_FIELDS; i++) {
		memcpy(at, fields[i], sizes[i]);
		packet->fields[i] = at;
		at += sizes[i] + 1;
	}
	return packet;
}

static struct packet *packet_read(const json_t *json)
{
	static const char *const keys[PACKET_FIELDS] = {
		"from_port", "verdict", "from", "to", "protocol", "text",
	};
	const char *fields[PACKET_FIELDS];
	struct packet *packet;

	for (size_t i = 0; i < PACKET_FIELDS; i++)
		fields[i] = json_text(json, keys[i]);
	packet = packet_new(fields, json_text(json, "data"));
	if (!packet)
		return NULL;
	packet->time = json_count(json, "time");
	packet->size = (uint32_t)json_count(json, "size");
	packet->dropped = strcmp(fields[PACKET_VERDICT], "forward") != 0 &&
			  strcmp(fields[PACKET_VERDICT], "flood") != 0;
	return packet;
}

void netmodel_packets(struct netmodel *model, const json_t *params)
{
	const json_t *list = json_object_get(params, "packets");
	size_t count = json_array_size(list);

	model->missed += json_count(params, "dropped");
	for (size_t i = 0; i < count; i++) {
		struct packet *packet = packet_read(json_array_get(list, i));

		if (!packet)
			return;
		if (!model->later)
			show(model, packet);
		else if (add(model->later, packet))
			model->missed++;
	}
}

void netmodel_mark(struct netmodel *model, const char *text)
{
	const char *fields[PACKET_FIELDS] = { "", "", "", "", "", text };
	const struct packet *last;
	struct packet *mark;

	netmodel_follow(model);
	last = netmodel_packet(model, model->shown.count - 1);
	mark = last ? packet_new(fields, "") : NULL;
	if (!mark)
		return;
	mark->mark = true;
	if (last->mark) {
		model->shown.count--;
		model->row_end--;
	}
	show(model, mark);
}

const struct packet *netmodel_packet(const struct netmodel *model, uint64_t n)
{
	const struct packet_ring *ring = &model->shown;

	if (n >= ring->count || n + NETMODEL_PACKETS < ring->count)
		return NULL;
	return ring->packets[n % NETMODEL_PACKETS];
}

void netmodel_choose(struct netmodel *model, uint64_t n)
{
	struct packet *packet = model->shown.packets[n % NETMODEL_PACKETS];

	if (netmodel_packet(model, n) && !packet->mark)
		packet->chosen = !packet->chosen;
}

/* "web" of "web/net0" */
static const char *guest_of(const char *port, char out[100])
{
	snprintf(out, 100, "%.*s", (int)strcspn(port, "/"), port);
	return out;
}

const char *netmodel_name(const struct netmodel *model, const char *address, char out[100])
{
	size_t size = strlen(address);

	for (size_t i = 0; i < model->switch_count; i++) {
		const struct switch_row *row = &model->switches[i];

		if (row->all)
			break;
		for (size_t j = 0; j < row->lease_count; j++)
			if (*row->leases[j].port && strcmp(row->leases[j].address, address) == 0)
				return guest_of(row->leases[j].port, out);
		for (size_t j = 0; j < row->port_count; j++)
			if (size && strcmp(row->ports[j].mac, address) == 0)
				return guest_of(row->ports[j].name, out);
		/* "10.0.2.2/24" */
		if (size && strncmp(row->address, address, size) == 0 &&
		    strchr("/", row->address[size]))
			return row->name;
	}
	return address;
}
