/*
 * "vmdeck": the screen, attached to the deck that runs or with the core in
 * this process.
 *
 * A deck of our own begins with a fork: the launcher, which is what the shell
 * sees, holds the terminal's foreground; the child is the real process, core
 * and screen together. To leave guests running the child ends the screen,
 * leaves the terminal's session and goes on as the core, and the launcher
 * exits: nothing moves and nothing pauses.
 *
 * Threads of the child: main runs the screen; the deck thread runs the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/plain.h"
#include "control/endpoint.h"
#include "roles/attach.h"
#include "roles/roles.h"
#include "roles/say.h"
#include "roles/session.h"
#include "tui/canvas/terminal.h"
#include "tui/tui.h"

/* What the child tells the launcher before it leaves the terminal, or ends, if it can. */
#define LEFT_RUNNING 'L'
#define GAVE_UP 'G'

/* --- the child: core and screen --- */

static void tell_launcher(int launcher, char what)
{
	ssize_t n = write(launcher, &what, 1);

	(void)n; /* it may have gone with the terminal */
}

/* Out of the terminal's session; its hang-up and its keys are no longer ours. */
static void leave_terminal(int launcher)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	deck_signals_block_all();
	setsid();
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null >= 0)
		close(null);
	tell_launcher(launcher, LEFT_RUNNING);
	close(launcher);
}

/* The kernel may not end its process before the file system has answered: nobody waits for that. */
static void say_given_up(const struct deck_session *session, int launcher)
{
	deck_session_say_given_up(session);
	tell_launcher(launcher, GAVE_UP);
}

static void outlive(int signal)
{
	(void)signal;
}

/* What the terminal and its keys send: launcher and child are forked with it blocked. */
static const int of_terminal[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP };

static sigset_t set_of_terminal(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < ARRAY_SIZE(of_terminal); i++)
		sigaddset(&set, of_terminal[i]);
	return set;
}

/*
 * The screen handles these itself; before it begins, and when it has ended and this process
 * has not left the terminal's session yet, they do not end the deck. Whether one has come by
 * now that ends the screen.
 */
static bool outlive_terminal(void)
{
	static const struct timespec at_once = { 0 };
	const sigset_t set = set_of_terminal();
	sigset_t ends;
	bool ended;

	sigemptyset(&ends);
	for (unsigned i = 0; i < ARRAY_SIZE(of_terminal); i++) {
		if (signal(of_terminal[i], outlive) == SIG_IGN)
			signal(of_terminal[i], SIG_IGN);
		else if (of_terminal[i] == SIGHUP || of_terminal[i] == SIGQUIT)
			sigaddset(&ends, of_terminal[i]);
	}
	ended = sigtimedwait(&ends, NULL, &at_once) > 0;
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return ended;
}

static int run_session(const struct role_config *config, int launcher)
{
	struct deck_session session = { 0 };
	struct tui_config tui = { .dial = deck_session_dial, .dial_arg = &session,
				  .in_process = true, .launcher = getppid(),
				  .line = config->line };
	enum tui_result result;
	struct cause cause;
	bool left;

	if (deck_session_open(&session, config, &cause) < 0 ||
	    deck_session_start(&session, &cause) < 0) {
		deck_session_close(&session);
		return complain(&cause);
	}
	if (outlive_terminal()) {
		result = TUI_HANGUP;
	} else if (tui_run(&tui, &result, &cause) < 0) {
		complain(&cause);
		loop_post(deck_loop(session.deck), &session.off);
		deck_session_close(&session);
		return 1;
	}
	if (result == TUI_ENDED)
		say_ended();
	if (result == TUI_LOST)
		complain(&cause);
	left = result == TUI_LEAVE || result == TUI_HANGUP;
	if (left)
		leave_terminal(launcher);
	loop_post(deck_loop(session.deck), left ? &session.left : &session.off);
	deck_session_close(&session);
	if (deck_session_gave_up(&session) && !left)
		say_given_up(&session, launcher);
	return result == TUI_LOST || deck_session_gave_up(&session);
}

/* --- the launcher --- */

static volatile sig_atomic_t child_pid;

static void pass_on(int signal)
{
	deck_signals_pass_on((pid_t)child_pid, signal);
}

/* None ends or stops the launcher while the child has the terminal. */
static void take_signals(void)
{
	static const int passed[] = { SIGTERM, SIGHUP }, ignored[] = { SIGINT, SIGQUIT, SIGTSTP };
	const struct sigaction action = { .sa_handler = pass_on };

	for (unsigned i = 0; i < ARRAY_SIZE(passed); i++)
		if (signal(passed[i], SIG_IGN) != SIG_IGN)
			sigaction(passed[i], &action, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
}

/* The child died without ending the screen: the terminal becomes the shell's again. */
static int report_death(int signal, const struct termios *before)
{
	/* Mouse, other screen, cursor, colours, keypad, marks of pastes. */
	fputs("\033[?1000l\033[?1006l\033[?1049l\033[?25h\033[0m\033[?1l\033>\033[?2004l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, before);
	plain_say("ended by signal %d (%s)", signal, strsignal(signal));
	return 128 + signal;
}

static int launch(const struct role_config *config)
{
	struct termios before;
	int pipe_fds[2], status;
	sigset_t set = set_of_terminal();
	char left = 0;
	pid_t pid;
	ssize_t n;

	tcgetattr(STDIN_FILENO, &before);
	/* One that comes before both know what to do with it is kept. */
	sigaddset(&set, SIGTERM);
	sigaddset(&set, DECK_SIGNAL_PASSED_ON);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		plain_say("%m");
		return 1;
	}
	if (pid == 0) {
		close(pipe_fds[0]);
		return run_session(config, pipe_fds[1]);
	}
	child_pid = pid;
	take_signals();
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	close(pipe_fds[1]);
	do {
		n = read(pipe_fds[0], &left, 1);
	} while (n < 0 && errno == EINTR);
	if (left == LEFT_RUNNING) {
		plain_say("the guests go on running; 'vmdeck' shows them again, "
			  "'vmdeck shutdown' ends them");
		return 0;
	}
	if (left == GAVE_UP)
		return 1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : report_death(WTERMSIG(status), &before);
}

int role_screen(const struct role_config *config)
{
	struct cause cause;
	int fd = endpoint_connect(config->endpoint, &cause);

	if (fd >= 0) {
		close(fd);
		if (config->demo) {
			plain_say("a deck is running already; attach to it with 'vmdeck', or give "
				  "the demo another --socket");
			return 1;
		}
		return attach(config);
	}
	if (fd != -ENOENT && fd != -ECONNREFUSED)
		return complain(&cause);
	if (config->read_only) {
		plain_say("no deck is running; --read-only watches one that is");
		return 1;
	}
	/* Before guests are started that would be ended at once. */
	if (terminal_check(&cause) < 0)
		return complain(&cause);
	return launch(config);
}
