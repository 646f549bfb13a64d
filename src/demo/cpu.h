/*
 * CPUs: records, local APIC, start of the others, time at rest, load.
 */
#ifndef DEMO_CPU_H
#define DEMO_CPU_H

#include "machine.h"

struct cpu {
	uint8_t service_stack[CPU_SERVICE_TOP];
	uint8_t interrupt_stack[CPU_PENDING - CPU_SERVICE_TOP];
	union {
		volatile uint64_t pending; /* handlers set bytes of it */
		volatile uint8_t pending_byte[8];
	};
	uint32_t index;
	uint32_t apic_id;
	volatile bool online;
	uint64_t timer_at;           /* what the timer is set to; NEVER: off */
	volatile uint64_t idle;      /* ns spent halted, without the host's delay in waking up */
	volatile uint64_t halted_at; /* 0: not halted */
	volatile uint32_t load;      /* busy permille that is asked for */
	uint64_t window_start, window_busy; /* of the load's control */
	int64_t window_carry;
	uint64_t halts;
	struct {
		uint64_t steal;
		uint32_t version, flags;
		uint32_t pad[12];
	} steal __attribute__((aligned(64)));
	uint8_t rest[CPU_SIZE - CPU_PENDING - 192]; /* stack of CPL 3 */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct cpu) == CPU_SIZE, "a CPU's record has the size boot.S knows");

extern struct cpu cpus[CPUS_MAX];
extern unsigned cpu_count; /* online, at least 1 */

/* This CPU's APIC and, on CPU 0, the timer's frequency; needs the clock. */
void cpu_setup(struct cpu *cpu);

/* Starts the CPUs whose APIC IDs are given (CPU 0's own is skipped); does not wait for them. */
void cpu_start_others(const uint8_t *apic_ids, unsigned count);

/* Sets the timer of this CPU for a point of time, or NEVER. */
void cpu_set_timer(struct cpu *cpu, uint64_t when);

/* Waits for the next interrupt; returns at once when one is pending. */
void cpu_halt(struct cpu *cpu);

/* The pending bytes, which are cleared. */
uint64_t cpu_take_pending(struct cpu *cpu);

/* Whether the load asked for wants the CPU busy now; else *again is when to ask again. */
bool cpu_wants_load(struct cpu *cpu, uint64_t now, uint64_t *again);

/* Sets the load of one CPU, permille. */
void cpu_set_load(unsigned index, unsigned permille);

/* ns that the CPU was not halted (nor kept from running, where the host tells) since start. */
uint64_t cpu_busy(const struct cpu *cpu, uint64_t now);

/* All of what a CPU other than the first does. */
__attribute__((noreturn)) void cpu_run(struct cpu *cpu);

void cpu_end_of_interrupt(void);

#endif
