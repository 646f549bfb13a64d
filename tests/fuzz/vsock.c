/*
 * libFuzzer: a guest that sends any packets to its socket device, and programs of the host
 * that come, write, read and go meanwhile. The input is a script of steps of 8 bytes: what,
 * who, and six of values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/virtio/vsock_private.h"
#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define STEP 8
#define STEPS_MAX 256
#define FDS 4
#define ROOM 0x4000u /* bytes of the guest's buffers, at most */
#define SENT (BENCH_BUFFERS + BENCH_RING * ROOM)
#define SEED(text) { text, sizeof(text) - 1 }

enum { PACKET, BUFFER, CALL, ACCEPT, WRITE, READ, SHUT, CLOSE, PAUSE, DRIVER, LOOP, KINDS };

/* Of a packet: operation, length / 64, flags, ports, credit. */
const struct fuzz_seed fuzz_seeds[] = {
	/* The guest calls, both talk, the guest ends it. */
	SEED("\0\1\1\0\0\0\0\0" "\3\0\0\0\0\0\0\0" "\0\1\5\2\0\0\4\0" "\5\0\0\0\0\0\0\0"
	     "\4\0\5\0\0\0\0\0" "\0\1\4\0\3\0\0\0" "\5\0\0\0\0\0\0\0"),
	/* The host calls, the guest answers and sends more than the host reads. */
	SEED("\2\0\1\0\0\0\0\0" "\0\x11\2\0\0\0\4\0" "\0\x11\5\xff\0\0\4\0" "\0\x11\5\xff\0\0\4\0"
	     "\0\x11\5\xff\0\0\4\0" "\0\x11\5\xff\0\0\4\0" "\0\x11\5\xff\0\0\4\0"
	     "\0\x11\4\0\3\0\0\0" "\0\x11\3\0\0\0\0\0" "\5\0\xff\xff\0\0\0\0" "\7\0\0\0\0\0\0\0"),
	/* No credit, a pause, a new driver, nobody's packets. */
	SEED("\0\1\1\0\0\0\0\0" "\3\1\0\0\0\0\0\0" "\4\1\xff\0\0\0\0\0" "\x8\0\0\0\0\0\0\0"
	     "\0\1\6\0\0\0\1\0" "\6\1\2\0\0\0\0\0" "\0\x2\5\1\0\0\0\0" "\x9\0\0\0\0\0\0\0"
	     "\0\1\7\0\0\0\0\0"),
	{ NULL, 0 },
};

static struct device_bench bench;
static int fds[FDS], listener = -1;
static unsigned next_buffer;

static struct sockaddr_un address_of(const char *suffix)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", bench_vsock_path(), suffix);
	return address;
}

static void remove_listener(void)
{
	unlink(address_of("_1").sun_path);
}

/* Somebody of the host's listens at port 1, for all inputs. */
static void begin_listening(void)
{
	const struct sockaddr_un address = address_of("_1");

	(void)remove_listener();
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	REQUIRE(bind(listener, (const void *)&address, sizeof(address)) == 0);
	REQUIRE(listen(listener, 4) == 0);
	atexit(remove_listener);
}

static void offer(uint32_t size)
{
	unsigned head = next_buffer++ % BENCH_RING;

	bench_describe(&bench, BENCH_VSOCK, 0, head, BENCH_BUFFERS + head * ROOM, size % ROOM + 1,
		       BENCH_WRITE);
	bench_offer(&bench, BENCH_VSOCK, 0, (uint16_t)head);
	bench_kick(&bench, BENCH_VSOCK, 0);
}

static void start_driver(void)
{
	REQUIRE(bench_start_driver(&bench, BENCH_VSOCK, 3, 0, true));
	for (unsigned i = 0; i < BENCH_RING; i++)
		offer(ROOM - 1);
}

