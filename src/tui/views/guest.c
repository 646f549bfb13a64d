/*
 * Everything about one guest: profile, devices, exits, the last lines of a
 * crash. Asked for every second while it is shown. Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "control/message_text.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/mistakes.h"
#include "tui/ui/page.h"
#include "tui/ui/scroll.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define CONSOLE_LEAST 3 /* lines below which it has a screen of its own */
#define EXIT_COUNT 6
#define EXIT_WIDE 32 /* columns from which on an exit has its rate */

struct guest_view {
	char name[128];
	json_t *show, *before; /* results of guest.show: the last two */
	uint64_t show_at, before_at;
	int top, lines, page;
	bool asked;
};

static const char *text_since(char age[TEXT_NUMBER], uint64_t since)
{
	uint64_t now = clock_wall();

	return text_age(age, since && since < now ? (double)((now - since) / NS_PER_S) : 0);
}

/* What the guest says of its memory, if it does. */
static void memory_lines(struct page *page, const json_t *g, uint64_t memory)
{
	const json_t *view = json_object_get(g, "memory_view");
	uint64_t total = json_count(view, "total"), available = json_count(view, "available");
	char text[64], number[TEXT_NUMBER], other[TEXT_NUMBER];

	if (!json_is_object(view))
		return;
	if (total && available <= total) {
		snprintf(text, sizeof(text), "uses %s of %s",
			 text_size(number, (double)(total - available)),
			 text_size(other, (double)total));
		page_pair(page, "Its own view", INK_TEXT, text);
	}
	if (json_count(view, "target") == memory && !json_count(view, "balloon"))
		return;
	snprintf(text, sizeof(text), "holds %s, to leave it %s",
		 text_size(number, (double)json_count(view, "balloon")),
		 text_size(other, (double)json_count(view, "target")));
	page_pair(page, "Balloon", INK_TEXT, text);
}

static void tags_text(const json_t *tags, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (size_t i = 0; i < json_array_size(tags) && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "",
				      json_string_value(json_array_get(tags, i)));
}

static void section_profile(struct page *page, const json_t *g, const struct tui_guest *guest)
{
	uint64_t since = json_count(g, "since"), pressed = json_count(g, "pressed");
	char text[512], number[TEXT_NUMBER], age[TEXT_NUMBER];

	page_heading(page, "Guest");
	text_since(age, since);
	snprintf(text, sizeof(text), "%s %s%s%s", style_state_sign(guest->state),
		 guest_state_name(guest->state), since ? " for " : "", since ? age : "");
	page_pair(page, "State", style_state(guest->state), text);
	if (pressed) {
		snprintf(text, sizeof(text), "pressed %s ago", text_since(age, pressed));
		page_pair(page, "Power button", INK_WARN, text);
	}
	page_pair(page, "Reason", guest_state_in(guest->state, GUEST_BAD) ? INK_BAD : INK_TEXT,
	     json_text(g, "reason"));
	if (json_count(g, "restarts")) {
		snprintf(text, sizeof(text), "%llu since it was started",
			 (unsigned long long)json_count(g, "restarts"));
		page_pair(page, "Restarts", INK_WARN, text);
	}
	page_pair(page, "Profile", INK_TEXT,
	     *json_text(g, "profile") ? json_text(g, "profile") : "built in");
	if (*json_text(g, "orphaned")) {
		snprintf(text, sizeof(text), "%s; the guest goes on until it ends",
			 json_text(g, "orphaned"));
		page_pair(page, "", INK_WARN, text);
	}
	if (guest->state == GUEST_INVALID)
		return;
	snprintf(text, sizeof(text), "%u", guest->cpus);
	page_pair(page, "vCPUs", INK_TEXT, text);
	page_pair(page, "Memory", INK_TEXT, text_size(number, guest->memory));
	memory_lines(page, g, guest->memory);
	if (*json_text(g, "firmware"))
		page_pair(page, "Firmware", INK_TEXT, json_text(g, "firmware"));
	if (*json_text(g, "kernel") || !*json_text(g, "firmware"))
		page_pair(page, "Kernel", INK_TEXT,
			  *json_text(g, "kernel") ? json_text(g, "kernel") : "built in");
	page_pair(page, "Initrd", INK_TEXT, json_text(g, "initrd"));
	page_pair(page, "Cmdline", INK_TEXT, json_text(g, "cmdline"));
	if (*json_text(g, "ssh")) {
		snprintf(text, sizeof(text), "%s%s", json_text(g, "ssh"),
			 strcmp(json_text(g, "ssh_from"), "host") == 0 ? "" :
			 ", from guests of its switch");
		page_pair(page, "Login", INK_TEXT, text);
	}
	if (*json_text(g, "pending")) {
		snprintf(text, sizeof(text), "%s, from the next reset or start on",
			 json_text(g, "pending"));
		page_pair(page, "Pending", INK_WARN, text);
	}
	tags_text(json_object_get(g, "tags"), text, sizeof(text));
	page_pair(page, "Tags", INK_TEXT, text);
	page_pair(page, "Autostart", INK_TEXT, json_bool(g, "autostart") ? "yes" : "no");
}

