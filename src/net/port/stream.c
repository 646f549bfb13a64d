/*
 * A port whose frames come and go by a socket, as QEMU's "-netdev stream" and "-netdev dgram"
 * have them: QEMU's guests and other decks join by it. One peer at a time.
 *
 * Theory of operation: of type=stream, what comes from the switch is sent from the inbox's own
 * buffer, with a length before each frame; when the socket takes no more, the rest of that batch
 * is kept, and the inbox is held, so that senders have their shares of its room, until the socket
 * goes on. A frame's length that makes no sense ends the connection. Of type=dgram each frame is
 * a datagram; those that the socket has no room for are dropped. A Unix socket for datagrams is
 * not connected, as neither of two could be the first to be.
 */
#include "net/port/outside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/port/datagrams.h"
#include "net/port/place.h"
#include "net/port/stream_frames.h"

#define READS_A_TURN 2u
#define REST_ROOM (1536u * 1024) /* more than what an inbox holds, with lengths */

enum stream_type { TYPE_STREAM, TYPE_DGRAM }; /* in the order of the key's choices */

struct stream_section {
	struct port_section section;
	unsigned type;
	char *listen, *connect; /* see place.h; or NULL */
};

struct stream {
	struct outside outside;
	const struct stream_section *section;
	int listen_fd, fd; /* or -1 */
	bool connecting;
	bool bound; /* the path that others connect to is its own */
	struct loop_source listener, connection;

	/* Of TYPE_STREAM */
	struct stream_frames frames;
	const struct inbox_frame *batch[NET_BURST_MAX];
	unsigned batch_count;
	uint8_t *rest; /* REST_ROOM */
	size_t rest_start, rest_end;

	struct datagrams datagrams; /* of TYPE_DGRAM */
	struct sockaddr_storage peer; /* of a Unix socket for datagrams; else its family is 0 */
};

static struct stream *stream_of(struct outside *outside)
{
	return container_of(outside, struct stream, outside);
}

static struct loop *loop_of(const struct stream *stream)
{
	return &stream->outside.served.uplink->loop;
}

static int socket_type(const struct stream_section *section)
{
	return section->type == TYPE_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
}

/* --- connections --- */

static void listen_on(struct stream *stream);

static void close_connection(struct stream *stream)
{
	loop_remove(loop_of(stream), &stream->connection);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	stream->connecting = false;
	stream->rest_start = stream->rest_end = 0;
	stream->batch_count = stream->datagrams.out_count = 0;
	stream_frames_clear(&stream->frames);
	inbox_hold(&stream->outside.served.inbox, false);
}

static void close_all(struct outside *outside)
{
	struct stream *stream = stream_of(outside);

	close_connection(stream);
	loop_remove(loop_of(stream), &stream->listener);
	if (stream->listen_fd >= 0)
		close(stream->listen_fd);
	stream->listen_fd = -1;
	stream->bound &= outside->stopped;
}

/* The peer is gone, or is no good: another one may come, or it is looked for again. */
static void end_connection(struct stream *stream, const char *why)
{
	if (stream->listen_fd < 0) {
		outside_down(&stream->outside, "%s: %s", stream->section->connect ?
			     stream->section->connect : stream->section->listen, why);
		return;
	}
	close_connection(stream);
	listen_on(stream);
}

static void break_connection(struct stream *stream, int error)
{
	end_connection(stream, error ? strerror(error) : "the connection was closed there");
}

/* --- from the peer --- */

static void give(struct stream *stream, const uint8_t *frame, size_t size)
{
	if (size > NET_FRAME_MAX)
		return;
	memcpy(outside_reserve(&stream->outside, size), frame, size);
	outside_commit(&stream->outside, size, NULL);
}

/* Takes what has come apart. False: the connection is over. */
static bool take_apart(struct stream *stream)
{
	const uint8_t *frame;
	char why[96];
	size_t size;
	int result;

	while ((result = stream_frames_next(&stream->frames, &frame, &size)) > 0)
		give(stream, frame, size);
	if (!result)
		return true;
	snprintf(why, sizeof(why), "it was to have a frame of %zu bytes, so this is no stream of "
		 "frames", size);
	if (stream->listen_fd >= 0)
		outside_tell(&stream->outside, "a peer was sent away: %s", why);
	end_connection(stream, why);
	return false;
}

