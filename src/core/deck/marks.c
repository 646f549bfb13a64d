/* A table of hashes with chains. Deck thread. */
#include "core/deck/marks.h"

/* FNV-1a, 64 bits. */
uint64_t marks_hash(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}

static size_t bucket_of(uint64_t hash)
{
	return (hash ^ hash >> 32) % MARKS_BUCKETS;
}

void marks_add(struct marks *marks, struct mark *mark, uint64_t hash, const struct guest *guest)
{
	struct mark **bucket = &marks->buckets[bucket_of(hash)];

	*mark = (struct mark){ .next = *bucket, .at = bucket, .hash = hash, .guest = guest };
	if (mark->next)
		mark->next->at = &mark->next;
	*bucket = mark;
}

void marks_remove(struct mark *mark)
{
	if (!mark->at)
		return;
	*mark->at = mark->next;
	if (mark->next)
		mark->next->at = mark->at;
	mark->at = NULL;
}

const struct mark *marks_next(const struct marks *marks, const struct mark *mark, uint64_t hash)
{
	mark = mark ? mark->next : marks->buckets[bucket_of(hash)];
	while (mark && mark->hash != hash)
		mark = mark->next;
	return mark;
}
