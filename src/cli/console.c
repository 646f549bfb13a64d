/* console: the terminal as a guest's console. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/console_session.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/vga.h"
#include "control/endpoint.h"
#include "control/message_text.h"
#include "control/states.h"
#include "control/typing.h"

struct console {
	struct cli *cli;
	struct loop loop;
	struct loop_source signals;
	struct console_session session;
	struct client *events; /* NULL: nothing is heard of the guest */
	struct vga *vga;       /* NULL: it is a console */
	struct window window;  /* that a virtio console is shown in */
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

/* Whoever only reads goes on reading, until the guest ends; a terminal that hangs up is left. */
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

/* Whether the guest is down; otherwise the deck has ended, or the guest is none of its any more. */
static bool has_ended(const struct console *console)
{
	struct endpoint endpoint;
	struct link *link = NULL;
	json_t *shown = NULL;
	bool down = false;

	if (endpoint_find(&endpoint, console->cli->socket, NULL) == 0 &&
	    link_open(&link, &endpoint, NULL) == 0 &&
	    link_call(link, "guest.show",
		      json_pack("{s:o}", "guest", message_text(console->cli->argv[0])), &shown,
		      NULL) == 0)
		down = !guest_state_in(guest_state_find(text_of(shown, "state", "")), GUEST_ALIVE);
	json_decref(shown);
	link_free(link);
	return down;
}

static void ended(void *arg, int error)
{
	struct console *console = arg;
	const char *guest = console->cli->argv[0];

	console_session_restore(&console->session);
	if (!error && console->session.said_end && has_ended(console)) {
		leave(console, CLI_OK);
		return;
	}
	leave(console, error ? fail("%s: console: %s", guest, strerror(error))
			     : fail("%s: the deck closed the console", guest));
}

/* What the log says of the guest meanwhile: that it does not read, for one. */
static void notified(void *arg, const char *method, json_t *params)
{
	struct console *console = arg;
	const char *guest = console->cli->argv[0];

	if (console->vga && strcmp(method, "screen") == 0)
		vga_update(console->vga, params);
	/* Words would stand in the picture. */
	else if (!console->vga && strcmp(method, "event") == 0 &&
		 strcmp(text_of(params, "kind", ""), "log") == 0 &&
		 strcmp(text_of(params, "guest", ""), guest) == 0)
		console_session_say(&console->session, "[%s: %s]", guest,
				    text_of(params, "text", ""));
}

static void events_closed(void *arg, const struct cause *cause)
{
	struct console *console = arg;

	(void)cause;
	if (console->vga)
		vga_hang_up(console->vga);
}

/* A second connection, for what is heard beside the console; NULL if it cannot be had. */
static void connect_client(struct console *console)
{
	const struct client_handlers handlers = { .notification = notified,
						  .closed = events_closed, .arg = console };
	struct endpoint endpoint;
	struct cause cause;
	int fd = endpoint_find(&endpoint, console->cli->socket, &cause);

	if (fd == 0)
		fd = endpoint_connect(&endpoint, &cause);
	if (fd >= 0 && client_new(&console->events, &console->loop, fd, &handlers, &cause) < 0)
		console->events = NULL;
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
	sigset_t before;
	int signals = signals_open(&before), error;
	bool raw = isatty(STDIN_FILENO);

	session->loop = &console->loop;
	if (raw)
		plain_print(stderr, "[%s: Ctrl-%s leaves the console]\n", console->cli->argv[0],
			    letter);
	error = signals < 0 ? 0 : loop_add(&console->loop, &console->signals, signals, EPOLLIN,
					   signal_came, console);
	if (console->events && !console->vga)
		client_call(console->events, "events.subscribe", NULL, NULL, NULL);
	if (!error)
		error = console_session_begin(session);
	if (!error)
		error = loop_run(&console->loop);
	console_session_restore(session);
	console_session_end(session);
	window_end(&console->window);
	client_free(console->events);
	loop_remove(&console->loop, &console->signals);
	signals_close(signals, &before);
	return error ? fail("%s: console: %s", console->cli->argv[0], strerror(-error))
		     : console->status;
}

static void tell_window(void *arg)
{
	struct console *console = arg;

	window_tell(&console->window, console->events, console->cli->argv[0]);
}

/* Whether it is of interest to the guest how large the terminal is. */
static void watch_window(struct console *console, const char *which)
{
	if (strcmp(which, "virtio") != 0 || !console->events || !isatty(STDOUT_FILENO))
		return;
	if (window_watch(&console->window, &console->loop, tell_window, console) == 0)
		tell_window(console);
}

