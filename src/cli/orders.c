/* Orders to guests: start, stop, pause and the like. */
#include "cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"

#define TIMEOUT 60 /* seconds; table.c says so too */
/* Not every change of a guest that restarts over and over is an event. */
#define LOOK (500 * NS_PER_MS)

/* Where one may be found, too, that resets itself at once. */
#define GUEST_RAN GUEST_IN(GUEST_STOPPING)

/* What an order that is waited for is to bring about. */
static const struct goal {
	enum method_id method;
	uint32_t reached, missed; /* states */
	bool restarted;		  /* and it was built anew */
	const char *not_yet;	  /* after its name and before a time */
	const char *sooner;	  /* the command that does not hang on the guest, or NULL */
	bool ran; /* reached by one that resets itself over and over: it has run by then */
} goals[] = {
	{ METHOD_GUEST_START, GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED), GUEST_ENDED, false,
	  "does not run", NULL, true },
	{ METHOD_GUEST_STOP, GUEST_IN(GUEST_STOPPED), GUEST_BAD, false, "has not stopped",
	  "stop --force", false },
	{ METHOD_GUEST_OFF, GUEST_IN(GUEST_STOPPED), GUEST_BAD, false, "has not stopped", NULL,
	  false },
	{ METHOD_GUEST_PAUSE, GUEST_IN(GUEST_PAUSED), GUEST_ENDED, false, "is not paused", NULL,
	  false },
	{ METHOD_GUEST_RESUME, GUEST_IN(GUEST_RUNNING) | GUEST_RAN | GUEST_IN(GUEST_STARTING),
	  GUEST_ENDED | GUEST_IN(GUEST_PAUSED), false, "does not run", NULL, false },
	{ METHOD_GUEST_RESET, GUEST_IN(GUEST_RUNNING) | GUEST_RAN, GUEST_ENDED, true,
	  "was not reset", NULL, true },
};

/* A guest that was given the order. */
struct target {
	const char *name;
	bool done;
	bool later; /* it is on its way down; the order is given when it has stopped */
	bool gone;  /* it cannot be looked at, and why says so: what was told before counts */
	struct cause why;
	/* As it was before: */
	enum guest_state state;
	int64_t since, restarts;
};

struct orders {
	struct link *link;
	const struct method *method;
	const struct goal *goal;
	uint64_t seconds;
	struct target *targets;
	int count, left, status;
	bool gone; /* one of them is */
};

static const struct goal *find_goal(enum method_id method)
{
	for (size_t i = 0; i < ARRAY_SIZE(goals); i++)
		if (goals[i].method == method)
			return &goals[i];
	return NULL;
}

static int call(struct orders *orders, const char *method, const char *guest, json_t **result,
		struct cause *cause)
{
	return link_call(orders->link, method, json_pack("{s:o}", "guest", message_text(guest)),
			 result, cause);
}

static void finish(struct orders *orders, struct target *target)
{
	target->done = true;
	orders->left--;
}

static void fail_target(struct orders *orders, struct target *target, const char *text)
{
	orders->status = fail("%s", text);
	finish(orders, target);
}

/* Gives it one passphrase, if there is a terminal; otherwise the deck says what it lacks. */
static int unlock(struct orders *orders, const char *guest, const json_t *disk,
		  struct cause *cause)
{
	const char *device = text_of(disk, "name", "");
	char secret[PASSPHRASE_MAX];
	json_t *params;
	int err = passphrase_ask(guest, device, text_of(disk, "path", ""), secret, cause);

	if (err)
		return err == -ENOTTY ? 0 : err;
	params = json_pack("{s:o, s:o, s:o}", "guest", message_text(guest), "device",
			   message_text(device), "secret", message_text(secret));
	explicit_bzero(secret, sizeof(secret));
	return link_call(orders->link, "guest.unlock", params, NULL, cause);
}

static int unlock_all(struct orders *orders, const char *guest, const json_t *shown,
		      struct cause *cause)
{
	const json_t *disk;
	size_t i;
	int err = 0;

