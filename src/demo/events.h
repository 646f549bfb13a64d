/*
 * What devices and protocols do between tasks. CPU 0.
 */
#ifndef DEMO_EVENTS_H
#define DEMO_EVENTS_H

#include "lib.h"

/* Handles interrupts (bytes of cpu.pending) and due timers; when to be called next. */
uint64_t events_handle(uint64_t pending);

/* Asks the devices for interrupts before a rest; false when there is work after all. */
bool events_rest(void);

#endif
