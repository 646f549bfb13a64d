/*
 * "vmdeck": the screen, attached to the deck that runs or with the core in
 * this process; or that core without a screen.
 *
 * A deck of our own begins with a fork: the launcher, which is what the shell
 * sees, holds the terminal's foreground; the child is the real process, core
 * and screen together. To leave guests running the child ends the screen,
 * leaves the terminal's session and goes on as the core, and the launcher
 * exits: nothing moves and nothing pauses.
 *
 * Threads of the child: main runs the screen; the deck thread runs the rest.
 * Without a screen main is the deck thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/files.h"
#include "control/client.h"
#include "control/endpoint.h"
#include "core/deck/deck.h"
#include "core/server/server.h"
#include "roles/roles.h"
#include "tui/tui.h"

#define OPEN_FILES 16384 /* a guest has up to 16, a connection through NAT one */
#define LEFT_RUNNING 'L' /* what the child tells the launcher before it leaves the terminal */

static int complain(const struct cause *cause)
{
	fprintf(stderr, "vmdeck: %s\n", cause->text);
	return 1;
}

/* A screen that nobody here ended says why it went. */
static void say_ended(void)
{
	fprintf(stderr, "vmdeck: the deck was ended\n");
}

/* --- attached to a deck that runs in another process --- */

static int dial_socket(void *arg, struct cause *cause)
{
	return endpoint_connect(arg, cause);
}

/*
 * Somebody had left the deck for its guests' sake; when nothing runs any more,
 * there is nothing to keep. Whether that is so only the deck knows.
 */
static void leave_deck(const char *path)
{
	struct link *link = NULL;
	json_t *result = NULL;
	struct cause cause;
	int err = link_open(&link, path, &cause);

	if (!err)
		err = link_call(link, "deck.quit", json_pack("{s:s}", "mode", "idle"), &result,
				&cause);
	/* It may have gone with the screen's own connection. */
	if (err == -ENOENT || err == -ECONNREFUSED || err == -ECONNRESET ||
	    json_is_true(json_object_get(result, "ends")))
		fprintf(stderr, "vmdeck: no guest runs any more, so the deck has ended\n");
	json_decref(result);
	link_free(link);
}

static int attach(const char *path)
{
	struct tui_config config = { .dial = dial_socket, .dial_arg = (void *)path };
	enum tui_result result;
	struct cause cause;

	if (tui_run(&config, &result, &cause) < 0 || result == TUI_LOST)
		return complain(&cause);
	if (result == TUI_ENDED)
		say_ended();
	if (result == TUI_QUIT || result == TUI_HANGUP)
		leave_deck(path);
	return 0;
}

/* --- the child: core and screen --- */

struct session {
	struct deck *deck;
	pthread_mutex_t lock;
	struct server *server; /* guarded by lock once the deck thread runs; NULL at its end */
	pthread_t thread;
	struct loop_task start, off, left;
	bool keep;  /* the deck stays when nobody uses it */
	bool force; /* end: the second time */
};

static int dial_session(void *arg, struct cause *cause)
{
	struct session *session = arg;
	int fds[2], err = -ECONNREFUSED;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return cause_errno(cause, errno, "socketpair");
	pthread_mutex_lock(&session->lock);
	if (session->server)
		err = server_adopt(session->server, fds[0]);
	else
		close(fds[0]);
	pthread_mutex_unlock(&session->lock);
	if (err < 0) {
		close(fds[1]);
		return cause_errno(cause, -err, "control server");
	}
	return fds[1];
}

static void start_guests(void *arg)
{
	struct session *session = arg;

	deck_autostart(session->deck);
}

static void stop_deck(void *arg)
{
	struct session *session = arg;

	loop_stop(deck_loop(session->deck));
}

/* Presses every power button; when asked again, switches everything off. */
static void end_guests(struct session *session)
{
	deck_end(session->deck, session->force, stop_deck, session);
	session->force = true;
}

/* Guests may run, and nobody can be asked any more what is to become of them. */
static void force_off(void *arg)
{
	struct session *session = arg;

	deck_end(session->deck, true, stop_deck, session);
}

