/*
 * What switches keep of their past: each frame once, in order, as long and as much as was asked
 * for, whoever captures meanwhile. Frames have a number, by which they are told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_port.h"
#include "net/capture/capture_private.h"

#define PORTS 3
#define MINUTE (60 * NS_PER_S)

struct lan {
	struct network *network;
	struct net_switch *sw;
	struct fake_port ports[PORTS];
	uint64_t sent[PORTS]; /* frames */
	atomic_bool stop;
};

static void open_lan(struct lan *lan, uint64_t bytes, unsigned seconds)
{
	const struct past_config past = { .bytes = bytes, .seconds = seconds, .snap = 64 };
	char name[16];

	lan->sw = fake_switch_past(&lan->network, "lan", &past);
	for (unsigned i = 0; i < PORTS; i++) {
		snprintf(name, sizeof(name), "%c/net0", 'a' + i);
		fake_port_open(&lan->ports[i], lan->sw, name, i + 1, 0);
		lan->ports[i].room = 0; /* it keeps nothing */
	}
}

static void close_lan(struct lan *lan)
{
	for (unsigned i = 0; i < PORTS; i++)
		if (lan->ports[i].port)
			fake_port_close(&lan->ports[i]);
	network_free(lan->network);
}

/* One burst of a port's, flooded; each frame has its number behind the addresses. */
static void send_burst(struct lan *lan, unsigned port, unsigned count)
{
	struct net_frame frames[NET_BURST_MAX];
	uint8_t data[NET_BURST_MAX][64];

	memset(data, 0xff, sizeof(data));
	for (unsigned i = 0; i < count; i++) {
		uint64_t number = lan->sent[port]++;

		fake_mac(data[i] + NET_MAC_SIZE, port + 1);
		data[i][14] = (uint8_t)port;
		memcpy(data[i] + 16, &number, sizeof(number));
		frames[i] = (struct net_frame){ .head = data[i], .head_size = 64, .size = 64 };
	}
	switch_input(lan->ports[port].port, frames, count);
}

/* What a capture has of each port: its first and last number, and whether all between is there. */
struct got {
	uint64_t count[PORTS], first[PORTS], next[PORTS];
	uint64_t first_time, last_time, dropped;
	unsigned times; /* that are different */
	bool whole, ordered;
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void take_packet(struct got *got, const uint8_t *block)
{
	uint64_t time = (uint64_t)get32(block + 12) << 32 | get32(block + 16), number;
	unsigned port = block[28 + 14];

	memcpy(&number, block + 28 + 16, sizeof(number));
	got->ordered = got->ordered && time >= got->last_time;
	got->times += time != got->last_time;
	got->first_time = got->first_time ? got->first_time : time;
	got->last_time = time;
	assert_true(port < PORTS);
	if (!got->count[port]++)
		got->first[port] = got->next[port] = number;
	got->whole = got->whole && number == got->next[port];
	got->next[port] = number + 1;
}

static struct got look(const uint8_t *data, size_t size)
{
	struct got got = { .whole = true, .ordered = true };
	uint64_t number;

	for (size_t at = 0; at < size; at += get32(data + at + 4)) {
		assert_true(size - at >= 12 && get32(data + at + 4) <= size - at);
		if (get32(data + at) == 6)
			take_packet(&got, data + at);
		if (get32(data + at) != 5)
			continue;
		memcpy(&number, data + at + 20 + 3 * 12 + 4, sizeof(number));
		got.dropped += number;
	}
	return got;
}

/* A capture into memory. */
struct watch {
	struct capture *capture;
	int fd;
};

static struct watch watch(struct lan *lan, uint64_t past_ns, const char *const *ports)
{
	struct watch watch = { .fd = memfd_create("capture", MFD_CLOEXEC) };
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .past_ns = past_ns,
					 .ports = ports, .fd = dup(watch.fd) };

	watch.capture = fake_capture(lan->network, &config);
	return watch;
}

static struct got end(struct watch *watch)
{
	struct got got;
	off_t size;
	void *data;

	capture_stop(watch->capture, NULL);
	size = lseek(watch->fd, 0, SEEK_END);
	data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, watch->fd, 0);
	assert_true(data != MAP_FAILED);
	got = look(data, (size_t)size);
	munmap(data, (size_t)size);
	close(watch->fd);
	assert_true(got.whole && got.ordered);
	return got;
}

static void what_passed_before_is_written_once(void **state)
{
	struct lan lan = { 0 };
	struct watch first, second, live;
	struct got got;

	(void)state;
	open_lan(&lan, 8 << 20, 60);
	for (unsigned i = 0; i < 5000; i++) /* several chunks of the first, an open one of others */
		send_burst(&lan, i % 50 ? 0 : 1 + i / 50 % 2, 1 + i % 7);
	first = watch(&lan, MINUTE, NULL);
	live = watch(&lan, 0, NULL);
	send_burst(&lan, 0, 3);
	second = watch(&lan, MINUTE, NULL); /* while others have taken what was open */
	send_burst(&lan, 1, 2);
	got = end(&first);
	for (unsigned i = 0; i < PORTS; i++) {
		assert_int_equal(got.first[i], 0);
		assert_int_equal(got.count[i], lan.sent[i]);
	}
	got = end(&second);
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(got.count[i], lan.sent[i]);
	got = end(&live);
	assert_int_equal(got.count[0] + got.count[1] + got.count[2], 5);
	close_lan(&lan);
}

