/* A passphrase that is typed at a terminal, which is the test's. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/passphrase.h"

/* What the process at the terminal found. */
struct found {
	int result;
	char text[PASSPHRASE_MAX];
	char cause[CAUSE_SIZE];
	int left; /* bytes that the next program would read */
	bool echo;
};

static struct found *found;

static void ask(void)
{
	struct termios termios;
	struct cause cause = { "" };
	char rest[2 * PASSPHRASE_MAX];
	ssize_t n;

	found->result = passphrase_ask("web", "disk0", "/a.luks", found->text, &cause);
	snprintf(found->cause, sizeof(found->cause), "%s", cause.text);
	tcgetattr(STDIN_FILENO, &termios);
	found->echo = termios.c_lflag & ECHO;
	/* Also what no line's end came behind. */
	termios.c_lflag &= ~(tcflag_t)ICANON;
	termios.c_cc[VMIN] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &termios);
	n = read(STDIN_FILENO, rest, sizeof(rest));
	found->left = (int)n;
}

/* A process that asks at a terminal of its own, and listens. */
static pid_t begin(int *master)
{
	char question[256] = "";
	size_t n = 0;
	int terminal;
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		ask();
		_exit(0);
	}
	while (!strstr(question, "/a.luks: ") && n < sizeof(question) - 1) {
		ssize_t got = read(terminal, question + n, sizeof(question) - 1 - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_string_equal(question, "web: passphrase of disk0, /a.luks: ");
	/* It is asked a moment before its keys are listened to, and what came before is none. */
	for (struct termios termios; tcgetattr(terminal, &termios) == 0 && termios.c_lflag & ECHO;)
		usleep(1000);
	*master = terminal;
	return pid;
}

/* Types keys once it is asked; what the terminal has shown is in shown. */
static void type(const char *keys, size_t size, char shown[8192])
{
	size_t n;
	int terminal, status;
	pid_t pid = begin(&terminal);

	assert_int_equal(write(terminal, keys, size), size);
	for (n = 0; n < 8191;) {
		ssize_t got = read(terminal, shown + n, 8191 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	shown[n] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(terminal);
	assert_true(found->echo);
}

static void a_line_is_taken_and_not_shown(void **state)
{
	char shown[8192];

	(void)state;
	type("open, b\303\244\177\177sesamy\010e\r", 21, shown);
	assert_int_equal(found->result, 0);
	assert_string_equal(found->text, "open, sesame");
	assert_null(strstr(shown, "ses"));
	type("abc\025de\r", 7, shown);
	assert_string_equal(found->text, "de");
}

static void who_gives_none_is_told_so(void **state)
{
	char shown[8192];

	(void)state;
	type("abc\003", 4, shown);
	assert_int_equal(found->result, -ECANCELED);
	assert_string_equal(found->cause, "web: it was not started, as no passphrase was given");
	assert_string_equal(found->text, "");
}

/* The rest would be shown, and taken for an order, by the shell. */
static void of_one_that_is_too_long_nothing_is_left(void **state)
{
	char keys[PASSPHRASE_MAX + 64], shown[8192];

	(void)state;
	memset(keys, 'x', sizeof(keys));
	keys[sizeof(keys) - 1] = '\r';
	type(keys, sizeof(keys), shown);
	assert_int_equal(found->result, -E2BIG);
	assert_string_equal(found->cause, "web: it was not started, as the passphrase is too long");
	assert_int_equal(found->left, 0);
	assert_null(strstr(shown, "xx"));
}

/* It ends the process, which leaves the terminal as it was. */
static void a_signal_leaves_no_terminal_without_echo(void **state)
{
	struct termios termios;
	int terminal, status;
	pid_t pid = begin(&terminal);

	(void)state;
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(tcgetattr(terminal, &termios), 0);
	assert_true(termios.c_lflag & ECHO);
	close(terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_and_not_shown),
		cmocka_unit_test(who_gives_none_is_told_so),
		cmocka_unit_test(of_one_that_is_too_long_nothing_is_left),
		cmocka_unit_test(a_signal_leaves_no_terminal_without_echo),
	};

	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (found == MAP_FAILED)
		return 99;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
