/*
 * "vmdeck run": one guest in the foreground. The deck's loop runs on the main
 * thread and the guest's console is standard input and output.
 *
 * On a terminal, Ctrl-] is the way out of the guest: Ctrl-] s presses the power
 * button, Ctrl-] f switches off, Ctrl-] r resumes, Ctrl-] Ctrl-] types it. SIGINT, SIGTERM and
 * SIGHUP press the power button, and the second of them switches off.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "core/deck/deck.h"
#include "core/server/server.h"
#include "roles/roles.h"
#include "roles/run_output.h"

#define OPEN_FILES 1024 /* a few of the guest, and one for each connection through NAT */
#define ESCAPE 0x1d /* Ctrl-] */
#define CHUNK 4096
#define INPUT_PAUSE (20 * NS_PER_MS)
#define SERVE_AFTER (5 * NS_PER_MS)

struct run {
	struct deck *deck;
	struct server *server;
	struct guest *guest; /* NULL when it is over */
	struct run_output output;
	struct deck_listener listener;
	struct loop_source input, signals;
	int signal_fd;
	bool terminal, escaped, asked_off;
	bool written, ended, over; /* the output is out, the deck is at its end; both, or enough */
	int status; /* of the program */
	struct termios saved;
	uint8_t keys[CHUNK]; /* read, not yet taken by the guest */
	size_t key_count;
	struct loop_timer serve, type_again;
	const char *socket_path;
};

static void restore_terminal(struct run *run)
{
	if (run->terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &run->saved);
	run->terminal = false;
}

/* Bytes go to the guest as they are typed; output keeps its newline translation off as well. */
static void prepare_terminal(struct run *run)
{
	struct termios raw;

	run->terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &run->saved) == 0;
	if (!run->terminal)
		return;
	raw = run->saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fprintf(stderr, "vmdeck: %s: Ctrl-] s presses the power button, Ctrl-] f switches off\r\n",
		guest_name(run->guest));
}

static void say(void *arg, const char *text)
{
	struct run *run = arg;

	fprintf(stderr, "vmdeck: %s%s", text, run->terminal ? "\r\n" : "\n");
}

static void ask_to_stop(struct run *run, bool force)
{
	struct cause cause;
	int err;

	if (!run->guest)
		return;
	err = force || run->asked_off ? guest_off(run->guest, &cause) :
					guest_shut_down(run->guest, &cause);
	run->asked_off = true;
	if (err)
		say(run, cause.text);
}

/* Of one that was paused because there was no room for what it writes. */
static void resume(struct run *run)
{
	struct cause cause;

	if (run->guest && guest_resume(run->guest, &cause) < 0)
		say(run, cause.text);
}

/* True when the byte is for the guest. */
static bool take_key(struct run *run, uint8_t key)
{
	if (!run->escaped) {
		run->escaped = key == ESCAPE;
		return !run->escaped;
	}
	run->escaped = false;
	if (key == 's' || key == 'S')
		ask_to_stop(run, false);
	else if (key == 'f' || key == 'F')
		ask_to_stop(run, true);
	else if (key == 'r' || key == 'R')
		resume(run);
	return key == ESCAPE;
}

static void read_input(void *arg, uint32_t events);

/*
 * Types what was read. Of a pipe nothing is read while some of it finds no room,
 * as before the guest is up; what a person types is dropped then, so that the way
 * out stays open.
 */
static void type_keys(void *arg)
{
	struct run *run = arg;
	struct loop *loop = deck_loop(run->deck);
	size_t taken;

	if (!run->guest)
		return;
	taken = console_input(guest_console(run->guest), run->keys, run->key_count);
	if (run->terminal)
		taken = run->key_count;
	run->key_count -= taken;
	memmove(run->keys, run->keys + taken, run->key_count);
	if (run->key_count) {
		loop_remove(loop, &run->input);
		loop_timer_set(loop, &run->type_again, INPUT_PAUSE);
	} else if (!run->input.active) {
		(void)loop_add(loop, &run->input, STDIN_FILENO, EPOLLIN, read_input, run);
	}
}

static void read_input(void *arg, uint32_t events)
{
	struct run *run = arg;
	uint8_t data[CHUNK];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	(void)events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			loop_remove(deck_loop(run->deck), &run->input);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (!run->terminal || take_key(run, data[i]))
			run->keys[run->key_count++] = data[i];
	type_keys(run);
}

static void quit(void *arg)
{
	struct run *run = arg;

	run->over = true;
	loop_stop(deck_loop(run->deck));
}

