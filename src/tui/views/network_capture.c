/*
 * Captures to files: several may run. A screen ends what it began itself; of what
 * others began, or what goes on from an earlier screen, it asks. Screen thread.
 */
#include "tui/views/network_capture.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/paths.h"
#include "control/message_text.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/scroll.h"

#define NONE_NS (5 * NS_PER_S) /* so often it is asked whether one runs */

static json_int_t number_of(const json_t *capture)
{
	return json_integer_value(json_object_get(capture, "capture"));
}

/* The n-th that runs, the newest first, or NULL. */
static const json_t *running(const struct netmodel *model, size_t n)
{
	const json_t *capture;
	size_t i;

	json_array_foreach(model->captures, i, capture)
		if (netmodel_runs(capture) && n-- == 0)
			return capture;
	return NULL;
}

/* Which of them is selected: one that has ended gives way to the newest. */
static size_t selected(const struct view *view)
{
	const struct network_view *state = view->state;
	const json_t *capture;

	for (size_t n = 0; (capture = running(&view->deck->network, n)); n++)
		if (number_of(capture) == state->capture)
			return n;
	return 0;
}

static void end(struct view *view, json_int_t number);

/* What is under way, and how it ends. */
static void show_running(struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	size_t count = netmodel_running(model);
	struct network_view *state = view->state;
	const json_t *capture = running(model, selected(view));
	const char *where = tui_shows(view) ? "" : " in the network's view";

	if (!count)
		tui_state_ended(view->tui, STATUS_CAPTURE);
	else if (count > 1)
		tui_state(view->tui, STATUS_CAPTURE, "%zu captures run; %s%s ends the selected one.",
			  count, tui_key(view, COMMAND_END_CAPTURE), where);
	else if (netmodel_owns(model, number_of(capture)))
		tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s; %s%s ends it.",
			  json_text(capture, "path"), tui_key(view, COMMAND_END_CAPTURE), where);
	else
		tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s, begun elsewhere.",
			  json_text(capture, "path"));
	/* While the view is shown its tick asks. */
	if (!tui_shows(view))
		loop_timer_set(&view->tui->loop, &state->captures_due,
			       count ? NS_PER_S : NONE_NS);
}

/* Of those that this screen began: some may have ended by themselves, or be ended by others. */
static void look_after_own(struct view *view)
{
	struct netmodel *model = &view->deck->network;

	for (size_t i = 0; i < NETMODEL_OWN; i++) {
		json_int_t number = model->own[i];
		const json_t *capture = number ? netmodel_capture(model, number) : NULL;

		if (number && !capture)
			model->own[i] = 0;
		else if (number && !netmodel_runs(capture))
			end(view, number);
	}
}

static void listed(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	struct netmodel *model = &view->deck->network;
	json_t *captures = json_object_get(result, "captures");

	state->polling_captures = false;
	if (error)
		return;
	json_decref(model->captures);
	model->captures = json_is_array(captures) ? json_incref(captures) : NULL;
	if (state->listing_is_old) {
		state->listing_is_old = false;
		network_poll_captures(view);
		return;
	}
	look_after_own(view);
	show_running(view);
	tui_dirty(view->tui);
}

void network_poll_captures(struct view *view)
{
	struct network_view *state = view->state;

	if (!state->polling_captures)
		state->polling_captures = tui_call(view->deck, "capture.list", NULL, listed, view);
}

static void due(void *arg)
{
	network_poll_captures(arg);
}

void network_captures_create(struct view *view)
{
	struct network_view *state = view->state;

	state->captures_due = (struct loop_timer){ .fire = due, .arg = view };
	network_poll_captures(view);
}

void network_captures_destroy(struct view *view)
{
	struct network_view *state = view->state;

	loop_timer_cancel(&view->tui->loop, &state->captures_due);
}

