/*
 * Lines on a stream socket: a reader that cuts the incoming bytes into lines
 * of bounded length, and a bounded queue of bytes that wait to go out. Neither
 * ever waits when its socket is non-blocking. One thread each.
 */
#ifndef CONTROL_FRAMING_H
#define CONTROL_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All zero but limit: ready for use. */
struct frame_reader {
	char *data;
	size_t start, size; /* the unread bytes are data[start .. start + size) */
	size_t room;	    /* allocated */
	size_t scanned;	    /* bytes after start known to hold no newline */
	size_t limit;	    /* of one line, its newline included */
};

void frame_reader_destroy(struct frame_reader *reader);

/*
 * Reads once from fd, up to 64 KiB. Returns the number of bytes, 0 at the end of the
 * stream, -EAGAIN, -EMSGSIZE when a line beyond the limit is waiting, -ENOMEM, or
 * read's error.
 */
ssize_t frame_reader_fill(struct frame_reader *reader, int fd);

/*
 * Takes the next line, without its newline and zero-terminated in place; valid until
 * the next call of either function. NULL when there is no whole line.
 */
char *frame_reader_next(struct frame_reader *reader, size_t *size);

/* Whether the line that is coming is longer than the limit already. */
bool frame_reader_overflow(const struct frame_reader *reader);

/* All zero: ready for use. */
struct frame_writer {
	char *data;
	size_t start, size, room;
};

void frame_writer_destroy(struct frame_writer *writer);

/* Queues bytes. 0, -ENOBUFS when more than limit would wait, -ENOMEM. */
int frame_writer_add(struct frame_writer *writer, const void *data, size_t size, size_t limit);

/* Sends what the socket takes. Returns the bytes still queued, or a negative errno. */
ssize_t frame_writer_flush(struct frame_writer *writer, int fd);

#endif
