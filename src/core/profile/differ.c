/* See differ.h. */
#include "core/profile/differ.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/profile/keys.h"

struct list {
	char *out;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) add(struct list *list, const char *format, ...)
{
	va_list ap;
	int n;

	if (list->used && list->used < list->size)
		list->used += (size_t)snprintf(list->out + list->used, list->size - list->used,
					       ", ");
	if (list->used >= list->size)
		return;
	va_start(ap, format);
	n = vsnprintf(list->out + list->used, list->size - list->used, format, ap);
	va_end(ap);
	list->used += n < 0 ? 0 : (size_t)n;
}

static bool is_there(const struct profile_section *section, const char *record)
{
	return record &&
	       (section->present == PROFILE_NOWHERE || *(const bool *)(record + section->present));
}

/* Records of a section; name is what stands before its keys, "disk0", or "". */
static void differ_record(struct list *list, const struct profile_section *section,
			  const char *name, const char *one, const char *other)
{
	const struct profile_key *key;

	if (is_there(section, one) != is_there(section, other)) {
		add(list, "%s", name);
		return;
	}
	if (!is_there(section, one))
		return;
	for (key = section->keys; key->key; key++)
		if (!profile_key_equal(key, one, other))
			add(list, "%s%s%s", name, *name ? " " : "", key->key);
}

bool profile_differ(const struct profile *one, const struct profile *other, char *out, size_t size)
{
	const struct profile_section *section;
	struct list list = { out, size, 0 };
	char name[24];

	*out = '\0';
	for (section = profile_guest_sections(); section->kind; section++)
		for (unsigned i = 0; i < section->count; i++) {
			*name = '\0';
			if (section->count > 1)
				snprintf(name, sizeof(name), "%s%u", section->kind, i);
			else if (section->present != PROFILE_NOWHERE)
				snprintf(name, sizeof(name), "%s", section->kind);
			differ_record(&list, section, name,
				      profile_section_record(section, (const char *)one, i),
				      profile_section_record(section, (const char *)other, i));
		}
	return list.used != 0;
}
