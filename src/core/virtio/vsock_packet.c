/*
 * The packets of the socket device, and the connections whose state they change. virtio 1.2
 * §5.10.6. The guest's I/O thread, device lock held.
 *
 * Theory of operation. A connection has a socket, and what is due to the guest as a bit for
 * each operation until there is a buffer for it; so however much a guest does without giving
 * buffers, it fills its connections and nothing else.
 *
 * What the host writes stays in its socket until the guest has a buffer and credit for it, and
 * is read into that buffer. What the guest sends goes to the socket from where it lies; what a
 * socket does not take is kept in a buffer as large as the guest was told, and of a guest that
 * sends more than that the connection is reset.
 *
 * Either side can end one direction or both. When the guest has ended both, and the socket has
 * all that it sent, it gets a reset, which is how both know that the ports are free again. When
 * the host's end is closed, what it wrote is given to the guest first; then the guest is told
 * that both directions are over, and answers with a reset. A guest that does not wait that long
 * (Linux waits 8 s) leaves a connection that nobody but its socket knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/virtio/vsock_private.h"

#define PAYLOAD_MAX (64u << 10) /* bytes of one packet to the guest */
#define FIRST_PORT 0x40000000u	/* of who connects from the host, which has no ports */
#define HEADER sizeof(struct vsock_header)
#define ALWAYS (EPOLLIN | EPOLLRDHUP | EPOLLET)

/* --- connections --- */

static struct vsock_connection *find(struct vsock_device *vsock, uint32_t host_port,
				     uint32_t guest_port)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *connection = &vsock->connections[i];

		if (connection->state >= VSOCK_CALLING && connection->host_port == host_port &&
		    connection->guest_port == guest_port)
			return connection;
	}
	return NULL;
}

/* A guest that does not answer to the end of a connection has it no longer when another comes. */
static struct vsock_connection *find_place(struct vsock_device *vsock)
{
	struct vsock_connection *ending = NULL;

	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *connection = &vsock->connections[i];

		if (connection->state == VSOCK_FREE)
			return connection;
		if (connection->state == VSOCK_ENDING && !connection->due)
			ending = connection;
	}
	return ending;
}

bool vsock_has_place(struct vsock_device *vsock)
{
	return find_place(vsock) != NULL;
}

/* Something happened to a connection's socket. */
static void ready(void *arg, uint32_t events)
{
	struct vsock_connection *connection = arg;
	struct vsock_device *vsock = connection->vsock;

	pthread_mutex_lock(&vsock->device.lock);
	connection->readable |= (events & ~(uint32_t)EPOLLOUT) != 0;
	connection->writable |= (events & ~(uint32_t)(EPOLLIN | EPOLLRDHUP)) != 0;
	connection->hung_up |= (events & EPOLLHUP) != 0;
	vsock_pump(vsock);
	pthread_mutex_unlock(&vsock->device.lock);
}

struct vsock_connection *vsock_add(struct vsock_device *vsock, int fd, enum vsock_state state)
{
	struct vsock_connection *connection = find_place(vsock);

	if (!connection) {
		close(fd);
		return NULL;
	}
	*connection = (struct vsock_connection){ .vsock = vsock, .state = state, .fd = fd,
						 .writable = true };
	if (!loop_add(vsock->transport.loop, &connection->source, fd, ALWAYS, ready, connection))
		return connection;
	close(fd);
	connection->state = VSOCK_FREE;
	connection->fd = -1;
	return NULL;
}

static void close_socket(struct vsock_connection *connection)
{
	if (connection->fd >= 0) {
		loop_remove(connection->vsock->transport.loop, &connection->source);
		close(connection->fd);
	}
	connection->fd = -1;
	free(connection->kept);
	connection->kept = NULL;
	connection->kept_size = 0;
	connection->readable = connection->writable = false;
}

/* Ends it without a word. */
static void drop(struct vsock_connection *connection)
{
	close_socket(connection);
	connection->state = VSOCK_FREE;
	connection->due = 0;
}

