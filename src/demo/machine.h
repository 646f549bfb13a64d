/*
 * Ports, MMIO, a CPU's record, and the services of CPL 0 (boot.S).
 */
#ifndef DEMO_MACHINE_H
#define DEMO_MACHINE_H

#include "layout.h"
#include "lib.h"

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/*
 * Device memory. Plain mov instructions only: a compiler's choice of another
 * form may be one that a monitor does not emulate.
 */
static inline uint8_t mmio_read8(uintptr_t address)
{
	uint8_t value;

	__asm__ volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
	return value;
}

static inline uint16_t mmio_read16(uintptr_t address)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline uint32_t mmio_read32(uintptr_t address)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write8(uintptr_t address, uint8_t value)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}

static inline void mmio_write16(uintptr_t address, uint16_t value)
{
	__asm__ volatile("movw %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline void mmio_write32(uintptr_t address, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Keeps the compiler from moving memory accesses across; x86 keeps stores and loads in order. */
static inline void barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* Also keeps a later load behind an earlier store. */
static inline void full_barrier(void)
{
	__asm__ volatile("lock orl $0, -4(%%rsp)" : : : "memory", "cc");
}

static inline void service(unsigned code)
{
	__asm__ volatile("int3" : : "a"(code) : "memory");
}

static inline void service_write_msr(uint32_t number, uint64_t value)
{
	__asm__ volatile("int3"
			 :
			 : "a"(SERVICE_WRITE_MSR), "c"(number), "D"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
}

struct cpuid {
	uint32_t a, b, c, d;
};

/* CPUID as CPL 0 sees it, with subleaf 0. */
static inline struct cpuid service_cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("int3"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(SERVICE_CPUID), "D"(leaf), "c"(0)
			 : "memory");
	return r;
}

#endif
