/*
 * A message of a PCI function: a vector of its MSI-X table, or its MSI. PCI Local
 * Bus 3.0 §6.8. vCPU threads under pci.lock, except for raising.
 */
#ifndef CORE_BUS_PCI_VECTOR_H
#define CORE_BUS_PCI_VECTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct irq_router;

struct pci_vector {
	uint64_t address;
	uint32_t data;
	int fd;		  /* eventfd, made when the vector is first opened; -1 */
	int gsi;	  /* -1 until then */
	bool shared;	  /* others write fd: KVM listens to it while the vector is open only */
	bool masked;	  /* by the driver */
	atomic_bool open; /* nothing masks it, and its function is bus master */
	atomic_bool pending;
};

void pci_vector_init(struct pci_vector *vector);

/* Raises it; remembered while it is closed. Any thread, no lock. */
void pci_vector_raise(struct pci_vector *vector);

/*
 * Opens or closes it; an open one takes over address and data that changed. It stays closed
 * when the host has no eventfd or route left for it.
 */
void pci_vector_set(struct pci_vector *vector, struct irq_router *irq, bool open);

/*
 * Its eventfd, for somebody who raises it without asking whether it is open; it stays the
 * vector's. -1: the host has none left.
 */
int pci_vector_share(struct pci_vector *vector, struct irq_router *irq);

/* Gives back route and eventfd. No thread raises it any more. */
void pci_vector_release(struct pci_vector *vector, struct irq_router *irq);

#endif
