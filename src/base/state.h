/*
 * Saved state: records, each with a name, a version and bytes, in one piece of
 * memory. Whoever saves appends records; whoever loads finds each by its name
 * and says in the end that none is left over.
 *
 * Numbers are the host's, x86-64. What is read is hostile: the frame is checked
 * when a reader is opened, a record's version and size when it is found, its
 * fields by whoever knows them. Each writer and reader belongs to one thread.
 */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

#define STATE_NAME_MAX 32 /* with the NUL */

/* All zero is an empty one. Its first failure stays and is told by state_end(). */
struct state_writer {
	uint8_t *data;
	size_t size, room; /* bytes */
	int error;	   /* 0 or a negative errno */
};

/*
 * Appends a record of size bytes, all zero, and returns them, aligned to 8 bytes, to be
 * filled before the next call; NULL when there is no memory. name has 1 to
 * STATE_NAME_MAX - 1 characters, printable ASCII.
 */
void *state_add(struct state_writer *writer, const char *name, uint32_t version, size_t size);

/* Appends a record that is a copy of data. */
void state_put(struct state_writer *writer, const char *name, uint32_t version, const void *data,
	       size_t size);

/*
 * Hands over what was written, for the caller to free(). Else nothing is left, and
 * what failed first is returned, with a cause. The writer is empty again.
 */
int state_end(struct state_writer *writer, uint8_t **data, size_t *size, struct cause *cause);

struct state_reader {
	struct state_record *records;
	size_t count;
};

/*
 * Looks through what state_end() gave, which must stay until state_close(). -EINVAL with a
 * cause when it is nothing like that or damaged, -ENOMEM.
 */
int state_open(struct state_reader *reader, const void *data, size_t size, struct cause *cause);
void state_close(struct state_reader *reader); /* also after a failure, or of one all zero */

/*
 * Finds the first record of that name: its bytes, at no alignment, and how many they are.
 * -EINVAL with a cause that names it when there is none, when its version is another, and
 * when its size is not within min..max.
 */
int state_find(struct state_reader *reader, const char *name, uint32_t version, size_t min,
	       size_t max, const uint8_t **data, size_t *size, struct cause *cause);

/* Copies a record of exactly size bytes; fails as state_find() does, and out is as it was. */
int state_get(struct state_reader *reader, const char *name, uint32_t version, void *out,
	      size_t size, struct cause *cause);

/* 0 when each record has been found once, else -EINVAL with a cause that names one left over. */
int state_all_found(const struct state_reader *reader, struct cause *cause);

/* "saved state: NAME: " and what is wrong with a field, as a cause. Returns -EINVAL. */
int state_refuse(struct cause *cause, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
