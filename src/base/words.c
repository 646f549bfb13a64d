/* See words.h. */
#include "base/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *at on into out; returns its bytes. */
static size_t take_word(struct words *words, const char **at, char *out)
{
	const char *from = *at;
	size_t n = 0;
	char quote = 0;

	for (; *from && (quote || !is_blank(*from)); from++) {
		if (quote && *from == quote) {
			quote = 0;
		} else if (!quote && (*from == '\'' || *from == '"')) {
			quote = *from;
		} else if (*from == '\\' && from[1] && quote != '\'' &&
			   (!quote || from[1] == '"' || from[1] == '\\')) {
			out[n++] = *++from;
		} else {
			out[n++] = *from;
		}
	}
	out[n] = '\0';
	words->end = quote ? WORDS_QUOTE : *from ? WORDS_BLANK : WORDS_WHOLE;
	*at = from;
	return n;
}

int words_split(struct words *words, const char *line)
{
	size_t length = strlen(line);
	const char *at = line;
	char *out;

	*words = (struct words){ .end = WORDS_WHOLE };
	/* At most every second byte begins a word, which is no longer without its quotes. */
	words->text = out = malloc(length + 2);
	words->words = calloc(length / 2 + 3, sizeof(*words->words));
	words->starts = calloc(length / 2 + 3, sizeof(*words->starts));
	if (!words->text || !words->words || !words->starts) {
		words_free(words);
		return -ENOMEM;
	}
	for (;;) {
		while (is_blank(*at))
			at++;
		if (!*at)
			return 0;
		words->starts[words->count] = (size_t)(at - line);
		words->words[words->count++] = out;
		out += take_word(words, &at, out) + 1;
	}
}

void words_free(struct words *words)
{
	free(words->text);
	free(words->words);
	free(words->starts);
	*words = (struct words){ .end = WORDS_WHOLE };
}

static bool put(char *line, size_t size, size_t *n, const char *bytes, size_t count)
{
	if (*n + count >= size)
		return false;
	memcpy(line + *n, bytes, count);
	*n += count;
	return true;
}

int words_add(char *line, size_t size, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./+@:=,%";
	bool quoted = !*word || word[strspn(word, plain)];
	size_t begin = strlen(line), n = begin;
	bool room = true;

	if (begin)
		room = put(line, size, &n, " ", 1);
	if (quoted)
		room = room && put(line, size, &n, "'", 1);
	/* One that would end the quotes stands between two pairs of them. */
	for (; room && *word; word++)
		room = *word == '\'' ? put(line, size, &n, "'\\''", 4) : put(line, size, &n, word, 1);
	if (quoted)
		room = room && put(line, size, &n, "'", 1);
	line[room ? n : begin] = '\0';
	return room ? 0 : -ENOSPC;
}
