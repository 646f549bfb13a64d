/*
 * libFuzzer: frames in a stream that comes in pieces. The first byte says how large the pieces
 * are; what is found must be what the whole says, however it was cut.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "lib/fuzz.h"
#include "net/frame/frame.h"
#include "net/port/stream_frames.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("\001\0\0\0\016aaaaaabbbbbb\010\006\0\0\0\017aaaaaabbbbbb\010\0ff"),
	SEED("\007\0\0\0\001a\0\0\0\002bb\0\0\0\0"),
	SEED("\377\0\0\0\001a\377\377\377\377\0\0\0\002bb"),
	SEED("\003\0\001\0\016aaaa"),
	{ NULL, 0 },
};

/* Compares the next frames with the whole, from *at on. False: there is nothing more to come. */
static bool compare(struct stream_frames *frames, const uint8_t *whole, size_t end, size_t *at)
{
	const uint8_t *frame;
	size_t size;
	int result;

	while ((result = stream_frames_next(frames, &frame, &size)) > 0) {
		REQUIRE(end - *at >= STREAM_PREFIX && size == get_be32(whole + *at));
		REQUIRE(size && size <= NET_FRAME_MAX && end - *at - STREAM_PREFIX >= size);
		REQUIRE(!memcmp(frame, whole + *at + STREAM_PREFIX, size));
		*at += STREAM_PREFIX + size;
	}
	if (result == -EPROTO) {
		REQUIRE(end - *at >= STREAM_PREFIX && size == get_be32(whole + *at));
		REQUIRE(!size || size > NET_FRAME_MAX);
		return false;
	}
	REQUIRE(result == 0);
	REQUIRE(end - *at < STREAM_PREFIX ||
		end - *at - STREAM_PREFIX < get_be32(whole + *at));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_frames frames;
	size_t at = 0, end = 0, piece;

	if (!size || stream_frames_init(&frames) < 0)
		return 0;
	piece = data[0] == 0xff ? SIZE_MAX : data[0] + 1u;
	data++;
	size--;
	do {
		size_t room, part = size - end < piece ? size - end : piece;
		uint8_t *to = stream_frames_room(&frames, &room);

		REQUIRE(room);
		if (part > room)
			part = room;
		memcpy(to, data + end, part);
		stream_frames_add(&frames, part);
		end += part;
	} while (compare(&frames, data, end, &at) && end < size);
	stream_frames_destroy(&frames);
	return 0;
}
