/* The deck: the list of guests, and the charts of the selected one. Screen thread. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/message_text.h"
#include "control/names.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/mistakes.h"
#include "tui/ui/scroll.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/deck_spans.h"
#include "tui/views/deck_table.h"
#include "tui/views/host_line.h"
#include "tui/views/layout.h"
#include "tui/views/panel.h"
#include "tui/views/table.h"

#define SAMPLED_MOST 40 /* guests whose histories one answer holds */
#define SORT_REVERSE 'i'

struct deck_view {
	struct guest_list list;
	struct deck_table table;
	char selected[128];
	char marked[128]; /* the guest that was marked last, by itself */
	char filter_before[GUEST_LIST_FILTER], selected_before[128]; /* it is typed */
	enum layout_mode mode;
	bool host; /* there is a line of it */
	unsigned chart; /* the first one */
	struct deck_spans spans;
	struct choice sorts[SORT_COUNT + 2];
};

/* The list as it is now; its rows are valid until the server says something. */
static struct guest_list *list_of(const struct view *view)
{
	struct deck_view *state = view->state;

	guest_list_update(&state->list, &view->deck->model, clock_monotonic());
	return &state->list;
}

static void select_at(struct view *view, size_t position)
{
	const struct guest_list *list = list_of(view);
	struct deck_view *state = view->state;

	snprintf(state->selected, sizeof(state->selected), "%s",
		 position < list->count ? list->rows[position]->name : "");
}

static const char *deck_guest(struct view *view)
{
	struct deck_view *state = view->state;

	select_at(view, guest_list_find(list_of(view), state->selected));
	return state->selected;
}

/* What the list is sorted by, and what the layout drawn last has room for. */
static unsigned deck_needs(struct view *view)
{
	const struct deck_view *state = view->state;

	return (guest_sorts[state->list.sort].samples ? VIEW_NEEDS_ALL : 0) |
	       (state->host ? VIEW_NEEDS_HOST : 0);
}

/*
 * Whether the guest's samples are wanted: of those in sight, by the layout drawn last. Where
 * guests change places, of all, if they are few, so that they are not asked for again.
 */
static bool is_wanted(const struct deck_view *state, const struct tui_guest *guest)
{
	const struct guest_list *list = &state->list;
	size_t page = state->table.rows.height > 0 ? (size_t)state->table.rows.height : 1;
	size_t place = guest->place - 1;

	if (strcmp(guest->name, state->selected) == 0)
		return true;
	if (place >= list->count || list->rows[place] != guest)
		return false;
	return (place >= state->table.top && place < state->table.top + page) ||
	       (guest_sorts[list->sort].samples && list->count <= SAMPLED_MOST);
}

/*
 * In an order of which it is no matter how they are sorted. Where guests change places those
 * that were in sight are kept until others need the room: they often come back, and what is
 * asked for anew comes with its history.
 */
static json_t *deck_stats(struct view *view)
{
	const struct deck_view *state = view->state;
	const struct model *model = &view->deck->model;
	bool keep = guest_sorts[state->list.sort].samples, news = false;
	json_t *names = json_array();
	size_t count = 0;

	deck_guest(view); /* it is up to date */
	for (size_t i = 0; i < model->guest_count; i++)
		if (is_wanted(state, model->guests[i])) {
			count++;
			news = news || !model->guests[i]->sampled;
		}
	for (size_t i = 0; i < model->guest_count; i++) {
		struct tui_guest *guest = model->guests[i];
		bool wanted = is_wanted(state, guest);

		if (!wanted && keep && guest->sampled && (!news || count < SAMPLED_MOST)) {
			wanted = true;
			count++;
		}
		guest->sampled = wanted;
		if (wanted)
			json_array_append_new(names, message_text(guest->name));
	}
	return names;
}

static void draw_empty(const struct view *view, struct rect r)
{
	const struct deck_view *state = view->state;
	const struct model *model = &view->deck->model;
	char text[512];

	if (!model->guests_known)
		snprintf(text, sizeof(text), "Waiting for the list of guests");
	else if (model->guest_count)
		snprintf(text, sizeof(text), "No guest's name contains \"%s\". Press %s to change "
			 "the filter.", state->list.filter, tui_key(view, COMMAND_FILTER));
	else
		snprintf(text, sizeof(text), "No guests yet. Make one with vmdeck new or a profile "
			 "(*" NAME_FILE_SUFFIX ") in %s, or try vmdeck --demo.",
			 model->deck && *model->deck ? model->deck : "the folder of guests");
	draw_center(r, INK_TEXT, text);
}