static void read_signal(void *arg, uint32_t events)
{
	struct run *run = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(run->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	/* Only whoever reads the output is still waited for. */
	if (!run->guest)
		quit(run);
	else
		ask_to_stop(run, false);
}

static void check_over(struct run *run)
{
	if (run->written && run->ended)
		quit(run);
}

static void output_done(void *arg)
{
	struct run *run = arg;

	run->written = true;
	if (run->output.failed)
		run->status = 1;
	check_over(run);
}

static void deck_ended(void *arg)
{
	struct run *run = arg;

	run->ended = true;
	check_over(run);
}

/* Takes the rest of the console and says why. The deck may forget the guest after this. */
static void finish(struct run *run)
{
	struct guest *guest = run->guest;
	bool well = guest_get_state(guest) == GUEST_STOPPED;

	run->status = !well; /* the output may make it 1 */
	run_output_end(&run->output);
	restore_terminal(run);
	if (!well) {
		fprintf(stderr, "vmdeck: %s: %s\n", guest_name(guest), guest_reason(guest));
		if (*guest_registers(guest))
			fprintf(stderr, "%s\n", guest_registers(guest));
	}
	run->guest = NULL;
	deck_end(run->deck, true, deck_ended, run); /* while the output is waited for none starts */
}

static void say_paused(struct run *run, const char *why)
{
	say(run, why);
	if (run->terminal)
		say(run, "Ctrl-] r resumes");
}

static void on_event(void *arg, const struct deck_event *event)
{
	struct run *run = arg;

	if (event->kind == DECK_EVENT_LOG) {
		say(run, event->text);
		return;
	}
	if (!run->guest || event->guest != run->guest || event->kind != DECK_EVENT_STATE)
		return;
	if (guest_state_in(guest_get_state(run->guest), GUEST_ENDED))
		finish(run);
	else if (*event->text)
		say_paused(run, event->text);
}

static int watch(struct run *run, struct cause *cause)
{
	struct loop *loop = deck_loop(run->deck);
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	run->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0)
		return cause_errno(cause, errno, "signalfd");
	/* A regular file cannot be watched, and standard input may be closed: then nobody types. */
	(void)loop_add(loop, &run->input, STDIN_FILENO, EPOLLIN, read_input, run);
	err = loop_add(loop, &run->signals, run->signal_fd, EPOLLIN, read_signal, run);
	return err < 0 ? cause_errno(cause, -err, "signalfd") : 0;
}

/* A second deck may have the socket: then this one is not to be reached from outside. */
static void open_server(void *arg)
{
	struct run *run = arg;
	const char *path = run->socket_path;
	struct cause cause;

	if (!path || server_new(&run->server, run->deck, &cause) < 0)
		return;
	server_on_quit(run->server, quit, run);
	if (server_listen(run->server, path, &cause) < 0) {
		server_free(run->server);
		run->server = NULL;
	}
}

int role_run(const struct role_config *config, const char *profile_path)
{
	const char *const profiles[] = { profile_path, NULL };
	const struct deck_config deck_config = {
		.builtin = config->builtin,
		.switches_folder = config->switches_folder,
		.profiles = profiles,
	};
	struct run run = { .signal_fd = -1, .status = 1, .socket_path = config->socket_path };
	struct cause cause;

	files_reserve(OPEN_FILES);
	if (deck_new(&run.deck, &deck_config, &cause) < 0) {
		fprintf(stderr, "vmdeck: %s\n", cause.text);
		return 1;
	}
	run.guest = deck_guest(run.deck, 0);
	if (!run.guest || guest_get_state(run.guest) == GUEST_INVALID) {
		if (run.guest)
			profile_report_print(guest_mistakes(run.guest), profile_path, stderr);
		deck_free(run.deck);
		return 1;
	}
	run.listener = (struct deck_listener){ .event = on_event, .arg = &run };
	run.output.say = say;
	run.output.done = output_done;
	run.output.arg = &run;
	run.serve = (struct loop_timer){ .fire = open_server, .arg = &run };
	run.type_again = (struct loop_timer){ .fire = type_keys, .arg = &run };
	if (watch(&run, &cause) < 0 || guest_start(run.guest, &cause) < 0) {
		fprintf(stderr, "vmdeck: %s\n", cause.text);
	} else {
		deck_listen(run.deck, &run.listener);
		run_output_begin(&run.output, deck_loop(run.deck), guest_console(run.guest));
		/* The guest first, then those who ask for it. */
		loop_timer_set(deck_loop(run.deck), &run.serve, SERVE_AFTER);
		prepare_terminal(&run);
		while (!run.over)
			loop_run(deck_loop(run.deck));
		deck_unlisten(run.deck, &run.listener);
		run_output_stop(&run.output);
		server_free(run.server);
	}
	loop_timer_cancel(deck_loop(run.deck), &run.serve);
	loop_timer_cancel(deck_loop(run.deck), &run.type_again);
	loop_remove(deck_loop(run.deck), &run.input);
	if (run.signal_fd >= 0)
		close(run.signal_fd);
	deck_free(run.deck);
	return run.status;
}
