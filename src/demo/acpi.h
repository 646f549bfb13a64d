/*
 * What the guest needs of the ACPI tables.
 */
#ifndef DEMO_ACPI_H
#define DEMO_ACPI_H

#include "layout.h"
#include "lib.h"

struct acpi {
	uint8_t cpus[CPUS_MAX]; /* APIC IDs */
	unsigned cpu_count;
	uint32_t ioapic;               /* address */
	uint64_t ecam;                 /* of bus 0, or 0 */
	uint16_t pm_event, pm_control; /* ports; 0: none */
	uint8_t sleep_type;            /* of S5 */
	uint8_t power_gsi;
	bool power_edge, power_low;
};

extern struct acpi acpi;

/* rsdp 0: looks for it in the BIOS area. Without tables the Q35's values stay. */
void acpi_setup(uint64_t rsdp);

/* Enables the power button's interrupt. */
void acpi_enable_power_button(void);

/* Reads and clears the event; true when the button was pressed. Level interrupts end here. */
bool acpi_power_pressed(void);

/* Sends interrupt line gsi to a vector of CPU 0. */
void acpi_route_line(unsigned gsi, unsigned vector, bool level, bool active_low);

/* S5; returns only when that does not work. */
void acpi_power_off(void);

#endif
