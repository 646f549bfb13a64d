/*
 * libFuzzer: packet filters from both ends: an expression as a client sends it,
 * rewritten word by word, and a program as a compiler that somebody has taken
 * over could answer, run on a packet. A byte says how long the program is, what
 * follows it is the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "base/filter.h"
#include "net/capture/filter_words.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("\0host 10.0.2.15 and (port https or ether proto \\ip6) and tcp[13] & 2 != 0"),
	SEED("\0ip6 host ::1 or ether host 52-54-00-12-34-56 or portrange 1-9 or proto \\tcp"),
	SEED("\3\x28\0\0\0\x0c\0\0\0\x15\0\0\0\0\x08\0\0\x06\0\0\0\xff\xff\0\0packet of some bytes"),
	SEED("\5\xb1\0\0\0\x0e\0\0\0\x48\0\0\0\x10\0\0\0\x03\0\0\0\x0f\0\0\0"
	     "\x05\0\0\0\xfe\xff\xff\xff\x16\0\0\0\0\0\0\0\x45\0\0\x1c"),
	{ NULL, 0 },
};

static void rewrite(const uint8_t *data, size_t size)
{
	char out[FILTER_REWRITTEN_MAX], *text = malloc(size + 1);
	struct cause cause = { "" };

	memcpy(text, data, size);
	text[size] = '\0';
	if (filter_rewrite(out, sizeof(out), text, &cause) && !cause.text[0])
		abort();
	free(text);
}

/* Its head tells no more than the whole, and a memo no more than the head. */
static void look(const struct filter *filter, const uint8_t *packet, uint32_t size)
{
	struct filter_memo memo = { .known = false };
	uint32_t head = size < 100 ? size : 100;
	bool may = filter_may_match(filter, packet, head, size, &memo);

	REQUIRE(may || !filter_match(filter, packet, size, size));
	REQUIRE(filter_may_match(filter, packet, head, size, &memo) == may);
	filter_match(filter, packet, size, size + 1);
}

static void run(const uint8_t *data, size_t size, uint32_t count)
{
	size_t length = count * sizeof(struct filter_insn);
	struct filter_insn *insns = malloc(length);
	struct filter filter;
	uint8_t *packet;

	memcpy(insns, data, length);
	if (filter_set(&filter, insns, count, NULL) == 0) {
		/* Of its own size, so that a byte beyond is seen. */
		packet = malloc(size - length ? size - length : 1);
		memcpy(packet, data + length, size - length);
		look(&filter, packet, (uint32_t)(size - length));
		free(packet);
		filter_free(&filter);
	}
	free(insns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t count = size ? data[0] : 0;

	if (!size)
		return 0;
	if (count && size - 1 >= count * sizeof(struct filter_insn))
		run(data + 1, size - 1, count);
	else
		rewrite(data + 1, size - 1);
	return 0;
}
