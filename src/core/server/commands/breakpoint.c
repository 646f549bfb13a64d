/*
 * Breakpoints of ports: setting them, looking at what they hold, deciding about it; and frames that
 * somebody puts in. Deck thread.
 */
#include "core/server/commands/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/message.h"
#include "core/deck/deck.h"
#include "core/server/filters.h"
#include "core/server/json.h"
#include "net/decode/decode.h"
#include "net/network.h"

/* Of frames in one answer, in hexadecimal; of those beyond it the first bytes are told. */
#define DATA_MAX (4u << 20)
#define DATA_LEAST 128u

/* --- setting --- */

struct breaking {
	struct filter_order order;
	struct answer answer;
	struct deck *deck;
	char *port, *filter;
};

static void breaking_free(struct breaking *breaking)
{
	if (!breaking)
		return;
	free(breaking->port);
	free(breaking->filter);
	free(breaking);
}

static void compiled(void *arg, struct filter *filter, int error, const struct cause *cause)
{
	struct breaking *breaking = arg;
	struct cause why;

	if (!error) {
		error = network_break_port(deck_network(breaking->deck), breaking->port, filter,
					   breaking->filter, &why);
		cause = &why;
	}
	if (error)
		answer_error(&breaking->answer, error, cause);
	else
		answer_result(&breaking->answer, NULL);
	filter_free(filter);
	breaking_free(breaking);
}

static int set(struct request *request, struct cause *cause)
{
	const char *port = param_string(request, "port"), *filter = param_string(request, "filter");
	struct breaking *breaking;
	int error = -ENOMEM;

	if (!filter) {
		error = network_break_port(deck_network(request->deck), port, NULL, NULL, cause);
		deck_look_at_breaks(request->deck);
		return error;
	}
	breaking = calloc(1, sizeof(*breaking));
	if (breaking) {
		breaking->order.done = compiled;
		breaking->order.arg = breaking;
		breaking->deck = request->deck;
		breaking->port = strdup(port);
		breaking->filter = strdup(filter);
	}
	if (!breaking || !breaking->port || !breaking->filter)
		cause_errno(cause, ENOMEM, "port.break");
	else
		error = filter_order_run(&breaking->order, request->server, breaking->filter,
					 cause);
	if (error)
		breaking_free(breaking);
	else
		request_defer(request, &breaking->answer);
	return error;
}

/* --- looking --- */

/* The first frame that is held, or null. */
static json_t *frame_json(const struct switch_break_info *info, size_t *room)
{
	struct packet_summary summary;
	uint32_t told = info->size < *room ? info->size : DATA_LEAST;

	if (!info->data)
		return json_null();
	told = told < info->size ? told : info->size;
	*room -= told < *room ? told : *room;
	packet_summarize(info->data, info->size, info->size, &summary);
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:I}",
			 "since", (json_int_t)info->since, "size", (json_int_t)info->size,
			 "from", message_text(summary.from), "to", message_text(summary.to),
			 "protocol", message_text(summary.protocol),
			 "summary", message_text(summary.text),
			 "data", hex_json(info->data, told), "decided", info->decided,
			 "behind", (json_int_t)info->behind);
}

static void add_breaks(json_t *list, struct net_switch *sw, size_t *room)
{
	size_t count = switch_list_breaks(sw, NULL, 0), found;
	struct switch_break_info *infos = calloc(count + 1, sizeof(*infos));

	if (!infos)
		return;
	found = switch_list_breaks(sw, infos, count);
	for (size_t i = 0; i < count && i < found; i++) {
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}",
			"port", message_text(infos[i].port),
			"filter", message_text(infos[i].words),
			"frame", frame_json(&infos[i], room)));
		switch_break_free(&infos[i]);
	}
	free(infos);
}

static int list_held(struct request *request, struct cause *cause)
{
	struct network *network = deck_network(request->deck);
	size_t count = network_list_switches(network, NULL, 0), room = DATA_MAX / 2;
	struct net_switch **switches = calloc(count + 1, sizeof(struct net_switch *));
	json_t *list = json_array();

	if (!switches || !list) {
		free(switches);
		json_decref(list);
		return cause_errno(cause, ENOMEM, "port.held");
	}
	network_list_switches(network, switches, count);
	for (size_t i = 0; i < count; i++)
		add_breaks(list, switches[i], &room);
	free(switches);
	request->result = json_pack("{s:o}", "breakpoints", list);
	return 0;
}

/* --- deciding --- */

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* The caller's; NULL: no memory. */
static uint8_t *bytes_of(const char *hex)
{
	size_t size = strlen(hex) / 2;
	uint8_t *data = malloc(size);

	for (size_t i = 0; data && i < size; i++)
		data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return data;
}

static int decide(struct request *request, struct cause *cause)
{
	const char *port = param_string(request, "port"), *hex = param_string(request, "data");
	struct net_decision decision = {
		.drop = strcmp(param_string(request, "decision"), "drop") == 0,
		.size = hex ? (uint32_t)(strlen(hex) / 2) : 0,
	};
	uint8_t *data = NULL;
	int error;

	if (hex && decision.drop)
		return cause_set(cause, EINVAL, "data: a frame that is dropped needs none");
	if (hex && !(data = bytes_of(hex)))
		return cause_errno(cause, ENOMEM, "port.decide");
	decision.data = data;
	error = network_decide_port(deck_network(request->deck), port, &decision, cause);
	free(data);
	deck_look_at_breaks(request->deck);
	return error;
}

/* --- putting in --- */

static int inject(struct request *request, struct cause *cause)
{
	const char *hex = param_string(request, "data");
	struct switch_injected injected;
	uint8_t *data = bytes_of(hex);
	int error;

	if (!data)
		return cause_errno(cause, ENOMEM, "port.inject");
	error = network_inject_port(deck_network(request->deck), param_string(request, "port"),
				    data, (uint32_t)(strlen(hex) / 2), &injected, cause);
	free(data);
	if (!error)
		request->result = json_pack("{s:o, s:o}", "verdict",
			message_text(net_verdict_name(injected.verdict)), "to",
			message_text(*injected.to ? injected.to : NULL));
	return error;
}

const struct handler breakpoint_commands[] = {
	{ METHOD_PORT_BREAK, .run = set },
	{ METHOD_PORT_HELD, .run = list_held },
	{ METHOD_PORT_DECIDE, .run = decide },
	{ METHOD_PORT_INJECT, .run = inject },
	HANDLERS_END
};
