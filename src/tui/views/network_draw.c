/* The panes of the network's view. Screen thread. */
#include "tui/views/network_draw.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/views/network_capture.h"
#include "tui/views/network_held.h"
#include "tui/views/network_state.h"

#define DROPS_NS (10 * NS_PER_S) /* so long drops are news */
#define HOSTNAME_LEAST 4
#define MACS_WIDTH 44

/* On the lower edge of a list: which of its rows are in sight, unless all are. */
static void draw_part(struct rect box, size_t top, size_t page, size_t count)
{
	char text[64];

	if (page >= count)
		return;
	snprintf(text, sizeof(text), " %zu-%zu of %zu ", top + 1, top + page, count);
	draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_TEXT | DRAW_DIM, text);
}

/* The name, and what else finds room whole. */
static void draw_switch(struct rect row, unsigned style, const struct switch_row *sw)
{
	int x = row.x, end = row.x + row.width;
	char uplink[32] = "", ports[32];
	const char *const parts[] = { sw->address, uplink, ports };

	if (*sw->uplink)
		snprintf(uplink, sizeof(uplink), "uplink %s", sw->uplink);
	snprintf(ports, sizeof(ports), "%zu port%s", sw->port_count,
		 sw->port_count == 1 ? "" : "s");
	x += draw_text(row.y, x, end - x, style | DRAW_BOLD | DRAW_MIDDLE, sw->name) + 2;
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		if (*parts[i] && text_width(parts[i]) <= end - x)
			x += draw_text(row.y, x, end - x, style, parts[i]) + 2;
}

static void draw_switches(const struct view *view, struct rect box)
{
	struct rect r = draw_box(box, network_pane_style(view, PANE_SWITCHES), "Switches");
	const struct netmodel *model = &view->deck->network;
	const struct switch_row *chosen = network_chosen(view);
	size_t at = chosen ? (size_t)(chosen - model->switches) : 0;
	size_t page = r.height > 0 ? (size_t)r.height : 0;
	size_t top = page && at >= page ? at - page + 1 : 0;

	for (size_t i = top; i < model->switch_count && i < top + page; i++) {
		const struct switch_row *row = &model->switches[i];
		bool is = row == chosen;
		unsigned style = is ? INK_TEXT | DRAW_REVERSE : INK_TEXT;
		int y = r.y + (int)(i - top);

		if (is)
			draw_fill((struct rect){ y, r.x, 1, r.width }, style);
		draw_switch((struct rect){ y, r.x + 1, 1, r.width - 2 }, style, row);
	}
	if (page)
		draw_part(box, top, page, model->switch_count);
}

#define PORT_RATES 30 /* columns of a port's drops and rates, */
#define PORT_ALL 50   /* and of its frames */

static int port_numbers(struct rect r)
{
	return r.width >= PORT_ALL + 22 ? PORT_ALL : r.width >= 48 ? PORT_RATES : 8;
}

/* How many and why, which is left out where it finds no room. What grows stands out. */
static void draw_drops(const struct port_row *port, struct rect r, uint64_t now)
{
	bool grows = port->rose && now - port->rose < DROPS_NS;
	const char *why = port->drops ? port->why : port->usual_why;
	uint64_t count = port->drops ? port->drops : port->usual;
	char number[TEXT_NUMBER], text[96];

	if (count == 0) {
		draw_text(r.y, r.x, r.width, INK_TEXT | DRAW_DIM, draw_sign(SIGN_DASH));
		return;
	}
	text_count(number, (double)count);
	snprintf(text, sizeof(text), "%s %s", number, why);
	draw_text(r.y, r.x, r.width, grows ? INK_BAD : INK_TEXT | DRAW_DIM,
		  text_width(text) > r.width ? number : text);
}

