/* Programs of others, which are scripts here: how they end, what they say last, who ends them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/checked.h"
#include "lib/refuse.h"
#include "sandbox/helper.h"
#include "sandbox/walls.h"

#define REFUSED "refused" /* has it start one on a host without Landlock */
#define SOCKETS "sockets" /* has this program try what it can do with some */
#define LIMIT 20000 /* ms, for a host that is busy */

static char folder[] = "/tmp/vmdeck-programs-XXXXXX";

/* Runs a shell's words as that program. */
static int start(struct program_process *process, const char *words, int fd)
{
	static const struct program_file none[] = { { NULL, false } };
	const char *const arguments[] = { words, NULL };
	const struct program_order order = { .program = PROGRAM_STORAGE_DAEMON,
					     .arguments = arguments, .files = none,
					     .fds = { fd, -1 } };
	struct cause cause;

	return program_start(process, &order, &cause);
}

static void the_end_is_told_with_the_last_words(void **state)
{
	static const struct {
		const char *words;
		int r, status;
		const char *said;
	} rows[] = {
		{ "exit 0", 0, 0, "" },
		{ "echo no word of an error >&2; exit 0", 0, 0, "" },
		{ "exit 3", -EIO, 3, "qemu-storage-daemon ended with status 3" },
		{ "echo one >&2; echo two >&2; echo >&2; exit 1", -EIO, 1,
		  "qemu-storage-daemon ended with status 1: two" },
		{ "printf 'without an end' >&2; exec 2>&-; exit 1", -EIO, 1,
		  "qemu-storage-daemon ended with status 1: without an end" },
		{ "echo 'qemu-storage-daemon: it is: so' >&2; exit 1", -EIO, 1,
		  "qemu-storage-daemon ended with status 1: it is: so" },
		{ "echo 'qemu-storage-daemon: --blockdev a=b:c,d=e: no: such' >&2; exit 1", -EIO, 1,
		  "qemu-storage-daemon ended with status 1: no: such" },
		{ "exec 2>&-; sleep 0.2; exit 4", -EIO, 4,
		  "qemu-storage-daemon ended with status 4" },
		{ "exit 127", -EIO, 127, "qemu-storage-daemon could not be executed" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program_process process;
		struct cause cause = { "" };

		assert_int_equal(start(&process, rows[i].words, -1), 0);
		assert_int_equal(program_wait(&process, -1, LIMIT, &cause), rows[i].r);
		assert_string_equal(cause.text, rows[i].said);
		assert_int_equal(process.exit_status, rows[i].status);
		assert_int_equal(process.status_fd, -1);
		assert_int_equal(process.error_fd, -1);
	}
}

/* What is wrong stands at a line's end, so that is what is kept of one that is too long. */
static void endless_words_are_cut_at_their_head(void **state)
{
	struct program_process process;
	struct cause cause;
	size_t size;

	(void)state;
	assert_int_equal(start(&process, "i=0; while [ $i -lt 2000 ]; do printf 'word %d ' $i >&2; "
			       "i=$((i+1)); done; exit 1", -1), 0);
	assert_int_equal(program_wait(&process, -1, LIMIT, &cause), -EIO);
	size = strlen(cause.text);
	assert_true(size < PROGRAM_WORDS_MAX + 64);
	assert_string_equal(cause.text + size - 10, "word 1999 ");
}

static void one_that_takes_too_long_is_ended(void **state)
{
	struct program_process process;
	struct cause cause;

	(void)state;
	assert_int_equal(start(&process, "trap '' TERM; sleep 1000", -1), 0);
	assert_int_equal(program_wait(&process, -1, 200, &cause), -ETIMEDOUT);
	assert_int_equal(process.status_fd, -1);
}

static void it_is_known_whether_one_has_ended(void **state)
{
	struct program_process process;
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(start(&process, "sleep 1000", -1), 0);
	assert_true(program_kill(&process));
	assert_true(program_kill(&process));
	/* One that is no more, of which nobody has heard. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(start(&process, "exit 0", pair[1]), 0);
	close(pair[1]);
	assert_int_equal(recv(pair[0], &byte, 1, 0), 0);
	close(pair[0]);
	usleep(50000);
	assert_true(program_kill(&process));
}

static void one_that_nobody_waits_for_any_more_is_ended(void **state)
{
	int cancel = eventfd(1, EFD_CLOEXEC);
	struct program_process process;
	struct cause cause;

	(void)state;
	assert_int_equal(start(&process, "sleep 1000", -1), 0);
	assert_int_equal(program_wait(&process, cancel, -1, &cause), -ECANCELED);
	assert_int_equal(process.status_fd, -1);
	close(cancel);
}

static void it_has_a_descriptor_and_no_other(void **state)
{
	static const char words[] = "exec 4>&3; exec ls /proc/self/fd >&3";
	struct program_process process;
	char text[256] = "";
	struct cause cause;
	int pair[2], other;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	other = fcntl(pair[0], F_DUPFD, 20); /* one that a fork would leave open */
	assert_int_equal(start(&process, words, pair[1]), 0);
	close(pair[1]);
	assert_int_equal(program_wait(&process, -1, LIMIT, &cause), 0);
	assert_true(recv(pair[0], text, sizeof(text) - 1, 0) > 0);
	/* ls has one of its own for the folder. */
	assert_string_equal(text, "0\n1\n2\n3\n4\n5\n");
	close(pair[0]);
	close(other);
}

/* Nor one that is piped to a program, which a limit of 0 would not keep from that: core(5). */
static void it_leaves_no_core(void **state)
{
	static const char expected[] = "Max core file size        1                    1 ";
	struct program_process process;
	struct rlimit limit;
	char text[256] = "";
	struct cause cause;
	int pair[2];

	(void)state;
	getrlimit(RLIMIT_CORE, &limit);
	if (limit.rlim_max < 1)
		skip(); /* whoever runs this allows no other limit */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(start(&process, "exec grep 'Max core' /proc/self/limits >&3", pair[1]), 0);
	close(pair[1]);
	assert_int_equal(program_wait(&process, -1, LIMIT, &cause), 0);
	assert_true(recv(pair[0], text, sizeof(text) - 1, 0) > 0);
	close(pair[0]);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
}

static void it_ends_when_it_is_asked_to(void **state)
{
	struct program_process process;
	char text[8] = "";
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(start(&process, "trap 'echo end >&3; exit 0' TERM; echo up >&3; "
			       "while :; do sleep 0.05; done", pair[1]), 0);
	close(pair[1]);
	assert_true(recv(pair[0], text, sizeof(text), 0) > 0);
	program_end(&process, LIMIT);
	assert_int_equal(process.exit_status, 0);
	assert_true(recv(pair[0], text, sizeof(text), 0) > 0);
	assert_memory_equal(text, "end\n", 4);
	close(pair[0]);
}

/* cat(1), which has one of two files. */
static void it_sees_its_files_and_no_others(void **state)
{
	char seen[sizeof(folder) + 8], hidden[sizeof(folder) + 8];
	const struct program_file files[] = { { seen, false }, { NULL, false } };
	struct program_process process;
	struct cause cause;

	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0)
		skip(); /* the host has no Landlock */
	snprintf(seen, sizeof(seen), "%s/seen", folder);
	snprintf(hidden, sizeof(hidden), "%s/hidden", folder);
	close(open(seen, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(open(hidden, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	for (unsigned i = 0; i < 2; i++) {
		const char *const arguments[] = { i ? hidden : seen, NULL };
		const struct program_order order = { .program = PROGRAM_VIRTIOFSD,
						     .arguments = arguments, .files = files,
						     .fds = { -1, -1 } };

		assert_int_equal(program_start(&process, &order, &cause), 0);
		assert_int_equal(program_wait(&process, -1, LIMIT, &cause), i ? -EIO : 0);
	}
	assert_non_null(strstr(cause.text, "Permission denied"));
	unlink(seen);
	unlink(hidden);
}

enum { LOCAL = 1, PAIR = 2, CONNECTION = 4, INTERNET = 8, OTHER = 16 };

/* Whatever it is asked for by who has taken over the deck. */
static void nothing_is_started_without_walls(void **state)
{
	static const char *const arguments[] = { "exit 0", NULL };
	const struct program_order order = { .program = PROGRAM_STORAGE_DAEMON,
					     .arguments = arguments, .fds = { -1 } };
	struct program_process process;
	struct cause cause;

	(void)state;
	assert_int_equal(program_start(&process, &order, &cause), 0);
	assert_int_equal(program_wait(&process, -1, LIMIT, &cause), -EIO);
	assert_string_equal(cause.text, "qemu-storage-daemon could not be started: "
			    "Operation not permitted");
}

/* This program's part; what the walls let it do, as its status. */
static int try_sockets(void)
{
	static const struct {
		int family, what;
	} families[] = {
		{ AF_UNIX, LOCAL }, { AF_INET, INTERNET }, { AF_INET6, INTERNET },
		{ AF_VSOCK, OTHER }, { AF_ALG, OTHER },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int pair[2], done = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(families); i++)
		if (socket(families[i].family, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ||
		    errno != EACCES)
			done |= families[i].what;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0 || errno != EACCES)
		done |= PAIR;
	if (connect(PROGRAM_FD, (struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno != EACCES)
		done |= CONNECTION;
	return done;
}

/* Who has the network cannot call the deck, whose socket is one of this host's. */
static void it_makes_the_sockets_that_it_needs(void **state)
{
	static const char *const arguments[] = { SOCKETS, NULL };
	static const struct program_file files[] = { { NULL, false } };
	static const int expected[] = {
		[PROGRAM_NO_NETWORK] = 0,
		[PROGRAM_NETWORK] = CONNECTION | INTERNET,
		[PROGRAM_LOCAL] = CONNECTION | LOCAL,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		const struct program_order order = { .program = PROGRAM_XORRISO,
						     .arguments = arguments, .files = files,
						     .network = i, .fds = { fd, -1 } };
		struct program_process process;
		struct cause cause;

		assert_int_equal(program_start(&process, &order, &cause), 0);
		close(fd);
		assert_int_equal(program_wait(&process, -1, LIMIT, &cause),
				 expected[i] ? -EIO : 0);
		assert_int_equal(process.exit_status, expected[i]);
	}
}

/* One that works on what guests sent has limits, and answers whoever started it. */
static void it_answers_within_limits(void **state)
{
	static const char *const arguments[] = {
		"read word; echo $word $(ulimit -v) $(ulimit -t)", NULL
	};
	static const struct program_file none[] = { { NULL, false } };
	struct program_process process;
	struct program_order order = { .program = PROGRAM_SHARKD, .arguments = arguments,
				       .files = none, .talks = true };
	struct cause cause;
	char text[64] = "";
	int sockets[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	order.fds[0] = sockets[1];
	order.fds[1] = -1;
	assert_int_equal(program_start(&process, &order, &cause), 0);
	close(sockets[1]);
	assert_int_equal(write(sockets[0], "asked\n", 6), 6);
	assert_int_equal(program_wait(&process, -1, LIMIT, &cause), 0);
	assert_true(read(sockets[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "asked 2097152 20\n");
	close(sockets[0]);
}

/* Of this program, when it has been executed anew. */
static int start_without_landlock(void)
{
	static const char *const arguments[] = { "exit 0", NULL };
	static const struct program_file files[] = { { NULL, false } };
	const struct program_order order = { .program = PROGRAM_STORAGE_DAEMON,
					     .arguments = arguments, .files = files,
					     .fds = { -1, -1 } };
	struct program_process process;
	struct cause cause;

	return helper_start(NULL, &cause) < 0 || program_refused() ||
	       program_start(&process, &order, &cause) < 0 ||
	       program_wait(&process, -1, LIMIT, &cause) < 0 ||
	       !(program_refused() & WALL_LANDLOCK);
}

static void what_the_host_refuses_is_known(void **state)
{
	static const struct refusal refusals[] = { { SYS_landlock_create_ruleset, ENOSYS } };
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (refuse_calls(refusals, 1) == 0)
			execl("/proc/self/exe", "program", REFUSED, NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* All that were started before. */
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0)
		assert_false(program_refused() & WALL_LANDLOCK);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_is_told_with_the_last_words),
		cmocka_unit_test(endless_words_are_cut_at_their_head),
		cmocka_unit_test(one_that_takes_too_long_is_ended),
		cmocka_unit_test(it_is_known_whether_one_has_ended),
		cmocka_unit_test(one_that_nobody_waits_for_any_more_is_ended),
		cmocka_unit_test(it_has_a_descriptor_and_no_other),
		cmocka_unit_test(it_leaves_no_core),
		cmocka_unit_test(it_ends_when_it_is_asked_to),
		cmocka_unit_test(it_sees_its_files_and_no_others),
		cmocka_unit_test(nothing_is_started_without_walls),
		cmocka_unit_test(it_makes_the_sockets_that_it_needs),
		cmocka_unit_test(it_answers_within_limits),
		cmocka_unit_test(what_the_host_refuses_is_known),
	};
	char path[sizeof(folder) + 32], link[sizeof(folder) + 32], own[sizeof(folder) + 32];
	char talking[sizeof(folder) + 32];
	char self[PATH_MAX];
	struct cause cause;
	FILE *script;
	int failed;

	if (argc == 2 && !strcmp(argv[1], SOCKETS))
		_exit(try_sockets()); /* looking for leaks at exit() would take more calls */
	if (argc == 2 && !strcmp(argv[1], REFUSED))
		return start_without_landlock();
	if (!mkdtemp(folder) || !realpath("/proc/self/exe", self))
		return 99;
	snprintf(path, sizeof(path), "%s/qemu-storage-daemon", folder);
	script = fopen(path, "we");
	if (!script || fputs("#!/bin/sh\neval \"$1\"\n", script) < 0 || fclose(script) ||
	    chmod(path, 0755) < 0 || setenv(PROGRAM_FOLDER_VARIABLE, folder, 1) < 0)
		return 99;
	snprintf(link, sizeof(link), "%s/virtiofsd", folder);
	snprintf(own, sizeof(own), "%s/xorriso", folder);
	snprintf(talking, sizeof(talking), "%s/sharkd", folder);
	if (symlink("/bin/cat", link) < 0 || symlink(self, own) < 0 || symlink(path, talking) < 0)
		return 99;
	if (helper_start(NULL, &cause) < 0) {
		print_error("%s\n", cause.text);
		return 99;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(link);
	unlink(own);
	unlink(talking);
	rmdir(folder);
	return failed;
}
