/*
 * capture: packets as pcapng to a file or to standard output. An interrupt
 * shuts down our side of the connection; the deck then writes out what is
 * left, with its counts, and closes.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/pcapng.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "control/message_text.h"

struct copying {
	int from, to, signals;
	bool ending;
	struct pcapng_counter counter;
	uint8_t data[65536];
};

static struct copying copying; /* too large for the stack */

static int put(struct copying *copy, const uint8_t *data, size_t size)
{
	ssize_t n;

	pcapng_count(&copy->counter, data, size);
	while (size) {
		n = write(copy->to, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The first interrupt ends the capture well, a second one at once. */
static int interrupted(struct copying *copy)
{
	if (!signals_take(copy->signals))
		return 0;
	if (copy->ending)
		return -EINTR;
	copy->ending = true;
	shutdown(copy->from, SHUT_WR);
	return 0;
}

static int take(struct copying *copy)
{
	ssize_t n = read(copy->from, copy->data, sizeof(copy->data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n == 0 ? -ECONNRESET : put(copy, copy->data, (size_t)n);
}

/* Until the deck closes (-ECONNRESET), the reader went away (-EPIPE), or a failure. */
static int copy_all(struct copying *copy)
{
	int error = 0;

	while (error == 0) {
		struct pollfd fds[] = {
			{ .fd = copy->from, .events = POLLIN },
			{ .fd = copy->signals, .events = POLLIN },
			{ .fd = copy->to, .events = 0 }, /* POLLERR: the pipe's reader has gone */
		};

		if (poll(fds, 3, -1) < 0) {
			error = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (fds[1].revents)
			error = interrupted(copy);
		if (error == 0 && fds[2].revents & POLLERR)
			error = -EPIPE;
		if (error == 0 && fds[0].revents)
			error = take(copy);
	}
	return error;
}

static int report(const struct copying *copy, int error, const char *name)
{
	fprintf(stderr, "%llu packets captured\n%llu packets dropped\n",
		(unsigned long long)copy->counter.packets,
		(unsigned long long)copy->counter.dropped);
	if (error == -EPIPE || error == -EINTR || (error == -ECONNRESET && copy->ending))
		return CLI_OK;
	if (error == -ECONNRESET)
		return fail("the deck ended the capture");
	errno = -error;
	return fail("%s: %m", name);
}

static json_t *params_of(const struct cli *cli)
{
	json_t *params = json_object(), *ports;

	if (cli->values[0].set) {
		ports = json_array();
		for (unsigned i = 0; i < cli->values[0].count; i++)
			json_array_append_new(ports, message_text(cli->values[0].list[i]));
		json_object_set_new(params, "ports", ports);
	}
	if (cli->values[1].set)
		json_object_set_new(params, "filter", message_text(cli->values[1].text));
	if (cli->values[2].set)
		json_object_set_new(params, "snap",
				    json_integer((json_int_t)cli->values[2].number));
	return params;
}

/* The fd that the pcapng goes to; -1 after a message. */
static int open_output(const struct cli *cli)
{
	const char *name = cli->values[3].text;
	int fd;

	if (strcmp(name, "-") == 0)
		return dup(STDOUT_FILENO);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		fail("%s: %m", name);
	return fd;
}

/* Opens the output only when the deck has agreed, so that a mistake costs no file. */
static int capture_into(struct cli *cli, struct link *link)
{
	const uint8_t *rest;
	size_t size;
	int error;

	copying = (struct copying){ .from = link_raw(link, &rest, &size) };
	copying.signals = signals_open();
	copying.to = open_output(cli);
	if (copying.to < 0)
		return CLI_FAILED;
	if (isatty(STDERR_FILENO))
		fputs("capturing; Ctrl-C ends it\n", stderr);
	error = put(&copying, rest, size);
	if (error == 0)
		error = copy_all(&copying);
	if (close(copying.to) < 0 && error == -ECONNRESET)
		error = -errno;
	return report(&copying, error, cli->values[3].text);
}

int capture_main(struct cli *cli)
{
	int status = CLI_FAILED;
	struct link *link;
	json_t *result;

	if (!cli->values[3].set)
		return usage_error(cli->command, "capture needs --write FILE or --write -");
	if (strcmp(cli->values[3].text, "-") == 0 && isatty(STDOUT_FILENO))
		return usage_error(cli->command, "standard output is a terminal; pcapng is not "
				   "for reading, so redirect it or name a file");
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = session_call(link, "capture.stream", params_of(cli));
	if (result)
		status = capture_into(cli, link);
	json_decref(result);
	link_free(link);
	return status;
}
