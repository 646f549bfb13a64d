/*
 * Frames in a stream of bytes: each behind its length, 32 bits, most significant byte first, as
 * QEMU's "-netdev stream" has them. The peer may send anything. Pure; one thread at a time.
 */
#ifndef NET_PORT_STREAM_FRAMES_H
#define NET_PORT_STREAM_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_PREFIX 4u
#define STREAM_ROOM (256u * 1024) /* several frames of the largest size */

struct stream_frames {
	uint8_t *bytes; /* STREAM_ROOM */
	size_t start, end; /* what is yet to be taken apart */
};

int stream_frames_init(struct stream_frames *frames); /* 0 or -ENOMEM */
void stream_frames_destroy(struct stream_frames *frames); /* valid for all zero */
void stream_frames_clear(struct stream_frames *frames);	  /* another stream begins */

/* Where bytes of the stream go next, and how many at most: at least one, once next() has said 0. */
uint8_t *stream_frames_room(struct stream_frames *frames, size_t *size);
void stream_frames_add(struct stream_frames *frames, size_t size);

/*
 * 1: the next frame, until room() is called; it has 1 to NET_FRAME_MAX bytes. 0: it is not
 * complete. -EPROTO: *size is a length that no frame has, and nothing makes sense any more.
 */
int stream_frames_next(struct stream_frames *frames, const uint8_t **frame, size_t *size);

#endif
