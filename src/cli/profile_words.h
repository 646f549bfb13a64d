/*
 * Options that stand for keys of a profile: what "vmdeck run" starts without
 * one, and the lines of which "vmdeck new" makes one. Main thread.
 */
#ifndef CLI_PROFILE_WORDS_H
#define CLI_PROFILE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ini.h"
#include "cli/command.h"

#define PROFILE_WORDS_LINES 256

/* What an option stands for. */
struct profile_word {
	const char *option, *section, *key; /* option: NULL of what follows from others */
	bool path;
	const char *more; /* a further line of the section, or NULL */
};

/* The text of a profile, and what each of its lines comes from. */
struct profile_words {
	char text[INI_FILE_MAX];
	size_t size;
	const struct profile_word *words[PROFILE_WORDS_LINES]; /* by line, from 1 on */
	unsigned lines;
	const char *section; /* of the last line; NULL: none yet */
};

/*
 * Append a line each; word is what it comes from, or NULL. A comment has one or more lines; a
 * section's name is without brackets; a path becomes absolute. CLI_OK, or CLI_FAILED after a
 * sentence on stderr.
 */
void profile_words_comment(struct profile_words *words, const char *text);
void profile_words_gap(struct profile_words *words);
void profile_words_section(struct profile_words *words, const struct profile_word *word,
			   const char *section);
int profile_words_value(struct profile_words *words, const struct profile_word *word,
			const char *text);

/* Whether all found room: CLI_OK, or CLI_FAILED after a sentence. */
int profile_words_end(const struct profile_words *words);

/* The options, for the row of a command that takes them. */
extern const struct option_row profile_options[];

/* Whether the command line has one of them. */
bool profile_words_given(const struct cli *cli);

/*
 * Makes the profile that the options of a command line stand for; paths become absolute.
 * CLI_OK, or CLI_FAILED after a sentence on stderr.
 */
int profile_words_make(struct profile_words *words, const struct cli *cli);

#endif
