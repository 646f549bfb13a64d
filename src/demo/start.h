/*
 * Command line and end of the guest.
 */
#ifndef DEMO_START_H
#define DEMO_START_H

#include "lib.h"

/* The value of key=value or key="value" in the command line ("" for a bare key); false without. */
bool start_option(const char *key, char *value, size_t size);

/* ACPI S5; halts for good where that does not work. */
__attribute__((noreturn)) void start_power_off(void);

#endif
