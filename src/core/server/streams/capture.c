/*
 * capture.start, capture.stop, capture.list: captures to files on the deck's
 * host. They belong to the deck, not to the client that asked. Deck thread,
 * but opening and ending are the helper thread's.
 */
#include "core/server/streams/capture_config.h"
#include "core/server/streams/capture_file.h"
#include "core/server/streams/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "control/message.h"
#include "net/network.h"

#define CAPTURES_MAX 64

struct file_capture {
	struct file_capture *next;
	struct server *server;
	uint64_t id;
	struct capture_order order;
	char *path; /* absolute; NULL until the helper thread has chosen one */
	struct capture *capture;
	struct worker_job job;
	struct answer answer; /* of capture.start */
	struct loop_task over; /* it ended by itself: the writer says so */
	struct cause failure;  /* why, until the deck thread knows */
	bool ended;
	struct cause why;
};

static void file_free(struct file_capture *file)
{
	file->server->capture_count--;
	loop_unpost(file->server->loop, &file->over);
	capture_order_destroy(&file->order);
	free(file->path);
	free(file);
}

/* Capture writer. */
static void file_ended(void *arg, int error, const struct cause *cause)
{
	struct file_capture *file = arg;

	if (error && cause)
		file->failure = *cause;
	else
		cause_set(&file->failure, 0, "%s: the capture ended, because its reader went away",
			  file->path);
	loop_post(file->server->loop, &file->over);
}

/* Its writer failed: it has ended. What holds nothing is of no use to anybody. */
static void file_over(void *arg)
{
	struct file_capture *file = arg;

	cause_set(&file->why, 0, "%s%s", file->failure.text,
		  files_remove_empty(file->path) ? "; nothing could be written, so the file was "
						   "removed" : "");
	file->ended = true;
	deck_notice(file->server->deck, "%s", file->why.text);
}

/* Of one that has been stopped: what its writer said last. */
static void settle(struct file_capture *file)
{
	if (!file->over.queued)
		return;
	loop_unpost(file->server->loop, &file->over);
	file_over(file);
}

static void start_work(void *arg)
{
	struct file_capture *file = arg;
	int fd = capture_file_create(&file->path, file->order.config.ports, &file->order.cause);

	file->order.error = fd;
	if (fd < 0)
		return;
	file->order.config.fd = fd;
	file->order.error = capture_start(&file->capture,
			network_capture_hub(deck_network(file->server->deck)),
			&file->order.config, &file->order.cause);
	if (file->order.error < 0) {
		close(fd);
		unlink(file->path);
	}
}

static void start_done(void *arg)
{
	struct file_capture *file = arg;

	if (file->order.error < 0) {
		answer_error(&file->answer, file->order.error, &file->order.cause);
		file_free(file);
		return;
	}
	file->id = ++file->server->peers.last_id;
	file->next = file->server->captures;
	file->server->captures = file;
	answer_result(&file->answer,
		      json_pack("{s:I, s:o, s:O}", "capture", (json_int_t)file->id, "path",
				message_text(file->path), "waiting", file->order.waiting));
}

static int start(struct request *request, struct cause *cause)
{
	const char *path = param_string(request, "path");
	struct server *server = request->server;
	struct file_capture *file;
	int error;

	if (path && path[0] != '/')
		return cause_set(cause, EINVAL, "path: '%s' must begin with '/'", path);
	if (server->capture_count >= CAPTURES_MAX)
		return cause_set(cause, ENOSPC, "%d captures run already; stop one", CAPTURES_MAX);
	file = calloc(1, sizeof(*file));
	if (!file)
		return cause_errno(cause, ENOMEM, "capture.start");
	server->capture_count++;
	file->server = server;
	file->over = (struct loop_task){ .run = file_over, .arg = file };
	file->job = (struct worker_job){ .work = start_work, .done = start_done, .arg = file };
	error = capture_order_read(&file->order, request, cause);
	if (error == 0 && path && !(file->path = strdup(path)))
		error = cause_errno(cause, ENOMEM, "capture.start");
	if (error == 0) {
		file->order.config.ended = file_ended;
		file->order.config.arg = file;
		error = capture_order_run(&file->order, server, &file->job, cause);
	}
	if (error < 0) {
		file_free(file);
		return error;
	}
	request_defer(request, &file->answer);
	return 0;
}

