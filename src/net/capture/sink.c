/*
 * Where a capture's records go: pcapng to a file, a pipe or a socket, or
 * batches to a function. The writer's thread.
 *
 * A file is written in large pieces, waiting for the disk. Anything else is
 * never waited for: whole blocks are kept in a bounded buffer, and packets
 * that it has no room for are lost and counted, so the stream stays valid.
 * After the first of them the capture is stalled until half of that buffer is
 * free again.
 */
#include "net/capture/capture_private.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/capture/pcapng.h"

#define WRITE_SIZE (256u * 1024)       /* gathered before it is written */
#define STREAM_LIMIT (4u * 1024 * 1024) /* packets waiting for a slow reader */
#define STREAM_ROOM (2 * STREAM_LIMIT + 1024 * 1024)
#define PIPE_SIZE (1024 * 1024)
#define PCAPNG_GROWTH 3u /* a recorded frame, the shortest too, becomes no more than so much longer */
#define APPLICATION PACKAGE_STRING

#define KNOWN_UNWANTED 1u
#define KNOWN_WANTED 2u /* no interface block yet */
#define KNOWN_FIRST 3u	/* the interface's number is what is beyond */

int capture_sink_open(struct sink *sink, int fd, struct cause *cause)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	sink->fd = fd;
	if (flags < 0 || fstat(fd, &st))
		return cause_errno(cause, errno, "capture: file descriptor %d", fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return cause_set(cause, EBADF, "capture: file descriptor %d is not for writing",
				 fd);
	sink->regular = S_ISREG(st.st_mode);
	sink->is_socket = S_ISSOCK(st.st_mode);
	if (sink->regular) {
		sink->base = lseek(fd, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
		sink->room = WRITE_SIZE + PCAPNG_PACKET_MAX(CAPTURE_SNAP_MAX) +
			     PCAPNG_INTERFACE_MAX;
	} else {
		if (!sink->is_socket && fcntl(fd, F_SETFL, flags | O_NONBLOCK))
			return cause_errno(cause, errno, "capture: file descriptor %d", fd);
		if (S_ISFIFO(st.st_mode))
			(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* helps, if it is granted */
		sink->room = STREAM_ROOM;
		sink->limit = STREAM_LIMIT;
	}
	sink->mark = WRITE_SIZE;
	sink->buffer = malloc(sink->room);
	return sink->buffer ? 0 : cause_errno(cause, ENOMEM, "capture: buffer");
}

void capture_sink_widen(struct capture *capture, uint64_t bytes)
{
	struct sink *sink = &capture->sink;
	size_t more = bytes * PCAPNG_GROWTH;
	uint8_t *buffer;

	if (capture->records || sink->regular || capture->state == CAPTURE_OVER)
		return;
	buffer = realloc(sink->buffer, sink->room + more);
	if (!buffer)
		return;
	sink->buffer = buffer;
	sink->room += more;
	sink->limit += more;
}

void capture_sink_close(struct sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	free(sink->buffer);
	sink->fd = -1;
	sink->buffer = NULL;
}

/* The capture ends by itself: error 0: its reader went away. */
static void end(struct capture *capture, int error)
{
	char link[64], path[256];
	struct cause cause = { "" };
	ssize_t size;

	capture->state = CAPTURE_OVER;
	pthread_mutex_lock(&capture->hub->lock);
	capture->over = true;
	capture_hub_update_taps(capture->hub);
	pthread_mutex_unlock(&capture->hub->lock);
	if (!capture->ended)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", capture->sink.fd);
	size = readlink(link, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = 0;
	if (error)
		cause_errno(&cause, error, "%s: the capture ended, because it cannot be written",
			    *path ? path : "capture");
	else
		cause_set(&cause, EPIPE, "the capture's reader went away");
	capture->ended(capture->arg, -error, &cause);
}

/* Rare: once for every half of a full buffer at most. */
static void set_stalled(struct capture *capture, bool stalled)
{
	pthread_mutex_lock(&capture->hub->lock);
	capture->stalled = stalled;
	capture_hub_update_taps(capture->hub);
	pthread_mutex_unlock(&capture->hub->lock);
}

/* A file took only the first written bytes of the buffer: cuts it after their last whole block. */
static void cut(struct capture *capture, size_t written)
{
	struct sink *sink = &capture->sink;
	size_t at = sink->start, whole = at;
	uint64_t lost = 0;

	while (at < sink->end) {
		uint32_t type, size;

		pcapng_block(sink->buffer + at, &type, &size);
		at += size;
		if (at <= written)
			whole = at;
		else if (type == PCAPNG_BLOCK_PACKET)
			lost++;
	}
	/* If it cannot be cut, readers report a truncated last packet; nothing better is left. */
	if (ftruncate(sink->fd, sink->base + (int64_t)whole))
		whole = written;
	counter_add(&capture->count_dropped, lost);
	counter_add(&capture->count_records, -lost);
	counter_add(&capture->count_bytes, whole);
}

static void flush_file(struct capture *capture)
{
	struct sink *sink = &capture->sink;
	size_t at = 0;

	while (at < sink->end) {
		ssize_t size = write(sink->fd, sink->buffer + at, sink->end - at);
		int error = errno;

		if (size < 0 && error == EINTR)
			continue;
		if (size <= 0) {
			cut(capture, at);
			end(capture, size < 0 ? error : ENOSPC);
			return;
		}
		at += (size_t)size;
	}
	counter_add(&capture->count_bytes, at);
	sink->base += (int64_t)at;
	sink->end = 0;
}

static void write_stream(struct capture *capture)
{
	struct sink *sink = &capture->sink;

	sink->blocked = false;
	while (sink->start < sink->end) {
		const uint8_t *data = sink->buffer + sink->start;
		size_t size = sink->end - sink->start;
		ssize_t done = sink->is_socket ?
				       send(sink->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) :
				       write(sink->fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			sink->blocked = true;
			sink->mark = sink->start + sink->limit;
			if (sink->mark > sink->room)
				sink->mark = sink->room;
			return;
		}
		if (done < 0) {
			end(capture, errno == EPIPE || errno == ECONNRESET ? 0 : errno);
			return;
		}
		counter_add(&capture->count_bytes, (uint64_t)done);
		sink->start += (size_t)done;
	}
	sink->start = sink->end = 0;
	sink->mark = WRITE_SIZE;
}

static void flush_stream(struct capture *capture)
{
	const struct sink *sink = &capture->sink;

	write_stream(capture);
	if (capture->stalled && sink->end - sink->start <= sink->limit / 2)
		set_stalled(capture, false);
}

void capture_sink_flush(struct capture *capture)
{
	if (capture->state == CAPTURE_OVER)
		return;
	if (capture->records)
		capture_sink_flush_batch(capture);
	else if (capture->sink.regular)
		flush_file(capture);
	else
		flush_stream(capture);
}

void capture_sink_flush_batch(struct capture *capture)
{
	if (!capture->batch_count)
		return;
	capture->records(capture->arg, capture->batch, capture->batch_count);
	counter_add(&capture->count_records, capture->batch_count);
	capture->batch_count = 0;
}

void capture_sink_ready(struct capture *capture, bool gone)
{
	if (capture->state != CAPTURE_OVER)
		flush_stream(capture);
	if (gone && capture->state != CAPTURE_OVER)
		end(capture, 0);
}

/* Room for need bytes, which are not simply there; see reserve(). */
static uint8_t *make_room(struct capture *capture, size_t need, bool packet)
{
	struct sink *sink = &capture->sink;

	if (sink->regular) {
		flush_file(capture);
		return capture->state == CAPTURE_OVER ? NULL : sink->buffer + sink->end;
	}
	if (!sink->blocked)
		flush_stream(capture);
	if (capture->state == CAPTURE_OVER ||
	    (packet && sink->end - sink->start + need > sink->limit))
		return NULL;
	if (sink->end + need > sink->room) {
		memmove(sink->buffer, sink->buffer + sink->start, sink->end - sink->start);
		sink->end -= sink->start;
		sink->start = 0;
	}
	return sink->end + need > sink->room ? NULL : sink->buffer + sink->end;
}

/* Room for a block of at most need bytes, or NULL: it is lost, or the capture is over. */
static inline uint8_t *reserve(struct capture *capture, size_t need, bool packet)
{
	struct sink *sink = &capture->sink;

	if (capture->state != CAPTURE_OVER && sink->end + need <= sink->mark)
		return sink->buffer + sink->end;
	return make_room(capture, need, packet);
}

bool capture_sink_put_section(struct capture *capture)
{
	uint8_t *out;

	if (capture->records)
		return true;
	out = reserve(capture, PCAPNG_INTERFACE_MAX, false);
	if (out)
		capture->sink.end += pcapng_section(out, APPLICATION);
	return out;
}

static bool more_interfaces(struct capture *capture)
{
	uint32_t room = capture->interface_room ? capture->interface_room * 2 : 8;
	struct interface *more;

	if (capture->interface_count < capture->interface_room)
		return true;
	more = realloc(capture->interfaces, room * sizeof(*more));
	if (!more)
		return false;
	capture->interfaces = more;
	capture->interface_room = room;
	return true;
}

bool capture_sink_put_interface(struct capture *capture, const struct capture_tap *tap)
{
	struct pcapng_interface interface = { .name = tap->name, .description = tap->switch_name,
					      .filter = capture->expression,
					      .snap = capture->snap };
	static const uint8_t none[NET_MAC_SIZE];
	uint8_t *out;

	if (tap->id >= capture->known_room || capture->known[tap->id] >= KNOWN_FIRST)
		return tap->id < capture->known_room;
	if (!more_interfaces(capture))
		return false;
	if (!capture->records) {
		out = reserve(capture, PCAPNG_INTERFACE_MAX, false);
		if (!out)
			return false;
		if (memcmp(tap->mac, none, sizeof(none)))
			interface.mac = tap->mac;
		capture->sink.end += pcapng_interface(out, &interface);
	}
	memset(&capture->interfaces[capture->interface_count], 0, sizeof(struct interface));
	capture->known[tap->id] = KNOWN_FIRST + capture->interface_count++;
	return true;
}

uint32_t capture_sink_interface(struct capture *capture, const struct capture_tap *tap)
{
	uint32_t *known;

	if (tap->id >= capture->known_room)
		return NO_INTERFACE;
	known = &capture->known[tap->id];
	if (!*known)
		*known = capture_wants(capture, tap) ? KNOWN_WANTED : KNOWN_UNWANTED;
	if (*known == KNOWN_UNWANTED ||
	    (*known == KNOWN_WANTED && !capture_sink_put_interface(capture, tap)))
		return NO_INTERFACE;
	return *known - KNOWN_FIRST;
}

static void add_lost(struct capture *capture, uint32_t number, uint64_t lost)
{
	capture->interfaces[number].received += lost;
	capture->interfaces[number].dropped += lost;
	capture->interfaces[number].pending += lost;
	counter_add(&capture->count_dropped, lost);
}

void capture_sink_lost(struct capture *capture, const struct capture_tap *tap, uint64_t lost)
{
	uint32_t number = capture_sink_interface(capture, tap);

	if (number != NO_INTERFACE)
		add_lost(capture, number, lost);
}

void capture_sink_passed_over(struct capture *capture, const struct capture_tap *tap,
			      uint64_t count)
{
	uint32_t number = capture_sink_interface(capture, tap);

	if (number != NO_INTERFACE)
		capture->interfaces[number].received += count;
}

bool capture_sink_missed(struct capture *capture, uint64_t lost)
{
	if (capture->interface_count)
		add_lost(capture, 0, lost);
	return capture->interface_count;
}

static void put_packet(struct capture *capture, uint32_t number, bool outbound,
		       const struct capture_record *record, uint32_t captured)
{
	struct interface *interface = &capture->interfaces[number];
	uint8_t *out = capture->stalled ? NULL :
					  reserve(capture, PCAPNG_PACKET_MAX(captured), true);
	struct pcapng_packet packet = {
		.interface = number,
		.time_ns = record->time_ns,
		.size = record->size,
		.captured = captured,
		.data = record->data,
		.outbound = outbound,
		.lost = interface->pending,
	};
	char comment[48];

	interface->accepted++;
	if (!out) {
		if (capture->state == CAPTURE_OVER)
			return;
		interface->dropped++;
		interface->pending++;
		counter_add(&capture->count_dropped, 1);
		if (!capture->stalled)
			set_stalled(capture, true);
		return;
	}
	if (record->verdict != NET_FORWARD)
		packet.verdict = net_verdict_name(record->verdict);
	if (record->verdict >= NET_DROP_SHORT) {
		snprintf(comment, sizeof(comment), "dropped: %s",
			 net_verdict_name(record->verdict));
		packet.comment = comment;
	}
	capture->sink.end += pcapng_packet(out, &packet);
	interface->pending = 0;
	counter_add(&capture->count_records, 1);
}

void capture_sink_put_record(struct capture *capture, uint32_t number, bool outbound,
			     const struct capture_record *record)
{
	uint32_t captured = record->captured < capture->snap ? record->captured : capture->snap;

	capture->interfaces[number].received++;
	if (!filter_match(&capture->filter, record->data, record->captured, record->size))
		return;
	if (!capture->records) {
		put_packet(capture, number, outbound, record, captured);
		return;
	}
	capture->batch[capture->batch_count] = *record;
	capture->batch[capture->batch_count++].captured = captured;
	if (capture->batch_count == BATCH_MAX)
		capture_sink_flush_batch(capture);
}

bool capture_sink_put_names(struct capture *capture, const struct pcapng_name *names,
			    unsigned count)
{
	uint8_t *out = reserve(capture, PCAPNG_INTERFACE_MAX, false);

	if (out)
		capture->sink.end += pcapng_names(out, names, count);
	return out;
}

void capture_sink_put_statistics(struct capture *capture, uint64_t start_ns, uint64_t end_ns)
{
	if (capture->records)
		return;
	for (uint32_t i = 0; i < capture->interface_count; i++) {
		struct pcapng_statistics statistics = {
			.interface = i,
			.start_ns = start_ns,
			.end_ns = end_ns,
			.received = capture->interfaces[i].received,
			.dropped = capture->interfaces[i].dropped,
			.accepted = capture->interfaces[i].accepted,
		};
		uint8_t *out = reserve(capture, 128, false);

		if (!out)
			return;
		capture->sink.end += pcapng_statistics(out, &statistics);
	}
}
