/*
 * Names of addresses, for the readers of captures. The hub keeps them in the order in which they
 * were given; a capture has a block of those that are new to it, before the packets that follow.
 */
#include "net/capture/capture_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under the lock. */
static void forget(struct capture_hub *hub, uint32_t at)
{
	hub->name_count--;
	memmove(hub->names + at, hub->names + at + 1,
		(hub->name_count - at) * sizeof(*hub->names));
}

/* Under the lock: whether it is known already; else room was made for it. */
static bool is_known(struct capture_hub *hub, const char *switch_name, uint32_t address,
		     const char *name)
{
	for (uint32_t i = 0; i < hub->name_count; i++) {
		const struct capture_name *known = &hub->names[i];

		if (known->name.address != address || strcmp(known->switch_name, switch_name))
			continue;
		if (!strcmp(known->name.text, name))
			return true;
		forget(hub, i);
		return false;
	}
	if (hub->name_count == CAPTURE_NAMES_MAX)
		forget(hub, 0);
	return false;
}

static void add(struct capture_hub *hub, const char *switch_name, uint32_t address,
		const char *name)
{
	struct capture_name *entry = &hub->names[hub->name_count++];

	entry->name.address = address;
	snprintf(entry->name.text, sizeof(entry->name.text), "%s", name);
	snprintf(entry->switch_name, sizeof(entry->switch_name), "%s", switch_name);
	entry->serial = ++hub->name_serial;
}

void capture_hub_name(struct capture_hub *hub, const char *switch_name, uint32_t address,
		      const char *name)
{
	pthread_mutex_lock(&hub->lock);
	if (!hub->names) /* without memory packets have their addresses alone */
		hub->names = calloc(CAPTURE_NAMES_MAX, sizeof(*hub->names));
	if (hub->names && !is_known(hub, switch_name, address, name))
		add(hub, switch_name, address, name);
	pthread_mutex_unlock(&hub->lock);
}

/* The next names that the capture has not; *serial is the last one's. */
static unsigned collect(struct capture *capture, struct pcapng_name *out, uint32_t *serial)
{
	struct capture_hub *hub = capture->hub;
	unsigned count = 0;

	pthread_mutex_lock(&hub->lock);
	for (uint32_t i = 0; i < hub->name_count && count < PCAPNG_NAMES_MAX; i++) {
		const struct capture_name *entry = &hub->names[i];

		if (entry->serial <= *serial)
			continue;
		*serial = entry->serial;
		if (capture_has_switch(capture, entry->switch_name))
			out[count++] = entry->name;
	}
	pthread_mutex_unlock(&hub->lock);
	return count;
}

void capture_names_put(struct capture *capture)
{
	struct pcapng_name names[PCAPNG_NAMES_MAX];
	uint32_t serial = capture->names_seen;
	unsigned count;

	if (!capture->names || capture->state != CAPTURE_RUNNING)
		return;
	while ((count = collect(capture, names, &serial)) &&
	       capture_sink_put_names(capture, names, count))
		capture->names_seen = serial;
	if (!count)
		capture->names_seen = serial;
}
