/*
 * The guard in front of libvterm. One thread at a time; nothing is allocated.
 *
 * A state machine in the manner of Paul Williams' parser of the VT500 series
 * (ECMA-48, 5th ed., § 5.3, 5.4 and 5.6), with 7-bit introducers only: in UTF-8
 * libvterm knows no other. Nothing of a sequence is given on before its end, so
 * that libvterm is always between two. What stays in one piece of the input is
 * given on from there; held[] takes what began in an earlier piece.
 *
 * What is fenced off, in libvterm 0.1.4 and, where not said otherwise, 0.3.3:
 *
 * - CSI: 16 parameters have room, the 17th lies on the parser's callbacks. A
 *   value with bit 31 set reads as one that has subparameters.
 * - ESC, intermediate bytes, then "[", "P" or "]" begins a CSI sequence or a
 *   string (0.1.4).
 * - REP writes the last glyph until the margin is reached: for ever if that has
 *   no width, past the line if it is wide.
 * - DECRQSS for a setting that is not known formats a number as a string (0.1.4).
 * - A string in two pieces whose ESC \ lies in the second is read past its end
 *   (0.1.4).
 * - Broken UTF-8 decodes into one code point more than it has bytes, next to an
 *   array of one a byte.
 * - U+0080 to U+009F have the width -1 and move the cursor out of the line;
 *   marks that have a width make glyphs of any, wider than the screen.
 * - Marks are kept for ever, as many as come.
 * - DECRC goes to where the cursor was even if the screen has shrunk since; mode
 *   1048 does the same and then brings it back into the screen.
 * - Text takes four bytes of stack each byte (0.1.4).
 */
#include "tui/console/sequence_guard.h"

#include <stdio.h>
#include <string.h>

#define CHUNK 16384 /* bytes given on at once at most */

enum {
	BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f
};

enum state {
	GROUND, CHARACTER, ESCAPE, ESCAPE_INTERMEDIATE, CSI_ENTRY, CSI_PARAMETER,
	CSI_INTERMEDIATE, STRING, STRING_ESCAPE
};

struct range {
	uint32_t first, last;
};

/*
 * What libvterm combines with the character before it: Unicode 5.0's Mn, Me and
 * Cf and the Jamo vowels and trailing consonants, and what lies between them that
 * is no base character either.
 */
static const struct range marks[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 }, { 0x0600, 0x0603 },
	{ 0x0610, 0x0615 }, { 0x064b, 0x065e }, { 0x0670, 0x0670 }, { 0x06d6, 0x06e4 },
	{ 0x06e7, 0x06e8 }, { 0x06ea, 0x06ed }, { 0x070f, 0x070f }, { 0x0711, 0x0711 },
	{ 0x0730, 0x074a }, { 0x07a6, 0x07b0 }, { 0x07eb, 0x07f3 }, { 0x0901, 0x0902 },
	{ 0x093c, 0x093c }, { 0x0941, 0x094d }, { 0x0951, 0x0954 }, { 0x0962, 0x0963 },
	{ 0x0981, 0x0981 }, { 0x09bc, 0x09bc }, { 0x09c1, 0x09cd }, { 0x09e2, 0x09e3 },
	{ 0x0a01, 0x0a02 }, { 0x0a3c, 0x0a4d }, { 0x0a70, 0x0a71 }, { 0x0a81, 0x0a82 },
	{ 0x0abc, 0x0abc }, { 0x0ac1, 0x0acd }, { 0x0ae2, 0x0ae3 }, { 0x0b01, 0x0b01 },
	{ 0x0b3c, 0x0b3c }, { 0x0b3f, 0x0b56 }, { 0x0b82, 0x0b82 }, { 0x0bc0, 0x0bcd },
	{ 0x0c3e, 0x0c56 }, { 0x0cbc, 0x0cbc }, { 0x0cbf, 0x0ccd }, { 0x0ce2, 0x0ce3 },
	{ 0x0d41, 0x0d4d }, { 0x0dca, 0x0dd6 }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e }, { 0x0eb1, 0x0eb1 }, { 0x0eb4, 0x0ebc }, { 0x0ec8, 0x0ecd },
	{ 0x0f18, 0x0f19 }, { 0x0f35, 0x0f35 }, { 0x0f37, 0x0f37 }, { 0x0f39, 0x0f39 },
	{ 0x0f71, 0x0f84 }, { 0x0f86, 0x0f87 }, { 0x0f90, 0x0fbc }, { 0x0fc6, 0x0fc6 },
	{ 0x102d, 0x1039 }, { 0x1058, 0x1059 }, { 0x1160, 0x11ff }, { 0x135f, 0x135f },
	{ 0x1712, 0x1714 }, { 0x1732, 0x1734 }, { 0x1752, 0x1753 }, { 0x1772, 0x1773 },
	{ 0x17b4, 0x17d3 }, { 0x17dd, 0x17dd }, { 0x180b, 0x180d }, { 0x18a9, 0x18a9 },
	{ 0x1920, 0x193b }, { 0x1a17, 0x1a18 }, { 0x1b00, 0x1b03 }, { 0x1b34, 0x1b42 },
	{ 0x1b6b, 0x1b73 }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
	{ 0x2060, 0x206f }, { 0x20d0, 0x20ef }, { 0x302a, 0x302f }, { 0x3099, 0x309a },
	{ 0xa806, 0xa806 }, { 0xa80b, 0xa80b }, { 0xa825, 0xa826 }, { 0xfb1e, 0xfb1e },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe23 }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	{ 0x10a01, 0x10a0f }, { 0x10a38, 0x10a3f }, { 0x1d167, 0x1d169 }, { 0x1d173, 0x1d182 },
	{ 0x1d185, 0x1d18b }, { 0x1d1aa, 0x1d1ad }, { 0x1d242, 0x1d244 }, { 0xe0001, 0xe01ef },
};

