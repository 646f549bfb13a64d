/*
 * CPUs: local APIC (Intel SDM vol. 3 ch. 11, xAPIC), INIT and SIPI, and a
 * load of exact size. Each CPU runs its own part; CPU 0 the rest.
 */
#include "cpu.h"

#include "clock.h"
#include "memory.h"

#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_LINT0 0x350
#define APIC_LINT1 0x360
#define APIC_INITIAL 0x380
#define APIC_CURRENT 0x390
#define APIC_DIVIDE 0x3e0
#define APIC_MASKED 0x10000

#define LOAD_WINDOW (50 * MILLISECOND)

struct cpu cpus[CPUS_MAX];
unsigned cpu_count = 1;

static uint64_t timer_frequency = SECOND; /* Hz */

extern uint8_t trampoline[], trampoline_end[];

static uint32_t apic_read(unsigned reg)
{
	return mmio_read32(LAPIC_BASE + reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
	mmio_write32(LAPIC_BASE + reg, value);
}

void cpu_end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

/* Most monitors count at 1 GHz; a result near that is taken for it. */
static void timer_calibrate(void)
{
	uint64_t start = clock_now(), end, counted;

	apic_write(APIC_INITIAL, UINT32_MAX);
	do
		relax();
	while (clock_now() < start + 400000);
	counted = UINT32_MAX - apic_read(APIC_CURRENT);
	end = clock_now();
	apic_write(APIC_INITIAL, 0);
	counted = counted * SECOND / (end - start);
	if (counted > SECOND / 1000 && (counted < SECOND / 10 * 8 || counted > SECOND / 10 * 12))
		timer_frequency = counted;
}

/* Written by KVM. Grows also while a halted CPU waits for the host to run it again. */
static uint64_t steal_of(const struct cpu *cpu)
{
	return *(const volatile uint64_t *)&cpu->steal.steal;
}

void cpu_setup(struct cpu *cpu)
{
	apic_write(APIC_SPURIOUS, 0x1ff);
	apic_write(APIC_LINT0, APIC_MASKED);
	apic_write(APIC_TIMER, VECTOR_TIMER);
	apic_write(APIC_DIVIDE, 0xb);
	cpu->apic_id = apic_read(APIC_ID) >> 24;
	cpu->index = cpu - cpus;
	cpu->timer_at = NEVER;
	if (cpu->index == 0)
		timer_calibrate();
	clock_enable_steal(&cpu->steal);
	service(SERVICE_INTERRUPTS_ON);
	/* KVM's first figure holds delays from before. */
	cpu->idle = clock_now() - steal_of(cpu);
	cpu->online = true;
}

void cpu_start_others(const uint8_t *apic_ids, unsigned count)
{
	uint8_t *page = memory_low_page();

	if (page == NULL)
		return;
	memcpy(page, trampoline, trampoline_end - trampoline);
	for (unsigned i = 0; i < count; i++) {
		if (apic_ids[i] == cpus[0].apic_id)
			continue;
		apic_write(APIC_COMMAND_HIGH, (uint32_t)apic_ids[i] << 24);
		apic_write(APIC_COMMAND, 0x4500); /* INIT */
		for (unsigned sipi = 0; sipi < 2; sipi++) {
			apic_write(APIC_COMMAND_HIGH, (uint32_t)apic_ids[i] << 24);
			apic_write(APIC_COMMAND, 0x4600 | (uintptr_t)page >> 12);
		}
	}
}

void cpu_set_timer(struct cpu *cpu, uint64_t when)
{
	uint64_t now = clock_now(), ticks;

	if (when == cpu->timer_at && when > now)
		return;
	/* An earlier interrupt does no harm when there is nothing to wait for. */
	if (when == NEVER && cpu->timer_at <= now)
		return;
	cpu->timer_at = when;
	if (when == NEVER) {
		apic_write(APIC_INITIAL, 0);
		return;
	}
	ticks = when <= now ? 1 : minimum(when - now, 4 * SECOND);
	if (timer_frequency != SECOND)
		ticks = ticks * (timer_frequency / 1000) / (SECOND / 1000);
	apic_write(APIC_INITIAL, minimum(ticks + 1, UINT32_MAX));
}

void cpu_halt(struct cpu *cpu)
{
	uint64_t start = clock_now(), steal = steal_of(cpu);

	cpu->halted_at = start;
	service(SERVICE_HALT);
	cpu->halted_at = 0;
	cpu->halts++;
	cpu->idle += clock_now() - start - (steal_of(cpu) - steal);
}

uint64_t cpu_take_pending(struct cpu *cpu)
{
	uint64_t taken = 0;

	if (cpu->pending == 0)
		return 0;
	__asm__ volatile("xchgq %0, %1" : "+r"(taken), "+m"(cpu->pending) : : "memory");
	if (taken & 0xffull << 8 * PENDING_TIMER)
		cpu->timer_at = NEVER;
	return taken;
}

/* The parts are read while another CPU changes them, and KVM's comes late: they can exceed now. */
uint64_t cpu_busy(const struct cpu *cpu, uint64_t now)
{
	uint64_t halted_at = cpu->halted_at;
	int64_t busy = (halted_at != 0 ? minimum(halted_at, now) : now) - cpu->idle - steal_of(cpu);

	return busy > 0 ? busy : 0;
}

/* Each window of time begins with the busy part; what was too much or too little is carried on. */
bool cpu_wants_load(struct cpu *cpu, uint64_t now, uint64_t *again)
{
	int64_t target = (int64_t)(LOAD_WINDOW / 1000) * cpu->load, busy;

	*again = NEVER;
	if (cpu->load == 0) {
		cpu->window_start = 0;
		return false;
	}
	if (cpu->window_start == 0) {
		cpu->window_start = now;
		cpu->window_busy = cpu_busy(cpu, now);
		cpu->window_carry = 0;
	}
	busy = cpu_busy(cpu, now) - cpu->window_busy;
	if (now - cpu->window_start >= LOAD_WINDOW) {
		uint64_t length = now - cpu->window_start;

		target = (int64_t)(length / 1000) * cpu->load + cpu->window_carry;
		cpu->window_carry = target - busy;
		if (cpu->window_carry > (int64_t)LOAD_WINDOW)
			cpu->window_carry = LOAD_WINDOW;
		if (cpu->window_carry < -(int64_t)LOAD_WINDOW)
			cpu->window_carry = -(int64_t)LOAD_WINDOW;
		cpu->window_start = now;
		cpu->window_busy = cpu_busy(cpu, now);
		busy = 0;
		target = (int64_t)(LOAD_WINDOW / 1000) * cpu->load;
	}
	*again = cpu->window_start + LOAD_WINDOW;
	return cpu->load >= 1000 || busy < target + cpu->window_carry;
}

void cpu_set_load(unsigned index, unsigned permille)
{
	cpus[index].load = permille;
	if (index == 0)
		return;
	apic_write(APIC_COMMAND_HIGH, cpus[index].apic_id << 24);
	apic_write(APIC_COMMAND, 0x4000 | VECTOR_CALL);
}

/* All of what a CPU other than the first does. */
__attribute__((noreturn)) void cpu_run(struct cpu *cpu)
{
	cpu_setup(cpu);
	__atomic_add_fetch(&cpu_count, 1, __ATOMIC_RELAXED);
	for (;;) {
		uint64_t now = clock_now(), again;

		cpu_take_pending(cpu);
		if (cpu_wants_load(cpu, now, &again)) {
			for (unsigned i = 0; i < 200; i++)
				relax();
			continue;
		}
		cpu_set_timer(cpu, again);
		cpu_halt(cpu);
	}
}
