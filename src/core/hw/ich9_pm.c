/*
 * The ICH9's ACPI block. Registers on vCPU threads, the power button on any.
 *
 * Intel ICH9 data sheet § 13.8.3 (PM1_STS ... GPE0_EN); ACPI 6.5 § 4.8. The
 * timer's overflow is seen when the status is read; it raises no SCI by itself.
 * No general purpose event is wired, so their status is always 0.
 */
#include "core/hw/ich9_pm.h"

#include <string.h>

#include "base/clock.h"
#include "core/bus/platform.h"
#include "core/kvm/irq.h"

#define REG_STATUS 0x00
#define REG_ENABLE 0x02
#define REG_CONTROL 0x04
#define REG_TIMER 0x08
#define REG_GPE_ENABLE 0x28
#define REG_SMI_ENABLE 0x30

#define SMI_APM_ENABLE 0x20 /* firmware takes it that SMM has been set up, and lets it be */

#define STATUS_TIMER 0x0001u
#define STATUS_POWER_BUTTON 0x0100u
#define ENABLE_MASK 0x0521u /* timer, global lock, power button, RTC */

#define CONTROL_SCI_EN 0x0001u
#define CONTROL_SLP_EN 0x2000u
#define CONTROL_MASK 0x1c02u /* sleep type, bus master reload */
#define SLEEP_TYPE(control) ((control) >> 10 & 7)
#define SLEEP_TYPE_S5 7

#define TIMER_HZ 3579545u
#define TIMER_TOP 0x80000000u

static uint32_t timer_read(const struct ich9_pm *pm)
{
	uint64_t ns = clock_monotonic() - pm->started;

	return (uint32_t)((unsigned __int128)ns * TIMER_HZ / NS_PER_S);
}

static void update_line(struct ich9_pm *pm)
{
	bool level = (pm->regs.status & pm->regs.enable) != 0;

	if (level == pm->line)
		return;
	pm->line = level;
	pm->wires.sci(pm->wires.arg, level);
}

/* The status bit tells that the highest bit has changed. */
static void update_timer_status(struct ich9_pm *pm, uint32_t timer)
{
	if ((timer & TIMER_TOP) == pm->regs.timer_top)
		return;
	pm->regs.timer_top = timer & TIMER_TOP;
	pm->regs.status |= STATUS_TIMER;
}

static uint8_t read_register(const struct ich9_pm *pm, unsigned reg, uint32_t timer)
{
	switch (reg) {
	case REG_STATUS:
	case REG_STATUS + 1:
		return (uint8_t)(pm->regs.status >> 8 * (reg - REG_STATUS));
	case REG_ENABLE:
	case REG_ENABLE + 1:
		return (uint8_t)(pm->regs.enable >> 8 * (reg - REG_ENABLE));
	case REG_CONTROL:
	case REG_CONTROL + 1:
		return (uint8_t)((pm->regs.control | CONTROL_SCI_EN) >> 8 * (reg - REG_CONTROL));
	case REG_TIMER ... REG_TIMER + 3:
		return (uint8_t)(timer >> 8 * (reg - REG_TIMER));
	case REG_GPE_ENABLE ... REG_GPE_ENABLE + PM_GPE_BYTES - 1:
		return pm->regs.gpe_enable[reg - REG_GPE_ENABLE];
	case REG_SMI_ENABLE:
		return SMI_APM_ENABLE;
	}
	return 0;
}

/* One half of a register of two bytes. */
static uint16_t replace_byte(uint16_t old, unsigned high, uint8_t value)
{
	return high ? (uint16_t)((old & 0x00ff) | value << 8) : (uint16_t)((old & 0xff00) | value);
}

/* Whether the guest switched itself off. */
static bool write_register(struct ich9_pm *pm, unsigned reg, uint8_t value)
{
	uint16_t control;

	switch (reg) {
	case REG_STATUS:
	case REG_STATUS + 1:
		pm->regs.status &= (uint16_t)~(value << 8 * (reg - REG_STATUS));
		break;
	case REG_ENABLE:
	case REG_ENABLE + 1:
		pm->regs.enable = replace_byte(pm->regs.enable, reg - REG_ENABLE, value);
		pm->regs.enable &= ENABLE_MASK;
		break;
	case REG_CONTROL:
	case REG_CONTROL + 1:
		control = replace_byte(pm->regs.control, reg - REG_CONTROL, value);
		pm->regs.control = control & CONTROL_MASK;
		return (control & CONTROL_SLP_EN) && SLEEP_TYPE(control) == SLEEP_TYPE_S5;
	case REG_GPE_ENABLE ... REG_GPE_ENABLE + PM_GPE_BYTES - 1:
		pm->regs.gpe_enable[reg - REG_GPE_ENABLE] = value;
		break;
	}
	return false;
}