/* Of these libvterm says two columns. */
static const struct range wide_marks[] = { { 0x302a, 0x302f }, { 0x3099, 0x309a } };

/* One column, whatever libvterm's version: Latin, line drawing and blocks; ASCII besides. */
static const struct range narrow[] = { { 0xa0, 0x2ff }, { 0x2500, 0x259f }, { 0xfffd, 0xfffd } };

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
	while (n > 0) {
		size_t middle = n / 2;

		if (c < ranges[middle].first) {
			n = middle;
		} else if (c > ranges[middle].last) {
			ranges += middle + 1;
			n -= middle + 1;
		} else {
			return true;
		}
	}
	return false;
}

#define IN_RANGES(c, ranges) in_ranges(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

void sequence_guard_init(struct sequence_guard *guard,
			 void (*output)(const uint8_t *data, size_t size, void *arg), void *arg)
{
	memset(guard, 0, sizeof(*guard));
	guard->state = GROUND;
	guard->output = output;
	guard->arg = arg;
	guard->rows = guard->columns = SEQUENCE_VALUE_MAX;
}

void sequence_guard_resize(struct sequence_guard *guard, uint32_t rows, uint32_t columns)
{
	guard->rows = rows;
	guard->columns = columns;
}

/* Gives on what passed in place, up to end. */
static void run_end(struct sequence_guard *guard, const uint8_t *end)
{
	if (end > guard->run)
		guard->output(guard->run, (size_t)(end - guard->run), guard->arg);
	guard->run = end;
}

static void begin(struct sequence_guard *guard, const uint8_t *at, enum state state)
{
	guard->state = state;
	guard->begin = at;
	guard->size = 1;
	guard->refused = false;
}

/* The sequence under way, which goes up to end, leaves the input for held[]. */
static void hold(struct sequence_guard *guard, const uint8_t *end)
{
	if (!guard->begin)
		return;
	run_end(guard, guard->begin);
	guard->held_size = (size_t)(end - guard->begin);
	memcpy(guard->held, guard->begin, guard->held_size);
	guard->begin = NULL;
	guard->run = end;
}

static void refuse(struct sequence_guard *guard, const uint8_t *at)
{
	hold(guard, at);
	guard->refused = true;
}

/* One more byte of the sequence. */
static void take(struct sequence_guard *guard, const uint8_t *at)
{
	if (++guard->size > SEQUENCE_MAX && !guard->refused)
		refuse(guard, at);
	if (guard->begin)
		return;
	if (!guard->refused)
		guard->held[guard->held_size++] = *at;
	guard->run = at + 1;
}

/* The sequence under way comes to nothing; the input goes on at next. */
static void drop(struct sequence_guard *guard, const uint8_t *next)
{
	if (guard->begin)
		run_end(guard, guard->begin);
	guard->begin = NULL;
	guard->run = next;
	guard->state = GROUND;
}

/* The sequence ended with the byte at. */
static void end(struct sequence_guard *guard, const uint8_t *at, bool passes)
{
	if (guard->refused || !passes) {
		drop(guard, at + 1);
		return;
	}
	if (!guard->begin)
		guard->output(guard->held, guard->held_size, guard->arg);
	guard->begin = NULL;
	guard->state = GROUND;
}

static void instead(struct sequence_guard *guard, const uint8_t *next, const char *text)
{
	drop(guard, next);
	guard->output((const uint8_t *)text, strlen(text), guard->arg);
}

