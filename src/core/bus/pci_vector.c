/*
 * Messages of PCI functions. vCPU threads under pci.lock; raising on any thread
 * without a lock.
 *
 * Raising an open vector writes its irqfd; raising a closed one leaves a mark. Both
 * sides set their own flag first and look at the other's afterwards, so that no
 * interrupt is lost.
 */
#include "core/bus/pci_vector.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "core/kvm/irq.h"

static void signal_vector(struct pci_vector *vector)
{
	uint64_t one = 1;
	ssize_t n = write(vector->fd, &one, sizeof(one));

	(void)n; /* a full counter means that it is raised already */
}

void pci_vector_init(struct pci_vector *vector)
{
	vector->fd = vector->gsi = -1;
	vector->masked = true;
}

void pci_vector_raise(struct pci_vector *vector)
{
	if (atomic_load(&vector->open)) {
		signal_vector(vector);
		return;
	}
	atomic_store(&vector->pending, true);
	if (atomic_load(&vector->open) && atomic_exchange(&vector->pending, false))
		signal_vector(vector);
}

/* Makes the eventfd and the route when they are first needed. */
static bool connect_vector(struct pci_vector *vector, struct irq_router *irq)
{
	if (vector->fd < 0)
		vector->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector->fd < 0)
		return false;
	if (vector->gsi < 0)
		vector->gsi = irq_msi_alloc(irq);
	return vector->gsi >= 0 && irq_msi_set(irq, vector->gsi, vector->fd, vector->address,
					       vector->data) == 0;
}

void pci_vector_set(struct pci_vector *vector, struct irq_router *irq, bool open)
{
	open = open && connect_vector(vector, irq);
	/* What others write meanwhile KVM finds when it listens again. */
	if (!open && vector->shared && vector->gsi >= 0)
		irq_msi_clear(irq, vector->gsi, vector->fd);
	atomic_store(&vector->open, open);
	if (open && atomic_exchange(&vector->pending, false))
		signal_vector(vector);
}

int pci_vector_share(struct pci_vector *vector, struct irq_router *irq)
{
	if (vector->fd < 0)
		vector->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vector->shared = vector->fd >= 0;
	pci_vector_set(vector, irq, atomic_load(&vector->open));
	return vector->fd;
}

void pci_vector_release(struct pci_vector *vector, struct irq_router *irq)
{
	atomic_store(&vector->open, false);
	if (vector->gsi >= 0) {
		irq_msi_clear(irq, vector->gsi, vector->fd);
		irq_msi_free(irq, vector->gsi);
	}
	if (vector->fd >= 0)
		close(vector->fd);
	vector->fd = vector->gsi = -1;
	vector->shared = false;
}
