/* The nearest name to a mistyped one. Any thread. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H


#define SUGGEST_MAX 64 /* longer names are never near */

/* The name nearest to the wrong one, kept while candidates are offered; best NULL at first. */
struct suggestion {
	const char *wrong;
	const char *best;
	unsigned distance;
};

/* Offers a candidate; it is taken when it is nearer than the best, and near enough to be meant. */
void suggest_offer(struct suggestion *suggestion, const char *candidate);

#endif
