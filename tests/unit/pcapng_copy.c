/*
 * What becomes of a capture between the deck and its file: files that cannot
 * grow, readers that stop, go or never come, signals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#include "base/checked.h"
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
	fixture->copy.signals = signals_open(NULL);
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
/* Nor are secrets, which would hold up what the deck has to say of those that were lost. */
static void secrets_do_not_come_behind_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	char path[sizeof(fixture->path) + 8];
	struct rlimit before, limit;
	FILE *keys;

	signal(SIGXFSZ, SIG_IGN);
	snprintf(path, sizeof(path), "%s.keys", fixture->path);
	keys = fopen(path, "we");
	assert_non_null(keys);
	fputs("CLIENT_RANDOM 00 11\n", keys);
	fclose(keys);
	assert_int_equal(tls_keys_open(&copy->keys, path), 0);
	unlink(path);
	send_packets(fixture, 2, true);
	open_path(fixture);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = BLOCK - 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	pcapng_copy_run(copy);
	setrlimit(RLIMIT_FSIZE, &before);
	close(copy->to);
	tls_keys_close(&copy->keys);
	assert_int_equal(copy->error, EFBIG);
	assert_true(copy->nothing);
	assert_int_equal(copy->dropped, 2);
}

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
	size_t whole;
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
	assert_int_equal(pcapng_shape_whole(&copy->shape, data, (size_t)n, true, &whole),
			 copy->captured);
	assert_int_equal(copy->cut, (size_t)n != whole);
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

/* --- limits, and one file after the other --- */

#define LONG 200u /* bytes of a packet's block that has an interface and a time */

static void put(const struct fixture *fixture, const void *block, size_t size)
{
	assert_int_equal(write(fixture->deck, block, size), size);
}

/* Section, interface and packets 0 to count - 1, a second and a nanosecond apart. */
static void send_capture(const struct fixture *fixture, unsigned count)
{
	const uint32_t section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28 };
	const uint32_t interface[] = { 1, 20, 1, 65535, 20 };

	put(fixture, section, sizeof(section));
	put(fixture, interface, sizeof(interface));
	for (unsigned i = 0; i < count; i++) {
		uint64_t time = i * 1000000001ull;
		uint32_t block[LONG / 4] = { 6, LONG, 0, (uint32_t)(time >> 32), (uint32_t)time,
					     60, 1000, i };

		/* Each says that one was lost before it; the data is 60 bytes. */
		block[7 + 15] = 4 | 8u << 16;
		block[7 + 16] = 1;
		block[LONG / 4 - 1] = LONG;
		put(fixture, block, LONG);
	}
}

static void send_counts(struct fixture *fixture, uint32_t dropped)
{
	const uint32_t block[] = { 5, 36, 0, 0, 0, 5 | 8u << 16, dropped, 0, 36 };

	put(fixture, block, sizeof(block));
	send_packets(fixture, 0, true);
}

static size_t read_file(const char *path, uint8_t *data, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t size;

	assert_non_null(file);
	size = fread(data, 1, room, file);
	fclose(file);
	return size;
}

/* What came behind the last that was wanted is in no count, and the deck's own end the file. */
static void a_count_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	uint8_t data[4096];

	open_path(fixture);
	send_capture(fixture, 5);
	send_counts(fixture, 7);
	copy->limits.stop.packets = 3;
	pcapng_copy_run(copy);
	close(copy->to);
	assert_true(copy->stopped);
	assert_int_equal(copy->captured, 3);
	assert_int_equal(copy->dropped, 7);
	assert_int_equal(read_file(fixture->path, data, sizeof(data)), 28 + 20 + 3 * LONG + 36);
	assert_int_equal(data[28 + 20 + 3 * LONG], 5);
}

static void a_size_ends_it_behind_the_packet_that_reaches_it(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;

	open_path(fixture);
	send_capture(fixture, 9);
	send_counts(fixture, 0);
	assert_null(capture_limit_read(&copy->limits.stop, true, "filesize:1"));
	pcapng_copy_run(copy);
	close(copy->to);
	assert_int_equal(copy->captured, 5);
	assert_int_equal(size_of(fixture), 28 + 20 + 5 * LONG + 36);
}

/* The deck goes on: nothing but the clock ends it, with what was sent until then. */
static void time_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct timespec before, after;

	open_path(fixture);
	send_capture(fixture, 2);
	assert_null(capture_limit_read(&copy->limits.stop, true, "duration:0.2"));
	clock_gettime(CLOCK_MONOTONIC, &before);
	pcapng_copy_run(copy); /* the deck does not answer: 3 seconds more */
	clock_gettime(CLOCK_MONOTONIC, &after);
	close(copy->to);
	assert_true(copy->stopped);
	assert_false(copy->deck_gone);
	assert_int_equal(copy->captured, 2);
	assert_true(after.tv_sec - before.tv_sec < 10);
}

