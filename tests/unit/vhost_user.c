/* What is said to a vhost-user backend, and what it may answer; the backend is this test. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/virtio/vhost_user.h"

#define RAM (1u << 20)
#define CONFIG 60
#define FEATURES (1ull << 32 | 1ull << 30 | 1ull << 9)

#define REPLY 0x5u /* version 1, and an answer */

struct header {
	uint32_t request, flags, size;
};

struct bench {
	struct loop loop;
	struct guest_memory memory;
	struct vhost_user user;
	struct vhost_inflight inflight;
	struct virtq queue;
	int peer;
	unsigned ready, running, stopped;
	const char *failed;
	/* The last message that came to the peer. */
	struct header header;
	uint8_t payload[512];
	int fds[4];
	unsigned fd_count;
};

static void on_ready(void *arg)
{
	((struct bench *)arg)->ready++;
}

static void on_running(void *arg)
{
	((struct bench *)arg)->running++;
}

static void on_stopped(void *arg)
{
	((struct bench *)arg)->stopped++;
}

static void on_failed(void *arg, const char *why)
{
	((struct bench *)arg)->failed = why;
}

static const struct vhost_user_ops ops = { on_ready, on_running, on_stopped, on_failed };

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Lets the loop see what has come so far. */
static void settle(struct bench *bench)
{
	struct loop_task task = { .run = stop_loop, .arg = &bench->loop };

	for (unsigned i = 0; i < 3; i++) {
		loop_post(&bench->loop, &task);
		loop_run(&bench->loop);
	}
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int pair[2];

	assert_int_equal(loop_init(&bench->loop, NULL), 0);
	assert_int_equal(memory_create_backed(&bench->memory, RAM, MEMORY_MEMFD, NULL), 0);
	bench->queue = (struct virtq){ .memory = &bench->memory, .size = 8,
				       .descriptor_address = 0x1000, .driver_address = 0x2000,
				       .device_address = 0x3000 };
	assert_int_equal(virtq_enable(&bench->queue), 0);
	bench->queue.next_available = 5;
	assert_int_equal(vhost_inflight_create(&bench->inflight, 2, 8), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bench->peer = pair[1];
	vhost_user_init(&bench->user, &bench->loop, 2, CONFIG, &bench->inflight, &ops, bench);
	vhost_user_open(&bench->user, pair[0]);
	*state = bench;
	return 0;
}

static void close_fds(struct bench *bench)
{
	while (bench->fd_count)
		close(bench->fds[--bench->fd_count]);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	close_fds(bench);
	vhost_user_close(&bench->user);
	close(bench->peer);
	vhost_inflight_destroy(&bench->inflight);
	memory_destroy(&bench->memory);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* The next message; it is that request, with so many bytes and descriptors. */
static void expect(struct bench *bench, uint32_t request, uint32_t size, unsigned fd_count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(bench->fds))];
	} passed;
	struct iovec part = { &bench->header, sizeof(bench->header) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed,
				  .msg_controllen = sizeof(passed) };
	const struct cmsghdr *header;

	close_fds(bench);
	assert_int_equal(recvmsg(bench->peer, &message, MSG_DONTWAIT), sizeof(bench->header));
	header = CMSG_FIRSTHDR(&message);
	if (header) {
		bench->fd_count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(bench->fds, CMSG_DATA(header), bench->fd_count * sizeof(int));
	}
	assert_int_equal(bench->header.request, request);
	assert_int_equal(bench->header.flags & 3, 1);
	assert_int_equal(bench->header.size, size);
	assert_int_equal(bench->fd_count, fd_count);
	if (size)
		assert_int_equal(recv(bench->peer, bench->payload, size, MSG_DONTWAIT), size);
}

static uint32_t word(const struct bench *bench, unsigned n)
{
	uint32_t value;

	memcpy(&value, bench->payload + 4 * n, sizeof(value));
	return value;
}

