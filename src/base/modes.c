/* See modes.h. ECMA-48 § 7 and 8; xterm's ctlseqs; kitty's keyboard protocol ("CSI > u"). */
#include "base/modes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* In the order in which they are set; the screen before what is on it. */
static const struct {
	uint16_t number;
	bool on;   /* at first */
	bool soft; /* DECSTR puts it back */
} table[] = {
	{ 3, false, false },	/* DECCOLM */
	{ 1049, false, false }, { 1047, false, false }, { 47, false, false },
	{ 1, false, true },	/* DECCKM */
	{ 66, false, true },	/* DECNKM */
	{ 5, false, false },	/* DECSCNM */
	{ 6, false, true },	/* DECOM */
	{ 7, true, false },	/* DECAWM */
	{ 8, true, false },	/* DECARM */
	{ 12, false, false },	/* a cursor that blinks */
	{ 25, true, true },	/* DECTCEM */
	{ 67, false, false },	/* DECBKM */
	{ 69, false, true },	/* DECLRMM */
	{ 9, false, false },	/* the mouse, */
	{ 1000, false, false }, { 1001, false, false }, { 1002, false, false },
	{ 1003, false, false }, { 1005, false, false }, { 1006, false, false },
	{ 1015, false, false }, { 1016, false, false },
	{ 1007, false, false }, /* its wheel as keys; */
	{ 1034, false, false }, /* keys with eight bits, */
	{ 1004, false, false }, /* focus, */
	{ 2004, false, false }, /* pasting, */
	{ 2026, false, false }, /* updates all at once, */
	{ 2031, false, false }, /* and another palette are told */
};

/*
 * Sequences that leave something behind, and the one that takes it away; those of one such stand
 * together.
 */
static const struct effect {
	uint8_t kind, marker, intermediate, final;
	uint32_t value; /* the first one has to be that; ANY: it does not matter */
	const char *undo;
	bool soft;  /* DECSTR takes it away, too */
	bool moves; /* undo puts the cursor elsewhere */
} effects[] = {
#define ANY UINT32_MAX
	{ '[', 0, 0, 'r', ANY, "\033[r", true, true },		 /* DECSTBM */
	{ '[', 0, 0, 'h', 2, "\033[2l", true, false },		 /* KAM */
	{ '[', 0, 0, 'h', 4, "\033[4l", true, false },		 /* IRM */
	{ '[', 0, 0, 'l', 12, "\033[12h", false, false },	 /* SRM */
	{ '[', 0, 0, 'h', 20, "\033[20l", false, false },	 /* LNM */
	{ '[', 0, ' ', 'q', ANY, "\033[0 q", false, false },	 /* DECSCUSR */
	{ '[', '>', 0, 'm', 4, "\033[>4m", false, false },	 /* modifyOtherKeys */
	{ '[', '>', 0, 'u', ANY, "\033[<u", false, false },
	{ '[', '=', 0, 'u', ANY, "\033[=0u", false, false },
	{ 0, 0, 0, 'H', ANY, "\033[?5W", false, false },		 /* HTS */
	{ '[', 0, 0, 'g', ANY, "\033[?5W", false, false },	 /* TBC */
	{ 0, 0, '(', '0', ANY, "\033(B", true, false },
	{ 0, 0, ')', '0', ANY, "\033)B", true, false },
	{ ']', 0, 0, 0, 4, "\033]104\007", false, false },	 /* colours */
	{ ']', 0, 0, 0, 10, "\033]110\007", false, false },
	{ ']', 0, 0, 0, 11, "\033]111\007", false, false },
	{ ']', 0, 0, 0, 12, "\033]112\007", false, false },
	{ '[', 0, 0, 'm', ANY, "\033[m", true, false },		 /* SGR */
#undef ANY
};

#define SHIFTED_OUT (1u << 31) /* SO, a control character of its own */

_Static_assert(ARRAY_SIZE(table) <= 32 && ARRAY_SIZE(effects) < 32, "a bit each");
_Static_assert(ARRAY_SIZE(table) * sizeof("\033[?1049h") <= MODES_SPELL_MAX, "room for all");
_Static_assert(MODES_SPELL_MAX + ARRAY_SIZE(effects) * sizeof("\0337\033]104\007\0338") + 1 <=
	       MODES_UNDO_MAX, "room for all");

static void set(struct modes *modes, uint32_t number, bool on)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].number == number)
			modes->changed = on == table[i].on ? modes->changed & ~(1u << i)
							   : modes->changed | 1u << i;
}

