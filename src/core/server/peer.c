/*
 * Peers: bytes in, lines to who understands them, bounded bytes out. Deck thread.
 *
 * A peer reads only while it can act on what it reads: not while an answer is
 * under way, nor while lines or raw bytes wait in its buffer. So a client
 * cannot make the deck thread work or remember without bound.
 */
#include "core/server/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control/message.h"

#define LINES_PER_TURN 32 /* then the other sources of the loop have their turn */

static void watch(struct peer *peer)
{
	uint32_t events = 0;

	if (peer->mode == PEER_CLOSED)
		return;
	if (!peer->input_ended && !peer->crowded && peer->mode != PEER_HELD)
		events |= EPOLLIN;
	if (peer->out.size)
		events |= EPOLLOUT;
	if (events != peer->watched)
		loop_change(peer->peers->loop, &peer->source, events);
	peer->watched = events;
}

struct peer *peer_keep(struct peer *peer)
{
	peer->references++;
	return peer;
}

void peer_release(struct peer *peer)
{
	if (--peer->references)
		return;
	frame_reader_destroy(&peer->in);
	frame_writer_destroy(&peer->out);
	free(peer);
}

static void cancel_all(struct peer *peer)
{
	struct subscription *subscription;

	while ((subscription = peer->subscriptions)) {
		peer->subscriptions = subscription->next;
		subscription->cancel(subscription);
	}
	peer->subscription_count = 0;
	peer->events = false;
}

void peer_close(struct peer *peer)
{
	struct peers *peers = peer->peers;
	const struct raw_ops *raw = peer->raw;

	if (peer->mode == PEER_CLOSED)
		return;
	peer->mode = PEER_CLOSED;
	*peer->at = peer->next;
	if (peer->next)
		peer->next->at = peer->at;
	if (--peers->count == 0)
		peers->last_closed(peers->arg);
	loop_remove(peers->loop, &peer->source);
	loop_unpost(peers->loop, &peer->more);
	cancel_all(peer);
	peer->raw = NULL;
	if (raw)
		raw->closed(peer->raw_arg);
	close(peer->fd);
	peer->fd = -1;
	peer_release(peer);
}

/* The client has said its last and everything is answered. */
static bool finished(const struct peer *peer)
{
	return peer->input_ended && !peer->crowded && peer->mode == PEER_MESSAGES &&
	       !peer->owed && !peer->out.size;
}

/* Sends what the socket takes; sets what to wait for next. May close. */
static void settle(struct peer *peer)
{
	bool waited = peer->out.size > 0;

	if (peer->mode == PEER_CLOSED)
		return;
	if (frame_writer_flush(&peer->out, peer->fd) < 0) {
		peer_close(peer);
		return;
	}
	if (waited && !peer->out.size && peer->raw)
		peer->raw->writable(peer->raw_arg);
	if (finished(peer))
		peer_close(peer);
	watch(peer);
}

static void refuse_long_line(struct peer *peer)
{
	struct cause cause;

	cause_set(&cause, EMSGSIZE, "a message is at most %d KiB long; the connection is closed",
		  CONTROL_MESSAGE_KIB);
	peer_send(peer, message_error(NULL, CONTROL_ERROR_REQUEST, cause.text, 0));
	frame_reader_destroy(&peer->in);
	peer->input_ended = true;
	peer->crowded = false;
}

static void take_lines(struct peer *peer)
{
	unsigned count = 0;
	size_t size;
	char *line;

	peer->crowded = false;
	while (peer->mode == PEER_MESSAGES) {
		if (count++ == LINES_PER_TURN) {
			peer->crowded = true;
			loop_post(peer->peers->loop, &peer->more);
			return;
		}
		line = frame_reader_next(&peer->in, &size);
		if (!line)
			break;
		peer->peers->line(peer->peers->arg, peer, line, size);
	}
	if (peer->mode == PEER_MESSAGES && frame_reader_overflow(&peer->in))
		refuse_long_line(peer);
}

static void take_raw(struct peer *peer)
{
	struct frame_reader *in = &peer->in;
	size_t taken;

	if (in->size == 0)
		return;
	taken = peer->raw->input(peer->raw_arg, (uint8_t *)in->data + in->start, in->size);
	if (peer->mode != PEER_RAW)
		return;
	in->start += taken;
	in->size -= taken;
	in->scanned = 0;
	peer->crowded = in->size > 0;
}

static void take_input(struct peer *peer)
{
	if (peer->mode == PEER_MESSAGES)
		take_lines(peer);
	if (peer->mode == PEER_RAW)
		take_raw(peer);
}

static void take_end(struct peer *peer)
{
	peer->input_ended = true;
	if (peer->mode == PEER_RAW)
		peer->raw->input_end(peer->raw_arg);
}

static void receive(struct peer *peer)
{
	ssize_t n = frame_reader_fill(&peer->in, peer->fd);

	if (n == -EAGAIN)
		return;
	if (n < 0)
		peer_close(peer);
	else if (n == 0)
		take_end(peer);
	else
		take_input(peer);
}

