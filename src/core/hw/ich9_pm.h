/*
 * The ICH9's ACPI power management block.
 *
 * There is no SMM behind it: ACPI mode is on from the start, SCI_EN is wired
 * to 1.
 */
#ifndef CORE_HW_ICH9_PM_H
#define CORE_HW_ICH9_PM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/device.h"

#define PM_GPE_BYTES 8

struct pm_wires {
	/*
	 * The level of the SCI changed. vCPU thread or that of pm_power_button(),
	 * the chip's lock held: must not call the chip.
	 */
	void (*sci)(void *arg, bool level);
	/* The guest switched itself off (S5). vCPU thread, no lock held. */
	void (*poweroff)(void *arg);
	void *arg;
};

/* What is saved of the chip. */
struct __attribute__((packed)) pm_registers {
	uint64_t timer_ns;  /* since the timer's zero; only while saved */
	uint32_t timer_top; /* the timer's highest bit, as last seen */
	uint16_t status, enable;
	uint16_t control; /* sleep type and the like; without SLP_EN and SCI_EN */
	uint8_t gpe_enable[PM_GPE_BYTES];
};

struct ich9_pm {
	struct mutex lock;
	struct pm_wires wires;
	struct pm_registers regs;
	uint64_t started; /* ns, CLOCK_MONOTONIC: the timer's zero */
	bool line;
};

/* Claims PLATFORM_PM_SIZE ports at port. 0, or what bus_add() says. There is nothing to free. */
int pm_init(struct ich9_pm *pm, struct bus *bus, uint64_t port, const struct pm_wires *wires,
	    struct cause *cause);

/* As after power-on. No vCPU may run. */
void pm_reset(struct ich9_pm *pm);

/* Somebody pressed the power button. Any thread. */
void pm_power_button(struct ich9_pm *pm);

/* The timer stands still while it is saved. */
void pm_save(struct ich9_pm *pm, struct pm_registers *registers);

/*
 * Takes registers over into a chip after reset and has its line follow. NULL, or the name
 * of a register that cannot be so; the chip is then as it was.
 */
const char *pm_load(struct ich9_pm *pm, const struct pm_registers *registers);

extern const struct device_type ich9_pm_device;

#endif
