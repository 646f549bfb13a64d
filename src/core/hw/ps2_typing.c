/* See ps2_typing.h. xterm's ctlseqs, "PC-Style Function Keys"; console_codes(4). */
#include "core/hw/ps2_typing.h"

#include <stdbool.h>
#include <string.h>

#include "base/checked.h"

#define ESC 0x1b
#define PARAMETERS 2
#define PARAMETER_MAX 10000u
#define PRINT_SCREEN "[57361;3u"

enum {
	KEY_ESC = 0x01, KEY_BACKSPACE = 0x0e, KEY_TAB = 0x0f, KEY_ENTER = 0x1c,
	KEY_F1 = 0x3b, KEY_F10 = 0x44, KEY_F11 = 0x57, KEY_F12 = 0x58,
	KEY_HOME = 0x47 | PS2_EXTENDED, KEY_UP = 0x48 | PS2_EXTENDED,
	KEY_PAGE_UP = 0x49 | PS2_EXTENDED, KEY_LEFT = 0x4b | PS2_EXTENDED,
	KEY_RIGHT = 0x4d | PS2_EXTENDED, KEY_END = 0x4f | PS2_EXTENDED,
	KEY_DOWN = 0x50 | PS2_EXTENDED, KEY_PAGE_DOWN = 0x51 | PS2_EXTENDED,
	KEY_INSERT = 0x52 | PS2_EXTENDED, KEY_DELETE = 0x53 | PS2_EXTENDED,
};

/* Keys that lie side by side, from a code on. */
static const struct row {
	uint8_t first;
	const char *plain, *shifted;
} rows[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 0x39, " ", " " },
};

static const struct {
	uint8_t c, key;
} controls[] = {
	{ '\t', KEY_TAB }, { '\r', KEY_ENTER }, { '\n', KEY_ENTER }, { '\b', KEY_BACKSPACE },
	{ 0x7f, KEY_BACKSPACE }, { ESC, KEY_ESC },
};

/* Final letters of CSI and SS3, and numbers before '~'. */
static const struct sequence {
	unsigned what;
	uint8_t key, modifiers;
} letters[] = {
	{ 'A', KEY_UP, 0 }, { 'B', KEY_DOWN, 0 }, { 'C', KEY_RIGHT, 0 }, { 'D', KEY_LEFT, 0 },
	{ 'H', KEY_HOME, 0 }, { 'F', KEY_END, 0 }, { 'P', KEY_F1, 0 }, { 'Q', KEY_F1 + 1, 0 },
	{ 'R', KEY_F1 + 2, 0 }, { 'S', KEY_F1 + 3, 0 }, { 'Z', KEY_TAB, PS2_SHIFT },
	{ 'M', KEY_ENTER, 0 }, { 0, 0, 0 },
}, numbers[] = {
	{ 1, KEY_HOME, 0 }, { 2, KEY_INSERT, 0 }, { 3, KEY_DELETE, 0 }, { 4, KEY_END, 0 },
	{ 5, KEY_PAGE_UP, 0 }, { 6, KEY_PAGE_DOWN, 0 }, { 7, KEY_HOME, 0 }, { 8, KEY_END, 0 },
	{ 11, KEY_F1, 0 }, { 12, KEY_F1 + 1, 0 }, { 13, KEY_F1 + 2, 0 }, { 14, KEY_F1 + 3, 0 },
	{ 15, KEY_F1 + 4, 0 }, { 17, KEY_F1 + 5, 0 }, { 18, KEY_F1 + 6, 0 },
	{ 19, KEY_F1 + 7, 0 }, { 20, KEY_F1 + 8, 0 }, { 21, KEY_F10, 0 }, { 23, KEY_F11, 0 },
	{ 24, KEY_F12, 0 }, { 0, 0, 0 },
};

