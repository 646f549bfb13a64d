/*
 * The real-time clock and CMOS RAM. The time is the host's, in UTC, until the
 * guest sets it; then it runs on from there. No interrupts.
 */
#ifndef CORE_HW_MC146818_H
#define CORE_HW_MC146818_H

#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/device.h"

#define RTC_PORTS 2
#define RTC_RAM 128

struct mc146818 {
	struct mutex lock;
	uint8_t index;
	/* Registers and RAM; the time's are filled in when they are read or the clock stands. */
	uint8_t ram[RTC_RAM];
	int64_t offset; /* seconds, guest's time less the host's */
};

/* Claims RTC_PORTS ports at port. 0, or what bus_add() says. There is nothing to free. */
int rtc_init(struct mc146818 *rtc, struct bus *bus, uint64_t port, struct cause *cause);

extern const struct device_type mc146818_device;

#endif
