/* Walks a table of devices through a machine's life. Threads: as device.h says. */
#include "core/bus/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/state.h"

#define FIRST_SLOT 1 /* PCI device 0 is the host bridge */

static unsigned instances(const struct device_type *type)
{
	return type->max ? type->max : 1;
}

static bool wanted(const struct profile *profile, const struct device_type *type, unsigned number)
{
	return !type->wanted || type->wanted(profile, number);
}

bool devices_share_memory(const struct device_type *const *table, const struct profile *profile)
{
	for (; *table; table++)
		for (unsigned n = 0; (*table)->shares_memory && n < instances(*table); n++)
			if (wanted(profile, *table, n))
				return true;
	return false;
}

/* Takes size bytes, all zero; NULL: there are no more so many. */
static void *take(struct device_room *room, size_t size)
{
	void *taken = room->at;

	size = align_up(size, 8);
	if (size > room->left)
		return NULL;
	room->at += size;
	room->left -= size;
	return memset(taken, 0, size);
}

static void place(struct device_set *set, struct device *device)
{
	const struct device_type *type = device->type;

	device->state = take(type->hot ? &set->hot : &set->cold, type->size);
	if (device->state || type->hot)
		return;
	device->state = calloc(1, type->size);
	device->owned = device->state != NULL;
}

static int create(struct device_set *set, const struct device_type *type, unsigned number,
		  unsigned slot, struct cause *cause)
{
	struct device *device = &set->devices[set->count++];
	int err = -ENOMEM;

	if (cause)
		*cause->text = '\0';
	*device = (struct device){
		.type = type, .host = &set->host, .number = number, .slot = slot,
	};
	if (type->max)
		snprintf(device->name, sizeof(device->name), "%s%u", type->name, number);
	else
		snprintf(device->name, sizeof(device->name), "%s", type->name);
	if (type->size)
		place(set, device);
	if (device->state || !type->size)
		err = type->create(device, cause);
	if (err == -ENOMEM && cause && !*cause->text)
		cause_errno(cause, ENOMEM, "%s", device->name);
	return err;
}

void devices_check(const struct device_type *const *table, const struct profile_check *check)
{
	for (; *table; table++)
		if ((*table)->check)
			(*table)->check(check);
}

int devices_create(struct device_set *set, const struct device_type *const *table,
		   struct cause *cause)
{
	unsigned count = 0, slot = FIRST_SLOT, next_slot = FIRST_SLOT;
	int err = 0;

	for (unsigned i = 0; table[i]; i++)
		for (unsigned n = 0; n < instances(table[i]); n++)
			count += wanted(set->host.profile, table[i], n);
	set->devices = calloc(count, sizeof(*set->devices));
	if (!set->devices)
		return cause_errno(cause, ENOMEM, "devices");
	for (unsigned i = 0; !err && table[i]; i++) {
		if (!table[i]->shares_slots)
			slot = next_slot;
		for (unsigned n = 0; !err && n < instances(table[i]); n++)
			if (wanted(set->host.profile, table[i], n))
				err = create(set, table[i], n, table[i]->pci ? slot + n : 0, cause);
		if (table[i]->pci)
			next_slot = slot + instances(table[i]);
	}
	return err;
}

void devices_destroy(struct device_set *set)
{
	while (set->count) {
		struct device *device = &set->devices[--set->count];

		if (device->type->destroy && (device->state || !device->type->size))
			device->type->destroy(device);
		if (device->owned)
			free(device->state);
	}
	free(set->devices);
	set->devices = NULL;
}

void devices_start(struct device_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->devices[i].type->start)
			set->devices[i].type->start(&set->devices[i]);
}

bool devices_stop(struct device_set *set)
{
	bool quiet = true;

	for (unsigned i = set->count; i--;)
		if (set->devices[i].type->stop)
			quiet &= set->devices[i].type->stop(&set->devices[i]);
	return quiet;
}

bool devices_reset(struct device_set *set)
{
	bool quiet = true;

	for (unsigned i = set->count; i--;)
		if (set->devices[i].type->reset)
			quiet &= set->devices[i].type->reset(&set->devices[i]);
	return quiet;
}

void devices_save(struct device_set *set, struct state_writer *writer)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct device *device = &set->devices[i];
		const struct device_type *type = device->type;
		void *registers;

		if (!type->saved)
			continue;
		registers = state_add(writer, device->name, type->version, type->saved);
		if (registers)
			type->save(device, registers);
	}
}