static void draw_list(struct view *view, struct rect r, bool boxed)
{
	struct deck_view *state = view->state;
	const struct guest_list *list = list_of(view);
	size_t selected = guest_list_find(list, state->selected);
	char title[128];

	if (boxed) {
		snprintf(title, sizeof(title), *list->filter ? "Guests matching %s" : "Guests",
			 list->filter);
		r = draw_box(r, INK_TEXT | DRAW_DIM, title);
	}
	if (list->count == 0) {
		state->table.heads.height = state->table.rows.height = 0;
		draw_empty(view, r);
		return;
	}
	deck_table_draw(&state->table, list, r, selected);
	if (boxed && list->count > (size_t)state->table.rows.height) {
		snprintf(title, sizeof(title), " %zu of %zu ", selected + 1, list->count);
		draw_right(r.y + r.height, r.x, r.width - 2, INK_TEXT | DRAW_DIM, title);
	}
}

/* What the guest has: " · 1 vCPU · 48.0M · net0 on lan · disk0 web.img". */
static void append_parts(const struct tui_guest *guest, char *out, size_t size)
{
	const json_t *nets = json_object_get(guest->json, "nets");
	const json_t *disks = json_object_get(guest->json, "disks");
	const char *dot = draw_sign(SIGN_SEPARATOR);
	char number[TEXT_NUMBER];
	size_t n = 0;

	if (guest->cpus)
		n = (size_t)snprintf(out, size, " %s %u vCPU%s %s %s", dot, guest->cpus,
				     guest->cpus == 1 ? "" : "s", dot,
				     text_size(number, guest->memory));
	for (size_t i = 0; i < json_array_size(nets) && i < 8 && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, " %s %s on %s%s%s", dot,
				      json_text(json_array_get(nets, i), "name"),
				      json_text(json_array_get(nets, i), "switch"),
				      *json_text(json_array_get(nets, i), "address") ? " " : "",
				      json_text(json_array_get(nets, i), "address"));
	for (size_t i = 0; i < json_array_size(disks) && i < 8 && n < size; i++) {
		const char *path = json_disk_path(json_array_get(disks, i));
		const char *slash = strrchr(path, '/');

		n += (size_t)snprintf(out + n, size - n, " %s %s %s", dot,
				      json_text(json_array_get(disks, i), "name"),
				      slash ? slash + 1 : path);
	}
}