/* The screen has gone: without it and without guests the deck would stay for nobody. */
static void screen_left(void *arg)
{
	struct session *session = arg;

	server_leave(session->server, getpid());
}

/* Serves the deck until it is told to quit; then closes every connection, the screen's too. */
static void *deck_thread(void *arg)
{
	struct session *session = arg;
	struct server *server;

	loop_run(deck_loop(session->deck));
	pthread_mutex_lock(&session->lock);
	server = session->server;
	session->server = NULL;
	pthread_mutex_unlock(&session->lock);
	server_free(server);
	return NULL;
}

/* The deck and its server, on no thread yet. */
static int open_session(struct session *session, const struct role_config *config,
			struct cause *cause)
{
	const struct deck_config deck_config = {
		.builtin = config->builtin,
		.guests_folder = config->demo ? NULL : config->guests_folder,
		.switches_folder = config->demo ? NULL : config->switches_folder,
		.demo = config->demo,
		.demo_guests = config->demo_guests,
	};
	int err;

	session->start = (struct loop_task){ .run = start_guests, .arg = session };
	session->off = (struct loop_task){ .run = force_off, .arg = session };
	session->left = (struct loop_task){ .run = screen_left, .arg = session };
	pthread_mutex_init(&session->lock, NULL);
	files_reserve(OPEN_FILES);
	err = deck_new(&session->deck, &deck_config, cause);
	if (err)
		return err;
	err = server_new(&session->server, session->deck, cause);
	if (!err) {
		server_on_quit(session->server, stop_deck, session);
		if (session->keep)
			server_keep(session->server);
		err = server_listen(session->server, config->socket_path, cause);
	}
	if (err) {
		server_free(session->server);
		deck_free(session->deck);
		return err;
	}
	loop_post(deck_loop(session->deck), &session->start);
	return 0;
}

static int start_session(struct session *session, struct cause *cause)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&session->thread, NULL, deck_thread, session);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		return 0;
	server_free(session->server);
	deck_free(session->deck);
	return cause_errno(cause, err, "deck thread");
}

static void close_session(struct session *session)
{
	pthread_join(session->thread, NULL);
	deck_free(session->deck);
}

/* Out of the terminal's session; its hang-up and its keys are no longer ours. */
static void leave_terminal(int launcher)
{
	char left = LEFT_RUNNING;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t n;

	setsid();
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null >= 0)
		close(null);
	n = write(launcher, &left, 1);
	(void)n; /* the launcher may have gone with the terminal */
	close(launcher);
}

static int run_session(const struct role_config *config, int launcher)
{
	struct session session = { 0 };
	struct tui_config tui = { .dial = dial_session, .dial_arg = &session, .in_process = true };
	enum tui_result result;
	struct cause cause;

	/*
	 * The screen handles hang-ups itself; one more can come when it has ended
	 * and this process has not left the terminal's session yet.
	 */
	signal(SIGHUP, SIG_IGN);
	if (open_session(&session, config, &cause) < 0 || start_session(&session, &cause) < 0)
		return complain(&cause);
	if (tui_run(&tui, &result, &cause) < 0) {
		complain(&cause);
		loop_post(deck_loop(session.deck), &session.off);
		close_session(&session);
		return 1;
	}
	if (result == TUI_ENDED)
		say_ended();
	if (result == TUI_LOST)
		complain(&cause);
	if (result == TUI_LEAVE || result == TUI_HANGUP)
		leave_terminal(launcher);
	loop_post(deck_loop(session.deck),
		  result == TUI_LEAVE || result == TUI_HANGUP ? &session.left : &session.off);
	close_session(&session);
	return result == TUI_LOST;
}

/* --- the core alone --- */

struct headless {
	struct session session;
	int signal_fd;
	struct loop_source signals;
	struct deck_listener journal;
};

static void read_signal(void *arg, uint32_t events)
{
	struct headless *headless = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(headless->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		end_guests(&headless->session);
}

/* A line to standard error; whoever reads it must not hold up the deck. */
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	struct pollfd reader = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[PIPE_BUF];
	va_list ap;

	if (poll(&reader, 1, 0) != 1 || !(reader.revents & POLLOUT))
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fprintf(stderr, "vmdeck: %s\n", line);
}