/* Columns of the table of ports: right-aligned numbers from the right edge. */
static void draw_port(const struct port_row *port, const struct break_row *stops, struct rect r,
		      int y, uint64_t now, unsigned style)
{
	char number[TEXT_NUMBER];
	int numbers = port_numbers(r), x = r.x + r.width - numbers;
	int room = r.width - numbers - 1, name = text_width(port->name) + 1;

	draw_text(y, r.x, room, style | DRAW_BOLD | DRAW_MIDDLE, port->name);
	if (stops && name < room) {
		draw_format(y, r.x + name, room - name, INK_BAD, "%s stops %s", draw_sign(SIGN_DOT),
			    *stops->filter ? stops->filter : "no more");
		room = 0;
	}
	if (*port->state && name + 1 < room) {
		draw_sentence(y, r.x + name + 1, room - name - 1, INK_TEXT | DRAW_DIM, port->state);
		room = 0;
	} else if (r.width >= 100 && room) {
		draw_text(y, r.x + r.width - numbers - 20, 18, INK_TEXT | DRAW_DIM, port->mac);
		room -= 20;
	}
	if (name < room)
		draw_text(y, r.x + name, room - name, INK_WARN, port->set);
	if (numbers >= PORT_RATES) {
		draw_right(y, x, 7, INK_TEXT, text_rate(number, port->in_rate));
		draw_right(y, x + 8, 7, INK_TEXT, text_rate(number, port->out_rate));
		x += 15;
	}
	if (numbers >= PORT_ALL) {
		draw_right(y, x, 10, INK_TEXT | DRAW_DIM,
			   text_count(number, (double)port->in_frames));
		draw_right(y, x + 10, 11, INK_TEXT | DRAW_DIM,
			   text_count(number, (double)port->out_frames));
		x += 21;
	}
	draw_drops(port, (struct rect){ y, x + 1, 1, r.x + r.width - x - 1 }, now);
}

static void draw_port_heads(struct rect r)
{
	int numbers = port_numbers(r), x = r.x + r.width - numbers;
	unsigned style = INK_TEXT | DRAW_DIM;

	draw_text(r.y, r.x, 8, style, "Port");
	if (numbers >= PORT_RATES) {
		draw_right(r.y, x, 7, style, "in");
		draw_right(r.y, x + 8, 7, style, "out");
		x += 15;
	}
	if (numbers >= PORT_ALL) {
		draw_right(r.y, x, 10, style, "frames in");
		draw_right(r.y, x + 10, 11, style, "frames out");
		x += 21;
	}
	draw_text(r.y, x + 1, r.x + r.width - x - 1, style, "drops");
}

static void draw_ports(struct view *view, struct rect box, const struct switch_row *row)
{
	struct rect r = draw_box(box, network_pane_style(view, PANE_PORTS), "Ports");
	const struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;
	size_t page;

	r.x++;
	r.width -= 2;
	if (r.height < 2 || !row)
		return;
	draw_port_heads(r);
	page = (size_t)r.height - 1;
	state->ports_shown = page;
	if (state->port >= row->port_count)
		state->port = row->port_count ? row->port_count - 1 : 0;
	if (state->port < state->port_top)
		state->port_top = state->port;
	if (state->port >= state->port_top + page)
		state->port_top = state->port - page + 1;
	if (state->port_top + page > row->port_count)
		state->port_top = row->port_count > page ? row->port_count - page : 0;
	for (size_t i = 0; i < page && state->port_top + i < row->port_count; i++) {
		const struct port_row *port = &row->ports[state->port_top + i];

		draw_port(port, netmodel_break_of(model, port->name), r, r.y + 1 + (int)i,
			  model->updated, state->port_top + i != state->port ? INK_TEXT :
			  state->pane == PANE_PORTS ? INK_ACCENT | DRAW_REVERSE : INK_ACCENT);
	}
	draw_part(box, state->port_top, page, row->port_count);
}

/* Whose it is: the guest, and what it calls itself where that is something else. */
static void draw_lease(struct rect r, int y, const struct lease_row *lease, int addresses)
{
	int x = r.x, end = r.x + r.width;
	char age[TEXT_NUMBER], guest[sizeof(lease->port)];

	snprintf(guest, sizeof(guest), "%.*s", (int)strcspn(lease->port, "/"), lease->port);
	draw_text(y, x, addresses, INK_TEXT, lease->address);
	x += addresses + 2;
	if (r.width >= 60 || (!*guest && !*lease->hostname))
		x += draw_text(y, x, end - x - 7, INK_TEXT | DRAW_DIM, lease->mac) + 1;
	if (*guest)
		x += draw_text(y, x, end - x - 7, INK_TEXT | DRAW_BOLD | DRAW_MIDDLE, guest) + 1;
	if (strcmp(guest, lease->hostname) != 0 && end - x - 7 >= HOSTNAME_LEAST)
		draw_text(y, x, end - x - 7, INK_TEXT | DRAW_DIM | DRAW_MIDDLE, lease->hostname);
	draw_right(y, end - 6, 6, INK_TEXT | DRAW_DIM, text_age(age, (double)lease->remaining));
}

