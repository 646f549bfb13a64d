/* Sentences that are cut with a sign. Any thread. */
#include "base/sentence.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void end_in_ellipsis(char *text, size_t size)
{
	size_t end = size - sizeof(SENTENCE_ELLIPSIS);

	while (end && ((uint8_t)text[end] & 0xc0) == 0x80) /* within a character of UTF-8 */
		end--;
	memcpy(text + end, SENTENCE_ELLIPSIS, sizeof(SENTENCE_ELLIPSIS));
}

void sentence_format(char *text, size_t size, const char *format, va_list ap)
{
	int n = vsnprintf(text, size, format, ap);

	if (n > 0 && (size_t)n >= size)
		end_in_ellipsis(text, size);
}

void sentence_add(char *text, size_t size, size_t used, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text + used, size - used, format, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= size - used)
		end_in_ellipsis(text, size);
}