static void character_begin(struct sequence_guard *guard, const uint8_t *at)
{
	/* As many as its bytes, up to six as libvterm has it (RFC 2279). */
	unsigned ones = (unsigned)__builtin_clz(~((uint32_t)*at << 24));

	guard->missing = ones - 1;
	guard->character = *at & (0x7fu >> ones);
	begin(guard, at, CHARACTER);
}

static void character_end(struct sequence_guard *guard, const uint8_t *at)
{
	uint32_t c = guard->character;

	if ((c >= 0x80 && c < 0xa0) || IN_RANGES(c, wide_marks)) {
		end(guard, at, false);
	} else if (IN_RANGES(c, marks)) {
		guard->repeatable = false;
		end(guard, at, guard->marks < SEQUENCE_MARKS_MAX);
		if (guard->marks < SEQUENCE_MARKS_MAX)
			guard->marks++;
	} else {
		guard->repeatable = IN_RANGES(c, narrow);
		guard->marks = 0;
		end(guard, at, true);
	}
}

static const uint8_t *character(struct sequence_guard *guard, const uint8_t *at)
{
	if ((*at & 0xc0) != 0x80) {
		instead(guard, at, "\357\277\275");
		guard->repeatable = true;
		guard->marks = 0;
		return at;
	}
	take(guard, at);
	guard->character = guard->character << 6 | (*at & 0x3f);
	if (--guard->missing == 0)
		character_end(guard, at);
	return at + 1;
}

static const uint8_t *ground(struct sequence_guard *guard, const uint8_t *at, const uint8_t *limit)
{
	if (*at == ESC) {
		begin(guard, at, ESCAPE);
		return at + 1;
	}
	if (*at >= 0xc0 && *at < 0xfe) {
		character_begin(guard, at);
		return at + 1;
	}
	if (*at < 0x20 || *at == DEL)
		return at + 1;
	/* ASCII, and bytes that are U+FFFD each. */
	guard->repeatable = true;
	guard->marks = 0;
	do
		at++;
	while (at < limit && *at >= 0x20 && *at < DEL);
	return at;
}

static void escape(struct sequence_guard *guard, const uint8_t *at)
{
	guard->introducer = *at;
	switch (*at) {
	case '[':
		guard->state = CSI_ENTRY;
		guard->plain = true;
		guard->marker = guard->intermediate = 0;
		guard->parameters = 1;
		guard->first = guard->value = 0;
		guard->names_cursor_keys = false;
		break;
	case 'X': case '^': case '_': /* SOS, PM, APC: text to libvterm 0.1.4 */
		refuse(guard, at + 1);
		guard->state = STRING;
		break;
	case 'P': case ']': /* DCS, OSC */
		guard->state = STRING;
		break;
	case '8': /* DECRC */
		instead(guard, at + 1, "\033[?1048l");
		break;
	case 'c': /* RIS */
		guard->cursor_keys = false;
		end(guard, at, true);
		break;
	default:
		if (*at < 0x30)
			guard->state = ESCAPE_INTERMEDIATE;
		else
			end(guard, at, true);
	}
}

static void escape_intermediate(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at >= 0x30)
		end(guard, at, *at != '[' && *at != 'P' && *at != ']');
}

/* A parameter is complete. */
static void csi_value(struct sequence_guard *guard)
{
	if (guard->parameters == 1)
		guard->first = guard->value;
	if (guard->value == 1)
		guard->names_cursor_keys = true;
}

/* How many lines or characters there are for what counts them; 0: it does not. */
static uint32_t csi_most(const struct sequence_guard *guard, uint8_t final)
{
	switch (guard->plain ? final : 0) {
	case 'L': case 'M': case 'S': case 'T': /* IL, DL, SU, SD */
		return guard->rows;
	case '@': case 'P': case 'X': case 'b': /* ICH, DCH, ECH, REP */
		return guard->columns;
	default:
		return 0;
	}
}

/* What the sequence that passes means to the keyboard. */
static void csi_modes(struct sequence_guard *guard, uint8_t final)
{
	if (guard->marker == '?' && !guard->intermediate && guard->names_cursor_keys &&
	    (final == 'h' || final == 'l'))
		guard->cursor_keys = final == 'h'; /* DECSET, DECRST */
	else if (!guard->marker && guard->intermediate == '!' && final == 'p')
		guard->cursor_keys = false; /* DECSTR */
}