int devices_load(struct device_set *set, struct state_reader *reader, struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < set->count; i++) {
		struct device *device = &set->devices[i];
		const struct device_type *type = device->type;
		const char *wrong;
		void *registers;

		if (!type->saved)
			continue;
		registers = malloc(type->saved); /* a copy that is aligned */
		if (!registers)
			return cause_errno(cause, ENOMEM, "%s", device->name);
		err = state_get(reader, device->name, type->version, registers, type->saved, cause);
		wrong = err ? NULL : type->load(device, registers);
		if (wrong)
			err = state_refuse(cause, device->name, "%s", wrong);
		free(registers);
	}
	return err;
}

void devices_power_button(struct device_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->devices[i].type->power_button)
			set->devices[i].type->power_button(&set->devices[i]);
}

bool devices_boot_path(const struct device_set *set, const char *section, char *path,
		       size_t size)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct device *device = &set->devices[i];

		if (device->type->boot_path &&
		    device->type->boot_path(device, section, path, size))
			return true;
	}
	return false;
}

static struct device *find_console(struct device_set *set, unsigned console)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->devices[i].type->input && set->devices[i].type->console == console)
			return &set->devices[i];
	return NULL;
}

size_t devices_input(struct device_set *set, unsigned console, const uint8_t *data, size_t size)
{
	struct device *device = find_console(set, console);

	return device ? device->type->input(device, data, size) : 0;
}

int devices_break(struct device_set *set, unsigned console)
{
	struct device *device = find_console(set, console);

	if (!device || !device->type->line_break)
		return -EOPNOTSUPP;
	return device->type->line_break(device) ? 0 : -EAGAIN;
}

void devices_window(struct device_set *set, unsigned console, unsigned rows, unsigned columns)
{
	struct device *device = find_console(set, console);

	if (device && device->type->window)
		device->type->window(device, rows, columns);
}

size_t devices_keys(struct device_set *set, const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->devices[i].type->keys)
			return set->devices[i].type->keys(&set->devices[i], data, size);
	return 0;
}

bool devices_screen(struct device_set *set, struct screen *out)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (!set->devices[i].type->screen)
			continue;
		set->devices[i].type->screen(&set->devices[i], out);
		return true;
	}
	return false;
}

void devices_sample(const struct device_set *set, struct device_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < set->count; i++)
		if (set->devices[i].type->sample)
			set->devices[i].type->sample(&set->devices[i], sum);
}

/* NULL with a cause. */
static struct device *find(struct device_set *set, const char *name, struct cause *cause)
{
	for (unsigned i = 0; i < set->count; i++)
		if (!strcmp(set->devices[i].name, name))
			return &set->devices[i];
	cause_set(cause, ENOENT, "there is no device %.64s", name);
	return NULL;
}

int devices_resize(struct device_set *set, const char *name, struct device_size *size,
		   struct cause *cause)
{
	struct device *device = find(set, name, cause);
	int err;

	if (!device)
		return -ENOENT;
	if (!device->type->resize)
		return cause_set(cause, EINVAL, "%s has no size that can be changed", name);
	err = device->type->resize(device, size, cause);
	return err ? cause_prefix(cause, err, "%s", name) : 0;
}

int devices_exchange(struct device_set *set, const char *name, struct disk **medium, bool force,
		     struct cause *cause)
{
	struct device *device = find(set, name, cause);
	int err;

	if (!device)
		return -ENOENT;
	if (!device->type->exchange)
		return cause_set(cause, EINVAL, "%s is no drive with a medium", name);
	err = device->type->exchange(device, medium, force, cause);
	return err ? cause_prefix(cause, err, "%s", name) : 0;
}

void devices_memory(struct device_set *set, bool look, struct device_memory *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < set->count && !out->present; i++)
		if (set->devices[i].type->memory_view)
			set->devices[i].type->memory_view(&set->devices[i], look, out);
}

size_t devices_describe(const struct device_set *set, struct guest_device *out, size_t room)
{
	size_t count = 0;

	for (unsigned i = 0; i < set->count; i++) {
		struct device *device = &set->devices[i];

		if (!device->type->describe)
			continue;
		if (count < room) {
			memcpy(out[count].name, device->name, sizeof(out[count].name));
			device->type->describe(device, out[count].status,
					       sizeof(out[count].status));
		}
		count++;
	}
	return count;
}