static void read_stream(struct stream *stream)
{
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		size_t room;
		uint8_t *to = stream_frames_room(&stream->frames, &room);
		ssize_t n = recv(stream->fd, to, room, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			outside_flush(&stream->outside);
			break_connection(stream, n < 0 ? errno : 0);
			return;
		}
		stream_frames_add(&stream->frames, (size_t)n);
		if (!take_apart(stream))
			break;
		if ((size_t)n < room)
			break;
	}
	outside_flush(&stream->outside);
}

/* The kernel sees to it for a socket that is connected. */
static bool is_peer(const struct stream *stream, const struct sockaddr_storage *from)
{
	const struct sockaddr_un *one = (const void *)from, *peer = (const void *)&stream->peer;

	return !stream->peer.ss_family ||
	       (one->sun_family == AF_UNIX &&
		!strncmp(one->sun_path, peer->sun_path, sizeof(one->sun_path)));
}

static void read_datagrams(struct stream *stream)
{
	int count = datagrams_receive(&stream->datagrams);

	for (int i = 0; i < count; i++) {
		size_t size;
		const uint8_t *frame = datagrams_get(&stream->datagrams, i, &size);

		if (is_peer(stream, &stream->datagrams.from[i]))
			give(stream, frame, size);
	}
	outside_flush(&stream->outside);
	/* Of a datagram that nobody took: whoever is there next gets the next ones. */
	if (count < 0 && count != -ECONNREFUSED)
		break_connection(stream, -count);
}

/* --- to the peer --- */

/* Whether more is to be written is watched, and frames stay in the inbox meanwhile. */
static void watch(struct stream *stream)
{
	bool full = stream->rest_end;

	loop_change(loop_of(stream), &stream->connection, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
	inbox_hold(&stream->outside.served.inbox, full);
}

static void keep(struct stream *stream, const void *bytes, size_t size)
{
	if (size > REST_ROOM - stream->rest_end)
		return; /* it cannot be: see REST_ROOM */
	memcpy(stream->rest + stream->rest_end, bytes, size);
	stream->rest_end += size;
}

/* What is left of parts behind sent bytes. */
static void keep_parts(struct stream *stream, const struct iovec *parts, unsigned count,
		       size_t sent)
{
	for (unsigned i = 0; i < count; i++) {
		size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;

		keep(stream, (const uint8_t *)parts[i].iov_base + skip, parts[i].iov_len - skip);
		sent -= skip;
	}
}

static void send_batch(struct stream *stream)
{
	uint8_t lengths[NET_BURST_MAX][STREAM_PREFIX];
	struct iovec parts[2 * NET_BURST_MAX];
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 * stream->batch_count };
	ssize_t n = 0;

	for (unsigned i = 0; i < stream->batch_count; i++) {
		const struct inbox_frame *frame = stream->batch[i];

		put_be32(lengths[i], frame->size);
		parts[2 * i] = (struct iovec){ lengths[i], STREAM_PREFIX };
		parts[2 * i + 1] = (struct iovec){ (void *)(uintptr_t)frame->data, frame->size };
	}
	if (!stream->rest_end && stream->batch_count)
		n = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A connection that has broken says so when what is left is written. */
	keep_parts(stream, parts, 2 * stream->batch_count, n < 0 ? 0 : (size_t)n);
	stream->batch_count = 0;
}

static void write_rest(struct stream *stream)
{
	ssize_t n = send(stream->fd, stream->rest + stream->rest_start,
			 stream->rest_end - stream->rest_start, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* Reading need not show it: the peer may have shut down its side of that alone. */
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		break_connection(stream, errno);
		return;
	}
	if (n > 0)
		stream->rest_start += (size_t)n;
	if (stream->rest_start < stream->rest_end)
		return;
	stream->rest_start = stream->rest_end = 0;
	watch(stream);
}

static void take(void *owner, const struct inbox_frame *frame)
{
	struct stream *stream = owner;
	struct net_port *net_port = outside_net_port(&stream->outside);

	if (stream->fd < 0 || stream->connecting) {
		if (net_port)
			switch_port_refuse(net_port, NET_DROP_LINK_DOWN);
	} else if (stream->section->type == TYPE_STREAM) {
		if (stream->batch_count == NET_BURST_MAX)
			send_batch(stream);
		stream->batch[stream->batch_count++] = frame;
	} else {
		datagrams_put(&stream->datagrams, frame, net_port);
	}
}

