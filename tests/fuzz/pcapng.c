/*
 * libFuzzer: what a deck sends as a capture, made into files. The first byte says as what: 1 is
 * classic pcap. What is written consists of whole blocks, no more than came.
 */
#include <string.h>

#include "cli/pcapng.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }
#define SECTION "\n\r\r\n\034\0\0\0M<+\032\1\0\0\0\377\377\377\377\377\377\377\377\034\0\0\0"
#define INTERFACE "\1\0\0\0\024\0\0\0\1\0\0\0\377\377\0\0\024\0\0\0"
#define PACKET "\6\0\0\0\064\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\4\0\0\0\4\0\0\0abcd" \
	       "\4\0\010\0\7\0\0\0\0\0\0\0\0\0\0\0\064\0\0\0"
#define STATISTICS "\5\0\0\0\050\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\5\0\010\0\7\0\0\0\0\0" \
		   "\0\0\0\0\0\0\050\0\0\0"

const struct fuzz_seed fuzz_seeds[] = {
	SEED("\0" SECTION INTERFACE PACKET PACKET STATISTICS),
	SEED("\1" SECTION INTERFACE PACKET PACKET STATISTICS),
	{ NULL, 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcapng_shape *shape;
	size_t at = 1, out = 0, whole, block;
	uint8_t *copy, *tail;
	uint64_t packets;

	if (!size)
		return 0;
	shape = calloc(1, sizeof(*shape));
	copy = malloc(size);
	memcpy(copy, data, size);
	shape->classic = data[0] == 1;
	while ((block = pcapng_block_size(copy + at, size - at)) && block <= size - at) {
		out += pcapng_shape_block(shape, copy + out, copy + at, block);
		at += block;
		REQUIRE(out <= at);
	}
	packets = pcapng_shape_whole(shape, copy, out, true, &whole);
	REQUIRE(packets <= shape->packets && whole <= out);
	for (size_t cut = 0; cut < out; cut += 7)
		REQUIRE(pcapng_shape_whole(shape, copy, cut, true, &whole) <= packets &&
			whole <= cut);
	tail = malloc(PCAPNG_TAIL_SIZE(shape->interface_count) + 1);
	REQUIRE(pcapng_shape_tail(shape, tail) <= PCAPNG_TAIL_SIZE(shape->interface_count));
	free(tail);
	pcapng_shape_destroy(shape);
	free(shape);
	free(copy);
	return 0;
}
