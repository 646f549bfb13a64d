/* See key_sequence.h. xterm's ctlseqs, "PC-Style Function Keys"; UTF-8: RFC 3629. */
#include "tui/console/key_sequence.h"

#include <curses.h>
#include <stdint.h>
#include <stdio.h>

#include "base/checked.h"

enum form {
	BYTE,	/* that one */
	CURSOR, /* CSI or, for applications, SS3; then a letter */
	LETTER, /* SS3, a letter */
	TILDE,	/* CSI number ~ */
	SHIFT,	/* CSI 1;2, a letter */
	BACK,	/* CSI Z */
};

static const struct {
	int key;
	enum form form;
	int what;
} keys[] = {
	{ KEY_UP, CURSOR, 'A' }, { KEY_DOWN, CURSOR, 'B' },
	{ KEY_RIGHT, CURSOR, 'C' }, { KEY_LEFT, CURSOR, 'D' },
	{ KEY_HOME, CURSOR, 'H' }, { KEY_END, CURSOR, 'F' },
	{ KEY_SR, SHIFT, 'A' }, { KEY_SF, SHIFT, 'B' },
	{ KEY_SRIGHT, SHIFT, 'C' }, { KEY_SLEFT, SHIFT, 'D' },
	{ KEY_IC, TILDE, 2 }, { KEY_DC, TILDE, 3 },
	{ KEY_PPAGE, TILDE, 5 }, { KEY_NPAGE, TILDE, 6 },
	{ KEY_F(1), LETTER, 'P' }, { KEY_F(2), LETTER, 'Q' },
	{ KEY_F(3), LETTER, 'R' }, { KEY_F(4), LETTER, 'S' },
	{ KEY_F(5), TILDE, 15 }, { KEY_F(6), TILDE, 17 }, { KEY_F(7), TILDE, 18 },
	{ KEY_F(8), TILDE, 19 }, { KEY_F(9), TILDE, 20 }, { KEY_F(10), TILDE, 21 },
	{ KEY_F(11), TILDE, 23 }, { KEY_F(12), TILDE, 24 },
	{ KEY_BTAB, BACK, 0 }, { KEY_ENTER, BYTE, '\r' },
	{ KEY_BACKSPACE, BYTE, 0x7f }, /* what a serial terminal sends */
};

static size_t utf8(char *out, uint32_t c)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : c <= 0x10ffff ? 4 : 0;

	for (size_t i = size; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	if (size)
		out[0] = (char)(size == 1 ? c : leads[size] | c);
	return size;
}

static size_t spell(char *out, enum form form, int what, bool cursor_keys)
{
	switch (form) {
	case BYTE:
		out[0] = (char)what;
		return 1;
	case CURSOR:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033%c%c", cursor_keys ? 'O' : '[',
					what);
	case LETTER:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033O%c", what);
	case TILDE:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[%d~", what);
	case SHIFT:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[1;2%c", what);
	case BACK:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[Z");
	}
	return 0;
}

size_t key_sequence(char out[KEY_SEQUENCE_MAX], wint_t key, bool special, bool cursor_keys)
{
	if (!special)
		return utf8(out, key);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == (int)key)
			return spell(out, keys[i].form, keys[i].what, cursor_keys);
	return 0;
}