static void ended(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	const struct network_view *state = view->state;
	const char *why = json_text(result, "ended");
	bool named = *why || !*state->ending; /* a reason names it */
	uint64_t records = json_count(result, "records");
	char size[TEXT_NUMBER];

	if (error && strcmp(error->name, "ENOENT") == 0)
		tui_say(view->tui, SEVERITY_WARNING, NULL, "That capture has ended meanwhile.");
	else if (error)
		tui_fail(view->tui, error);
	else
		tui_say(view->tui, *why ? SEVERITY_ERROR : SEVERITY_GOOD, NULL,
			"%s%sThe capture has %llu packet%s (%sB)%s%s%s.", why, *why ? ". " : "",
			(unsigned long long)records, records == 1 ? "" : "s",
			text_size(size, json_double(result, "bytes")),
			named ? "" : ", in ", named ? "" : state->ending,
			json_count(result, "dropped") ? "; some were lost" : "");
	network_poll_captures(view);
}

/* It is out of the list at once: a key that follows is about another one. */
static void end(struct view *view, json_int_t number)
{
	struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;
	const json_t *capture;
	size_t i;

	snprintf(state->ending, sizeof(state->ending), "%s",
		 json_text(netmodel_capture(model, number), "path"));
	json_array_foreach(model->captures, i, capture)
		if (json_integer_value(json_object_get(capture, "capture")) == number)
			break;
	json_array_remove(model->captures, i);
	netmodel_disown(model, number);
	tui_call(view->deck, "capture.stop", json_pack("{s:I}", "capture", number), ended, view);
}

static void started(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	if (error) {
		tui_fail(view->tui, error); /* the path stays for the next time */
		return;
	}
	state->path[0] = '\0';
	state->capture = number_of(result);
	netmodel_own(&view->deck->network, state->capture);
	state->listing_is_old = state->polling_captures;
	tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s; %s ends it.",
		  json_text(result, "path"), tui_key(view, COMMAND_END_CAPTURE));
	network_poll_captures(view);
}

static void start(struct view *view)
{
	const struct network_view *state = view->state;
	struct cause cause = { "" };
	char path[PATH_MAX];
	json_t *params;

	if (*state->path && paths_typed(path, state->path, &cause) < 0) {
		tui_say(view->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
		return;
	}
	params = json_pack("{s:o}", "filter",
			   message_text(*state->filter ? state->filter : NULL));
	if (*state->scope)
		json_object_set_new(params, "ports", json_pack("[o]", message_text(state->scope)));
	if (*state->path)
		json_object_set_new(params, "path", message_text(path));
	tui_call(view->deck, "capture.start", params, started, view);
}

static void path_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	(void)choice;
	if (!text)
		return;
	snprintf(state->path, sizeof(state->path), "%s", text);
	start(view);
}

void network_capture(struct view *view)
{
	const struct switch_row *row = network_chosen(view);
	const struct port_row *port = network_chosen_port(view);
	struct network_view *state = view->state;
	char question[400];

	if (!row) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no switch to capture from.");
		return;
	}
	snprintf(state->scope, sizeof(state->scope), "%s", state->pane == PANE_PORTS && port ?
		 port->name : row->all ? "" : row->name);
	snprintf(question, sizeof(question), "Capture %s%s%.200s to (Enter: a name with the time):",
		 *state->scope ? state->scope : row->name, *state->filter ? " matching " : "",
		 state->filter);
	prompt_line(&view->tui->prompt, state->path, path_typed, view, question);
}

static void end_chosen(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	const struct network_view *state = view->state;

	(void)text;
	if (choice && !netmodel_capture(&view->deck->network, state->other))
		tui_say(view->tui, SEVERITY_WARNING, NULL, "That capture has ended meanwhile.");
	else if (choice)
		end(view, state->other);
}

void network_end_capture(struct view *view)
{
	static const struct choice choices[] = { { 'y', "end it" }, { 0, "let it run" } };
	const struct netmodel *model = &view->deck->network;
	const json_t *capture = running(model, selected(view));
	struct network_view *state = view->state;

	if (!capture) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "No capture runs.");
		return;
	}
	state->other = number_of(capture);
	if (netmodel_owns(model, state->other))
		end(view, state->other);
	else
		prompt_ask(&view->tui->prompt, choices, end_chosen, view,
			   "This screen did not begin the capture to %.400s.",
			   json_text(capture, "path"));
}

bool network_captures_command(struct view *view, enum command command)
{
	const struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;
	int at = (int)selected(view);

	if (!scroll_cursor(&at, (int)netmodel_running(model), state->captures_shown, command))
		return false;
	state->capture = number_of(running(model, (size_t)at));
	return true;
}

