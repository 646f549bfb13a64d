/*
 * capture.stream: the connection becomes a pcapng stream that the capture
 * writer feeds directly. Deck thread.
 *
 * The order of things: the helper thread prepares the capture, and finds what
 * is wrong with the request while it can still be answered; the answer is
 * queued and sent; only then the capture begins, with a duplicate of the
 * socket, so that its first byte follows the answer. It ends when the client
 * shuts down its side.
 */
#include "core/server/streams/capture_config.h"
#include "core/server/streams/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/network.h"

enum phase { PREPARING, ANSWERING, RUNNING, STOPPING };

struct stream {
	struct server *server;
	struct peer *peer;
	enum phase phase;
	bool stop; /* wanted as soon as it runs */
	struct capture_order order;
	struct capture *capture; /* or NULL */
	struct worker_job job;
	struct answer answer;
	struct loop_task ended;
};

static void stream_free(struct stream *stream)
{
	struct peer *peer = stream->peer;

	loop_unpost(stream->server->loop, &stream->ended);
	capture_discard(stream->capture);
	capture_order_destroy(&stream->order);
	free(stream);
	if (peer)
		peer_release(peer);
}

static void stop_work(void *arg)
{
	struct stream *stream = arg;

	capture_stop(stream->capture, NULL);
	stream->capture = NULL;
}

/* What was left has been written; closing tells the client that it has all. */
static void stop_done(void *arg)
{
	struct stream *stream = arg;
	struct peer *peer = stream->peer;

	if (peer->mode == PEER_RAW) {
		peer->raw = NULL; /* closed() is not to free a second time */
		peer_close(peer);
	}
	stream_free(stream);
}

/* Ends the stream now or, if it is still beginning, as soon as it runs. */
static void stop(struct stream *stream)
{
	stream->stop = true;
	if (stream->phase != RUNNING)
		return;
	stream->phase = STOPPING;
	stream->job = (struct worker_job){ .work = stop_work, .done = stop_done, .arg = stream };
	capture_stop_later(stream->server, &stream->job);
}

static void run_ended(void *arg)
{
	stop(arg);
}

/* Capture writer: the client went away, or the socket failed. */
static void capture_ended(void *arg, int error, const struct cause *cause)
{
	struct stream *stream = arg;

	(void)error;
	(void)cause;
	loop_post(stream->server->loop, &stream->ended);
}

/* The answer is on its way: the socket is the capture's now. */
static void start(struct stream *stream)
{
	int fd = fcntl(stream->peer->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0 || capture_begin(stream->capture, fd, NULL) < 0) {
		if (fd >= 0)
			close(fd);
		stop_done(stream);
		return;
	}
	stream->phase = RUNNING;
	if (stream->stop)
		stop(stream);
}

static size_t input(void *arg, const uint8_t *data, size_t size)
{
	(void)arg;
	(void)data;
	return size;
}

static void input_end(void *arg)
{
	stop(arg);
}

static void writable(void *arg)
{
	struct stream *stream = arg;

	if (stream->phase == ANSWERING)
		start(stream);
}

static void closed(void *arg)
{
	struct stream *stream = arg;

	if (stream->phase == ANSWERING)
		stream_free(stream);
	else
		stop(stream);
}

static const struct raw_ops stream_ops = {
	.input = input,
	.input_end = input_end,
	.writable = writable,
	.closed = closed,
};

static void prepare_work(void *arg)
{
	struct stream *stream = arg;

	stream->order.error = capture_prepare(&stream->capture,
			network_capture_hub(deck_network(stream->server->deck)),
			&stream->order.config, &stream->order.cause);
}

static void prepare_done(void *arg)
{
	struct stream *stream = arg;
	struct answer answer = stream->answer;
	struct peer *peer;

	if (stream->order.error < 0) {
		answer_error(&answer, stream->order.error, &stream->order.cause);
		stream_free(stream);
		return;
	}
	peer = peer_keep(answer.peer);
	stream->peer = peer_keep(peer);
	stream->phase = ANSWERING;
	answer_result(&answer, json_pack("{s:O}", "waiting", stream->order.waiting));
	peer_make_raw(peer, &stream_ops, stream);
	if (peer->mode == PEER_RAW && !peer->out.size) /* nobody wanted an answer */
		writable(stream);
	peer_release(peer);
}

static int open_stream(struct request *request, struct cause *cause)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int error;

	if (!stream)
		return cause_errno(cause, ENOMEM, "capture.stream");
	stream->server = request->server;
	stream->ended = (struct loop_task){ .run = run_ended, .arg = stream };
	stream->job = (struct worker_job){ .work = prepare_work, .done = prepare_done,
					   .arg = stream };
	error = capture_order_read(&stream->order, request, cause);
	if (error == 0) {
		stream->order.config.ended = capture_ended;
		stream->order.config.arg = stream;
		error = capture_order_run(&stream->order, stream->server, &stream->job, cause);
	}
	if (error < 0) {
		stream_free(stream);
		return error;
	}
	request_defer(request, &stream->answer);
	return 0;
}

static const struct handler handlers[] = {
	{ METHOD_CAPTURE_STREAM, .run = open_stream },
	HANDLERS_END
};

const struct stream_kind pcapng_stream = {
	.handlers = handlers,
};
