/* See clipboard.h. */
#include "tui/canvas/clipboard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/plain.h"

void clipboard_encode(const char *text, size_t size, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = 0;

		for (size_t n = 0; n < 3; n++)
			bits = bits << 8 | (i + n < size ? (uint8_t)text[i + n] : 0);
		for (int n = 0; n < 4; n++)
			*out++ = i + (size_t)n > size ? '=' : digits[bits >> (18 - 6 * n) & 63];
	}
	*out = '\0';
}

bool clipboard_set(const struct terminal *terminal, const char *text, size_t size)
{
	char *encoded;

	if (!terminal->clipboard || size > CLIPBOARD_MAX)
		return false;
	encoded = malloc(clipboard_encoded(size) + 1);
	if (!encoded)
		return false;
	clipboard_encode(text, size, encoded);
	/* Between two frames of curses, which has flushed what it wrote. */
	fputs("\033]52;c;", stdout);
	plain_print(stdout, "%s", encoded);
	fputs("\a", stdout);
	fflush(stdout);
	free(encoded);
	return true;
}
