/*
 * A row of a table of profile keys. Who is configured by keys has the rows: a
 * guest, a switch, a kind of port. core/profile reads profiles by them, and the
 * manual pages are made from them.
 */
#ifndef BASE_PROFILE_KEY_H
#define BASE_PROFILE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum profile_type {
	PROFILE_STRING, PROFILE_NAME, PROFILE_PATH, PROFILE_BOOL, PROFILE_COUNT, PROFILE_SIZE,
	PROFILE_MAC, PROFILE_ADDRESS, PROFILE_CHOICE, PROFILE_PARSED,
	PROFILE_TIME, /* "20ms" */
	PROFILE_SHARE, /* "0.5%" */
	PROFILE_RATE, /* "10mbit" */
	PROFILE_VLANS /* "10,20-30" */
};

struct profile_key {
	const char *key; /* NULL ends the list */
	enum profile_type type;
	uint64_t min, max;   /* of a count, size, time or rate */
	const char *choices; /* "nat|none" */
	const char *standard; /* default as written in a file, or NULL: required or empty */
	bool required;

	/*
	 * Of PARSED: what its field takes, at most PROFILE_PARSED_MAX bytes without pointers, in
	 * which equal values are equal; and what makes one of a text. That returns 0, or -EINVAL
	 * with a sentence in fault, of room bytes, that begins after "key: ".
	 */
	size_t size;
	int (*parse)(void *field, const char *text, char *fault, size_t room);

	/*
	 * Sentences for the manual, without bounds, choices and standard value, which follow
	 * from the row. "{Ic kernel}" is an mdoc(7) macro with what it marks.
	 */
	const char *help;

	/*
	 * Where the value goes in the section's record: a char * (STRING, PATH), char[32]
	 * (NAME), bool, unsigned (COUNT, CHOICE, SHARE: millionths), uint64_t (SIZE, TIME: ns,
	 * RATE: bits a second), uint8_t[6] (MAC), uint32_t and uint8_t (ADDRESS), uint64_t[64], a
	 * set of bits (VLANS), or what the row says (PARSED). PROFILE_NOWHERE: it is only checked.
	 */
	size_t offset;
};

#define PROFILE_NOWHERE SIZE_MAX
#define PROFILE_PARSED_MAX 256

/* Whether the fields of a key hold the same in two records. Any thread, as all of these. */
bool profile_key_equal(const struct profile_key *key, const void *one, const void *other);

/* The same of all keys of a list, which may be NULL. */
bool profile_record_equal(const struct profile_key *keys, const void *one, const void *other);

/*
 * A copy of a record of size bytes with texts of its own, for profile_record_free(), which
 * frees the texts alone. 0 or -ENOMEM: then there is nothing to free.
 */
int profile_record_copy(const struct profile_key *keys, void *to, const void *from, size_t size);
void profile_record_free(const struct profile_key *keys, void *record);

#endif