/* Ends it; a guest that knows it is told. */
static void abort_connection(struct vsock_connection *connection)
{
	if (connection->state < VSOCK_CALLING) {
		drop(connection);
		return;
	}
	close_socket(connection);
	connection->state = VSOCK_ENDING;
	connection->due = 1 << VSOCK_RST;
}

void vsock_drop_all(struct vsock_device *vsock)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (vsock->connections[i].state != VSOCK_FREE)
			drop(&vsock->connections[i]);
	vsock->refused = 0;
}

/* The host has ended these directions: the guest hears it once. */
static void end_by_host(struct vsock_connection *connection, uint8_t ended)
{
	if (ended & VSOCK_NO_SEND)
		connection->readable = false;
	if (connection->state == VSOCK_LEFT) {
		drop(connection);
		return;
	}
	if ((connection->host_ended | ended) == connection->host_ended)
		return;
	connection->host_ended |= ended;
	connection->due |= 1 << VSOCK_SHUTDOWN;
	if (connection->host_ended == VSOCK_ENDED) {
		close_socket(connection);
		connection->state = VSOCK_ENDING;
	}
}

/* --- to the socket --- */

/* Nothing that the guest sent is left: what it ended ends. */
static void end_by_guest(struct vsock_connection *connection)
{
	if (connection->kept_size)
		return;
	if (connection->state == VSOCK_LEFT)
		drop(connection);
	else if (connection->ended == VSOCK_ENDED)
		abort_connection(connection);
	else if (connection->ended & VSOCK_NO_SEND)
		shutdown(connection->fd, SHUT_WR);
}

/* Whether the loop tells when there is room in the socket. */
static void watch_room(struct vsock_connection *connection, bool full)
{
	if (full == connection->full)
		return;
	connection->full = full;
	loop_change(connection->vsock->transport.loop, &connection->source,
		    ALWAYS | (full ? EPOLLOUT : 0));
}

/* Tells the guest of room before it waits for it. */
static void count_taken(struct vsock_connection *connection, uint32_t size)
{
	connection->forwarded += size;
	if (connection->forwarded - connection->told >= VSOCK_BUFFER / 2)
		connection->due |= 1 << VSOCK_CREDIT_UPDATE;
}

/* Nobody reads what the guest sends any more: it is as if it were read. */
static void discard(struct vsock_connection *connection, size_t size)
{
	count_taken(connection, connection->kept_size + (uint32_t)size);
	connection->kept_size = 0;
	end_by_host(connection, VSOCK_NO_RECEIVE);
}

static void flush(struct vsock_connection *connection)
{
	while (connection->kept_size) {
		uint32_t at = connection->kept_at % VSOCK_BUFFER;
		uint32_t n = VSOCK_BUFFER - at < connection->kept_size ? VSOCK_BUFFER - at
								       : connection->kept_size;
		ssize_t done = send(connection->fd, connection->kept + at, n,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0) {
			discard(connection, 0);
			break;
		}
		connection->kept_at += (uint32_t)done;
		connection->kept_size -= (uint32_t)done;
		count_taken(connection, (uint32_t)done);
	}
	if (connection->fd < 0)
		return;
	watch_room(connection, false);
	end_by_guest(connection);
}

/* Keeps what the socket did not take; false: the guest has sent more than it was allowed to. */
static bool keep(struct vsock_connection *connection, const struct iovec *iov, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *from = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		if (left > VSOCK_BUFFER - connection->kept_size)
			return false;
		if (left && !connection->kept)
			connection->kept = malloc(VSOCK_BUFFER);
		if (left && !connection->kept)
			return false;
		while (left) {
			uint32_t at = (connection->kept_at + connection->kept_size) % VSOCK_BUFFER;
			size_t n = VSOCK_BUFFER - at < left ? VSOCK_BUFFER - at : left;

			memcpy(connection->kept + at, from, n);
			connection->kept_size += (uint32_t)n;
			from += n;
			left -= n;
		}
	}
	if (connection->kept_size)
		watch_room(connection, true);
	return true;
}

