/*
 * What "vmdeck console" makes of a guest's output on its way to a terminal: however it
 * is cut into pieces the same goes on, never more than came, and what puts the terminal
 * back leaves nothing to be put back.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/modes.h"
#include "cli/queries.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

/* The first byte: how much of the rest is old output. */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\024old\033[6n\033[c\033]11;?\007\033[31m, new\033[6n\005"),
	SEED("\377\033P+q544e\033\\\033Z\302\233?1049h\033[?25l\033[?2004;1000;1006h\033[4h"),
	SEED("\003\033[1;5r\033(0\016\033[>1u\033[>4;2m\033[2 q\033]4;1;red\a\033]11;#000\033\\\033=\033["),
	{ NULL, 0 },
};

/* Passes it in pieces of that size at most; how many bytes go on, or aborts. */
static size_t pass(struct queries *queries, uint8_t *out, const uint8_t *data, size_t size,
		   size_t piece)
{
	size_t made = 0, held, n, got;
	uint8_t *room;

	for (size_t at = 0; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		held = queries->held_size;
		room = malloc(n + QUERIES_HELD_MAX);
		if (!room)
			abort();
		got = queries_pass(queries, room, data + at, n);
		if (got > n + held)
			abort();
		memcpy(out + made, room, got);
		made += got;
		free(room);
	}
	return made;
}

static void check_queries(const uint8_t *data, size_t size, uint64_t old)
{
	struct queries whole = { .old = old }, pieces = { .old = old };
	uint8_t *out = malloc(2 * size + 1);
	size_t n;

	if (!out)
		abort();
	n = pass(&whole, out, data, size, size);
	if (n != pass(&pieces, out + size, data, size, 1) || memcmp(out, out + size, n) != 0 ||
	    whole.asked != pieces.asked)
		abort();
	if (old == 0 && (n != size || memcmp(out, data, size) != 0))
		abort();
	free(out);
}

static void check_modes(const uint8_t *data, size_t size)
{
	struct modes modes = { 0 };
	char spelled[MODES_SPELL_MAX], undone[MODES_UNDO_MAX];
	size_t n;

	modes_read(&modes, data, size);
	modes_spell(&modes, spelled);
	n = modes_undo(&modes, undone);
	modes_read(&modes, (const uint8_t *)"\030", 1); /* as console_session_restore() has it */
	modes_read(&modes, (const uint8_t *)undone, n);
	if (modes_undo(&modes, undone) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	check_queries(data + 1, size - 1, data[0] == 255 ? size : data[0]);
	check_modes(data + 1, size - 1);
	return 0;
}
