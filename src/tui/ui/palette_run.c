/* See palette_run.h. */
#include "tui/ui/palette_run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "tui/model/json.h"
#include "tui/model/netmodel.h"
#include "tui/ui/edit.h"
#include "tui/ui/marked.h"
#include "tui/ui/orders.h"

/* A line that was run, until the deck has answered all that it asks. */
struct run {
	struct run *next; /* of all there are */
	struct runs *runs;
	struct tui_deck *deck;
	json_t *requests;
	size_t waiting;
	const char *view;
	char line[PROMPT_TEXT];
	char wrong[CAUSE_SIZE];
	char became[128]; /* of what was asked for, ": flood"; or "" */
	bool ending;	  /* a capture is ended */
};

static void run_free(struct run *run)
{
	struct run **at = &run->runs->first;

	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	if (run->runs->asking == run)
		run->runs->asking = NULL;
	json_decref(run->requests);
	free(run);
}

static void finish(struct run *run)
{
	struct tui *tui = run->runs->tui;
	const char *method = json_text(json_array_get(run->requests, 0), "method");
	bool order = method_find(method) && method_find(method)->order;

	if (*run->wrong && !tui->prompt.active)
		run->runs->refused(tui, run->line, run->wrong);
	else if (*run->wrong)
		tui_say(tui, SEVERITY_ERROR, NULL, "%s", run->wrong);
	else if (!order) /* of which an event tells */
		tui_say(tui, SEVERITY_GOOD, NULL, "Done: %s%s", run->line, run->became);
	if (!*run->wrong && run->view)
		tui_open(tui, run->view, "");
	tui_dirty(tui);
	run_free(run);
}

static bool is_method(const json_t *request, enum method_id id)
{
	return method_find(json_text(request, "method")) == &method_table[id];
}

static void answered(void *arg, json_t *result, const struct client_error *error);

/* A request to end a capture is of the one that the request before it began. */
static void end_capture(struct run *run, const json_t *begun)
{
	run->ending = true;
	run->waiting++;
	if (!tui_call(run->deck, method_table[METHOD_CAPTURE_STOP].name,
		      json_pack("{s:O}", "capture", json_object_get(begun, "capture")),
		      answered, run)) {
		snprintf(run->wrong, sizeof(run->wrong), "It could not be asked.");
		run->waiting--;
	}
}

/* What an answer says besides that it was done. */
static void take_result(struct run *run, const json_t *result)
{
	unsigned long long packets = json_count(result, "records");

	if (is_method(json_array_get(run->requests, 0), METHOD_PORT_INJECT))
		snprintf(run->became, sizeof(run->became), ": %s", json_text(result, "verdict"));
	else if (run->ending && *json_text(result, "ended"))
		snprintf(run->wrong, sizeof(run->wrong), "%s", json_text(result, "ended"));
	else if (run->ending)
		snprintf(run->became, sizeof(run->became), ": %llu packet%s", packets,
			 packets == 1 ? "" : "s");
	else if (is_method(json_array_get(run->requests, 1), METHOD_CAPTURE_STOP))
		end_capture(run, result);
	else if (is_method(json_array_get(run->requests, 0), METHOD_CAPTURE_START))
		netmodel_own(&run->deck->network,
			     (json_int_t)json_count(result, "capture"));
}

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct run *run = arg;

	if (error && !*run->wrong)
		snprintf(run->wrong, sizeof(run->wrong), "%s",
			 *error->message ? error->message : "The request failed without a reason.");
	if (!error)
		take_result(run, result);
	if (--run->waiting)
		return;
	/* Without a code the connection was lost, which ends the screen. */
	if (error && !error->code)
		run_free(run);
	else
		finish(run);
}

static void send(struct run *run)
{
	struct tui *tui = run->runs->tui;
	json_t *request;
	size_t i;

	run->waiting = 1; /* until all are asked */
	run->runs->running = true;
	json_array_foreach(run->requests, i, request) {
		json_t *params = json_object_get(request, "params");
		const char *method = json_text(request, "method");

		if (is_method(request, METHOD_CAPTURE_STOP))
			continue; /* when it has begun */
		if (method_find(method)->order)
			tui_ordered(tui, json_text(params, "guest"));
		run->waiting++;
		if (!tui_call(run->deck, method, json_incref(params), answered, run)) {
			snprintf(run->wrong, sizeof(run->wrong), "It could not be asked.");
			run->waiting--;
		}
	}
	run->runs->running = false;
	if (--run->waiting == 0)
		finish(run);
}

