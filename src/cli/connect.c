/*
 * connect: standard input and output as a connection to a port of a guest, by vsock: see
 * core/virtio/vsock.h, and Firecracker's docs/vsock.md for the words that begin it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/checked.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"
#include "control/names.h"
#include "control/states.h"

#define PORT_MAX (UINT32_MAX - 1) /* the last is any, VMADDR_PORT_ANY */
#define CHUNK 4096 /* PIPE_BUF: what a pipe that is ready takes whole */
#define GREETING_MAX 32

static bool take_port(const char *text, uint32_t *port)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	*port = (uint32_t)number;
	return !errno && end != text && !*end && *text != '-' && number <= PORT_MAX;
}

/* "web.vmdeck" is web, too. */
static void take_name(char name[NAME_SIZE + sizeof(NAME_HOST_SUFFIX)], const char *word)
{
	size_t suffix = strlen(NAME_HOST_SUFFIX), size;

	snprintf(name, NAME_SIZE + sizeof(NAME_HOST_SUFFIX), "%s", word);
	size = strlen(name);
	if (size > suffix && strcmp(name + size - suffix, NAME_HOST_SUFFIX) == 0)
		name[size - suffix] = '\0';
}

/* The socket of a guest's vsock; -1 after a message. */
static int connect_guest(struct cli *cli, const char *name)
{
	json_t *guest = session_ask(cli, "guest.show",
				    json_pack("{s:o}", "guest", message_text(name)));
	const char *path = text_of(guest, "vsock", NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1;

	if (!guest)
		return -1;
	if (!path || strlen(path) >= sizeof(address.sun_path)) {
		fail("%s: %s", name, guest_state_in(guest_state_find(text_of(guest, "state", "")),
						    GUEST_ALIVE) ?
		     "has no vsock; with a section [vsock] in its profile it has one from its next "
		     "start or reset on" : "does not run");
		json_decref(guest);
		return -1;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fail("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	json_decref(guest);
	return fd;
}

/* "CONNECT 22" and "OK 1073741824"; what comes behind that is left where it is. */
static bool greet(int fd, uint32_t port)
{
	char line[GREETING_MAX];
	size_t size = 0;
	int n = snprintf(line, sizeof(line), "CONNECT %" PRIu32 "\n", port);

	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return false;
	while (size < sizeof(line) && recv(fd, line + size, 1, 0) == 1)
		if (line[size++] == '\n')
			return size > 3 && memcmp(line, "OK ", 3) == 0;
	return false;
}

/* What goes one way. */
struct flow {
	int from, to;
	bool ended; /* nothing more comes */
	size_t at, size;
	char data[CHUNK];
};

static void fill(struct flow *flow)
{
	ssize_t n = read(flow->from, flow->data, sizeof(flow->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	flow->ended = n <= 0;
	flow->at = 0;
	flow->size = n > 0 ? (size_t)n : 0;
}

/* 0, or an errno. */
static int empty(struct flow *flow)
{
	ssize_t n = write(flow->to, flow->data + flow->at, flow->size);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : errno;
	flow->at += (size_t)n;
	flow->size -= (size_t)n;
	return 0;
}

static struct pollfd wish(const struct flow *flow)
{
	if (flow->size)
		return (struct pollfd){ .fd = flow->to, .events = POLLOUT };
	return (struct pollfd){ .fd = flow->ended ? -1 : flow->from, .events = POLLIN };
}

/* Until the guest has ended its side. 0, or the errno of standard output. */
static int relay(int fd)
{
	struct flow in = { .from = STDIN_FILENO, .to = fd };
	struct flow out = { .from = fd, .to = STDOUT_FILENO };
	int error = 0;

	while (!error && (!out.ended || out.size)) {
		struct pollfd fds[] = { wish(&in), wish(&out) };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents && !in.size) {
			fill(&in);
			if (in.ended)
				shutdown(fd, SHUT_WR);
		} else if (fds[0].revents && empty(&in)) {
			/* A guest that hears no more may have more to say. */
			in.ended = true;
			in.size = 0;
		}
		if (fds[1].revents && !out.size)
			fill(&out);
		else if (fds[1].revents)
			error = empty(&out);
	}
	return error;
}

int connect_requests(struct cli *cli)
{
	char name[NAME_SIZE + sizeof(NAME_HOST_SUFFIX)];

	take_name(name, cli->argv[0]);
	request_add(cli, METHOD_GUEST_SHOW, json_pack("{s:o}", "guest", message_text(name)));
	return CLI_OK;
}

int connect_main(struct cli *cli)
{
	char name[NAME_SIZE + sizeof(NAME_HOST_SUFFIX)];
	uint32_t port;
	int fd, error;

	if (!take_port(cli->argv[1], &port))
		return usage_error(cli->command, "'%s' is no port", cli->argv[1]);
	take_name(name, cli->argv[0]);
	fd = connect_guest(cli, name);
	if (fd < 0)
		return CLI_FAILED;
	if (!greet(fd, port)) {
		close(fd);
		return fail("%s: nothing listens at its port %" PRIu32 " of vsock", name, port);
	}
	error = relay(fd);
	close(fd);
	if (error && error != EPIPE)
		return fail("standard output: %s", strerror(error));
	return error ? CLI_FAILED : CLI_OK;
}
