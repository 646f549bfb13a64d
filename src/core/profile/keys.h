/*
 * The tables of sections and keys, and looking things up in them. The parser,
 * "vmdeck check" and the manual pages read them; a key is a field of struct
 * profile, profile_disk, profile_net or switch_config and a row. Any thread.
 */
#ifndef CORE_PROFILE_KEYS_H
#define CORE_PROFILE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum profile_type {
	PROFILE_STRING, PROFILE_NAME, PROFILE_PATH, PROFILE_BOOL, PROFILE_COUNT, PROFILE_SIZE,
	PROFILE_MAC, PROFILE_ADDRESS, PROFILE_CHOICE
};

struct profile_key {
	const char *key; /* NULL ends the list */
	enum profile_type type;
	uint64_t min, max;   /* of a count or size */
	const char *choices; /* "nat|none" */
	const char *standard; /* default as written in a file, or NULL: required or empty */
	bool required;

	/*
	 * Sentences for the manual, without bounds, choices and standard value, which follow
	 * from the row. "{Ic kernel}" is an mdoc(7) macro with what it marks.
	 */
	const char *help;

	/*
	 * Where the value goes in the section's record: a char * (STRING, PATH), char[32]
	 * (NAME), bool, unsigned (COUNT, CHOICE), uint64_t (SIZE), uint8_t[6] (MAC), or
	 * uint32_t and uint8_t (ADDRESS). PROFILE_NOWHERE: it is only checked.
	 */
	size_t offset;
};

#define PROFILE_NOWHERE SIZE_MAX

struct profile_section {
	const char *kind; /* "guest", "disk" (stands for disk0, disk1, ...); NULL ends the list */
	unsigned count;	  /* how many of them there can be; 1: no number */
	size_t offset, size; /* of the first record in the profile; of one */
	size_t present;	     /* a bool of the record: the section is there; or PROFILE_NOWHERE */
	const struct profile_key *keys;
	const char *help; /* sentences for the manual, or NULL; as of a key */
};

/* Of guest profiles (struct profile) and of switch profiles (struct switch_config). */
extern const struct profile_section profile_guest_sections[];
extern const struct profile_section profile_switch_sections[];

/* The row of a section and its number: "disk2" is that of "disk", and 2. NULL if there is none. */
const struct profile_section *profile_section_find(const struct profile_section *sections,
						   const char *name, unsigned *number);

/* The row of a key, or NULL. */
const struct profile_key *profile_key_find(const struct profile_section *section, const char *key);

/* What a person may have meant by a key or section that does not exist, or NULL. */
const char *profile_key_guess(const struct profile_section *section, const char *key);
const struct profile_section *profile_section_guess(const struct profile_section *sections,
						    const char *name);

#endif
