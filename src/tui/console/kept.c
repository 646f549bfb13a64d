/* See kept.h. */
#include "tui/console/kept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/control_sequence.h"

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

/* What is between two positions, in the modes that it leaves behind it. */
static void read_modes(const struct kept *kept, struct modes *modes, uint64_t from, uint64_t to)
{
	for (size_t n; from < to; from += n) {
		size_t at = from & (kept->size - 1);

		n = kept->size - at < to - from ? kept->size - at : (size_t)(to - from);
		modes_read(modes, kept->bytes + at, n);
	}
}

void kept_forget(struct kept *kept, uint64_t position)
{
	if (position > kept->end)
		position = kept->end;
	if (position <= kept->begin)
		return;
	read_modes(kept, &kept->modes, kept->begin, position);
	kept->begin = position;
}

static void add_piece(struct kept *kept, const uint8_t *data, size_t size)
{
	size_t at = kept->end & (kept->size - 1);
	size_t first = kept->size - at < size ? kept->size - at : size;

	if (kept->end + size - kept->begin > kept->size)
		kept_forget(kept, kept->end + size - kept->size);
	memcpy(kept->bytes + at, data, first);
	memcpy(kept->bytes, data + first, size - first);
	kept->end += size;
}

void kept_add(struct kept *kept, const uint8_t *data, size_t size)
{
	while (kept->size < KEPT_MAX && kept->end - kept->begin + size > kept->size && grow(kept))
		;
	if (!kept->size)
		return;
	for (size_t n; size > 0; data += n, size -= n) {
		n = size < kept->size ? size : kept->size;
		add_piece(kept, data, n);
	}
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

/* Lines as they come out. */
struct lines {
	char *text;
	size_t size, line; /* where the last line begins */
	bool returned; /* what comes goes over that line */
};

static void take_back(struct lines *lines)
{
	while (lines->size > lines->line && ((uint8_t)lines->text[--lines->size] & 0xc0) == 0x80)
		;
}

/* A byte that is no part of a control sequence. */
static void add_byte(struct lines *lines, uint8_t byte)
{
	switch (byte) {
	case '\r':
		lines->returned = true;
		return;
	case '\b':
		take_back(lines);
		return;
	case '\n':
	case '\t':
		break;
	default:
		if (byte < 0x20 || byte == 0x7f)
			return;
	}
	if (lines->returned && byte != '\n')
		lines->size = lines->line;
	lines->returned = false;
	lines->text[lines->size++] = (char)byte;
	if (byte == '\n')
		lines->line = lines->size;
}

char *kept_text(const struct kept *kept, size_t *size)
{
	struct lines lines = { .text = malloc((size_t)(kept->end - kept->begin) + 1) };
	struct control_sequence sequence = { 0 };

	if (!lines.text)
		return NULL;
	for (uint64_t at = kept->begin; at < kept->end; at++) {
		uint8_t byte = kept->bytes[at & (kept->size - 1)];
		enum sequence_step step = control_sequence_next(&sequence, byte);

		if (step == SEQUENCE_NONE)
			add_byte(&lines, byte);
		else if (step == SEQUENCE_BEGUN && byte != '\033' && lines.size > lines.line)
			lines.size--; /* the first byte of a C1 control was taken for text */
	}
	*size = lines.size;
	return lines.text;
}

uint64_t kept_start(const struct kept *kept, struct modes *modes)
{
	uint64_t start = kept->begin;

	*modes = kept->modes;
	if (start > 0)
		while (start < kept->end && kept->bytes[start++ & (kept->size - 1)] != '\n')
			;
	/* Without a line's end in it there is no better place than its beginning. */
	if (start == kept->end)
		start = kept->begin;
	read_modes(kept, modes, kept->begin, start);
	return start;
}

void kept_clear(struct kept *kept)
{
	free(kept->bytes);
	*kept = (struct kept){ 0 };
}
