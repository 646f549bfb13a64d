/*
 * libFuzzer: the process's side of NAT. Packets of several guests, their
 * checksums made right, go by nat_guard() into libslirp, in a network namespace
 * that has a loopback alone. What comes back is the gateway's.
 */
#include <linux/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "lib/fuzz.h"
#include "net/port/nat_guard.h"
#include "net/port/nat_stack.h"

#define HEADERS 34u
#define GUESTS 4u
#define SEED(text) { text, sizeof(text) - 1 }

/* Each packet: what, protocol, where to, how many bytes; and those. */
const struct fuzz_seed fuzz_seeds[] = {
	/* a ping; a SYN with options, its ACK; UDP; to the name server; a port goes */
	SEED("\0\1\0\20\010\0\0\0\1\2\3\4aaaaaaaa"),
	SEED("\1\6\0\30\234\100\0\7\0\0\0\1\0\0\0\0\140\2\372\360\0\0\0\0\2\4\5\264"
	     "\1\6\0\24\234\100\0\7\0\0\0\2\0\0\0\2\120\020\372\360\0\0\0\0"),
	SEED("\2\21\0\14\234\100\0\7\0\14\0\0abcd\2\21\0\14\0\7\234\100\0\14\0\0abcd"),
	SEED("\3\21\1\14\234\100\0\65\0\14\0\0abcd\3\6\1\24\234\100\0\65\0\0\0\1\0\0\0\0\120\2\372\360"
	     "\0\0\0\0"),
	SEED("\0\21\0\14\234\100\0\7\0\14\0\0abcd\300\0\0\0\0\21\0\14\234\100\0\7\0\14\0\0abcd"),
	{ NULL, 0 },
};

static const struct nat_network network = { .address = 0x0a000202, .dns = 0x0a000203,
					    .mask = 0xffffff00, .loopback = true };

static void take(void *arg, const uint8_t *frame, size_t size)
{
	(void)arg;
	if (!nat_guard_sent(&network, frame, size))
		abort();
}

static bool has_room(void *arg)
{
	(void)arg;
	return true;
}

static void due(void *arg)
{
	nat_host_end(arg);
}

static const struct nat_host_ops ops = { .send = take, .has_room = has_room, .due = due };

/* Nothing of this host is reached from here. */
static void leave_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		exit(77);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		abort();
	close(fd);
}

static struct nat_host *make_host(void)
{
	static const struct nat_setup setup = { .address = 0x0a000202, .dns = 0x0a000203,
						.prefix = 24, .loopback = 1, .sockets = 64 };
	static struct nat_host host;
	static struct loop loop;

	if (host.loop)
		return &host;
	leave_network();
	if (nat_stack_load(NULL) < 0)
		exit(77);
	if (loop_init(&loop, NULL) < 0 || nat_host_init(&host, &loop, &setup, &ops, &host) < 0)
		abort();
	return &host;
}

static void put_packet(struct nat_host *host, uint32_t slot, uint8_t protocol, uint32_t to,
		       const uint8_t *body, size_t size)
{
	uint8_t frame[HEADERS + 255] = { 0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54 }, *ip = frame + 14;
	size_t whole = HEADERS + size, head = whole < NET_HEAD_MAX ? whole : NET_HEAD_MAX;

	frame[11] = (uint8_t)slot;
	put_be16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + size));
	ip[8] = 64;
	ip[9] = protocol;
	put_be32(ip + 12, 0x0a00020f + slot);
	put_be32(ip + 16, to);
	put_be16(ip + 10, inet_checksum(inet_sum(0, ip, 20)));
	memcpy(frame + HEADERS, body, size);
	if (nat_guard(&network, frame, head, &whole) != NET_FORWARD)
		return;
	if (protocol == 1) {
		put_be16(frame + HEADERS + 2, 0);
		put_be16(frame + HEADERS + 2, inet_checksum(inet_sum(0, frame + HEADERS, size)));
	} else if (!nat_guard_finish(frame, head, frame + head, whole)) {
		abort();
	}
	if (!nat_guard_sum(frame, head, frame + head, whole))
		abort();
	nat_host_input(host, slot, frame, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t targets[] = { 0x0a000202, 0x0a000203, 0xc0000201, 0x0a000263 };
	struct nat_host *host = make_host();

	while (size >= 4) {
		uint32_t slot = data[0] % GUESTS;
		size_t body = data[3] < size - 4 ? data[3] : size - 4;

		if (data[0] & 0x80)
			nat_host_forget(host, slot);
		else
			put_packet(host, slot, data[1], targets[data[2] % 4], data + 4, body);
		if (data[0] & 0x40) {
			nat_host_end(host);
			nat_host_poll(host);
		}
		data += 4 + body;
		size -= 4 + body;
	}
	nat_host_end(host);
	return 0;
}