	json_array_foreach(json_object_get(shown, "disks"), i, disk)
		if (!err && json_is_true(json_object_get(disk, "locked")))
			err = unlock(orders, guest, disk, cause);
	return err;
}

/* shown: the guest before. */
static void give_order(struct orders *orders, struct target *target, const json_t *shown)
{
	bool starting = orders->goal->method == METHOD_GUEST_START;
	struct cause cause;
	json_t *result = NULL;

	target->state = guest_state_find(text_of(shown, "state", ""));
	target->since = number_of(shown, "since");
	/* Of one between two starts the next is counted. */
	target->restarts = number_of(shown, "restarts") - (target->state == GUEST_STARTING);
	/* A paused one stays where it is, whatever was pressed. */
	target->later = starting && number_of(shown, "pressed") &&
			target->state != GUEST_PAUSED &&
			!guest_state_in(target->state, orders->method->states);
	if (target->later)
		return;
	if (!starting || unlock_all(orders, target->name, shown, &cause) == 0)
		call(orders, orders->method->name, target->name, &result, &cause);
	if (!result)
		fail_target(orders, target, cause.text);
	json_decref(result);
}

/* Since the order, by how often it has restarted: it may never be seen to run. */
static bool has_run(const struct target *target, const struct goal *goal, int64_t restarts)
{
	return goal->ran && restarts > (goal->restarted ? target->restarts + 1 : 0);
}

/* What a guest has come to: state and text of a guest that is shown, or of an event. */
static void take_state(struct orders *orders, struct target *target, const json_t *params,
		       const char *text)
{
	const struct goal *goal = orders->goal;
	const char *name = text_of(params, "state", "");
	enum guest_state state = guest_state_find(name);

	if (target->later)
		return;
	if (goal->restarted && number_of(params, "restarts") == target->restarts &&
	    !guest_state_in(state, goal->missed))
		return;
	if (guest_state_in(state, goal->reached) ||
	    (has_run(target, goal, number_of(params, "restarts")) &&
	     !guest_state_in(state, goal->missed))) {
		finish(orders, target);
	} else if (guest_state_in(state, goal->missed)) {
		orders->status = fail("%s: %s%s%s", target->name, name, *text ? ": " : "", text);
		finish(orders, target);
	}
}

/* A deck that has ended, or has forgotten the guest, may have told before what became of it. */
static void look_at(struct orders *orders, struct target *target)
{
	json_t *shown;
	int err;

	if (target->gone)
		return;
	err = call(orders, "guest.show", target->name, &shown, &target->why);
	if (err == -ECONNRESET)
		return;
	if (!shown)
		target->gone = orders->gone = true;
	else if (target->later &&
		 guest_state_in(guest_state_find(text_of(shown, "state", "")),
				orders->method->states))
		give_order(orders, target, shown);
	else if (orders->goal->restarted || number_of(shown, "since") != target->since)
		take_state(orders, target, shown, text_of(shown, "reason", ""));
	json_decref(shown);
}

/* Of what lasts too short a time to be seen there is an event alone. */
static void take_event(struct orders *orders, const json_t *params)
{
	const char *guest = text_of(params, "guest", "");
	enum guest_state state = guest_state_find(text_of(params, "state", ""));
	bool starting = orders->goal->method == METHOD_GUEST_START;

	for (int i = 0; i < orders->count; i++) {
		struct target *target = &orders->targets[i];

		if (target->done || strcmp(target->name, guest) != 0)
			continue;
		/* One that is started while it stops has to stop first. */
		if (state != target->state &&
		    !(starting && target->state == GUEST_STOPPING) &&
		    number_of(params, "time") > target->since)
			take_state(orders, target, params, text_of(params, "text", ""));
		if (!target->done)
			look_at(orders, target);
	}
}

static void out_of_time(struct orders *orders)
{
	const char *plural = orders->seconds == 1 ? "" : "s";

	for (int i = 0; i < orders->count; i++) {
		const struct target *target = &orders->targets[i];
		const struct goal *goal = target->later ? find_goal(METHOD_GUEST_STOP)
							: orders->goal;

		if (target->done)
			continue;
		orders->status = fail("%s %s within %llu second%s%s", target->name, goal->not_yet,
				      (unsigned long long)orders->seconds, plural,
				      target->later ? ", so it was not started" : "");
		if (goal->sooner)
			fail("'vmdeck %s %s' does not wait for it", goal->sooner, target->name);
	}
}

