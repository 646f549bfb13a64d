/*
 * The key that captures to a file. A screen ends what it began itself; of what
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

static bool runs(const json_t *capture)
{
	return !json_is_string(json_object_get(capture, "ended"));
}

/* The capture of that number, or NULL. */
static const json_t *find(const struct netmodel *model, json_int_t number)
{
	const json_t *capture;
	size_t i;

	json_array_foreach(model->captures, i, capture)
		if (json_integer_value(json_object_get(capture, "capture")) == number)
			return capture;
	return NULL;
}

/* The newest one that runs; *count: how many do. */
static const json_t *newest(const struct netmodel *model, size_t *count)
{
	const json_t *capture, *found = NULL;
	size_t i;

	*count = 0;
	json_array_foreach(model->captures, i, capture) {
		if (!runs(capture))
			continue;
		if (!found)
			found = capture;
		++*count;
	}
	return found;
}

static void end(struct view *view, json_int_t number);

static void show(struct view *view, const char *path, bool own)
{
	if (own)
		tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s; %s%s ends it.", path,
			  tui_key(view, COMMAND_CAPTURE),
			  tui_shows(view) ? "" : " in the network's view");
	else
		tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s, begun elsewhere.", path);
}

/* What is under way: this screen's own, or else the newest of others. */
static void show_running(struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	const json_t *own = find(model, model->capture), *capture;
	struct network_view *state = view->state;
	size_t count;

	capture = own ? own : newest(model, &count);
	if (capture)
		show(view, json_text(capture, "path"), own);
	else
		tui_state_ended(view->tui, STATUS_CAPTURE);
	/* While the view is shown its tick asks. */
	if (capture && !tui_shows(view))
		loop_timer_set(&view->tui->loop, &state->captures_due, NS_PER_S);
}

static void listed(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	struct netmodel *model = &view->deck->network;
	json_t *captures = json_object_get(result, "captures");
	const json_t *own;

	state->polling_captures = false;
	if (error)
		return;
	json_decref(model->captures);
	model->captures = json_is_array(captures) ? json_incref(captures) : NULL;
	own = find(model, model->capture);
	if (!own)
		model->capture = 0; /* or somebody else ended it */
	else if (!runs(own))
		end(view, model->capture); /* it ended by itself */
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
		 json_text(find(model, number), "path"));
	json_array_foreach(model->captures, i, capture)
		if (json_integer_value(json_object_get(capture, "capture")) == number)
			break;
	json_array_remove(model->captures, i);
	if (model->capture == number)
		model->capture = 0;
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
	view->deck->network.capture = json_integer_value(json_object_get(result, "capture"));
	show(view, json_text(result, "path"), true);
	network_poll_captures(view);
}

static void start(struct view *view)
{
	const struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);
	struct cause cause = { "" };
	char path[PATH_MAX];
	json_t *params;

	if (!row)
		return;
	if (*state->path && paths_typed(path, state->path, &cause) < 0) {
		tui_say(view->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
		return;
	}
	params = json_pack("{s:[o],s:o}", "ports", message_text(row->name), "filter",
			   message_text(*state->filter ? state->filter : NULL));
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

static void ask_path(struct view *view)
{
	const struct network_view *state = view->state;

	if (network_chosen(view))
		prompt_line(&view->tui->prompt, state->path, path_typed, view,
			    "Capture to (Enter: a name with the time):");
	else
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no switch to capture from.");
}

static void other_chosen(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	const struct network_view *state = view->state;

	(void)text;
	if (choice == 'e' && !find(&view->deck->network, state->other))
		tui_say(view->tui, SEVERITY_WARNING, NULL, "That capture has ended meanwhile.");
	else if (choice == 'e')
		end(view, state->other);
	else if (choice == 'n')
		ask_path(view);
}

/* The list may be a second old: it was right to ask only if the other one runs still. */
static void other_listed(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	const struct network_view *state = view->state;
	const struct prompt *prompt = &view->tui->prompt;
	const json_t *other;

	listed(view, result, error);
	other = find(&view->deck->network, state->other);
	if (prompt->active && prompt->answer == other_chosen && !(other && runs(other)))
		ask_path(view);
}

/* Of captures that this screen did not begin. */
static void ask_other(struct view *view, const json_t *other, size_t count)
{
	static const struct choice choices[] = { { 'n', "begin a new one" }, { 'e', "end that one" },
						 { 0, "let it run" } };
	struct network_view *state = view->state;
	char more[64] = "";

	state->other = json_integer_value(json_object_get(other, "capture"));
	if (count > 1)
		snprintf(more, sizeof(more), " and %zu more", count - 1);
	prompt_ask(&view->tui->prompt, choices, other_chosen, view,
		   "A capture to %.400s%s runs, which this screen did not begin.",
		   json_text(other, "path"), more);
	tui_call(view->deck, "capture.list", NULL, other_listed, view);
}

void network_capture(struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	const json_t *other;
	size_t count;

	if (model->capture) {
		end(view, model->capture);
		return;
	}
	other = newest(model, &count);
	if (other)
		ask_other(view, other, count);
	else
		ask_path(view);
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

	if (!row) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no switch whose past it is.");
		return;
	}
	if (*state->saving)
		return;
	snprintf(state->saving, sizeof(state->saving), "%s", row->name);
	if (!tui_call(view->deck, "capture.start",
		      json_pack("{s:[o],s:i}", "ports", message_text(row->name), "past", ALL_OF_IT),
		      save_begun, view))
		state->saving[0] = '\0';
}
