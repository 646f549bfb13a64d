/* Bytes out of what lies in pieces. Pure; any thread. */
#include "net/frame/pieces.h"

uint32_t pieces_take(struct iovec **iov, unsigned *count, void *to, uint32_t length)
{
	uint32_t taken = 0;

	while (*count && taken < length) {
		uint32_t n = length - taken;

		if (n > (*iov)->iov_len)
			n = (uint32_t)(*iov)->iov_len;
		memcpy((uint8_t *)to + taken, (*iov)->iov_base, n);
		taken += n;
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
		if (!(*iov)->iov_len) {
			(*iov)++;
			(*count)--;
		}
	}
	return taken;
}

size_t net_frame_read(struct net_frame_reader *reader, void *to, size_t size)
{
	const struct net_frame *frame = reader->frame;
	size_t done = 0;

	while (!net_frame_is_read(reader)) {
		const struct iovec *piece = reader->part ? &frame->rest[reader->part - 1] : NULL;
		const uint8_t *base = piece ? piece->iov_base : frame->head;
		size_t there = piece ? piece->iov_len : frame->head_size;
		size_t n = there - reader->used;

		if (n > size - done)
			n = size - done;
		memcpy((uint8_t *)to + done, base + reader->used, n);
		done += n;
		reader->used += n;
		if (reader->used < there)
			break;
		reader->part++;
		reader->used = 0;
	}
	return done;
}
