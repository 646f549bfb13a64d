/* The client that waits. One thread at a time. */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/endpoint.h"
#include "control/framing.h"
#include "control/message.h"

/* Bytes of notifications that are kept while one answer is awaited. */
#define KEPT_MAX (2 * (size_t)CONTROL_RESPONSE_MAX)

struct link {
	int fd;
	int reader_fd; /* whose reader is waited with, or -1 */
	struct frame_reader in;
	struct frame_writer out;
	json_int_t last_id;
	json_t *kept; /* notifications that came while a response was awaited */
	size_t line_size; /* of the message that came last */
};

int link_adopt(struct link **out, int fd, struct cause *cause)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		close(fd);
		return cause_errno(cause, ENOMEM, "control connection");
	}
	link->fd = fd;
	link->reader_fd = -1;
	link->in.limit = CONTROL_RESPONSE_MAX;
	link->kept = json_array();
	if (!link->kept) {
		link_free(link);
		return cause_errno(cause, ENOMEM, "control connection");
	}
	*out = link;
	return 0;
}

int link_open(struct link **out, const struct endpoint *endpoint, struct cause *cause)
{
	int fd = endpoint_connect(endpoint, cause);

	return fd < 0 ? fd : link_adopt(out, fd, cause);
}

void link_free(struct link *link)
{
	if (!link)
		return;
	close(link->fd);
	frame_reader_destroy(&link->in);
	frame_writer_destroy(&link->out);
	json_decref(link->kept);
	free(link);
}

/* Waits for input until due (CLOCK_MONOTONIC, 0: for ever). 0, -ETIMEDOUT, -EINTR, -EPIPE. */
static int wait_input(struct link *link, uint64_t due)
{
	struct pollfd fds[] = {
		{ .fd = link->fd, .events = POLLIN },
		{ .fd = link->reader_fd, .events = 0 }, /* POLLERR: the reader has gone */
	};
	struct timespec left, *limit = NULL;
	int n;

	if (due) {
		uint64_t now = clock_monotonic(), ns = due > now ? due - now : 0;

		left = (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
		limit = &left;
	}
	n = ppoll(fds, 2, limit, NULL);
	if (n > 0 && fds[1].revents & POLLERR)
		return -EPIPE;
	return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

/* The next message of any kind; the caller releases it. */
static int next_message(struct link *link, struct message *message, uint64_t due,
			struct cause *cause)
{
	char *line;
	size_t size;
	ssize_t n;
	int error;

	while (!(line = frame_reader_next(&link->in, &size))) {
		error = wait_input(link, due);
		if (error < 0)
			return cause_errno(cause, -error, "waiting for the deck");
		n = frame_reader_fill(&link->in, link->fd);
		if (n == 0 || n == -ECONNRESET)
			return cause_set(cause, ECONNRESET,
					 "the deck has ended or closed the connection");
		if (n < 0 && n != -EAGAIN)
			return cause_errno(cause, (int)-n, "the connection to the deck");
	}
	link->line_size = size;
	if (message_parse(message, &message_to_client, line, size, cause) == 0)
		return 0;
	message_release(message);
	return cause_prefix(cause, -EPROTO, "the deck's message");
}

/* The errno that the server named; its number is the server's own business. */
static int errno_of_name(const char *name)
{
	const char *known;

	for (int number = 1; number < 134; number++) {
		known = strerrorname_np(number);
		if (known && strcmp(known, name) == 0)
			return number;
	}
	return EIO;
}

static int send_request(struct link *link, const char *method, json_t *params,
			struct cause *cause)
{
	size_t size = 0;
	char *line;
	ssize_t n;
	int error;

	line = message_line(message_request(json_integer(++link->last_id), method, params), &size);
	error = !line ? -ENOMEM : size > CONTROL_MESSAGE_MAX ? -EMSGSIZE : 0;
	if (error == 0)
		error = frame_writer_add(&link->out, line, size, CONTROL_MESSAGE_MAX);
	free(line);
	if (error < 0)
		return cause_errno(cause, -error, "%s", method);
	n = frame_writer_flush(&link->out, link->fd);
	if (n == 0 || n == -EPIPE) /* a deck that closed has said why, perhaps */
		return 0;
	return cause_errno(cause, n < 0 ? (int)-n : EAGAIN, "the connection to the deck");
}

static int keep(struct link *link, struct message *notification, size_t *kept,
		struct cause *cause)
{
	*kept += link->line_size;
	if (*kept > KEPT_MAX)
		return cause_set(cause, EPROTO, "the deck sends notifications and no answer");
	return json_array_append(link->kept, notification->root) < 0
		       ? cause_errno(cause, ENOMEM, "control connection") : 0;
}

int link_call(struct link *link, const char *method, json_t *params, json_t **result,
	      struct cause *cause)
{
	struct message message;
	size_t kept = 0;
	int error = send_request(link, method, params, cause);

	if (result)
		*result = NULL;
	while (error == 0) {
		error = next_message(link, &message, 0, cause);
		if (error == -EINTR) {
			error = 0;
			continue;
		}
		if (error < 0)
			break;
		if (message.kind == MESSAGE_NOTIFICATION) {
			error = keep(link, &message, &kept, cause);
		} else if (message.kind == MESSAGE_ERROR) {
			error = cause_set(cause, errno_of_name(message.name), "%s", message.text);
		} else if (message.kind == MESSAGE_RESPONSE &&
			   json_integer_value(message.id) == link->last_id) {
			if (result)
				*result = json_incref(message.result);
			message_release(&message);
			return 0;
		}
		message_release(&message);
	}
	return error;
}

int link_next(struct link *link, json_t **notification, int timeout_ms, struct cause *cause)
{
	uint64_t due = timeout_ms < 0 ? 0 : clock_monotonic() + (uint64_t)timeout_ms * NS_PER_MS;
	struct message message;
	int error;

	if (json_array_size(link->kept)) {
		*notification = json_incref(json_array_get(link->kept, 0));
		json_array_remove(link->kept, 0);
		return 0;
	}
	for (;;) {
		error = next_message(link, &message, due, cause);
		if (error < 0)
			return error;
		if (message.kind == MESSAGE_NOTIFICATION)
			*notification = json_incref(message.root);
		else if (message.kind == MESSAGE_ERROR)
			error = cause_set(cause, errno_of_name(message.name), "%s", message.text);
		else
			error = cause_set(cause, EPROTO, "the deck's message: out of turn");
		message_release(&message);
		return error;
	}
}

void link_set_reader(struct link *link, int fd)
{
	link->reader_fd = fd;
}

int link_raw(struct link *link, const uint8_t **rest, size_t *size)
{
	*rest = (const uint8_t *)link->in.data + link->in.start;
	*size = link->in.size;
	return link->fd;
}
