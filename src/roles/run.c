/*
 * "vmdeck run": one guest in the foreground. Its deck has a thread; this one, the
 * main thread, is a client of it with the guest's console on standard input and
 * output.
 *
 * On a terminal, Ctrl-] is the way out of the guest, to the commands of a table; Ctrl-] Ctrl-]
 * types it. SIGINT, SIGTERM and SIGHUP end the deck as deck_end() does; the second of the first two switches off, and
 * whoever reads the output is not waited for any more.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/sentence.h"
#include "cli/console_session.h"
#include "cli/passphrase.h"
#include "cli/window.h"
#include "cli/signals.h"
#include "control/client.h"
#include "control/message_text.h"
#include "control/names.h"
#include "control/states.h"
#include "roles/roles.h"
#include "roles/say.h"
#include "roles/session.h"

#define ESCAPE 0x1d /* Ctrl-] */
#define SILENCE (2 * NS_PER_S) /* in which a kernel that has a console prints something */

struct run {
	struct deck_session session;
	char guest[NAME_SIZE];
	struct loop loop;
	struct loop_source signals;
	int signal_fd;
	sigset_t before; /* what was blocked before that */
	struct client *client;	/* orders and events */
	struct client *dialer;	/* becomes the console */
	struct console_session console;
	struct window window; /* that a virtio console is shown in */
	uint8_t *rest; /* of the console, read with the answer */
	struct loop_timer silence;
	const char *unsaid; /* the word without which a kernel may be silent */
	bool started; /* the guest */
	bool asked_to_stop;
	unsigned signalled; /* how often, not counting hang-ups */
	bool ending;	    /* by a signal */
	bool over;    /* the guest is down */
	bool told;    /* and it was said why */
	bool written; /* its console is out, or there is none */
	int status;   /* of the program */
};

static void __attribute__((format(printf, 2, 3)))
say(struct run *run, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	console_session_say(&run->console, "vmdeck: %s", text);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void quit(struct run *run)
{
	loop_stop(&run->loop);
}

static void check_over(struct run *run)
{
	if (run->told && (run->written || run->signalled > 1))
		quit(run);
}

/* --- orders --- */

static void order_answered(void *arg, json_t *result, const struct client_error *error)
{
	(void)result;
	if (error && error->code)
		say(arg, "%s", error->message);
}

static void order(struct run *run, const char *method)
{
	if (!run->over)
		client_call(run->client, method,
			    json_pack("{s:o}", "guest", message_text(run->guest)), order_answered,
			    run);
}

static void ask_to_stop(struct run *run, bool force)
{
	order(run, force || run->asked_to_stop ? "guest.off" : "guest.stop");
	run->asked_to_stop = true;
}

/* A hang-up comes twice, and with the SIGTERM of a logout: it takes no guest's power. */
static void signal_came(void *arg, uint32_t events)
{
	struct run *run = arg;
	struct deck_session *session = &run->session;
	int number = signals_take(run->signal_fd);

	(void)events;
	if (!number)
		return;
	run->signalled += number != SIGHUP;
	/* Only whoever reads the output is still waited for. */
	if (run->over)
		quit(run);
	else if (run->signalled > 1)
		loop_post(deck_loop(session->deck), &session->force);
	else if (!run->ending)
		loop_post(deck_loop(session->deck), &session->press);
	run->ending = true;
}

/* --- the console --- */

static void press(struct run *run)
{
	ask_to_stop(run, false);
}

static void switch_off(struct run *run)
{
	ask_to_stop(run, true);
}

static void resume(struct run *run)
{
	order(run, "guest.resume");
}

static void send_break(struct run *run)
{
	order(run, "console.break");
}

/* Behind Ctrl-], in small letters or capital ones. */
static const struct {
	char key;
	const char *does;
	void (*give)(struct run *run);
} commands[] = {
	{ 's', "presses the power button", press },
	{ 'f', "switches off", switch_off },
	{ 'r', "resumes", resume },
	{ 'b', "sends a break to the serial port", send_break },
};

static void name_commands(struct run *run)
{
	char text[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands) && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%c %s, ", commands[i].key,
				      commands[i].does);
	say(run, "behind Ctrl-] %sCtrl-] types it", text);
}

