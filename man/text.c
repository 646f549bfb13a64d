/* Running text as mdoc(7), and the names that a page describes. */
#include "page.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 78

static char line[512];
static size_t line_size;

static void end_line(void)
{
	if (line_size)
		printf("%.*s\n", (int)line_size, line);
	line_size = 0;
}

/* A word of running text; what roff(7) would obey is made harmless. */
static void put_word(const char *word, size_t size)
{
	size_t escapes = 0;

	for (size_t i = 0; i < size; i++)
		escapes += word[i] == '\\';
	if (line_size && line_size + 1 + size + escapes > COLUMNS)
		end_line();
	if (line_size + size + escapes + 4 > sizeof(line))
		manual_fail("too long:", word);
	if (line_size)
		line[line_size++] = ' ';
	else if (*word == '.' || *word == '\'')
		line_size = (size_t)snprintf(line, sizeof(line), "\\&");
	for (size_t i = 0; i < size; i++) {
		line[line_size++] = word[i];
		if (word[i] == '\\')
			line[line_size++] = 'e';
	}
}

/* "Cm yes" as a line of its own, with the punctuation behind it; returns what follows. */
static const char *put_macro(const char *text)
{
	const char *end = strchr(text, '}');
	size_t size;

	if (!end)
		manual_fail("no end of the macro in", text);
	end_line();
	putchar('.');
	for (; text < end; text += size + (text[size] == ' ')) {
		size = strcspn(text, " }");
		printf("%s%.*s%s", size == 1 && ispunct((unsigned char)*text) ? "\\&" : "",
		       (int)size, text, text[size] == ' ' ? " " : "");
	}
	for (text = end + 1; *text && strchr(".,:;", *text); text++)
		printf(" %c", *text);
	putchar('\n');
	return text;
}

void manual_text(const char *text)
{
	while (*text) {
		size_t size = strcspn(text, " {");

		if (*text == '{') {
			text = put_macro(text + 1);
		} else if (size) {
			put_word(text, size);
			if (strchr(".?", text[size - 1]) && text[size] != '{')
				end_line();
			text += size;
		}
		text += strspn(text, " ");
	}
	end_line();
}

void manual_help(const char *help)
{
	char text[512];

	snprintf(text, sizeof(text), "%c%s.", toupper((unsigned char)*help), help + 1);
	manual_text(text);
}

bool manual_has(const struct manual_names *names, const char *name)
{
	for (unsigned i = 0; i < names->count; i++)
		if (strcmp(names->of[i], name) == 0)
			return true;
	return false;
}

void manual_note(struct manual_names *names, const char *name)
{
	if (manual_has(names, name))
		manual_fail("is described twice:", name);
	if (names->count == MANUAL_NAMES_MAX)
		manual_fail("too many names:", name);
	names->of[names->count++] = name;
}
