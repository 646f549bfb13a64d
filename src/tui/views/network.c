/*
 * The network: switches, the ports of one, its leases, and its packets as they
 * pass. What it asks the server for, and its keys; network_draw.c draws it.
 * Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/model/flow.h"
#include "tui/ui/held.h"
#include "tui/ui/scroll.h"
#include "tui/views/network_capture.h"
#include "tui/views/network_draw.h"
#include "tui/views/network_held.h"
#include "tui/views/network_save.h"
#include "tui/views/table.h"

#define SHIFT_COLUMNS 8

/* Requests */

static void ask_packets(struct view *view, const struct switch_row *row, const char *filter)
{
	struct network_view *state = view->state;

	strcpy(state->asked, filter);
	state->restoring = false;
	subscription_start(&state->packets,
			   json_pack("{s:o,s:o,s:i,s:b}", "switch",
				     message_text(row->all ? NULL : row->name), "filter",
				     message_text(*filter ? filter : NULL), "bytes", NETMODEL_BYTES,
				     "program", 1));
}

/* Begins a list of the chosen switch. */
static void packets_subscribe(struct view *view)
{
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);

	if (!row)
		return;
	netmodel_forget_packets(&view->deck->network);
	snprintf(state->subscribed, sizeof(state->subscribed), "%s", row->name);
	ask_packets(view, row, state->filter);
}

/* Back to the filter that there was, or to none if that was refused, too. */
static void filter_refused(struct view *view)
{
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);

	if (strcmp(state->asked, state->filter) == 0)
		state->filter[0] = '\0';
	if (!*state->subscribed || !row)
		return;
	ask_packets(view, row, state->filter);
	state->restoring = true;
}

static void filter_taken(struct view *view)
{
	struct network_view *state = view->state;
	char text[PROMPT_TEXT] = "all packets from here on";

	if (state->restoring) {
		state->restoring = false;
		return;
	}
	tui_settle(view->tui, STATUS_REFUSAL, "filter");
	if (strcmp(state->asked, state->filter) == 0)
		return; /* a new list */
	strcpy(state->filter, state->asked);
	if (*state->filter)
		snprintf(text, sizeof(text), "matching %.200s from here on", state->filter);
	netmodel_mark(&view->deck->network, text);
}

/* What is listed already is filtered here as what comes is by the deck. */
static void filter_listed(struct view *view, const json_t *program)
{
	struct filter_insn insns[FILTER_INSNS_MAX];
	struct filter filter = { 0 };
	size_t count = json_array_size(program);
	struct cause cause;

	if (count > FILTER_INSNS_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(program, i);

		insns[i] = (struct filter_insn){
			.code = (uint16_t)json_integer_value(json_array_get(row, 0)),
			.jt = (uint8_t)json_integer_value(json_array_get(row, 1)),
			.jf = (uint8_t)json_integer_value(json_array_get(row, 2)),
			.k = (uint32_t)json_integer_value(json_array_get(row, 3)),
		};
	}
	if (count == 0 || filter_set(&filter, insns, (uint32_t)count, &cause) == 0)
		netmodel_filter(&view->deck->network, &filter);
}

static void packets_answered(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;

	tui_dirty(view->tui);
	if (error)
		tui_fail_as(view->tui, "filter", error);
	if (state->packets.next)
		return;
	if (!error) {
		filter_listed(view, json_object_get(result, "program"));
		filter_taken(view);
	} else if (error->code && *state->asked)
		filter_refused(view);
}

static void packets_notified(void *arg, const json_t *params)
{
	struct view *view = arg;

	netmodel_packets(&view->deck->network, params);
	tui_dirty(view->tui);
}

/* Has the selected port be the one of that name, wherever it is now. */
static void select_port(struct view *view, const char *name)
{
	const struct switch_row *row = network_chosen(view);
	struct network_view *state = view->state;

	for (size_t i = 0; row && i < row->port_count; i++)
		if (strcmp(row->ports[i].name, name) == 0)
			state->port = i;
}

