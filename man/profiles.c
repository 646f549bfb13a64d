/* The sections and keys of profiles, for their manual pages. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "core/profile/keys.h"
#include "core/profile/values.h"

/* What the type says of a value. */
static void put_type(const struct profile_key *key)
{
	char text[256], min[32], max[32];
	size_t size;

	profile_size_format(key->min, min);
	profile_size_format(key->max, max);
	switch (key->type) {
	case PROFILE_BOOL:
		manual_text("It can be {Cm yes} or {Cm no}.");
		break;
	case PROFILE_COUNT:
		snprintf(text, sizeof(text), "It can be %s to %s.", min, max);
		manual_text(text);
		break;
	case PROFILE_SIZE:
		snprintf(text, sizeof(text), "It can be %s to %s; "
			 "the suffixes K, M, G and T stand for powers of 1024.", min, max);
		manual_text(text);
		break;
	case PROFILE_TIME:
	case PROFILE_RATE:
		profile_unit_format(key->type, key->max, text);
		printf("It can be 0 to %s.\n", text);
		break;
	case PROFILE_CHOICE:
		printf("It can be\n");
		for (const char *choice = key->choices; *choice; choice += size) {
			size = strcspn(choice, "|");
			printf("%s.Cm %.*s%s\n", choice == key->choices ? "" : "or\n", (int)size,
			       choice, choice[size] ? "" : " .");
			size += choice[size] == '|';
		}
		break;
	default:
		break;
	}
}

static void put_profile_key(const struct profile_key *key)
{
	printf(".It Ic %s\n", key->key);
	manual_text(key->help);
	put_type(key);
	if (key->required)
		printf("This key is required.\n");
	if (key->standard && *key->standard)
		printf("Standard: %s.\n", key->standard);
}

/* What they are is described once, of guests' cards. */
static void put_settings(const struct profile_section *section)
{
	const struct profile_key *key = section->keys;
	const char *before = ".Pp\nThere can also be the settings of any port, which a guest's section\n"
			     ".Bq net0\nhas and\n.Xr vmdeck-guest 5\ndescribes:";

	for (; key->key; key++) {
		if (!profile_key_is_setting(section, key))
			continue;
		printf("%s\n.Ic %s", before, key->key);
		before = " ,";
	}
	if (*before == ' ')
		printf(" .\n");
}

static void put_section(const struct profile_section *section)
{
	printf(".Ss The [%s%s] section\n", section->kind, section->count > 1 ? "0" : "");
	if (section->count > 1)
		printf("There can be\n.Bq %s0\nto\n.Bq %s%u ;\nnumbers may be left out.\n",
		       section->kind, section->kind, section->count - 1);
	if (section->help)
		manual_text(section->help);
	printf(".Bl -tag -width Ds\n");
	for (const struct profile_key *key = section->keys; key->key; key++)
		if (!profile_key_is_setting(section, key))
			put_profile_key(key);
	printf(".El\n");
	put_settings(section);
}

void take_sections(const char *kind)
{
	const struct profile_section *section = profile_switch_sections();

	if (strcmp(kind, "guest") == 0)
		section = profile_guest_sections();
	else if (strcmp(kind, "switch") != 0)
		manual_fail("there is no kind of profile", kind);
	for (; section->kind; section++)
		put_section(section);
}