/* In a capture each has its own; what was kept without one has that of its burst. */
static void frames_have_their_time(void **state)
{
	const struct timespec pause = { .tv_nsec = NS_PER_MS };
	struct lan lan = { 0 };
	struct watch live, past;
	uint64_t before, after;
	struct got got;

	(void)state;
	open_lan(&lan, 8 << 20, 60);
	for (unsigned i = 0; i < 3; i++) {
		send_burst(&lan, 0, NET_BURST_MAX);
		nanosleep(&pause, NULL);
	}
	past = watch(&lan, MINUTE, NULL);
	got = end(&past);
	assert_int_equal(got.count[0], 3 * NET_BURST_MAX);
	assert_int_equal(got.times, 3);
	live = watch(&lan, 0, NULL);
	before = clock_wall();
	for (unsigned i = 0; i < 3; i++)
		send_burst(&lan, 0, NET_BURST_MAX);
	after = clock_wall();
	got = end(&live);
	assert_int_equal(got.count[0], 3 * NET_BURST_MAX);
	/* The counter of some CPUs goes in steps of some ns, in which two may be. */
	assert_in_range(got.times, stamp_usable() ? 2 * NET_BURST_MAX : 3, 3 * NET_BURST_MAX);
	assert_true(got.first_time >= before - 100 * NS_PER_US);
	assert_true(got.last_time <= after + 100 * NS_PER_US);
	close_lan(&lan);
}

/* What the counter says is what the clock says. */
static void a_stamps_unit_is_right(void **state)
{
	uint64_t unit, begun, ticks, ns, by_counter;

	(void)state;
	if (!stamp_usable())
		skip();
	unit = stamp_unit();
	begun = clock_monotonic();
	ticks = stamp_read();
	usleep(50000);
	ticks = stamp_read() - ticks;
	ns = clock_monotonic() - begun;
	by_counter = stamp_ns(unit, (uint32_t)(ticks >> STAMP_SHIFT));
	assert_in_range(by_counter, ns - ns / 100, ns + ns / 1000);
}

/* The oldest go: what stays is whole and about as much as was asked for. */
static void it_takes_no_more_than_it_may(void **state)
{
	const uint64_t bytes = 2 << 20, frame = 8 + 64;
	struct lan lan = { 0 };
	struct watch past;
	struct got got;

	(void)state;
	open_lan(&lan, bytes, 60);
	for (unsigned i = 0; i < 4000; i++) {
		send_burst(&lan, 0, NET_BURST_MAX);
		if (i % 100 == 0)
			usleep(2000);
	}
	past = watch(&lan, MINUTE, NULL);
	got = end(&past);
	assert_int_equal(got.next[0], lan.sent[0]);
	assert_true(got.count[0] * frame > bytes / 2);
	assert_true(got.count[0] * frame < bytes + 10 * CHUNK_SIZE);
	close_lan(&lan);
}

static void only_what_is_recent_enough(void **state)
{
	struct lan lan = { 0 };
	struct watch past;
	struct got got;

	(void)state;
	open_lan(&lan, 8 << 20, 60);
	send_burst(&lan, 0, 5);
	usleep(300000);
	send_burst(&lan, 0, 2);
	past = watch(&lan, 200 * NS_PER_MS, NULL);
	got = end(&past);
	assert_int_equal(got.first[0], 5);
	assert_int_equal(got.count[0], 2);
	close_lan(&lan);
}

/* What a guest that is gone has sent is still there, and it has its name. */
static void a_port_that_is_gone_is_in_it(void **state)
{
	const char *const ports[] = { "b/net0", NULL };
	struct lan lan = { 0 };
	struct watch past;
	struct got got;

	(void)state;
	open_lan(&lan, 8 << 20, 60);
	send_burst(&lan, 1, 9);
	fake_port_close(&lan.ports[1]);
	lan.ports[1].port = NULL;
	usleep(50000);
	past = watch(&lan, MINUTE, ports);
	got = end(&past);
	assert_int_equal(got.count[1], 9);
	close_lan(&lan);
}

