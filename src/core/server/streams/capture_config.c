/* Parameters of captures, and their end. Deck thread. */
#include "core/server/streams/capture_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "control/message.h"
#include "core/profile/profile.h"
#include "net/network.h"

#define NAMED_SWITCHES_MAX 64

/* The names of the ports that guests have when they run, one after the other; NULL at the end. */
struct guest_ports {
	struct deck *deck;
	size_t guest, nic;
	char name[NET_PORT_NAME_MAX];
};

static const char *next_guest_port(struct guest_ports *at)
{
	const struct guest *guest;

	for (; (guest = deck_guest(at->deck, at->guest)); at->guest++, at->nic = 0) {
		const struct profile *profile = guest_profile(guest);

		while (profile && at->nic < PROFILE_NETS_MAX) {
			if (!profile->nets[at->nic++])
				continue;
			snprintf(at->name, sizeof(at->name), "%s/net%zu", guest_name(guest),
				 at->nic - 1);
			return at->name;
		}
	}
	return NULL;
}

/* Whether a guest has such a port when it runs; "web/": any. */
static bool is_guest_port(struct deck *deck, const char *name)
{
	struct guest_ports ports = { .deck = deck };
	size_t size = strlen(name);
	const char *at;

	size += name[size - 1] != '/'; /* with the zero */
	while ((at = next_guest_port(&ports)) && strncmp(at, name, size) != 0)
		;
	return at;
}

/* The names of guests, not as their ports have them, and not where a switch has that name. */
static bool is_guest(struct deck *deck, const char *name)
{
	return !capture_hub_knows(network_capture_hub(deck_network(deck)), name) &&
	       deck_find(deck, name);
}

static int no_port(struct deck *deck, const char *name, struct cause *cause)
{
	struct net_switch *switches[NAMED_SWITCHES_MAX];
	size_t count = network_list_switches(deck_network(deck), switches, NAMED_SWITCHES_MAX);
	struct suggestion suggestion = { .wrong = name };
	struct guest_ports ports = { .deck = deck };
	char nearest[NET_PORT_NAME_MAX] = "";
	const struct guest *guest;
	const char *at;

	for (size_t i = 0; i < count && i < NAMED_SWITCHES_MAX; i++)
		suggest_offer(&suggestion, switch_get_config(switches[i])->name);
	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		suggest_offer(&suggestion, guest_name(guest));
	while ((at = next_guest_port(&ports))) {
		suggest_offer(&suggestion, at);
		if (suggestion.best != at)
			continue;
		strcpy(nearest, at);
		suggestion.best = nearest;
	}
	return cause_set(cause, ENOENT, "%s: there is no port, guest or switch of that name%s%s%s",
			 name, suggestion.best ? "; did you mean '" : "",
			 suggestion.best ? suggestion.best : "", suggestion.best ? "'?" : "");
}

/* "web/": all ports of a guest. */
static bool is_guest_word(const char *name)
{
	return name[strlen(name) - 1] == '/';
}

static int no_cards(const char *name, struct cause *cause)
{
	return cause_set(cause, ENOENT, "guest %.*s has no network card", (int)strlen(name) - 1,
			 name);
}

int capture_check_name(const struct request *request, const char *name, json_t *waiting,
		       struct cause *cause)
{
	struct deck *deck = request->deck;
	char shown[NET_PORT_NAME_MAX];

	if (capture_hub_knows(network_capture_hub(deck_network(deck)), name))
		return 0;
	if (!waiting || !is_guest_port(deck, name))
		return is_guest_word(name) ? no_cards(name, cause) : no_port(deck, name, cause);
	snprintf(shown, sizeof(shown), "%s", name);
	if (is_guest_word(name))
		shown[strlen(name) - 1] = '\0';
	json_array_append_new(waiting, message_text(shown));
	return 0;
}

/* The i-th name, as the capture has it; ports_json keeps the strings. */
static const char *read_name(struct capture_order *order, const struct request *request, size_t i)
{
	const char *name = json_string_value(json_array_get(order->ports_json, i));

	if (strchr(name, '/') || !is_guest(request->deck, name))
		return name;
	snprintf(order->guests[i], sizeof(order->guests[i]), "%s/", name);
	return order->guests[i];
}

int capture_order_read(struct capture_order *order, const struct request *request,
		       struct cause *cause)
{
	const char *filter = param_string(request, "filter");
	json_t *ports = json_object_get(request->params, "ports");
	size_t count = json_array_size(ports);

	memset(order, 0, sizeof(*order));
	order->config.fd = -1;
	order->config.snap = (uint32_t)param_integer(request, "snap", CAPTURE_SNAP_MAX);
	order->config.past_ns = param_integer(request, "past", 0) * NS_PER_MS;
	order->config.names = !json_is_false(json_object_get(request->params, "names"));
	if (filter)
		order->filter = strdup(filter);
	if (count) {
		order->ports = calloc(count + 1, sizeof(*order->ports));
		order->guests = calloc(count, sizeof(*order->guests));
		order->ports_json = json_incref(ports);
	}
	if ((filter && !order->filter) || (count && (!order->ports || !order->guests))) {
		capture_order_destroy(order);
		return cause_errno(cause, ENOMEM, "capture");
	}
	order->waiting = json_array();
	for (size_t i = 0; i < count; i++) {
		int error;

		order->ports[i] = read_name(order, request, i);
		error = capture_check_name(request, order->ports[i], order->waiting, cause);
		if (error < 0) {
			capture_order_destroy(order);
			return error;
		}
	}
	order->config.ports = order->ports;
	order->config.filter = order->filter;
	order->config.program = &order->program;
	return 0;
}

void capture_order_destroy(struct capture_order *order)
{
	filter_free(&order->program);
	free(order->ports);
	free(order->guests);
	free(order->filter);
	json_decref(order->ports_json);
	json_decref(order->waiting);
	memset(order, 0, sizeof(*order));
}

static void post(struct capture_order *order)
{
	int error = worker_post(&order->server->worker, order->job);

	if (error == 0)
		return;
	order->error = cause_errno(&order->cause, -error, "the deck's helper thread");
	order->job->done(order->job->arg);
}

static void compiled(void *arg, struct filter *program, int error, const struct cause *cause)
{
	struct capture_order *order = arg;

	order->program = *program;
	if (error == 0) {
		post(order);
		return;
	}
	order->error = error;
	order->cause = *cause;
	order->job->done(order->job->arg);
}

int capture_order_run(struct capture_order *order, struct server *server, struct worker_job *job,
		      struct cause *cause)
{
	order->server = server;
	order->job = job;
	if (!order->filter) {
		int error = worker_post(&server->worker, job);

		return error < 0 ? cause_errno(cause, -error, "the deck's helper thread") : 0;
	}
	order->compiling.done = compiled;
	order->compiling.arg = order;
	return filter_order_run(&order->compiling, server, order->filter, cause);
}

void capture_stop_later(struct server *server, struct worker_job *job)
{
	if (worker_post(&server->worker, job) == 0)
		return;
	job->work(job->arg);
	job->done(job->arg);
}
