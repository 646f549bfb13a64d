/*
 * Starting a guest without firmware: the kernel, its initrd and command line
 * go into guest memory, and the first vCPU begins in the kernel.
 *
 * All functions but boot_check() run while no vCPU does, on one thread, the machine's. The
 * guest's RAM must be all zeroes before (see memory_create(), memory_clear()):
 * what a kernel expects to be zero is not touched.
 */
#ifndef CORE_BOOT_BOOT_H
#define CORE_BOOT_BOOT_H

#include <linux/kvm.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/boot/load.h"
#include "core/kvm/memory.h"
#include "core/profile/check.h"

/*
 * Loads the kernel and what it needs to know. rsdp: address of the ACPI root
 * pointer, or 0. Fails with a cause and -ENOENT, -EACCES, ... (a file cannot
 * be read), -ENOEXEC (not a kernel that can be started), -ENOMEM (does not fit
 * into the guest's memory), -E2BIG (command line). Memory is then half filled.
 */
int boot_load(const struct boot_source *source, struct guest_memory *memory, uint64_t rsdp,
	      struct boot_entry *entry, struct cause *cause);

/*
 * Tells of what keeps a guest from being booted, by boot_load(), and of what its kernel had
 * better not be told. Reads the headers of the files alone. builtin: see load.h.
 */
void boot_check(const struct profile_check *check, const struct boot_image *builtin);

/* The warnings of boot_check() alone, which need no file. */
void boot_warn(const struct profile_check *check);

/* Behind the word, or the blanks, that a command line begins with; blanks in quotes are none. */
const char *boot_next_word(const char *text);

/*
 * The registers that the first vCPU begins with. sregs comes from KVM_GET_SREGS
 * of a fresh vCPU and keeps what the entry does not define (the APIC base).
 */
void boot_vcpu_state(const struct boot_entry *entry, struct kvm_sregs *sregs,
		     struct kvm_regs *regs);

#endif
