/* Questions on the message line. Screen thread. */
#include "tui/ui/prompt.h"

#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"
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
	prompt->choices_at = strlen(prompt->question) + 1; /* behind a blank */
	if (prompt->choices_at >= sizeof(prompt->question))
		prompt->choices_at = sizeof(prompt->question) - 1;
	add_choices(prompt->question, sizeof(prompt->question), choices);
}

void prompt_also(struct prompt *prompt, int key, char choice)
{
	prompt->also = key;
	prompt->also_choice = choice;
}

void prompt_ahead(struct prompt *prompt)
{
	prompt->drawn = true;
}

void prompt_line(struct prompt *prompt, const char *initial,
		 void (*answer)(void *arg, int choice, const char *text), void *arg,
		 const char *question)
{
	memset(prompt, 0, sizeof(*prompt));
	prompt->active = true;
	prompt->answer = answer;
	prompt->arg = arg;
	snprintf(prompt->question, sizeof(prompt->question), "%s", question);
	prompt_replace(prompt, initial);
}

void prompt_above(struct prompt *prompt, const struct prompt_above *above, void *arg)
{
	prompt->above = above;
	prompt->above_arg = arg;
}

void prompt_replace(struct prompt *prompt, const char *initial)
{
	size_t n;
	int columns;

	prompt->length = 0;
	while (prompt->length < ARRAY_SIZE(prompt->line) - 1 &&
	       (n = text_next(initial, &prompt->line[prompt->length], &columns))) {
		initial += n;
		prompt->length++;
	}
	prompt->cursor = prompt->length;
}

void prompt_live(struct prompt *prompt, void (*typed)(void *arg, const char *text))
{
	prompt->typed = typed;
}

void prompt_secret(struct prompt *prompt, void (*answer)(void *arg, int choice, const char *text),
		   void *arg, const char *format, ...)
{
	char question[sizeof(prompt->question)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(question, sizeof(question), format, ap);
	va_end(ap);
	prompt_line(prompt, "", answer, arg, question);
	prompt->hidden = true;
}

/* The line as UTF-8, whatever the locale is. */
static void line_text(const struct prompt *prompt, size_t from, size_t to, char out[PROMPT_TEXT])
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += plain_encode(out + n, (uint32_t)prompt->line[i]);
	out[n] = '\0';
}

void prompt_text(const struct prompt *prompt, bool whole, char out[PROMPT_TEXT])
{
	line_text(prompt, 0, whole ? prompt->length : prompt->cursor, out);
}

