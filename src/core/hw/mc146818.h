/*
 * The real-time clock and CMOS RAM. The time is the host's, in UTC, until the
 * guest sets it; then it runs on from there, through resets of the machine too.
 */
#ifndef CORE_HW_MC146818_H
#define CORE_HW_MC146818_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "core/bus/device.h"

struct coalesced;

/* What it is wired to. */
struct rtc_wires {
	struct loop *loop; /* of the guest's I/O thread; NULL: nothing interrupts */
	/* The interrupt line changed. Any thread, the chip's lock held: must not call the chip. */
	void (*irq)(void *arg, bool level);
	void *arg;
};

#define RTC_PORTS 2
#define RTC_RAM 128

/* What is saved of the chip. */
struct __attribute__((packed)) rtc_registers {
	int64_t offset;	 /* seconds, guest's time less the host's */
	uint64_t looked; /* CLOCK_REALTIME, ns: what happened since then is not in register C yet */
	/* Registers and RAM; the time's are filled in when they are read or the clock stands. */
	uint8_t ram[RTC_RAM];
	uint8_t index;
};

struct mc146818 {
	struct mutex lock;
	struct coalesced *coalesced; /* the machine's, or NULL */
	struct rtc_registers regs;
	struct rtc_wires wires;
	struct loop_timer timer;
	struct loop_task task; /* sets it anew */
	bool runs;	 /* the machine does */
	bool waits;	 /* the timer is set */
	bool line;	 /* level of the interrupt line */
	uint64_t looked; /* as in the registers, CLOCK_MONOTONIC */
};

/*
 * Claims RTC_PORTS ports at port; wires may be NULL: nothing interrupts. 0, or what bus_add()
 * says.
 */
int rtc_init(struct mc146818 *rtc, struct bus *bus, uint64_t port, const struct rtc_wires *wires,
	     struct cause *cause);
void rtc_destroy(struct mc146818 *rtc); /* I/O thread */

/* Whether the machine runs: nothing interrupts before, and while it is paused. I/O thread. */
void rtc_run(struct mc146818 *rtc, bool runs);

/* What CMOS RAM tells of memory: bytes from 0 and from 4 GiB on. Before a vCPU runs. */
void rtc_set_memory(struct mc146818 *rtc, uint64_t low, uint64_t high);

void rtc_save(struct mc146818 *rtc, struct rtc_registers *registers);

/* Takes registers over. NULL, or the name of one that cannot be so; the chip is then as it was. */
const char *rtc_load(struct mc146818 *rtc, const struct rtc_registers *registers);

extern const struct device_type mc146818_device;

#endif
