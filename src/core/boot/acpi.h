/*
 * The ACPI tables of a guest that is started without firmware.
 */
#ifndef CORE_BOOT_ACPI_H
#define CORE_BOOT_ACPI_H

#include <stdint.h>

#include "core/kvm/memory.h"

#define ACPI_CPUS_MAX 254 /* more would need x2APIC entries */

/*
 * Writes the tables for cpus processors (APIC IDs 0, 1, ...) to PLATFORM_ACPI_BASE
 * and the address of the root pointer to *rsdp. The RAM there must be zero. The
 * machine's thread, before a vCPU runs. 0, -EINVAL (cpus is 0 or above
 * ACPI_CPUS_MAX) or -ENOMEM (less than 1 MiB of RAM).
 */
int acpi_build(struct guest_memory *memory, unsigned cpus, uint64_t *rsdp);

#endif
