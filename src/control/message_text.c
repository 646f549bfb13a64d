/* See message_text.h. Any thread. */
#include "control/message_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define SPELLED_MAX 12 /* bytes of two escapes */

json_t *message_text(const char *text)
{
	size_t size, at, used = 0, n;
	json_t *string;
	char *clean;
	uint32_t c;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	size = strlen(text);
	clean = malloc(3 * size + 1);
	for (at = 0; clean && at < size; at += n) {
		n = plain_decode(text + at, size - at, &c);
		used = (size_t)((char *)mempcpy(clean + used, n ? text + at : REPLACEMENT,
						n ? n : strlen(REPLACEMENT)) - clean);
		n = n ? n : 1;
	}
	string = clean ? json_stringn(clean, used) : NULL;
	free(clean);
	return string;
}

/* The bytes of the next character beyond ASCII, in *c, or of all that are before it. */
static size_t next_run(const char *text, size_t size, uint32_t *c)
{
	size_t n = 0;

	while (n < size && (unsigned char)text[n] < 0x7f)
		n++;
	*c = ' ';
	if (!n)
		n = plain_decode(text, size, c);
	return n ? n : 1;
}

static size_t spell_character(char *out, uint32_t c)
{
	if (c < 0x10000)
		return (size_t)sprintf(out, "\\u%04x", c);
	return (size_t)sprintf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
			       0xdc00 + (c & 0x3ff));
}

/* What steers a terminal is spelled with escapes, as control characters are by Jansson. */
static char *spell(char *text, size_t *size)
{
	size_t at, n, used = 0, steering = 0;
	char *out;
	uint32_t c;

	for (at = 0; at < *size; at += n) {
		n = next_run(text + at, *size - at, &c);
		steering += plain_steers(c);
	}
	if (!steering)
		return text;
	out = malloc(*size + steering * SPELLED_MAX + 1);
	for (at = 0; out && at < *size; at += n) {
		n = next_run(text + at, *size - at, &c);
		if (plain_steers(c))
			used += spell_character(out + used, c);
		else
			used = (size_t)((char *)mempcpy(out + used, text + at, n) - out);
	}
	if (out)
		out[used] = '\0';
	free(text);
	*size = used;
	return out;
}

char *message_dump(const json_t *value, size_t flags, size_t *size)
{
	char *text = json_dumps(value, flags | JSON_REAL_PRECISION(9));

	if (!text)
		return NULL;
	*size = strlen(text);
	return spell(text, size);
}