static void nothing_is_kept_where_nobody_asked(void **state)
{
	const char *const ports[] = { "other", NULL };
	struct capture_config config = { .snap = 64, .past_ns = MINUTE, .ports = ports, .fd = -1 };
	struct lan lan = { 0 };
	struct capture *capture;
	struct cause cause;

	(void)state;
	open_lan(&lan, 1 << 20, 60);
	fake_switch(&lan.network, "other");
	assert_int_equal(capture_prepare(&capture, network_capture_hub(lan.network), &config, &cause),
			 -ENOENT);
	assert_non_null(strstr(cause.text, "nothing of the past is kept there"));
	/* A switch that goes takes its past along. */
	for (unsigned i = 0; i < PORTS; i++) {
		send_burst(&lan, i, 5);
		fake_port_close(&lan.ports[i]);
		lan.ports[i].port = NULL;
	}
	switch_free(lan.sw);
	config.ports = NULL;
	assert_int_equal(capture_prepare(&capture, network_capture_hub(lan.network), &config, &cause),
			 -ENOENT);
	close_lan(&lan);
}

static void there_is_an_end_to_what_all_may_keep(void **state)
{
	const struct past_config past = { .bytes = PAST_BYTES_MAX, .seconds = 1, .snap = 64 };
	struct network *network = NULL;
	struct capture_hub *hub;
	struct cause cause;
	unsigned kept = 0;
	char name[16];

	(void)state;
	fake_switch(&network, "lan");
	hub = network_capture_hub(network);
	do
		snprintf(name, sizeof(name), "lan%u", kept);
	while (!capture_hub_keep(hub, name, &past, &cause) && ++kept < 100);
	assert_int_equal(kept, 1);
	network_free(network);
}

/* A reader of all that comes, until the other side closes. */
struct reader {
	int fd;
	size_t size;
	uint8_t data[32 << 20];
};

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	ssize_t n;

	while ((n = read(reader->fd, reader->data + reader->size,
			 sizeof(reader->data) - reader->size)) > 0)
		reader->size += (size_t)n;
	return NULL;
}

/* All of it passes through a stream, whose reader is slow at first. */
static void a_stream_has_all_of_it(void **state)
{
	static struct reader reader;
	struct lan lan = { 0 };
	struct capture_config config = { .snap = 64, .past_ns = MINUTE };
	struct capture_stats stats;
	struct capture *capture;
	pthread_t thread;
	struct got got;
	int fds[2];

	(void)state;
	open_lan(&lan, 8 << 20, 60);
	for (unsigned i = 0; i < 1500; i++) {
		send_burst(&lan, i % PORTS, NET_BURST_MAX);
		if (i % 50 == 0)
			usleep(2000);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	config.fd = fds[0];
	reader.fd = fds[1];
	capture = fake_capture(lan.network, &config);
	usleep(100000);
	pthread_create(&thread, NULL, read_all, &reader);
	capture_stop(capture, &stats);
	pthread_join(thread, NULL);
	close(fds[1]);
	assert_int_equal(stats.dropped, 0);
	got = look(reader.data, reader.size);
	assert_true(got.whole && got.ordered);
	assert_int_equal(got.count[0] + got.count[1] + got.count[2],
			 lan.sent[0] + lan.sent[1] + lan.sent[2]);
	close_lan(&lan);
}

struct sender {
	struct lan *lan;
	unsigned port;
};

static void *keep_sending(void *arg)
{
	const struct sender *sender = arg;

	for (unsigned i = 0; !atomic_load(&sender->lan->stop); i++) {
		send_burst(sender->lan, sender->port, 1 + i % 5);
		if (i % 4 == 0) /* slowly enough for any writer */
			usleep(sender->port ? 1000 : 200);
	}
	return NULL;
}

/* Captures with and without a past come and go while all send: each has all, from its first on. */
static void captures_come_and_go_meanwhile(void **state)
{
	struct lan lan = { 0 };
	struct sender senders[PORTS];
	pthread_t threads[PORTS];

	(void)state;
	open_lan(&lan, 4 << 20, 60);
	for (unsigned i = 0; i < PORTS; i++) {
		senders[i] = (struct sender){ &lan, i };
		pthread_create(&threads[i], NULL, keep_sending, &senders[i]);
	}
	for (unsigned i = 0; i < 40; i++) {
		struct watch live = watch(&lan, 0, NULL), past;

		usleep(i * 531 % 20000);
		past = watch(&lan, MINUTE, NULL);
		usleep(i * 337 % 20000);
		assert_int_equal(end(&past).dropped, 0);
		if (i % 3)
			usleep(i * 731 % 30000); /* nobody captures */
		assert_int_equal(end(&live).dropped, 0);
	}
	atomic_store(&lan.stop, true);
	for (unsigned i = 0; i < PORTS; i++)
		pthread_join(threads[i], NULL);
	close_lan(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passed_before_is_written_once),
		cmocka_unit_test(frames_have_their_time),
		cmocka_unit_test(a_stamps_unit_is_right),
		cmocka_unit_test(it_takes_no_more_than_it_may),
		cmocka_unit_test(only_what_is_recent_enough),
		cmocka_unit_test(a_port_that_is_gone_is_in_it),
		cmocka_unit_test(nothing_is_kept_where_nobody_asked),
		cmocka_unit_test(there_is_an_end_to_what_all_may_keep),
		cmocka_unit_test(a_stream_has_all_of_it),
		cmocka_unit_test(captures_come_and_go_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