static bool take_command(void *arg, uint8_t key)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if ((key | 0x20) == commands[i].key) {
			commands[i].give(arg);
			return false;
		}
	if (key != ESCAPE)
		name_commands(arg);
	return key == ESCAPE;
}

static void output_failed(void *arg, int error)
{
	struct run *run = arg;

	run->status = 1;
	say(run, "standard output: %s; the guest goes on, and 'vmdeck console' shows what it "
	    "prints", strerror(error));
}

static void deaf(void *arg)
{
	struct run *run = arg;

	say(run, "%s: the guest does not read; what is typed from now on is lost", run->guest);
}

static void console_ended(void *arg, int error)
{
	struct run *run = arg;

	(void)error;
	run->written = true;
	check_over(run);
}

static const struct console_session_ops console_ops = {
	.command = take_command,
	.deaf = deaf,
	.output_failed = output_failed,
	.ended = console_ended,
};

/* The guest goes on without a console that cannot be had. */
static void lose_console(struct run *run, const char *why)
{
	say(run, "console: %s", why);
	run->status = 1;
	run->written = true;
	check_over(run);
}

static void dialer_closed(void *arg, const struct cause *cause)
{
	lose_console(arg, cause->text);
}

static void tell_window(void *arg)
{
	struct run *run = arg;

	window_tell(&run->window, run->client, run->guest);
}

static void console_opened(void *arg, json_t *result, const struct client_error *error)
{
	struct run *run = arg;
	struct console_session *console = &run->console;
	int err;

	if (error) {
		if (error->code)
			lose_console(run, error->message);
		return;
	}
	if (strcmp(text_of(result, "console"), "virtio") == 0 && isatty(STDOUT_FILENO) &&
	    window_watch(&run->window, &run->loop, tell_window, run) == 0)
		tell_window(run);
	console->fd = client_detach(run->dialer, &run->rest, &console->rest_size);
	client_free(run->dialer);
	run->dialer = NULL;
	console->rest = run->rest;
	err = console->fd < 0 ? console->fd : console_session_begin(console);
	if (err)
		lose_console(run, strerror(-err));
	else if (console->raw)
		say(run, "%s: Ctrl-] s presses the power button, Ctrl-] f switches off", run->guest);
}

static void open_console(struct run *run)
{
	const struct client_handlers handlers = { .closed = dialer_closed, .arg = run };
	struct cause cause;
	int fd = deck_session_dial(&run->session, &cause);

	if (fd < 0 || client_new(&run->dialer, &run->loop, fd, &handlers, &cause) < 0)
		lose_console(run, cause.text);
	else
		client_call(run->dialer, "console.open",
			    json_pack("{s:o, s:b, s:b}", "guest", message_text(run->guest),
				      "backlog", 1, "until_end", 1), console_opened, run);
}

/* Of a guest that nothing has come from, it is said what may be wrong. */
static void is_silent(void *arg)
{
	struct run *run = arg;

	if (!run->over && !run->console.heard)
		say(run, "%s: nothing was printed so far, and its command line has no %s, without "
		    "which Linux prints nothing here; give it by --append, or by cmdline in its "
		    "profile", run->guest, run->unsaid);
}

static void listen_for_silence(struct run *run, const struct guest *guest)
{
	static const char *const words[CONSOLES] = {
		[CONSOLE_SERIAL] = "console=ttyS0", [CONSOLE_VIRTIO] = "console=hvc0",
	};
	const struct profile *profile = guest_profile(guest);

	run->unsaid = words[guest_shown_console(guest)];
	run->silence = (struct loop_timer){ .fire = is_silent, .arg = run };
	if (profile->kernel && !(profile->cmdline && strstr(profile->cmdline, run->unsaid)))
		loop_timer_set(&run->loop, &run->silence, SILENCE);
}