static void classic_pcap_has_headers_and_data_alone(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	uint32_t words[1024];

	open_path(fixture);
	send_capture(fixture, 2);
	send_counts(fixture, 1);
	copy->shape.classic = true;
	pcapng_copy_run(copy);
	close(copy->to);
	assert_int_equal(copy->captured, 2);
	assert_int_equal(copy->dropped, 1);
	assert_int_equal(read_file(fixture->path, (uint8_t *)words, sizeof(words)), 24 + 2 * 76);
	assert_int_equal(words[0], 0xa1b23c4d);
	assert_int_equal(words[5], 1);
	assert_int_equal(words[6 + 19], 1); /* the second one's time */
	assert_int_equal(words[6 + 20], 1);
	assert_int_equal(words[6 + 21], 60);
	assert_int_equal(words[6 + 22], 1000);
	assert_int_equal(words[6 + 23], 1); /* its data */
}

static void classic_pcap_that_cannot_grow_is_valid(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	open_path(fixture);
	send_capture(fixture, 5);
	send_counts(fixture, 1);
	copy->shape.classic = true;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 24 + 3 * 76 + 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	pcapng_copy_run(copy);
	setrlimit(RLIMIT_FSIZE, &before);
	close(copy->to);
	assert_int_equal(copy->error, EFBIG);
	assert_int_equal(copy->captured, 3);
	assert_int_equal(copy->dropped, 1 + 2);
	assert_int_equal(size_of(fixture), 24 + 3 * 76);
}

/* Runs into files of two packets each, named after the fixture's path. */
static void run_files(struct fixture *fixture, struct capture_files *files, unsigned keep)
{
	struct pcapng_copy *copy = &fixture->copy;
	bool made;

	assert_int_equal(capture_files_init(files, fixture->path, keep), 0);
	assert_int_equal(capture_files_next(files), 0);
	copy->files = files;
	copy->limits.turn.packets = 2;
	assert_int_equal(pcapng_copy_open(copy, files->path, &copy->to, &made), 0);
	pcapng_copy_run(copy);
	close(copy->to);
	copy->files = NULL;
}

static unsigned count_files(const struct fixture *fixture, bool remove)
{
	DIR *folder = opendir(fixture->folder);
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.') {
			count++;
			if (remove)
				unlinkat(dirfd(folder), entry->d_name, 0);
		}
	closedir(folder);
	return count;
}

/* Each begins with section and interface and ends with counts; the last has the deck's. */
static void files_follow_each_other(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	struct capture_files files;
	char second[PATH_MAX];
	uint8_t data[4096];
	size_t size;

	send_capture(fixture, 5);
	send_counts(fixture, 8);
	run_files(fixture, &files, 0);
	assert_int_equal(files.count, 3);
	assert_int_equal(count_files(fixture, false), 3);
	assert_int_equal(copy->captured, 5);
	assert_int_equal(copy->dropped, 8);
	size = read_file(files.path, data, sizeof(data));
	assert_int_equal(size, 28 + 20 + LONG + 36);
	assert_non_null(strstr(files.path, "/x_00003_"));
	assert_int_equal(strlen(files.path), strlen(fixture->path) + 6 + 15);
	strcpy(second, files.path);
	memcpy(strstr(second, "_00003"), "_00002", 6);
	if (access(second, F_OK) == 0) { /* unless a second began in between */
		size = read_file(second, data, sizeof(data));
		assert_int_equal(size, 28 + 20 + 2 * LONG + 52);
		assert_int_equal(data[size - 52], 5);
		assert_int_equal(data[size - 52 + 24], 4); /* lost before its packets */
		assert_int_equal(data[size - 52 + 36], 4); /* packets so far */
	}
	capture_files_destroy(&files);
	assert_int_equal(count_files(fixture, true), 3);
}

