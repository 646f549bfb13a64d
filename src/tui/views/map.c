/*
 * A map of the network: each switch with what is at its ports, and how much goes to and fro there.
 * Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/ui/scroll.h"
#include "tui/ui/style.h"
#include "tui/ui/switches.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define RATES 22	 /* columns of both rates, */
#define ADDRESS 17	 /* of an address, */
#define BAR 12		 /* and of a bar, which is there from so many columns on: */
#define ADDRESS_FROM 56
#define BAR_FROM 76

struct map_view {
	int at, top, lines, page; /* at: the selected line */
	char guest[128];	  /* that it is about, or "" */
};

/* A switch, or one of its ports. */
struct map_line {
	const struct switch_row *sw;
	const struct port_row *port; /* or NULL */
	bool last; /* of its switch */
};

/* Line n, counted over all switches. False: there are not as many. */
static bool find_line(const struct netmodel *model, int n, struct map_line *out)
{
	for (size_t i = 0; i < model->switch_count; i++) {
		const struct switch_row *sw = &model->switches[i];

		if (sw->all)
			continue;
		if (n <= (int)sw->port_count) {
			*out = (struct map_line){ sw, n ? &sw->ports[n - 1] : NULL,
						  n == (int)sw->port_count };
			return true;
		}
		n -= (int)sw->port_count + 1;
	}
	return false;
}

static int count_lines(const struct netmodel *model)
{
	int lines = 0;

	for (size_t i = 0; i < model->switch_count; i++)
		if (!model->switches[i].all)
			lines += (int)model->switches[i].port_count + 1;
	return lines;
}

/* Bytes a second of the port through which most goes. */
static double busiest(const struct netmodel *model)
{
	double most = 1;

	for (size_t i = 0; i < model->switch_count; i++)
		for (size_t n = 0; n < model->switches[i].port_count; n++) {
			const struct port_row *port = &model->switches[i].ports[n];
			double rate = port->in_rate + port->out_rate;

			most = rate > most ? rate : most;
		}
	return most;
}

static const char *lease_of(const struct switch_row *sw, const char *port)
{
	for (size_t i = 0; i < sw->lease_count; i++)
		if (strcmp(sw->leases[i].port, port) == 0)
			return sw->leases[i].address;
	return "";
}

/* The guest whose card is at a port, "web" of "web/net0"; NULL: it is no guest's. */
static const struct tui_guest *guest_at(const struct view *view, const struct port_row *port)
{
	const char *end = strrchr(port->name, '/');
	char name[sizeof(port->name)];

	if (!end)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(end - port->name), port->name);
	return model_find(&view->deck->model, name);
}

static void draw_switch(struct rect r, unsigned style, const struct switch_row *sw)
{
	int x = r.x, end = r.x + r.width;

	x += draw_text(r.y, x, end - x, style | INK_ACCENT | DRAW_BOLD, sw->name) + 2;
	x += draw_text(r.y, x, end - x, style, sw->address) + 2;
	if (*sw->uplink && strcmp(sw->uplink, "none") != 0 && x < end)
		draw_format(r.y, x, end - x, style | DRAW_DIM, "leads out by %s", sw->uplink);
}

/* What goes to the port and comes from it; nothing is no number. */
static void draw_rates(struct rect r, unsigned style, const struct port_row *port)
{
	const double rates[] = { port->in_rate, port->out_rate };
	static const enum sign signs[] = { SIGN_UP, SIGN_DOWN };
	char number[TEXT_NUMBER];

	for (int i = 0; i < 2; i++) {
		int x = r.x + i * RATES / 2;

		draw_text(r.y, x, 1, (i ? INK_SECOND : INK_ACCENT) | style, draw_sign(signs[i]));
		draw_right(r.y, x + 1, RATES / 2 - 2,
			   rates[i] > 0 ? style : INK_TEXT | DRAW_DIM | style,
			   rates[i] > 0 ? text_rate(number, rates[i]) : draw_sign(SIGN_DASH));
	}
}

