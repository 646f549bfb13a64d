/* See screen_text.h. ECMA-48 § 8.3; xterm's ctlseqs for the bright colours. */
#include "cli/screen_text.h"

#include <stdio.h>
#include <string.h>

#include "base/plain.h"

#define BRIGHT 8

static size_t put_character(char *out, uint16_t c, bool utf8)
{
	if (utf8)
		return plain_encode(out, c);
	*out = c < 0x80 ? (char)c : '?';
	return 1;
}

static bool is_alike(const struct remote_cell *one, const struct remote_cell *other)
{
	return one->ink == other->ink && one->ground == other->ground &&
	       one->blinks == other->blinks;
}

static unsigned colour_code(uint8_t colour, unsigned plain, unsigned bright)
{
	return colour < BRIGHT ? plain + colour : bright + colour - BRIGHT;
}

static size_t put_colours(char *out, const struct remote_cell *cell)
{
	return (size_t)sprintf(out, "\033[0;%s%u;%um", cell->blinks ? "5;" : "",
			       colour_code(cell->ink, 30, 90), colour_code(cell->ground, 40, 100));
}

static size_t draw_row(char *out, const struct remote_screen *screen, unsigned y, unsigned line,
		       unsigned columns, bool utf8)
{
	const struct remote_cell *cells = screen->cells[y], *before = NULL;
	size_t size = (size_t)sprintf(out, "\033[%u;1H", line + 1);

	for (unsigned x = 0; x < columns && x < screen->columns; x++) {
		if (!before || !is_alike(before, &cells[x]))
			size += put_colours(out + size, &cells[x]);
		before = &cells[x];
		size += put_character(out + size, cells[x].c, utf8);
	}
	size += (size_t)sprintf(out + size, "\033[m");
	return screen->columns < columns ? size + (size_t)sprintf(out + size, "\033[K") : size;
}

static size_t draw_cursor(char *out, const struct screen_text *text,
			  const struct remote_screen *screen)
{
	if (!screen->cursor || screen->column >= text->columns)
		return (size_t)sprintf(out, "\033[?25l");
	return (size_t)sprintf(out, "\033[%u;%uH\033[%u q\033[?25h", screen->row - text->first + 1,
			       screen->column + 1, screen->block ? 1u : 3u);
}

static size_t draw_words(char *out, const struct remote_screen *screen)
{
	char words[64];

	remote_screen_say(screen, words, sizeof(words));
	return (size_t)sprintf(out, "\033[m\033[H\033[J%s%s%s", *words ? "[" : "", words,
			       *words ? "]" : "");
}

size_t screen_text_draw(struct screen_text *text, const struct remote_screen *screen,
			char out[SCREEN_TEXT_MAX])
{
	unsigned first = remote_screen_first(screen, text->rows);
	uint64_t since = first == text->first ? text->picture : 0;
	size_t size = 0;

	text->first = first;
	text->picture = screen->pictures;
	if (screen->mode != REMOTE_TEXT)
		return draw_words(out, screen);
	if (!since || screen->cleared > since)
		size = (size_t)sprintf(out, "\033[m\033[2J");
	for (unsigned line = 0; line < text->rows && first + line < screen->rows; line++)
		if (!since || screen->changed[first + line] > since)
			size += draw_row(out + size, screen, first + line, line, text->columns,
					 text->utf8);
	return size + draw_cursor(out + size, text, screen);
}

void screen_text_row(const struct remote_screen *screen, unsigned row,
		     char out[SCREEN_TEXT_ROW_MAX])
{
	unsigned columns = screen->columns;

	while (columns && screen->cells[row][columns - 1].c == ' ')
		columns--;
	for (unsigned x = 0; x < columns; x++)
		out += put_character(out, screen->cells[row][x].c, true);
	*out = '\0';
}
