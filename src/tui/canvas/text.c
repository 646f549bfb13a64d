/* Text and numbers as a terminal shows them. Pure. UTF-8: RFC 3629. */
#include "tui/canvas/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Bytes of the UTF-8 sequence at s, or 0 when it is invalid. */
static size_t decode(const unsigned char *s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
			s[0] < 0xf5 ? 4 : 0;
	uint32_t c;

	if (length < 2) {
		*out = s[0];
		return length;
	}
	c = s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return length;
}

/* Marks that reorder or hide text: bidirectional controls, tags, zero-width characters. */
static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

size_t text_next(const char *s, wchar_t *c, int *columns)
{
	uint32_t code = 0;
	size_t size;
	int width;

	if (!*s)
		return 0;
	size = decode((const unsigned char *)s, &code);
	if (size && !steers(code)) {
		width = code < 0x7f ? 1 : wcwidth((wchar_t)code);
		if (width >= 0) {
			*c = (wchar_t)code;
			*columns = width > 2 ? 2 : width;
			return size;
		}
	}
	*c = TEXT_REPLACEMENT;
	*columns = 1;
	return size ? size : 1;
}

size_t text_cut(const char *s, int columns, int *used)
{
	size_t at = 0, n;
	int total = 0, width;
	wchar_t c;

	while ((n = text_next(s + at, &c, &width)) && total + width <= columns) {
		total += width;
		at += n;
	}
	if (used)
		*used = total;
	return at;
}

int text_width(const char *s)
{
	int used;

	text_cut(s, 1 << 20, &used);
	return used;
}

size_t text_wrap(const char *s, int columns, size_t *next)
{
	size_t line = strcspn(s, "\n"), fits = text_cut(s, columns, NULL), end;

	if (fits >= line) {
		*next = line + (s[line] == '\n');
		return line;
	}
	end = fits;
	while (end > 0 && s[end] != ' ')
		end--;
	if (end == 0) { /* one long word */
		wchar_t c;
		int width;

		end = fits ? fits : text_next(s, &c, &width);
		*next = end;
		return end;
	}
	*next = end + strspn(s + end, " ");
	while (end > 0 && s[end - 1] == ' ')
		end--;
	return end;
}

static const char *scale(char out[TEXT_NUMBER], double value, double base, const char *units)
{
	if (!(value > 0))
		value = 0;
	while (value >= 999.5 && units[1]) {
		value /= base;
		units++;
	}
	if (value > 9999)
		value = 9999;
	if (*units == ' ')
		snprintf(out, TEXT_NUMBER, "%.0f", value);
	else
		snprintf(out, TEXT_NUMBER, "%.*f%c", value < 99.95 ? 1 : 0, value, *units);
	return out;
}

const char *text_size(char out[TEXT_NUMBER], double bytes)
{
	return scale(out, bytes, 1024, " KMGTPE");
}

const char *text_count(char out[TEXT_NUMBER], double count)
{
	return scale(out, count, 1000, " kMGTPE");
}

const char *text_rate(char out[TEXT_NUMBER], double rate)
{
	text_count(out, rate);
	if (strcmp(out, "0") != 0)
		strcat(out, "/s");
	return out;
}

const char *text_percent(char out[TEXT_NUMBER], double percent)
{
	if (!(percent > 0))
		percent = 0;
	if (percent > 99999)
		percent = 99999;
	snprintf(out, TEXT_NUMBER, "%.*f", percent < 99.95 ? 1 : 0, percent);
	return out;
}

const char *text_age(char out[TEXT_NUMBER], double seconds)
{
	unsigned s;

	if (!(seconds > 0))
		seconds = 0;
	if (seconds > 8e8)
		seconds = 8e8;
	s = (unsigned)seconds;
	if (s < 60)
		snprintf(out, TEXT_NUMBER, "%us", s);
	else if (s < 3600)
		snprintf(out, TEXT_NUMBER, "%um%02us", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_NUMBER, "%uh%02um", s / 3600, s / 60 % 60);
	else
		snprintf(out, TEXT_NUMBER, "%ud%02uh", s / 86400, s / 3600 % 24);
	return out;
}