static void end(void *owner)
{
	struct stream *stream = owner;

	if (stream->fd < 0 || stream->connecting)
		return;
	if (stream->section->type == TYPE_DGRAM) {
		int error = datagrams_flush(&stream->datagrams,
					    outside_net_port(&stream->outside));

		if (error && error != -ECONNREFUSED)
			break_connection(stream, -error);
		return;
	}
	send_batch(stream);
	if (stream->rest_end)
		watch(stream);
}

static const struct inbox_ops inbox_ops = {
	.wants = outside_wants,
	.admit = outside_admit,
	.begin = outside_begin,
	.take = take,
	.end = end,
};

/* --- its coming up --- */

static void say_up(struct stream *stream, const char *place)
{
	outside_up(&stream->outside, "%s %s", stream->section->type == TYPE_DGRAM ? "open at" :
		   stream->listen_fd >= 0 ? "somebody is connected at" : "connected to", place);
}

static void on_connecting(struct stream *stream)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		break_connection(stream, error);
		return;
	}
	stream->connecting = false;
	watch(stream);
	say_up(stream, stream->section->connect);
}

static void on_connection(void *arg, uint32_t events)
{
	struct stream *stream = arg;

	if (stream->connecting) {
		on_connecting(stream);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		if (stream->section->type == TYPE_DGRAM)
			read_datagrams(stream);
		else
			read_stream(stream);
	}
	if (events & EPOLLOUT && stream->rest_end) /* else it may have been closed */
		write_rest(stream);
}

static bool watch_connection(struct stream *stream, int fd, uint32_t events)
{
	int error = loop_add(loop_of(stream), &stream->connection, fd, events, on_connection,
			     stream);

	stream->fd = fd;
	stream->datagrams.fd = fd;
	if (error)
		outside_down(&stream->outside, "%s", strerror(-error));
	return !error;
}

static void on_listener(void *arg, uint32_t events)
{
	struct stream *stream = arg;
	int fd = accept4(stream->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		/* It stays ready: it is to be opened anew in a while. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			outside_down(&stream->outside, "%s", strerror(errno));
		return;
	}
	/* Others wait until this one has gone. */
	loop_change(loop_of(stream), &stream->listener, 0);
	if (watch_connection(stream, fd, EPOLLIN))
		say_up(stream, stream->section->listen);
}

static void listen_on(struct stream *stream)
{
	loop_change(loop_of(stream), &stream->listener, EPOLLIN);
	outside_waits(&stream->outside, "waits for somebody to connect to %s",
		      stream->section->listen);
}

static void opened(struct outside *outside, int fd)
{
	struct stream *stream = stream_of(outside);
	const struct stream_section *section = stream->section;
	int error;

	stream->bound = section->listen;
	if (section->type == TYPE_DGRAM) {
		if (watch_connection(stream, fd, EPOLLIN))
			say_up(stream, section->listen);
	} else if (section->connect) {
		stream->connecting = true;
		if (watch_connection(stream, fd, EPOLLOUT))
			outside_waits(outside, "connecting to %s", section->connect);
	} else {
		stream->listen_fd = fd;
		error = loop_add(loop_of(stream), &stream->listener, fd, EPOLLIN, on_listener,
				 stream);
		if (error)
			outside_down(outside, "%s", strerror(-error));
		else
			listen_on(stream);
	}
}

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct stream_section *section = (const void *)outside->port.section;
	int error = 0;

	out->what = OPENER_SOCKET;
	out->socket.type = socket_type(section);
	if (section->listen)
		error = place_parse(section->listen, out->socket.type, &out->socket.local,
				    &out->socket.local_size, cause);
	if (!error && section->connect && !((const struct stream *)(const void *)outside)->peer.ss_family)
		error = place_parse(section->connect, out->socket.type, &out->socket.peer,
				    &out->socket.peer_size, cause);
	return error;
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const struct stream_section *section = (const void *)outside->port.section;
	const char *place = step == OPENER_CONNECT || !section->listen ? section->connect :
								 section->listen;

	if (error == EADDRINUSE)
		snprintf(out, size, "%s is in use by somebody else", place);
	else if (error == EBUSY && step == OPENER_CONNECT)
		snprintf(out, size, "%s: who is there has a peer already", place);
	else
		snprintf(out, size, "%s: %s", place, strerror(error));
}

/* What is wrong with the address is said when it is opened. */
static int prepare_datagrams(struct stream *stream)
{
	struct datagrams *datagrams = &stream->datagrams;

	if (place_parse(stream->section->connect, SOCK_DGRAM, &stream->peer, &datagrams->to_size,
			NULL) == 0 && stream->peer.ss_family == AF_UNIX) {
		datagrams->to = &stream->peer;
	} else {
		stream->peer.ss_family = 0;
		datagrams->to_size = 0;
	}
	return datagrams_init(datagrams);
}

