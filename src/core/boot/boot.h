/*
 * Starting a guest without firmware: the kernel, its initrd and command line
 * go into guest memory, and the first vCPU begins in the kernel.
 *
 * All functions run while no vCPU does, on one thread, the machine's. The
 * guest's RAM must be all zeroes before (see memory_create(), memory_clear()):
 * what a kernel expects to be zero is not touched.
 */
#ifndef CORE_BOOT_BOOT_H
#define CORE_BOOT_BOOT_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/kvm/memory.h"

/* What to start. Nothing is kept after boot_load(). */
struct boot_source {
	const char *kernel;  /* path of a bzImage or an ELF with a PVH note; NULL: image */
	const void *image;   /* the built-in ELF, when kernel is NULL */
	size_t image_size;   /* bytes */
	const char *initrd;  /* path, or NULL */
	const char *cmdline; /* or NULL */
};

enum boot_mode {
	BOOT_PVH32,  /* 32-bit protected mode, paging off, ebx: start info */
	BOOT_LONG64, /* long mode, identity-mapped first 4 GiB, rsi: zero page */
};

/* How the first vCPU begins; all addresses are guest-physical. */
struct boot_entry {
	enum boot_mode mode;
	uint64_t rip;
	uint64_t start_info; /* PVH start info or Linux zero page */
	uint64_t page_table; /* BOOT_LONG64: for CR3 */
	uint64_t gdt;	     /* BOOT_LONG64 */
	uint16_t gdt_limit;
};

/*
 * Loads the kernel and what it needs to know. rsdp: address of the ACPI root
 * pointer, or 0. Fails with a cause and -ENOENT, -EACCES, ... (a file cannot
 * be read), -ENOEXEC (not a kernel that can be started), -ENOMEM (does not fit
 * into the guest's memory), -E2BIG (command line). Memory is then half filled.
 */
int boot_load(const struct boot_source *source, struct guest_memory *memory, uint64_t rsdp,
	      struct boot_entry *entry, struct cause *cause);

/*
 * The registers that the first vCPU begins with. sregs comes from KVM_GET_SREGS
 * of a fresh vCPU and keeps what the entry does not define (the APIC base).
 */
void boot_vcpu_state(const struct boot_entry *entry, struct kvm_sregs *sregs,
		     struct kvm_regs *regs);

#define BOOT_MAP_MAX (MEMORY_REGIONS + 4)

/* Types as in e820 and in the PVH memory map. */
enum boot_range_type {
	BOOT_RANGE_RAM = 1,
	BOOT_RANGE_RESERVED = 2,
};

struct boot_range {
	uint64_t base;
	uint64_t size;
	enum boot_range_type type;
};

/* The memory map that a guest is told, by address; returns how many ranges there are. */
unsigned boot_memory_map(const struct guest_memory *memory, struct boot_range map[BOOT_MAP_MAX]);

#endif