/* Of one that is alive, what keeps its new profile away. */
static size_t append_mistakes(const struct tui_guest *guest, char *out, size_t size)
{
	const json_t *mistakes = json_object_get(guest->json, "mistakes");
	size_t count = json_array_size(mistakes);
	char first[600], more[40] = "";

	if (!count || !guest_state_in(guest->state, GUEST_ALIVE))
		return 0;
	json_mistake(first, sizeof(first), json_array_get(mistakes, 0));
	if (count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", count - 1);
	return (size_t)snprintf(out, size, " %s its new profile has mistakes: %s%s",
				draw_sign(SIGN_SEPARATOR), first, more);
}

/* The line between list and charts: how the selected guest is, and why or with what. */
static void facts(const struct tui_guest *guest, char *out, size_t size)
{
	const char *reason = json_text(guest->json, "reason"), *dot = draw_sign(SIGN_SEPARATOR);
	const char *pending = json_text(guest->json, "pending");
	const char *orphaned = json_text(guest->json, "orphaned");
	bool why = *reason && guest->state != GUEST_STARTING;
	uint64_t since = json_count(guest->json, "since"), now = clock_wall();
	char number[TEXT_NUMBER];
	size_t n;

	n = (size_t)snprintf(out, size, " %s", guest_state_name(guest->state));
	if (since && since < now && n < size)
		n += (size_t)snprintf(out + n, size - n, " for %s",
				      text_age(number, (double)((now - since) / NS_PER_S)));
	if (why && n < size)
		n += (size_t)snprintf(out + n, size - n, ": %s", reason);
	if (guest->restarts && n < size)
		n += (size_t)snprintf(out + n, size - n, " %s restarted %s time%s", dot,
				      text_count(number, (double)guest->restarts),
				      guest->restarts == 1 ? "" : "s");
	if (n < size)
		n += append_mistakes(guest, out + n, size - n);
	if (*pending && n < size)
		n += (size_t)snprintf(out + n, size - n, " %s new at its next reset: %s", dot,
				      pending);
	if (*orphaned && n < size)
		n += (size_t)snprintf(out + n, size - n, " %s its profile %s", dot, orphaned);
	if (!why && n < size)
		append_parts(guest, out + n, size - n);
}

static void draw_facts(struct rect r, const struct tui_guest *guest)
{
	bool bad = guest_state_in(guest->state, GUEST_BAD);
	char text[1024], all[1200];
	int used;

	facts(guest, text, sizeof(text));
	if (r.height > 1) {
		snprintf(all, sizeof(all), "%s%s", guest->name, text);
		draw_wrapped(r, bad ? INK_BAD : INK_TEXT, all);
		return;
	}
	used = draw_text(r.y, r.x, r.width, INK_ACCENT | DRAW_BOLD, guest->name);
	draw_sentence(r.y, r.x + used, r.width - used, bad ? INK_BAD : INK_TEXT, text);
}

/* The newest messages, newest at the bottom, one line each. */
static void draw_events(const struct messages *messages, struct rect box)
{
	struct rect r = draw_box(box, INK_TEXT | DRAW_DIM, "Messages");
	uint64_t first = messages_first(messages), lines = (uint64_t)(r.height > 0 ? r.height : 0);
	char time[16];

	if (messages->count == 0)
		draw_text(r.y, r.x + 1, r.width - 2, INK_TEXT | DRAW_DIM,
			  "Nothing has happened yet.");
	if (lines < messages->count - first)
		first = messages->count - lines;
	for (uint64_t n = first; n < messages->count; n++) {
		const struct message *message = messages_at(messages, n);
		int y = r.y + (int)(n - first), x = r.x + 1;

		x += draw_text(y, x, r.width - 2, INK_TEXT | DRAW_DIM,
			       draw_time(time, message->time)) + 1;
		if (message->guest)
			x += draw_text(y, x, r.x + r.width - x, INK_TEXT | DRAW_BOLD,
				       message->guest);
		x += draw_text(y, x, r.x + r.width - x, INK_TEXT | DRAW_DIM,
			       message_joint(message));
		draw_sentence(y, x, r.x + r.width - x, style_severity(message->severity),
			      message->text ? message->text : "");
	}
}

/* Instead of charts: what is wrong with the profile. */
static void draw_mistakes(const struct view *view, struct rect r, const json_t *mistakes)
{
	struct rect in = draw_box(r, INK_BAD, "Mistakes in the profile");
	char line[600];

	in.x++;
	in.width -= 2;
	for (size_t i = 0; i < json_array_size(mistakes) && in.height > 0; i++) {
		int used;

		json_mistake(line, sizeof(line), json_array_get(mistakes, i));
		used = draw_wrapped(in, INK_TEXT, line);
		in.y += used;
		in.height -= used;
	}
	if (in.height > 1)
		draw_format(in.y + 1, in.x, in.width, INK_TEXT | DRAW_DIM,
			    "Press %s to edit the profile.", tui_key(view, COMMAND_EDIT));
}

static void draw_charts(struct view *view, const struct deck_layout *layout,
			const struct tui_guest *guest)
{
	struct deck_view *state = view->state;
	struct tui_guest room;
	const struct rect *first = &layout->charts[0];
	const struct rect *last = &layout->charts[layout->chart_count - 1];
	const json_t *mistakes = mistakes_of(view->deck, guest);
	char empty[160];

	if (!guest_state_in(guest->state, GUEST_ALIVE) && json_array_size(mistakes)) {
		draw_mistakes(view, (struct rect){ first->y, first->x,
						   last->y + last->height - first->y,
						   last->x + last->width - first->x }, mistakes);
		return;
	}
	if (guest_state_in(guest->state, GUEST_ALIVE))
		snprintf(empty, sizeof(empty), "waiting for samples");
	else
		snprintf(empty, sizeof(empty), "%.60s is not running", guest->name);
	guest = deck_spans_of(&state->spans, guest, &room);
	for (unsigned i = 0; i < layout->chart_count; i++)
		panel_draw(layout->charts[i], (state->chart + i) % PANEL_COUNT, guest,
			   state->spans.span, empty);
}

static void deck_draw(struct view *view, struct rect body)
{
	const struct tui_guest *guest = model_find(&view->deck->model, deck_guest(view));
	struct deck_view *state = view->state;
	size_t count = list_of(view)->count;
	struct deck_layout layout;

	layout_deck(&layout, body, (int)count + (count > 1), state->mode);
	state->host = layout.host.height > 0;
	state->table.totals = false;
	draw_list(view, layout.list, layout.boxed);
	if (state->host) /* no number twice */
		host_line_draw(layout.host, &view->deck->model.machine, !state->table.totals);
	if (layout.events.height > 2)
		draw_events(&view->tui->messages, layout.events);
	if (guest && layout.facts.height)
		draw_facts(layout.facts, guest);
	if (guest && layout.chart_count)
		draw_charts(view, &layout, guest);
}

/* --- the filter, which works while it is typed --- */

static void filter_typed(void *arg, const char *text)
{
	struct deck_view *state = arg;

	if (strcmp(state->list.filter, text) != 0)
		guest_list_filter(&state->list, text);
}

/* What is not wanted after all leaves the selection where it was, too. */
static void filter_answer(void *arg, int choice, const char *text)
{
	struct deck_view *state = arg;

	(void)choice;
	filter_typed(state, text ? text : state->filter_before);
	if (!text)
		snprintf(state->selected, sizeof(state->selected), "%s", state->selected_before);
}

static void ask_filter(struct view *view)
{
	struct deck_view *state = view->state;

	snprintf(state->filter_before, sizeof(state->filter_before), "%s", state->list.filter);
	snprintf(state->selected_before, sizeof(state->selected_before), "%s", deck_guest(view));
	prompt_line(&view->tui->prompt, state->list.filter, filter_answer, state,
		    "Show guests with:");
	prompt_live(&view->tui->prompt, filter_typed);
}

/* One more, and on to the next, so that several are marked by one key. */
static void mark_selected(struct view *view, size_t selected)
{
	const struct guest_list *list = list_of(view);
	struct deck_view *state = view->state;
	struct tui_guest *guest;

	if (selected >= list->count)
		return;
	guest = list->rows[selected];
	guest->marked = !guest->marked;
	snprintf(state->marked, sizeof(state->marked), "%s", guest->marked ? guest->name : "");
	select_at(view, selected + 1 < list->count ? selected + 1 : selected);
}

/* As they are listed now, up or down from the one that was marked last; without it, the one alone. */
static void mark_range(struct view *view, size_t selected)
{
	const struct guest_list *list = list_of(view);
	const struct deck_view *state = view->state;
	size_t from, to = selected;

	if (selected >= list->count)
		return;
	for (from = 0; from < list->count; from++)
		if (list->rows[from]->marked && strcmp(list->rows[from]->name, state->marked) == 0)
			break;
	if (from == list->count)
		from = selected;
	if (from > to) {
		to = from;
		from = selected;
	}
	for (size_t i = from; i <= to; i++)
		list->rows[i]->marked = true;
}

/* Of those that are listed. */
static void invert_marks(const struct guest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		list->rows[i]->marked = !list->rows[i]->marked;
}

/* Also of those that are not listed now; whether there was one. */
static bool clear_marks(struct model *model)
{
	bool marked = model_marked(model) > 0;

	for (size_t i = 0; i < model->guest_count; i++)
		model->guests[i]->marked = false;
	return marked;
}

/* Back to how the list was at first, a step at a time; false: there is nothing to undo. */
static bool step_back(struct view *view)
{
	struct deck_view *state = view->state;

	if (clear_marks(&view->deck->model))
		return true;
	if (!*state->list.filter)
		return false;
	guest_list_filter(&state->list, "");
	return true;
}

/* Gives list or charts the room, or takes it back. */
static void toggle_mode(struct deck_view *state, enum layout_mode mode)
{
	state->mode = state->mode == mode ? LAYOUT_SHARED : mode;
}

/* --- sorting --- */

static void sort_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct guest_list *list = list_of(view);

	(void)text;
	if (choice == SORT_REVERSE)
		guest_list_reverse(list);
	for (unsigned i = 0; i < SORT_COUNT && choice; i++)
		if (guest_sorts[i].key == choice)
			guest_list_sort(list, &view->deck->model, i);
}

