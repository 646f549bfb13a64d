/*
 * The socket device between a guest, which is driven over its transport, and programs of the
 * host, whose sockets are real: connections both ways, their ends, credit, what a guest may
 * not have more of, and packets that are none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/endpoint.h"
#include "core/virtio/vsock_private.h"
#include "lib/device_bench.h"

enum { RX, TX, EVENTS, QUEUES };

#define CID 3u
#define ROOM 0x800u /* bytes of a buffer for a packet */
#define PACKETS BENCH_BUFFERS
#define SENT (BENCH_BUFFERS + 0x10000)
#define EVENT (BENCH_BUFFERS + 0x9000)
#define EVENT_BUFFERS 3
#define HEADER sizeof(struct vsock_header)
#define PORT 77u /* somebody of the host's listens there */
#define NEEDS_RESET 0x40

static struct device_bench bench;
static unsigned offered, taken, sent; /* buffers and packets of the driver */
static int listener;

/* --- the guest --- */

static void offer(void)
{
	unsigned head = offered++ % BENCH_RING;

	bench_describe(&bench, BENCH_VSOCK, RX, head, PACKETS + head * ROOM, ROOM, BENCH_WRITE);
	bench_offer(&bench, BENCH_VSOCK, RX, (uint16_t)head);
	bench_kick(&bench, BENCH_VSOCK, RX);
}

static void start_driver(unsigned buffers)
{
	static const uint8_t nothing[4] = { 0xff, 0xff, 0xff, 0xff };

	offered = taken = sent = 0;
	assert_true(bench_start_driver(&bench, BENCH_VSOCK, QUEUES, BENCH_EVENT_IDX, true));
	memcpy(bench_at(&bench, EVENT), nothing, sizeof(nothing));
	for (unsigned i = 0; i < EVENT_BUFFERS; i++) {
		bench_describe(&bench, BENCH_VSOCK, EVENTS, i, EVENT + 4 * i, 4, BENCH_WRITE);
		bench_offer(&bench, BENCH_VSOCK, EVENTS, (uint16_t)i);
	}
	bench_kick(&bench, BENCH_VSOCK, EVENTS);
	for (unsigned i = 0; i < buffers; i++)
		offer();
	bench_settle(&bench);
}

static void send_header(const struct vsock_header *header, const void *data, uint32_t size)
{
	memcpy(bench_at(&bench, SENT), header, HEADER);
	if (size)
		memcpy(bench_at(&bench, SENT + HEADER), data, size);
	bench_describe(&bench, BENCH_VSOCK, TX, 0, SENT, 20, BENCH_NEXT);
	bench_describe(&bench, BENCH_VSOCK, TX, 1, SENT + 20, (uint32_t)HEADER - 20 + size, 0);
	bench_offer(&bench, BENCH_VSOCK, TX, 0);
	bench_kick(&bench, BENCH_VSOCK, TX);
	bench_settle(&bench);
	sent++;
}

static struct vsock_header header_of(uint32_t guest_port, uint32_t host_port,
				     enum vsock_operation operation)
{
	return (struct vsock_header){ .from_cid = CID, .to_cid = VSOCK_HOST,
				      .from_port = guest_port, .to_port = host_port,
				      .type = VSOCK_STREAM, .operation = (uint16_t)operation,
				      .buffer = 1 << 20 };
}

static void say(uint32_t guest_port, uint32_t host_port, enum vsock_operation operation)
{
	const struct vsock_header header = header_of(guest_port, host_port, operation);

	send_header(&header, NULL, 0);
}

static void end(uint32_t guest_port, uint32_t host_port, uint32_t flags)
{
	struct vsock_header header = header_of(guest_port, host_port, VSOCK_SHUTDOWN);

	header.flags = flags;
	send_header(&header, NULL, 0);
}

static void send_text(uint32_t guest_port, uint32_t host_port, const void *text, uint32_t size)
{
	struct vsock_header header = header_of(guest_port, host_port, VSOCK_RW);

	header.length = size;
	send_header(&header, text, size);
}

