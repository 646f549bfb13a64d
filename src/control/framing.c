/* Lines on a stream socket, and the queue of what goes out. One thread each. */
#include "control/framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILL_SIZE 65536u
#define KEEP_SIZE 65536u /* a buffer that has grown beyond is given back when it is empty */

/* Has room for extra bytes behind data[start + size), moving or growing the buffer. */
static int make_room(char **data, size_t *start, size_t size, size_t *room, size_t extra)
{
	size_t want = size + extra, grown = *room ? *room : 1024;
	char *moved;

	if (*room - *start >= want)
		return 0;
	if (*start >= size && *room >= want) {
		memcpy(*data, *data + *start, size);
		*start = 0;
		return 0;
	}
	while (grown < want + size) /* at least size spare, so that moving stays rare */
		grown *= 2;
	moved = malloc(grown);
	if (!moved)
		return -ENOMEM;
	if (size)
		memcpy(moved, *data + *start, size);
	free(*data);
	*data = moved;
	*start = 0;
	*room = grown;
	return 0;
}

static void give_back(char **data, size_t *room)
{
	if (*room > KEEP_SIZE) {
		free(*data);
		*data = NULL;
		*room = 0;
	}
}

void frame_reader_destroy(struct frame_reader *reader)
{
	free(reader->data);
	*reader = (struct frame_reader){ .limit = reader->limit };
}

bool frame_reader_overflow(const struct frame_reader *reader)
{
	size_t look = reader->size < reader->limit ? reader->size : reader->limit;

	if (reader->size < reader->limit)
		return false;
	return !memchr(reader->data + reader->start, '\n', look);
}

ssize_t frame_reader_fill(struct frame_reader *reader, int fd)
{
	size_t want = FILL_SIZE;
	ssize_t n;

	if (reader->size == 0) {
		reader->start = 0;
		give_back(&reader->data, &reader->room);
	}
	if (frame_reader_overflow(reader))
		return -EMSGSIZE;
	if (make_room(&reader->data, &reader->start, reader->size, &reader->room, want) < 0)
		return -ENOMEM;
	do {
		n = read(fd, reader->data + reader->start + reader->size, want);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	reader->size += (size_t)n;
	return n;
}

char *frame_reader_next(struct frame_reader *reader, size_t *size)
{
	char *line, *end;

	if (reader->size == reader->scanned)
		return NULL;
	line = reader->data + reader->start;
	end = memchr(line + reader->scanned, '\n', reader->size - reader->scanned);
	if (!end) {
		reader->scanned = reader->size;
		return NULL;
	}
	*size = (size_t)(end - line);
	if (*size >= reader->limit)
		return NULL;
	*end = '\0';
	reader->start += *size + 1;
	reader->size -= *size + 1;
	reader->scanned = 0;
	return line;
}

void frame_writer_destroy(struct frame_writer *writer)
{
	free(writer->data);
	*writer = (struct frame_writer){ 0 };
}

static void *reserve(struct frame_writer *writer, size_t size)
{
	if (make_room(&writer->data, &writer->start, writer->size, &writer->room, size) < 0)
		return NULL;
	return writer->data + writer->start + writer->size;
}

int frame_writer_add(struct frame_writer *writer, const void *data, size_t size, size_t limit)
{
	void *to;

	if (size > limit || writer->size > limit - size)
		return -ENOBUFS;
	to = reserve(writer, size);
	if (!to)
		return -ENOMEM;
	memcpy(to, data, size);
	writer->size += size;
	return 0;
}

ssize_t frame_writer_flush(struct frame_writer *writer, int fd)
{
	ssize_t n;

	while (writer->size) {
		n = send(fd, writer->data + writer->start, writer->size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return (ssize_t)writer->size;
		if (n < 0)
			return -errno;
		writer->start += (size_t)n;
		writer->size -= (size_t)n;
	}
	writer->start = 0;
	give_back(&writer->data, &writer->room);
	return 0;
}
