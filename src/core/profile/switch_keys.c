/*
 * The keys of switches: the one that says where a switch leads, and those of
 * the kinds of ports that a switch can have of its own accord, by keys of its own
 * or by sections. Any thread.
 */
#include "core/profile/keys.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/port/port.h"

#define KEYS_MAX 64
#define SECTIONS_MAX 16
#define POOL_MAX 512

static struct profile_key keys[KEYS_MAX]; /* ended by the first that is all zero */
static struct profile_key port_keys[POOL_MAX]; /* of each section, ended in the same way */
static char choices[256], help[2048];

static struct profile_section sections[SECTIONS_MAX] = { /* ended by the first that is all zero */
	{ .kind = "switch", .count = 1, .present = PROFILE_NOWHERE, .keys = keys,
	  .help = "This section must be there, even if no key is in it." },
};

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	used += (size_t)vsnprintf(text + used, size - used, format, args);
	va_end(args);
	assert(used < size);
}

bool profile_key_is_setting(const struct profile_section *section, const struct profile_key *key)
{
	const size_t settings = offsetof(struct port_section, settings);

	return section->port && key->offset - settings < sizeof(struct net_port_settings);
}

static void gather_sections(void)
{
	size_t count = 1, used = 0, keys_count;

	for (const struct port_kind *const *kind = port_kinds; *kind; kind++) {
		if (!(*kind)->section_keys)
			continue;
		assert(count < SECTIONS_MAX - 1);
		keys_count = profile_keys_add(port_keys + used, 0, POOL_MAX - used,
					      (*kind)->section_keys, 0);
		keys_count = profile_keys_add(port_keys + used, keys_count, POOL_MAX - used,
					      net_port_keys,
					      offsetof(struct port_section, settings));
		sections[count] = (struct profile_section){
			.kind = (*kind)->name, .count = PORT_SECTIONS_MAX,
			.present = PROFILE_NOWHERE, .keys = port_keys + used,
			.help = (*kind)->section_help, .port = *kind,
		};
		used += keys_count + 1;
		count++;
	}
}

static void gather(void)
{
	size_t count = 0;

	append(choices, sizeof(choices), "none");
	append(help, sizeof(help), "Where the switch leads. "
				   "With {Cm none}, nowhere: its guests reach each other alone.");
	keys[count++] = (struct profile_key){ .key = "uplink", .type = PROFILE_CHOICE,
					      .offset = PROFILE_NOWHERE, .choices = choices,
					      .standard = "none", .help = help };
	for (const struct port_kind *const *kind = port_kinds; *kind; kind++) {
		if ((*kind)->leads) {
			append(choices, sizeof(choices), "|%s", (*kind)->name);
			append(help, sizeof(help), " With {Cm %s}, %s", (*kind)->name,
			       (*kind)->leads);
		}
		count = profile_keys_add(keys, count, KEYS_MAX, (*kind)->keys, 0);
	}
	gather_sections();
}

const struct profile_section *profile_switch_sections(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, gather);
	return sections;
}
