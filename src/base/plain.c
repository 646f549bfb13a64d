/* Text that is not ours, on its way out; see plain.h. Any thread. */
#include "base/plain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

size_t plain_decode(const char *s, size_t size, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)s;
	size_t length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 :
			at[0] < 0xf5 ? 4 : 0;
	uint32_t value;

	if (length > size)
		return 0;
	if (length < 2) {
		*c = at[0];
		return length;
	}
	value = at[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*c = value;
	return length;
}

size_t plain_encode(char out[PLAIN_BYTES], uint32_t c)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : c <= 0x10ffff ? 4 : 0;

	for (size_t i = size; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	if (size)
		out[0] = (char)(leads[size] | c);
	return size;
}

bool plain_steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

size_t plain_next(const char *s, uint32_t *c)
{
	size_t n;

	if (*s >= 0x20 && *s < 0x7f) { /* most of what a screen draws, several times a second */
		*c = (uint32_t)*s;
		return 1;
	}
	if (!*s)
		return 0;
	n = plain_decode(s, strnlen(s, 4), c);
	if (n && *c == '\t')
		*c = ' ';
	else if (!n || plain_steers(*c))
		*c = PLAIN_REPLACEMENT;
	return n ? n : 1;
}

char *plain_copy(const char *text, bool utf8, size_t keep_first, size_t keep_last, size_t *size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t all = strlen(text), end = all - keep_last, at, n, used;
	char *copy = malloc(3 * all + 1); /* of one byte the replacement makes three */
	uint32_t c;

	if (!copy)
		return NULL;
	used = at = keep_first;
	memcpy(copy, text, keep_first);
	for (; at < end; at += n) {
		n = plain_next(text + at, &c);
		if (c < 0x7f || !utf8)
			copy[used++] = c < 0x7f ? (char)c : '?';
		else if (c == PLAIN_REPLACEMENT)
			used = (size_t)(stpcpy(copy + used, replacement) - copy);
		else
			used = (size_t)((char *)mempcpy(copy + used, text + at, n) - copy);
	}
	memcpy(copy + used, text + end, keep_last + 1);
	if (size)
		*size = used + keep_last;
	return copy;
}

/* What terminals speak is told as tmux(1) and others find it out, without a locale's files. */
bool plain_utf8(FILE *out)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	if (!isatty(fileno(out)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
	}
	return false;
}

/* One write, where out is not buffered. */
static void put(FILE *out, const char *text, size_t keep_first, size_t keep_last)
{
	size_t size;
	char *copy = plain_copy(text, plain_utf8(out), keep_first, keep_last, &size);

	if (copy)
		fwrite(copy, 1, size, out);
	free(copy);
}

void plain_print(FILE *out, const char *format, ...)
{
	size_t first = strspn(format, "\n"), end = strlen(format), last = end;
	char *text;
	va_list ap;
	int n;

	while (last > first && format[last - 1] == '\n')
		last--;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	put(out, text, first, end - last);
	free(text);
}

void plain_lines(FILE *out, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	while (rest && *rest) {
		line = strsep(&rest, "\n");
		plain_print(out, "%s\n", line);
	}
	free(copy);
}

void plain_vsay(const char *end, const char *format, va_list ap)
{
	char *sentence, *line;

	if (vasprintf(&sentence, format, ap) < 0)
		return;
	if (asprintf(&line, "vmdeck: %s%s", sentence, end) >= 0) {
		put(stderr, line, 0, strlen(end));
		free(line);
	}
	free(sentence);
}

void plain_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	plain_vsay("\n", format, ap);
	va_end(ap);
}
