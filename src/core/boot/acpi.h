/*
 * The ACPI tables of a guest: one description of the machine, which is written into the
 * RAM of one that starts by a kernel, or given to firmware to place.
 *
 * The machine's thread.
 */
#ifndef CORE_BOOT_ACPI_H
#define CORE_BOOT_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/hw/fw_cfg.h"
#include "core/kvm/memory.h"
#include "core/profile/topology.h"

/*
 * Writes the tables for the processors of a topology to PLATFORM_ACPI_BASE and the
 * address of the root pointer to *rsdp. The RAM there must be zero. The machine's
 * thread, before a vCPU runs. 0 or -ENOMEM (less than 1 MiB of RAM).
 */
int acpi_build(struct guest_memory *memory, const struct topology *cpus, uint64_t *rsdp);

/*
 * Adds the same tables as files of firmware, with the orders by which it places them,
 * links them and sums them up. -ENOMEM with a cause.
 */
int acpi_describe(struct fw_cfg *fw_cfg, const struct topology *cpus, struct cause *cause);

#define ACPI_ROOT_SIZE 36 /* bytes of the root pointer */
#define ACPI_ROOM 64	  /* bytes before the tables, for the root pointer */
#define ACPI_POINTERS_MAX 16
#define ACPI_SUMS_MAX 8

/* Tables behind their root pointer, where all addresses are counted from base on. */
struct acpi_blob {
	uint8_t *data; /* PLATFORM_ACPI_SIZE bytes, all zero before */
	uint32_t base;
	uint32_t used;
	bool vga; /* there may be one */
	unsigned pointers, sums;
	struct {
		uint32_t at;
		uint8_t size;
	} pointer[ACPI_POINTERS_MAX]; /* to tables, but for that in the root pointer */
	struct {
		uint32_t at, start, length;
	} sum[ACPI_SUMS_MAX]; /* bytes that make others add up to 0, in this order */
	uint32_t root_pointer; /* where the root pointer has its one */
};

/* Fills data, base and vga being set. */
void acpi_write(struct acpi_blob *blob, const struct topology *cpus);

#endif
