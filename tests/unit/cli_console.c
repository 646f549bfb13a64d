/*
 * "vmdeck console" on a terminal: this program runs itself with "cli" as its first
 * argument on a pseudoterminal, against a deck without machines; and what a guest asks
 * of a terminal.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>

#include "cli/cli.h"
#include "cli/queries.h"
#include "fake_deck.h"

#define PATIENCE 20000 /* ms */

static const struct cli_hooks hooks;
static int self;

struct terminal {
	pid_t pid;
	int fd;
	size_t size;
	char text[65536]; /* what was printed */
};

static void begin(struct terminal *terminal)
{
	terminal->size = 0;
	terminal->text[0] = '\0';
	terminal->pid = forkpty(&terminal->fd, NULL, NULL, NULL);
	if (terminal->pid == 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", self);
		execl(path, "cli-test", "cli", "console", "web", (char *)NULL);
		_exit(127);
	}
}

static void read_more(struct terminal *terminal)
{
	ssize_t n = read(terminal->fd, terminal->text + terminal->size,
			 sizeof(terminal->text) - 1 - terminal->size);

	assert_true(n > 0);
	terminal->size += (size_t)n;
	terminal->text[terminal->size] = '\0';
}

static void see(struct terminal *terminal, const char *part)
{
	struct pollfd ready = { .fd = terminal->fd, .events = POLLIN };

	while (!strstr(terminal->text, part)) {
		assert_int_equal(poll(&ready, 1, PATIENCE), 1);
		read_more(terminal);
	}
}

