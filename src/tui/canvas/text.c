/* Text and numbers as a terminal shows them. Pure. */
#include "tui/canvas/text.h"

#include <stdbool.h>
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

const char *text_behind(const char *s, int columns)
{
	return columns > 0 ? s + text_cut(s, columns, NULL) : s;
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

int text_lines(const char *s, int columns, int most)
{
	size_t next;
	int lines = 0;

	for (; *s && lines < most; s += next, lines++)
		text_wrap(s, columns, &next);
	return lines;
}

static void replace(char *from, size_t size, const char *sign)
{
	size_t n = strlen(sign);

	memcpy(from, sign, n);
	memmove(from + n, from + size, strlen(from + size) + 1);
}

/* The word at or behind s, which ends in front of *end; or NULL. */
static char *next_word(char *s, char **end)
{
	s += strspn(s, " \n");
	*end = s + strcspn(s, " \n");
	return *s ? s : NULL;
}

/* Of the path that has the most of them. */
static bool leave_out_folders(char *s, const char *sign)
{
	size_t most = strlen(sign);
	char *from = NULL, *end;

	for (char *word = s; (word = next_word(word, &end)); word = end) {
		char *first = memchr(word, '/', (size_t)(end - word));
		char *last = memrchr(word, '/', (size_t)(end - word - 1));

		if (first && last && last - first > (ptrdiff_t)most) {
			from = first;
			most = (size_t)(last - first);
		}
	}
	if (from)
		replace(from, most, sign);
	return from;
}

/* Leaves out the middle of a word, so that its ends take columns with the sign. */
static bool narrow(char *word, char *end, const char *sign, int columns)
{
	int left = 0, skip, head = (columns - 1) / 2, tail = columns - 1 - head;
	char rest = *end, *from, *to;
	wchar_t c;

	*end = '\0';
	to = from = word + text_cut(word, head, NULL);
	left = text_width(from);
	for (; left > tail; left -= skip)
		to += text_next(to, &c, &skip);
	*end = rest;
	if (to - from < (ptrdiff_t)strlen(sign))
		return false;
	replace(from, (size_t)(to - from), sign);
	return true;
}

static bool leave_out_middle(char *s, const char *sign, int columns)
{
	char *end;

	for (char *word = s; (word = next_word(word, &end)); word = end)
		if (text_cut(word, columns, NULL) < (size_t)(end - word) &&
		    narrow(word, end, sign, columns))
			return true;
	return false;
}

void text_fit(char *out, size_t size, const char *s, const char *sign, int columns, int lines)
{
	bool shorter = true;

	snprintf(out, size, "%s", s);
	while (shorter && text_lines(out, columns, lines + 1) > lines)
		shorter = leave_out_folders(out, sign) || leave_out_middle(out, sign, columns);
}
