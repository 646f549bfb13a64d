/*
 * Text and numbers as a terminal shows them. Pure, but for the thread's
 * locale, which says how wide a character is.
 *
 * Everything that a guest, a file or the server wrote passes text_next()
 * before it reaches the terminal: no control character, no escape sequence,
 * no invisible or reordering character comes through.
 */
#ifndef TUI_CANVAS_TEXT_H
#define TUI_CANVAS_TEXT_H

#include <stddef.h>
#include <wchar.h>

#include "base/plain.h"
#include "base/units.h"

#define TEXT_REPLACEMENT PLAIN_REPLACEMENT
#define TEXT_MOST 4096 /* bytes of a text that is wrapped */

/*
 * Takes one character off a UTF-8 string: *c and its *columns (0..2); 0 columns
 * says that it is to be left out. Returns the bytes taken, 0 at the end.
 * What plain_next() does not let through becomes TEXT_REPLACEMENT, and
 * what the locale does not know.
 */
size_t text_next(const char *s, wchar_t *c, int *columns);

/* Columns that the string takes. */
int text_width(const char *s);

/* Bytes of the longest beginning that fits in columns; *used gets its columns (may be NULL). */
size_t text_cut(const char *s, int columns, int *used);

/* What is left of s behind so many columns. */
const char *text_behind(const char *s, int columns);

/*
 * The first line of s wrapped at columns (> 0): its bytes, and in *next where the
 * following line begins (blanks skipped). Ends at a '\n' too. Always advances.
 */
size_t text_wrap(const char *s, int columns, size_t *next);

/* Lines of s wrapped at columns (> 0), or most if there are more. */
int text_lines(const char *s, int columns, int most);

/*
 * Copies s. If it has more than so many lines, sign stands for the folders of its paths,
 * from the longest on, and for the middle of words that are wider than a line, until it fits
 * or nothing is left to shorten.
 */
void text_fit(char *out, size_t size, const char *s, const char *sign, int columns, int lines);

#endif