static void pm_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct ich9_pm *pm = device;
	uint8_t *bytes = data;
	uint32_t timer;
	unsigned i;

	mutex_lock(&pm->lock);
	timer = timer_read(pm);
	update_timer_status(pm, timer);
	for (i = 0; i < length; i++)
		bytes[i] = read_register(pm, (unsigned)offset + i, timer);
	update_line(pm);
	mutex_unlock(&pm->lock);
}

static void pm_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct ich9_pm *pm = device;
	const uint8_t *bytes = data;
	bool off = false;
	unsigned i;

	mutex_lock(&pm->lock);
	update_timer_status(pm, timer_read(pm));
	for (i = 0; i < length; i++)
		off |= write_register(pm, (unsigned)offset + i, bytes[i]);
	update_line(pm);
	mutex_unlock(&pm->lock);
	if (off)
		pm->wires.poweroff(pm->wires.arg);
}

static const struct bus_ops pm_ops = { "power management", pm_read, pm_write };

int pm_init(struct ich9_pm *pm, struct bus *bus, uint64_t port, const struct pm_wires *wires,
	    struct cause *cause)
{
	int range = bus_add(bus, port, PLATFORM_PM_SIZE, &pm_ops, pm, cause);

	if (range < 0)
		return range;
	memset(pm, 0, sizeof(*pm));
	pm->wires = *wires;
	pm_reset(pm);
	return 0;
}

void pm_reset(struct ich9_pm *pm)
{
	mutex_lock(&pm->lock);
	pm->regs.status = pm->regs.enable = pm->regs.control = 0;
	memset(pm->regs.gpe_enable, 0, sizeof(pm->regs.gpe_enable));
	pm->started = clock_monotonic();
	pm->regs.timer_top = 0;
	update_line(pm);
	mutex_unlock(&pm->lock);
}

void pm_power_button(struct ich9_pm *pm)
{
	mutex_lock(&pm->lock);
	pm->regs.status |= STATUS_POWER_BUTTON;
	update_line(pm);
	mutex_unlock(&pm->lock);
}

void pm_save(struct ich9_pm *pm, struct pm_registers *registers)
{
	mutex_lock(&pm->lock);
	*registers = pm->regs;
	registers->timer_ns = clock_monotonic() - pm->started;
	mutex_unlock(&pm->lock);
}

const char *pm_load(struct ich9_pm *pm, const struct pm_registers *registers)
{
	if (registers->status & ~(STATUS_TIMER | STATUS_POWER_BUTTON))
		return "PM1 status";
	if (registers->enable & ~ENABLE_MASK)
		return "PM1 enable";
	if (registers->control & ~CONTROL_MASK)
		return "PM1 control";
	if (registers->timer_top & ~TIMER_TOP)
		return "timer";
	mutex_lock(&pm->lock);
	pm->regs = *registers;
	pm->started = clock_monotonic() - registers->timer_ns;
	update_line(pm);
	mutex_unlock(&pm->lock);
	return NULL;
}

/* --- the device --- */

static void set_sci_line(void *arg, bool level)
{
	const struct device_host *host = arg;

	irq_set_line(host->irq, PLATFORM_SCI_GSI, level);
}

static int create_pm(struct device *device, struct cause *cause)
{
	const struct pm_wires wires = { set_sci_line, device->host->power_off, device->host };

	return pm_init(device->state, device->host->io, PLATFORM_PM_PORT, &wires, cause);
}

static void save_pm(struct device *device, void *registers)
{
	pm_save(device->state, registers);
}

static const char *load_pm(struct device *device, const void *registers)
{
	return pm_load(device->state, registers);
}

static void press_power_button(struct device *device)
{
	pm_power_button(device->state);
}

const struct device_type ich9_pm_device = {
	.name = "power management",
	.size = sizeof(struct ich9_pm),
	.create = create_pm,
	.version = 1,
	.saved = sizeof(struct pm_registers),
	.save = save_pm,
	.load = load_pm,
	.power_button = press_power_button,
};