static json_t *counts_json(const struct capture_stats *stats)
{
	return json_pack("{s:I, s:I, s:I}", "records", (json_int_t)stats->records, "bytes",
			 (json_int_t)stats->bytes, "dropped", (json_int_t)stats->dropped);
}

/* Why it ended by itself, or null. */
static json_t *ended_json(const struct file_capture *file)
{
	return message_text(file->ended ? file->why.text : NULL);
}

static void stop_work(void *arg)
{
	struct file_capture *file = arg;

	capture_stop(file->capture, NULL);
}

static void stop_done(void *arg)
{
	struct file_capture *file = arg;

	settle(file);
	file_free(file);
}

struct stopping {
	struct worker_job job;
	struct answer answer;
	struct file_capture *file;
	struct capture_stats stats;
};

static void answered_stop_work(void *arg)
{
	struct stopping *stopping = arg;

	capture_stop(stopping->file->capture, &stopping->stats);
}

static void answered_stop_done(void *arg)
{
	struct stopping *stopping = arg;
	json_t *result = counts_json(&stopping->stats);

	settle(stopping->file);
	json_object_set_new(result, "ended", ended_json(stopping->file));
	answer_result(&stopping->answer, result);
	file_free(stopping->file);
	free(stopping);
}

static struct file_capture *take(struct server *server, uint64_t id)
{
	struct file_capture **at, *file;

	for (at = &server->captures; (file = *at); at = &file->next)
		if (file->id == id) {
			*at = file->next;
			return file;
		}
	return NULL;
}

static int stop(struct request *request, struct cause *cause)
{
	uint64_t id = param_integer(request, "capture", 0);
	struct stopping *stopping = calloc(1, sizeof(*stopping));

	if (!stopping)
		return cause_errno(cause, ENOMEM, "capture.stop");
	stopping->file = take(request->server, id);
	if (!stopping->file) {
		free(stopping);
		return cause_set(cause, ENOENT, "capture: there is none with number %llu",
				 (unsigned long long)id);
	}
	stopping->job = (struct worker_job){ .work = answered_stop_work,
					     .done = answered_stop_done, .arg = stopping };
	request_defer(request, &stopping->answer);
	capture_stop_later(request->server, &stopping->job);
	return 0;
}

static json_t *capture_json(struct file_capture *file)
{
	struct capture_stats stats;
	json_t *object;

	capture_get_stats(file->capture, &stats);
	object = counts_json(&stats);
	json_object_set_new(object, "capture", json_integer((json_int_t)file->id));
	json_object_set_new(object, "path", message_text(file->path));
	json_object_set_new(object, "ports", file->order.ports_json
						     ? json_incref(file->order.ports_json)
						     : json_null());
	json_object_set_new(object, "filter", message_text(file->order.filter));
	json_object_set_new(object, "ended", ended_json(file));
	return object;
}

static int list_captures(struct request *request, struct cause *cause)
{
	json_t *list = json_array();

	(void)cause;
	for (struct file_capture *file = request->server->captures; file; file = file->next)
		json_array_append_new(list, capture_json(file));
	request->result = json_pack("{s:o}", "captures", list);
	return 0;
}

/* Also those that clients asked for and left. */
static void end_all(struct server *server)
{
	struct file_capture *file;

	filter_orders_end(server);
	while ((file = server->captures)) {
		server->captures = file->next;
		file->job = (struct worker_job){ .work = stop_work, .done = stop_done,
						 .arg = file };
		capture_stop_later(server, &file->job);
	}
}

static const struct handler handlers[] = {
	{ METHOD_CAPTURE_START, .run = start },
	{ METHOD_CAPTURE_STOP, .run = stop },
	{ METHOD_CAPTURE_LIST, .run = list_captures },
	HANDLERS_END
};

const struct stream_kind capture_stream = {
	.handlers = handlers,
	.end = end_all,
};
