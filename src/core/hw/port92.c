/*
 * System control port A, which firmware and boot loaders open the A20 gate by. IBM PS/2
 * Hardware Interface Technical Reference, "System Control Port A"; Intel ICH9 data sheet
 * § 13.7.3 (PORT92). The gate is always open, whatever the bit says. vCPU threads.
 */
#include "core/hw/port92.h"

#include <stdatomic.h>

#include "core/bus/platform.h"
#include "core/profile/profile.h"

#define FAST_RESET 0x01u
#define A20 0x02u

struct port92 {
	_Atomic uint8_t value; /* several vCPUs may write it */
	struct device_host *host;
};

static void port92_read(void *device, uint64_t offset, void *data, unsigned length)
{
	const struct port92 *port = device;

	(void)offset;
	(void)length;
	*(uint8_t *)data = port->value;
}

/* A reset is asked for when its bit rises. A range of one port, so that an access is one byte. */
static void port92_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct port92 *port = device;
	uint8_t value = *(const uint8_t *)data & (FAST_RESET | A20);
	uint8_t before = atomic_exchange(&port->value, value);

	(void)offset;
	(void)length;
	if (value & ~before & FAST_RESET)
		port->host->reset(port->host);
}

static const struct bus_ops port92_ops = { "port 0x92", port92_read, port92_write };

/* A guest that starts by its kernel need not open the gate. */
static bool port92_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile_firmware(profile) != FIRMWARE_NONE;
}

static int create_port92(struct device *device, struct cause *cause)
{
	struct port92 *port = device->state;
	int range = bus_add(device->host->io, PLATFORM_PORT92, 1, &port92_ops, port, cause);

	port->value = A20;
	port->host = device->host;
	return range < 0 ? range : 0;
}

static void save_port92(struct device *device, void *registers)
{
	const struct port92 *port = device->state;

	*(uint8_t *)registers = port->value;
}

static const char *load_port92(struct device *device, const void *registers)
{
	struct port92 *port = device->state;
	uint8_t value = *(const uint8_t *)registers;

	if (value & ~(FAST_RESET | A20))
		return "value";
	port->value = value;
	return NULL;
}

const struct device_type port92_device = {
	.name = "port 0x92",
	.size = sizeof(struct port92),
	.wanted = port92_wanted,
	.create = create_port92,
	.version = 1,
	.saved = sizeof(uint8_t),
	.save = save_port92,
	.load = load_port92,
};