/* Of a question that another took the place of. */
static void forget_question(struct runs *runs)
{
	if (runs->asking)
		run_free(runs->asking);
}

void runs_forget(struct runs *runs)
{
	while (runs->first)
		run_free(runs->first);
}

static void confirmed(void *arg, int choice, const char *text)
{
	struct runs *runs = arg;
	struct run *run = runs->asking;

	(void)text;
	runs->asking = NULL;
	if (choice)
		send(run);
	else
		run_free(run);
}

/* "Reset db, web? They lose what they have not written to their disks yet." */
static void ask_for_all(struct run *run, const struct method *method)
{
	static const struct choice choices[] = { { 'y', "do it" },
						 { 0, "leave them as they are" } };
	const char *what = method->order->confirm, *it = strstr(what, " it");
	char names[400] = "";
	json_t *request;
	size_t i;

	json_array_foreach(run->requests, i, request) {
		size_t n = strlen(names);

		snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
			 json_text(json_object_get(request, "params"), "guest"));
	}
	forget_question(run->runs);
	run->runs->asking = run;
	prompt_ask(&run->runs->tui->prompt, choices, confirmed, run->runs, "%c%.*s %s%s?%s",
		   toupper((unsigned char)*what), (int)(it - what) - 1, what + 1, names,
		   it + strlen(" it"), method->order->loses ?
		   " They lose what they have not written to their disks yet." : "");
}

static bool is_locked(const struct tui_guest *guest)
{
	const json_t *disks = guest ? json_object_get(guest->json, "disks") : NULL;

	for (size_t i = 0; i < json_array_size(disks); i++)
		if (json_is_true(json_object_get(json_array_get(disks, i), "locked")))
			return true;
	return false;
}

/* What asks elsewhere asks here; true: that is done, and nothing more is to be. */
static bool give_as_keys_do(struct run *run, bool marked)
{
	const json_t *first = json_array_get(run->requests, 0);
	const json_t *params = json_object_get(first, "params");
	const struct method *method = method_find(json_text(first, "method"));
	const char *guest = json_text(params, "guest");
	const struct tui_guest *known = model_find(&run->deck->model, guest);
	bool one = json_array_size(run->requests) == 1;

	if (marked && method->order) {
		marked_order(run->deck, method->name);
	} else if (method == &method_table[METHOD_DECK_RELOAD]) {
		profiles_reload(run->deck);
	} else if (method == &method_table[METHOD_DECK_QUIT]) {
		if (strcmp(json_text(params, "mode"), "off") == 0)
			quit_ask_off(run->deck);
		else
			quit_ask(run->deck);
	} else if (one && known && method->order &&
		   (method->order->confirm ||
		    (method == &method_table[METHOD_GUEST_START] && is_locked(known)))) {
		order_give(run->deck, guest, method->name);
	} else {
		return false;
	}
	return true;
}

void runs_begin(struct runs *runs, const struct command_asked *asked, const char *line)
{
	const struct method *method;
	struct run *run;

	if (runs->tui->deck->config->read_only) {
		json_decref(asked->requests);
		runs->refused(runs->tui, line, TUI_READ_ONLY);
		return;
	}
	run = calloc(1, sizeof(*run));
	if (!run) {
		json_decref(asked->requests);
		tui_say(runs->tui, SEVERITY_ERROR, NULL, "There is no memory for the command.");
		return;
	}
	run->runs = runs;
	run->next = runs->first;
	runs->first = run;
	run->deck = runs->tui->deck;
	run->requests = asked->requests;
	run->view = asked->view;
	snprintf(run->line, sizeof(run->line), "%s", line);
	method = method_find(json_text(json_array_get(run->requests, 0), "method"));
	runs->running = true;
	if (give_as_keys_do(run, asked->marked))
		run_free(run);
	else if (method->order && method->order->confirm && json_array_size(run->requests) > 1)
		ask_for_all(run, method);
	else
		send(run);
	runs->running = false;
}
