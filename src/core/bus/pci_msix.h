/*
 * MSI-X of a PCI function. PCI Local Bus 3.0 §6.8.2. For pci.c; what devices
 * call is pci_msix_raise() in pci.h.
 */
#ifndef CORE_BUS_PCI_MSIX_H
#define CORE_BUS_PCI_MSIX_H

#include "core/bus/pci.h"

#define MSIX_VECTOR_MASKED 1u

/* Accesses to BAR 0: true when they were for the tables. vCPU thread; take pci.lock. */
bool pci_msix_read(struct pci_function *function, uint64_t offset, void *data, unsigned length);
bool pci_msix_write(struct pci_function *function, uint64_t offset, const void *data,
		    unsigned length);

/* The guest wrote the capability's control word, or bus master enable changed. pci.lock held. */
void pci_msix_control(struct pci_function *function);

/* Gives back routes and eventfds. No thread raises vectors any more. */
void pci_msix_release(struct pci_function *function);

#endif
