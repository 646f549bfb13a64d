/*
 * Bytes out of what lies in pieces: iovecs, and frames. The caller knows that the
 * memory is there. Any thread.
 */
#ifndef NET_FRAME_PIECES_H
#define NET_FRAME_PIECES_H

#include <stdbool.h>

#include "net/frame/frame.h"

/* Takes length bytes off the front of the iovecs, into to; returns how many were there. */
uint32_t pieces_take(struct iovec **iov, unsigned *count, void *to, uint32_t length);

/* How far a frame has been read: its head, then its rest. part and used are 0 at first. */
struct net_frame_reader {
	const struct net_frame *frame;
	unsigned part; /* 0: head; n: rest[n - 1] */
	size_t used;   /* bytes of it */
};

/* Copies the next size bytes, fewer at the frame's end; returns how many. */
size_t net_frame_read(struct net_frame_reader *reader, void *to, size_t size);

/* Whether all of the frame has been read. */
static inline bool net_frame_is_read(const struct net_frame_reader *reader)
{
	return reader->part > reader->frame->rest_count;
}

#endif
