/* See queries.h. ECMA-48 § 8.3.24, 8.3.35 and 8.3.44 (DA, DSR, ENQ); xterm's ctlseqs. */
#include "cli/queries.h"

#include <string.h>

#include "base/checked.h"

#define ENQ 0x05
#define ESC 0x1b

/* CSI sequences that a terminal answers. */
static const struct {
	uint8_t marker, intermediate, final; /* marker: ANY, 0 or one */
	uint32_t first, last; /* between which the first parameter is; 0, 0: it does not matter */
} table[] = {
#define ANY 0xff
	{ ANY, 0, 'c', 0, 0 },	/* DA */
	{ 0, 0, 'n', 0, 0 }, { '?', 0, 'n', 0, 0 }, /* DSR */
	{ ANY, '$', 'p', 0, 0 }, /* DECRQM */
	{ '>', 0, 'q', 0, 0 },	/* XTVERSION */
	{ '?', 0, 'u', 0, 0 },	/* kitty's keyboard */
	{ '?', 0, 'm', 0, 0 },	/* XTQMODKEYS */
	{ '?', 0, 'S', 0, 0 },	/* XTSMGRAPHICS */
	{ 0, 0, 'x', 0, 0 },	/* DECREQTPARM */
	{ 0, 0, 't', 11, 21 },	/* XTWINOPS that report */
	{ 0, '$', 'u', 0, 0 }, { 0, '&', 'u', 0, 0 }, { 0, '$', 'w', 0, 0 },
	{ 0, '*', 'y', 0, 0 }, { 0, '+', 'x', 0, 0 }, { 0, '"', 'v', 0, 0 },
	{ 0, '\'', '|', 0, 0 }, { 0, '#', '|', 0, 0 }, { 0, '#', 'R', 0, 0 },
};

static bool is_query(const struct control_sequence *sequence)
{
	if (sequence->kind != '[') /* DECID; and an OSC that asks, of other strings any may */
		return sequence->kind == 0 ? !sequence->intermediate && sequence->final == 'Z'
					   : sequence->kind != ']' || sequence->asks;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (sequence->final == table[i].final &&
		    sequence->intermediate == table[i].intermediate &&
		    (table[i].marker == ANY || sequence->marker == table[i].marker) &&
		    (!table[i].last || (sequence->values[0] >= table[i].first &&
					sequence->values[0] <= table[i].last)))
			return true;
	return false;
#undef ANY
}

static void hold(struct queries *queries, uint8_t byte)
{
	if (queries->held_size < sizeof(queries->held))
		queries->held[queries->held_size++] = byte;
	else
		queries->lost = true;
}

/* The sequence that is held is at its end. Returns how many bytes of it go on. */
static size_t let_go(struct queries *queries, uint8_t *out, bool pass)
{
	size_t size = pass && !queries->lost ? queries->held_size : 0;

	memcpy(out, queries->held, size);
	queries->held_size = 0;
	queries->lost = false;
	return size;
}

/* The byte after a string's ESC: it ends the string, or breaks it off. Whether that may pass. */
static bool close_string(struct queries *queries, bool ended)
{
	queries->closing = false;
	if (ended)
		return !queries->asks;
	queries->held_size = 0;
	queries->lost = false;
	hold(queries, ESC);
	return true;
}

static size_t pass_old(struct queries *queries, uint8_t *out, uint8_t byte)
{
	struct control_sequence *sequence = &queries->sequence;
	bool string = control_sequence_in_string(sequence), asks = string && is_query(sequence);
	enum sequence_step step = control_sequence_next(sequence, byte);
	bool passes = !queries->closing ||
		      close_string(queries, step == SEQUENCE_WHOLE && sequence->final == '\\');
	size_t size;

	switch (step) {
	case SEQUENCE_BEGUN:
		if (!string)
			let_go(queries, out, false);
		queries->closing = string;
		queries->asks = asks;
		hold(queries, byte);
		return 0;
	case SEQUENCE_GOES_ON:
		hold(queries, byte);
		return 0;
	case SEQUENCE_WHOLE:
		hold(queries, byte);
		return let_go(queries, out, passes && !is_query(sequence));
	case SEQUENCE_NONE:
		break;
	}
	size = let_go(queries, out, false);
	if (byte != ENQ)
		out[size++] = byte;
	return size;
}

static void look(struct queries *queries, uint8_t byte)
{
	struct control_sequence *sequence = &queries->sequence;
	bool asks = byte == ESC && control_sequence_in_string(sequence) && is_query(sequence);
	enum sequence_step step = control_sequence_next(sequence, byte);

	queries->asked |= asks || (step == SEQUENCE_WHOLE && is_query(sequence)) ||
			  (step == SEQUENCE_NONE && byte == ENQ);
}

size_t queries_pass(struct queries *queries, uint8_t *out, const uint8_t *data, size_t size)
{
	size_t made = 0, i;

	for (i = 0; i < size && queries->old > 0; i++, queries->old--)
		made += pass_old(queries, out + made, data[i]);
	/* What began in old output and ends after it is new. */
	if (!queries->old)
		made += let_go(queries, out + made, true);
	memcpy(out + made, data + i, size - i);
	made += size - i;
	for (; i < size && !queries->asked; i++)
		look(queries, data[i]);
	return made;
}