/* A console: the connection that asked for it becomes it. which: NULL: the one that is shown. */
static int talk_console(struct console *console, struct link *link, const char *which,
			const char *letter)
{
	struct console_session *session = &console->session;
	struct cli *cli = console->cli;
	int status;
	json_t *result = session_call(link, "console.open",
				      json_pack("{s:o, s:b, s:o}", "guest",
						message_text(cli->argv[0]), "backlog",
						!cli->values[0].set, "console",
						which ? message_text(which) : json_null()));

	if (!result)
		return CLI_FAILED;
	session->queries.old = (uint64_t)json_integer_value(json_object_get(result, "backlog"));
	session->fd = link_raw(link, &session->rest, &session->rest_size);
	session->says_end = true;
	connect_client(console);
	watch_window(console, text_of(result, "console", ""));
	status = talk(console, letter);
	json_decref(result);
	return status;
}

static void subscribed(void *arg, json_t *result, const struct client_error *error)
{
	struct console *console = arg;

	(void)result;
	if (!error)
		return;
	console_session_restore(&console->session);
	leave(console, fail("%s", error->message));
}

static int talk_vga(struct console *console, const char *letter)
{
	const char *guest = console->cli->argv[0];
	struct vga *vga = calloc(1, sizeof(*vga));
	int status;

	connect_client(console);
	if (!vga || !console->events) {
		client_free(console->events);
		free(vga);
		return fail("%s: console: the deck cannot be reached", guest);
	}
	console->vga = vga;
	vga->loop = &console->loop;
	vga->client = console->events;
	vga->typing.guest = guest;
	console->session.fd = vga_begin(vga);
	if (console->session.fd < 0) {
		client_free(console->events);
		status = fail("%s: console: %s", guest, strerror(-console->session.fd));
	} else {
		client_call(console->events, "screen.subscribe",
			    json_pack("{s:o}", "guest", message_text(guest)), subscribed, console);
		status = talk(console, letter);
		close(console->session.fd);
	}
	vga_end(vga);
	free(vga);
	return status;
}

/* Of one that prints nothing because there is nothing of it: who sits there waits in vain. */
static void tell_state(struct link *link, const char *guest)
{
	const char *name;
	json_t *shown = NULL;

	if (!isatty(STDIN_FILENO) ||
	    link_call(link, "guest.show", json_pack("{s:o}", "guest", message_text(guest)), &shown,
		      NULL) < 0)
		return;
	name = text_of(shown, "state", "");
	if (!guest_state_in(guest_state_find(name), GUEST_ALIVE))
		plain_print(stderr, "[%s is %s; what it prints comes when it has been started]\n",
			    guest, name);
	json_decref(shown);
}

int console_requests(struct cli *cli)
{
	json_t *guest = message_text(cli->argv[0]);

	if (cli->values[2].set)
		request_add(cli, METHOD_SCREEN_SUBSCRIBE, json_pack("{s:o}", "guest", guest));
	else
		request_add(cli, METHOD_CONSOLE_OPEN,
			    json_pack("{s:o, s:b, s:o}", "guest", guest, "backlog",
				      !cli->values[0].set, "console",
				      message_text(cli->values[3].set ? "serial" : NULL)));
	return CLI_OK;
}

int break_requests(struct cli *cli)
{
	const char *sysrq = cli->argc > 1 ? cli->argv[1] : NULL;
	json_t *guest;
	char text[SYSRQ_TEXT];

	if (sysrq && !sysrq_spell(text, sysrq))
		return usage_error(cli->command, "'%s' is not one character of ASCII", sysrq);
	if (cli->values[0].set && !sysrq)
		return usage_error(cli->command, "--keyboard: a SysRq key is missing, such as h");
	guest = message_text(cli->argv[0]);
	if (cli->values[0].set)
		request_add(cli, METHOD_SCREEN_TYPE, json_pack("{s:o, s:o}", "guest", guest, "text",
							       message_text(text)));
	else if (sysrq)
		request_add(cli, METHOD_CONSOLE_BREAK, json_pack("{s:o, s:o}", "guest", guest,
								 "sysrq", message_text(sysrq)));
	else
		request_add(cli, METHOD_CONSOLE_BREAK, json_pack("{s:o}", "guest", guest));
	return CLI_OK;
}

int console_main(struct cli *cli)
{
	struct console console = { .cli = cli };
	struct console_session *session = &console.session;
	const char *letter = cli->values[1].set ? cli->values[1].text : "]";
	const char *which = cli->values[3].set ? "serial" : NULL;
	bool vga = cli->values[2].set;
	int status = CLI_FAILED, error;
	struct cause cause;
	struct link *link;

	error = read_escape(cli, letter, &session->escape_key);
	if (error)
		return error;
	if (vga && which)
		return usage_error(cli->command, "--vga and --serial exclude each other");
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	session->ops = &console_ops;
	session->arg = &console;
	tell_state(link, cli->argv[0]);
	if (vga && !isatty(STDOUT_FILENO))
		status = vga_print(link, cli->argv[0]);
	else if (loop_init(&console.loop, &cause) < 0)
		fail("%s", cause.text);
	else {
		status = vga ? talk_vga(&console, letter)
			     : talk_console(&console, link, which, letter);
		loop_destroy(&console.loop);
	}
	link_free(link);
	return status;
}