static void ask_sort(struct view *view)
{
	struct deck_view *state = view->state;
	struct choice *choices = state->sorts;

	for (unsigned i = 0; i < SORT_COUNT; i++)
		choices[i] = (struct choice){ guest_sorts[i].key, guest_sorts[i].name };
	choices[SORT_COUNT] = (struct choice){ SORT_REVERSE, "the other way round" };
	choices[SORT_COUNT + 1] = (struct choice){ 0, "as it is" };
	prompt_ask(&view->tui->prompt, choices, sort_answer, view, "Sort by?");
	prompt_also(&view->tui->prompt, keys_code(view->tui->keys, view->ops, COMMAND_SORT),
		    SORT_REVERSE);
	prompt_ahead(&view->tui->prompt);
}

/* By the column beside, and from the last one to the first. */
static void sort_beside(struct view *view, unsigned step)
{
	struct guest_list *list = list_of(view);

	guest_list_sort(list, &view->deck->model, (list->sort + step) % SORT_COUNT);
}

/* A head sorts, a second time the other way round; a row is selected. */
static void deck_click(struct view *view, int y, int x)
{
	struct guest_list *list = list_of(view);
	const struct deck_view *state = view->state;
	enum guest_sort sort = deck_table_head(&state->table, y, x);
	size_t row = deck_table_row(&state->table, y, x, list->count);

	if (sort != SORT_COUNT && sort == list->sort)
		guest_list_reverse(list);
	else if (sort != SORT_COUNT)
		guest_list_sort(list, &view->deck->model, sort);
	else if (row < list->count)
		select_at(view, row);
}