static void switches_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	const struct switch_row *row;
	char port[sizeof(state->breaking)] = "";

	state->polling = false;
	if (error) {
		tui_fail(view->tui, error);
		return;
	}
	if (network_chosen_port(view))
		snprintf(port, sizeof(port), "%s", network_chosen_port(view)->name);
	netmodel_switches(&view->deck->network, result, clock_monotonic());
	select_port(view, port);
	row = network_chosen(view);
	if (tui_shows(view) && row && strcmp(row->name, state->subscribed) != 0)
		packets_subscribe(view);
	tui_dirty(view->tui);
}

static void poll_network(struct view *view)
{
	struct network_view *state = view->state;

	if (!state->polling)
		state->polling = tui_call(view->deck, "switch.list", NULL, switches_reply, view);
	held_ask(view->deck);
	network_poll_captures(view);
}

static void network_create(struct view *view)
{
	struct network_view *state = view->state;

	state->packets = (struct subscription){ .deck = view->deck, .name = "packets",
						.answered = packets_answered,
						.notified = packets_notified, .arg = view };
	subscription_add(&state->packets);
	network_captures_create(view);
}

static void network_destroy(struct view *view)
{
	struct network_view *state = view->state;

	subscription_destroy(&state->packets);
	network_captures_destroy(view);
	network_save_destroy(view);
}

/* The filter that a view above this one had made. */
static void take_wanted(struct view *view)
{
	struct netmodel *model = &view->deck->network;
	const struct switch_row *row = network_chosen(view);
	struct network_view *state = view->state;

	if (*model->wanted && row) {
		snprintf(state->typed, sizeof(state->typed), "%s", model->wanted);
		ask_packets(view, row, state->typed);
	}
	model->wanted[0] = '\0';
}

static void network_enter(struct view *view)
{
	struct network_view *state = view->state;

	poll_network(view);
	if (!*state->subscribed) /* else it went on below another view */
		packets_subscribe(view);
	take_wanted(view);
}

/* From here on its tick does not ask; the answer sees to it that somebody does. */
static void network_leave(struct view *view)
{
	network_poll_captures(view);
}

static void network_close(struct view *view)
{
	struct network_view *state = view->state;

	state->subscribed[0] = '\0';
	subscription_stop(&state->packets);
}

/* Commands */

/* While the list is not held, the last one in sight is selected. */
static void select_for_hold(struct view *view)
{
	struct network_view *state = view->state;
	const struct netmodel *model = &view->deck->network;
	uint64_t rows = model->row_end - model->row_first;

	if (netmodel_held(model))
		return;
	state->packet_at = rows ? netmodel_row(model, network_row_at(view)) : 0;
	state->row_top = rows > state->packets_shown ? model->row_end - state->packets_shown :
						       model->row_first;
}

static void hold_packets(struct view *view)
{
	select_for_hold(view);
	netmodel_hold(&view->deck->network);
}

static bool packets_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;
	struct netmodel *model = &view->deck->network;
	int lines = (int)(model->row_end - model->row_first);
	int at = (int)(network_row_at(view) - model->row_first);

	if (!scroll_cursor(&at, lines, (int)state->packets_shown, command))
		return false;
	if (!lines)
		return true;
	hold_packets(view);
	state->packet_at = netmodel_row(model, model->row_first + (uint64_t)at);
	if (at + 1 >= lines)
		netmodel_follow(model);
	return true;
}

/* Moves what is said of packets sideways; drawing it says where its end is. */
static void shift(struct view *view, int columns)
{
	struct network_view *state = view->state;

	state->shift += columns;
	if (state->shift < 0)
		state->shift = 0;
}

static void choose(struct view *view)
{
	struct netmodel *model = &view->deck->network;

	hold_packets(view);
	if (model->row_first < model->row_end)
		netmodel_choose(model, netmodel_row(model, network_row_at(view)));
}

/* Shows the selected packet's conversation alone. */
static void filter_for_this(struct view *view)
{
	const struct switch_row *row = network_chosen(view);
	const struct packet *packet = network_chosen_packet(view);
	struct network_view *state = view->state;
	struct flow flow;

	if (!row || !packet || !flow_read(&flow, packet->data, packet->captured)) {
		tui_say(view->tui, SEVERITY_WARNING, NULL,
			"There is no packet here whose conversation is known.");
		return;
	}
	flow_filter(&flow, state->typed);
	ask_packets(view, row, state->typed);
}

