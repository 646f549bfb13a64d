/* See key_sequence.h. xterm's ctlseqs, "PC-Style Function Keys". */
#include "tui/console/key_sequence.h"

#include <curses.h>
#include <stdint.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/plain.h"

enum form {
	BYTE,	/* that one */
	CURSOR, /* CSI or, for applications, SS3; then a letter */
	LETTER, /* SS3, a letter */
	TILDE,	/* CSI number ~ */
	BACK,	/* CSI Z */
};

/* Modifiers as xterm counts them: 1 and Shift 1, Alt 2, Ctrl 4, Meta 8. */
#define PLAIN 1
#define SHIFT 2
#define MODIFIERS 16

/* The codes of keys with modifiers that curses has no name for: its row and they. */
#define CODE_FIRST 0x4000

static const struct row {
	int key;
	enum form form;
	int what;
	int modifiers;
} keys[] = {
	{ KEY_UP, CURSOR, 'A', PLAIN }, { KEY_DOWN, CURSOR, 'B', PLAIN },
	{ KEY_RIGHT, CURSOR, 'C', PLAIN }, { KEY_LEFT, CURSOR, 'D', PLAIN },
	{ KEY_HOME, CURSOR, 'H', PLAIN }, { KEY_END, CURSOR, 'F', PLAIN },
	{ KEY_SR, CURSOR, 'A', SHIFT }, { KEY_SF, CURSOR, 'B', SHIFT },
	{ KEY_SRIGHT, CURSOR, 'C', SHIFT }, { KEY_SLEFT, CURSOR, 'D', SHIFT },
	{ KEY_SHOME, CURSOR, 'H', SHIFT }, { KEY_SEND, CURSOR, 'F', SHIFT },
	{ KEY_IC, TILDE, 2, PLAIN }, { KEY_DC, TILDE, 3, PLAIN },
	{ KEY_PPAGE, TILDE, 5, PLAIN }, { KEY_NPAGE, TILDE, 6, PLAIN },
	{ KEY_SIC, TILDE, 2, SHIFT }, { KEY_SDC, TILDE, 3, SHIFT },
	{ KEY_SPREVIOUS, TILDE, 5, SHIFT }, { KEY_SNEXT, TILDE, 6, SHIFT },
	{ KEY_F(1), LETTER, 'P', PLAIN }, { KEY_F(2), LETTER, 'Q', PLAIN },
	{ KEY_F(3), LETTER, 'R', PLAIN }, { KEY_F(4), LETTER, 'S', PLAIN },
	{ KEY_F(5), TILDE, 15, PLAIN }, { KEY_F(6), TILDE, 17, PLAIN },
	{ KEY_F(7), TILDE, 18, PLAIN }, { KEY_F(8), TILDE, 19, PLAIN },
	{ KEY_F(9), TILDE, 20, PLAIN }, { KEY_F(10), TILDE, 21, PLAIN },
	{ KEY_F(11), TILDE, 23, PLAIN }, { KEY_F(12), TILDE, 24, PLAIN },
	{ KEY_BTAB, BACK, 0, PLAIN }, { KEY_ENTER, BYTE, '\r', PLAIN },
	{ KEY_BACKSPACE, BYTE, 0x7f, PLAIN }, /* what a serial terminal sends */
};

static size_t spell(char *out, const struct row *row, int modifiers, bool cursor_keys)
{
	bool plain = modifiers == PLAIN;

	switch (row->form) {
	case BYTE:
		out[0] = (char)row->what;
		return 1;
	case CURSOR:
	case LETTER:
		if (!plain)
			return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[1;%d%c", modifiers,
						row->what);
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033%c%c",
					row->form == LETTER || cursor_keys ? 'O' : '[', row->what);
	case TILDE:
		if (!plain)
			return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[%d;%d~", row->what,
						modifiers);
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[%d~", row->what);
	case BACK:
		return (size_t)snprintf(out, KEY_SEQUENCE_MAX, "\033[Z");
	}
	return 0;
}

static bool may_be_modified(const struct row *row)
{
	return row->modifiers == PLAIN && row->form != BYTE && row->form != BACK;
}

bool key_sequence_modified(unsigned n, int *code, char out[KEY_SEQUENCE_MAX])
{
	unsigned row = n / MODIFIERS, modifiers = n % MODIFIERS + 1;

	if (row >= ARRAY_SIZE(keys))
		return false;
	*code = may_be_modified(&keys[row]) && modifiers != PLAIN ? CODE_FIRST + (int)n : 0;
	spell(out, &keys[row], (int)modifiers, false);
	return true;
}

static const struct row *find(int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key)
			return &keys[i];
	return NULL;
}

size_t key_sequence(char out[KEY_SEQUENCE_MAX], wint_t key, bool special, bool cursor_keys)
{
	/* What xterm names F13 to F63 are F1 to F12 with these. */
	static const int further[] = { 2, 5, 6, 3, 4 };
	const struct row *row;
	unsigned n;

	if (!special)
		return plain_encode(out, key);
	if (key >= CODE_FIRST && key - CODE_FIRST < ARRAY_SIZE(keys) * MODIFIERS) {
		n = key - CODE_FIRST;
		return spell(out, &keys[n / MODIFIERS], (int)(n % MODIFIERS) + 1, cursor_keys);
	}
	if (key >= KEY_F(13) && key <= KEY_F(63)) {
		n = key - KEY_F(13);
		return spell(out, find(KEY_F(1) + (int)(n % 12)), further[n / 12], cursor_keys);
	}
	row = find((int)key);
	return row ? spell(out, row, row->modifiers, cursor_keys) : 0;
}
