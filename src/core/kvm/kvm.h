/*
 * /dev/kvm: opened once a process, with what is the same for all machines.
 */
#ifndef CORE_KVM_KVM_H
#define CORE_KVM_KVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

#define KVM_CPUID_MAX 128

/* A CPUID table with room for its entries. */
union kvm_cpuid_table {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + KVM_CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
};

struct kvm_host {
	int fd;		 /* /dev/kvm */
	size_t run_size; /* of a vCPU's shared pages */
	size_t ring;	 /* of coalesced writes: where it is in these; 0: there is none for ports */
	union kvm_cpuid_table cpuid; /* what KVM can give to a guest */
};

/* The signal that makes KVM_RUN return; its handler does nothing. */
#define KVM_KICK_SIGNAL SIGUSR1

/*
 * Opens /dev/kvm and checks what this program needs of it. -ENOENT: no KVM;
 * -EACCES: the cause names the group to join; -ENOTSUP: too old, the cause
 * names the capability. Also installs the kick signal's handler.
 */
int kvm_open(struct kvm_host **out, struct cause *cause);
/* How many vCPUs it gives to a machine. */
unsigned kvm_vcpus_max(const struct kvm_host *host);

void kvm_close(struct kvm_host *host); /* NULL is valid; no machine may be left */

#endif
