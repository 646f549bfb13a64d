/*
 * The tables of sections and keys, and looking things up in them. The parser,
 * "vmdeck check" and the manual pages read them; a key is a field of struct
 * profile, profile_disk or profile_net and a row here. Those of switches come
 * from the kinds of ports: see net/port/port.h. Any thread.
 */
#ifndef CORE_PROFILE_KEYS_H
#define CORE_PROFILE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/profile_key.h"

struct port_kind;

struct profile_section {
	const char *kind; /* "guest", "disk" (stands for disk0, disk1, ...); NULL ends the list */
	unsigned count;	  /* how many of them there can be; 1: no number */
	size_t offset, size; /* of the first record in the profile; of one */
	bool apart;	     /* the profile has a pointer to each instead, NULL without the section */
	size_t present;	     /* a bool of the record: the section is there; or PROFILE_NOWHERE */
	const struct profile_key *keys;
	const char *help; /* sentences for the manual, or NULL; as of a key */

	/* Each is a struct port_section of the switch, which is added; or NULL. */
	const struct port_kind *port;
};

/* Of guest profiles (struct profile) and of switch profiles (struct switch_config). */
const struct profile_section *profile_guest_sections(void);
const struct profile_section *profile_switch_sections(void);

/* A record in the profile that base is, of a section of no port; NULL: the section is not there. */
const char *profile_section_record(const struct profile_section *section, const char *base,
				   unsigned number);

/* Of one whose records are apart: the profile has it from here on, and profile_free() frees it. */
void profile_section_put(const struct profile_section *section, char *base, unsigned number,
			 char *record);

/*
 * Adds keys to a table of room, ended by zeros, that has count of them: those of a record that
 * lies at offset in the table's. Returns how many there are then; keys may be NULL.
 */
size_t profile_keys_add(struct profile_key *to, size_t count, size_t room,
			const struct profile_key *keys, size_t offset);

/* Of a port's section: whether the key is one of any port's settings. */
bool profile_key_is_setting(const struct profile_section *section, const struct profile_key *key);

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