static void reset_softly(struct modes *modes)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].soft)
			modes->changed &= ~(1u << i);
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++)
		if (effects[i].soft)
			modes->effects &= ~(1u << i);
	modes->effects &= ~SHIFTED_OUT;
}

static bool is(const struct control_sequence *sequence, const char *text)
{
	struct control_sequence other = { 0 };

	while (*text)
		control_sequence_next(&other, (uint8_t)*text++);
	return sequence->kind == other.kind && sequence->marker == other.marker &&
	       sequence->intermediate == other.intermediate && sequence->final == other.final &&
	       sequence->values[0] == other.values[0] &&
	       (sequence->count == 1 || sequence->kind == ']');
}

static bool has(const struct control_sequence *sequence, const struct effect *effect)
{
	return sequence->kind == effect->kind && sequence->marker == effect->marker &&
	       sequence->intermediate == effect->intermediate &&
	       sequence->final == effect->final &&
	       (effect->value == UINT32_MAX || sequence->values[0] == effect->value);
}

static void take_effect(struct modes *modes, const struct control_sequence *sequence)
{
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++)
		if (modes->effects & 1u << i && is(sequence, effects[i].undo))
			modes->effects &= ~(1u << i);
		else if (has(sequence, &effects[i]) && !is(sequence, effects[i].undo))
			modes->effects |= 1u << i;
}

static void take(struct modes *modes)
{
	const struct control_sequence *sequence = &modes->sequence;
	uint8_t final = sequence->final;

	if (!sequence->kind && !sequence->intermediate && (final == '=' || final == '>'))
		set(modes, 66, final == '='); /* DECKPAM, DECKPNM */
	else if (!sequence->kind && !sequence->intermediate && final == 'c') /* RIS */
		modes->changed = modes->effects = 0;
	else if (sequence->kind == '[' && sequence->intermediate == '!' && final == 'p')
		reset_softly(modes);
	else if (sequence->kind == '[' && sequence->marker == '?' && !sequence->intermediate &&
		 (final == 'h' || final == 'l'))
		for (unsigned i = 0; i < sequence->count; i++)
			set(modes, sequence->values[i], final == 'h');
	else
		take_effect(modes, sequence);
}

void modes_read(struct modes *modes, const uint8_t *data, size_t size)
{
	struct control_sequence *sequence = &modes->sequence;

	for (const uint8_t *end = data + size; data < end; data++) {
		enum sequence_step step;

		if (!sequence->state && *data >= ' ' && *data < 0x7f) {
			sequence->missing = 0;
			modes->in_line = true;
			continue;
		}
		if (control_sequence_in_string(sequence) && *data == 0x1b)
			take(modes);
		step = control_sequence_next(sequence, *data);
		if (step == SEQUENCE_WHOLE)
			take(modes);
		else if (step == SEQUENCE_NONE && *data == 0x0e) /* SO */
			modes->effects |= SHIFTED_OUT;
		else if (step == SEQUENCE_NONE && *data == 0x0f) /* SI */
			modes->effects &= ~SHIFTED_OUT;
		else if (step == SEQUENCE_NONE && (*data == '\n' || *data >= 0x80))
			modes->in_line = *data != '\n';
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

static size_t write_text(char out[MODES_UNDO_MAX], size_t size, const char *text)
{
	size_t length = strlen(text);

	memcpy(out + size, text, length);
	return size + length;
}

/*
 * What is on the other screen before that screen, as to leave DECOM moves the cursor; SGR
 * last: to leave the screen brings back what was saved then.
 */
size_t modes_undo(const struct modes *modes, char out[MODES_UNDO_MAX])
{
	size_t size = 0;
	char text[16];

	for (size_t i = ARRAY_SIZE(table); i--;) {
		if (!(modes->changed & 1u << i))
			continue;
		snprintf(text, sizeof(text), "\033[?%u%c", table[i].number,
			 table[i].on ? 'h' : 'l');
		size = write_text(out, size, table[i].number == 66 ? "\033>" : text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
		bool undone = i && modes->effects & 1u << (i - 1) &&
			      !strcmp(effects[i].undo, effects[i - 1].undo);

		if (!(modes->effects & 1u << i) || undone)
			continue;
		if (effects[i].moves)
			size = write_text(out, size, "\0337");
		size = write_text(out, size, effects[i].undo);
		if (effects[i].moves)
			size = write_text(out, size, "\0338");
	}
	return modes->effects & SHIFTED_OUT ? write_text(out, size, "\017") : size;
}