/* "lan, web/net0" */
static void scope_text(const json_t *capture, char *out, size_t size)
{
	const json_t *ports = json_object_get(capture, "ports"), *port;
	size_t i, n;

	n = (size_t)snprintf(out, size, "%s", json_array_size(ports) ? "" : "all switches");
	json_array_foreach(ports, i, port)
		if (n < size && json_is_string(port))
			n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "",
					      json_string_value(port));
}

/* What it is of, how much there is, and where. */
static void draw_capture(const struct view *view, const json_t *capture, struct rect r, bool is)
{
	const struct network_view *state = view->state;
	unsigned style = is && state->pane == PANE_CAPTURES ? INK_TEXT | DRAW_REVERSE : INK_TEXT;
	int x = r.x, end = r.x + r.width;
	char scope[200], size[TEXT_NUMBER], text[TEXT_MOST];

	scope_text(capture, scope, sizeof(scope));
	if (style & DRAW_REVERSE)
		draw_fill(r, style);
	x += draw_format(r.y, x, end - x, INK_BAD | DRAW_BOLD, "%s capturing ", draw_sign(SIGN_DOT));
	if (is)
		x += draw_format(r.y, x, end - x, INK_ACCENT, "(%s ends it) ",
				 tui_key(view, COMMAND_END_CAPTURE));
	x += draw_text(r.y, x, end - x, style | DRAW_BOLD, scope);
	if (*json_text(capture, "filter"))
		x += draw_format(r.y, x, (end - x) / 3, style, " %s", json_text(capture, "filter"));
	snprintf(text, sizeof(text), ": %llu packets, %sB%s, to %s",
		 (unsigned long long)json_count(capture, "records"),
		 text_size(size, json_double(capture, "bytes")),
		 json_count(capture, "dropped") ? ", some lost" : "", json_text(capture, "path"));
	draw_sentence(r.y, x, end - x, style, text);
}

int network_draw_captures(struct view *view, struct rect r, int most)
{
	struct network_view *state = view->state;
	const struct netmodel *model = &view->deck->network;
	int count = (int)netmodel_running(model), at = (int)selected(view), top;

	if (state->pane == PANE_CAPTURES && !count)
		state->pane = PANE_PACKETS;
	most = most > r.height ? r.height : most;
	state->captures_shown = count < most ? count : most;
	top = at >= state->captures_shown ? at - state->captures_shown + 1 : 0;
	for (int i = 0; i < state->captures_shown; i++)
		draw_capture(view, running(model, (size_t)(top + i)),
			     (struct rect){ r.y + i, r.x, 1, r.width }, top + i == at);
	return state->captures_shown;
}

/* --- the past: a capture of it that is ended as it begins --- */

#define ALL_OF_IT 86400000 /* ms */

static void saved(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	const char *why = json_text(result, "ended");
	uint64_t records = json_count(result, "records");
	char size[TEXT_NUMBER];

	if (error)
		tui_fail(view->tui, error);
	else
		tui_say(view->tui, *why ? SEVERITY_ERROR : SEVERITY_GOOD, NULL,
			"%s%sThe past has %llu packet%s (%sB), in %s", why, *why ? ". " : "",
			(unsigned long long)records, records == 1 ? "" : "s",
			text_size(size, json_double(result, "bytes")), state->saving);
	state->saving[0] = '\0';
}

static void save_begun(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	if (error) {
		tui_fail(view->tui, error);
		state->saving[0] = '\0';
		return;
	}
	snprintf(state->saving, sizeof(state->saving), "%s", json_text(result, "path"));
	tui_call(view->deck, "capture.stop",
		 json_pack("{s:O}", "capture", json_object_get(result, "capture")), saved, view);
}

void network_save_past(struct view *view)
{
	const struct switch_row *row = network_chosen(view);
	struct network_view *state = view->state;
	json_t *params;

	if (!row) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no switch whose past it is.");
		return;
	}
	if (*state->saving)
		return;
	snprintf(state->saving, sizeof(state->saving), "%s", row->name);
	params = json_pack("{s:i}", "past", ALL_OF_IT);
	if (!row->all)
		json_object_set_new(params, "ports", json_pack("[o]", message_text(row->name)));
	if (!tui_call(view->deck, "capture.start", params, save_begun, view))
		state->saving[0] = '\0';
}
