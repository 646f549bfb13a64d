/* Text and numbers as a terminal shows them. Pure. */
#include "tui/canvas/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/plain.h"

size_t text_next(const char *s, wchar_t *c, int *columns)
{
	uint32_t code;
	size_t size = plain_next(s, &code);
	int width;

	if (!size)
		return 0;
	width = code < 0x7f || code == TEXT_REPLACEMENT ? 1 : wcwidth((wchar_t)code);
	*c = (wchar_t)(width < 0 ? TEXT_REPLACEMENT : code);
	*columns = width < 0 ? 1 : width > 2 ? 2 : width;
	return size;
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
