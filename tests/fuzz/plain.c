/*
 * The door of text: whatever comes in, what goes out is UTF-8 of which nothing steers a
 * terminal, as a line and inside JSON; and JSON keeps the text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "control/message_text.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("web: failed: \033[2J\033]0;title\a\r\n"),
	SEED("\302\233m \342\200\256 \342\201\246 \303\244 \360\237\230\200 \363\240\201\201 \177"),
	SEED("k\351.ini \300\257 \355\240\200 \364\220\200\200 \342\202"),
	{ NULL, 0 },
};

/* Byte by byte, so that it is not the decoder that judges itself. */
static void check(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const unsigned char *at = (const unsigned char *)text + i;

		if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0) ||
		    (at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
		    (at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9))
			abort();
	}
}

static void check_copy(const char *text)
{
	size_t size;
	char *copy = plain_copy(text, true, 0, 0, &size);
	json_t *utf8 = json_stringn(copy, size);

	if (size != strlen(copy) || !utf8)
		abort();
	check(copy, size);
	json_decref(utf8);
	free(copy);
	copy = plain_copy(text, false, 0, 0, &size);
	for (size_t i = 0; i < size; i++)
		if (copy[i] < 0x20 || copy[i] > 0x7e)
			abort();
	free(copy);
}

static void check_json(const char *text)
{
	json_t *value = message_text(text), *again, *list;
	size_t size;
	char *line;

	if (!json_is_string(value))
		abort();
	list = json_array();
	json_array_append(list, value);
	line = message_dump(list, JSON_COMPACT, &size);
	again = json_loadb(line, size, 0, NULL);
	check(line, size);
	if (!json_equal(list, again))
		abort();
	free(line);
	json_decref(again);
	json_decref(list);
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	check_copy(text);
	check_json(text);
	free(text);
	return 0;
}