static void draw_leases(struct rect box, const struct switch_row *row)
{
	struct rect r = draw_box(box, INK_TEXT | DRAW_DIM, "Leases");
	size_t shown = row && r.height > 0 ? (size_t)r.height : 0;
	int addresses = 0, width;

	r.x++;
	r.width -= 2;
	if (row && shown > row->lease_count)
		shown = row->lease_count;
	for (size_t i = 0; i < shown; i++)
		if ((width = text_width(row->leases[i].address)) > addresses)
			addresses = width;
	if (row && row->lease_count == 0)
		draw_text(r.y, r.x, r.width, INK_TEXT | DRAW_DIM, "none given out yet");
	for (size_t i = 0; i < shown; i++)
		draw_lease(r, r.y + (int)i, &row->leases[i], addresses);
	if (shown)
		draw_part(box, 0, shown, row->lease_count);
}

static void draw_macs(struct rect box, const struct switch_row *row)
{
	struct rect r = draw_box(box, INK_TEXT | DRAW_DIM, "Addresses learnt");
	char age[TEXT_NUMBER];

	for (size_t i = 0; row && i < row->mac_count && (int)i < r.height; i++) {
		const struct mac_row *mac = &row->macs[i];
		int y = r.y + (int)i, x = r.x + 1, end = r.x + r.width - 1;

		x += draw_text(y, x, end - x, INK_TEXT | DRAW_DIM, mac->mac) + 1;
		draw_text(y, x, end - x - 7, INK_TEXT | DRAW_MIDDLE, mac->port);
		draw_right(y, end - 6, 6, INK_TEXT | DRAW_DIM, text_age(age, (double)mac->age));
	}
	if (row && r.height > 0)
		draw_part(box, 0, (size_t)r.height, row->mac_count);
}

static void draw_mark(const struct packet *mark, struct rect r, int y)
{
	draw_line(y, r.x, r.width, INK_TEXT | DRAW_DIM);
	draw_format(y, r.x + 2, r.width - 4, INK_WARN, " %s ", mark->fields[PACKET_TEXT]);
}

/* Where the columns of packets begin, by what is in sight. */
struct packet_columns {
	bool time, both; /* else who sent it alone */
	int from, to, protocol, says; /* widths */
};

#define PACKET_SAYS_LEAST 24 /* columns for what is said of it */
#define PACKET_SAYS_MOST 800 /* bytes */
#define TIME_WIDTH 13

static const char *address_text(const struct view *view, const char *address, char out[100])
{
	const struct network_view *state = view->state;

	return state->addresses ? address : netmodel_name(&view->deck->network, address, out);
}

static int widest(int width, const char *text)
{
	int own = text_width(text);

	return own > width ? own : width;
}

/* Where it was dropped, and what it is. */
static void packet_says(const struct packet *packet, char *out, size_t size)
{
	const char *const *f = packet->fields;

	if (packet->dropped)
		snprintf(out, size, "dropped at %s: %s  %s", f[PACKET_FROM_PORT],
			 f[PACKET_VERDICT], f[PACKET_TEXT]);
	else
		snprintf(out, size, "%s", f[PACKET_TEXT]);
}

static const struct packet *packet_in(const struct netmodel *model, uint64_t row)
{
	return netmodel_packet(model, netmodel_row(model, row));
}

static struct packet_columns packet_columns(const struct view *view, uint64_t first, uint64_t end,
					    int width)
{
	struct packet_columns columns = { .time = width >= 70, .protocol = 4, .from = 3, .to = 3 };
	int room = width - (columns.time ? TIME_WIDTH : 0), most;
	char name[100], says[PACKET_SAYS_MOST];

	for (uint64_t n = first; n < end; n++) {
		const struct packet *packet = packet_in(&view->deck->network, n);

		if (!packet || packet->mark)
			continue;
		columns.from = widest(columns.from,
				      address_text(view, packet->fields[PACKET_FROM], name));
		columns.to = widest(columns.to, address_text(view, packet->fields[PACKET_TO], name));
		columns.protocol = widest(columns.protocol, packet->fields[PACKET_PROTOCOL]);
		packet_says(packet, says, sizeof(says));
		columns.says = widest(columns.says, says);
	}
	if (columns.protocol > 8)
		columns.protocol = 8;
	columns.both = width >= 40;
	most = (room - columns.protocol - 1 - PACKET_SAYS_LEAST) / (columns.both ? 2 : 1) - 1;
	if (most < 8)
		most = columns.both ? (room - columns.protocol) / 2 - 2 : 8;
	if (columns.from > most)
		columns.from = most;
	if (columns.to > most)
		columns.to = most;
	return columns;
}

