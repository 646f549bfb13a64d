/*
 * PCI configuration by ECAM where ACPI tells of it (one exit an access), else
 * by ports 0xcf8 and 0xcfc. PCI Local Bus 3.0. CPU 0.
 */
#include "pci.h"

#include "acpi.h"
#include "cpu.h"
#include "machine.h"
#include "memory.h"

#define CAPABILITY_MSIX 0x11
#define CAPABILITIES_MAX 48

struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
unsigned pci_count;

uint32_t pci_port_read(uint8_t devfn, unsigned offset)
{
	out32(0xcf8, 0x80000000u | devfn << 8 | (offset & 0xfc));
	return in32(0xcfc);
}

void pci_port_write(uint8_t devfn, unsigned offset, uint32_t value)
{
	out32(0xcf8, 0x80000000u | devfn << 8 | (offset & 0xfc));
	out32(0xcfc, value);
}

uint32_t pci_read(uint8_t devfn, unsigned offset)
{
	if (acpi.ecam == 0)
		return pci_port_read(devfn, offset);
	return mmio_read32(acpi.ecam + (devfn << 12) + (offset & 0xfc));
}

void pci_write(uint8_t devfn, unsigned offset, uint32_t value)
{
	if (acpi.ecam == 0)
		pci_port_write(devfn, offset, value);
	else
		mmio_write32(acpi.ecam + (devfn << 12) + (offset & 0xfc), value);
}

void pci_setup(void)
{
	for (unsigned device = 0; device < 32; device++) {
		unsigned functions = 1;

		for (unsigned n = 0; n < functions; n++) {
			uint8_t devfn = device << 3 | n;
			uint32_t id = pci_read(devfn, 0);

			if ((id & 0xffff) == 0xffff || pci_count == PCI_FUNCTIONS_MAX)
				continue;
			if (n == 0 && pci_read(devfn, 0xc) & 0x800000)
				functions = 8;
			pci_functions[pci_count++] = (struct pci_function){ .devfn = devfn,
									    .vendor = id,
									    .device = id >> 16 };
		}
	}
}

uint64_t pci_bar(uint8_t devfn, unsigned n)
{
	uint64_t bar = n < 6 ? pci_read(devfn, 0x10 + n * 4) : 1;

	if (bar & 1)
		return 0;
	if ((bar & 6) == 4 && n < 5)
		bar |= (uint64_t)pci_read(devfn, 0x14 + n * 4) << 32;
	return bar & ~0xfull;
}

unsigned pci_capability(uint8_t devfn, unsigned previous, unsigned id)
{
	unsigned at;

	if (previous == 0 && !(pci_read(devfn, PCI_COMMAND) & 0x100000))
		return 0;
	at = previous == 0 ? pci_read(devfn, 0x34) : pci_read(devfn, previous) >> 8;
	for (unsigned n = 0; n < CAPABILITIES_MAX && (at & 0xfc) >= 0x40; n++) {
		uint32_t header = pci_read(devfn, at &= 0xfc);

		if ((header & 0xff) == id)
			return at;
		at = header >> 8;
	}
	return 0;
}

uintptr_t pci_msix(uint8_t devfn, unsigned *entries)
{
	unsigned at = pci_capability(devfn, 0, CAPABILITY_MSIX);
	uint32_t control, table;
	uint64_t bar;

	if (at == 0)
		return 0;
	control = pci_read(devfn, at);
	table = pci_read(devfn, at + 4);
	bar = pci_bar(devfn, table & 7);
	*entries = (control >> 16 & 0x7ff) + 1;
	if (bar == 0 || !memory_map_device(bar, (table & ~7u) + *entries * 16))
		return 0;
	pci_write(devfn, at, (control | 1u << 31) & ~(1u << 30));
	return bar + (table & ~7u);
}

void pci_msix_set(uintptr_t table, unsigned entry, unsigned vector)
{
	mmio_write32(table + entry * 16, LAPIC_BASE | cpus[0].apic_id << 12);
	mmio_write32(table + entry * 16 + 4, 0);
	mmio_write32(table + entry * 16 + 8, vector);
	mmio_write32(table + entry * 16 + 12, 0);
}
