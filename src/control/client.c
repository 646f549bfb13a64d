/*
 * The client that lives on a loop. The loop's thread.
 *
 * Every callback may free the client, so whoever calls one holds a reference
 * and looks at client->freed afterwards.
 */
#include "control/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control/framing.h"
#include "control/message.h"
#include "control/methods.h"

#define QUEUE_MAX (16u << 20) /* bytes of requests that the server has not taken */

struct call {
	json_int_t id;
	const char *method; /* in method_table, or "" */
	client_reply reply;
	void *arg;
	struct call *next;
};

struct client {
	struct loop *loop;
	struct client_handlers handlers;
	struct loop_source source;
	struct frame_reader in;
	struct frame_writer out;
	int fd; /* -1 after the connection was lost or detached */
	json_int_t last_id;
	struct call *calls, **calls_end; /* in order of sending */
	unsigned references;
	bool freed;
	bool writing; /* watched for EPOLLOUT */
};

static void disconnect(struct client *client)
{
	loop_remove(client->loop, &client->source);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static void drop_calls(struct client *client)
{
	struct call *call;

	while ((call = client->calls)) {
		client->calls = call->next;
		free(call);
	}
	client->calls_end = &client->calls;
}

static void release(struct client *client)
{
	if (--client->references)
		return;
	drop_calls(client);
	frame_reader_destroy(&client->in);
	frame_writer_destroy(&client->out);
	free(client);
}

void client_free(struct client *client)
{
	if (!client || client->freed)
		return;
	disconnect(client);
	client->freed = true;
	release(client);
}

/* The connection is lost: waiting replies get an error, then closed() is called. */
static void lose(struct client *client, const struct cause *cause)
{
	struct client_error error = { .message = cause->text, .name = "ENOTCONN" };
	struct call *call;

	if (client->fd < 0)
		return;
	disconnect(client);
	while (!client->freed && (call = client->calls)) {
		client->calls = call->next;
		if (!client->calls)
			client->calls_end = &client->calls;
		error.method = call->method;
		if (call->reply)
			call->reply(call->arg, NULL, &error);
		free(call);
	}
	if (!client->freed && client->handlers.closed)
		client->handlers.closed(client->handlers.arg, cause);
}

static struct call *take_call(struct client *client, const json_t *id)
{
	struct call **at, *call;

	if (!json_is_integer(id))
		return NULL;
	for (at = &client->calls; (call = *at); at = &call->next) {
		if (call->id != json_integer_value(id))
			continue;
		*at = call->next;
		if (client->calls_end == &call->next)
			client->calls_end = at;
		return call;
	}
	return NULL;
}

/* A response. -EPROTO when it answers nothing; an error without id is of the whole connection. */
static int answer(struct client *client, struct message *message, struct cause *cause)
{
	struct call *call = take_call(client, message->id);

	if (!call && message->kind == MESSAGE_ERROR)
		return cause_set(cause, EPROTO, "the deck: %s", message->text);
	if (!call)
		return cause_set(cause, EPROTO, "the deck answered a question nobody asked");
	if (message->kind != MESSAGE_ERROR && client->handlers.done)
		client->handlers.done(client->handlers.arg, call->method);
	if (call->reply && message->kind == MESSAGE_ERROR) {
		struct client_error error = { .code = message->code, .message = message->text,
					      .name = message->name, .method = call->method };

		call->reply(call->arg, NULL, &error);
	} else if (call->reply) {
		call->reply(call->arg, message->result, NULL);
	}
	free(call);
	return 0;
}

static int take_line(struct client *client, const char *line, size_t size, struct cause *cause)
{
	struct message message;
	int error = 0;

	if (message_parse(&message, &message_to_client, line, size, cause) < 0) {
		message_release(&message);
		return cause_prefix(cause, -EPROTO, "the deck's message");
	}
	if (message.kind == MESSAGE_NOTIFICATION) {
		if (client->handlers.notification)
			client->handlers.notification(client->handlers.arg, message.method,
						      message.params);
	} else if (message.kind == MESSAGE_REQUEST) {
		error = cause_set(cause, EPROTO, "the deck sent a request");
	} else {
		error = answer(client, &message, cause);
	}
	message_release(&message);
	return error;
}

static void receive(struct client *client)
{
	struct cause cause;
	size_t size;
	ssize_t n = frame_reader_fill(&client->in, client->fd);
	char *line;

	while (client->fd >= 0 && (line = frame_reader_next(&client->in, &size)))
		if (take_line(client, line, size, &cause) < 0) {
			lose(client, &cause);
			return;
		}
	if (client->fd < 0 || n > 0 || n == -EAGAIN)
		return;
	if (n == 0 || n == -ECONNRESET)
		cause_set(&cause, ECONNRESET, "the deck has ended or closed the connection");
	else
		cause_errno(&cause, (int)-n, "the connection to the deck");
	lose(client, &cause);
}

static void watch(struct client *client)
{
	bool writing = client->out.size > 0;

	if (client->fd < 0 || writing == client->writing)
		return;
	client->writing = writing;
	loop_change(client->loop, &client->source, writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ready(void *arg, uint32_t events)
{
	struct client *client = arg;

	client->references++;
	/* A failed write shows as the end of the stream, after what the deck said last. */
	if (events & EPOLLOUT && frame_writer_flush(&client->out, client->fd) < 0)
		frame_writer_destroy(&client->out);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(client);
	watch(client);
	release(client);
}

int client_new(struct client **out, struct loop *loop, int fd,
	       const struct client_handlers *handlers, struct cause *cause)
{
	struct client *client = calloc(1, sizeof(*client));
	int error;

	if (!client) {
		close(fd);
		return cause_errno(cause, ENOMEM, "control connection");
	}
	client->loop = loop;
	client->handlers = *handlers;
	client->fd = fd;
	client->calls_end = &client->calls;
	client->in.limit = CONTROL_RESPONSE_MAX;
	client->references = 1;
	error = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
	if (error == 0)
		error = loop_add(loop, &client->source, fd, EPOLLIN, ready, client);
	if (error < 0) {
		client_free(client);
		return cause_errno(cause, -error, "control connection");
	}
	*out = client;
	return 0;
}

int client_call(struct client *client, const char *method, json_t *params, client_reply reply,
		void *arg)
{
	const struct method *row = method_find(method);
	struct call *call;
	size_t size = 0;
	char *line;
	int error;

	if (client->fd < 0) {
		json_decref(params);
		return -ENOTCONN;
	}
	call = calloc(1, sizeof(*call));
	line = message_line(message_request(json_integer(++client->last_id), method, params),
			    &size);
	error = !call || !line ? -ENOMEM : size > CONTROL_MESSAGE_MAX ? -EMSGSIZE : 0;
	if (error == 0)
		error = frame_writer_add(&client->out, line, size, QUEUE_MAX);
	free(line);
	if (error < 0) {
		free(call);
		return error;
	}
	*call = (struct call){ .id = client->last_id, .method = row ? row->name : "",
			       .reply = reply, .arg = arg };
	*client->calls_end = call;
	client->calls_end = &call->next;
	if (frame_writer_flush(&client->out, client->fd) < 0)
		frame_writer_destroy(&client->out);
	watch(client);
	return 0;
}

int client_detach(struct client *client, uint8_t **rest, size_t *size)
{
	int fd = client->fd;

	if (fd < 0)
		return -ENOTCONN;
	*size = client->in.size;
	*rest = NULL;
	if (*size) {
		*rest = malloc(*size);
		if (!*rest)
			return -ENOMEM;
		memcpy(*rest, client->in.data + client->in.start, *size);
	}
	loop_remove(client->loop, &client->source);
	client->fd = -1;
	return fd;
}
