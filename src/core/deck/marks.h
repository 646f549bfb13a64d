/*
 * What guests must not have in common, found by its hash: their profiles'
 * paths and names, and the addresses on a switch. With thousands of
 * profiles, comparing each with all would hold up the deck. Deck thread.
 */
#ifndef CORE_DECK_MARKS_H
#define CORE_DECK_MARKS_H

#include <stddef.h>
#include <stdint.h>

#define MARKS_BUCKETS 4096u /* a power of two */

struct guest;

/* Embedded in its guest; all zero: in no table. */
struct mark {
	struct mark *next, **at; /* in its bucket */
	uint64_t hash;
	const struct guest *guest;
};

/* All zero: ready for use. */
struct marks {
	struct mark *buckets[MARKS_BUCKETS];
};

/* Starts at 0; may be called again with the result, to hash what consists of parts. */
uint64_t marks_hash(uint64_t hash, const void *data, size_t size);

void marks_add(struct marks *marks, struct mark *mark, uint64_t hash, const struct guest *guest);
void marks_remove(struct mark *mark); /* valid for one that is in no table */

/* The next guest with this hash behind mark, or the first one for NULL; NULL: there is none. */
const struct mark *marks_next(const struct marks *marks, const struct mark *mark, uint64_t hash);

#endif