static bool find_printed(uint8_t c, struct ps2_stroke *out)
{
	for (size_t i = 0; c && i < ARRAY_SIZE(rows); i++) {
		const char *plain = strchr(rows[i].plain, c);
		const char *shifted = plain ? NULL : strchr(rows[i].shifted, c);

		if (!plain && !shifted)
			continue;
		out->key = (uint8_t)(rows[i].first +
				     (plain ? plain - rows[i].plain : shifted - rows[i].shifted));
		out->modifiers = shifted ? PS2_SHIFT : 0;
		return true;
	}
	return false;
}

/* A character of one byte. */
static void find_character(uint8_t c, struct ps2_stroke *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		if (controls[i].c == c) {
			out->key = controls[i].key;
			return;
		}
	}
	if (c >= ' ') {
		find_printed(c, out);
		return;
	}
	c |= 0x40;
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	find_printed(c, out);
	out->modifiers |= PS2_CTRL;
}

static void find_sequence(const struct sequence *table, unsigned what, unsigned modifiers,
			  struct ps2_stroke *out)
{
	for (; table->what; table++) {
		if (table->what != what)
			continue;
		out->key = table->key;
		/* xterm counts them from 1, with these bits. */
		out->modifiers = table->modifiers | (uint8_t)((modifiers ? modifiers - 1 : 0) & 7);
	}
}

/* Behind CSI, of size bytes; returns how many it takes, 0 if it is none that ends. */
static size_t read_csi(const uint8_t *text, size_t size, struct ps2_stroke *out)
{
	unsigned parameters[PARAMETERS] = { 0 }, n = 0;
	size_t at = 0;

	/* The Linux console's F1 to F5. */
	if (size >= 2 && text[0] == '[' && text[1] >= 'A' && text[1] <= 'E') {
		out->key = (uint8_t)(KEY_F1 + text[1] - 'A');
		return 2;
	}
	for (; at < size && text[at] >= 0x20 && text[at] < 0x40; at++) {
		if (text[at] == ';')
			n++;
		else if (text[at] >= '0' && text[at] <= '9' && n < PARAMETERS &&
			 parameters[n] < PARAMETER_MAX)
			parameters[n] = parameters[n] * 10 + text[at] - '0';
	}
	if (at == size || text[at] > 0x7e || text[at] < 0x40)
		return 0;
	if (text[at] == '~')
		find_sequence(numbers, parameters[0], parameters[1], out);
	else
		find_sequence(letters, text[at], parameters[1], out);
	return at + 1;
}

/* All of a character that is not ASCII. */
static size_t utf8_size(const uint8_t *text, size_t size)
{
	size_t n = 1;

	while (n < size && n < 4 && (text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Behind an escape character: the key that is struck with SysRq; 0: it is something else. */
static size_t read_sysrq(const uint8_t *text, size_t size, struct ps2_stroke *out)
{
	const size_t before = strlen(PRINT_SCREEN);

	if (size <= before || memcmp(text, PRINT_SCREEN, before) != 0 || text[before] <= ' ' ||
	    text[before] >= 0x7f)
		return 0;
	find_character(text[before], out);
	out->modifiers |= PS2_ALT | PS2_SYSRQ;
	return before + 1;
}

/* Behind an escape character. */
static size_t read_escape(const uint8_t *text, size_t size, struct ps2_stroke *out)
{
	size_t n = read_sysrq(text, size, out);

	if (n)
		return n;
	if (size >= 2 && text[0] == '[')
		n = read_csi(text + 1, size - 1, out);
	if (n)
		return n + 1;
	if (size >= 2 && text[0] == 'O') {
		find_sequence(letters, text[1], 0, out);
		if (out->key)
			return 2;
	}
	if (!size || text[0] == ESC || text[0] >= 0x80) {
		out->key = KEY_ESC;
		return 0;
	}
	find_character(text[0], out);
	out->modifiers |= PS2_ALT;
	return 1;
}

size_t ps2_stroke(const uint8_t *text, size_t size, struct ps2_stroke *out)
{
	*out = (struct ps2_stroke){ 0, 0 };
	if (text[0] == ESC)
		return 1 + read_escape(text + 1, size - 1, out);
	if (text[0] >= 0x80)
		return utf8_size(text, size);
	find_character(text[0], out);
	return 1;
}
