/*
 * MSI of a PCI function: one message with a 64-bit address. PCI Local Bus 3.0
 * §6.8.1. Functions add it and raise it; the rest is for pci.c.
 */
#ifndef CORE_BUS_PCI_MSI_H
#define CORE_BUS_PCI_MSI_H

#include "core/bus/pci_function.h"

#define PCI_MSI_SIZE 14u /* bytes of the capability */

void pci_add_msi(struct pci_function *function); /* before pci_add() */

/*
 * Raises the message, if the driver has switched MSI on; remembered while the function is
 * not bus master. Any thread, no lock.
 */
void pci_msi_raise(struct pci_function *function);

/* The guest wrote the capability, or bus master enable changed. pci.lock held. */
void pci_msi_control(struct pci_function *function);

#endif
