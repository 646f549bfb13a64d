/* What CPUID says of the processors of a guest. Any thread. */
#ifndef CORE_MACHINE_CPUID_H
#define CORE_MACHINE_CPUID_H

#include "core/kvm/kvm.h"
#include "core/profile/topology.h"

#define CPUID_ROOM 6 /* entries by which a table may grow */

/*
 * Makes a table of what KVM can give that of one vCPU, 0 to topology_cpus() - 1. It has room for
 * CPUID_ROOM more entries.
 */
void cpuid_adapt(struct kvm_cpuid2 *cpuid, const struct topology *topology, unsigned cpu);

#endif
