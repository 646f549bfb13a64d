/* What the files of the real-time clock share. */
#ifndef CORE_HW_MC146818_PRIVATE_H
#define CORE_HW_MC146818_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hw/mc146818.h"

enum {
	REG_SECOND = 0x00, REG_SECOND_ALARM = 0x01,
	REG_MINUTE = 0x02, REG_MINUTE_ALARM = 0x03,
	REG_HOUR = 0x04, REG_HOUR_ALARM = 0x05,
	REG_WEEKDAY = 0x06, /* Sunday is 1 */
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
};

#define A_RATE 0x0fu
#define B_24_HOURS 0x02u
#define B_BINARY 0x04u
#define B_SET 0x80u

/* The same bits enable an interrupt in register B and tell of it in C. */
#define EVENT_UPDATE 0x10u
#define EVENT_ALARM 0x20u
#define EVENT_PERIODIC 0x40u
#define EVENTS 0x70u
#define C_INTERRUPT 0x80u

/* A number, and an hour of the day, as registers have them in the guest's format. */
uint8_t rtc_encode(const struct mc146818 *rtc, unsigned value);
uint8_t rtc_encode_hour(const struct mc146818 *rtc, unsigned hour);

/* Notes in register C what has happened since it was last looked. Lock held. */
void rtc_look(struct mc146818 *rtc);

/* Has the interrupt line follow registers B and C. Lock held. */
void rtc_show_events(struct mc146818 *rtc);

/* Register C, which is empty then. Lock held. */
uint8_t rtc_take_events(struct mc146818 *rtc);

/* What is waited for may be something else from now on. Lock held. */
void rtc_events_changed(struct mc146818 *rtc);

void rtc_events_init(struct mc146818 *rtc);

#endif
