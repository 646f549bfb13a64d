/*
 * What a vhost-user backend answers: a byte says how many of those that follow come at
 * once, and what is done before.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/virtio/vhost_user.h"
#include "lib/fuzz.h"

#define RAM (64u << 10)
#define CONFIG 60

struct bench {
	struct loop loop;
	struct guest_memory memory;
	struct vhost_user user;
	struct vhost_inflight inflight;
	struct virtq queue;
	int event; /* -1 before the first input */
	unsigned ready;
	bool failed;
};

static struct bench bench = { .event = -1 };

static void on_ready(void *arg)
{
	(void)arg;
	bench.ready++;
}

static void on_done(void *arg)
{
	(void)arg;
}

/* The text is a literal; each of them ends. */
static void on_failed(void *arg, const char *why)
{
	(void)arg;
	REQUIRE(strlen(why) < 100);
	REQUIRE(bench.user.fd < 0);
	bench.failed = true;
}

static const struct vhost_user_ops ops = { on_ready, on_done, on_done, on_failed };

static void begin(void)
{
	REQUIRE(loop_init(&bench.loop, NULL) == 0);
	REQUIRE(memory_create_backed(&bench.memory, RAM, MEMORY_MEMFD, NULL) == 0);
	bench.queue = (struct virtq){ .memory = &bench.memory, .size = 8,
				      .descriptor_address = 0x1000, .driver_address = 0x2000,
				      .device_address = 0x3000 };
	REQUIRE(virtq_enable(&bench.queue) == 0);
	REQUIRE(vhost_inflight_create(&bench.inflight, 2, 8) == 0);
	bench.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	REQUIRE(bench.event >= 0);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void settle(void)
{
	struct loop_task task = { .run = stop_loop, .arg = &bench.loop };

	loop_post(&bench.loop, &task);
	REQUIRE(loop_run(&bench.loop) == 0);
}

/* Starts and stops the queues as a device does: only of a backend that is ready. */
static void order(uint8_t what)
{
	const struct vhost_user_queue rows[2] = { { &bench.queue, bench.event, bench.event } };

	if (!bench.ready || bench.user.fd < 0 || bench.user.due_count)
		return;
	if (what & 0x80)
		(void)vhost_user_start(&bench.user, 1ull << 32, &bench.memory, rows);
	else if (what & 0x40)
		(void)vhost_user_stop(&bench.user, rows);
}

static void drain(int peer)
{
	char bytes[4096];

	while (recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];

	if (bench.event < 0)
		begin();
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	bench.ready = 0;
	bench.failed = false;
	vhost_user_init(&bench.user, &bench.loop, 2, CONFIG, &bench.inflight, &ops, &bench);
	vhost_user_open(&bench.user, pair[0]);
	for (unsigned i = 0; size && !bench.failed && i < 64; i++) {
		size_t piece = data[0] & 0x3f ? (data[0] & 0x3f) * 2u : 1u;

		order(data[0]);
		data++;
		size--;
		piece = piece < size ? piece : size;
		if (piece && !bench.failed)
			(void)!send(pair[1], data, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		data += piece;
		size -= piece;
		for (unsigned n = 0; n < 3; n++)
			settle();
		drain(pair[1]);
	}
	REQUIRE(bench.user.due_count <= VHOST_USER_DUE_MAX);
	vhost_user_close(&bench.user);
	close(pair[1]);
	return 0;
}

/* A piece of 20 bytes begins with 10. */
#define HEAD(request, size) request, 0, 0, 0, 5, 0, 0, 0, size, 0, 0, 0
static const uint8_t whole[] = {
	10, HEAD(1, 8), 0, 0, 0, 0x40, 1, 0, 0, 0,
	10, HEAD(15, 8), 8, 2, 0, 0, 0, 0, 0, 0,
	42, HEAD(24, 72), 0, 0, 0, 0, CONFIG, 0, 0, 0, 0, 0, 0, 0,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	0x80 | 10, HEAD(18, 8), 0, 0, 0, 0, 0, 0, 0, 0,
	0x40 | 10, HEAD(11, 8), 0, 0, 0, 0, 7, 0, 0, 0,
};

const struct fuzz_seed fuzz_seeds[] = {
	{ whole, sizeof(whole) },
	{ "\x0a\x01\0\0\0\x05\0\0\0\xff\xff\xff\xff", 13 },
	{ NULL, 0 },
};
