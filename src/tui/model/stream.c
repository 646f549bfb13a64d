/* Following a TCP connection (RFC 9293 §3.4). Pure. */
#include "tui/model/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One way of it. */
struct way {
	bool known;    /* next is */
	uint32_t next; /* the sequence number that comes next */
};

struct reading {
	struct stream *stream;
	struct way ways[2];
	bool open; /* the last line goes on */
};

static bool grow(void **at, size_t *room, size_t want, size_t size)
{
	size_t more = *room ? 2 * *room : 4096;
	void *grown;

	if (want <= *room)
		return true;
	while (more < want)
		more *= 2;
	grown = realloc(*at, more * size);
	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}

/* A zero is behind what is there at any time. */
static bool put(struct stream *stream, char c)
{
	void *text = stream->text;

	if (!grow(&text, &stream->room, stream->used + 2, 1))
		return false;
	stream->text = text;
	stream->text[stream->used++] = c;
	stream->text[stream->used] = '\0';
	return true;
}

static bool begin_line(struct stream *stream, enum stream_kind kind)
{
	void *lines = stream->lines, *text = stream->text;

	if (stream->count == STREAM_LINES_MAX || !grow(&text, &stream->room, stream->used + 2, 1))
		return false;
	stream->text = text;
	stream->text[stream->used] = '\0';
	if (stream->count && !put(stream, '\0'))
		return false;
	if (!grow(&lines, &stream->lines_room, stream->count + 1, sizeof(*stream->lines)))
		return false;
	stream->lines = lines;
	stream->lines[stream->count++] = (struct stream_line){ stream->used, 0, kind };
	return true;
}

/* The byte as it is shown; a TAB is a blank, and what steers a terminal a dot. */
static char shown(uint8_t byte)
{
	return byte == '\t' ? ' ' : byte < 0x20 || byte == 0x7f ? '.' : (char)byte;
}

static bool add_bytes(struct reading *reading, enum stream_kind kind, const uint8_t *data,
		      size_t size)
{
	struct stream *stream = reading->stream;

	for (size_t i = 0; i < size; i++) {
		struct stream_line *last = stream->count ? &stream->lines[stream->count - 1] : NULL;

		if (data[i] == '\r' && i + 1 < size && data[i + 1] == '\n')
			continue;
		if ((!reading->open || !last || last->kind != kind || last->size >= STREAM_LINE) &&
		    !begin_line(stream, kind))
			return false;
		reading->open = data[i] != '\n';
		if (!reading->open)
			continue;
		if (!put(stream, shown(data[i])))
			return false;
		stream->lines[stream->count - 1].size++;
	}
	return true;
}

static bool note(struct reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool note(struct reading *reading, const char *format, ...)
{
	char text[96];
	va_list ap;
	bool done;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	reading->open = false;
	done = add_bytes(reading, STREAM_NOTE, (const uint8_t *)text, strlen(text));
	reading->open = false;
	return done;
}

/* Takes what is new of a segment. */
static bool add_segment(struct reading *reading, const struct packet *packet,
			const struct flow *flow, enum stream_kind kind)
{
	struct way *way = &reading->ways[kind];
	uint32_t sequence = flow->sequence + (flow->flags & FLOW_SYN ? 1 : 0), old;
	size_t size = flow->payload_size, here, at = flow->payload_at;

	if (flow->flags & FLOW_SYN) { /* a new connection of the same ends, maybe */
		way->next = sequence;
		way->known = true;
	}
	if (size == 0)
		return true; /* a FIN counts as a byte, and is none */
	if (!way->known)
		way->next = sequence;
	way->known = true;
	old = way->next - sequence;
	if (old < UINT32_MAX / 2) { /* some of it was there before */
		if (old >= size)
			return true;
		at += old;
		size -= old;
	} else if (!note(reading, "[missing: %u bytes]", sequence - way->next)) {
		return false;
	}
	way->next = sequence + (uint32_t)flow->payload_size;
	*(kind == STREAM_THERE ? &reading->stream->there : &reading->stream->back) += size;
	here = at < packet->captured ? packet->captured - at : 0;
	here = here < size ? here : size;
	return add_bytes(reading, kind, packet->data + (at < packet->captured ? at : 0), here) &&
	       (here == size || note(reading, "[not kept: %zu bytes]", size - here));
}

void stream_read(struct stream *stream, const struct netmodel *model, const struct flow *flow)
{
	struct reading reading = { .stream = stream };
	uint64_t count = model->shown.count;
	uint64_t n = count > NETMODEL_PACKETS ? count - NETMODEL_PACKETS : 0;

	memset(stream, 0, sizeof(*stream));
	for (; n < count && !stream->cut; n++) {
		const struct packet *packet = netmodel_packet(model, n);
		struct flow own;
		int same;

		if (!packet || !flow_read(&own, packet->data, packet->captured) || !own.ports)
			continue;
		same = flow_same(flow, &own);
		if (same)
			stream->cut = !add_segment(&reading, packet, &own, same > 0 ?
							       STREAM_THERE : STREAM_BACK);
	}
}

void stream_free(struct stream *stream)
{
	free(stream->text);
	free(stream->lines);
	memset(stream, 0, sizeof(*stream));
}
