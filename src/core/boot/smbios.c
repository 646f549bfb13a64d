/*
 * SMBIOS 2.8: the machine as a whole, its case, its processors and its memory. Thread as
 * in smbios.h.
 *
 * DMTF DSP0134 3.6 § 5.2.1 (entry point), § 7.2 (type 1), 7.4 (3), 7.5 (4), 7.17 (16),
 * 7.18 (17), 7.45 (127). Firmware adds type 0 and fills in where the tables
 * lie, with the sums of the entry point: SeaBIOS's src/fw/biostables.c.
 */
#include "core/boot/smbios.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/profile/topology.h"

#define PACKED __attribute__((packed))

#define MAKER "vmdeck"
#define ANCHOR_FILE "etc/smbios/smbios-anchor"
#define TABLES_FILE "etc/smbios/smbios-tables"

#define TABLES_SIZE 512  /* of those but the processors' */
#define PROCESSOR_SIZE 64 /* of each, with its strings */
#define HANDLE(type) ((uint16_t)((type) << 8))
#define MIB (1ull << 20)
#define SIZE_IS_EXTENDED 0x7fff
#define SIZE_MAX_KIB 0x80000000u
#define NONE 0xfffe /* no error information */

struct header {
	uint8_t type, length;
	uint16_t handle;
} PACKED;

struct entry_point {
	char anchor[4];
	uint8_t checksum, length, major, minor;
	uint16_t largest; /* structure, bytes */
	uint8_t revision, formatted[5];
	char middle[5];
	uint8_t middle_checksum;
	uint16_t tables_length;
	uint32_t tables;
	uint16_t count;
	uint8_t bcd_revision;
} PACKED;

/* Strings are numbered from 1 and follow the structure. */
struct system {
	struct header header;
	uint8_t maker, product, version, serial;
	uint8_t uuid[16];
	uint8_t wake_up, sku, family;
} PACKED;

struct chassis {
	struct header header;
	uint8_t maker, kind, version, serial, asset, boot_state, power, thermal, security;
	uint32_t oem;
	uint8_t height, cords, elements, element_length, sku;
} PACKED;

struct processor {
	struct header header;
	uint8_t socket, kind, family, maker;
	uint64_t id;
	uint8_t version, voltage;
	uint16_t clock, max_speed, speed;
	uint8_t status, upgrade;
	uint16_t caches[3];
	uint8_t serial, asset, part, cores, enabled, threads;
	uint16_t characteristics, family_2;
} PACKED;

struct memory_array {
	struct header header;
	uint8_t location, use, correction;
	uint32_t capacity; /* KiB */
	uint16_t error;
	uint16_t devices;
	uint64_t extended_capacity; /* bytes */
} PACKED;

struct memory_device {
	struct header header;
	uint16_t array, error, total_width, data_width, size; /* MiB */
	uint8_t form, set, locator, bank, type;
	uint16_t detail, speed;
	uint8_t maker, serial, asset, part, attributes;
	uint32_t extended_size; /* MiB */
	uint16_t configured_speed, min_voltage, max_voltage, configured_voltage;
} PACKED;

_Static_assert(sizeof(struct entry_point) == 31, "SMBIOS 2.1 entry point");
_Static_assert(sizeof(struct system) == 27, "type 1");
_Static_assert(sizeof(struct chassis) == 22, "type 3");
_Static_assert(sizeof(struct processor) == 42, "type 4");
_Static_assert(sizeof(struct memory_array) == 23, "type 16");
_Static_assert(sizeof(struct memory_device) == 40, "type 17");

struct builder {
	uint8_t *data;
	size_t size, used;
	uint16_t count, largest;
};

/*
 * Appends a structure with its strings, at most two, of which the second may be NULL. Its handle
 * comes of its type, and its number among those of the type.
 */
