/* See profile_key.h. */
#include "base/profile_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool text_equal(const char *one, const char *other)
{
	return one && other ? !strcmp(one, other) : one == other;
}

static bool is_text(const struct profile_key *key)
{
	return key->type == PROFILE_STRING || key->type == PROFILE_PATH;
}

static char **text_of(const struct profile_key *key, void *record)
{
	return (char **)(void *)((char *)record + key->offset);
}

static bool equal(const struct profile_key *key, const void *one, const void *other)
{
	switch (key->type) {
	case PROFILE_STRING:
	case PROFILE_PATH:
		return text_equal(*(char *const *)one, *(char *const *)other);
	case PROFILE_NAME:
		return !strcmp(one, other);
	case PROFILE_BOOL:
		return *(const bool *)one == *(const bool *)other;
	case PROFILE_COUNT:
	case PROFILE_CHOICE:
	case PROFILE_SHARE:
		return *(const unsigned *)one == *(const unsigned *)other;
	case PROFILE_SIZE:
	case PROFILE_TIME:
	case PROFILE_RATE:
		return *(const uint64_t *)one == *(const uint64_t *)other;
	case PROFILE_MAC:
		return !memcmp(one, other, 6);
	case PROFILE_ADDRESS:
		return !memcmp(one, other, sizeof(uint32_t) + sizeof(uint8_t));
	case PROFILE_VLANS:
		return !memcmp(one, other, 64 * sizeof(uint64_t));
	case PROFILE_PARSED:
		return !memcmp(one, other, key->size);
	}
	return false;
}

bool profile_key_equal(const struct profile_key *key, const void *one, const void *other)
{
	return key->offset == PROFILE_NOWHERE ||
	       equal(key, (const char *)one + key->offset, (const char *)other + key->offset);
}

bool profile_record_equal(const struct profile_key *keys, const void *one, const void *other)
{
	for (; keys && keys->key; keys++)
		if (!profile_key_equal(keys, one, other))
			return false;
	return true;
}

int profile_record_copy(const struct profile_key *keys, void *to, const void *from, size_t size)
{
	int error = 0;

	memcpy(to, from, size);
	for (const struct profile_key *key = keys; key && key->key; key++) {
		char **text = text_of(key, to);

		if (!is_text(key) || key->offset == PROFILE_NOWHERE || !*text)
			continue;
		*text = strdup(*text);
		if (!*text)
			error = -ENOMEM;
	}
	if (error)
		profile_record_free(keys, to);
	return error;
}

void profile_record_free(const struct profile_key *keys, void *record)
{
	for (; keys && keys->key; keys++) {
		if (!is_text(keys) || keys->offset == PROFILE_NOWHERE)
			continue;
		free(*text_of(keys, record));
		*text_of(keys, record) = NULL;
	}
}
