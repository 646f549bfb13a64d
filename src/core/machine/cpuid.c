/*
 * The processor that a guest sees: what KVM can give, less the features that its profile
 * hides, as one of so many in sockets and cores. Intel SDM vol. 2, CPUID; AMD APM vol. 3,
 * appendix E.
 */
#include "core/machine/cpuid.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "core/kvm/features.h"
#include "core/machine/vcpu_private.h"

#define TOPOLOGY_LEAF 0xbu	  /* of x2APIC IDs */
#define TOPOLOGY_LEAF_V2 0x1fu	  /* the same, with dies where there are any */
#define AMD_TOPOLOGY 0x80000026u  /* the same by AMD: left out, its guests know the others */

/* Of leaves 0xb and 0x1f: ECX[15:8]. */
#define LEVEL_THREADS 1u
#define LEVEL_CORES 2u

#define FEATURE_HYPERVISOR (1u << 31) /* leaf 1, ECX */
#define FEATURE_THREADS (1u << 28)    /* leaf 1, EDX: EBX[23:16] is more than 1 */
#define FEATURE_CMP_LEGACY (1u << 1)  /* AMD, leaf 0x80000001, ECX: these are cores or threads */

static bool is_amd(const struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0)
			return !memcmp(&cpuid->entries[i].ebx, "Auth", 4) ||
			       !memcmp(&cpuid->entries[i].ebx, "Hygo", 4);
	return false;
}

/* Takes the entries of a leaf out; whether there were any. */
static bool drop(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	uint32_t kept = 0, count = cpuid->nent;

	for (uint32_t i = 0; i < count; i++)
		if (cpuid->entries[i].function != function)
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nent = kept;
	return kept < count;
}

static void add_levels(struct kvm_cpuid2 *cpuid, uint32_t function,
		       const struct topology *topology, unsigned apic)
{
	const struct {
		uint32_t bits, count, level;
	} levels[] = {
		{ topology_thread_bits(topology), topology->threads, LEVEL_THREADS },
		{ topology_socket_bits(topology), topology->threads * topology->cores,
		  LEVEL_CORES },
		{ 0, 0, 0 },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(levels); i++)
		cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
			.function = function, .index = i,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = levels[i].bits, .ebx = levels[i].count,
			.ecx = levels[i].level << 8 | i, .edx = apic,
		};
}

/* Leaf 4, and AMD's that is made like it: who shares a cache; the last level is the socket's. */
static uint32_t cache_sharing(uint32_t eax, const struct topology *topology, bool amd)
{
	unsigned level = eax >> 5 & 7;
	unsigned sharing = level < 3 ? topology_thread_bits(topology) :
				       topology_socket_bits(topology);
	unsigned core_bits = topology_socket_bits(topology) - topology_thread_bits(topology);
	uint32_t cores = (1u << core_bits) - 1;

	if (!(eax & 31))
		return eax; /* no cache */
	eax = (eax & 0x3fff) | ((1u << sharing) - 1) << 14;
	return amd ? eax : eax | (cores < 63 ? cores : 63) << 26;
}

static void adapt_entry(struct kvm_cpuid_entry2 *entry, const struct topology *topology, bool amd,
		  unsigned cpu)
{
	unsigned apic = topology_apic_id(topology, cpu);
	unsigned in_socket = topology->cores * topology->threads;

	switch (entry->function) {
	case 0x1:
		entry->ebx = (entry->ebx & 0xffff) | in_socket << 16 | apic << 24;
		entry->ecx |= FEATURE_HYPERVISOR;
		entry->edx &= ~FEATURE_THREADS;
		entry->edx |= in_socket > 1 ? FEATURE_THREADS : 0;
		break;
	case 0x4:
	case 0x8000001d:
		entry->eax = cache_sharing(entry->eax, topology, amd);
		break;
	case 0x80000001:
		entry->ecx &= ~(amd ? FEATURE_CMP_LEGACY : 0);
		entry->ecx |= amd && in_socket > 1 ? FEATURE_CMP_LEGACY : 0;
		break;
	case 0x80000008:
		if (amd)
			entry->ecx = topology_socket_bits(topology) << 12 | (in_socket - 1);
		break;
	case 0x8000001e: /* with a node a socket */
		entry->eax = apic;
		entry->ebx = (topology->threads - 1) << 8 |
			     cpu / topology->threads % topology->cores;
		entry->ecx = cpu / in_socket;
		break;
	default:
		break;
	}
}

void cpuid_adapt(struct kvm_cpuid2 *cpuid, const struct topology *topology, unsigned cpu)
{
	static const uint32_t leaves[] = { TOPOLOGY_LEAF, TOPOLOGY_LEAF_V2 };
	bool amd = is_amd(cpuid);

	drop(cpuid, AMD_TOPOLOGY);
	for (uint32_t i = 0; i < cpuid->nent; i++)
		adapt_entry(&cpuid->entries[i], topology, amd, cpu);
	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++)
		if (drop(cpuid, leaves[i]))
			add_levels(cpuid, leaves[i], topology, topology_apic_id(topology, cpu));
}

int vcpu_set_cpuid(struct vcpu *vcpu)
{
	const struct vcpu_config *config = &vcpu->set->config;
	const struct kvm_cpuid2 *given = &config->kvm->cpuid.head;
	size_t size = sizeof(*given) + given->nent * sizeof(given->entries[0]);
	struct kvm_cpuid2 *cpuid; /* too large for a stack that stays resident */
	int err = 0;

	cpuid = malloc(size + CPUID_ROOM * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -ENOMEM;
	memcpy(cpuid, given, size);
	cpuid_adapt(cpuid, &config->topology, vcpu->index);
	features_hide(cpuid, config->hidden);
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
		err = -errno;
	free(cpuid);
	return err;
}
