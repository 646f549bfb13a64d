/*
 * An 8042 keyboard controller with a keyboard, or with nothing plugged in: then
 * probing ends quickly with "no keyboard". And the reset line.
 */
#ifndef CORE_HW_I8042_H
#define CORE_HW_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/device.h"
#include "core/hw/ps2_keyboard.h"

#define I8042_RAM 32

struct i8042_wires {
	/* Level of the keyboard's interrupt, IRQ 1. Any thread, the chip's lock held; or NULL. */
	void (*irq)(void *arg, bool level);
	/* The guest pulled the reset line. vCPU thread, no lock held. */
	void (*reset)(void *arg);
	void *arg;
};

/* What is saved of the chip. */
struct i8042_registers {
	uint8_t ram[I8042_RAM]; /* byte 0: the command byte */
	uint8_t status, output, output_port;
	uint8_t command; /* waits for its data byte, else 0 */
	uint8_t released; /* 1: the translation waits for the code of a key that was released */
	struct ps2_keyboard keyboard;
};

struct i8042 {
	struct mutex lock;
	struct i8042_wires wires;
	struct i8042_registers regs;
	bool line;
	bool plugged; /* a keyboard */
};

/*
 * Claims port and port + 4; a keyboard may be plugged in. 0, or what bus_add() says. There is
 * nothing to free.
 */
int i8042_init(struct i8042 *chip, struct bus *bus, uint64_t port,
	       const struct i8042_wires *wires, bool keyboard, struct cause *cause);

/* As after power-on. No vCPU may run. */
void i8042_reset(struct i8042 *chip);

/* Types on the keyboard: see ps2_keyboard_type(). Without one nothing is taken. Any thread. */
size_t i8042_type(struct i8042 *chip, const uint8_t *text, size_t size);

void i8042_save(struct i8042 *chip, struct i8042_registers *registers);

/*
 * Takes registers over into a chip after reset and has its line follow. NULL, or the name
 * of a register that cannot be so; the chip is then as it was.
 */
const char *i8042_load(struct i8042 *chip, const struct i8042_registers *registers);

extern const struct device_type i8042_device;

#endif
