/* What the files of a vCPU share. */
#ifndef CORE_MACHINE_VCPU_PRIVATE_H
#define CORE_MACHINE_VCPU_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/machine/vcpu.h"

/* cpuid.c: tells KVM the CPUID of a vCPU that was just made. 0 or a negative errno. */
int vcpu_set_cpuid(struct vcpu *vcpu);

/* exits.c: any exit but IO and MMIO. The vCPU's thread; true when it goes on. */
bool vcpu_rare_exit(struct vcpu *vcpu, uint32_t reason);

#endif
