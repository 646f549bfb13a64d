/* See stream_frames.h. */
#include "net/port/stream_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/frame/frame.h"

_Static_assert(STREAM_ROOM >= 2 * (STREAM_PREFIX + NET_FRAME_MAX), "a frame always fits");

int stream_frames_init(struct stream_frames *frames)
{
	*frames = (struct stream_frames){ .bytes = malloc(STREAM_ROOM) };
	return frames->bytes ? 0 : -ENOMEM;
}

void stream_frames_destroy(struct stream_frames *frames)
{
	free(frames->bytes);
	frames->bytes = NULL;
}

void stream_frames_clear(struct stream_frames *frames)
{
	frames->start = frames->end = 0;
}

uint8_t *stream_frames_room(struct stream_frames *frames, size_t *size)
{
	/* What is left is less than a frame. */
	memmove(frames->bytes, frames->bytes + frames->start, frames->end - frames->start);
	frames->end -= frames->start;
	frames->start = 0;
	*size = STREAM_ROOM - frames->end;
	return frames->bytes + frames->end;
}

void stream_frames_add(struct stream_frames *frames, size_t size)
{
	frames->end += size;
}

int stream_frames_next(struct stream_frames *frames, const uint8_t **frame, size_t *size)
{
	const uint8_t *at = frames->bytes + frames->start;
	size_t left = frames->end - frames->start;

	if (left < STREAM_PREFIX)
		return 0;
	*size = get_be32(at);
	if (!*size || *size > NET_FRAME_MAX)
		return -EPROTO;
	if (left - STREAM_PREFIX < *size)
		return 0;
	*frame = at + STREAM_PREFIX;
	frames->start += STREAM_PREFIX + *size;
	return 1;
}
