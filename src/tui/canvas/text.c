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
