/* The nearest name to a mistyped one: optimal string alignment distance. Any thread. */
#include "base/suggest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The number of letters to insert, delete, replace or swap with a neighbour between two
 * names, ignoring case; SUGGEST_MAX when one is longer than that.
 */
static unsigned distance_of(const char *a, const char *b)
{
	size_t rows = strlen(a), columns = strlen(b);
	unsigned row[3][SUGGEST_MAX + 1]; /* the row before the last, the last, this one */

	if (rows >= SUGGEST_MAX || columns >= SUGGEST_MAX)
		return SUGGEST_MAX;
	for (size_t j = 0; j <= columns; j++)
		row[1][j] = (unsigned)j;
	for (size_t i = 1; i <= rows; i++) {
		row[2][0] = (unsigned)i;
		for (size_t j = 1; j <= columns; j++) {
			unsigned best = row[1][j - 1] + !same(a[i - 1], b[j - 1]);

			best = least(best, least(row[1][j], row[2][j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				best = least(best, row[0][j - 2] + 1);
			row[2][j] = best;
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][columns];
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t length = strlen(suggestion->wrong);
	unsigned enough = length < 3 ? 1 : length < 6 ? 2 : 3;
	/* Who has not written a name to its end has made no mistake in it. */
	unsigned distance = length >= 3 && strncasecmp(suggestion->wrong, candidate, length) == 0
				    ? 0 : distance_of(suggestion->wrong, candidate);

	if (distance > enough || distance >= strlen(candidate) ||
	    (suggestion->best && distance >= suggestion->distance))
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