/* The next packet for the guest; its buffer goes back. The payload stays until the next one. */
static struct vsock_header next_packet(void)
{
	static uint8_t payload[ROOM];
	struct vsock_header header;
	uint8_t *at = bench_at(&bench, PACKETS + taken % BENCH_RING * ROOM);

	bench_settle(&bench);
	assert_int_not_equal((uint16_t)taken, bench_used(&bench, BENCH_VSOCK, RX));
	taken++;
	memcpy(&header, at, sizeof(header));
	memcpy(payload, at + HEADER, ROOM - HEADER);
	assert_int_equal(header.from_cid, VSOCK_HOST);
	assert_int_equal(header.to_cid, CID);
	assert_int_equal(header.type, VSOCK_STREAM);
	offer();
	memcpy(bench_at(&bench, SENT + 0x8000), payload, ROOM);
	return header;
}

static struct vsock_header expect(uint32_t guest_port, uint32_t host_port,
				  enum vsock_operation operation)
{
	const struct vsock_header header = next_packet();

	assert_int_equal(header.operation, operation);
	assert_int_equal(header.to_port, guest_port);
	assert_int_equal(header.from_port, host_port);
	return header;
}

static void expect_text(uint32_t guest_port, uint32_t host_port, const char *text)
{
	const struct vsock_header header = expect(guest_port, host_port, VSOCK_RW);

	assert_int_equal(header.length, strlen(text));
	assert_memory_equal(bench_at(&bench, SENT + 0x8000), text, strlen(text));
}

static void expect_no_packet(void)
{
	bench_settle(&bench);
	assert_int_equal((uint16_t)taken, bench_used(&bench, BENCH_VSOCK, RX));
	assert_int_equal(bench_status(&bench, BENCH_VSOCK) & NEEDS_RESET, 0);
}

/* --- the host --- */

static struct sockaddr_un address_of(const char *suffix)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", bench_vsock_path(), suffix);
	return address;
}

static void host_listen(void)
{
	const struct sockaddr_un address = address_of("_77");

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (const void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 100), 0);
}

static int host_connect(const char *line)
{
	const struct sockaddr_un address = address_of("");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (const void *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	bench_settle(&bench);
	return fd;
}

static void host_write(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	bench_settle(&bench);
}

static void host_expect(int fd, const char *text)
{
	char got[256] = "";

	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
}

/* -1: nothing is there; 0: it ended. */
static void host_expect_nothing(int fd, ssize_t what)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), what);
}

/* A program of the guest's at that port has called the host's. */
static int guest_connect(uint32_t guest_port)
{
	int fd;

	say(guest_port, PORT, VSOCK_REQUEST);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	(void)state;
	host_listen();
	bench_create(&bench, -1);
	devices_start(&bench.set);
	start_driver(BENCH_RING);
	return 0;
}

static int teardown(void **state)
{
	const struct sockaddr_un address = address_of("_77");

	(void)state;
	bench_destroy(&bench);
	close(listener);
	unlink(address.sun_path);
	return 0;
}

/* --- connections --- */

static void test_from_host(void **state)
{
	const uint32_t host = 0x40000000;
	int fd = host_connect("CONNECT 12");

	(void)state;
	assert_int_equal(bench_config(&bench, BENCH_VSOCK, 0, 8), CID);
	expect_no_packet();
	/* What is written before the answer waits for it. */
	host_write(fd, "34\nearly");
	assert_int_equal(expect(1234, host, VSOCK_REQUEST).buffer, VSOCK_BUFFER);
	expect_no_packet();
	host_expect_nothing(fd, -1);
	say(1234, host, VSOCK_RESPONSE);
	host_expect(fd, "OK 1073741824\n");
	expect_text(1234, host, "early");
	send_text(1234, host, "hello", 5);
	host_expect(fd, "hello");

	/* The host ends its direction, then the guest both. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(expect(1234, host, VSOCK_SHUTDOWN).flags, VSOCK_NO_SEND);
	send_text(1234, host, "bye", 3);
	host_expect(fd, "bye");
	end(1234, host, VSOCK_NO_RECEIVE | VSOCK_NO_SEND);
	expect(1234, host, VSOCK_RST);
	host_expect_nothing(fd, 0);
	expect_no_packet();
	close(fd);

	/* The next one has another port; the guest refuses it. */
	fd = host_connect("CONNECT 1234\n");
	expect(1234, host + 1, VSOCK_REQUEST);
	say(1234, host + 1, VSOCK_RST);
	host_expect_nothing(fd, 0);
	close(fd);
}

