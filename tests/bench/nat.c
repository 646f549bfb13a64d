/*
 * A switch with NAT and a port that is a TAP interface in a network namespace
 * of its own, in which a program runs as if it were a guest: "nat COMMAND...".
 * The gateway is 10.0.2.2, and behind it is this host's loopback. With --offload
 * the interface hands over what it would have its hardware segment and sum, as a
 * guest's driver does. Needs root. What it exits with is the command's status.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/network.h"
#include "net/switch/switch.h"
#include "with_nat.h"

#define GATEWAY 0x0a000202u
#define SET_UP                                                               \
	"ip link set lo up && ip link set tap0 address 52:54:00:12:34:56 && " \
	"ip addr add 10.0.2.15/24 dev tap0 && ip link set tap0 up && "        \
	"ip route add default via 10.0.2.2"

static void __attribute__((noreturn)) fail(const char *what)
{
	perror(what);
	exit(1);
}

struct tap {
	int fd;
	struct net_port *port;
	pthread_t thread;
	uint8_t frames[NET_BURST_MAX][NET_FRAME_MAX];
};

_Static_assert(sizeof(struct net_offload) == 10, "struct virtio_net_hdr");

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	const struct tap *tap = backend;
	unsigned taken = count;

	(void)from;
	for (unsigned i = 0; i < count; i++) {
		const struct net_frame *frame = frames[i];
		struct iovec parts[2 + NET_REST_MAX] = {
			{ (void *)(uintptr_t)&frame->offload, sizeof(frame->offload) },
			{ (void *)(uintptr_t)frame->head, frame->head_size },
		};

		memcpy(parts + 2, frame->rest, frame->rest_count * sizeof(*parts));
		if (writev(tap->fd, parts, 2 + (int)frame->rest_count) < 0) {
			verdicts[i] = NET_DROP_NO_BUFFER;
			taken--;
		}
	}
	return taken;
}

static void flush(void *backend)
{
	(void)backend;
}

/* A frame of the interface, if there is one. */
static bool take(struct tap *tap, unsigned i, struct net_frame *frame, struct iovec *rest)
{
	struct iovec parts[2] = {
		{ &frame->offload, sizeof(frame->offload) },
		{ tap->frames[i], NET_FRAME_MAX },
	};
	ssize_t size = readv(tap->fd, parts, 2) - (ssize_t)sizeof(frame->offload);

	if (size < NET_FRAME_MIN)
		return false;
	frame->head = tap->frames[i];
	frame->size = (uint32_t)size;
	frame->head_size = frame->size < NET_HEAD_MAX ? frame->size : NET_HEAD_MAX;
	*rest = (struct iovec){ tap->frames[i] + frame->head_size,
				frame->size - frame->head_size };
	frame->rest = rest;
	frame->rest_count = rest->iov_len != 0;
	return true;
}

static void *read_all(void *arg)
{
	struct tap *tap = arg;
	struct pollfd ready = { .fd = tap->fd, .events = POLLIN };

	for (;;) {
		struct net_frame frames[NET_BURST_MAX];
		struct iovec rests[NET_BURST_MAX];
		unsigned count = 0;

		while (count < NET_BURST_MAX && take(tap, count, &frames[count], &rests[count]))
			count++;
		if (count)
			switch_input(tap->port, frames, count);
		else
			poll(&ready, 1, -1);
	}
	return NULL;
}

static void send_fd(int socket, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { control, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) < 0)
		fail("sendmsg");
}

static int receive_fd(int socket)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 1 || !CMSG_FIRSTHDR(&message))
		exit(1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* In a child: the namespace with its interface, and the command in it, when it is told to. */
static void __attribute__((noreturn)) be_guest(int socket, bool offload, char **command)
{
	struct ifreq request = { .ifr_name = "tap0",
				 .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = -1;
	char go;

	if (unshare(CLONE_NEWNET) < 0)
		fail("a network namespace");
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, offload ? TUN_F_CSUM | TUN_F_TSO4 : 0) < 0)
		fail("/dev/net/tun");
	if (system(SET_UP))
		exit(1);
	send_fd(socket, fd);
	close(fd);
	if (read(socket, &go, 1) != 1)
		exit(1);
	execvp(command[0], command);
	fail(command[0]);
}

static struct net_switch *make_switch(struct network **network)
{
	const struct switch_config config = { .name = "lan", .uplink = &port_nat,
					      .address = GATEWAY, .prefix = 24,
					      .loopback = true };
	struct port_field fields[8];
	struct net_switch *sw;
	struct cause cause;

	if (network_new(network, &cause) < 0 || switch_new(&sw, *network, &config, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		exit(1);
	}
	do
		usleep(1000);
	while (switch_describe(sw, fields, 8) > 1 && strcmp(fields[1].text, "running") != 0);
	return sw;
}

int main(int argc, char **argv)
{
	static const struct net_port_ops ops = { .deliver = deliver, .flush = flush };
	struct net_port_config config = {
		.name = "guest/net0", .kind = "guest",
		.addresses = { { .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } } },
	};
	bool offload = argc > 1 && !strcmp(argv[1], "--offload");
	char **command = argv + 1 + offload;
	static struct tap tap;
	struct network *network;
	int sockets[2], status;
	pid_t guest;

	begin_with_nat(argc, argv);
	if (!*command) {
		fprintf(stderr, "usage: %s [--offload] COMMAND...\n", argv[0]);
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		fail("socketpair");
	guest = fork();
	if (guest == 0)
		be_guest(sockets[1], offload, command);
	close(sockets[1]);
	tap.fd = receive_fd(sockets[0]);
	if (offload)
		config.accepts = NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4;
	if (switch_port_add(&tap.port, make_switch(&network), &config, &ops, &tap, NULL) < 0 ||
	    pthread_create(&tap.thread, NULL, read_all, &tap) || write(sockets[0], "", 1) != 1)
		fail("the port");
	if (waitpid(guest, &status, 0) < 0)
		fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
