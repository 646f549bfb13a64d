/*
 * PCI configuration space of bus 0.
 */
#ifndef DEMO_PCI_H
#define DEMO_PCI_H

#include "lib.h"

#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY 2
#define PCI_COMMAND_MASTER 4
#define PCI_FUNCTIONS_MAX 48

struct pci_function {
	uint8_t devfn;
	uint16_t vendor, device;
};

extern struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
extern unsigned pci_count;

/* Lists the functions. */
void pci_setup(void);

/* Aligned 32 bits at offset 0..252. */
uint32_t pci_read(uint8_t devfn, unsigned offset);
void pci_write(uint8_t devfn, unsigned offset, uint32_t value);

/* Through ports, even where ECAM is known. */
uint32_t pci_port_read(uint8_t devfn, unsigned offset);
void pci_port_write(uint8_t devfn, unsigned offset, uint32_t value);

/* The address that the monitor gave BAR n, or 0 when it is none for memory. */
uint64_t pci_bar(uint8_t devfn, unsigned n);

/* Enables MSI-X; the address of its table and the number of entries, or 0. */
uintptr_t pci_msix(uint8_t devfn, unsigned *entries);

/* One entry of the table: a vector of CPU 0. */
void pci_msix_set(uintptr_t table, unsigned entry, unsigned vector);

/* The offset of the first (previous 0) or next capability with that ID, or 0. */
unsigned pci_capability(uint8_t devfn, unsigned previous, unsigned id);

#endif