/* What is seen of the line. */
static void shown_text(const struct prompt *prompt, size_t from, size_t to, char out[PROMPT_TEXT])
{
	if (!prompt->hidden) {
		line_text(prompt, from, to, out);
		return;
	}
	memset(out, '*', to - from);
	out[to - from] = '\0';
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

/* It is a line that somebody typed into. */
static void tell_typed(struct prompt *prompt)
{
	char text[PROMPT_TEXT];

	prompt_text(prompt, true, text);
	prompt->typed(prompt->arg, text);
}

/* Whether the line goes on being typed. */
static bool line_key(struct prompt *prompt, wint_t key, bool special)
{
	char text[PROMPT_TEXT];

	if (special && key != KEY_ENTER) {
		move_cursor(prompt, key);
	} else if (key == KEY_ENTER || key == '\r' || key == '\n') {
		prompt->active = false;
		line_text(prompt, 0, prompt->length, text);
		explicit_bzero(prompt->line, sizeof(prompt->line));
		prompt->answer(prompt->arg, 0, text);
		explicit_bzero(text, sizeof(text));
		return false;
	} else if (key == 27 || key == KEYS_CTRL('c')) {
		prompt->active = false;
		explicit_bzero(prompt->line, sizeof(prompt->line));
		prompt->answer(prompt->arg, 0, NULL);
		return false;
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
	return true;
}

void prompt_key(struct prompt *prompt, wint_t key, bool special)
{
	int choice = 0;

	if (!prompt->choices) {
		if (prompt->above && prompt->above->key(prompt->above_arg, key, special))
			return;
		if (!line_key(prompt, key, special))
			return;
		if (prompt->above)
			prompt->above->changed(prompt->above_arg);
		if (prompt->typed)
			tell_typed(prompt);
		return;
	}
	if (!prompt->drawn)
		return;
	for (const struct choice *at = prompt->choices; !special && at->key; at++)
		if (key == (wint_t)at->key)
			choice = at->key;
	if (prompt->also && prompt->also == (int)key && (special || key < KEY_MIN))
		choice = prompt->also_choice;
	prompt->active = false;
	prompt->answer(prompt->arg, choice, NULL);
}

/* Where there is no room for all of it, the keys that answer are seen whole. */
static void draw_question(const struct prompt *prompt, int bottom, int width)
{
	const unsigned style = INK_WARN | DRAW_BOLD;
	int lines = text_lines(prompt->question, width, bottom), keys;
	char text[sizeof(prompt->question)];

	if (lines < bottom) {
		draw_fill((struct rect){ bottom - lines, 0, lines, width + 2 }, INK_TEXT);
		draw_wrapped((struct rect){ bottom - lines, 1, lines, width }, style,
			     prompt->question);
		return;
	}
	keys = text_lines(prompt->question + prompt->choices_at, width, bottom - 1);
	snprintf(text, sizeof(text), "%.*s", (int)prompt->choices_at - 1, prompt->question);
	draw_fill((struct rect){ 0, 0, bottom, width + 2 }, INK_TEXT);
	draw_wrapped((struct rect){ 0, 1, bottom - keys, width }, style, text);
	draw_wrapped((struct rect){ bottom - keys, 1, keys, width }, style,
		     prompt->question + prompt->choices_at);
}

/* Whether there is room for a line of text behind its question. */
static bool is_beside(const struct prompt *prompt, int width)
{
	return text_width(prompt->question) <= width / 2;
}

/* The view keeps half of the screen. */
static int above_rows(const struct prompt *prompt, int bottom)
{
	return prompt->above ? prompt->above->rows(prompt->above_arg, bottom / 2) : 0;
}

int prompt_rows(const struct prompt *prompt, int reserved)
{
	int width = draw_columns() - 2, bottom = draw_rows() - reserved;

	if (!prompt->active)
		return 0;
	if (prompt->choices)
		return text_lines(prompt->question, width, bottom);
	return (is_beside(prompt, width) ? 1 : 2) + above_rows(prompt, bottom);
}

/* The question before the line, or, where they would have too little room, above it. */
static void draw_line_of_text(const struct prompt *prompt, int bottom, int width)
{
	bool beside = is_beside(prompt, width);
	int x = 1, used, room, lines = beside ? 1 : 2;
	char text[PROMPT_TEXT];
	size_t from = 0;

	draw_fill((struct rect){ bottom - lines, 0, lines, width + 2 }, INK_TEXT);
	used = draw_text(bottom - lines, x, width, INK_WARN | DRAW_BOLD, prompt->question);
	if (beside)
		x += used + 1;
	room = width - x;
	shown_text(prompt, 0, prompt->cursor, text);
	while (from < prompt->cursor && text_width(text) > room)
		shown_text(prompt, ++from, prompt->cursor, text);
	shown_text(prompt, from, prompt->length, text);
	draw_text(bottom - 1, x, room + 1, INK_TEXT, text);
	shown_text(prompt, from, prompt->cursor, text);
	move(bottom - 1, x + text_width(text));
}

void prompt_draw(struct prompt *prompt, int reserved)
{
	int width = draw_columns() - 2, bottom = draw_rows() - reserved;

	prompt->drawn = true;
	if (prompt->choices) {
		draw_question(prompt, bottom, width);
		return;
	}
	if (prompt->above)
		prompt->above->draw(prompt->above_arg,
				    (struct rect){ bottom - prompt_rows(prompt, reserved), 0,
						   above_rows(prompt, bottom), width + 2 });
	draw_line_of_text(prompt, bottom, width);
}