/* Who: the guest's port in the low half; in the high one, which of the host's. */
static void send_packet(const uint8_t *step)
{
	static const uint32_t ports[] = { 1, 0x40000000, 0x40000001, 2 };
	struct vsock_header header = {
		.from_cid = 3, .to_cid = VSOCK_HOST,
		.from_port = step[1] & 0xf, .to_port = ports[step[1] >> 4 & 3],
		.length = step[3] * 64u, .type = step[1] & 0x80 ? step[5] : VSOCK_STREAM,
		.operation = step[2], .flags = step[4],
		.buffer = step[6] * 1024u, .forwarded = step[7] * 64u,
	};
	uint32_t size = step[1] & 0x40 ? step[5] * 16u : (uint32_t)sizeof(header) + header.length;

	memcpy(bench_at(&bench, SENT), &header, sizeof(header));
	bench_describe(&bench, BENCH_VSOCK, 1, 0, SENT, 30, BENCH_NEXT);
	bench_describe(&bench, BENCH_VSOCK, 1, 1, SENT + 30, size > 30 ? size - 30 : 0, 0);
	bench_offer(&bench, BENCH_VSOCK, 1, 0);
	bench_kick(&bench, BENCH_VSOCK, 1);
}

static void take_fd(unsigned i, int fd)
{
	if (fds[i] >= 0)
		close(fds[i]);
	fds[i] = fd;
}

static void call(unsigned i, unsigned port)
{
	const struct sockaddr_un address = address_of("");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size;
	char line[32];

	size = snprintf(line, sizeof(line), "CONNECT %u\nhello", port);
	if (connect(fd, (const void *)&address, sizeof(address)) < 0 ||
	    write(fd, line, (size_t)size) != size)
		take_fd(i, -1);
	take_fd(i, fd);
}

static void take(const uint8_t *step)
{
	static uint8_t data[0x10000];
	unsigned i = step[1] % FDS, n = step[2] | (unsigned)step[3] << 8;
	ssize_t done = 0;

	switch (step[0] % KINDS) {
	case PACKET:
		send_packet(step);
		break;
	case BUFFER:
		offer(n);
		break;
	case CALL:
		call(i, step[2] & 0xf);
		break;
	case ACCEPT:
		take_fd(i, accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
		break;
	case WRITE:
		done = send(fds[i], data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case READ:
		done = recv(fds[i], data, n, MSG_DONTWAIT);
		break;
	case SHUT:
		shutdown(fds[i], step[2] % 3);
		break;
	case CLOSE:
		take_fd(i, -1);
		break;
	case PAUSE:
		bench_stop(&bench);
		devices_start(&bench.set);
		break;
	case DRIVER:
		start_driver();
		break;
	default:
		break;
	}
	(void)done;
	bench_settle(&bench);
}

/* However much the guest did, there is no more of it than this. */
static void check_bounds(void)
{
	const struct vsock_device *vsock = NULL;

	for (unsigned i = 0; i < bench.set.count; i++)
		if (bench.set.devices[i].type == &vsock_device)
			vsock = bench.set.devices[i].state;
	REQUIRE(vsock && vsock->refused <= VSOCK_REFUSALS);
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		const struct vsock_connection *connection = &vsock->connections[i];
		bool has_socket = connection->state != VSOCK_FREE &&
				  connection->state != VSOCK_ENDING;

		REQUIRE(has_socket == (connection->fd >= 0));
		REQUIRE(connection->kept_size <= VSOCK_BUFFER);
		REQUIRE(has_socket || !connection->kept);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (listener < 0)
		begin_listening();
	for (unsigned i = 0; i < FDS; i++)
		fds[i] = -1;
	next_buffer = 0;
	bench_create(&bench, -1);
	devices_start(&bench.set);
	start_driver();
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP; i++, data += STEP, size -= STEP) {
		take(data);
		check_bounds();
	}
	for (unsigned i = 0; i < FDS; i++)
		take_fd(i, -1);
	bench_settle(&bench);
	bench_destroy(&bench);
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
		close(fd);
	return 0;
}
