/*
 * MSI-X of a PCI function. PCI Local Bus 3.0 §6.8.2. Functions add vectors and
 * raise them; the rest is for pci.c.
 */
#ifndef CORE_BUS_PCI_MSIX_H
#define CORE_BUS_PCI_MSIX_H

#include "core/bus/pci_function.h"

/*
 * Gives the function 1 to PCI_MSIX_MAX MSI-X vectors with the tables at these offsets,
 * multiples of 8, of a BAR. Before pci_add().
 */
void pci_add_msix(struct pci_function *function, unsigned count, unsigned bar, uint32_t table,
		  uint32_t pending);

/*
 * Raises an MSI-X vector; remembered while it is masked or the function is not
 * bus master. Any thread, no lock.
 */
void pci_msix_raise(struct pci_function *function, unsigned vector);

/* Makes its vectors, if it has any, when it is added. 0 or -ENOMEM. */
int pci_msix_open(struct pci_function *function);

/*
 * The eventfd of a vector, for another process that raises it; it stays the function's. -1: there
 * is no such vector, or the host has no eventfd left. Takes pci.lock.
 */
int pci_msix_eventfd(struct pci_function *function, unsigned vector);

/* Accesses to a BAR: true when they were for the tables. vCPU thread; take pci.lock. */
bool pci_msix_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		   unsigned length);
bool pci_msix_write(struct pci_function *function, unsigned bar, uint64_t offset,
		    const void *data, unsigned length);

/* The guest wrote the capability's control word, or bus master enable changed. pci.lock held. */
void pci_msix_control(struct pci_function *function);

/* Its vectors as saved; a load checks them, and pci_msix_control() is to follow. pci.lock held. */
void pci_msix_save(struct pci_function *function, struct pci_registers *registers);
const char *pci_msix_load(struct pci_function *function, const struct pci_registers *registers);

/* Gives back the vectors. No thread raises them any more. */
void pci_msix_release(struct pci_function *function);

#endif
