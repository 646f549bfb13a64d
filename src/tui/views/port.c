/*
 * One port of a switch: what passed it, each reason for which frames were
 * dropped, who has got which address at it. Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/model/drops.h"
#include "tui/model/json.h"
#include "tui/ui/page.h"
#include "tui/ui/scroll.h"
#include "tui/ui/switches.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define COUNT_WIDTH 7
#define SAYS_LEAST 20
#define REASON_WIDTH 17

struct port_view {
	int top, lines, page;
};

static const json_t *find_port(const json_t *lists, const char *name, const json_t **of)
{
	const json_t *row, *port;
	size_t i, j;

	json_array_foreach(json_object_get(lists, "switches"), i, row) {
		*of = row;
		json_array_foreach(json_object_get(row, "ports"), j, port)
			if (strcmp(json_text(port, "name"), name) == 0)
				return port;
	}
	return NULL;
}

static void pair(struct page *page, const char *name, const json_t *port, const char *key)
{
	page_pair(page, name, INK_TEXT, json_text(port, key));
}

static void traffic(struct page *page, const char *name, const json_t *port, const char *way)
{
	char text[128], frames[TEXT_NUMBER], bytes[TEXT_NUMBER], key[32];

	snprintf(key, sizeof(key), "%s_frames", way);
	text_count(frames, json_double(port, key));
	snprintf(key, sizeof(key), "%s_bytes", way);
	snprintf(text, sizeof(text), "%s frames, %sB", frames,
		 text_size(bytes, json_double(port, key)));
	page_pair(page, name, INK_TEXT, text);
}

/* "delay=20ms, loss=1%", or counts of what that did. */
static void members(struct page *page, const char *name, json_t *object)
{
	char text[512] = "";
	size_t used = 0;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (used >= sizeof(text))
			break;
		if (json_is_string(value))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
						 used ? ", " : "", key, json_string_value(value));
		else
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lld %s",
						 used ? ", " : "",
						 (long long)json_integer_value(value), key);
	}
	page_pair(page, name, INK_TEXT, text);
}

/* What grows and is not usual stands out. */
static void drop_line(struct page *page, const char *name, json_int_t count, bool grows)
{
	const struct drop_reason *reason = drop_reason(name);
	bool usual = reason && reason->usual;
	unsigned style = usual ? INK_TEXT | DRAW_DIM : grows ? INK_BAD : INK_TEXT;
	int room = page->r.width - COUNT_WIDTH - 1, y;
	char number[TEXT_NUMBER];

	text_count(number, (double)count);
	if (page_row(page, &y))
		draw_right(y, page->r.x, COUNT_WIDTH, style | DRAW_BOLD, number);
	page_text(page, COUNT_WIDTH + 1, room < REASON_WIDTH ? room : REASON_WIDTH, style, name);
	room -= REASON_WIDTH + 1;
	if (reason && room >= SAYS_LEAST)
		page_text(page, COUNT_WIDTH + REASON_WIDTH + 2, room, INK_TEXT | DRAW_DIM,
			  reason->says);
	page->y++;
}

static void section_drops(struct page *page, const json_t *port, const json_t *before)
{
	json_t *drops = json_object_get(port, "drops"), *value;
	const json_t *was = json_object_get(before, "drops");
	const char *name;

	page_heading(page, "Drops, of what it sent or was to get");
	if (json_object_size(drops) == 0)
		page_paragraph(page, 0, INK_TEXT | DRAW_DIM, "none");
	json_object_foreach(drops, name, value)
		drop_line(page, name, json_integer_value(value),
			  before && (json_int_t)json_count(was, name) < json_integer_value(value));
}