static int prepare(struct outside *outside, struct cause *cause)
{
	struct stream *stream = stream_of(outside);
	int error;

	stream->section = (const void *)outside->port.section;
	stream->listen_fd = stream->fd = -1;
	if (stream->section->type == TYPE_DGRAM) {
		error = prepare_datagrams(stream);
	} else {
		error = stream_frames_init(&stream->frames);
		stream->rest = malloc(REST_ROOM);
		if (!stream->rest)
			error = -ENOMEM;
	}
	return error ? cause_errno(cause, -error, "port") : 0;
}

static void release(struct outside *outside)
{
	struct stream *stream = stream_of(outside);
	struct sockaddr_storage local;
	const struct sockaddr_un *path = (const void *)&local;
	uint32_t size;

	if (stream->bound && place_parse(stream->section->listen, socket_type(stream->section),
					 &local, &size, NULL) == 0 && local.ss_family == AF_UNIX)
		unlink(path->sun_path);
	stream_frames_destroy(&stream->frames);
	datagrams_destroy(&stream->datagrams);
	free(stream->rest);
}

static const struct outside_ops outside_ops = {
	.inbox = &inbox_ops,
	.order = order,
	.opened = opened,
	.explain = explain,
	.close = close_all,
	.release = release,
};

/* --- the kind --- */

static int check(const struct switch_config *config, const struct port_section *of,
		 struct cause *cause)
{
	const struct stream_section *section = (const void *)of;
	int type = socket_type(section), error = 0;
	struct sockaddr_storage local, peer;
	uint32_t size;

	(void)config;
	if (type == SOCK_STREAM && !section->listen == !section->connect)
		return cause_set(cause, EINVAL, "needs a 'listen' or a 'connect', one of the two");
	if (type == SOCK_DGRAM && (!section->listen || !section->connect))
		return cause_set(cause, EINVAL, "needs a 'listen' and a 'connect' with type=dgram");
	if (section->listen)
		error = place_parse(section->listen, type, &local, &size, cause);
	if (!error && section->connect)
		error = place_parse(section->connect, type, &peer, &size, cause);
	if (!error && type == SOCK_DGRAM && local.ss_family != peer.ss_family)
		return cause_set(cause, EINVAL, "'listen' and 'connect' must be of one family: two "
				 "paths, or two addresses of IPv4 or IPv6");
	return error;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct stream), &port_stream, &outside_ops, uplink, sw,
			      config, section, prepare, cause);
}

static const struct profile_key keys[] = {
	{ .key = "type", .type = PROFILE_CHOICE, .choices = "stream|dgram", .standard = "stream",
	  .offset = offsetof(struct stream_section, type),
	  .help = "How frames are sent: as a stream of bytes, each frame behind its length, or "
		  "each as a datagram. These are QEMU's {Ic -netdev stream} and "
		  "{Ic -netdev dgram}." },
	{ .key = "listen", .type = PROFILE_PATH,
	  .offset = offsetof(struct stream_section, listen),
	  .help = "Where another one connects to: the path of a Unix socket, which is made, or an "
		  "address of this host and a port, such as {Li tcp://127.0.0.1:4000}. "
		  "One can be connected at a time; others wait until it has gone. "
		  "There is no password: whoever reaches the address sends frames to the guests. "
		  "A Unix socket, in a folder to which others cannot write, can be reached by this "
		  "user alone." },
	{ .key = "connect", .type = PROFILE_PATH,
	  .offset = offsetof(struct stream_section, connect),
	  .help = "Where to connect to, in the same ways. "
		  "It is tried every second until it works, and again when it breaks. "
		  "With {Ic type=stream} there is either this key or {Ic listen}; with "
		  "{Ic type=dgram} there are both, the own address and that of the other one, "
		  "such as {Li udp://0.0.0.0:4000} and {Li udp://192.0.2.1:4000}, and datagrams "
		  "of others are not taken." },
	{ .key = NULL },
};

const struct port_kind port_stream = {
	.name = "stream",
	.section_keys = keys,
	.section_size = sizeof(struct stream_section),
	.section_help = "Another switch, or a guest of QEMU, that is joined by a socket.",
	.check = check,
	.create = create,
	.destroy = outside_destroy,
	.describe = outside_describe,
};
