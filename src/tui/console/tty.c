/* A guest's console: connection and terminal. Screen thread. */
#include "tui/console/tty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read at once; a guest that prints without end must not keep keys waiting. */
#define READ_SIZE 16384

static void disconnect(struct tty *tty, const char *reason)
{
	/* First, since the reason may be the client's. */
	snprintf(tty->reason, sizeof(tty->reason), "%s", reason);
	client_free(tty->client);
	tty->client = NULL;
	loop_remove(tty->loop, &tty->source);
	if (tty->fd >= 0)
		close(tty->fd);
	tty->fd = -1;
	tty->output_size = 0;
	tty->state = TTY_CLOSED;
	tty->changed(tty->arg, tty);
}

static void flush(struct tty *tty)
{
	while (tty->output_size > 0) {
		ssize_t n = send(tty->fd, tty->output, tty->output_size,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			disconnect(tty, "The connection to the console was lost.");
			return;
		}
		if (n < 0)
			break;
		tty->output_size -= (size_t)n;
		memmove(tty->output, tty->output + n, tty->output_size);
	}
	loop_change(tty->loop, &tty->source,
		    tty->output_size ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Keys, and the terminal's answers to the guest. What finds no room is lost, as on a wire. */
static void emulator_output(const char *data, size_t size, void *arg)
{
	struct tty *tty = arg;

	if (tty->state != TTY_OPEN || size > TTY_OUTPUT - tty->output_size)
		return;
	memcpy(tty->output + tty->output_size, data, size);
	tty->output_size += size;
	loop_change(tty->loop, &tty->source, EPOLLIN | EPOLLOUT);
}

static void stream_ready(void *arg, uint32_t events)
{
	struct tty *tty = arg;
	uint8_t data[READ_SIZE];
	ssize_t n;

	if (events & EPOLLOUT) {
		flush(tty);
		if (tty->fd < 0)
			return;
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = read(tty->fd, data, sizeof(data));
	if (n > 0) {
		emulator_input(tty->emulator, data, (size_t)n);
		tty->changed(tty->arg, tty);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		disconnect(tty, "The core closed the console.");
	}
}

static void opened(void *arg, json_t *result, const struct client_error *error)
{
	struct tty *tty = arg;
	uint8_t *rest = NULL;
	size_t size = 0;
	int fd;

	(void)result;
	if (error) {
		disconnect(tty, *error->message ? error->message :
						      "The console could not be opened.");
		return;
	}
	fd = client_detach(tty->client, &rest, &size);
	client_free(tty->client);
	tty->client = NULL;
	if (fd < 0) {
		disconnect(tty, "The connection to the console was lost.");
		return;
	}
	tty->fd = fd;
	if (loop_add(tty->loop, &tty->source, fd, EPOLLIN, stream_ready, tty) < 0) {
		free(rest);
		disconnect(tty, "The console cannot be watched.");
		return;
	}
	tty->state = TTY_OPEN;
	if (size)
		emulator_input(tty->emulator, rest, size);
	free(rest);
	tty->changed(tty->arg, tty);
}

static void closed(void *arg, const struct cause *cause)
{
	disconnect(arg, cause->text);
}

struct tty *tty_new(struct loop *loop, const char *name, int rows, int columns,
			    void (*changed)(void *arg, struct tty *tty), void *arg)
{
	struct tty *tty = calloc(1, sizeof(*tty));

	if (!tty)
		return NULL;
	tty->fd = -1;
	tty->loop = loop;
	tty->changed = changed;
	tty->arg = arg;
	tty->state = TTY_CLOSED;
	tty->name = strdup(name);
	tty->emulator = emulator_new(rows, columns, emulator_output, tty);
	if (tty->name && tty->emulator)
		return tty;
	tty_free(tty);
	return NULL;
}

void tty_connect(struct tty *tty, int (*dial)(void *arg, struct cause *cause), void *arg)
{
	const struct client_handlers handlers = { NULL, closed, tty };
	struct cause cause = { "" };
	int fd;

	if (tty->state != TTY_CLOSED)
		return;
	/* What the terminal had comes again with the backlog. */
	emulator_reset(tty->emulator);
	fd = dial(arg, &cause);
	if (fd < 0 || client_new(&tty->client, tty->loop, fd, &handlers, &cause) < 0) {
		disconnect(tty, cause.text);
		return;
	}
	tty->state = TTY_OPENING;
	tty->reason[0] = '\0';
	if (client_call(tty->client, "console.open",
			json_pack("{s:s,s:b}", "guest", tty->name, "backlog", 1), opened,
			tty) < 0)
		disconnect(tty, "The console could not be asked for.");
}

void tty_free(struct tty *tty)
{
	if (!tty)
		return;
	client_free(tty->client);
	loop_remove(tty->loop, &tty->source);
	if (tty->fd >= 0)
		close(tty->fd);
	emulator_free(tty->emulator);
	free(tty->name);
	free(tty);
}