static void section_leases(struct page *page, const json_t *of, const char *port)
{
	const json_t *lease;
	char text[256], age[TEXT_NUMBER];
	size_t i;
	bool any = false;

	json_array_foreach(json_object_get(of, "leases"), i, lease) {
		const char *hostname = json_text(lease, "hostname");

		if (strcmp(json_text(lease, "port"), port) != 0)
			continue;
		if (!any)
			page_heading(page, "Leases");
		any = true;
		snprintf(text, sizeof(text), "%.*s  %s  %s%s%s  for %s",
			 (int)strcspn(port, "/"), port, json_text(lease, "address"),
			 json_text(lease, "mac"), *hostname ? "  calls itself " : "", hostname,
			 text_age(age, json_double(lease, "remaining")));
		page_paragraph(page, 0, INK_TEXT, text);
	}
}

static void section_macs(struct page *page, const json_t *of, const char *port)
{
	const json_t *mac;
	char text[128], age[TEXT_NUMBER], vlan[32];
	size_t i;
	bool any = false;

	json_array_foreach(json_object_get(of, "macs"), i, mac) {
		if (strcmp(json_text(mac, "port"), port) != 0)
			continue;
		if (!any)
			page_heading(page, "Addresses learnt");
		any = true;
		snprintf(vlan, sizeof(vlan), "  VLAN %lld", (long long)json_count(mac, "vlan"));
		snprintf(text, sizeof(text), "%s  %s ago%s", json_text(mac, "mac"),
			 text_age(age, json_double(mac, "age")),
			 json_count(mac, "vlan") ? vlan : "");
		page_paragraph(page, 0, INK_TEXT, text);
	}
}

static void section_facts(struct page *page, const struct netmodel *model, const json_t *port,
			  const json_t *of)
{
	const struct break_row *stops = netmodel_break_of(model, model->port);

	pair(page, "switch", of, "name");
	pair(page, "kind", port, "kind");
	pair(page, "address", port, "mac");
	pair(page, "state", port, "state");
	members(page, "set to", json_object_get(port, "settings"));
	if (stops)
		page_pair(page, "stops", INK_BAD, *stops->filter ? stops->filter : "no more");
	traffic(page, "in", port, "in");
	traffic(page, "out", port, "out");
	members(page, "done to in", json_object_get(port, "in_impaired"));
	members(page, "done to out", json_object_get(port, "out_impaired"));
}

static void port_draw(struct view *view, struct rect box)
{
	const struct netmodel *model = &view->deck->network;
	struct rect r = draw_box(box, INK_ACCENT, model->port);
	const json_t *of = NULL, *port = find_port(model->lists, model->port, &of), *none;
	struct port_view *state = view->state;
	struct page page;

	r.x++;
	r.width -= 2;
	if (!port) {
		draw_center(r, INK_TEXT, "This port is not there any more.");
		return;
	}
	state->page = r.height;
	page = (struct page){ r, 0, state->top };
	section_facts(&page, model, port, of);
	section_drops(&page, port, find_port(model->lists_before, model->port, &none));
	section_leases(&page, of, model->port);
	section_macs(&page, of, model->port);
	state->lines = page.y;
	if (scroll_bound(&state->top, state->lines, state->page))
		tui_dirty(view->tui);
	page_more(r, state->lines, state->top, tui_key(view, COMMAND_PAGE_DOWN));
}

static void ask(struct view *view)
{
	switches_ask(view->deck);
}

static void port_enter(struct view *view)
{
	struct port_view *state = view->state;

	state->top = 0;
	ask(view);
}

static bool port_command(struct view *view, enum command command)
{
	struct port_view *state = view->state;

	return scroll_command(&state->top, state->lines, state->page, command);
}

static void port_title(struct view *view, char *out, size_t size)
{
	snprintf(out, size, "Port %s", view->deck->network.port);
}

const struct view_ops view_port = {
	.id = "port",
	.name = "Details of a port",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP | KEYS_LOG,
	.size = sizeof(struct port_view),
	.enter = port_enter,
	.draw = port_draw,
	.command = port_command,
	.tick = ask,
	.title = port_title,
};
