/*
 * Plain text: the one door by which text that is not ours (of a guest, a peer,
 * a file, a file's name, the command line) leaves toward a terminal or a log.
 *
 * What is no UTF-8 (RFC 3629), and characters that steer a terminal or hide what
 * stands there (C0, C1, bidirectional controls, marks without width, tags), come
 * out as U+FFFD. A line stays one line. On a terminal whose locale is not UTF-8
 * a '?' stands for these and for all beyond ASCII: such a terminal takes bytes
 * from 0x80 on for C1 (ECMA-48 §5.3).
 *
 * tests/include-check holds that nothing of this kind is printed past it. JSON
 * has its own door, control/message.h; the screen draws by tui/canvas/text.h.
 * Any thread, for a FILE that nobody else writes to at the same time.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAIN_REPLACEMENT 0xfffdu

/* The bytes of the character at s, of size > 0 bytes, and the character in *c; 0: it is none. */
size_t plain_decode(const char *s, size_t size, uint32_t *c);

#define PLAIN_BYTES 4 /* of a character, at most */

/* Writes a character; returns its bytes, 0: it is none (beyond U+10FFFF). */
size_t plain_encode(char out[PLAIN_BYTES], uint32_t c);

/* Whether a character steers a terminal or hides what stands there. */
bool plain_steers(uint32_t c);

/*
 * Takes one character off a string; *c is PLAIN_REPLACEMENT for what is none or steers, a
 * blank for a tab. Returns the bytes taken, 0 at the end.
 */
size_t plain_next(const char *s, uint32_t *c);

/*
 * text as it is shown, malloc'd, and its bytes in *size (NULL: not wanted): the first
 * keep_first and the last keep_last bytes as they are. NULL: no memory.
 */
char *plain_copy(const char *text, bool utf8, size_t keep_first, size_t keep_last, size_t *size);

/* Whether what is written there is taken for UTF-8; only a terminal may not do so. */
bool plain_utf8(FILE *out);

/*
 * Prints. What newlines format begins and ends with are kept, all others steer. Without
 * memory nothing is printed.
 */
void plain_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints lines that are divided by newlines. */
void plain_lines(FILE *out, const char *text);

/* Says a sentence on standard error, behind "vmdeck: ", as one line and in one write. */
void plain_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same; end is the line's. */
void plain_vsay(const char *end, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

#endif
