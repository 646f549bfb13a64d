/*
 * libFuzzer: the shared memory of a channel, written to by a peer that does as
 * it likes, between the steps of a reader and a writer that keep to the rules.
 * What they are given lies inside the rings.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "sandbox/channel.h"

#define RING 4096u

const struct fuzz_seed fuzz_seeds[] = {
	{ "\0\0\0\0\20\2\0\0\0\0\0\0\20\4\0\0\0\0\10\5\0\0\0\0\0\7\0\0\0\0\0", 31 },
	{ "\0\0\0\0\1\1\0\0\0\0\5\0\0\0\377\5\0\0\1\0\3\0\0\0\1\6\0\0\0\144\7\0\0\0\0", 35 },
	{ "\2\0\0\377\377\0\0\0\20\0\4\0\0\0\0\5\0\0\0\0\4\0\0\0\0\5\0\0\0\0", 30 },
	{ NULL, 0 },
};

static uint8_t copy[RING];

static void take(struct channel_reader *in, uint32_t value)
{
	uint32_t size, mark;

	if (channel_next(in, &size, &mark) != 1)
		return;
	if (size > channel_record_max(RING))
		abort();
	channel_copy(in, copy, size);
	if (value & 1)
		channel_drop(in);
	if (value & 2)
		channel_release(in);
}

static void put(struct channel_writer *out, uint32_t size)
{
	uint8_t *room = channel_reserve(out, size);

	if (!room)
		return;
	if (room < out->bytes || room + size > out->bytes + 2 * RING)
		abort();
	memset(room, 0x55, size);
	channel_commit(out, size, size);
}

static void step(struct channel *channel, uint8_t what, uint32_t value)
{
	struct channel_page *page = channel->page;

	switch (what % 8) {
	case 0:
		atomic_store(&page->from_process.head, value);
		break;
	case 1:
		atomic_store(&page->to_process.tail, value);
		break;
	case 2:
		/* The mapping is ours to write, too: the peer's end of the ring. */
		memcpy((uint8_t *)(uintptr_t)channel->in.bytes + (value & (RING - 8)), &value, 4);
		break;
	case 3:
		put(&channel->out, value & (RING - 1));
		break;
	case 4:
	case 5:
		take(&channel->in, value);
		break;
	case 6:
		if (channel_used(&channel->out) > RING)
			abort();
		channel_wait_for_room(&channel->out, value);
		break;
	case 7:
		channel_publish(&channel->out);
		channel_wait_for_record(&channel->in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct channel_layout layout = { .to_process = RING, .from_process = RING };
	static struct channel channel;
	uint32_t value;

	if (!channel.memory && channel_create(&channel, &layout, NULL) < 0)
		abort();
	memset(channel.memory, 0, 4096);
	memset(channel.out.bytes, 0, RING);
	memset((uint8_t *)(uintptr_t)channel.in.bytes, 0, RING);
	channel.out.head = channel.out.tail = channel.in.head = channel.in.tail = 0;
	for (; size >= 5; data += 5, size -= 5) {
		memcpy(&value, data + 1, sizeof(value));
		step(&channel, data[0], value);
	}
	return 0;
}
