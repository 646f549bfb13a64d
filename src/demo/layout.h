/*
 * Constants that the assembler part and C share: selectors, vectors, the
 * layout of a CPU's record, and the services of CPL 0.
 */
#ifndef DEMO_LAYOUT_H
#define DEMO_LAYOUT_H

#define CPUS_MAX 16

#define SELECTOR_CODE32 0x08
#define SELECTOR_CODE0 0x10
#define SELECTOR_DATA0 0x18
#define SELECTOR_DATA3 0x2b
#define SELECTOR_CODE3 0x33
#define SELECTOR_TSS 0x40
#define TSS_STRIDE 128

#define LAPIC_BASE 0xfee00000

/* A CPU's record: stack for services, stack for interrupts, data, stack for CPL 3. */
#define CPU_SHIFT 13
#define CPU_SIZE (1 << CPU_SHIFT)
#define CPU_SERVICE_TOP 512
#define CPU_PENDING 1024

/* Bytes of cpu.pending, in the order of the vectors */
#define PENDING_TIMER 0
#define PENDING_RECEIVE 1
#define PENDING_TRANSMIT 2
#define PENDING_DISK 3
#define PENDING_SERIAL 4
#define PENDING_POWER 5
#define PENDING_CALL 6

#define VECTOR_TIMER 0x30
#define VECTOR_RECEIVE 0x31
#define VECTOR_TRANSMIT 0x32
#define VECTOR_DISK 0x33
#define VECTOR_SERIAL 0x34
#define VECTOR_POWER 0x35
#define VECTOR_CALL 0x36

#define SERVICE_HALT 0      /* returns when an interrupt is pending */
#define SERVICE_WRITE_MSR 1 /* ecx: number, edx:edi: value */
#define SERVICE_CPUID 2     /* edi: leaf */
#define SERVICE_INTERRUPTS_ON 3
#define SERVICE_NO_IDT 4     /* the next exception is a triple fault */
#define SERVICE_LOAD_FLOAT 5 /* flds (rdi) at CPL 0, which no emulator of KVM knows */
#define SERVICE_JUMP 6       /* to rdi, at CPL 0 */
#define SERVICE_STOP 7       /* never returns */

#endif