/* --- what happens to the guest --- */

/* shown: the result of guest.show, or what an event says. */
static void tell_end(struct run *run, const json_t *shown, const char *reason)
{
	bool well = strcmp(text_of(shown, "state"), guest_state_name(GUEST_STOPPED)) == 0;

	run->status |= !well;
	console_session_restore(&run->console);
	if (!well)
		say(run, "%s: %s", run->guest, reason);
	if (!well && *text_of(shown, "registers"))
		console_session_say(&run->console, "%s", text_of(shown, "registers"));
	run->told = true;
	check_over(run);
}

static void shown_at_end(void *arg, json_t *result, const struct client_error *error)
{
	if (!error)
		tell_end(arg, result, text_of(result, "reason"));
}

/* The guest is down. While its output is waited for nothing starts. */
static void end_deck(struct run *run)
{
	run->over = true;
	loop_post(deck_loop(run->session.deck), &run->session.over);
}

static void guest_ended(struct run *run, const json_t *event)
{
	end_deck(run);
	if (client_call(run->client, "guest.show",
			json_pack("{s:o}", "guest", message_text(run->guest)), shown_at_end,
			run) < 0)
		tell_end(run, event, text_of(event, "text"));
}

static void notified(void *arg, const char *method, json_t *params)
{
	enum guest_state state = guest_state_find(text_of(params, "state"));
	const char *text = text_of(params, "text"), *kind = text_of(params, "kind");
	struct run *run = arg;

	if (strcmp(method, "event") != 0 || run->over)
		return;
	if (strcmp(kind, "log") == 0 || strcmp(kind, "ending") == 0) {
		say(run, "%s", text);
	} else if (strcmp(text_of(params, "guest"), run->guest) == 0) {
		if (guest_state_in(state, GUEST_ENDED)) {
			guest_ended(run, params);
		} else if (*text) {
			say(run, "%s", text);
			if (state == GUEST_PAUSED && run->console.raw)
				say(run, "Ctrl-] r resumes");
		}
	}
}

/* Somebody ended the deck, and with it the guest. */
static void closed(void *arg, const struct cause *cause)
{
	struct run *run = arg;

	(void)cause;
	run->over = true;
	quit(run);
}

/* Events tell of what happens from now on; this, of what has happened to the guest before. */
static void shown_at_first(void *arg, json_t *result, const struct client_error *error)
{
	struct run *run = arg;
	enum guest_state state = guest_state_find(text_of(result, "state"));

	if (!error && !run->over && guest_state_in(state, GUEST_ENDED)) {
		end_deck(run);
		tell_end(run, result, text_of(result, "reason"));
	}
}

/* --- life --- */

/*
 * Of an image that is not there its start says so first. A file system may not answer: signals end
 * the program then, as nothing has begun.
 */
static bool is_there(const struct run *run, const char *path)
{
	sigset_t blocked;
	bool there;

	pthread_sigmask(SIG_SETMASK, &run->before, &blocked);
	there = access(path, F_OK) == 0;
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	return there;
}

/* Where there is no terminal, its start says what it lacks. */
static int unlock(const struct run *run, struct guest *guest, struct cause *cause)
{
	char secret[PASSPHRASE_MAX], disk[sizeof("disk") + 10];
	int err = 0;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX && !err; i++) {
		if (!guest_is_locked(guest, i) || !is_there(run, guest_disk_path(guest, i)))
			continue;
		snprintf(disk, sizeof(disk), "disk%u", i);
		err = passphrase_ask(run->guest, disk, guest_disk_path(guest, i), secret, cause);
		if (err)
			return err == -ENOTTY ? 0 : err;
		err = guest_unlock(guest, disk, secret, cause);
		explicit_bzero(secret, sizeof(secret));
	}
	return err;
}