static void type(const struct terminal *terminal, const char *keys)
{
	assert_int_equal(write(terminal->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* Waits until the program has ended, and well. */
static void gone(struct terminal *terminal)
{
	int status = -1;

	for (unsigned ms = 0; waitpid(terminal->pid, &status, WNOHANG) == 0; ms++) {
		assert_true(ms < PATIENCE);
		usleep(1000);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(terminal->fd);
}

static void wait_typed(struct fake_deck *fake, const char *text)
{
	size_t typed = 0;

	while (typed < strlen(text)) {
		usleep(1000);
		pthread_mutex_lock(&fake->lock);
		typed = fake->typed_size;
		pthread_mutex_unlock(&fake->lock);
	}
	assert_int_equal(typed, strlen(text));
	assert_memory_equal(fake->typed, text, typed);
}

static void print(struct fake_deck *fake, const char *text)
{
	fake_print(fake, "web", text, strlen(text));
}

static void keys_pass_and_one_leaves(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;

	print(fake, "login: ");
	begin(&terminal);
	see(&terminal, "login: ");
	see(&terminal, "Ctrl-] leaves");
	type(&terminal, "root\r\x03"); /* Ctrl-C is the guest's */
	wait_typed(fake, "root\r\x03");
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* The same with a pipe on either side; where what is typed is written to. */
static int begin_piped(struct terminal *terminal)
{
	int input[2], output[2];

	terminal->size = 0;
	terminal->text[0] = '\0';
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	terminal->fd = output[0];
	terminal->pid = fork();
	if (terminal->pid == 0) {
		char path[64];

		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", self);
		execl(path, "cli-test", "cli", "console", "web", (char *)NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	return input[1];
}

/* All of it is typed, what comes is shown, and the guest's end is the end. */
static void a_pipe_that_ends(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	int input;

	print(fake, "before\n");
	input = begin_piped(&terminal);
	assert_int_equal(write(input, "echo x\n", 7), 7);
	close(input);
	wait_typed(fake, "echo x\n");
	see(&terminal, "before\n");
	print(fake, "x\n");
	see(&terminal, "before\nx\n");
	print(fake, "bye\n");
	fake_set_state(fake, "web", GUEST_STOPPED, "");
	see(&terminal, "x\nbye\n");
	gone(&terminal);
	/* Of one that does not run there is what it has printed. */
	close(begin_piped(&terminal));
	see(&terminal, "before\nx\nbye\n");
	gone(&terminal);
}

/* Who may still type is there for the next start. */
static void a_pipe_that_does_not_end(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	int input = begin_piped(&terminal);

	print(fake, "one\n");
	see(&terminal, "one\n");
	fake_set_state(fake, "web", GUEST_STOPPED, "");
	fake_set_state(fake, "web", GUEST_RUNNING, "");
	print(fake, "two\n");
	see(&terminal, "one\ntwo\n");
	fake_set_state(fake, "web", GUEST_STOPPED, "");
	close(input);
	gone(&terminal);
}

static void one_that_does_not_run_is_said_to(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;

	fake_set_state(fake, "web", GUEST_STOPPED, "");
	begin(&terminal);
	see(&terminal, "[web is stopped; what it prints comes when it has been started]");
	see(&terminal, "Ctrl-] leaves");
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* Whether the program ignores a signal. */
static bool ignores(const struct terminal *terminal, int number)
{
	char path[64], line[256];
	unsigned long long ignored = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)terminal->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "SigIgn: %llx", &ignored);
	fclose(file);
	return ignored >> (number - 1) & 1;
}

static void a_raw_terminal_is_not_left_stopped(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	struct termios modes;

	print(fake, "login: ");
	begin(&terminal);
	see(&terminal, "login: ");
	assert_int_equal(tcgetattr(terminal.fd, &modes), 0);
	assert_false(modes.c_lflag & (ICANON | ECHO));
	assert_true(ignores(&terminal, SIGTSTP));
	terminal.size = 0;
	terminal.text[0] = '\0';
	kill(terminal.pid, SIGTERM);
	see(&terminal, "\n"); /* its last word, after which the terminal is given back */
	for (unsigned ms = 0; !(modes.c_lflag & ICANON && modes.c_lflag & ECHO); ms++) {
		assert_true(ms < PATIENCE);
		usleep(1000);
		assert_int_equal(tcgetattr(terminal.fd, &modes), 0);
	}
	gone(&terminal);
}

static void old_questions_are_not_repeated(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;

	print(fake, "old\033[6n\033[c\033]11;?\007\033[31m, ");
	begin(&terminal);
	see(&terminal, "old\033[31m, ");
	print(fake, "new\033[6n.");
	see(&terminal, "new\033[6n.");
	type(&terminal, "\033[1;9R");
	wait_typed(fake, "\033[1;9R");
	type(&terminal, "\x1d");
	see(&terminal, "\033[5n");
	type(&terminal, "\033[0n");
	gone(&terminal);
}

/* A terminal that is slow: its answers to the guest come after the guest was left. */
static void late_answers_do_not_stay(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	struct termios modes;
	int slave;

	begin(&terminal);
	see(&terminal, "leaves");
	print(fake, "\033[6n\033[c.");
	see(&terminal, "\033[c.");
	slave = open(ptsname(terminal.fd), O_RDWR | O_NOCTTY);
	type(&terminal, "\x1d");
	see(&terminal, "\033[5n");
	type(&terminal, "\033[1;9R\033[?1;2c\033[0n");
	/* What it leaves is there for whoever reads the terminal next. */
	assert_true(slave >= 0);
	assert_int_equal(waitpid(terminal.pid, NULL, 0), terminal.pid);
	assert_int_equal(tcgetattr(slave, &modes), 0);
	modes.c_lflag &= ~(tcflag_t)ICANON;
	assert_int_equal(tcsetattr(slave, TCSANOW, &modes), 0);
	assert_int_equal(poll(&(struct pollfd){ .fd = slave, .events = POLLIN }, 1, 0), 0);
	close(slave);
	close(terminal.fd);
}

static void modes_are_put_back(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;

	print(fake, "\033[?1049h\033[31m");
	begin(&terminal);
	see(&terminal, "\033[31m");
	print(fake, "\033[?1000h\033[?25l\033[?25h\033["); /* cut off */
	see(&terminal, "\033[?25h\033[");
	type(&terminal, "\x1d");
	see(&terminal, "\033[\030\033[?1000l\033[?1049l\033[m");
	gone(&terminal);
}

/* The shell's prompt and what is said begin a line, whatever the guest has printed before. */
static void lines_begin_at_their_beginning(void **state)
{
	static const struct {
		const char *printed, *seen;
	} cases[] = {
		{ "login: ", "login: \r\n" }, { "\xc3\xa9\033[m", "\xc3\xa9\033[m\r\n" },
		{ "done\r\n", "done\r\n" }, { "done\r\n\033[?7h", "done\r\n\033[?7h" },
	};
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	size_t size;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&terminal);
		see(&terminal, "leaves");
		print(fake, cases[i].printed);
		see(&terminal, cases[i].printed);
		type(&terminal, "\x1d");
		see(&terminal, cases[i].seen);
		gone(&terminal);
		size = strlen(cases[i].seen);
		assert_string_equal(terminal.text + terminal.size - size, cases[i].seen);
	}
	begin(&terminal);
	see(&terminal, "leaves");
	print(fake, "half a line");
	see(&terminal, "half a line");
	pthread_mutex_lock(&fake->lock);
	fake->typed_room = 4;
	pthread_mutex_unlock(&fake->lock);
	type(&terminal, "0123456789");
	see(&terminal, "half a line\r\n[web: the guest does not read");
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* A line of its own tells of it, that the way out is open. */
static void what_waits_for_the_guest_is_told(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;

	pthread_mutex_lock(&fake->lock);
	fake->typed_room = 4;
	pthread_mutex_unlock(&fake->lock);
	begin(&terminal);
	see(&terminal, "leaves");
	type(&terminal, "0123456789");
	see(&terminal, "[web: the guest does not read its console: 6 bytes that were typed "
	    "wait]\r\n");
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* What does not fit between it and a guest that reads nothing is lost, but not the way out. */
static void a_guest_that_does_not_read_is_left(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	char keys[4096];
	size_t done = 0;

	pthread_mutex_lock(&fake->lock);
	fake->typed_room = 0;
	pthread_mutex_unlock(&fake->lock);
	begin(&terminal);
	see(&terminal, "leaves");
	memset(keys, 'k', sizeof(keys));
	fcntl(terminal.fd, F_SETFL, O_NONBLOCK);
	while (!strstr(terminal.text, "is lost]")) {
		struct pollfd ready = { .fd = terminal.fd, .events = POLLIN | POLLOUT };

		assert_int_equal(poll(&ready, 1, PATIENCE), 1);
		if (ready.revents & POLLIN)
			read_more(&terminal);
		else if (write(terminal.fd, keys, sizeof(keys)) > 0)
			done += sizeof(keys);
		assert_true(done < 16 << 20);
	}
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* Nobody reads what is printed: keys, and the way out, do not wait for that. */
static void a_terminal_that_stands_still_is_left(void **state)
{
	static struct terminal terminal;
	struct fake_deck *fake = *state;
	static char text[200000];

	begin(&terminal);
	see(&terminal, "leaves");
	memset(text, 't', sizeof(text) - 1);
	print(fake, text);
	usleep(100000); /* it is stuck, or not yet: either has to do */
	type(&terminal, "keys");
	wait_typed(fake, "keys");
	type(&terminal, "\x1d");
	gone(&terminal);
}

/* --- queries --- */

struct passed {
	size_t size;
	char text[256];
	bool asked;
};

/* In two pieces. */
static struct passed pass(const char *text, size_t old, size_t at)
{
	static uint8_t out[512 + 2 * QUERIES_HELD_MAX];
	struct queries queries = { .old = old };
	struct passed passed = { 0 };
	size_t size = strlen(text), n;

	n = queries_pass(&queries, out, (const uint8_t *)text, at);
	n += queries_pass(&queries, out + n, (const uint8_t *)text + at, size - at);
	assert_true(n < sizeof(passed.text));
	memcpy(passed.text, out, n);
	passed.size = n;
	passed.asked = queries.asked;
	return passed;
}

static void questions_are_known(void **state)
{
	static const char *const asks[] = {
		"\033[c", "\033[>0c", "\033[=c", "\033[5n", "\033[?6n", "\033[?2004$p", "\033[>q",
		"\033[?u", "\033[x", "\033[18t", "\033[?1;1S", "\033Z", "\005", "\302\2336n",
		"\033]4;1;?\007", "\033]11;?\033\\", "\033]52;c;?\007", "\033P$qm\033\\",
		"\033P+q544e\033\\", "\033_Gi=31,a=q;AAAA\033\\", "\033[6\nn",
	};
	static const char *const others[] = {
		"\033[1;31m", "\033[H", "\033[2J", "\033[?25h", "\033[22;0t", "\033[5 q",
		"\033[4;20r", "\033]0;title\007", "\033]0;title\033\\", "\033(0", "\0337",
		"\xc3\xa9", "\xe2\x9b\x9b", "plain ?", "\r\n\t",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		for (size_t at = 0; at <= strlen(asks[i]); at++) {
			struct passed old = pass(asks[i], 1000, at), new = pass(asks[i], 0, at);

			/* What ends a string, and the half of a C1 control, ask nothing. */
			assert_true(old.size == 0 || memcmp(old.text, "\033\\", old.size) == 0 ||
				    memcmp(old.text, "\xc2", old.size) == 0);
			assert_false(old.asked);
			assert_true(new.asked);
			assert_int_equal(new.size, strlen(asks[i]));
			assert_memory_equal(new.text, asks[i], new.size);
		}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (size_t at = 0; at <= strlen(others[i]); at++) {
			struct passed old = pass(others[i], 1000, at), new = pass(others[i], 0, at);

			assert_int_equal(old.size, strlen(others[i]));
			assert_memory_equal(old.text, others[i], old.size);
			assert_false(new.asked);
			assert_memory_equal(new.text, others[i], new.size);
		}
}

/* Wherever old output ends, nothing but old questions is left out. */
static void old_output_may_end_anywhere(void **state)
{
	static const char text[] = "a\033[6nb\033[31mc\033]0;t\007d";

	(void)state;
	for (size_t old = 0; old <= strlen(text); old++)
		for (size_t at = 0; at <= strlen(text); at++) {
			struct passed passed = pass(text, old, at);

			assert_int_equal(passed.asked, old < 5);
			assert_int_equal(passed.size, strlen(text) - (old < 5 ? 0 : 4));
		}
}

/* What a question breaks off is left out with it, or else it would go on behind it. */
static void a_string_that_is_broken_off_goes(void **state)
{
	static const char text[] = "a\033]11;\033[6n?\007b";

	(void)state;
	for (size_t at = 0; at <= strlen(text); at++) {
		struct passed passed = pass(text, 1000, at);

		assert_int_equal(passed.size, 4);
		assert_memory_equal(passed.text, "a?\007b", 4);
	}
}

static void long_strings_have_an_end(void **state)
{
	static char text[8000];
	static uint8_t out[sizeof(text) + QUERIES_HELD_MAX];
	struct queries queries = { .old = sizeof(text) + 2 };

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "\033]0;", 4);
	assert_int_equal(queries_pass(&queries, out, (const uint8_t *)text, sizeof(text)), 0);
	assert_int_equal(queries_pass(&queries, out, (const uint8_t *)"\007!", 2), 1);
	assert_int_equal(out[0], '!');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_pass_and_one_leaves),
		TEST(a_pipe_that_ends),
		TEST(a_pipe_that_does_not_end),
		TEST(one_that_does_not_run_is_said_to),
		TEST(a_raw_terminal_is_not_left_stopped),
		TEST(old_questions_are_not_repeated),
		TEST(late_answers_do_not_stay),
		TEST(modes_are_put_back),
		TEST(lines_begin_at_their_beginning),
		TEST(what_waits_for_the_guest_is_told),
		TEST(a_guest_that_does_not_read_is_left),
		TEST(a_terminal_that_stands_still_is_left),
		cmocka_unit_test(questions_are_known),
		cmocka_unit_test(old_output_may_end_anywhere),
		cmocka_unit_test(a_string_that_is_broken_off_goes),
		cmocka_unit_test(long_strings_have_an_end),
	};

	if (argc > 1 && strcmp(argv[1], "cli") == 0) {
		argv[1] = argv[0];
		return cli_main(argc - 1, argv + 1, &hooks);
	}
	self = open("/proc/self/exe", O_RDONLY);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