/* No further than to the end of what is said. */
static int packet_shift(const struct packet_columns *columns, int shift, int width)
{
	int before = (columns->time ? TIME_WIDTH : 0) + columns->from + 1 + columns->protocol + 1 +
		     (columns->both ? columns->to + 1 : 0);
	int most = columns->says - (width - before);

	return most < 0 ? 0 : shift > most ? most : shift;
}

static void draw_packet(const struct view *view, const struct packet *packet,
			const struct packet_columns *columns, struct rect r, bool is)
{
	const struct network_view *state = view->state;
	unsigned cursor = is && state->pane == PANE_PACKETS ? DRAW_REVERSE : 0;
	unsigned style = (packet->dropped ? INK_BAD : INK_TEXT) | cursor;
	unsigned dim = packet->dropped ? style : style | DRAW_DIM;
	int x = r.x, end = r.x + r.width;
	const char *const *f = packet->fields;
	char time[16], name[100], says[PACKET_SAYS_MOST];

	if (cursor)
		draw_fill(r, style);
	if (packet->chosen)
		draw_text(r.y, x - 1, 1, INK_WARN | DRAW_BOLD, "*");
	if (columns->time) {
		draw_text(r.y, x, 8, dim, draw_time(time, packet->time));
		draw_format(r.y, x + 8, 4, dim, ".%03u",
			    (unsigned)(packet->time % NS_PER_S / NS_PER_MS));
		x += TIME_WIDTH;
	}
	draw_text(r.y, x, columns->from, style | DRAW_MIDDLE,
		  address_text(view, f[PACKET_FROM], name));
	x += columns->from + 1;
	if (columns->both) {
		draw_text(r.y, x, columns->to, style | DRAW_MIDDLE,
			  address_text(view, f[PACKET_TO], name));
		x += columns->to + 1;
	}
	draw_text(r.y, x, columns->protocol, (packet->dropped ? INK_BAD : INK_ACCENT) | cursor,
		  f[PACKET_PROTOCOL]);
	x += columns->protocol + 1;
	packet_says(packet, says, sizeof(says));
	draw_text(r.y, x, end - x, packet->dropped ? style | DRAW_BOLD : style,
		  text_behind(says, state->shift));
}

static void packets_title(const struct view *view, struct rect box, int room)
{
	char text[200], number[TEXT_NUMBER];
	const struct netmodel *model = &view->deck->network;
	bool held = netmodel_held(model);

	if (held && model->later->count)
		snprintf(text, sizeof(text), " held; %s since; %s follows ",
			 text_count(number, (double)model->later->count),
			 tui_key(view, COMMAND_HOLD));
	else if (held)
		snprintf(text, sizeof(text), " held; %s follows ", tui_key(view, COMMAND_HOLD));
	else if (model->missed)
		snprintf(text, sizeof(text), " following; %s were left out ",
			 text_count(number, (double)model->missed));
	else
		snprintf(text, sizeof(text), " following ");
	if (text_width(text) > room)
		snprintf(text, sizeof(text), "%s", held ? " held " : "");
	draw_right(box.y, box.x + 2, box.width - 4, held ? INK_WARN : INK_TEXT | DRAW_DIM, text);
}

/* The first row in sight, so that the selected one is. */
static uint64_t first_row(const struct view *view, uint64_t page)
{
	const struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;
	uint64_t at = network_row_at(view), end = model->row_end, most;

	most = end - model->row_first > page ? end - page : model->row_first;
	if (!netmodel_held(model))
		return most;
	if (at < state->row_top)
		state->row_top = at;
	if (page && at >= state->row_top + page)
		state->row_top = at - page + 1;
	if (state->row_top > most)
		state->row_top = most;
	if (state->row_top < model->row_first)
		state->row_top = model->row_first;
	return state->row_top;
}