static void look_at_all(struct orders *orders)
{
	for (int i = 0; i < orders->count; i++)
		if (!orders->targets[i].done)
			look_at(orders, &orders->targets[i]);
}

/* Nothing more was told of those that are gone. */
static void fail_gone(struct orders *orders)
{
	for (int i = 0; i < orders->count; i++)
		if (orders->targets[i].gone && !orders->targets[i].done)
			fail_target(orders, &orders->targets[i], orders->targets[i].why.text);
	orders->gone = false;
}

/* Looks at a guest after each of its events, and now and then at all. */
static void wait_for_all(struct orders *orders)
{
	uint64_t due = clock_monotonic() + orders->seconds * NS_PER_S, look = 0, now, next;
	struct cause cause;
	json_t *message;
	int error;

	while (orders->left) {
		now = clock_monotonic();
		if (now >= look) {
			look_at_all(orders);
			look = now + LOOK;
		}
		if (!orders->left || now >= due)
			return;
		next = orders->gone ? now : due < look ? due : look;
		error = link_next(orders->link, &message, (int)((next - now) / NS_PER_MS) + 1,
				  &cause);
		if (error == 0) {
			take_event(orders, json_object_get(message, "params"));
			json_decref(message);
		} else if (error == -ETIMEDOUT && orders->gone) {
			fail_gone(orders);
		} else if (error != -ETIMEDOUT && error != -EINTR) {
			orders->status = fail("%s", cause.text);
			orders->count = 0;
			return;
		}
	}
}

/* Subscribes before it orders, so that no change of state is missed. */
static int order_and_wait(struct cli *cli, struct orders *orders)
{
	json_t *result = session_call(orders->link, "events.subscribe", NULL), *shown;
	struct cause cause;

	json_decref(result);
	orders->targets = result ? calloc((size_t)cli->argc, sizeof(*orders->targets)) : NULL;
	if (!orders->targets)
		return CLI_FAILED;
	orders->count = orders->left = cli->argc;
	for (int i = 0; i < cli->argc; i++) {
		struct target *target = &orders->targets[i];

		target->name = cli->argv[i];
		if (call(orders, "guest.show", target->name, &shown, &cause) == 0)
			give_order(orders, target, shown);
		else
			fail_target(orders, target, cause.text);
		json_decref(shown);
	}
	wait_for_all(orders);
	out_of_time(orders);
	free(orders->targets);
	return orders->status;
}

/* Commands without these options have none of them set. */
static enum method_id order_of(const struct cli *cli)
{
	return cli->values[OPTION_FORCE].set ? cli->command->forced
					     : (enum method_id)cli->command->method;
}

/* One order to each guest that is named. */
int order_requests(struct cli *cli)
{
	for (int i = 0; i < cli->argc; i++)
		request_add(cli, order_of(cli),
			    json_pack("{s:o}", "guest", message_text(cli->argv[i])));
	return CLI_OK;
}

int order_main(struct cli *cli)
{
	const struct option_value *timeout = &cli->values[OPTION_TIMEOUT];
	enum method_id method = order_of(cli);
	/* Whether a guest starts is not known before it has. */
	bool wait = cli->values[OPTION_WAIT].set || method == METHOD_GUEST_START;
	struct orders orders = { .method = &method_table[method], .goal = find_goal(method),
				 .seconds = timeout->set ? timeout->number : TIMEOUT,
				 .status = CLI_OK };
	int status;

	if (timeout->set && !wait)
		return usage_error(cli->command, "--timeout goes with --wait");
	if (!wait)
		return requests_ask(cli);
	orders.link = session_open(cli);
	if (!orders.link)
		return CLI_FAILED;
	status = order_and_wait(cli, &orders);
	link_free(orders.link);
	return status;
}