/* Each file has all interfaces, however many secrets and names there are before the last one. */
static void what_else_a_file_begins_with_leaves_room_for_interfaces(void **state)
{
	static struct pcapng_shape shape;
	static uint32_t block[16 * 1024];
	const uint32_t interface[] = { 1, 20, 1, 65535, 20 };
	size_t before;

	(void)state;
	/* Until not even a small one has room. */
	for (uint32_t size = sizeof(block); size >= 32; size /= 2) {
		block[1] = block[size / 4 - 1] = size;
		for (unsigned i = 0; i < 64; i++) {
			block[0] = i % 2 ? 10 : 4;
			pcapng_shape_block(&shape, (void *)block, (void *)block, size);
		}
	}
	assert_in_range(shape.head_size, sizeof(block), PCAPNG_HEAD_MAX);
	before = shape.head_size;
	for (unsigned i = 0; i < PCAPNG_INTERFACES_MAX; i++)
		pcapng_shape_block(&shape, (void *)interface, (void *)interface, sizeof(interface));
	assert_int_equal(shape.head_size, before + PCAPNG_INTERFACES_MAX * sizeof(interface));
	assert_memory_equal(shape.head + shape.head_size - sizeof(interface), interface,
			    sizeof(interface));
	free(shape.head);
}

static void the_oldest_files_go(void **state)
{
	struct fixture *fixture = *state;
	struct capture_files files;

	send_capture(fixture, 9);
	send_counts(fixture, 0);
	run_files(fixture, &files, 2);
	assert_int_equal(files.count, 5);
	assert_int_equal(fixture->copy.captured, 9);
	capture_files_destroy(&files);
	assert_int_equal(count_files(fixture, true), 2);
}

static void a_number_of_files_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct capture_files files;

	send_capture(fixture, 9);
	send_counts(fixture, 0);
	fixture->copy.limits.stop.files = 2;
	run_files(fixture, &files, 0);
	assert_int_equal(files.count, 2);
	assert_int_equal(fixture->copy.captured, 4);
	assert_int_equal(fixture->copy.dropped, 0);
	capture_files_destroy(&files);
	assert_int_equal(count_files(fixture, true), 2);
}

static void what_is_no_capture_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct pcapng_copy *copy = &fixture->copy;
	const uint32_t wrong[] = { 6, 24, 0, 0, 0, 24 };

	open_path(fixture);
	send_capture(fixture, 1);
	put(fixture, wrong, sizeof(wrong));
	pcapng_copy_run(copy);
	close(copy->to);
	assert_true(copy->broken);
	assert_int_equal(copy->captured, 1);
	assert_int_equal(size_of(fixture), 28 + 20 + LONG);
}

static void limits_are_read_in_dumpcaps_words(void **state)
{
	struct capture_limits limits = { 0 };

	(void)state;
	assert_null(capture_limit_read(&limits.stop, true, "duration:1.25"));
	assert_int_equal(limits.stop.duration, 1250000000);
	assert_null(capture_limit_read(&limits.turn, false, "interval:3600"));
	assert_null(capture_limit_read(&limits.turn, false, "files:99999"));
	assert_null(capture_limits_check(&limits));
	assert_non_null(capture_limit_read(&limits.turn, false, "files:100000"));
	assert_non_null(capture_limit_read(&limits.stop, true, "interval:1"));
	assert_non_null(capture_limit_read(&limits.stop, true, "packets:"));
	assert_non_null(capture_limit_read(&limits.stop, true, "packets:0"));
	assert_non_null(capture_limit_read(&limits.stop, true, "packets:-1"));
	assert_non_null(capture_limit_read(&limits.stop, true, "packets:1.5"));
	assert_non_null(capture_limit_read(&limits.stop, true, "packets:99999999999999999999"));
	assert_non_null(capture_limit_read(&limits.stop, true, "duration"));
	memset(&limits, 0, sizeof(limits));
	limits.stop.files = 1;
	assert_non_null(capture_limits_check(&limits));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_cannot_grow_is_valid_and_counted),
		TEST(nothing_written_is_said),
		TEST(secrets_do_not_come_behind_an_error),
		TEST(a_deck_that_breaks_off_leaves_whole_packets),
		TEST(a_stalled_reader_does_not_hold_up_signals),
		TEST(what_the_reader_did_not_take_is_counted),
		TEST(a_reader_that_goes_away_ends_it),
		TEST(a_fifo_waits_for_its_reader_but_not_for_ever),
		TEST(a_count_ends_it),
		TEST(a_size_ends_it_behind_the_packet_that_reaches_it),
		TEST(time_ends_it),
		TEST(classic_pcap_has_headers_and_data_alone),
		TEST(classic_pcap_that_cannot_grow_is_valid),
		TEST(files_follow_each_other),
		TEST(what_else_a_file_begins_with_leaves_room_for_interfaces),
		TEST(the_oldest_files_go),
		TEST(a_number_of_files_ends_it),
		TEST(what_is_no_capture_ends_it),
		TEST(limits_are_read_in_dumpcaps_words),
	};

	/* Which jobs in the background, and those of nohup(1), are started to ignore. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