static void section_mistakes(struct page *page, const json_t *mistakes)
{
	char text[600];

	if (json_array_size(mistakes) == 0)
		return;
	page_heading(page, "Mistakes in the profile");
	for (size_t i = 0; i < json_array_size(mistakes) && i < 200; i++) {
		json_mistake(text, sizeof(text), json_array_get(mistakes, i));
		page_paragraph(page, 0, INK_BAD, text);
	}
}

/* What a device of a name says of itself, or "". */
static const char *device_status(const json_t *g, const char *name)
{
	const json_t *devices = json_object_get(g, "devices");

	for (size_t i = 0; i < json_array_size(devices); i++)
		if (strcmp(json_text(json_array_get(devices, i), "name"), name) == 0)
			return json_text(json_array_get(devices, i), "status");
	return "";
}

static bool device_named(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "name"), name) == 0)
			return true;
	return false;
}

static void device(struct page *page, const json_t *g, const char *name, const char *what)
{
	const char *status = device_status(g, name);
	char text[900];

	snprintf(text, sizeof(text), "%s%s%s", what, *status ? ", " : "", status);
	page_pair(page, name, INK_TEXT, text);
}

/* Where the host leads to a card. */
static void add_forwards(const json_t *net, char *text, size_t size)
{
	const json_t *forwards = json_object_get(net, "forwards");

	for (size_t i = 0; i < json_array_size(forwards) && i < 64; i++) {
		const json_t *forward = json_array_get(forwards, i);

		sentence_add(text, size, strlen(text), ", port %u from %s",
			     (unsigned)json_count(forward, "port"), json_text(forward, "host"));
	}
}

static void section_devices(struct page *page, const json_t *g)
{
	const json_t *nets = json_object_get(g, "nets"), *disks = json_object_get(g, "disks");
	const json_t *devices = json_object_get(g, "devices");
	char text[600];

	if (json_array_size(nets) + json_array_size(disks) + json_array_size(devices) == 0)
		return;
	page_heading(page, "Devices");
	for (size_t i = 0; i < json_array_size(nets) && i < 64; i++) {
		const json_t *net = json_array_get(nets, i);

		snprintf(text, sizeof(text), "%s on switch %s, %s%s%s", json_text(net, "model"),
			 json_text(net, "switch"), json_text(net, "mac"),
			 *json_text(net, "address") ? ", " : "", json_text(net, "address"));
		add_forwards(net, text, sizeof(text));
		device(page, g, json_text(net, "name"), text);
	}
	for (size_t i = 0; i < json_array_size(disks) && i < 64; i++) {
		const json_t *disk = json_array_get(disks, i);

		snprintf(text, sizeof(text), "%s%s", json_disk_path(disk),
			 json_bool(disk, "readonly") ? ", read only" : "");
		device(page, g, json_text(disk, "name"), text);
	}
	for (size_t i = 0; i < json_array_size(devices) && i < 256; i++) {
		const char *name = json_text(json_array_get(devices, i), "name");

		if (!device_named(nets, name) && !device_named(disks, name))
			page_pair(page, name, INK_TEXT,
			     json_text(json_array_get(devices, i), "status"));
	}
}