static uint64_t number(const struct bench *bench, unsigned n)
{
	uint64_t value;

	memcpy(&value, bench->payload + 8 * n, sizeof(value));
	return value;
}

static void send_raw(struct bench *bench, uint32_t request, uint32_t flags, uint32_t says,
		     const void *payload, size_t size)
{
	struct header header = { request, flags, says };

	assert_int_equal(send(bench->peer, &header, sizeof(header), 0), sizeof(header));
	if (size)
		assert_int_equal(send(bench->peer, payload, size, MSG_NOSIGNAL), size);
	settle(bench);
}

static void answer(struct bench *bench, uint32_t request, const void *payload, uint32_t size)
{
	send_raw(bench, request, REPLY, size, payload, size);
}

static void answer_number(struct bench *bench, uint32_t request, uint64_t value)
{
	answer(bench, request, &value, sizeof(value));
}

/* Up to the question for the configuration. */
static void begin(struct bench *bench, uint64_t protocol)
{
	expect(bench, 3, 0, 0);
	expect(bench, 1, 0, 0);
	answer_number(bench, 1, FEATURES);
	expect(bench, 15, 0, 0);
	answer_number(bench, 15, protocol);
	expect(bench, 16, 8, 0);
	assert_int_equal(number(bench, 0), (protocol & (1 << 0 | 1 << 3 | 1 << 9)) | 1 << 12);
	if (protocol & 1) {
		expect(bench, 17, 0, 0);
		answer_number(bench, 17, 2);
	}
	expect(bench, 24, 12 + CONFIG, 0);
	assert_int_equal(word(bench, 1), CONFIG);
}

static void send_config(struct bench *bench, uint32_t size)
{
	uint8_t config[12 + CONFIG] = { 0 };

	memcpy(config + 4, &size, sizeof(size));
	memset(config + 12, 0x5a, CONFIG);
	answer(bench, 24, config, sizeof(config));
}

static void what_it_offers_is_asked_step_by_step(void **state)
{
	struct bench *bench = *state;
	uint8_t config[CONFIG];

	begin(bench, ~0ull);
	assert_int_equal(bench->ready, 0);
	send_config(bench, CONFIG);
	assert_null(bench->failed);
	assert_int_equal(bench->ready, 1);
	assert_int_equal(bench->user.features, FEATURES & ~(1ull << 30));
	memset(config, 0x5a, sizeof(config));
	assert_memory_equal(bench->user.config, config, sizeof(config));
}