/* The selection moves as a page of one line does, but by pages of the list. */
static bool move_selection(struct view *view, enum command command)
{
	const struct guest_list *list = list_of(view);
	struct deck_view *state = view->state;
	int count = (int)list->count, position = (int)guest_list_find(list, state->selected);

	if (command == COMMAND_PAGE_UP)
		position -= state->table.rows.height;
	else if (command == COMMAND_PAGE_DOWN)
		position += state->table.rows.height;
	else if (!scroll_command(&position, count, 1, command))
		return false;
	if (position >= count)
		position = count - 1;
	select_at(view, position > 0 ? (size_t)position : 0);
	return true;
}

static bool deck_command(struct view *view, enum command command)
{
	struct deck_view *state = view->state;

	switch (command) {
	case COMMAND_FILTER:
		ask_filter(view);
		return true;
	case COMMAND_BACK:
		return step_back(view);
	case COMMAND_CHART:
		state->chart = (state->chart + 1) % PANEL_COUNT;
		return true;
	case COMMAND_SPAN:
		deck_spans_next(&state->spans, view);
		return true;
	case COMMAND_LIST_ALONE:
		toggle_mode(state, LAYOUT_LIST);
		return true;
	case COMMAND_CHARTS_ALONE:
		toggle_mode(state, LAYOUT_CHARTED);
		return true;
	case COMMAND_SORT:
		ask_sort(view);
		return true;
	case COMMAND_SORT_LEFT:
		sort_beside(view, SORT_COUNT - 1);
		return true;
	case COMMAND_SORT_RIGHT:
		sort_beside(view, 1);
		return true;
	case COMMAND_SORT_REVERSE:
		guest_list_reverse(list_of(view));
		return true;
	case COMMAND_MARK:
		mark_selected(view, guest_list_find(list_of(view), deck_guest(view)));
		return true;
	case COMMAND_MARK_RANGE:
		mark_range(view, guest_list_find(list_of(view), deck_guest(view)));
		return true;
	case COMMAND_MARK_OTHERS:
		invert_marks(list_of(view));
		return true;
	case COMMAND_UNMARK:
		clear_marks(&view->deck->model);
		return true;
	default:
		return move_selection(view, command);
	}
}

static void deck_destroy(struct view *view)
{
	struct deck_view *state = view->state;

	if (!state)
		return;
	guest_list_free(&state->list);
	deck_spans_destroy(&state->spans);
}

static void deck_tick(struct view *view)
{
	mistakes_look(view->deck, model_find(&view->deck->model, deck_guest(view)));
	tui_dirty(view->tui); /* "running for 3m12s" */
}

const struct view_ops view_deck = {
	.id = "deck",
	.name = "Guests",
	.keys = KEYS_LIST | KEYS_ORDERS | KEYS_HELP | KEYS_LOG,
	.marks = true,
	.size = sizeof(struct deck_view),
	.destroy = deck_destroy,
	.guest = deck_guest,
	.draw = deck_draw,
	.command = deck_command,
	.tick = deck_tick,
	.stats = deck_stats,
	.needs = deck_needs,
	.click = deck_click,
};