static void hold(struct view *view)
{
	struct netmodel *model = &view->deck->network;

	if (netmodel_held(model))
		netmodel_follow(model);
	else
		hold_packets(view);
}

static bool pane_command(struct view *view, enum command command)
{
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);
	int position;

	if (state->pane == PANE_PACKETS)
		return packets_command(view, command);
	if (state->pane == PANE_CAPTURES)
		return network_captures_command(view, command);
	if (state->pane == PANE_HELD)
		return network_held_command(view, command);
	if (state->pane == PANE_PORTS) {
		position = (int)state->port;
		if (!scroll_cursor(&position, row ? (int)row->port_count : 0,
				   (int)state->ports_shown, command))
			return false;
		state->port = (size_t)position;
		return true;
	}
	position = (int)state->selected;
	if (!scroll_command(&position, (int)view->deck->network.switch_count, 1, command))
		return false;
	if ((size_t)position != state->selected) {
		state->selected = (size_t)position;
		state->port = state->port_top = 0;
		packets_subscribe(view);
	}
	return true;
}

static void filter_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	const struct switch_row *row = network_chosen(view);

	(void)choice;
	if (!text)
		return;
	snprintf(state->typed, sizeof(state->typed), "%s", text);
	if (row)
		ask_packets(view, row, state->typed);
}

/* The selected packet; where a line between packets is selected, the one above it. */
static uint64_t packet_meant(const struct view *view, uint64_t selected)
{
	const struct netmodel *model = &view->deck->network;
	const struct packet *packet = netmodel_packet(model, selected);
	uint64_t row = network_row_at(view);

	while (packet && packet->mark && row > model->row_first) {
		selected = netmodel_row(model, --row);
		packet = netmodel_packet(model, selected);
	}
	return selected;
}

/* Tells the view that opens what it is about. */
static void tell_chosen(struct view *view)
{
	struct netmodel *model = &view->deck->network;
	const struct network_view *state = view->state;

	select_for_hold(view); /* the view that opens may hold the list */
	model->packet = packet_meant(view, state->packet_at);
	if (network_chosen_port(view))
		snprintf(model->port, sizeof(model->port), "%s", network_chosen_port(view)->name);
}

static void look(struct view *view)
{
	const struct network_view *state = view->state;

	tell_chosen(view);
	tui_open(view->tui, state->pane == PANE_PACKETS ? "packet" : "port", NULL);
}

static bool network_command(struct view *view, enum command command)
{
	struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;

	switch (command) {
	case COMMAND_OPEN:
		tell_chosen(view);
		return false; /* the screen opens what the key is for */
	case COMMAND_LOOK:
		look(view);
		return true;
	case COMMAND_NEXT:
		do
			state->pane = (state->pane + 1) % PANE_COUNT;
		while ((state->pane == PANE_HELD && !network_holds(view)) ||
		       (state->pane == PANE_CAPTURES &&
			!netmodel_running(model)));
		return true;
	case COMMAND_LEFT:
	case COMMAND_RIGHT:
		shift(view, command == COMMAND_LEFT ? -SHIFT_COLUMNS : SHIFT_COLUMNS);
		return true;
	case COMMAND_CHOOSE:
		choose(view);
		return true;
	case COMMAND_CONVERSATION:
		filter_for_this(view);
		return true;
	case COMMAND_SAVE:
		network_save(view);
		return true;
	case COMMAND_NAMES:
		state->addresses = !state->addresses;
		return true;
	case COMMAND_BREAK:
		network_break(view);
		return true;
	case COMMAND_PASS:
	case COMMAND_DROP:
		network_decide(view, command == COMMAND_PASS);
		return true;
	case COMMAND_HOLD:
		hold(view);
		return true;
	case COMMAND_FILTER:
		prompt_line(&view->tui->prompt, state->typed, filter_answer, view,
			    "Packets matching:");
		return true;
	case COMMAND_CAPTURE:
		network_capture(view);
		return true;
	case COMMAND_END_CAPTURE:
		network_end_capture(view);
		return true;
	case COMMAND_SAVE_PAST:
		network_save_past(view);
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
	.close = network_close,
	.draw = network_draw,
	.command = network_command,
	.tick = poll_network,
	.title = network_title,
};