/* Drops the first size bytes of count iovecs that have them. */
static void skip(struct iovec **iov, unsigned *count, size_t size)
{
	while (*count && size >= (*iov)->iov_len) {
		size -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + size;
		(*iov)->iov_len -= size;
	}
}

/* What the guest sent, size bytes: to the socket, as far as it takes it, else it is kept. */
static void send_data(struct vsock_connection *connection, struct iovec *iov, unsigned count,
		      uint32_t size)
{
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = count };
	ssize_t done = 0;

	if (connection->ended & VSOCK_NO_SEND) {
		abort_connection(connection);
		return;
	}
	if (connection->host_ended & VSOCK_NO_RECEIVE) {
		discard(connection, size);
		return;
	}
	if (!connection->kept_size && size) {
		done = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done < 0 && errno != EAGAIN && errno != EINTR) {
			discard(connection, size);
			return;
		}
		done = done < 0 ? 0 : done;
		count_taken(connection, (uint32_t)done);
	}
	skip(&iov, &count, (size_t)done);
	if (!keep(connection, iov, count))
		abort_connection(connection);
}

/* --- from the socket --- */

static void ask_guest(struct vsock_connection *connection)
{
	struct vsock_device *vsock = connection->vsock;
	int r = vsock_read_port(connection->fd, &connection->guest_port);

	connection->readable = false;
	if (r < 0 || (!r && connection->hung_up))
		drop(connection);
	if (r <= 0)
		return;
	do {
		connection->host_port = FIRST_PORT | (vsock->next_port++ & (FIRST_PORT - 1));
	} while (find(vsock, connection->host_port, connection->guest_port));
	connection->state = VSOCK_CALLING;
	connection->readable = true; /* there may be more behind the line */
	connection->due = 1 << VSOCK_REQUEST;
}

void vsock_serve(struct vsock_connection *connection)
{
	if (connection->state == VSOCK_ASKING && connection->readable)
		ask_guest(connection);
	if (connection->state == VSOCK_CALLING && connection->hung_up)
		abort_connection(connection);
	if (connection->kept_size && connection->writable) {
		connection->writable = false;
		flush(connection);
	}
	/* There is nothing to be read first: it was read to its end, or the guest wants no more. */
	if (connection->state == VSOCK_OPEN && connection->hung_up &&
	    (connection->host_ended & VSOCK_NO_SEND || connection->ended & VSOCK_NO_RECEIVE))
		end_by_host(connection, VSOCK_ENDED);
}

/* --- packets from the guest --- */

static void refuse(struct vsock_device *vsock, const struct vsock_header *header)
{
	if (vsock->refused < VSOCK_REFUSALS)
		vsock->refusals[vsock->refused++] =
			(struct vsock_refusal){ header->to_port, header->from_port };
}

static uint32_t credit(const struct vsock_connection *connection)
{
	uint32_t under_way = connection->sent - connection->peer_forwarded;

	return under_way < connection->peer_buffer ? connection->peer_buffer - under_way : 0;
}

static void take_credit(struct vsock_connection *connection, const struct vsock_header *header)
{
	connection->peer_buffer = header->buffer;
	connection->peer_forwarded = header->forwarded;
	if (credit(connection))
		connection->starved = false;
}

static void take_request(struct vsock_device *vsock, const struct vsock_header *header)
{
	struct vsock_connection *connection = NULL;
	int fd = vsock_has_place(vsock) ? vsock_connect(vsock, header->to_port) : -ENOBUFS;

	if (fd >= 0)
		connection = vsock_add(vsock, fd, VSOCK_OPEN);
	if (!connection) {
		refuse(vsock, header);
		return;
	}
	connection->host_port = header->to_port;
	connection->guest_port = header->from_port;
	take_credit(connection, header);
	connection->due = 1 << VSOCK_RESPONSE;
}

static void take_response(struct vsock_connection *connection)
{
	if (connection->state == VSOCK_ENDING)
		return;
	if (connection->state != VSOCK_CALLING ||
	    !vsock_say_connected(connection->fd, connection->host_port)) {
		abort_connection(connection);
		return;
	}
	connection->state = VSOCK_OPEN;
}