static void tell_event(void *arg, const struct deck_event *event)
{
	const struct guest *guest = event->guest;

	(void)arg;
	if (event->kind == DECK_EVENT_STATE)
		tell("%s: %s%s%s", guest_name(guest), guest_state_name(guest_get_state(guest)),
		     *event->text ? ": " : "", event->text);
	else if (event->kind == DECK_EVENT_LOG && guest)
		tell("%s: %s", guest_name(guest), event->text);
	else if (event->kind == DECK_EVENT_LOG)
		tell("%s", event->text);
}

/* All signals are blocked, in the threads of guests as well; two of them are read here. */
static int watch_signals(struct headless *headless, struct cause *cause)
{
	struct loop *loop = deck_loop(headless->session.deck);
	sigset_t signals;
	int err;

	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	headless->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (headless->signal_fd < 0)
		return cause_errno(cause, errno, "signalfd");
	err = loop_add(loop, &headless->signals, headless->signal_fd, EPOLLIN, read_signal, headless);
	return err < 0 ? cause_errno(cause, -err, "signalfd") : 0;
}

/* The deck's thread is this one. */
int role_headless(const struct role_config *config)
{
	struct headless headless = { .session.keep = true, .signal_fd = -1 };
	struct session *session = &headless.session;
	struct cause cause;
	int status = 0;

	if (open_session(session, config, &cause) < 0)
		return complain(&cause);
	headless.journal = (struct deck_listener){ .event = tell_event };
	deck_listen(session->deck, &headless.journal);
	if (watch_signals(&headless, &cause) == 0) {
		deck_thread(session);
	} else {
		status = complain(&cause);
		server_free(session->server);
	}
	loop_remove(deck_loop(session->deck), &headless.signals);
	if (headless.signal_fd >= 0)
		close(headless.signal_fd);
	deck_unlisten(session->deck, &headless.journal);
	deck_free(session->deck);
	return status;
}

/* --- the launcher --- */

static volatile sig_atomic_t child_pid;

static void pass_on(int signal)
{
	kill((pid_t)child_pid, signal);
}

/* The child died without ending the screen: the terminal becomes the shell's again. */
static int report_death(int signal, const struct termios *before)
{
	static const char leave[] = "\033[?1049l\033[?25h\033[0m"; /* other screen, cursor, colours */
	ssize_t n = write(STDOUT_FILENO, leave, sizeof(leave) - 1);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, before);
	fprintf(stderr, "vmdeck: ended by signal %d (%s)\n", signal, strsignal(signal));
	return 128 + signal;
}

static int launch(const struct role_config *config)
{
	struct termios before;
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	int pipe_fds[2], status;
	char left = 0;
	pid_t pid;
	ssize_t n;

	tcgetattr(STDIN_FILENO, &before);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		perror("vmdeck");
		return 1;
	}
	if (pid == 0) {
		close(pipe_fds[0]);
		return run_session(config, pipe_fds[1]);
	}
	child_pid = pid;
	sigaction(SIGTERM, &action, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	close(pipe_fds[1]);
	do {
		n = read(pipe_fds[0], &left, 1);
	} while (n < 0 && errno == EINTR);
	if (left == LEFT_RUNNING) {
		fprintf(stderr, "vmdeck: the guests go on running; 'vmdeck' shows them again, "
			"'vmdeck shutdown' ends them\n");
		return 0;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : report_death(WTERMSIG(status), &before);
}

int role_screen(const struct role_config *config)
{
	struct cause cause;
	int fd = endpoint_connect(config->socket_path, &cause);

	if (fd >= 0) {
		close(fd);
		if (config->demo) {
			fprintf(stderr, "vmdeck: a deck is running at %s; attach to it with 'vmdeck', "
				"or give the demo another --socket\n", config->socket_path);
			return 1;
		}
		return attach(config->socket_path);
	}
	if (fd != -ENOENT && fd != -ECONNREFUSED)
		return complain(&cause);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "vmdeck: the screen needs a terminal; without one use the subcommands "
			"(vmdeck help)\n");
		return 1;
	}
	return launch(config);
}
