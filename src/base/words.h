/*
 * A line as words, in the manner of a shell: blanks part them; what stands in '...' or "..."
 * is taken as it is, and a backslash takes away the meaning of what follows, in "..." only of
 * '"' and '\'. Nothing else has a meaning. Any thread.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stddef.h>

/* What the end of a line leaves open. */
enum words_end {
	WORDS_WHOLE, /* a word ends with it, or there is none */
	WORDS_BLANK, /* the next one has not begun */
	WORDS_QUOTE, /* a quote that is not closed */
};

struct words {
	char *text;    /* all of them, each with a zero behind it */
	char **words;  /* count of them, and NULL; there is room for one more */
	size_t *starts; /* byte of the line at which each begins */
	size_t count;
	enum words_end end;
};

/* 0 or -ENOMEM. */
int words_split(struct words *words, const char *line);
void words_free(struct words *words); /* also after a failure, or of one all zero */

/*
 * Appends a word to a line that has a zero in its size bytes, behind a blank unless it is the
 * first one, quoted as it must be. -ENOSPC, and the line is as it was.
 */
int words_add(char *line, size_t size, const char *word);

#endif
