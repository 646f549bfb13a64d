/*
 * libFuzzer: a guest's output on its way to the terminal of "vmdeck console". Of what is
 * old nothing that goes on asks anything, however it is cut; of what is new everything
 * goes on as it is. What puts a terminal's modes back leaves none behind.
 */
#include <stdlib.h>
#include <string.h>

#include "base/modes.h"
#include "cli/queries.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("\033[6n\033[c\033[?1;25;2004h\033[>4;2m\033[5 q\033Z\005\302\2336n\2336n\302\033[6n"),
	SEED("\033]11;?\007\033]0;title\033\\\033P$qm\033\\\033_G\033[6n\033]8;;x\033[c\033]4;1;?\033"),
	SEED("\033[1;2;3:4:5m\033[\0306n\033[6\0n\342\233\233\033(0\016\033[2;5r\033[!p\033[\303"),
	{ NULL, 0 },
};

/* In pieces of so many bytes. Returns what goes on, malloc'd. */
static uint8_t *pass(struct queries *queries, const uint8_t *data, size_t size, size_t piece,
		     size_t *made)
{
	uint8_t *out = malloc(size + QUERIES_HELD_MAX);

	REQUIRE(out);
	*made = 0;
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		*made += queries_pass(queries, out + *made, data + at, n);
		REQUIRE(*made <= size);
	}
	return out;
}

static void check_old(const uint8_t *data, size_t size)
{
	struct queries old = { .old = size + 1 }, again = { .old = size + 1 }, new = { 0 };
	size_t whole_size, pieces_size, same_size;
	uint8_t *whole = pass(&old, data, size, size + 1, &whole_size);
	uint8_t *pieces = pass(&again, data, size, 3, &pieces_size);
	uint8_t *same = pass(&new, whole, whole_size, 5, &same_size);

	REQUIRE(!old.asked && !new.asked);
	REQUIRE(pieces_size == whole_size && memcmp(pieces, whole, whole_size) == 0);
	REQUIRE(same_size == whole_size && memcmp(same, whole, whole_size) == 0);
	free(whole);
	free(pieces);
	free(same);
}

static void check_modes(const uint8_t *data, size_t size)
{
	struct modes modes = { 0 };
	char text[MODES_UNDO_MAX];

	modes_read(&modes, data, size);
	modes_read(&modes, (const uint8_t *)"\030", 1);
	modes_read(&modes, (const uint8_t *)text, modes_undo(&modes, text));
	REQUIRE(modes.changed == 0 && modes.effects == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_old(data, size);
	check_modes(data, size);
	return 0;
}