static void section_registers(struct page *page, const json_t *g)
{
	const char *text = json_text(g, "registers");

	if (!*text)
		return;
	page_heading(page, "Registers");
	page_cells(page, INK_TEXT, text);
}

static const char *console_line(const json_t *lines, size_t index)
{
	const char *line = json_string_value(json_array_get(lines, index));

	return line ? line : "";
}

/*
 * As many of the console's last lines as the rest of the screen holds, or, where that
 * is little, as a screen holds, once the page is moved to its end.
 */
static void section_console(struct page *page, const json_t *g)
{
	const json_t *lines = json_object_get(g, "console_tail");
	size_t count = json_array_size(lines), first = count;
	int room;

	if (count == 0)
		return;
	page_heading(page, "Last lines of the console");
	room = page->r.height - page->y;
	if (room < CONSOLE_LEAST)
		room = page->r.height - 1;
	while (first > 0 && room > 0)
		room -= page_lines(page, 0, console_line(lines, --first));
	for (size_t i = first; i < count; i++) {
		const char *line = console_line(lines, i);

		if (i == first && room < 0)
			line = page_skip(page, 0, line, -room);
		if (*line)
			page_paragraph(page, 0, INK_TEXT, line);
		else
			page->y++;
	}
}

/* How often an exit happened by the answer before, to show its rate. */
static uint64_t count_before(const struct guest_view *state, const char *reason)
{
	const json_t *exits = json_object_get(state->before, "exits");

	for (size_t i = 0; i < json_array_size(exits); i++)
		if (strcmp(json_text(json_array_get(exits, i), "reason"), reason) == 0)
			return json_count(json_array_get(exits, i), "count");
	return 0;
}

static void exit_line(struct page *page, const struct guest_view *state, const json_t *entry,
		      uint64_t most)
{
	const char *reason = json_text(entry, "reason");
	uint64_t count = json_count(entry, "count"), before = count_before(state, reason);
	double seconds = (double)(state->show_at - state->before_at) / (double)NS_PER_S;
	char number[TEXT_NUMBER], text[64];
	int x = page->r.x, y, bar = page->r.width - 34, counts = 15;
	bool wide = page->r.width >= EXIT_WIDE;

	if (page->r.width < counts + EXIT_COUNT)
		counts = page->r.width - EXIT_COUNT;
	if (page_row(page, &y)) {
		draw_text(y, x, counts - 1, INK_TEXT, reason);
		draw_right(y, x + counts, EXIT_COUNT, INK_TEXT, text_count(number, (double)count));
		if (wide && state->before && seconds > 0 && count >= before) {
			snprintf(text, sizeof(text), "%s/s",
				 text_count(number, (double)(count - before) / seconds));
			draw_right(y, x + 22, 9, INK_TEXT | DRAW_DIM, text);
		}
		if (bar > 3)
			draw_bar(y, x + 33, bar, INK_ACCENT, (double)count / (double)most);
	}
	page->y++;
}

static void section_exits(struct page *page, const struct guest_view *state)
{
	const json_t *exits = json_object_get(state->show, "exits");
	uint64_t most = 1;

	if (json_array_size(exits) == 0)
		return;
	page_heading(page, "VM exits by reason");
	for (size_t i = 0; i < json_array_size(exits); i++)
		if (json_count(json_array_get(exits, i), "count") > most)
			most = json_count(json_array_get(exits, i), "count");
	for (size_t i = 0; i < json_array_size(exits) && i < 100; i++)
		exit_line(page, state, json_array_get(exits, i), most);
}

