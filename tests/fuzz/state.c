/*
 * libFuzzer: saved state from anywhere. What is found lies within it, and a
 * record that is asked for by another size or version is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "lib/fuzz.h"

#define RECORD(name, size) name "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\1\0\0\0\0\0\0\0" size "\0\0\0\0\0\0\0"
#define SEED(text) { "vmdeck\1\0" text, sizeof(text) + 7 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED(""),
	SEED(RECORD("net0/pci", "\4") "abcd\0\0\0\0" RECORD("net0/dev", "\0")),
	SEED(RECORD("net0/pci", "\20") "abcdefghabcdefgh" RECORD("net0/pci", "\1") "x\0\0\0\0\0\0\0"),
	{ NULL, 0 },
};

static void find(struct state_reader *reader, const char *name, const uint8_t *data, size_t size)
{
	struct cause cause;
	const uint8_t *found;
	size_t length;
	uint8_t four[4];

	if (!state_get(reader, name, 1, four, sizeof(four), &cause) &&
	    (state_find(reader, name, 1, 0, SIZE_MAX, &found, &length, &cause) || length != 4 ||
	     memcmp(found, four, 4)))
		abort();
	if (!state_find(reader, name, 1, 2, 16, &found, &length, &cause) &&
	    (length < 2 || length > 16 || found < data || length > size - (size_t)(found - data)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_reader reader;
	struct cause cause;

	if (!state_open(&reader, data, size, &cause)) {
		find(&reader, "net0/pci", data, size);
		find(&reader, "net0/dev", data, size);
		state_all_found(&reader, &cause);
	}
	state_close(&reader);
	return 0;
}
