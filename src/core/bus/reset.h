/*
 * The reset control register, port PLATFORM_RESET_PORT. It lies among the ports
 * of PCI configuration, which are claimed around it. vCPU threads.
 */
#ifndef CORE_BUS_RESET_H
#define CORE_BUS_RESET_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/bus/device.h"

struct reset_control {
	_Atomic uint8_t value; /* several vCPUs may write it */
	void (*reset)(void *arg); /* the guest asked for a reset */
	void *arg;
};

/* Claims its port, before pci_create(). 0, or what bus_add() says. There is nothing to free. */
int reset_control_init(struct reset_control *control, struct bus *bus, void (*reset)(void *arg),
		       void *arg, struct cause *cause);

/* Stands in the table before the PCI host. */
extern const struct device_type reset_control_device;

#endif