static void draw_packets(struct view *view, struct rect box)
{
	struct network_view *state = view->state;
	const struct netmodel *model = &view->deck->network;
	uint64_t first, end;
	struct packet_columns columns;
	char title[200] = "Packets";
	struct rect r;

	if (*state->filter)
		snprintf(title, sizeof(title), "Packets matching %.180s", state->filter);
	r = draw_box(box, network_pane_style(view, PANE_PACKETS), title);
	packets_title(view, box, box.width - 6 - text_width(title));
	r.x++;
	r.width -= 2;
	state->packets_shown = r.height > 0 ? (size_t)r.height : 0;
	if (model->row_first == model->row_end) {
		draw_center(r, INK_TEXT | DRAW_DIM, model->shown.count ?
			    "No packet of the list matches." :
			    "No packet has passed since this view opened.");
		return;
	}
	first = first_row(view, state->packets_shown);
	end = first + state->packets_shown < model->row_end ? first + state->packets_shown :
							     model->row_end;
	columns = packet_columns(view, first, end, r.width);
	state->shift = packet_shift(&columns, state->shift, r.width);
	for (uint64_t n = first; n < end; n++) {
		const struct packet *packet = packet_in(model, n);
		struct rect row = { r.y + (int)(n - first), r.x, 1, r.width };

		if (packet && packet->mark)
			draw_mark(packet, r, row.y);
		else if (packet)
			draw_packet(view, packet, &columns, row,
				    netmodel_held(model) && n == network_row_at(view));
	}
}

#define SWITCHES_MOST 4 /* above the leases */

static size_t switches_shown(const struct netmodel *model)
{
	return model->switch_count > SWITCHES_MOST ? SWITCHES_MOST : model->switch_count;
}

static int upper_height(const struct netmodel *model, const struct switch_row *row, struct rect r)
{
	size_t rows = row->port_count > model->switch_count ? row->port_count : model->switch_count;
	size_t left = switches_shown(model) + 1 + (row->lease_count ? row->lease_count : 1);
	int want;

	/* Leases are below the switches, with an edge between them. */
	if (r.width >= 100 && rows < left)
		rows = left;
	want = 3 + (int)(rows > 20 ? 20 : rows);
	return want < r.height * 2 / 5 ? want : r.height * 2 / 5;
}

static void draw_upper(struct view *view, struct rect r, const struct switch_row *row)
{
	const struct network_view *state = view->state;
	const struct netmodel *model = &view->deck->network;
	int switches = r.width >= 100 ? 42 : 0, lower = 0;
	struct rect left = { r.y, r.x, r.height, switches };
	struct rect right = { r.y, r.x + switches, r.height, r.width - switches };

	if (!switches) { /* narrow: the pane that has the keys */
		if (state->pane == PANE_SWITCHES)
			draw_switches(view, r);
		else
			draw_ports(view, r, row);
		return;
	}
	left.height = (int)switches_shown(model) + 2;
	if (left.height > r.height)
		left.height = r.height;
	lower = r.height - left.height;
	if (lower < 3) {
		left.height = r.height;
		lower = 0;
	}
	draw_switches(view, left);
	if (lower)
		draw_leases((struct rect){ r.y + left.height, r.x, lower, switches }, row);
	if (right.width >= 90 + MACS_WIDTH) {
		right.width -= MACS_WIDTH;
		draw_macs((struct rect){ r.y, right.x + right.width, r.height, MACS_WIDTH }, row);
	}
	draw_ports(view, right, row);
}

/* The frame that waits is above the packets, or has all the room if there is little. */
static int draw_held(struct view *view, struct rect r)
{
	const struct network_view *state = view->state;
	int want = network_held_height(view, r.width), most = r.height >= 14 ? r.height / 2 : 0;

	if (want > most)
		want = most;
	if (state->pane == PANE_HELD && want < 4)
		want = r.height;
	r.height = want;
	if (want)
		network_draw_held(view, r);
	return want;
}

void network_draw(struct view *view, struct rect r)
{
	const struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);
	int upper, above;

	network_look_at_held(view);
	if (!row) {
		draw_center(r, INK_TEXT, view->deck->network.known ? "There are no switches." :
							      "Waiting for the switches");
		return;
	}
	above = network_draw_captures(view, r, r.height >= 24 ? 4 : r.height >= 8 ? 2 : 1);
	r.y += above;
	r.height -= above;
	above = draw_held(view, r);
	r.y += above;
	r.height -= above;
	if (r.height <= 0)
		return;
	upper = r.height >= 14 ? upper_height(&view->deck->network, row, r) : 0;
	if (upper >= 4) {
		draw_upper(view, (struct rect){ r.y, r.x, upper, r.width }, row);
		r.y += upper;
		r.height -= upper;
	} else if (state->pane == PANE_SWITCHES || state->pane == PANE_PORTS) {
		draw_upper(view, r, row);
		return;
	}
	draw_packets(view, r);
}
