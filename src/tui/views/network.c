/*
 * The network: switches, the ports of one, its leases, and its packets as they
 * pass. What it asks the server for, and its keys; network_draw.c draws it.
 * Screen thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/scroll.h"
#include "tui/views/network_draw.h"
#include "tui/views/table.h"

const struct switch_row *network_chosen(const struct tui *tui)
{
	const struct netmodel *model = &tui->network;

	if (model->switch_count == 0)
		return NULL;
	return &model->switches[tui->net.selected < model->switch_count ? tui->net.selected :
									  model->switch_count - 1];
}

/* Requests */

static void packets_subscribe(struct tui *tui);

static void packets_cancel(struct tui *tui)
{
	if (tui->net.subscription)
		tui_call(tui, "packets.cancel",
			 json_pack("{s:I}", "subscription", tui->net.subscription), NULL);
	tui->net.subscription = 0;
}

static void packets_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;
	struct network_view *view = &tui->net;

	view->asked = false;
	if (error) {
		tui_fail(tui, error);
		if (error->code && *view->filter && !view->stale) {
			view->filter[0] = '\0'; /* libpcap did not understand it */
			view->stale = true;
		}
	} else {
		view->subscription = json_integer_value(json_object_get(result, "subscription"));
	}
	if (!view->shown)
		packets_cancel(tui);
	else if (view->stale)
		packets_subscribe(tui);
	tui_dirty(tui);
}

/* Follows the chosen switch with the filter; one request at a time. */
static void packets_subscribe(struct tui *tui)
{
	struct network_view *view = &tui->net;
	const struct switch_row *row = network_chosen(tui);

	view->stale = view->asked;
	if (view->asked || !row)
		return;
	packets_cancel(tui);
	netmodel_forget_packets(&tui->network);
	view->held = false;
	snprintf(view->subscribed, sizeof(view->subscribed), "%s", row->name);
	view->asked = tui_call(tui, "packets.subscribe",
			       json_pack("{s:s,s:s?}", "switch", row->name, "filter",
					 *view->filter ? view->filter : NULL),
			       packets_reply);
}

static void switches_reply(void *arg, json_t *result, const struct client_error *error)
{
	const struct switch_row *row;
	struct tui *tui = arg;

	tui->net.polling = false;
	if (error) {
		tui_fail(tui, error);
		return;
	}
	netmodel_switches(&tui->network, result, clock_monotonic());
	row = network_chosen(tui);
	if (tui->net.shown && row && strcmp(row->name, tui->net.subscribed) != 0)
		packets_subscribe(tui);
	tui_dirty(tui);
}

static void captures_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;
	json_t *captures = json_object_get(result, "captures");

	tui->net.polling_captures = false;
	if (error)
		return;
	json_decref(tui->network.captures);
	tui->network.captures = json_is_array(captures) ? json_incref(captures) : NULL;
	tui_dirty(tui);
}

static void poll_network(struct tui *tui)
{
	if (!tui->net.polling)
		tui->net.polling = tui_call(tui, "switch.list", NULL, switches_reply);
	if (!tui->net.polling_captures)
		tui->net.polling_captures = tui_call(tui, "capture.list", NULL, captures_reply);
}

static void network_notified(struct tui *tui, const char *method, const json_t *params)
{
	if (strcmp(method, "packets") != 0 || !tui->net.subscription || json_integer_value(json_object_get(params, "subscription")) !=
					      tui->net.subscription)
		return;
	netmodel_packets(&tui->network, params);
	if (tui->net.shown)
		tui_dirty(tui);
}

static void network_enter(struct tui *tui)
{
	tui->net.shown = true;
	tui->net.subscribed[0] = '\0';
	poll_network(tui);
	if (network_chosen(tui))
		packets_subscribe(tui);
}

static void network_leave(struct tui *tui)
{
	tui->net.shown = false;
	tui->net.stale = false;
	packets_cancel(tui);
}

/* Captures */

static const json_t *running_capture(const struct tui *tui)
{
	for (size_t i = 0; i < json_array_size(tui->network.captures); i++) {
		const json_t *capture = json_array_get(tui->network.captures, i);

		if (!json_is_string(json_object_get(capture, "ended")))
			return capture;
	}
	return NULL;
}

static void capture_started(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	if (error)
		tui_fail(tui, error);
	else
		tui_say(tui, SEVERITY_GOOD, NULL, "Capturing to %s; w ends it.",
			json_text(result, "path"));
	poll_network(tui);
}

