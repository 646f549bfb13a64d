/* See port_settings.h. */
#include "core/profile/port_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/ini.h"
#include "core/profile/keys.h"
#include "core/profile/values.h"

static const struct profile_section section = { .kind = "port", .count = 1,
						.keys = net_port_keys };

static int no_key(const char *key, struct cause *cause)
{
	const char *guess = profile_key_guess(&section, key);
	char text[48];

	ini_excerpt(key, text, sizeof(text));
	if (guess)
		return cause_set(cause, EINVAL, "%s: is no setting of a port; did you mean '%s'?",
				 text, guess);
	return cause_set(cause, EINVAL, "%s: is no setting of a port", text);
}

int port_settings_take(struct net_port_settings *settings, const char *key, const char *text,
		       struct cause *cause)
{
	const struct profile_key *row = profile_key_find(&section, key);
	char fault[PROFILE_FAULT_SIZE];
	struct profile_value value;
	int error;

	if (!row)
		return no_key(key, cause);
	error = profile_value_parse(&value, row, text, fault);
	if (error)
		return cause_set(cause, -error, "%s: %s", key, fault);
	return profile_value_store((char *)settings, row, &value, text, NULL);
}

static void choice_text(const char *choices, unsigned number, char out[PORT_SETTING_MAX])
{
	while (number-- && *choices)
		choices = strchrnul(choices, '|') + 1;
	snprintf(out, PORT_SETTING_MAX, "%.*s", (int)strcspn(choices, "|"), choices);
}

bool port_settings_text(const struct net_port_settings *settings, const struct profile_key *key,
			char out[PORT_SETTING_MAX])
{
	const char *field = (const char *)settings + key->offset;

	*out = '\0';
	switch (key->type) {
	case PROFILE_CHOICE:
		choice_text(key->choices, *(const unsigned *)(const void *)field, out);
		break;
	case PROFILE_BOOL:
		snprintf(out, PORT_SETTING_MAX, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case PROFILE_VLANS:
		profile_vlans_format((const void *)field, out, PORT_SETTING_MAX);
		break;
	case PROFILE_COUNT:
		snprintf(out, PORT_SETTING_MAX, "%u", *(const unsigned *)(const void *)field);
		break;
	case PROFILE_SHARE:
		profile_unit_format(key->type, *(const unsigned *)(const void *)field, out);
		break;
	case PROFILE_TIME:
	case PROFILE_RATE:
		profile_unit_format(key->type, *(const uint64_t *)(const void *)field, out);
		break;
	default:
		break;
	}
	return strcmp(out, key->standard) != 0;
}
