/* The sections of a switch's configuration; see port.h. Any thread. */
#include "net/port/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void port_section_name(const struct port_section *section, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%s%u", section->kind->name, section->number);
}

/* Whether it is at its place at or before that of kind and number. */
static bool is_before(const struct port_section *section, const struct port_kind *kind,
		      unsigned number)
{
	int order = strcmp(section->kind->name, kind->name);

	return order ? order < 0 : section->number < number;
}

static bool is_it(const struct port_section *section, const struct port_kind *kind,
		  unsigned number)
{
	return section && section->kind == kind && section->number == number;
}

struct port_section *port_section_find(const struct switch_config *config,
				       const struct port_kind *kind, unsigned number)
{
	struct port_section *section = config->sections;

	while (section && !is_it(section, kind, number))
		section = section->next;
	return section;
}

struct port_section *port_section_add(struct switch_config *config, const struct port_kind *kind,
				      unsigned number)
{
	struct port_section **at = &config->sections, *section;

	while (*at && is_before(*at, kind, number))
		at = &(*at)->next;
	if (is_it(*at, kind, number))
		return *at;
	section = calloc(1, kind->section_size);
	if (!section)
		return NULL;
	section->kind = kind;
	section->number = number;
	section->next = *at;
	*at = section;
	return section;
}

static struct port_section *copy_section(const struct port_section *from)
{
	struct port_section *section = malloc(from->kind->section_size);

	if (section && profile_record_copy(from->kind->section_keys, section, from,
					   from->kind->section_size) < 0) {
		free(section);
		section = NULL;
	}
	if (section)
		section->next = NULL;
	return section;
}

int switch_config_copy(struct switch_config *to, const struct switch_config *from)
{
	struct port_section **end = &to->sections;

	*to = *from;
	to->sections = NULL;
	for (const struct port_section *section = from->sections; section; section = section->next) {
		*end = copy_section(section);
		if (!*end) {
			switch_config_free(to);
			return -ENOMEM;
		}
		end = &(*end)->next;
	}
	return 0;
}

void switch_config_free(struct switch_config *config)
{
	struct port_section *section;

	while ((section = config->sections)) {
		config->sections = section->next;
		profile_record_free(section->kind->section_keys, section);
		free(section);
	}
}

uint32_t switch_config_dns(const struct switch_config *config)
{
	uint32_t hosts = UINT32_MAX >> config->prefix;

	if (!config->uplink || !config->uplink->answers)
		return 0;
	return ((config->address + 1) & hosts) == hosts ? config->address - 1 : config->address + 1;
}
