/*
 * For tests of one chip: a bus that it sits on alone, and the interrupt line
 * that it drives. A test's fixture begins with struct fake_bus.
 */
#ifndef TESTS_UNIT_FAKE_BUS_H
#define TESTS_UNIT_FAKE_BUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/bus/bus.h"

struct fake_bus {
	struct bus bus;
	uint64_t base;	 /* of the chip's registers */
	bool line;
	unsigned raised; /* times that the line went up */
};

/* What the chip's interrupt is wired to; it tells of changes only. */
static inline void fake_irq(void *arg, bool level)
{
	struct fake_bus *fake = arg;

	assert_true(level != fake->line);
	fake->line = level;
	fake->raised += level;
}

/* The register at base + reg: length bytes, the rest of the value is 0. */
static inline uint32_t fake_read(struct fake_bus *fake, unsigned reg, unsigned length)
{
	uint32_t value = 0;

	bus_read(&fake->bus, fake->base + reg, &value, length);
	return value;
}

static inline void fake_write(struct fake_bus *fake, unsigned reg, uint32_t value, unsigned length)
{
	bus_write(&fake->bus, fake->base + reg, &value, length);
}

/* As the instructions inb and outb. */
static inline uint8_t in(struct fake_bus *fake, unsigned reg)
{
	return (uint8_t)fake_read(fake, reg, 1);
}

static inline void out(struct fake_bus *fake, unsigned reg, uint8_t value)
{
	fake_write(fake, reg, value, 1);
}

#endif
