/* The table of kinds of ports, and what it means for the configuration of a switch. */
#include "net/port/port.h"

#include <string.h>

#define PORT_KIND_ROW(kind) &kind,

const struct port_kind *const port_kinds[] = { PORT_KINDS(PORT_KIND_ROW) NULL };

const struct port_kind *port_find_uplink(const char *name)
{
	for (const struct port_kind *const *kind = port_kinds; *kind; kind++)
		if ((*kind)->leads && !strcmp((*kind)->name, name))
			return *kind;
	return NULL;
}

bool switch_config_equal(const struct switch_config *one, const struct switch_config *other)
{
	const struct port_section *a = one->sections, *b = other->sections;

	if (one->uplink != other->uplink)
		return false;
	for (const struct port_kind *const *kind = port_kinds; *kind; kind++)
		if (!profile_record_equal((*kind)->keys, one, other))
			return false;
	for (; a && b; a = a->next, b = b->next)
		if (a->kind != b->kind || a->number != b->number ||
		    memcmp(&a->settings, &b->settings, sizeof(a->settings)) != 0 ||
		    !profile_record_equal(a->kind->section_keys, a, b))
			return false;
	return a == b;
}
