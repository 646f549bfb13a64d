/*
 * console: the terminal as a guest's console. What the guest prints goes to
 * the terminal as it is: that is what a console is for.
 */
#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/signals.h"

struct terminal {
	bool raw;
	struct termios saved;
	unsigned char escape; /* the control character that leaves, 0: none */
	bool at_end; /* standard input has ended */
};

static void make_raw(struct terminal *terminal)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
		return;
	raw = terminal->saved;
	cfmakeraw(&raw);
	terminal->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void restore(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n;

	while (size) {
		n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* From the keyboard to the guest. -ECANCELED when the person left. */
static int type(struct terminal *terminal, int fd)
{
	unsigned char data[1024], *escape = NULL;
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));
	int error;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		terminal->at_end = true;
		return terminal->raw ? -ECANCELED : 0;
	}
	if (terminal->raw && terminal->escape)
		escape = memchr(data, terminal->escape, (size_t)n);
	error = write_all(fd, data, escape ? (size_t)(escape - data) : (size_t)n);
	return escape ? -ECANCELED : error;
}

/* From the guest to the screen. -ECONNRESET when the deck closed. */
static int print(int fd)
{
	char data[16384];
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	return n > 0 ? write_all(STDOUT_FILENO, data, (size_t)n) : 0;
}

static int converse(struct terminal *terminal, int fd, int signals)
{
	int error = 0;

	while (error == 0) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = terminal->at_end ? -1 : STDIN_FILENO, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0) {
			error = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[0].revents)
			error = print(fd);
		if (error == 0 && fds[2].revents)
			error = type(terminal, fd);
	}
	return error;
}

static int read_escape(struct cli *cli, struct terminal *terminal)
{
	const char *text = cli->values[1].set ? cli->values[1].text : "]";

	if (strlen(text) != 1 || text[0] < '?' || text[0] > '~')
		return usage_error(cli->command, "--escape: '%s' is no character that goes with "
				   "Ctrl", text);
	terminal->escape = text[0] == '?' ? 0x7f : (unsigned char)text[0] & 0x1f;
	return 0;
}

static int talk(struct cli *cli, struct link *link, struct terminal *terminal)
{
	const uint8_t *rest;
	size_t size;
	int fd = link_raw(link, &rest, &size), signals = signals_open(), error;

	make_raw(terminal);
	if (terminal->raw)
		fprintf(stderr, "[%s: Ctrl-%s leaves the console]\r\n", cli->argv[0],
			cli->values[1].set ? cli->values[1].text : "]");
	error = write_all(STDOUT_FILENO, rest, size);
	if (error == 0)
		error = converse(terminal, fd, signals);
	restore(terminal);
	if (signals >= 0)
		close(signals);
	if (terminal->raw)
		fputs("\n", stderr);
	if (error == -ECANCELED || error == -EPIPE)
		return CLI_OK;
	if (error == -ECONNRESET)
		return fail("%s: the deck closed the console", cli->argv[0]);
	errno = -error;
	return fail("%s: console: %m", cli->argv[0]);
}

int console_main(struct cli *cli)
{
	struct terminal terminal = { .raw = false };
	int error = read_escape(cli, &terminal), status = CLI_FAILED;
	struct link *link;
	json_t *result;

	if (error)
		return error;
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = session_call(link, "console.open",
			      json_pack("{s:s, s:b}", "guest", cli->argv[0], "backlog",
					!cli->values[0].set));
	if (result)
		status = talk(cli, link, &terminal);
	json_decref(result);
	link_free(link);
	return status;
}
