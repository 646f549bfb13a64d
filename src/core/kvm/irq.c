/*
 * Interrupt lines and MSI routes of the kernel's irqchip. KVM api.rst §4.24,
 * §4.25, §4.52, §4.75. Any thread.
 */
#include "core/kvm/irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define PIC_PINS 16
#define ROUTES_STEP 16u /* routes are made room for by so many */

void irq_destroy(struct irq_router *router)
{
	free(router->routes);
	router->routes = NULL;
	router->count = 0;
	pthread_mutex_destroy(&router->lock);
}

void irq_set_line(struct irq_router *router, unsigned line, bool level)
{
	struct kvm_irq_level request = { .irq = line, .level = level };

	/* It cannot fail for a line of an irqchip that exists. */
	(void)ioctl(router->vm_fd, KVM_IRQ_LINE, &request);
}

/* Replaces the kernel's table: the wires it began with, then the active MSI routes. Lock held. */
static int write_routes(struct irq_router *router)
{
	size_t entries = PIC_PINS + IRQ_LINES + router->count;
	struct kvm_irq_routing *table = malloc(sizeof(*table) + entries * sizeof(table->entries[0]));
	struct kvm_irq_routing_entry *entry;
	int err = 0;

	if (!table)
		return -ENOMEM;
	entry = table->entries;
	table->flags = 0;
	for (unsigned gsi = 0; gsi < PIC_PINS; gsi++) {
		*entry = (struct kvm_irq_routing_entry){ .gsi = gsi };
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
		entry->u.irqchip.pin = gsi % 8;
		entry++;
	}
	for (unsigned gsi = 0; gsi < IRQ_LINES; gsi++) {
		*entry = (struct kvm_irq_routing_entry){ .gsi = gsi };
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		entry->u.irqchip.pin = gsi;
		entry++;
	}
	for (unsigned i = 0; i < router->count; i++) {
		const struct irq_msi_route *route = &router->routes[i];

		if (!route->active)
			continue;
		*entry = (struct kvm_irq_routing_entry){ .gsi = IRQ_LINES + i };
		entry->type = KVM_IRQ_ROUTING_MSI;
		entry->u.msi.address_lo = (uint32_t)route->address;
		entry->u.msi.address_hi = (uint32_t)(route->address >> 32);
		entry->u.msi.data = route->data;
		entry++;
	}
	table->nr = (uint32_t)(entry - table->entries);
	if (ioctl(router->vm_fd, KVM_SET_GSI_ROUTING, table) < 0)
		err = -errno;
	free(table);
	return err;
}

int irq_create(struct irq_router *router, int vm_fd, struct cause *cause)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	memset(router, 0, sizeof(*router));
	router->vm_fd = vm_fd;
	pthread_mutex_init(&router->lock, NULL);
	if (ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0ul) < 0)
		return cause_errno(cause, errno, "KVM_CREATE_IRQCHIP");
	if (ioctl(vm_fd, KVM_CREATE_PIT2, &pit) < 0)
		return cause_errno(cause, errno, "KVM_CREATE_PIT2");
	return 0;
}

/* Makes room for further routes. Lock held. */
static int grow(struct irq_router *router)
{
	unsigned count = router->count + ROUTES_STEP;
	struct irq_msi_route *routes;

	if (count > IRQ_MSI_MAX)
		return -ENOSPC;
	routes = realloc(router->routes, count * sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	memset(routes + router->count, 0, ROUTES_STEP * sizeof(*routes));
	router->routes = routes;
	router->count = count;
	return 0;
}

int irq_msi_alloc(struct irq_router *router)
{
	unsigned i = 0;
	int gsi;

	pthread_mutex_lock(&router->lock);
	while (i < router->count && router->routes[i].used)
		i++;
	gsi = i < router->count ? 0 : grow(router);
	if (!gsi) {
		router->routes[i].used = true;
		gsi = IRQ_LINES + (int)i;
	}
	pthread_mutex_unlock(&router->lock);
	return gsi;
}

void irq_msi_free(struct irq_router *router, int gsi)
{
	pthread_mutex_lock(&router->lock);
	router->routes[gsi - IRQ_LINES] = (struct irq_msi_route){ 0 };
	pthread_mutex_unlock(&router->lock);
}

static int irqfd(struct irq_router *router, int gsi, int fd, uint32_t flags)
{
	struct kvm_irqfd request = { .fd = (uint32_t)fd, .gsi = (uint32_t)gsi, .flags = flags };

	return ioctl(router->vm_fd, KVM_IRQFD, &request) < 0 ? -errno : 0;
}

int irq_msi_set(struct irq_router *router, int gsi, int fd, uint64_t address, uint32_t data)
{
	struct irq_msi_route *route, before;
	int err = 0;

	pthread_mutex_lock(&router->lock);
	route = &router->routes[gsi - IRQ_LINES];
	before = *route;
	if (!before.active || before.address != address || before.data != data) {
		route->address = address;
		route->data = data;
		route->active = true;
		err = write_routes(router);
		if (!err && !before.active)
			err = irqfd(router, gsi, fd, 0);
		/* A route that KVM refuses must not stand in the way of the others. */
		if (err)
			*route = before;
	}
	pthread_mutex_unlock(&router->lock);
	return err;
}

void irq_msi_clear(struct irq_router *router, int gsi, int fd)
{
	struct irq_msi_route *route;

	pthread_mutex_lock(&router->lock);
	route = &router->routes[gsi - IRQ_LINES];
	if (route->active) {
		irqfd(router, gsi, fd, KVM_IRQFD_FLAG_DEASSIGN);
		route->active = false;
	}
	pthread_mutex_unlock(&router->lock);
}
