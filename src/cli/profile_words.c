/* See profile_words.h. */
#include "cli/profile_words.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/paths.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "control/names.h"

const struct option_row profile_options[] = {
	{ 0, "kernel", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "a Linux kernel, bzImage or vmlinux" },
	{ 0, "initrd", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "its initial RAM disk" },
	{ 0, "append", OPTION_TEXT, "TEXT", WORD_ANY, 0, 0, "its command line" },
	{ 'm', "memory", OPTION_TEXT, "SIZE", WORD_ANY, 0, 0, "the guest's memory, such as 512M" },
	{ 'c', "cpus", OPTION_TEXT, "COUNT", WORD_ANY, 0, 0, "its virtual CPUs" },
	{ 0, "console", OPTION_TEXT, "serial|virtio", WORD_ANY, 0, 0, "what its console is" },
	{ 'd', "disk", OPTION_LIST, "IMAGE", WORD_FILE, 0, 0,
	  "a raw image or block device as its next disk; may be repeated" },
	{ 'n', "net", OPTION_LIST, "SWITCH", WORD_SWITCH, 0, 0,
	  "a network card on this switch; may be repeated" },
	{ 0, "name", OPTION_TEXT, "NAME", WORD_ANY, 0, 0, "what the guest is called" },
	{ .name = NULL },
};

/* In the order of the profile: the keys of a section follow each other. */
static const struct profile_word word_table[] = {
	{ "name", "guest", "name", false, NULL },
	{ "memory", "guest", "memory", false, NULL },
	{ "cpus", "guest", "cpus", false, NULL },
	{ "console", "guest", "console", false, NULL },
	{ "kernel", "boot", "kernel", true, NULL },
	{ "initrd", "boot", "initrd", true, NULL },
	{ "append", "boot", "cmdline", false, NULL },
	{ "disk", "disk", "path", true, "format = raw" },
	{ "net", "net", "switch", false, NULL },
};

bool profile_words_given(const struct cli *cli)
{
	for (const struct option_row *row = profile_options; row->name; row++)
		if (option_given(cli, row->name))
			return true;
	return false;
}

static void __attribute__((format(printf, 3, 4)))
put_line(struct profile_words *words, const struct profile_word *word, const char *format, ...)
{
	size_t left = sizeof(words->text) - words->size;
	va_list ap;
	int n;

	if (++words->lines < ARRAY_SIZE(words->words))
		words->words[words->lines] = word;
	va_start(ap, format);
	n = vsnprintf(words->text + words->size, left, format, ap);
	va_end(ap);
	words->size += (size_t)n < left ? (size_t)n : left - 1;
}

void profile_words_comment(struct profile_words *words, const char *text)
{
	size_t n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		put_line(words, NULL, "#%s%.*s\n", n ? " " : "", (int)n, text);
	}
}

void profile_words_gap(struct profile_words *words)
{
	put_line(words, NULL, "\n");
}

void profile_words_section(struct profile_words *words, const struct profile_word *word,
			   const char *section)
{
	put_line(words, word, "[%s]\n", section);
}

/* In quotes, of the kind that it does not have, unless it is a plain word. */
int profile_words_value(struct profile_words *words, const struct profile_word *word,
			const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./+@:";
	char path[PATH_MAX];
	struct cause cause;
	char quote = strchr(text, '"') ? '\'' : '"';

	if (word->path && paths_typed(path, text, &cause) < 0)
		return fail("--%s: %s", word->option, cause.text);
	if (word->path)
		text = path;
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == quote)
			return fail("%s%s: a profile cannot have this value: it has %s",
				    word->option ? "--" : "",
				    word->option ? word->option : word->key, *at == quote ? "both kinds of quotes" :
								 "a control character");
	if (*text && !text[strspn(text, plain)])
		put_line(words, word, "%s = %s\n", word->key, text);
	else
		put_line(words, word, "%s = %c%s%c\n", word->key, quote, text, quote);
	return CLI_OK;
}

/* A line for each value, below the section's header where it is another one. */
static int put_word(struct profile_words *words, const struct profile_word *word,
		    const char *const *values, unsigned count, bool numbered)
{
	char numbered_section[32];
	int status = CLI_OK;

	for (unsigned i = 0; status == CLI_OK && i < count; i++) {
		snprintf(numbered_section, sizeof(numbered_section), "%s%u", word->section, i);
		if (numbered)
			profile_words_section(words, word, numbered_section);
		else if (!words->section || strcmp(words->section, word->section) != 0)
			profile_words_section(words, word, word->section);
		words->section = word->section;
		status = profile_words_value(words, word, values[i]);
		if (status == CLI_OK && word->more)
			put_line(words, word, "%s\n", word->more);
	}
	return status;
}

int profile_words_end(const struct profile_words *words)
{
	if (words->size == sizeof(words->text) - 1)
		return fail("the options are too long for a profile");
	return CLI_OK;
}

/* What it is called when nobody says: as its kernel's or disk's file. */
static void name_by_file(char name[NAME_SIZE], const struct cli *cli)
{
	static const char *const options[] = { "disk", "kernel" };

	snprintf(name, NAME_SIZE, "guest");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option_value *value = option_given(cli, options[i]);
		const char *text = value ? value->count ? value->list[0] : value->text : NULL;
		const char *slash = text ? strrchr(text, '/') : NULL;

		if (!text)
			continue;
		text = slash ? slash + 1 : text;
		name_make(name, text, strcspn(text, "."));
		return;
	}
}

int profile_words_make(struct profile_words *words, const struct cli *cli)
{
	char name[NAME_SIZE];
	const char *named = name;
	int status = CLI_OK;

	memset(words, 0, sizeof(*words));
	name_by_file(name, cli);
	for (size_t i = 0; status == CLI_OK && i < ARRAY_SIZE(word_table); i++) {
		const struct profile_word *word = &word_table[i];
		const struct option_value *value = option_given(cli, word->option);

		if (value && value->count)
			status = put_word(words, word, value->list, value->count, true);
		else if (value)
			status = put_word(words, word, &value->text, 1, false);
		else if (i == 0)
			status = put_word(words, word, &named, 1, false);
	}
	return status == CLI_OK ? profile_words_end(words) : status;
}
