/* See modes.h. ECMA-48 § 5.4; xterm's ctlseqs, "DEC Private Mode Set". */
#include "tui/console/modes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

#define ESC 0x1b

enum state {
	GROUND, ESCAPE, CSI, PRIVATE, SOFT
};

/* In the order in which they are set; the screen before what is on it. */
static const struct {
	uint16_t number;
	bool on;   /* at first */
	bool soft; /* DECSTR puts it back */
} table[] = {
	{ 1049, false, false }, { 1047, false, false }, { 47, false, false },
	{ 1, false, true },	/* DECCKM */
	{ 66, false, true },	/* DECNKM */
	{ 5, false, false },	/* DECSCNM */
	{ 6, false, true },	/* DECOM */
	{ 7, true, false },	/* DECAWM */
	{ 25, true, true },	/* DECTCEM */
	{ 1000, false, false }, { 1002, false, false }, { 1003, false, false },
	{ 1005, false, false }, { 1006, false, false }, { 1015, false, false },
	{ 2004, false, false },
};

_Static_assert(ARRAY_SIZE(table) <= 32, "a bit each");
_Static_assert(ARRAY_SIZE(table) * sizeof("\033[?1049h") <= MODES_SPELL_MAX, "room for all");

static void name(struct modes *modes)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].number == modes->value)
			modes->named |= 1u << i;
	modes->value = 0;
}

static void set(struct modes *modes, uint32_t bits, bool on)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (bits & 1u << i)
			modes->changed = on == table[i].on ? modes->changed & ~(1u << i)
							   : modes->changed | 1u << i;
}

static void reset_softly(struct modes *modes)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].soft)
			modes->changed &= ~(1u << i);
}

static unsigned escape(struct modes *modes, uint8_t c)
{
	modes->value = modes->named = 0;
	if (c == '[')
		return CSI;
	if (c == 'c') /* RIS */
		modes->changed = 0;
	if (c == '=' || c == '>') { /* DECKPAM, DECKPNM */
		modes->value = 66;
		name(modes);
		set(modes, modes->named, c == '=');
	}
	return GROUND;
}

static unsigned private(struct modes *modes, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		modes->value = modes->value > 65535 ? modes->value : modes->value * 10 + (c - '0');
		return PRIVATE;
	}
	name(modes);
	if (c == ';')
		return PRIVATE;
	if (c == 'h' || c == 'l')
		set(modes, modes->named, c == 'h');
	return GROUND;
}

static unsigned next(struct modes *modes, uint8_t c)
{
	if (c == ESC)
		return ESCAPE;
	switch (modes->state) {
	case ESCAPE:
		return escape(modes, c);
	case CSI:
		return c == '?' ? PRIVATE : c == '!' ? SOFT : GROUND;
	case PRIVATE:
		return private(modes, c);
	case SOFT:
		if (c == 'p')
			reset_softly(modes);
		return GROUND;
	default:
		return GROUND;
	}
}

void modes_read(struct modes *modes, const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	while (data && data < end) {
		if (modes->state == GROUND)
			data = memchr(data, ESC, (size_t)(end - data));
		if (data)
			modes->state = next(modes, *data++);
	}
}

size_t modes_spell(const struct modes *modes, char out[MODES_SPELL_MAX])
{
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (modes->changed & 1u << i)
			size += (size_t)snprintf(out + size, MODES_SPELL_MAX - size, "\033[?%u%c",
						 table[i].number, table[i].on ? 'l' : 'h');
	return size;
}