static void guest_draw(struct view *view, struct rect body)
{
	struct guest_view *state = view->state;
	const struct tui_guest *guest = model_find(&view->deck->model, state->name);
	bool wide = body.width >= 110;
	struct rect in = { body.y, body.x + 1, body.height, body.width - 2 };
	struct page left, right;

	if (!guest || !state->show) {
		draw_center(body, INK_TEXT, guest ? "Waiting for the details" :
						    "This guest is gone.");
		return;
	}
	state->page = in.height;
	left = (struct page){ in, 0, state->top };
	if (wide)
		left.r.width = in.width / 2 - 1;
	right = left;
	if (wide) {
		right.r.x += in.width / 2 + 1;
		right.r.width = in.width - in.width / 2 - 1;
	}
	section_profile(&left, state->show, guest);
	section_mistakes(&left, guest_state_in(guest->state, GUEST_ALIVE) ?
				json_object_get(state->show, "mistakes") :
				mistakes_of(view->deck, guest));
	section_devices(&left, state->show);
	if (!wide)
		right.y = left.y;
	section_registers(&right, state->show);
	section_exits(&right, state);
	if (!wide)
		left.y = right.y;
	section_console(guest->state == GUEST_CRASHED && wide ? &right : &left, state->show);
	state->lines = left.y > right.y ? left.y : right.y;
	if (scroll_bound(&state->top, state->lines, state->page))
		tui_dirty(view->tui); /* it got shorter, or the screen larger */
	page_more(in, state->lines, state->top, tui_key(view, COMMAND_PAGE_DOWN));
}

static void shown(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct guest_view *state = view->state;

	state->asked = false;
	if (error) {
		tui_fail(view->tui, error);
		return;
	}
	/* An answer about the guest that was shown before it. */
	if (strcmp(json_text(result, "name"), state->name) != 0)
		return;
	json_decref(state->before);
	state->before = state->show;
	state->before_at = state->show_at;
	state->show = json_incref(result);
	state->show_at = clock_monotonic();
	tui_dirty(view->tui);
}

static void ask(struct view *view)
{
	struct guest_view *state = view->state;
	const struct tui_guest *guest = model_find(&view->deck->model, state->name);

	mistakes_look(view->deck, guest);
	if (!state->asked && guest)
		state->asked = tui_call(view->deck, "guest.show",
					json_pack("{s:o}", "guest", message_text(state->name)),
					shown, view);
	tui_dirty(view->tui);
}

static void forget(struct view *view)
{
	struct guest_view *state = view->state;

	json_decref(state->show);
	json_decref(state->before);
	state->show = state->before = NULL;
}

static bool guest_open(struct view *view, const char *name)
{
	struct guest_view *state = view->state;

	if (strcmp(state->name, name) != 0) {
		forget(view);
		state->asked = false;
		state->top = 0;
		snprintf(state->name, sizeof(state->name), "%s", name);
	}
	return true;
}

static const char *guest_name(struct view *view)
{
	const struct guest_view *state = view->state;

	return state->name;
}

static bool guest_command(struct view *view, enum command command)
{
	struct guest_view *state = view->state;

	return scroll_command(&state->top, state->lines, state->page, command);
}

static void guest_title(struct view *view, char *out, size_t size)
{
	snprintf(out, size, "%s", guest_name(view));
}

const struct view_ops view_guest = {
	.id = "guest",
	.name = "Details of a guest",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_ORDERS | KEYS_HELP | KEYS_LOG | KEYS_NETWORK,
	.size = sizeof(struct guest_view),
	.destroy = forget,
	.open = guest_open,
	.guest = guest_name,
	.enter = ask,
	.draw = guest_draw,
	.command = guest_command,
	.tick = ask,
	.title = guest_title,
};