static void take_reset(struct vsock_connection *connection)
{
	if (connection->kept_size && (connection->ended & VSOCK_NO_SEND))
		connection->state = VSOCK_LEFT;
	else
		drop(connection);
}

static void take_shutdown(struct vsock_connection *connection, uint32_t flags)
{
	/* It was told before that this is over. */
	if (connection->state != VSOCK_OPEN) {
		abort_connection(connection);
		return;
	}
	connection->ended |= (uint8_t)(flags & VSOCK_ENDED);
	if (flags & VSOCK_NO_RECEIVE)
		shutdown(connection->fd, SHUT_RD);
	end_by_guest(connection);
}

/* A packet of a connection that there is. The iovecs are its payload. */
static void take_packet(struct vsock_connection *connection, const struct vsock_header *header,
			struct iovec *iov, unsigned count)
{
	take_credit(connection, header);
	switch (header->operation) {
	case VSOCK_RESPONSE:
		take_response(connection);
		break;
	case VSOCK_RST:
		take_reset(connection);
		break;
	case VSOCK_SHUTDOWN:
		take_shutdown(connection, header->flags);
		break;
	case VSOCK_RW:
		if (connection->state == VSOCK_OPEN)
			send_data(connection, iov, count, header->length);
		else if (connection->state == VSOCK_CALLING)
			abort_connection(connection);
		break;
	case VSOCK_CREDIT_UPDATE:
		break;
	case VSOCK_CREDIT_REQUEST:
		connection->due |= 1 << VSOCK_CREDIT_UPDATE;
		break;
	default:
		abort_connection(connection);
		break;
	}
}

/* Cuts iovecs to a length; false when it is longer than they are. */
static bool cut(struct iovec *iov, unsigned *count, uint32_t length)
{
	unsigned i;

	for (i = 0; i < *count && length; i++) {
		if (iov[i].iov_len > length)
			iov[i].iov_len = length;
		length -= (uint32_t)iov[i].iov_len;
	}
	*count = i;
	return !length;
}

/* Takes the header off the front of count iovecs; false when they are shorter. */
static bool take_header(struct vsock_header *header, struct iovec **iov, unsigned *count)
{
	uint8_t *to = (uint8_t *)header;
	size_t left = HEADER;

	for (unsigned i = 0; i < *count && left; i++) {
		size_t n = (*iov)[i].iov_len < left ? (*iov)[i].iov_len : left;

		memcpy(to, (*iov)[i].iov_base, n);
		to += n;
		left -= n;
	}
	if (!left)
		skip(iov, count, HEADER);
	return !left;
}

int vsock_take(struct vsock_device *vsock, struct iovec *iov, unsigned count)
{
	struct vsock_connection *connection;
	struct vsock_header header;
	bool whole;

	if (!take_header(&header, &iov, &count))
		return -EINVAL;
	/* Packets of other addresses are nobody's, and nobody answers. */
	if (header.from_cid != vsock->cid || header.to_cid != VSOCK_HOST)
		return 0;
	if (header.operation != VSOCK_RW)
		header.length = 0;
	whole = cut(iov, &count, header.length);
	connection = find(vsock, header.to_port, header.from_port);
	if (connection &&
	    (header.operation == VSOCK_REQUEST || header.type != VSOCK_STREAM || !whole))
		abort_connection(connection);
	else if (connection)
		take_packet(connection, &header, iov, count);
	else if (header.operation == VSOCK_REQUEST && header.type == VSOCK_STREAM)
		take_request(vsock, &header);
	else if (header.operation != VSOCK_RST)
		refuse(vsock, &header);
	return 0;
}

/* --- packets to the guest --- */

/* Writes a header to the front of iovecs; the bytes of the packet. */
static uint32_t put(const struct iovec *iov, const struct vsock_header *header)
{
	const uint8_t *from = (const uint8_t *)header;
	size_t left = HEADER;

	for (unsigned i = 0; left; i++) {
		size_t n = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(iov[i].iov_base, from, n);
		from += n;
		left -= n;
	}
	return (uint32_t)HEADER + header->length;
}