static void capture_ended(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;
	char size[TEXT_NUMBER];

	if (error)
		tui_fail(tui, error);
	else
		tui_say(tui, SEVERITY_GOOD, NULL, "The capture has %llu packets (%sB)%s.",
			(unsigned long long)json_count(result, "records"),
			text_size(size, json_double(result, "bytes")),
			json_count(result, "dropped") ? "; some were lost" : "");
	poll_network(tui);
}

static void capture_answer(struct tui *tui, int choice, const char *text)
{
	const struct switch_row *row = network_chosen(tui);
	json_t *params;

	(void)choice;
	if (!text || !row)
		return;
	params = json_pack("{s:[s],s:s?}", "ports", row->name, "filter",
			   *tui->net.filter ? tui->net.filter : NULL);
	if (*text)
		json_object_set_new(params, "path", json_string(text));
	tui_call(tui, "capture.start", params, capture_started);
}

static void capture_toggle(struct tui *tui)
{
	const json_t *capture = running_capture(tui);

	if (capture)
		tui_call(tui, "capture.stop",
			 json_pack("{s:O}", "capture", json_object_get(capture, "capture")),
			 capture_ended);
	else if (network_chosen(tui))
		prompt_line(&tui->prompt, "", capture_answer,
			    "Capture to (Enter: a name with the time):");
	else
		tui_say(tui, SEVERITY_WARNING, NULL, "There is no switch to capture from.");
}

/* Commands */

static bool packets_command(struct tui *tui, enum command command)
{
	struct network_view *view = &tui->net;
	uint64_t count = tui->network.packet_count;
	uint64_t oldest = count > NETMODEL_PACKETS ? count - NETMODEL_PACKETS : 0;
	uint64_t shown = view->packets_shown < count - oldest ? view->packets_shown :
								count - oldest;
	int top, lines = (int)(count - oldest), page = (int)shown;
	uint64_t end = view->held ? view->packet_end : count;

	if (end < oldest + shown)
		end = oldest + shown;
	top = (int)(end - shown - oldest);
	if (!scroll_command(&top, lines, page, command))
		return false;
	view->packet_end = oldest + (uint64_t)top + shown;
	view->held = view->packet_end < count;
	return true;
}

static bool pane_command(struct tui *tui, enum command command)
{
	struct network_view *view = &tui->net;
	const struct switch_row *row = network_chosen(tui);
	int position;

	if (view->pane == PANE_PACKETS)
		return packets_command(tui, command);
	if (view->pane == PANE_PORTS) {
		position = (int)view->port_top;
		if (!scroll_command(&position, row ? (int)row->port_count : 0,
				    (int)view->ports_shown, command))
			return false;
		view->port_top = (size_t)position;
		return true;
	}
	position = (int)view->selected;
	if (!scroll_command(&position, (int)tui->network.switch_count, 1, command))
		return false;
	if ((size_t)position != view->selected) {
		view->selected = (size_t)position;
		view->port_top = 0;
		packets_subscribe(tui);
	}
	return true;
}

static void filter_answer(struct tui *tui, int choice, const char *text)
{
	(void)choice;
	if (!text)
		return;
	snprintf(tui->net.filter, sizeof(tui->net.filter), "%s", text);
	packets_subscribe(tui);
}

static bool network_command(struct tui *tui, enum command command)
{
	struct network_view *view = &tui->net;

	switch (command) {
	case COMMAND_NEXT:
		view->pane = (view->pane + 1) % PANE_COUNT;
		return true;
	case COMMAND_HOLD:
		view->held = !view->held;
		view->packet_end = tui->network.packet_count;
		return true;
	case COMMAND_FILTER:
		prompt_line(&tui->prompt, view->filter, filter_answer, "Packets matching:");
		return true;
	case COMMAND_CAPTURE:
		capture_toggle(tui);
		return true;
	default:
		return pane_command(tui, command);
	}
}

static void network_title(struct tui *tui, char *out, size_t size)
{
	const struct switch_row *row = network_chosen(tui);

	snprintf(out, size, "Network%s%s", row ? " " : "", row ? row->name : "");
}

const struct view view_network = {
	.enter = network_enter,
	.leave = network_leave,
	.draw = network_draw,
	.command = network_command,
	.tick = poll_network,
	.notified = network_notified,
	.title = network_title,
};
