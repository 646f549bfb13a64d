/* See fuzzy.h. */
#include "tui/model/fuzzy.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SCORE_WHOLE 1000
#define SCORE_BEGINNING 500 /* all of typed begins the text */
#define SCORE_INSIDE 200    /* all of it stands together in there */
#define SCORE_WORD 20	    /* a letter begins a word, or the text */
#define SCORE_RUN 10	    /* it stands right behind the one before */
#define SKIPPED_MOST 9	    /* letters that count against it */

static bool begins_word(const char *text, const char *at)
{
	return at == text || !isalnum((unsigned char)at[-1]);
}

/* Each letter at its first place behind the one before. */
static int score_letters(const char *typed, const char *text)
{
	const char *at = text, *last = NULL;
	int score = 0, skipped = 0;

	for (; *typed; typed++, at++) {
		while (*at && tolower((unsigned char)*at) != tolower((unsigned char)*typed)) {
			at++;
			skipped++;
		}
		if (!*at)
			return -1;
		score += begins_word(text, at) ? SCORE_WORD : last && at == last + 1 ? SCORE_RUN : 1;
		last = at;
	}
	return score + SKIPPED_MOST - (skipped < SKIPPED_MOST ? skipped : SKIPPED_MOST);
}

int fuzzy_score(const char *typed, const char *text)
{
	size_t length = strlen(typed);
	int score;

	if (!length)
		return 0;
	score = score_letters(typed, text);
	if (score < 0)
		return -1;
	if (strncasecmp(typed, text, length) == 0)
		score += text[length] ? SCORE_BEGINNING : SCORE_WHOLE;
	else if (strcasestr(text, typed))
		score += SCORE_INSIDE;
	return score;
}