/*
 * The guest begins first of all, while its deck has no thread yet; then comes its
 * console, and then what else there is to hear of it.
 */
static int begin(struct run *run, struct cause *cause)
{
	const struct client_handlers handlers = { .notification = notified, .closed = closed,
						  .arg = run };
	struct guest *guest = deck_guest(run->session.deck, 0);
	int err, fd;

	err = unlock(run, guest, cause);
	if (err)
		return err;
	err = loop_add(&run->loop, &run->signals, run->signal_fd, EPOLLIN, signal_came, run);
	if (err)
		return cause_errno(cause, -err, "signalfd");
	err = guest_order(guest, METHOD_GUEST_START, cause);
	if (err)
		return err;
	run->started = true;
	listen_for_silence(run, deck_guest(run->session.deck, 0));
	err = deck_session_start(&run->session, cause);
	if (err)
		return err;
	open_console(run);
	fd = deck_session_dial(&run->session, cause);
	err = fd < 0 ? fd : client_new(&run->client, &run->loop, fd, &handlers, cause);
	if (err)
		return err;
	client_call(run->client, "events.subscribe", NULL, NULL, NULL);
	client_call(run->client, "guest.show",
		    json_pack("{s:o}", "guest", message_text(run->guest)), shown_at_first, run);
	return 0;
}

/* Takes apart what begin() made, however far it came. */
static void end(struct run *run)
{
	size_t lost = run->console.fd >= 0 && !run->written
			      ? console_session_give_up(&run->console) : 0;

	console_session_end(&run->console);
	if (lost)
		say(run, "%zu bytes of the console were lost: standard output is too slow", lost);
	if (run->console.fd >= 0)
		close(run->console.fd);
	free(run->rest);
	window_end(&run->window);
	client_free(run->dialer);
	client_free(run->client);
	loop_timer_cancel(&run->loop, &run->silence);
	loop_remove(&run->loop, &run->signals);
	close(run->signal_fd);
	loop_destroy(&run->loop);
	if (run->session.deck)
		loop_post(deck_loop(run->session.deck), &run->session.off);
	if (run->started && !run->session.started)
		deck_session_serve(&run->session);
	deck_session_close(&run->session);
	deck_session_say_given_up(&run->session);
}

/* The deck's one guest, if its profile is good; otherwise its mistakes are told. */
static bool find_guest(struct run *run, const char *profile)
{
	const struct guest *guest = deck_guest(run->session.deck, 0);

	if (!guest)
		return false;
	if (guest_get_state(guest) == GUEST_INVALID) {
		profile_report_print(guest_mistakes(guest), profile, stderr);
		return false;
	}
	snprintf(run->guest, sizeof(run->guest), "%s", guest_name(guest));
	return true;
}

int role_run(const struct role_config *config)
{
	struct run run = { .session.alone = true, .loop.epoll_fd = -1 };
	struct cause cause;

	run.console = (struct console_session){ .ops = &console_ops, .arg = &run,
						.loop = &run.loop, .fd = -1, .escape_key = ESCAPE };
	/* Before all else: one that comes while the guest begins finds its button. */
	run.signal_fd = signals_open(&run.before);
	if (run.signal_fd < 0) {
		cause_errno(&cause, errno, "signalfd");
		return complain(&cause);
	}
	if (deck_session_open(&run.session, config, &cause) < 0 ||
	    loop_init(&run.loop, &cause) < 0) {
		run.status = complain(&cause);
	} else if (!find_guest(&run, config->profile)) {
		run.status = 1;
	} else if (begin(&run, &cause) < 0) {
		run.status = complain(&cause);
	} else {
		loop_run(&run.loop);
	}
	end(&run);
	return run.status || deck_session_gave_up(&run.session);
}