static void ready(void *arg, uint32_t events)
{
	struct peer *peer = peer_keep(arg);

	if (peer->watched & EPOLLIN && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(peer);
	else if (events & (EPOLLHUP | EPOLLERR))
		peer_close(peer);
	settle(peer);
	peer_release(peer);
}

static void run_more(void *arg)
{
	struct peer *peer = peer_keep(arg);

	take_input(peer);
	settle(peer);
	peer_release(peer);
}

int peer_new(struct peers *peers, int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int flags = fcntl(fd, F_GETFL), error = peer ? 0 : -ENOMEM;

	if (error == 0 && (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		error = -errno;
	if (error == 0)
		error = loop_add(peers->loop, &peer->source, fd, EPOLLIN, ready, peer);
	if (error < 0) {
		free(peer);
		close(fd);
		return error;
	}
	peer->peers = peers;
	peer->fd = fd;
	peer->references = 1;
	peer->role = METHOD_OPERATE;
	peer->watched = EPOLLIN;
	peer->in.limit = CONTROL_MESSAGE_MAX;
	peer->more = (struct loop_task){ .run = run_more, .arg = peer };
	peer->at = &peers->first;
	peer->next = peers->first;
	if (peer->next)
		peer->next->at = &peer->next;
	peers->first = peer;
	peers->count++;
	return 0;
}

/*
 * Sending starts when the loop comes round to the peer: EPOLLOUT is there at once for a
 * socket with room, and what one turn queues goes out in one system call.
 */
void peer_send(struct peer *peer, json_t *message)
{
	size_t size;
	char *line;
	int error;

	if (peer->mode == PEER_CLOSED) {
		json_decref(message);
		return;
	}
	line = message_line(message, &size);
	error = line ? frame_writer_add(&peer->out, line, size, PEER_QUEUE_MAX) : -ENOMEM;
	free(line);
	if (error < 0)
		peer_close(peer);
	else
		watch(peer);
}

bool peer_may_notify(const struct peer *peer)
{
	return peer->out.size < PEER_NOTIFY_MAX;
}

void peer_hold(struct peer *peer)
{
	if (peer->mode == PEER_MESSAGES)
		peer->mode = PEER_HELD;
	watch(peer);
}

void peer_resume(struct peer *peer)
{
	if (peer->mode != PEER_HELD)
		return;
	peer->mode = PEER_MESSAGES;
	peer->crowded = true;
	loop_post(peer->peers->loop, &peer->more);
	watch(peer);
}

void peer_owe(struct peer *peer)
{
	if (++peer->owed == PEER_OWED_MAX)
		peer_hold(peer);
}

/* The first of them that is paid lets a peer go on, and the last one lets it end. */
void peer_paid(struct peer *peer)
{
	if (peer->owed-- == PEER_OWED_MAX)
		peer_resume(peer);
	else if (peer->mode == PEER_MESSAGES)
		loop_post(peer->peers->loop, &peer->more);
}

void peer_make_raw(struct peer *peer, const struct raw_ops *raw, void *arg)
{
	if (peer->mode == PEER_CLOSED) {
		raw->closed(arg);
		return;
	}
	peer_keep(peer);
	cancel_all(peer);
	peer->mode = PEER_RAW;
	peer->raw = raw;
	peer->raw_arg = arg;
	peer->crowded = peer->in.size > 0;
	if (peer->crowded)
		loop_post(peer->peers->loop, &peer->more);
	if (peer->input_ended)
		raw->input_end(arg);
	watch(peer);
	peer_release(peer);
}

void peer_raw_resume(struct peer *peer)
{
	peer_keep(peer);
	take_raw(peer);
	watch(peer);
	peer_release(peer);
}

int peer_raw_write(struct peer *peer, const void *data, size_t size, size_t limit)
{
	int error = frame_writer_add(&peer->out, data, size, limit);

	watch(peer);
	return error;
}

int peer_subscribe(struct peer *peer, struct subscription *subscription, struct cause *cause)
{
	if (peer->subscription_count >= PEER_SUBSCRIPTIONS_MAX)
		return cause_set(cause, ENOSPC, "a connection has at most %d subscriptions; "
				 "cancel one", PEER_SUBSCRIPTIONS_MAX);
	subscription->peer = peer;
	subscription->id = ++peer->peers->last_id;
	subscription->next = peer->subscriptions;
	peer->subscriptions = subscription;
	peer->subscription_count++;
	return 0;
}

struct subscription *peer_find(struct peer *peer, uint64_t id, enum method_id kind,
			       struct cause *cause)
{
	struct subscription *at;

	for (at = peer->subscriptions; at; at = at->next)
		if (at->id == id && at->kind == kind)
			return at;
	cause_set(cause, ENOENT, "subscription: %llu is none of this connection's",
		  (unsigned long long)id);
	return NULL;
}

int peer_cancel(struct peer *peer, uint64_t id, enum method_id kind, struct cause *cause)
{
	struct subscription *found = peer_find(peer, id, kind, cause), **at;

	if (!found)
		return -ENOENT;
	for (at = &peer->subscriptions; *at != found; at = &(*at)->next)
		;
	*at = found->next;
	peer->subscription_count--;
	found->cancel(found);
	return 0;
}
