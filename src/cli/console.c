/* console: the terminal as a guest's console. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/console_session.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "control/endpoint.h"
#include "control/message_text.h"

struct console {
	struct cli *cli;
	struct loop loop;
	struct loop_source signals;
	struct console_session session;
	struct client *events; /* NULL: nothing is heard of the guest */
	int status;
};

static void leave(struct console *console, int status)
{
	console->status = status;
	loop_stop(&console->loop);
}

static bool escape(void *arg)
{
	leave(arg, CLI_OK);
	return false;
}

/* Whoever only reads goes on reading; a terminal that hangs up is left. */
static void input_end(void *arg)
{
	struct console *console = arg;

	if (console->session.raw)
		leave(console, CLI_OK);
}

static void output_failed(void *arg, int error)
{
	struct console *console = arg;

	console_session_restore(&console->session);
	leave(console, error == EPIPE ? CLI_OK : fail("standard output: %s", strerror(error)));
}

static void ended(void *arg, int error)
{
	struct console *console = arg;
	const char *guest = console->cli->argv[0];

	console_session_restore(&console->session);
	leave(console, error ? fail("%s: console: %s", guest, strerror(error))
			     : fail("%s: the deck closed the console", guest));
}

/* What the log says of the guest meanwhile: that it does not read, for one. */
static void notified(void *arg, const char *method, json_t *params)
{
	struct console *console = arg;
	const char *guest = console->cli->argv[0];

	if (strcmp(method, "event") == 0 && strcmp(text_of(params, "kind", ""), "log") == 0 &&
	    strcmp(text_of(params, "guest", ""), guest) == 0)
		console_session_say(&console->session, "[%s: %s]", guest,
				    text_of(params, "text", ""));
}

static void events_closed(void *arg, const struct cause *cause)
{
	(void)arg;
	(void)cause;
}

/* The console does without them when they cannot be had. */
static void hear_events(struct console *console)
{
	const struct client_handlers handlers = { .notification = notified,
						  .closed = events_closed, .arg = console };
	struct endpoint endpoint;
	struct cause cause;
	int fd = endpoint_find(&endpoint, console->cli->socket, &cause);

	if (fd == 0)
		fd = endpoint_connect(&endpoint, &cause);
	if (fd >= 0 && client_new(&console->events, &console->loop, fd, &handlers, &cause) == 0)
		client_call(console->events, "events.subscribe", NULL, NULL, NULL);
}

static void deaf(void *arg)
{
	struct console *console = arg;

	console_session_say(&console->session, "[%s: the guest does not read; what is typed from "
			    "now on is lost]", console->cli->argv[0]);
}

static const struct console_session_ops console_ops = {
	.escape = escape,
	.input_end = input_end,
	.deaf = deaf,
	.output_failed = output_failed,
	.ended = ended,
};

static void signal_came(void *arg, uint32_t events)
{
	struct console *console = arg;

	(void)events;
	if (signals_take(console->signals.fd))
		leave(console, CLI_OK);
}

/* The key that leaves, by the letter that goes with Ctrl. */
static int read_escape(struct cli *cli, const char *text, uint8_t *key)
{
	if (strlen(text) != 1 || text[0] < '?' || text[0] > '~')
		return usage_error(cli->command, "--escape: '%s' is no character that goes with "
				   "Ctrl", text);
	*key = text[0] == '?' ? 0x7f : (uint8_t)text[0] & 0x1f;
	return 0;
}

static int talk(struct console *console, const char *letter)
{
	struct console_session *session = &console->session;
	int signals = signals_open(), error;
	bool raw = isatty(STDIN_FILENO);

	session->loop = &console->loop;
	if (raw)
		plain_print(stderr, "[%s: Ctrl-%s leaves the console]\n", console->cli->argv[0],
			    letter);
	error = signals < 0 ? 0 : loop_add(&console->loop, &console->signals, signals, EPOLLIN,
					   signal_came, console);
	hear_events(console);
	if (!error)
		error = console_session_begin(session);
	if (!error)
		error = loop_run(&console->loop);
	console_session_restore(session);
	if (raw)
		console_session_say(session, "%s", "");
	console_session_end(session);
	client_free(console->events);
	loop_remove(&console->loop, &console->signals);
	signals_close(signals);
	return error ? fail("%s: console: %s", console->cli->argv[0], strerror(-error))
		     : console->status;
}

int console_main(struct cli *cli)
{
	struct console console = { .cli = cli };
	struct console_session *session = &console.session;
	int status = CLI_FAILED, error;
	const char *letter = cli->values[1].set ? cli->values[1].text : "]";
	struct cause cause;
	struct link *link;
	json_t *result;

	error = read_escape(cli, letter, &session->escape_key);
	if (error)
		return error;
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = session_call(link, "console.open",
			      json_pack("{s:o, s:b}", "guest", message_text(cli->argv[0]),
					"backlog", !cli->values[0].set));
	if (result && loop_init(&console.loop, &cause) < 0) {
		fail("%s", cause.text);
	} else if (result) {
		session->ops = &console_ops;
		session->arg = &console;
		session->queries.old = (uint64_t)json_integer_value(json_object_get(result,
										    "backlog"));
		session->fd = link_raw(link, &session->rest, &session->rest_size);
		status = talk(&console, letter);
		loop_destroy(&console.loop);
	}
	json_decref(result);
	link_free(link);
	return status;
}
