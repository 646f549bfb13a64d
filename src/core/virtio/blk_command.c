/* See blk_command.h. */
#include "core/virtio/blk_command.h"

#include <linux/virtio_blk.h>
#include <string.h>

#define HEADER_SIZE 16u

/* Drops the first size bytes of an array of iovecs that has at least as many. */
static void skip(struct iovec **iov, unsigned *count, size_t size)
{
	while (size && size >= (*iov)->iov_len) {
		size -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (size) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + size;
		(*iov)->iov_len -= size;
	}
}

bool blk_command_take(struct blk_command *command, void *to, uint32_t size)
{
	uint8_t *at = to;
	size_t left = size;

	if (command->out_size < size)
		return false;
	for (unsigned i = 0; left; i++) {
		size_t piece = command->out[i].iov_len < left ? command->out[i].iov_len : left;

		memcpy(at, command->out[i].iov_base, piece);
		at += piece;
		left -= piece;
	}
	skip(&command->out, &command->out_count, size);
	command->out_size -= size;
	return true;
}

uint32_t blk_command_give(const struct blk_command *command, const void *from, uint32_t size)
{
	uint32_t written = 0;

	for (unsigned i = 0; i < command->in_count && written < size; i++) {
		uint32_t room = size - written;
		size_t piece = command->in[i].iov_len < room ? command->in[i].iov_len : room;

		memcpy(command->in[i].iov_base, (const uint8_t *)from + written, piece);
		written += (uint32_t)piece;
	}
	return written;
}

bool blk_command_parse(struct blk_command *command, struct iovec *iov)
{
	const struct virtq_chain *chain = &command->chain;
	struct virtio_blk_outhdr header;
	struct iovec *last;

	command->out = iov;
	command->out_count = chain->read_count;
	command->out_size = chain->read_size;
	command->in = iov + chain->read_count;
	command->in_count = chain->write_count;
	command->in_size = chain->write_size;
	if (!command->in_size || !blk_command_take(command, &header, HEADER_SIZE))
		return false;
	last = &command->in[command->in_count - 1];
	command->status = (uint8_t *)last->iov_base + --last->iov_len;
	command->in_size--;
	if (!last->iov_len)
		command->in_count--;
	command->type = header.type;
	command->sector = header.sector;
	return true;
}

unsigned blk_join(struct iovec *iov, unsigned count)
{
	unsigned last = 0;

	if (!count)
		return 0;
	for (unsigned i = 1; i < count; i++) {
		if ((uint8_t *)iov[last].iov_base + iov[last].iov_len == iov[i].iov_base)
			iov[last].iov_len += iov[i].iov_len;
		else
			iov[++last] = iov[i];
	}
	return last + 1;
}
