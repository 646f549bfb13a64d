/*
 * The network: switches, the ports of one, its leases, and its packets as they
 * pass. What it asks the server for, and its keys; network_draw.c draws it.
 * Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/scroll.h"
#include "tui/views/network_draw.h"
#include "tui/views/table.h"

/* Requests */

/* Follows the chosen switch with the filter. */
static void packets_subscribe(struct view *view)
{
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);

	if (!row)
		return;
	netmodel_forget_packets(&view->deck->network);
	state->held = false;
	snprintf(state->subscribed, sizeof(state->subscribed), "%s", row->name);
	subscription_start(&state->packets,
			   json_pack("{s:o,s:o}", "switch", message_text(row->name), "filter",
				     message_text(*state->filter ? state->filter : NULL)));
}

static void packets_answered(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	(void)result;
	tui_dirty(view->tui);
	if (!error) {
		if (*state->filter)
			tui_settle(view->tui, STATUS_REFUSAL, "filter");
		return;
	}
	/* What is asked for in its place is no success. */
	tui_fail_as(view->tui, "filter", error);
	if (error->code && *state->filter && !state->packets.next) {
		state->filter[0] = '\0'; /* libpcap did not understand it */
		if (tui_shows(view))
			packets_subscribe(view);
	}
}

static void packets_notified(void *arg, const json_t *params)
{
	struct view *view = arg;

	netmodel_packets(&view->deck->network, params);
	tui_dirty(view->tui);
}

static void switches_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	const struct switch_row *row;

	state->polling = false;
	if (error) {
		tui_fail(view->tui, error);
		return;
	}
	netmodel_switches(&view->deck->network, result, clock_monotonic());
	row = network_chosen(view);
	if (tui_shows(view) && row && strcmp(row->name, state->subscribed) != 0)
		packets_subscribe(view);
	tui_dirty(view->tui);
}

static const json_t *running_capture(const struct netmodel *model)
{
	for (size_t i = 0; i < json_array_size(model->captures); i++) {
		const json_t *capture = json_array_get(model->captures, i);

		if (!json_is_string(json_object_get(capture, "ended")))
			return capture;
	}
	return NULL;
}

static void show_capture(struct view *view, const char *path)
{
	tui_state(view->tui, STATUS_CAPTURE, "Capturing to %s; %s%s ends it.", path,
		  tui_key(view, COMMAND_CAPTURE), tui_shows(view) ? "" : " in the network's view");
}

static void captures_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	struct netmodel *model = &view->deck->network;
	json_t *captures = json_object_get(result, "captures");
	const json_t *capture;

	state->polling_captures = false;
	if (error)
		return;
	json_decref(model->captures);
	model->captures = json_is_array(captures) ? json_incref(captures) : NULL;
	capture = running_capture(model);
	if (capture)
		show_capture(view, json_text(capture, "path"));
	else
		tui_state_ended(view->tui, STATUS_CAPTURE);
	/* While the view is shown its tick asks. */
	if (capture && !tui_shows(view))
		loop_timer_set(&view->tui->loop, &state->captures_due, NS_PER_S);
}

static void poll_captures(void *arg)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	if (!state->polling_captures)
		state->polling_captures = tui_call(view->deck, "capture.list", NULL, captures_reply,
						   view);
}

static void poll_network(struct view *view)
{
	struct network_view *state = view->state;

	if (!state->polling)
		state->polling = tui_call(view->deck, "switch.list", NULL, switches_reply, view);
	poll_captures(view);
}

static void network_create(struct view *view)
{
	struct network_view *state = view->state;

	state->packets = (struct subscription){ .deck = view->deck, .name = "packets",
						.answered = packets_answered,
						.notified = packets_notified, .arg = view };
	subscription_add(&state->packets);
	state->captures_due = (struct loop_timer){ .fire = poll_captures, .arg = view };
	poll_captures(view); /* one may run since an earlier screen */
}

static void network_destroy(struct view *view)
{
	struct network_view *state = view->state;

	subscription_destroy(&state->packets);
	loop_timer_cancel(&view->tui->loop, &state->captures_due);
}

static void network_enter(struct view *view)
{
	struct network_view *state = view->state;

	state->subscribed[0] = '\0';
	poll_network(view);
	packets_subscribe(view);
}