static void draw_port(const struct view *view, struct rect r, unsigned style,
		      const struct map_line *line, double most)
{
	const struct port_row *port = line->port;
	const struct tui_guest *guest = guest_at(view, port);
	int x = r.x, end = r.x + r.width;

	x += draw_text(r.y, x, end - x, style | DRAW_DIM,
		       draw_sign(line->last ? SIGN_CORNER : SIGN_BRANCH)) + 1;
	draw_text(r.y, x, 1, guest ? style | style_state(guest->state) : style | DRAW_DIM,
		  guest ? style_state_sign(guest->state) : draw_sign(SIGN_DASH));
	x += 2;
	if (r.width >= 30 + RATES) {
		end -= RATES;
		draw_rates((struct rect){ r.y, end, 1, RATES }, style, port);
	}
	if (r.width >= BAR_FROM) {
		end -= BAR + 1;
		draw_bar(r.y, end, BAR, style | INK_GOOD, (port->in_rate + port->out_rate) / most);
	}
	if (r.width >= ADDRESS_FROM) {
		end -= ADDRESS;
		draw_text(r.y, end, ADDRESS - 1, style, lease_of(line->sw, port->name));
	}
	x += draw_text(r.y, x, end - x - 1, style | DRAW_MIDDLE, port->name) + 1;
	if (x < end)
		draw_text(r.y, x, end - x - 1, style | (*port->state ? DRAW_DIM : INK_WARN),
			  *port->state ? port->state : port->set);
}

static void draw_map(struct view *view, struct rect r)
{
	const struct netmodel *model = &view->deck->network;
	struct map_view *state = view->state;
	double most = busiest(model);
	struct map_line line;

	for (int i = 0; i < r.height && find_line(model, state->top + i, &line); i++) {
		bool is = state->top + i == state->at;
		struct rect row = { r.y + i, r.x, 1, r.width };

		if (is)
			draw_fill(row, INK_TEXT | DRAW_REVERSE);
		row.x++;
		row.width -= 2;
		if (line.port)
			draw_port(view, row, is ? DRAW_REVERSE : 0, &line, most);
		else
			draw_switch(row, is ? DRAW_REVERSE : 0, line.sw);
	}
}

static void map_draw(struct view *view, struct rect body)
{
	const struct netmodel *model = &view->deck->network;
	struct map_view *state = view->state;

	if (!model->known) {
		draw_center(body, INK_TEXT | DRAW_DIM, "waiting for the deck");
		return;
	}
	state->lines = count_lines(model);
	state->page = body.height;
	if (state->at >= state->lines)
		state->at = state->lines ? state->lines - 1 : 0;
	if (state->at < state->top)
		state->top = state->at;
	if (state->at >= state->top + state->page)
		state->top = state->at - state->page + 1;
	scroll_bound(&state->top, state->lines, state->page);
	if (state->lines)
		draw_map(view, body);
	else
		draw_center(body, INK_TEXT, "There is no switch: a profile that names one in [net0] "
			    "makes it, or a file in the folder of switches.");
}

/* The guest of the selected line. */
static const char *map_guest(struct view *view)
{
	struct map_view *state = view->state;
	const struct tui_guest *guest = NULL;
	struct map_line line;

	if (find_line(&view->deck->network, state->at, &line) && line.port)
		guest = guest_at(view, line.port);
	snprintf(state->guest, sizeof(state->guest), "%s", guest ? guest->name : "");
	return state->guest;
}

/* To the guest, or to the details of a port that is none's; a switch has the view of packets. */
static void open_selected(struct view *view)
{
	struct map_view *state = view->state;
	const char *guest = map_guest(view);
	struct map_line line;

	if (*guest) {
		tui_open(view->tui, "guest", guest);
	} else if (find_line(&view->deck->network, state->at, &line) && line.port) {
		snprintf(view->deck->network.port, sizeof(view->deck->network.port), "%s",
			 line.port->name);
		tui_open(view->tui, "port", NULL);
	} else {
		tui_open(view->tui, "network", NULL);
	}
}

static bool map_command(struct view *view, enum command command)
{
	struct map_view *state = view->state;

	if (command != COMMAND_CHOOSE)
		return scroll_cursor(&state->at, state->lines, state->page, command);
	open_selected(view);
	return true;
}

static void map_poll(struct view *view)
{
	switches_ask(view->deck);
}

static void map_click(struct view *view, int y, int x)
{
	struct map_view *state = view->state;

	(void)x;
	if (y > 0 && state->top + y - 1 < state->lines)
		state->at = state->top + y - 1;
}

static void map_title(struct view *view, char *out, size_t size)
{
	(void)view;
	snprintf(out, size, "Map");
}

const struct view_ops view_map = {
	.id = "map",
	.name = "Map of the network",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_ORDERS | KEYS_HELP | KEYS_LOG | KEYS_NETWORK,
	.size = sizeof(struct map_view),
	.guest = map_guest,
	.enter = map_poll,
	.draw = map_draw,
	.command = map_command,
	.tick = map_poll,
	.click = map_click,
	.title = map_title,
};
