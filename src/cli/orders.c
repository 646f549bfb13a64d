/* Orders to guests: start, stop, pause and the like. */
#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/message_text.h"

/* Gives one order to each guest named; goes on after a failure. */
static int order_all(struct cli *cli, struct link *link, const struct method *method)
{
	int status = CLI_OK;
	json_t *result;

	for (int i = 0; i < cli->argc; i++) {
		result = session_call(link, method->name,
				      json_pack("{s:o}", "guest", message_text(cli->argv[i])));
		if (!result)
			status = CLI_FAILED;
		json_decref(result);
	}
	return status;
}

/* What a guest on whose change of state we wait has come to. */
enum outcome { NOT_YET, REACHED, MISSED };

static enum outcome outcome_of(bool starting, enum guest_state state)
{
	if (state == GUEST_RUNNING)
		return starting ? REACHED : NOT_YET;
	if (state == GUEST_STOPPED)
		return starting ? MISSED : REACHED;
	return guest_state_in(state, GUEST_BAD) ? MISSED : NOT_YET;
}

/* Takes note of one event; returns how many guests are done by it. */
static int take_event(struct cli *cli, const json_t *message, bool starting, bool *done,
		      int *status)
{
	const json_t *params = json_object_get(message, "params");
	const char *guest = text_of(params, "guest", ""), *state = text_of(params, "state", "");
	enum outcome outcome = outcome_of(starting, guest_state_find(state));
	int count = 0;

	if (outcome == NOT_YET)
		return 0;
	for (int i = 0; i < cli->argc; i++) {
		if (done[i] || strcmp(cli->argv[i], guest) != 0)
			continue;
		done[i] = true;
		count++;
		if (outcome == MISSED) {
			const char *text = text_of(params, "text", "");

			*status = fail("%s: %s%s%s", guest, state, *text ? ": " : "", text);
		}
	}
	return count;
}

static int wait_for_all(struct cli *cli, struct link *link, bool starting,
			const struct option_value *timeout)
{
	uint64_t due = clock_monotonic() + timeout->number * NS_PER_S, now;
	bool done[LIST_MAX] = { false };
	int left = cli->argc, status = CLI_OK, ms = -1, error;
	struct cause cause;
	json_t *message;

	while (left > 0) {
		now = clock_monotonic();
		if (timeout->set)
			ms = due > now ? (int)((due - now) / NS_PER_MS) : 0;
		error = link_next(link, &message, ms, &cause);
		if (error == -ETIMEDOUT)
			return fail("%d of %d guests %s after %llu seconds", left, cli->argc,
				    starting ? "do not run" : "have not stopped",
				    (unsigned long long)timeout->number);
		if (error < 0)
			return fail("%s", cause.text);
		left -= take_event(cli, message, starting, done, &status);
		json_decref(message);
	}
	return status;
}

/* Subscribes before it orders, so that no change of state is missed. */
static int order_and_wait(struct cli *cli, struct link *link, const struct method *method)
{
	json_t *result = session_call(link, "events.subscribe", NULL);
	int status = result ? order_all(cli, link, method) : CLI_FAILED;

	json_decref(result);
	if (status == CLI_OK)
		status = wait_for_all(cli, link, method == &method_table[METHOD_GUEST_START],
				      &cli->values[OPTION_TIMEOUT]);
	return status;
}

/* Commands without these options have none of them set. */
int order_main(struct cli *cli)
{
	const struct command *command = cli->command;
	bool wait = cli->values[OPTION_WAIT].set, force = cli->values[OPTION_FORCE].set;
	const struct method *method = &method_table[force ? (int)command->forced : command->method];
	struct link *link;
	int status;

	if (cli->values[OPTION_TIMEOUT].set && !wait)
		return usage_error(command, "--timeout goes with --wait");
	if (wait && cli->argc > LIST_MAX)
		return usage_error(command, "--wait takes at most %d guests", LIST_MAX);
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	status = wait ? order_and_wait(cli, link, method) : order_all(cli, link, method);
	link_free(link);
	return status;
}
