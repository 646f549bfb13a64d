/*
 * What firmware is told of the machine by fw_cfg: its memory and processors. The
 * machine's thread.
 *
 * The items are those that SeaBIOS (src/fw/paravirt.c) and OVMF read; their layouts are
 * QEMU's.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "core/boot/acpi.h"
#include "core/boot/firmware.h"
#include "core/boot/smbios.h"
#include "core/bus/platform.h"
#include "core/hw/fw_cfg.h"
#include "core/profile/topology.h"

#define BOOT_PATH_MAX 64

#define E820_RAM 1u
#define E820_RESERVED 2u

struct __attribute__((packed)) e820_entry {
	uint64_t base, size;
	uint32_t type;
};

/* RAM as the machine has it: what firmware takes of it, or puts over it, it tells itself. */
static int add_memory(const struct device_set *devices, struct cause *cause)
{
	const struct device_host *host = &devices->host;
	const struct guest_memory *memory = host->memory;
	struct e820_entry map[MEMORY_REGIONS + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < memory->count; i++)
		map[n++] = (struct e820_entry){ memory->regions[i].base, memory->regions[i].size,
						E820_RAM };
	map[n++] = (struct e820_entry){ PLATFORM_IDENTITY_BASE, PLATFORM_KVM_SIZE, E820_RESERVED };
	return fw_cfg_add_file(host->fw_cfg, "etc/e820", map, n * sizeof(*map), cause);
}

static int add_processors(const struct device_set *devices, struct cause *cause)
{
	const struct device_host *host = &devices->host;
	struct topology topology;
	uint16_t cpus, ids; /* vCPUs; APIC IDs, some of which can be nobody's */
	int err = topology_find(host->profile, &topology, cause);

	if (err)
		return err;
	cpus = (uint16_t)topology_cpus(&topology);
	ids = (uint16_t)(topology_apic_id(&topology, cpus - 1u) + 1);
	err = fw_cfg_add(host->fw_cfg, FW_CFG_NB_CPUS, &cpus, sizeof(cpus), cause);
	return err ? err : fw_cfg_add(host->fw_cfg, FW_CFG_MAX_CPUS, &ids, sizeof(ids), cause);
}

static int add_acpi(const struct device_set *devices, struct cause *cause)
{
	struct topology topology;
	int err = topology_find(devices->host.profile, &topology, cause);

	return err ? err : acpi_describe(devices->host.fw_cfg, &topology, cause);
}

static int add_smbios(const struct device_set *devices, struct cause *cause)
{
	return smbios_describe(devices->host.fw_cfg, devices->host.profile, cause);
}

/* A line of the order in which a guest's disks are tried; nothing if there is no such disk. */
static void add_boot_line(const struct device_set *devices, const char *section, char *order,
			  size_t size)
{
	size_t used = strlen(order);
	char path[BOOT_PATH_MAX];

	if (devices_boot_path(devices, section, path, sizeof(path)))
		snprintf(order + used, size - used, "%s%s", used ? "\n" : "", path);
}

/* Those that the profile names, then all others in its order. */
static int add_boot_order(const struct device_set *devices, struct cause *cause)
{
	char order[2 * PROFILE_DISKS_MAX * BOOT_PATH_MAX] = "", name[NAME_SIZE];
	const char *at = devices->host.profile->boot_device;

	while (profile_next_device(&at, name))
		add_boot_line(devices, name, order, sizeof(order));
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		snprintf(name, sizeof(name), "disk%u", i);
		add_boot_line(devices, name, order, sizeof(order));
	}
	return fw_cfg_add_file(devices->host.fw_cfg, "bootorder", order, strlen(order) + 1, cause);
}

/* Where the firmware shows what it has to say, beside a screen. */
static int add_serial_console(const struct device_set *devices, struct cause *cause)
{
	const struct device_host *host = &devices->host;
	uint16_t port = PLATFORM_COM1_PORT;

	/* UEFI has a driver for the port and uses it. */
	if (!host->profile->firmware_serial || profile_firmware(host->profile) == FIRMWARE_UEFI)
		return 0;
	return fw_cfg_add_file(host->fw_cfg, "etc/sercon-port", &port, sizeof(port), cause);
}

int firmware_describe(const struct device_set *devices, struct cause *cause)
{
	static int (*const adders[])(const struct device_set *devices, struct cause *cause) = {
		add_memory,
		add_processors,
		add_acpi,
		add_smbios,
		add_boot_order,
		add_serial_console,
		firmware_add_kernel,
	};
	int err = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(adders); i++)
		err = adders[i](devices, cause);
	return err;
}
