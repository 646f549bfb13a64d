/* See kept.h. */
#include "tui/console/kept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_FIRST 4096u

/* Moves what is there to its place in a larger ring. */
static bool grow(struct kept *kept)
{
	size_t size = kept->size ? kept->size * 2 : KEPT_FIRST;
	uint8_t *bytes = malloc(size);

	if (!bytes)
		return false;
	for (uint64_t at = kept->begin; at < kept->end; at++)
		bytes[at & (size - 1)] = kept->bytes[at & (kept->size - 1)];
	free(kept->bytes);
	kept->bytes = bytes;
	kept->size = size;
	return true;
}

void kept_add(struct kept *kept, const uint8_t *data, size_t size)
{
	while (kept->size < KEPT_MAX && kept->end - kept->begin + size > kept->size && grow(kept))
		;
	for (size_t n; size > 0; data += n, size -= n) {
		size_t at = kept->size ? kept->end & (kept->size - 1) : 0;

		n = kept->size - at < size ? kept->size - at : size;
		if (!kept->size)
			n = size;
		else
			memcpy(kept->bytes + at, data, n);
		kept->end += n;
	}
	if (kept->end - kept->begin > kept->size)
		kept->begin = kept->end - kept->size;
}

size_t kept_copy(const struct kept *kept, uint64_t position, void *to, size_t room)
{
	uint64_t there = kept->end - position;
	size_t n = there < room ? (size_t)there : room, at, first;

	if (!n)
		return 0;
	at = position & (kept->size - 1);
	first = kept->size - at < n ? kept->size - at : n;
	memcpy(to, kept->bytes + at, first);
	memcpy((uint8_t *)to + first, kept->bytes, n - first);
	return n;
}

void kept_forget(struct kept *kept, uint64_t position)
{
	if (position > kept->end)
		position = kept->end;
	if (position > kept->begin)
		kept->begin = position;
}

uint64_t kept_start(const struct kept *kept)
{
	if (kept->begin == 0)
		return 0;
	for (uint64_t at = kept->begin; at < kept->end; at++)
		if (kept->bytes[at & (kept->size - 1)] == '\n')
			return at + 1;
	return kept->begin;
}

void kept_clear(struct kept *kept)
{
	free(kept->bytes);
	*kept = (struct kept){ 0 };
}