static struct vsock_header header_of(struct vsock_connection *connection,
				     enum vsock_operation operation)
{
	connection->told = connection->forwarded;
	return (struct vsock_header){
		.from_cid = VSOCK_HOST, .to_cid = connection->vsock->cid,
		.from_port = connection->host_port, .to_port = connection->guest_port,
		.type = VSOCK_STREAM, .operation = (uint16_t)operation,
		.buffer = VSOCK_BUFFER, .forwarded = connection->told,
	};
}

/* Reads into the guest's buffers, behind the header. */
static uint32_t give_data(struct vsock_connection *connection, const struct iovec *place,
			  unsigned count)
{
	struct iovec copy[VIRTQ_CHAIN_MAX], *iov = copy;
	uint32_t most = credit(connection);
	struct vsock_header header;
	ssize_t got;

	memcpy(copy, place, count * sizeof(*copy));
	skip(&iov, &count, HEADER);
	if (!most) {
		connection->starved = true;
		header = header_of(connection, VSOCK_CREDIT_REQUEST);
		return put(place, &header);
	}
	(void)cut(iov, &count, most < PAYLOAD_MAX ? most : PAYLOAD_MAX);
	/* A buffer for a header alone is of no use: it would be taken for the end of the data. */
	got = count ? readv(connection->fd, iov, (int)count) : 0;
	if (got > 0) {
		header = header_of(connection, VSOCK_RW);
		header.length = (uint32_t)got;
		connection->sent += header.length;
		return put(place, &header);
	}
	if (!count)
		abort_connection(connection);
	else if (got < 0 && (errno == EAGAIN || errno == EINTR))
		connection->readable = errno == EINTR;
	else
		end_by_host(connection, got < 0 || connection->hung_up ? VSOCK_ENDED
								       : VSOCK_NO_SEND);
	return 0;
}

/* The first packet that is due. */
static uint32_t give_due(struct vsock_connection *connection, const struct iovec *place)
{
	enum vsock_operation operation = (enum vsock_operation)__builtin_ctz(connection->due);
	struct vsock_header header = header_of(connection, operation);

	connection->due &= (uint8_t)~(1u << operation);
	if (operation == VSOCK_SHUTDOWN)
		header.flags = connection->host_ended;
	if (operation == VSOCK_RST)
		drop(connection);
	return put(place, &header);
}

/* Whether the socket is to be read: it may have something, and the guest wants it. */
static bool has_data(const struct vsock_connection *connection)
{
	return connection->readable && connection->state == VSOCK_OPEN && !connection->starved &&
	       !(connection->ended & VSOCK_NO_RECEIVE) &&
	       !(connection->host_ended & VSOCK_NO_SEND);
}

struct vsock_connection *vsock_next(struct vsock_device *vsock)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		unsigned n = (vsock->turn + i) % VSOCK_CONNECTIONS;
		struct vsock_connection *connection = &vsock->connections[n];

		if (connection->state < VSOCK_CALLING ||
		    (!connection->due && !has_data(connection)))
			continue;
		vsock->turn = (n + 1) % VSOCK_CONNECTIONS;
		return connection;
	}
	return NULL;
}

uint32_t vsock_give(struct vsock_connection *connection, const struct iovec *iov, unsigned count)
{
	return connection->due ? give_due(connection, iov) : give_data(connection, iov, count);
}

uint32_t vsock_give_refusal(struct vsock_device *vsock, const struct iovec *iov)
{
	const struct vsock_refusal *refusal = &vsock->refusals[--vsock->refused];
	const struct vsock_header header = {
		.from_cid = VSOCK_HOST, .to_cid = vsock->cid,
		.from_port = refusal->host_port, .to_port = refusal->guest_port,
		.type = VSOCK_STREAM, .operation = VSOCK_RST,
	};

	return put(iov, &header);
}
