/* Questions on the message line. Screen thread. */
#include "tui/ui/prompt.h"

#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "tui/canvas/draw.h"
#include "tui/canvas/text.h"
#include "tui/ui/keys.h"

/* Adds what the keys do: "y: force it off, any other key: let it run". */
static void add_choices(char *text, size_t size, const struct choice *choices)
{
	size_t n = strlen(text);

	for (; choices->key && n < size; choices++)
		n += (size_t)snprintf(text + n, size - n, " %c: %s,", choices->key, choices->does);
	if (n < size)
		snprintf(text + n, size - n, " any other key: %s", choices->does);
}

void prompt_ask(struct prompt *prompt, const struct choice *choices,
		void (*answer)(void *arg, int choice, const char *text), void *arg,
		const char *format, ...)
{
	va_list ap;

	memset(prompt, 0, sizeof(*prompt));
	prompt->active = true;
	prompt->choices = choices;
	prompt->answer = answer;
	prompt->arg = arg;
	va_start(ap, format);
	vsnprintf(prompt->question, sizeof(prompt->question), format, ap);
	va_end(ap);
	add_choices(prompt->question, sizeof(prompt->question), choices);
}

void prompt_line(struct prompt *prompt, const char *initial,
		 void (*answer)(void *arg, int choice, const char *text), void *arg,
		 const char *question)
{
	size_t n;
	int columns;

	memset(prompt, 0, sizeof(*prompt));
	prompt->active = true;
	prompt->answer = answer;
	prompt->arg = arg;
	snprintf(prompt->question, sizeof(prompt->question), "%s", question);
	while (prompt->length < ARRAY_SIZE(prompt->line) - 1 &&
	       (n = text_next(initial, &prompt->line[prompt->length], &columns))) {
		initial += n;
		prompt->length++;
	}
	prompt->cursor = prompt->length;
}

/* The line as UTF-8, whatever the locale is. */
static void line_text(const struct prompt *prompt, size_t from, size_t to, char out[PROMPT_TEXT])
{
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		unsigned c = (unsigned)prompt->line[i];

		if (c < 0x80) {
			out[n++] = (char)c;
		} else if (c < 0x800) {
			out[n++] = (char)(0xc0 | c >> 6);
			out[n++] = (char)(0x80 | (c & 0x3f));
		} else if (c < 0x10000) {
			out[n++] = (char)(0xe0 | c >> 12);
			out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[n++] = (char)(0x80 | (c & 0x3f));
		} else {
			out[n++] = (char)(0xf0 | c >> 18);
			out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
			out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	out[n] = '\0';
}

static void erase_before(struct prompt *prompt, size_t from)
{
	memmove(&prompt->line[from], &prompt->line[prompt->cursor],
		(prompt->length - prompt->cursor) * sizeof(prompt->line[0]));
	prompt->length -= prompt->cursor - from;
	prompt->cursor = from;
}

static void insert(struct prompt *prompt, wint_t key)
{
	if (prompt->length >= ARRAY_SIZE(prompt->line) - 1 || key < 0x20 || key == 0x7f ||
	    key > 0x10ffff || wcwidth((wchar_t)key) < 1)
		return;
	memmove(&prompt->line[prompt->cursor + 1], &prompt->line[prompt->cursor],
		(prompt->length - prompt->cursor) * sizeof(prompt->line[0]));
	prompt->line[prompt->cursor++] = (wchar_t)key;
	prompt->length++;
}

static void move_cursor(struct prompt *prompt, wint_t key)
{
	switch (key) {
	case KEY_LEFT:
		prompt->cursor -= prompt->cursor > 0;
		break;
	case KEY_RIGHT:
		prompt->cursor += prompt->cursor < prompt->length;
		break;
	case KEY_HOME:
		prompt->cursor = 0;
		break;
	case KEY_END:
		prompt->cursor = prompt->length;
		break;
	case KEY_DC:
		if (prompt->cursor < prompt->length) {
			prompt->cursor++;
			erase_before(prompt, prompt->cursor - 1);
		}
		break;
	case KEY_BACKSPACE:
		if (prompt->cursor > 0)
			erase_before(prompt, prompt->cursor - 1);
		break;
	}
}

static void line_key(struct prompt *prompt, wint_t key, bool special)
{
	char text[PROMPT_TEXT];

	if (special && key != KEY_ENTER) {
		move_cursor(prompt, key);
	} else if (key == KEY_ENTER || key == '\r' || key == '\n') {
		prompt->active = false;
		line_text(prompt, 0, prompt->length, text);
		prompt->answer(prompt->arg, 0, text);
	} else if (key == 27 || key == KEYS_CTRL('c')) {
		prompt->active = false;
		prompt->answer(prompt->arg, 0, NULL);
	} else if (key == 0x7f || key == KEYS_CTRL('h')) {
		move_cursor(prompt, KEY_BACKSPACE);
	} else if (key == KEYS_CTRL('u')) {
		erase_before(prompt, 0);
	} else if (key == KEYS_CTRL('a')) {
		prompt->cursor = 0;
	} else if (key == KEYS_CTRL('e')) {
		prompt->cursor = prompt->length;
	} else {
		insert(prompt, key);
	}
}

void prompt_key(struct prompt *prompt, wint_t key, bool special)
{
	int choice = 0;

	if (!prompt->choices) {
		line_key(prompt, key, special);
		return;
	}
	for (const struct choice *at = prompt->choices; !special && at->key; at++)
		if (key == (wint_t)at->key)
			choice = at->key;
	prompt->active = false;
	prompt->answer(prompt->arg, choice, NULL);
}

void prompt_draw(const struct prompt *prompt, int reserved)
{
	int width = draw_columns(), height = draw_rows() - reserved, lines = 0, x, y, room;
	const char *rest = prompt->question;
	char text[PROMPT_TEXT];
	size_t next, from = 0;

	for (; *rest && lines < 4 && lines < height; rest += next, lines++)
		text_wrap(rest, width - 2, &next);
	if (!prompt->choices)
		lines = 1;
	y = height - lines;
	draw_fill((struct rect){ y, 0, lines, width }, INK_TEXT);
	if (prompt->choices) {
		draw_wrapped((struct rect){ y, 1, lines, width - 2 }, INK_WARN | DRAW_BOLD,
			     prompt->question);
		return;
	}
	x = 1 + draw_text(y, 1, width / 2, INK_WARN | DRAW_BOLD, prompt->question) + 1;
	room = width - x - 2;
	line_text(prompt, 0, prompt->cursor, text);
	while (from < prompt->cursor && text_width(text) > room)
		line_text(prompt, ++from, prompt->cursor, text);
	line_text(prompt, from, prompt->length, text);
	draw_text(y, x, room, INK_TEXT, text);
	line_text(prompt, from, prompt->cursor, text);
	move(y, x + text_width(text));
}