static void add(struct builder *b, uint8_t type, uint8_t number, void *structure, size_t size,
		const char *first, const char *second)
{
	struct header *header = structure;
	size_t begun = b->used;

	header->type = type;
	header->length = (uint8_t)size;
	header->handle = HANDLE(type) | number;
	memcpy(b->data + b->used, structure, size);
	b->used += size;
	b->used += (size_t)snprintf((char *)b->data + b->used, b->size - b->used, "%s",
				    first) + 1;
	if (second)
		b->used += (size_t)snprintf((char *)b->data + b->used, b->size - b->used, "%s",
					    second) + 1;
	/* The strings end with one that is empty; where there is none, with two. */
	b->data[b->used++] = 0;
	b->count++;
	if (b->used - begun > b->largest)
		b->largest = (uint16_t)(b->used - begun);
}

static void add_machine(struct builder *b)
{
	struct system system = { .maker = 1, .product = 2, .wake_up = 6 /* power switch */ };
	struct chassis chassis = { .maker = 1, .kind = 1 /* other */, .boot_state = 3,
				   .power = 3, .thermal = 3, .security = 2 };

	add(b, 1, 0, &system, sizeof(system), MAKER, "virtual machine");
	add(b, 3, 0, &chassis, sizeof(chassis), MAKER, NULL);
}

/* One a socket. */
static void add_processors(struct builder *b, const struct topology *topology)
{
	uint8_t cores = (uint8_t)topology->cores;
	struct processor processor = {
		.socket = 1, .kind = 3 /* central */, .family = 1 /* other */, .maker = 2,
		.status = 0x41 /* there, enabled */, .upgrade = 1,
		.caches = { 0xffff, 0xffff, 0xffff },
		.cores = cores, .enabled = cores, .threads = (uint8_t)(cores * topology->threads),
		.characteristics = 4 /* 64 bits */, .family_2 = 1,
	};
	char name[16];

	for (unsigned i = 0; i < topology->sockets; i++) {
		snprintf(name, sizeof(name), "CPU %u", i);
		add(b, 4, (uint8_t)i, &processor, sizeof(processor), name, MAKER);
	}
}

static void add_memory(struct builder *b, uint64_t size)
{
	struct memory_array array = {
		.location = 1, .use = 3 /* system memory */, .correction = 3 /* none */,
		.error = NONE, .devices = 1, .capacity = SIZE_MAX_KIB, .extended_capacity = size,
	};
	struct memory_device device = {
		.array = HANDLE(16), .error = NONE, .total_width = 0xffff, .data_width = 0xffff,
		.form = 9 /* DIMM */, .locator = 1, .type = 7 /* RAM */, .detail = 2 /* other */,
		.size = SIZE_IS_EXTENDED, .extended_size = (uint32_t)(size / MIB),
	};

	if (size / 1024 < SIZE_MAX_KIB) {
		array.capacity = (uint32_t)(size / 1024);
		array.extended_capacity = 0;
	}
	if (size / MIB < SIZE_IS_EXTENDED) {
		device.size = (uint16_t)(size / MIB);
		device.extended_size = 0;
	}
	add(b, 16, 0, &array, sizeof(array), "", NULL);
	add(b, 17, 0, &device, sizeof(device), "DIMM 0", NULL);
}

int smbios_describe(struct fw_cfg *fw_cfg, const struct profile *profile, struct cause *cause)
{
	struct entry_point entry = { .anchor = "_SM_", .length = sizeof(entry), .major = 2,
				     .minor = 8, .middle = "_DMI_", .bcd_revision = 0x28 };
	struct header end = { 0 };
	struct topology topology;
	struct builder b = { 0 };
	int err = topology_find(profile, &topology, cause);

	if (err)
		return err;
	b.size = TABLES_SIZE + topology.sockets * PROCESSOR_SIZE;
	b.data = calloc(1, b.size);
	if (!b.data)
		return cause_errno(cause, ENOMEM, "SMBIOS");
	add_machine(&b);
	add_processors(&b, &topology);
	add_memory(&b, profile->memory);
	add(&b, 127, 0, &end, sizeof(end), "", NULL);
	entry.tables_length = (uint16_t)b.used;
	entry.largest = b.largest;
	entry.count = b.count;
	err = fw_cfg_add_file(fw_cfg, TABLES_FILE, b.data, b.used, cause);
	free(b.data);
	return err ? err : fw_cfg_add_file(fw_cfg, ANCHOR_FILE, &entry, sizeof(entry), cause);
}
