/*
 * What becomes of a capture between the deck and its file: files that cannot
 * grow, readers that stop, go or never come, signals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/pcapng_copy.h"
#include "cli/signals.h"

#define BLOCK 1000u /* bytes of a packet's block here */
#define PACKETS 60u /* which the connection takes unread, and a small pipe does not */

struct fixture {
	struct pcapng_copy copy;
	int deck; /* its end of the connection */
	char folder[32], path[48];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fds[2];

	strcpy(fixture->folder, "/tmp/vmdeck-copy.XXXXXX");
	if (!mkdtemp(fixture->folder) || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/x", fixture->folder);
	fixture->copy.from = fds[0];
	fixture->copy.signals = signals_open();
	fixture->deck = fds[1];
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	while (signals_take(fixture->copy.signals))
		;
	close(fixture->copy.signals);
	close(fixture->copy.from);
	if (fixture->deck >= 0)
		close(fixture->deck);
	unlink(fixture->path);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

/* The deck sends packets; closing is its end of the capture. */
static void send_packets(struct fixture *fixture, unsigned count, bool closes)
{
	uint32_t block[BLOCK / 4] = { 6, BLOCK, [BLOCK / 4 - 1] = BLOCK };

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(write(fixture->deck, block, BLOCK), BLOCK);
	if (!closes)
		return;
	close(fixture->deck);
	fixture->deck = -1;
}

static off_t size_of(const struct fixture *fixture)
{
	struct stat st;

	assert_int_equal(stat(fixture->path, &st), 0);
	return st.st_size;
}

static void open_path(struct fixture *fixture)
{
	bool made;

	assert_int_equal(pcapng_copy_open(&fixture->copy, fixture->path, &fixture->copy.to, &made),
			 0);
}

/* What found no room is no captured packet, and half of one does not stay. */
static void a_file_that_cannot_grow_is_valid_and_counted(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	send_packets(fixture, PACKETS, true);
	open_path(fixture);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 40 * BLOCK + 600;
	setrlimit(RLIMIT_FSIZE, &limit);
	pcapng_copy_run(copy);
	setrlimit(RLIMIT_FSIZE, &before);
	close(copy->to);
	assert_int_equal(copy->error, EFBIG);
	assert_int_equal(copy->captured, 40);
	assert_int_equal(copy->dropped, PACKETS - 40);
	assert_false(copy->cut);
	assert_false(copy->nothing);
	assert_int_equal(size_of(fixture), 40 * BLOCK);
}

/* A part of its first block is no capture; whose file it is says who opened it. */
static void nothing_written_is_said(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct rlimit before, limit;
	bool made;

	signal(SIGXFSZ, SIG_IGN);
	send_packets(fixture, 2, true);
	assert_int_equal(pcapng_copy_open(copy, fixture->path, &copy->to, &made), 0);
	assert_true(made);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = BLOCK - 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	pcapng_copy_run(copy);
	setrlimit(RLIMIT_FSIZE, &before);
	close(copy->to);
	assert_int_equal(copy->error, EFBIG);
	assert_true(copy->nothing);
	assert_int_equal(copy->dropped, 2);
	assert_int_equal(size_of(fixture), 0);
	assert_int_equal(pcapng_copy_open(copy, fixture->path, &copy->to, &made), 0);
	assert_false(made);
	close(copy->to);
}

/* A shell's ">>": what was there before stays. */
static void a_deck_that_breaks_off_leaves_whole_packets(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	uint32_t half[] = { 6, BLOCK, 0, 0 };

	copy->to = open(fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_int_equal(write(copy->to, half, 7), 7);
	send_packets(fixture, 3, false);
	assert_int_equal(write(fixture->deck, half, sizeof(half)), sizeof(half));
	send_packets(fixture, 0, true);
	pcapng_copy_run(copy);
	close(copy->to);
	assert_true(copy->deck_gone);
	assert_int_equal(copy->captured, 3);
	assert_int_equal(copy->dropped, 0);
	assert_int_equal(size_of(fixture), 7 + 3 * BLOCK);
}

static void small_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
}

/* Two signals end at once what a reader that takes nothing would hold up for ever. */
static void a_stalled_reader_does_not_hold_up_signals(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct timespec before, after;
	int fds[2];

	small_pipe(fds);
	copy->to = fds[1];
	send_packets(fixture, PACKETS, true);
	raise(SIGINT);
	raise(SIGTERM);
	clock_gettime(CLOCK_MONOTONIC, &before);
	pcapng_copy_run(copy);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 2);
	assert_true(copy->interrupted);
	assert_int_equal(copy->error, ETIMEDOUT);
	assert_true(copy->captured < PACKETS);
	assert_int_equal(copy->captured + copy->dropped, PACKETS);
	close(fds[0]);
	close(fds[1]);
}

static void what_the_reader_did_not_take_is_counted(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	static uint8_t data[PACKETS * BLOCK];
	struct pcapng_counter counter = { 0 };
	ssize_t n;
	int fds[2];

	small_pipe(fds);
	copy->to = fds[1];
	send_packets(fixture, PACKETS, true);
	raise(SIGTERM);
	pcapng_copy_run(copy);
	close(fds[1]);
	assert_int_equal(copy->error, ETIMEDOUT);
	assert_int_equal(copy->captured + copy->dropped, PACKETS);
	n = read(fds[0], data, sizeof(data));
	assert_true(n > 0);
	pcapng_count(&counter, data, (size_t)n);
	assert_int_equal(counter.packets, copy->captured);
	assert_int_equal(copy->cut, counter.bytes != counter.whole);
	close(fds[0]);
}

static void a_reader_that_goes_away_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	copy->to = fds[1];
	close(fds[0]);
	shutdown(fixture->deck, SHUT_WR); /* the deck's answer, which comes later otherwise */
	pcapng_copy_run(copy);
	close(fds[1]);
	assert_int_equal(copy->error, EPIPE);
	assert_false(copy->deck_gone);
}

static void a_fifo_waits_for_its_reader_but_not_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	bool made;
	int reader;

	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	raise(SIGHUP);
	assert_int_equal(pcapng_copy_open(copy, fixture->path, &copy->to, &made), -EINTR);
	reader = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	open_path(fixture);
	close(copy->to);
	close(reader);
	send_packets(fixture, 0, true);
	assert_int_equal(pcapng_copy_open(copy, fixture->path, &copy->to, &made), -ECONNRESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_cannot_grow_is_valid_and_counted),
		TEST(nothing_written_is_said),
		TEST(a_deck_that_breaks_off_leaves_whole_packets),
		TEST(a_stalled_reader_does_not_hold_up_signals),
		TEST(what_the_reader_did_not_take_is_counted),
		TEST(a_reader_that_goes_away_ends_it),
		TEST(a_fifo_waits_for_its_reader_but_not_for_ever),
	};

	/* Which jobs in the background, and those of nohup(1), are started to ignore. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
