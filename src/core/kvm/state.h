/*
 * Saving and loading what the kernel keeps of a machine. KVM api.rst §4.
 *
 * The machine's I/O thread; no vCPU runs, because KVM lets an ioctl wait as long as
 * one does. What is loaded is hostile: what KVM would take without a look is
 * checked here, what KVM checks is refused with its error.
 */
#ifndef CORE_KVM_STATE_H
#define CORE_KVM_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/state.h"
#include "core/kvm/kvm.h"

#define KVM_PART_MAX 1024 /* bytes */

/* A structure of one size that KVM gives and takes; a record of its own. */
struct kvm_part {
	const char *name;
	int capability; /* a KVM without it has no such thing; 0: each has it */
	unsigned long get, set; /* ioctls */
	size_t size;		/* up to KVM_PART_MAX bytes */
	uint32_t id;		/* what it begins with when KVM is asked for it */
	/* At the time of saving: takes out what is the host's. NULL: nothing. */
	void (*tidy)(void *data);
	/* What KVM does not check: 0, or state_refuse() of that record. NULL: nothing. */
	int (*check)(const void *data, const char *record, struct cause *cause);
};

/* Saves or loads a part of what fd stands for as the record "scope/name"; -EINVAL and so on. */
int kvm_save_part(const struct kvm_host *kvm, int fd, const struct kvm_part *part,
		  const char *scope, struct state_writer *writer, struct cause *cause);
int kvm_load_part(const struct kvm_host *kvm, int fd, const struct kvm_part *part,
		  const char *scope, struct state_reader *reader, struct cause *cause);

/*
 * Interrupt controllers, PIT and kvmclock. They are loaded after the vCPUs, whose local
 * APICs take the interrupts that wait, and before devices raise their lines again.
 */
int kvm_save(const struct kvm_host *kvm, int vm_fd, struct state_writer *writer,
	     struct cause *cause);
int kvm_load(const struct kvm_host *kvm, int vm_fd, struct state_reader *reader,
	     struct cause *cause);

#endif