static void queues_are_set_up_and_stopped(void **state)
{
	struct bench *bench = *state;
	struct vhost_user_queue rows[2] = { { .queue = &bench->queue } };
	uint64_t count = 0;

	begin(bench, 1 << 3 | 1 << 9);
	send_config(bench, CONFIG);
	rows[0].kick_fd = eventfd(3, EFD_NONBLOCK);
	rows[0].call_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(vhost_user_start(&bench->user, 1ull << 32, &bench->memory, rows), 0);
	expect(bench, 2, 8, 0);
	assert_int_equal(number(bench, 0), 1ull << 32 | 1ull << 30);
	expect(bench, 32, 24, 1);
	assert_int_equal(number(bench, 0), bench->inflight.size);
	assert_int_equal(number(bench, 1), 0);
	assert_int_equal(word(bench, 4), 8u << 16 | 2);
	expect(bench, 5, 8 + 32, 1);
	assert_int_equal(word(bench, 0), 1);
	assert_int_equal(number(bench, 1), 0);
	assert_int_equal(number(bench, 2), RAM);
	assert_int_equal(number(bench, 3), 1ull << 40);
	assert_int_equal(number(bench, 4), 0);
	assert_int_equal(lseek(bench->fds[0], 0, SEEK_END), RAM);
	expect(bench, 8, 8, 0);
	assert_int_equal(word(bench, 1), 8);
	expect(bench, 10, 8, 0);
	assert_int_equal(word(bench, 1), 5);
	expect(bench, 9, 40, 0);
	assert_int_equal(number(bench, 1), (1ull << 40) + 0x1000);
	assert_int_equal(number(bench, 2), (1ull << 40) + 0x3000);
	assert_int_equal(number(bench, 3), (1ull << 40) + 0x2000);
	expect(bench, 13, 8, 1);
	expect(bench, 12, 8, 1);
	assert_int_equal(read(bench->fds[0], &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 3);
	expect(bench, 18, 8, 0);
	assert_int_equal(word(bench, 1), 1);
	assert_int_equal(bench->header.flags & 8, 8);
	assert_int_equal(bench->running, 0);
	answer_number(bench, 18, 0);
	assert_int_equal(bench->running, 1);

	assert_int_equal(vhost_user_stop(&bench->user, rows), 1);
	expect(bench, 11, 8, 0);
	assert_int_equal(word(bench, 0), 0);
	answer_number(bench, 11, 9ull << 32);
	assert_int_equal(bench->stopped, 1);
	assert_int_equal(bench->user.bases[0], 9);
	assert_null(bench->failed);
	close(rows[0].kick_fd);
	close(rows[0].call_fd);
}

/* With the question for its features due. */
static void answers_that_are_none_end_it(void **state)
{
	static const struct {
		struct header header;
		uint64_t payload;
		size_t size;
		const char *why;
	} rows[] = {
		{ { 2, REPLY, 8 }, FEATURES, 8, "answers what was not asked" },
		{ { 1, 1, 8 }, FEATURES, 8, "gives an answer that is none" },
		{ { 1, 4, 8 }, FEATURES, 8, "gives an answer that is none" },
		{ { 1, REPLY, UINT32_MAX }, FEATURES, 8, "gives an answer that is too long" },
		{ { 1, REPLY, 4 }, FEATURES, 4, "gives an answer of another size" },
		{ { 1, REPLY, 0 }, 0, 0, "gives an answer of another size" },
		{ { 1, REPLY, 8 }, 1ull << 32, 8,
		  "is too old: it knows no features of the vhost-user protocol" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench;

		setup(state);
		bench = *state;
		send_raw(bench, rows[i].header.request, rows[i].header.flags, rows[i].header.size,
			 &rows[i].payload, rows[i].size);
		assert_non_null(bench->failed);
		assert_string_equal(bench->failed, rows[i].why);
		assert_int_equal(bench->user.fd, -1);
		teardown(state);
	}
}

static void a_configuration_of_another_size_is_none(void **state)
{
	struct bench *bench = *state;

	begin(bench, 1 << 3 | 1 << 9);
	send_config(bench, CONFIG - 1);
	assert_string_equal(bench->failed, "does not tell its device's configuration");
	assert_int_equal(bench->ready, 0);
}

static void an_answer_may_come_byte_by_byte(void **state)
{
	struct bench *bench = *state;
	const struct header header = { 1, REPLY, 8 };
	const uint64_t features = FEATURES;
	uint8_t bytes[sizeof(header) + sizeof(features)];

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &features, sizeof(features));
	expect(bench, 3, 0, 0);
	expect(bench, 1, 0, 0);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(send(bench->peer, bytes + i, 1, 0), 1);
		settle(bench);
	}
	expect(bench, 15, 0, 0);
	assert_null(bench->failed);
}

static void its_end_is_told(void **state)
{
	struct bench *bench = *state;

	shutdown(bench->peer, SHUT_RDWR);
	settle(bench);
	assert_string_equal(bench->failed, "has closed the connection");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_it_offers_is_asked_step_by_step),
		CASE(queues_are_set_up_and_stopped),
		cmocka_unit_test(answers_that_are_none_end_it),
		CASE(a_configuration_of_another_size_is_none),
		CASE(an_answer_may_come_byte_by_byte),
		CASE(its_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
