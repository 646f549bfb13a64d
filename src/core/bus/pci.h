/*
 * PCI: one root bus, its functions, their BARs and interrupts. PCI Local
 * Bus 3.0 §6, PCI Firmware 3.0 §4 (ECAM).
 *
 * Functions (pci_function.h) are added while the machine is built; afterwards
 * any vCPU thread may access them.
 *
 * Locks: pci.lock, then whatever a function's ops take.
 */
#ifndef CORE_BUS_PCI_H
#define CORE_BUS_PCI_H

#include "base/cause.h"
#include "core/bus/pci_function.h"

/* The host: configuration ports and ECAM. */
int pci_create(struct pci *pci, struct bus *io, struct bus *mmio, struct irq_router *irq,
	       struct cause *cause);
void pci_destroy(struct pci *pci); /* of which all functions have been removed */

/*
 * Puts the function at device number 0..31, its BARs placed and switched on, as
 * firmware would; it is no bus master until the driver says so. A negative errno, and
 * a cause except for -ENOMEM; then pci_remove() is still to be called.
 */
int pci_add(struct pci *pci, struct pci_function *function, unsigned device, struct cause *cause);
void pci_remove(struct pci_function *function); /* valid when it was not added */

/* While nothing raises its interrupts. */
void pci_function_save(struct pci_function *function, struct pci_registers *registers);

/*
 * Takes over what was saved of a function, into one of the same kind just added. It
 * does what the driver's writes had done: bar_moved() and master_changed() are called.
 * NULL, or what of it cannot be so.
 */
const char *pci_function_load(struct pci_function *function,
			      const struct pci_registers *registers);

/*
 * Leads a line of INTA#, 0 to 3, to an ISA interrupt, 1 to 15, or to none, 0, beside the IOAPIC.
 * Any thread.
 */
void pci_route_intx(struct pci *pci, unsigned line, unsigned isa);

/*
 * Sets the level of the function's INTA#, which MSI, MSI-X and the command register can
 * switch off. Any thread.
 */
void pci_intx(struct pci_function *function, bool level);

#endif
