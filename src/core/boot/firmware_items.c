/*
 * What firmware is told of the machine by fw_cfg: its memory and processors. The
 * machine's thread.
 *
 * The items are those that SeaBIOS (src/fw/paravirt.c) and OVMF read; their layouts are
 * QEMU's.
 */
#include <stdint.h>

#include "base/checked.h"
#include "core/boot/acpi.h"
#include "core/boot/firmware.h"
#include "core/bus/platform.h"
#include "core/hw/fw_cfg.h"
#include "core/profile/profile.h"

#define E820_RAM 1u
#define E820_RESERVED 2u

struct __attribute__((packed)) e820_entry {
	uint64_t base, size;
	uint32_t type;
};

/* RAM as the machine has it: what firmware takes of it, or puts over it, it tells itself. */
static int add_memory(const struct device_host *host, struct cause *cause)
{
	const struct guest_memory *memory = host->memory;
	struct e820_entry map[MEMORY_REGIONS + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < memory->count; i++)
		map[n++] = (struct e820_entry){ memory->regions[i].base, memory->regions[i].size,
						E820_RAM };
	map[n++] = (struct e820_entry){ PLATFORM_IDENTITY_BASE, PLATFORM_KVM_SIZE, E820_RESERVED };
	return fw_cfg_add_file(host->fw_cfg, "etc/e820", map, n * sizeof(*map), cause);
}

static int add_processors(const struct device_host *host, struct cause *cause)
{
	uint16_t cpus = (uint16_t)host->profile->cpus;
	int err = fw_cfg_add(host->fw_cfg, FW_CFG_NB_CPUS, &cpus, sizeof(cpus), cause);

	return err ? err : fw_cfg_add(host->fw_cfg, FW_CFG_MAX_CPUS, &cpus, sizeof(cpus), cause);
}

static int add_acpi(const struct device_host *host, struct cause *cause)
{
	return acpi_describe(host->fw_cfg, host->profile->cpus, cause);
}

/* Where the firmware shows what it has to say, beside a screen. */
static int add_serial_console(const struct device_host *host, struct cause *cause)
{
	uint16_t port = PLATFORM_COM1_PORT;

	if (!host->profile->firmware_serial)
		return 0;
	return fw_cfg_add_file(host->fw_cfg, "etc/sercon-port", &port, sizeof(port), cause);
}

int firmware_describe(const struct device_host *host, struct cause *cause)
{
	static int (*const adders[])(const struct device_host *host, struct cause *cause) = {
		add_memory,
		add_processors,
		add_acpi,
		add_serial_console,
	};
	int err = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(adders); i++)
		err = adders[i](host, cause);
	return err;
}