static void csi_end(struct sequence_guard *guard, const uint8_t *at)
{
	uint32_t most = csi_most(guard, *at);
	bool rep = *at == 'b' && guard->plain, passes = !rep || guard->repeatable;
	char text[32];

	csi_value(guard);
	if (passes && !guard->refused)
		csi_modes(guard, *at);
	if (passes && !guard->refused && most && guard->first > most) {
		snprintf(text, sizeof(text), "\033[%u%c", most, *at);
		instead(guard, at + 1, text);
	} else {
		end(guard, at, passes);
	}
}

static void csi_parameter(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at >= '0' && *at <= '9') {
		guard->value = guard->value * 10 + (uint32_t)(*at - '0');
		if (guard->value > SEQUENCE_VALUE_MAX) {
			refuse(guard, at + 1);
			guard->value = 0;
		}
	} else if (*at == ';' || *at == ':') {
		csi_value(guard);
		guard->value = 0;
		if (++guard->parameters > SEQUENCE_PARAMETERS_MAX)
			refuse(guard, at + 1);
	} else if (*at < 0x30) {
		guard->plain = false;
		guard->intermediate = *at;
		guard->state = CSI_INTERMEDIATE;
	} else if (*at < 0x40) {
		refuse(guard, at + 1);
	} else {
		csi_end(guard, at);
	}
}

static void csi_entry(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at >= 0x3c && *at < 0x40) {
		guard->marker = guard->marker ? 0xff : *at;
		guard->plain = false;
		return;
	}
	guard->state = CSI_PARAMETER;
	csi_parameter(guard, at);
}

static void csi_intermediate(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at >= 0x40)
		csi_end(guard, at);
	else if (*at >= 0x30)
		refuse(guard, at + 1);
	else
		guard->intermediate = 0xff;
}

static void string(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at == ESC)
		guard->state = STRING_ESCAPE;
	else if (*at == BEL) /* also an end of an OSC, by xterm */
		end(guard, at, guard->introducer == ']');
}

/* Whether the DCS under way, its ST included, asks for a setting that libvterm knows. */
static bool dcs_known(const struct sequence_guard *guard)
{
	static const char *const known[] = { "\033P$qm\033\\", "\033P$qr\033\\", "\033P$qs\033\\",
					     "\033P$q q\033\\", "\033P$q\"q\033\\" };
	const uint8_t *data = guard->begin ? guard->begin : guard->held;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (guard->size == strlen(known[i]) && memcmp(data, known[i], guard->size) == 0)
			return true;
	return false;
}

static void string_escape(struct sequence_guard *guard, const uint8_t *at)
{
	if (*at == '\\') {
		end(guard, at, guard->introducer == ']' || dcs_known(guard));
		return;
	}
	/* The string was broken off by the sequence that this ESC begins. */
	drop(guard, at + 1);
	begin(guard, NULL, ESCAPE);
	guard->held[0] = ESC;
	guard->held_size = 1;
	take(guard, at);
	escape(guard, at);
}

static const uint8_t *sequence(struct sequence_guard *guard, const uint8_t *at)
{
	static void (*const states[])(struct sequence_guard *guard, const uint8_t *at) = {
		[ESCAPE] = escape,
		[ESCAPE_INTERMEDIATE] = escape_intermediate,
		[CSI_ENTRY] = csi_entry,
		[CSI_PARAMETER] = csi_parameter,
		[CSI_INTERMEDIATE] = csi_intermediate,
		[STRING] = string,
		[STRING_ESCAPE] = string_escape,
	};
	bool in_string = guard->state == STRING;

	if (*at == CAN || *at == SUB || (!in_string && (*at == ESC || *at >= 0x80))) {
		drop(guard, at);
		return at;
	}
	if (*at == DEL || (*at < 0x20 && *at != ESC && !(in_string && *at == BEL))) {
		hold(guard, at);
		if (*at != 0 && *at != DEL)
			guard->output(at, 1, guard->arg);
		guard->run = at + 1;
		return at + 1;
	}
	take(guard, at);
	if (guard->size > SEQUENCE_LOST)
		drop(guard, at + 1);
	else
		states[guard->state](guard, at);
	return at + 1;
}

static void chunk_input(struct sequence_guard *guard, const uint8_t *at, const uint8_t *limit)
{
	guard->run = at;
	while (at < limit) {
		if (guard->state == GROUND)
			at = ground(guard, at, limit);
		else if (guard->state == CHARACTER)
			at = character(guard, at);
		else
			at = sequence(guard, at);
	}
	if (guard->state != GROUND)
		hold(guard, limit);
	run_end(guard, limit);
}

void sequence_guard_input(struct sequence_guard *guard, const uint8_t *data, size_t size)
{
	while (size > 0) {
		size_t n = size < CHUNK ? size : CHUNK;

		chunk_input(guard, data, data + n);
		data += n;
		size -= n;
	}
}
