/* See tty.h. Screen thread. */
#include "tui/console/tty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/message_text.h"
#include "control/protocol.h"

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
	tty->ops->changed(tty->arg, tty);
}

static void watch(struct tty *tty)
{
	loop_change(tty->loop, &tty->source,
		    (tty->held ? 0 : EPOLLIN) | (tty->output_size ? EPOLLOUT : 0));
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
		tty->lost = 0;
	}
	watch(tty);
}

void tty_send(struct tty *tty, const void *data, size_t size)
{
	if (tty->state != TTY_OPEN)
		return;
	if (size > TTY_OUTPUT - tty->output_size) {
		tty->lost += size;
		return;
	}
	memcpy(tty->output + tty->output_size, data, size);
	tty->output_size += size;
	watch(tty);
}

void tty_hold(struct tty *tty, bool held)
{
	if (tty->held == held)
		return;
	tty->held = held;
	if (tty->state == TTY_OPEN)
		watch(tty);
}

static void take(struct tty *tty, const uint8_t *data, size_t size)
{
	kept_add(&tty->kept, data, size);
	tty->ops->came(tty->arg, tty);
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
		take(tty, data, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		disconnect(tty, "The core closed the console.");
	}
}

static void opened(void *arg, json_t *result, const struct client_error *error)
{
	json_int_t backlog = json_integer_value(json_object_get(result, "backlog"));
	struct tty *tty = arg;
	uint8_t *rest = NULL;
	size_t size = 0;
	int fd;

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
	tty->old = backlog > 0 ? (uint64_t)backlog : 0;
	watch(tty);
	tty->ops->changed(tty->arg, tty);
	if (size)
		take(tty, rest, size);
	free(rest);
}

static void said_hello(void *arg, json_t *result, const struct client_error *error)
{
	(void)arg;
	(void)result;
	(void)error;
}

static void closed(void *arg, const struct cause *cause)
{
	disconnect(arg, cause->text);
}

struct tty *tty_new(struct loop *loop, const char *name, const char *which,
		    const struct tty_ops *ops, void *arg)
{
	struct tty *tty = calloc(1, sizeof(*tty));

	if (!tty)
		return NULL;
	tty->fd = -1;
	tty->loop = loop;
	tty->ops = ops;
	tty->arg = arg;
	tty->state = TTY_CLOSED;
	tty->which = which;
	tty->name = strdup(name);
	if (tty->name)
		return tty;
	tty_free(tty);
	return NULL;
}

void tty_connect(struct tty *tty, int (*dial)(void *arg, struct cause *cause), void *arg,
		 bool read_only)
{
	const struct client_handlers handlers = { .closed = closed, .arg = tty };
	struct cause cause = { "" };
	int fd;

	if (tty->state != TTY_CLOSED)
		return;
	/* What came comes again with the backlog. */
	kept_clear(&tty->kept);
	tty->opened++;
	tty->old = 0;
	tty->lost = 0;
	fd = dial(arg, &cause);
	if (fd < 0 || client_new(&tty->client, tty->loop, fd, &handlers, &cause) < 0) {
		disconnect(tty, cause.text);
		return;
	}
	tty->state = TTY_OPENING;
	tty->reason[0] = '\0';
	/* An answer that refuses it would refuse the console, too. */
	if (read_only)
		client_call(tty->client, "hello",
			    json_pack("{s:i, s:o}", "version", CONTROL_VERSION, "role",
				      message_text("observe")), said_hello, tty);
	if (client_call(tty->client, "console.open",
			json_pack("{s:o,s:b,s:o}", "guest", message_text(tty->name), "backlog", 1,
				  "console", tty->which ? message_text(tty->which) : json_null()),
			opened, tty) < 0)
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
	kept_clear(&tty->kept);
	free(tty->name);
	free(tty);
}