static void test_from_guest(void **state)
{
	int fd = guest_connect(5), other;

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	host_write(fd, "who");
	expect_text(5, PORT, "who");
	/* The guest ends its direction: what the host says comes all the same. */
	end(5, PORT, VSOCK_NO_SEND);
	host_expect_nothing(fd, 0);
	host_write(fd, "still");
	expect_text(5, PORT, "still");
	host_write(fd, "last words");
	close(fd);
	expect_text(5, PORT, "last words");
	assert_int_equal(expect(5, PORT, VSOCK_SHUTDOWN).flags, VSOCK_ENDED);
	end(5, PORT, VSOCK_ENDED);
	expect(5, PORT, VSOCK_RST);

	/* The same port again; the host closes first, the guest answers with a reset. */
	fd = guest_connect(5);
	other = guest_connect(6);
	expect(5, PORT, VSOCK_RESPONSE);
	expect(6, PORT, VSOCK_RESPONSE);
	close(fd);
	expect(5, PORT, VSOCK_SHUTDOWN);
	say(5, PORT, VSOCK_RST);
	/* The guest wants no more: whoever writes hears it. */
	end(6, PORT, VSOCK_NO_RECEIVE);
	assert_int_equal(send(other, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	send_text(6, PORT, "yes", 3);
	host_expect(other, "yes");
	close(other);
	assert_int_equal(expect(6, PORT, VSOCK_SHUTDOWN).flags, VSOCK_ENDED);
	say(6, PORT, VSOCK_RST);
	expect_no_packet();

	/* Nobody listens there. */
	say(7, PORT + 1, VSOCK_REQUEST);
	expect(7, PORT + 1, VSOCK_RST);
}

/* Somebody who calls and is no client, or has gone before the guest answers. */
static void test_callers(void **state)
{
	static const char *const wrong[] = { "GET / HTTP/1.0\r\n\r\n", "CONNECT \n", "CONNECT -1\n",
					     "CONNECT 4294967296\n", "CONNECT 1 \n",
					     "CONNECT 1111111111111111111111111111\n" };
	int fd;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		fd = host_connect(wrong[i]);
		assert_true(read(fd, &(char){ 0 }, 1) <= 0);
		expect_no_packet();
		close(fd);
	}
	fd = host_connect("CONN");
	close(fd);
	fd = host_connect("CONN");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	bench_settle(&bench);
	host_expect_nothing(fd, -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	fd = host_connect("CONNECT 9\n");
	expect(9, 0x40000000, VSOCK_REQUEST);
	close(fd);
	expect(9, 0x40000000, VSOCK_RST);
	say(9, 0x40000000, VSOCK_RESPONSE);
	expect(9, 0x40000000, VSOCK_RST);
	expect_no_packet();
}

/* --- credit --- */

static void test_credit_of_guest(void **state)
{
	struct vsock_header header = header_of(5, PORT, VSOCK_REQUEST);
	int fd;

	(void)state;
	header.buffer = 16;
	send_header(&header, NULL, 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	expect(5, PORT, VSOCK_RESPONSE);
	host_write(fd, "0123456789abcdefghijklmnopqrstuvwxyz");
	expect_text(5, PORT, "0123456789abcdef");
	/* It is asked for more once, whatever it answers, as long as it has none. */
	expect(5, PORT, VSOCK_CREDIT_REQUEST);
	header.operation = VSOCK_CREDIT_UPDATE;
	send_header(&header, NULL, 0);
	expect_no_packet();
	header.forwarded = 10;
	send_header(&header, NULL, 0);
	expect_text(5, PORT, "ghijklmnop");
	expect(5, PORT, VSOCK_CREDIT_REQUEST);
	/* More than was sent cannot have left it: that is no credit. */
	header.forwarded = 40;
	send_header(&header, NULL, 0);
	expect_no_packet();
	header.forwarded = 26;
	send_header(&header, NULL, 0);
	expect_text(5, PORT, "qrstuvwxyz");
	close(fd);
}

static void test_credit_of_host(void **state)
{
	static uint8_t data[0x4000], got[0x10000];
	uint32_t taken_by_socket, total = 0, crc = 0, wanted = 0;
	struct vsock_header header;
	int fd = guest_connect(5);
	ssize_t n;

	(void)state;
	assert_int_equal(expect(5, PORT, VSOCK_RESPONSE).buffer, VSOCK_BUFFER);
	/* The socket takes what it has room for; the guest may send a buffer more, and no byte. */
	header = (struct vsock_header){ 0 };
	do {
		taken_by_socket = header.forwarded;
		for (unsigned i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)((total + i) * 7 / 3);
		send_text(5, PORT, data, sizeof(data));
		for (unsigned i = 0; i < sizeof(data); i++)
			wanted = wanted * 31 + data[i];
		total += sizeof(data);
		say(5, PORT, VSOCK_CREDIT_REQUEST);
		header = expect(5, PORT, VSOCK_CREDIT_UPDATE);
		assert_true(total < 64u << 20);
	} while (header.forwarded != taken_by_socket);
	assert_true(header.forwarded > 0);
	while (total + sizeof(data) <= header.forwarded + VSOCK_BUFFER) {
		for (unsigned i = 0; i < sizeof(data); i++)
			wanted = wanted * 31 + data[i];
		send_text(5, PORT, data, sizeof(data));
		total += sizeof(data);
	}
	expect_no_packet();

	/* The host reads: it is told of room before it asks, and everything comes in its order. */
	while ((n = read(fd, got, sizeof(got))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = crc * 31 + got[i];
		taken_by_socket += (uint32_t)n;
		bench_settle(&bench);
	}
	assert_int_equal(crc, wanted);
	assert_int_equal(expect(5, PORT, VSOCK_CREDIT_UPDATE).forwarded % VSOCK_BUFFER,
			 total % VSOCK_BUFFER);

	/* One byte more than it may: it is reset. */
	header = (struct vsock_header){ 0 };
	total = 0;
	do {
		send_text(5, PORT, data, sizeof(data));
		total += sizeof(data);
		bench_settle(&bench);
		if (bench_used(&bench, BENCH_VSOCK, RX) != (uint16_t)taken)
			header = next_packet();
		assert_true(total < 64u << 20);
	} while (header.operation != VSOCK_RST);
	close(fd);
}

/* A guest that ends the connection and does not wait: what it sent is not lost. */
static void test_left(void **state)
{
	static uint8_t data[0x4000], got[0x10000];
	uint32_t total = 0, back = 0;
	struct vsock_header header = { .forwarded = 0 };
	int fd = guest_connect(5);
	ssize_t n;

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	do {
		send_text(5, PORT, data, sizeof(data));
		total += sizeof(data);
		say(5, PORT, VSOCK_CREDIT_REQUEST);
		header = expect(5, PORT, VSOCK_CREDIT_UPDATE);
	} while (header.forwarded == total);
	end(5, PORT, VSOCK_ENDED);
	expect_no_packet();
	say(5, PORT, VSOCK_RST);
	/* The port is free for another. */
	close(guest_connect(5));
	expect(5, PORT, VSOCK_RESPONSE);
	expect(5, PORT, VSOCK_SHUTDOWN);
	while ((n = read(fd, got, sizeof(got))) > 0) {
		back += (uint32_t)n;
		bench_settle(&bench);
	}
	assert_int_equal(n, 0);
	assert_int_equal(back, total);
	expect_no_packet();
	close(fd);
}

/* The host's program has gone: what it wrote comes, and what the guest sends is swallowed. */
static void test_gone(void **state)
{
	int fd = guest_connect(5);

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	bench_stop(&bench);
	host_write(fd, "will");
	close(fd);
	devices_start(&bench.set);
	send_text(5, PORT, "are you there", 13);
	/* Either may be noticed first. */
	for (unsigned ended = 0; ended != VSOCK_ENDED;) {
		struct vsock_header header = next_packet();

		if (header.operation == VSOCK_SHUTDOWN)
			ended = header.flags;
		else
			assert_true(header.operation == VSOCK_RW && header.length == 4);
	}
	send_text(5, PORT, "hello", 5);
	expect_no_packet();
	say(5, PORT, VSOCK_RST);
}

/* --- what there is no more of --- */

static void test_many(void **state)
{
	int fds[VSOCK_CONNECTIONS + 1], fd;

	(void)state;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		fds[i] = guest_connect(100 + i);
		expect(100 + i, PORT, VSOCK_RESPONSE);
	}
	say(99, PORT, VSOCK_REQUEST);
	expect(99, PORT, VSOCK_RST);
	assert_int_equal(accept(listener, NULL, NULL), -1);
	/* Somebody of the host's waits for a place. */
	fd = host_connect("CONNECT 1\n");
	expect_no_packet();
	say(100, PORT, VSOCK_RST);
	expect(1, 0x40000000, VSOCK_REQUEST);
	/* One whose end the guest was told has its place no longer when it is wanted. */
	close(fds[1]);
	expect(101, PORT, VSOCK_SHUTDOWN);
	fds[VSOCK_CONNECTIONS] = guest_connect(98);
	expect(98, PORT, VSOCK_RESPONSE);
	say(101, PORT, VSOCK_RST);
	expect_no_packet();
	close(fd);
	expect(1, 0x40000000, VSOCK_RST);
	for (unsigned i = 0; i <= VSOCK_CONNECTIONS; i++)
		if (i != 1)
			close(fds[i]);
}

/* Without buffers for the answers it is heard until there are too many of them, and then later. */
static void test_refusals(void **state)
{
	(void)state;
	start_driver(0);
	for (unsigned i = 0; i < VSOCK_REFUSALS + 4; i++)
		say(i, PORT + 1, VSOCK_CREDIT_REQUEST);
	assert_int_equal(bench_used(&bench, BENCH_VSOCK, TX), VSOCK_REFUSALS);
	for (unsigned i = 0; i < BENCH_RING; i++)
		offer();
	for (unsigned i = 0; i < VSOCK_REFUSALS + 4; i++)
		assert_int_equal(next_packet().operation, VSOCK_RST);
	assert_int_equal(bench_used(&bench, BENCH_VSOCK, TX), VSOCK_REFUSALS + 4);
	expect_no_packet();
}

/* --- hostile packets --- */

static void test_wrong(void **state)
{
	struct vsock_header header = header_of(5, PORT, VSOCK_RW);
	int fd = guest_connect(5);

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	/* Of or to somebody else. */
	header.from_cid = 4;
	send_header(&header, NULL, 0);
	header.from_cid = CID;
	header.to_cid = 1;
	send_header(&header, NULL, 0);
	expect_no_packet();
	/* Another type, an unknown operation, more than there is, a second request. */
	for (unsigned i = 0; i < 4; i++) {
		header = header_of(5, PORT, VSOCK_RW);
		if (i == 0)
			header.type = 2;
		else if (i == 1)
			header.operation = 99;
		else if (i == 2)
			header.length = 1;
		else
			header.operation = VSOCK_REQUEST;
		send_header(&header, NULL, 0);
		expect(5, PORT, VSOCK_RST);
		host_expect_nothing(fd, 0);
		close(fd);
		fd = guest_connect(5);
		expect(5, PORT, VSOCK_RESPONSE);
	}
	header = header_of(6, PORT, VSOCK_REQUEST);
	header.type = 2;
	send_header(&header, NULL, 0);
	expect(6, PORT, VSOCK_RST);
	close(fd);
	/* Shorter than a header. */
	bench_describe(&bench, BENCH_VSOCK, TX, 0, SENT, (uint32_t)HEADER - 1, 0);
	bench_offer(&bench, BENCH_VSOCK, TX, 0);
	bench_kick(&bench, BENCH_VSOCK, TX);
	bench_settle(&bench);
	assert_true(bench_status(&bench, BENCH_VSOCK) & NEEDS_RESET);
}

static void test_no_room_for_a_header(void **state)
{
	(void)state;
	start_driver(0);
	bench_describe(&bench, BENCH_VSOCK, RX, 0, PACKETS, (uint32_t)HEADER - 1, BENCH_WRITE);
	bench_offer(&bench, BENCH_VSOCK, RX, 0);
	bench_kick(&bench, BENCH_VSOCK, RX);
	say(5, PORT + 1, VSOCK_RW);
	assert_true(bench_status(&bench, BENCH_VSOCK) & NEEDS_RESET);
}

/* --- life --- */

/* Saved in the middle of a connection: the guest hears that it is gone, and begins another. */
static void test_saved(void **state)
{
	int fd = guest_connect(5), called;
	struct bench_saved saved;
	struct cause cause;
	uint32_t event;

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	host_write(fd, "under way");
	bench_stop(&bench);
	saved = bench_save_devices(&bench);
	/* The guest that goes on has its connection. */
	devices_start(&bench.set);
	expect_text(5, PORT, "under way");
	taken--;
	offered--;
	bench_destroy(&bench);
	host_expect_nothing(fd, 0);
	close(fd);

	bench_create(&bench, -1);
	assert_int_equal(bench_load(&bench, saved.ram, saved.data, saved.size, &cause), 0);
	devices_start(&bench.set);
	bench_settle(&bench);
	assert_int_equal(bench_used(&bench, BENCH_VSOCK, EVENTS), 1);
	assert_int_equal(bench_used_length(&bench, BENCH_VSOCK, EVENTS), 4);
	memcpy(&event, bench_at(&bench, EVENT), sizeof(event));
	assert_int_equal(event, 0);
	taken = bench_used(&bench, BENCH_VSOCK, RX);
	offered = taken + BENCH_RING;
	/* Whatever comes before it is known to have heard that waits. */
	say(5, PORT, VSOCK_RW);
	fd = guest_connect(5);
	host_write(fd, "again");
	called = host_connect("CONNECT 8\n");
	expect_no_packet();
	bench_offer(&bench, BENCH_VSOCK, EVENTS, 0);
	bench_kick(&bench, BENCH_VSOCK, EVENTS);
	expect(5, PORT, VSOCK_RST);
	expect(5, PORT, VSOCK_RESPONSE);
	expect_text(5, PORT, "again");
	expect(8, 0x40000000, VSOCK_REQUEST);
	assert_int_equal(bench_used(&bench, BENCH_VSOCK, EVENTS), 1);
	close(fd);
	close(called);
	bench_saved_free(&saved);
}

/* While the machine is paused nothing reaches it, and afterwards everything does. */
static void test_paused(void **state)
{
	int fd = guest_connect(5), called;

	(void)state;
	expect(5, PORT, VSOCK_RESPONSE);
	bench_stop(&bench);
	host_write(fd, "now");
	called = host_connect("CONNECT 8\n");
	expect_no_packet();
	devices_start(&bench.set);
	expect_text(5, PORT, "now");
	expect(8, 0x40000000, VSOCK_REQUEST);
	close(fd);
	close(called);
	/* Another driver: the first one's connections are gone. */
	fd = guest_connect(6);
	start_driver(BENCH_RING);
	host_expect_nothing(fd, 0);
	expect_no_packet();
	assert_int_equal(bench_used(&bench, BENCH_VSOCK, EVENTS), 0);
	close(fd);
}

/* Its owner alone connects, and it goes with the machine. */
static void test_path(void **state)
{
	const struct sockaddr_un address = address_of("");
	struct stat st;

	(void)state;
	assert_int_equal(stat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	bench_destroy(&bench);
	assert_int_equal(access(address.sun_path, F_OK), -1);
	bench_create(&bench, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_from_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_callers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credit_of_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credit_of_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_a_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
