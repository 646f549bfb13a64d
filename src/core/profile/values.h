/*
 * The values of a profile: one function a type. Any thread.
 *
 * Each takes the text of a value. 0, or -EINVAL (no such value), or -ERANGE
 * (outside min..max) with a sentence in fault that begins after "key: ".
 */
#ifndef CORE_PROFILE_VALUES_H
#define CORE_PROFILE_VALUES_H

#include <stdint.h>

#include "core/profile/keys.h"
#include "net/frame/frame.h"
#include "net/switch/settings.h"

#define PROFILE_FAULT_SIZE 192

struct profile_value {
	/* BOOL, COUNT, SIZE (bytes), CHOICE (index), ADDRESS (IPv4), and those with a unit */
	uint64_t number;
	uint8_t prefix;		   /* ADDRESS */
	uint8_t mac[NET_MAC_SIZE]; /* MAC */
	_Alignas(8) uint8_t parsed[PROFILE_PARSED_MAX]; /* PARSED */
	struct net_vlans vlans;	   /* VLANS */
};

int profile_value_parse(struct profile_value *out, const struct profile_key *key,
			const char *text, char fault[PROFILE_FAULT_SIZE]);

/*
 * Puts what was parsed where the key has it in a record; text is the value as given, and folder
 * what a path in it is relative to, or NULL where there is none. 0 or -ENOMEM.
 */
int profile_value_store(char *record, const struct profile_key *key,
			const struct profile_value *value, const char *text, const char *folder);

/* "512M", "2G", "1025K", "1000": the shortest exact way to write a size. */
void profile_size_format(uint64_t bytes, char out[32]);

#define PROFILE_UNIT_SIZE 48

/* "20ms", "0.5%", "10mbit": how a TIME, SHARE or RATE is written; "0" without a unit. */
void profile_unit_format(enum profile_type type, uint64_t number, char out[PROFILE_UNIT_SIZE]);

/* "10,20-30" or "none" of VLANs; what has no room is "..." at the end. */
void profile_vlans_format(const struct net_vlans *vlans, char *out, size_t size);

/*
 * The absolute path of the folder that a file is in, and a path as it is
 * meant in a profile of that folder, where "~/" is the user's home, and a URL is one. Both are
 * the caller's to free; NULL with errno set if there is no such folder or no
 * memory.
 */
char *profile_path_folder(const char *file);
char *profile_path_join(const char *folder, const char *path);

#endif