static void network_leave(struct view *view)
{
	struct network_view *state = view->state;

	subscription_stop(&state->packets);
	poll_captures(view);
}

/* Captures */

static void capture_started(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;

	if (error)
		tui_fail(view->tui, error);
	else
		show_capture(view, json_text(result, "path"));
	poll_network(view);
}

static void capture_ended(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	char size[TEXT_NUMBER];

	if (error)
		tui_fail(view->tui, error);
	else
		tui_say(view->tui, SEVERITY_GOOD, NULL, "The capture has %llu packets (%sB)%s.",
			(unsigned long long)json_count(result, "records"),
			text_size(size, json_double(result, "bytes")),
			json_count(result, "dropped") ? "; some were lost" : "");
	poll_network(view);
}

static void capture_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	const struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);
	json_t *params;

	(void)choice;
	if (!text || !row)
		return;
	params = json_pack("{s:[o],s:o}", "ports", message_text(row->name), "filter",
			   message_text(*state->filter ? state->filter : NULL));
	if (*text)
		json_object_set_new(params, "path", message_text(text));
	tui_call(view->deck, "capture.start", params, capture_started, view);
}

static void capture_toggle(struct view *view)
{
	const json_t *capture = running_capture(&view->deck->network);

	if (capture)
		tui_call(view->deck, "capture.stop",
			 json_pack("{s:O}", "capture", json_object_get(capture, "capture")),
			 capture_ended, view);
	else if (network_chosen(view))
		prompt_line(&view->tui->prompt, "", capture_answer, view,
			    "Capture to (Enter: a name with the time):");
	else
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There is no switch to capture from.");
}

/* Commands */

static bool packets_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;
	uint64_t count = view->deck->network.packet_count;
	uint64_t oldest = count > NETMODEL_PACKETS ? count - NETMODEL_PACKETS : 0;
	uint64_t shown = state->packets_shown < count - oldest ? state->packets_shown :
								count - oldest;
	int top, lines = (int)(count - oldest), page = (int)shown;
	uint64_t end = state->held ? state->packet_end : count;

	if (end < oldest + shown)
		end = oldest + shown;
	top = (int)(end - shown - oldest);
	if (!scroll_command(&top, lines, page, command))
		return false;
	state->packet_end = oldest + (uint64_t)top + shown;
	state->held = state->packet_end < count;
	return true;
}

static bool pane_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);
	int position;

	if (state->pane == PANE_PACKETS)
		return packets_command(view, command);
	if (state->pane == PANE_PORTS) {
		position = (int)state->port_top;
		if (!scroll_command(&position, row ? (int)row->port_count : 0,
				    (int)state->ports_shown, command))
			return false;
		state->port_top = (size_t)position;
		return true;
	}
	position = (int)state->selected;
	if (!scroll_command(&position, (int)view->deck->network.switch_count, 1, command))
		return false;
	if ((size_t)position != state->selected) {
		state->selected = (size_t)position;
		state->port_top = 0;
		packets_subscribe(view);
	}
	return true;
}

static void filter_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	(void)choice;
	if (!text)
		return;
	snprintf(state->filter, sizeof(state->filter), "%s", text);
	packets_subscribe(view);
}

static bool network_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;

	switch (command) {
	case COMMAND_NEXT:
		state->pane = (state->pane + 1) % PANE_COUNT;
		return true;
	case COMMAND_HOLD:
		state->held = !state->held;
		state->packet_end = view->deck->network.packet_count;
		return true;
	case COMMAND_FILTER:
		prompt_line(&view->tui->prompt, state->filter, filter_answer, view,
			    "Packets matching:");
		return true;
	case COMMAND_CAPTURE:
		capture_toggle(view);
		return true;
	default:
		return pane_command(view, command);
	}
}

static void network_title(struct view *view, char *out, size_t size)
{
	const struct switch_row *row = network_chosen(view);

	snprintf(out, size, "Network%s%s", row ? " " : "", row ? row->name : "");
}

const struct view_ops view_network = {
	.id = "network",
	.name = "Network",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP | KEYS_LOG,
	.size = sizeof(struct network_view),
	.create = network_create,
	.destroy = network_destroy,
	.enter = network_enter,
	.leave = network_leave,
	.draw = network_draw,
	.command = network_command,
	.tick = poll_network,
	.title = network_title,
};
