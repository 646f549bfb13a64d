/* The reset control register. Intel ICH9 data sheet § 13.7.5 (RST_CNT). vCPU threads. */
#include "core/bus/reset.h"

#include "core/bus/platform.h"

#define RESET_CPU 0x04u
#define RESET_MASK 0x0eu

static void reset_read(void *device, uint64_t offset, void *data, unsigned length)
{
	const struct reset_control *control = device;

	(void)offset;
	(void)length;
	*(uint8_t *)data = control->value;
}

/* Setting the bit asks for the reset; that it stays set does not ask again. */
static void reset_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct reset_control *control = device;
	uint8_t value = *(const uint8_t *)data;
	uint8_t before = atomic_exchange(&control->value, value & RESET_MASK);

	(void)offset;
	(void)length;
	if (value & ~before & RESET_CPU)
		control->reset(control->arg);
}

/* A range of one port, so that an access is one byte. */
static const struct bus_ops reset_ops = { "reset control", reset_read, reset_write };

int reset_control_init(struct reset_control *control, struct bus *bus, void (*reset)(void *arg),
		       void *arg, struct cause *cause)
{
	int range = bus_add(bus, PLATFORM_RESET_PORT, 1, &reset_ops, control, cause);

	*control = (struct reset_control){ .reset = reset, .arg = arg };
	return range < 0 ? range : 0;
}

static int create_reset_control(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;

	return reset_control_init(device->state, host->io, host->reset, host, cause);
}

static void save_reset_control(struct device *device, void *registers)
{
	const struct reset_control *control = device->state;

	*(uint8_t *)registers = control->value;
}

static const char *load_reset_control(struct device *device, const void *registers)
{
	struct reset_control *control = device->state;
	uint8_t value = *(const uint8_t *)registers;

	if (value & ~RESET_MASK)
		return "value";
	control->value = value;
	return NULL;
}

const struct device_type reset_control_device = {
	.name = "reset control",
	.size = sizeof(struct reset_control),
	.create = create_reset_control,
	.version = 1,
	.saved = sizeof(uint8_t),
	.save = save_reset_control,
	.load = load_reset_control,
};
