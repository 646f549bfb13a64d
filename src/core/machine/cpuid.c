/*
 * The processor that a guest sees: the host's CPUID with what differs from vCPU
 * to vCPU, the APIC ID. Intel SDM vol. 2, CPUID. The I/O thread.
 */
#include "core/machine/vcpu_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

int vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_host *host, unsigned count)
{
	size_t size = sizeof(host->cpuid.head) +
		      host->cpuid.head.nent * sizeof(host->cpuid.head.entries[0]);
	struct kvm_cpuid2 *cpuid = malloc(size); /* too large for a stack that stays resident */
	int err = 0;

	if (!cpuid)
		return -ENOMEM;
	memcpy(cpuid, &host->cpuid, size);
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		switch (entry->function) {
		case 0x1:
			entry->ebx = (entry->ebx & 0xffff) | count << 16 | vcpu->index << 24;
			entry->ecx |= 1u << 31; /* a hypervisor is there */
			break;
		case 0xb:
		case 0x1f:
			entry->edx = vcpu->index;
			break;
		case 0x8000001e:
			entry->eax = vcpu->index;
			break;
		default:
			break;
		}
	}
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
		err = -errno;
	free(cpuid);
	return err;
}
