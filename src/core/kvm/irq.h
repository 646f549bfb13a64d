/*
 * Interrupts into a machine: IOAPIC and PIC lines, and MSI through irqfds.
 *
 * The chips are in the kernel. Lines are for rare and shared interrupts
 * (serial port, power button); a virtio queue uses an MSI-X vector whose
 * irqfd any thread can raise with one write. GSI 0..15 are wired to the pin of
 * that number of PIC and IOAPIC, 16..23 to the IOAPIC alone: KVM's own wiring,
 * the timer's IRQ 0 included, which therefore needs no override in the MADT.
 */
#ifndef CORE_KVM_IRQ_H
#define CORE_KVM_IRQ_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"

#define IRQ_LINES 24	 /* IOAPIC pins = GSIs 0..23 */
#define IRQ_MSI_MAX 1024 /* MSI routes of one machine */

struct irq_msi_route {
	uint64_t address;
	uint32_t data;
	bool used;   /* given to a vector */
	bool active; /* address and data are set */
};

struct irq_router {
	int vm_fd;
	pthread_mutex_t lock; /* guards the rest and the kernel's table */
	struct irq_msi_route *routes;
	unsigned count; /* of routes that there is room for; it grows */
};

/* The irqchip and the PIT, in the kernel. Memory slots must be set before (see memory_attach). */
int irq_create(struct irq_router *router, int vm_fd, struct cause *cause);
void irq_destroy(struct irq_router *router);

/*
 * Sets the level of GSI line 0..23. One system call: any thread that
 * sandbox/filters_table.h lets make it.
 */
void irq_set_line(struct irq_router *router, unsigned line, bool level);

/* Reserves a route for one vector. Its GSI, or -ENOSPC or -ENOMEM. */
int irq_msi_alloc(struct irq_router *router);
void irq_msi_free(struct irq_router *router, int gsi);

/*
 * The guest programmed the vector: GSI raises (address, data) from now on.
 * fd is the eventfd that raises it; it is attached the first time.
 * Any thread. 0 or a negative errno.
 */
int irq_msi_set(struct irq_router *router, int gsi, int fd, uint64_t address, uint32_t data);

/* Detaches the eventfd. */
void irq_msi_clear(struct irq_router *router, int gsi, int fd);

#endif
