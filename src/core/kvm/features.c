/* See features.h. Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E. */
#include "core/kvm/features.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/suggest.h"

#define SEPARATORS ", "

enum cpuid_register { EAX, EBX, ECX, EDX };

/* Names of bits 0, 1, ...; "-" is one without. */
static const struct {
	uint32_t function, index;
	enum cpuid_register reg;
	const char *names;
} words[] = {
	{ 1, 0, EDX, "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn "
		     "clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe" },
	{ 1, 0, ECX, "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 "
		     "xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes "
		     "xsave - avx f16c rdrand hypervisor" },
	{ 6, 0, EAX, "- - arat" },
	{ 7, 0, EBX, "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx "
		     "rdt_a avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt "
		     "avx512pf avx512er avx512cd sha_ni avx512bw avx512vl" },
	{ 7, 0, ECX, "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 user_shstk gfni vaes "
		     "vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - la57 - - - - - "
		     "rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd sgx_lc" },
	{ 7, 0, EDX, "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - "
		     "- serialize - tsxldtrk - pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile "
		     "amx_int8 - - flush_l1d arch_capabilities" },
	{ 7, 1, EAX, "- - - - avx_vnni avx512_bf16 - - - - fzrm fsrs fsrc - - - - - - - - amx_fp16 - "
		     "avx_ifma - - lam" },
	{ 0xd, 1, EAX, "xsaveopt xsavec xgetbv1 xsaves" },
	{ 0x80000001, 0, EDX, "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - "
			      "fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow" },
	{ 0x80000001, 0, ECX, "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse "
			      "3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - "
			      "tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx" },
	{ 0x80000008, 0, EBX, "clzero irperf xsaveerptr - rdpru - - - - wbnoinvd" },
};

/* What AMD repeats of leaf 1 in leaf 0x80000001, EDX. */
#define AMD_REPEATED 0x0183f3ffu

/* Gives words one after the other: its size, 0 behind the last one. *at: at first the list. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, SEPARATORS);
	return strcspn(*at, SEPARATORS);
}

/* The bit of a name in names, or -1. */
static int find_bit(const char *names, const char *name, size_t size)
{
	size_t length;

	for (int bit = 0; (length = next_word(&names)); names += length, bit++)
		if (length == size && !memcmp(names, name, size) && *name != '-')
			return bit;
	return -1;
}

static bool is_known(const char *name, size_t size)
{
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (find_bit(words[i].names, name, size) >= 0)
			return true;
	return false;
}

/* Names one that may be meant. */
static int refuse(const char *name, size_t size, struct cause *cause)
{
	char wrong[SUGGEST_MAX], known[SUGGEST_MAX], best[SUGGEST_MAX] = "";
	struct suggestion suggestion = { .wrong = wrong };
	size_t length;

	snprintf(wrong, sizeof(wrong), "%.*s", (int)size, name);
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		for (const char *at = words[i].names; (length = next_word(&at)); at += length) {
			snprintf(known, sizeof(known), "%.*s", (int)length, at);
			if (*known != '-')
				suggest_offer(&suggestion, known);
			if (suggestion.best == known)
				suggestion.best = memcpy(best, known, sizeof(best));
		}
	if (*best)
		return cause_set(cause, EINVAL, "'%s' is no feature of a processor; did you mean %s?",
				 wrong, best);
	return cause_set(cause, EINVAL, "'%s' is no feature of a processor; /proc/cpuinfo has the "
			 "names of the host's", wrong);
}

int features_check(const char *list, struct cause *cause)
{
	size_t size;

	for (; list && (size = next_word(&list)); list += size)
		if (!is_known(list, size))
			return refuse(list, size, cause);
	return 0;
}

static void hide(struct kvm_cpuid2 *cpuid, unsigned word, uint32_t bit)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		uint32_t *registers[] = {
			[EAX] = &entry->eax, [EBX] = &entry->ebx,
			[ECX] = &entry->ecx, [EDX] = &entry->edx,
		};

		if (entry->function == words[word].function && entry->index == words[word].index)
			*registers[words[word].reg] &= ~bit;
		if (entry->function == 0x80000001 && words[word].function == 1 &&
		    words[word].reg == EDX)
			entry->edx &= ~(bit & AMD_REPEATED);
	}
}

void features_hide(struct kvm_cpuid2 *cpuid, const char *list)
{
	size_t size;

	for (; list && (size = next_word(&list)); list += size)
		for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
			int bit = find_bit(words[i].names, list, size);

			if (bit >= 0)
				hide(cpuid, i, 1u << bit);
		}
}

/* --- whether it works --- */

#define PROBE_TSS 0xfffbd000ul /* of a machine of nothing else */
#define PROBE_RAM 4096
#define PROBE_ENTRIES 64 /* of KVM_RUN; a signal takes it out */
#define FEATURE_PNI 1u	 /* leaf 1, ECX: every 64-bit processor has it */

/* In real mode: what leaf 1 says. */
static const uint8_t probe_code[] = {
	0x66, 0xb8, 1, 0, 0, 0, /* mov $1, %eax */
	0x0f, 0xa2,		/* cpuid */
	0xf4,			/* hlt */
};

/* A table without the feature: 0 or a negative errno. */
static int hide_from(int vcpu, const struct kvm_host *kvm)
{
	size_t size = sizeof(kvm->cpuid.head) +
		      kvm->cpuid.head.nent * sizeof(kvm->cpuid.head.entries[0]);
	struct kvm_cpuid2 *cpuid = malloc(size);
	int err = 0;

	if (!cpuid)
		return -ENOMEM;
	memcpy(cpuid, &kvm->cpuid, size);
	features_hide(cpuid, "pni");
	if (ioctl(vcpu, KVM_SET_CPUID2, cpuid) < 0)
		err = -errno;
	free(cpuid);
	return err;
}

/* Whether the guest does not find it. */
static int run_probe(int vcpu, struct kvm_run *run)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		return -errno;
	for (unsigned i = 0; i < PROBE_ENTRIES; i++) {
		if (ioctl(vcpu, KVM_RUN, 0ul) < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (run->exit_reason != KVM_EXIT_HLT)
			continue;
		return ioctl(vcpu, KVM_GET_REGS, &regs) < 0 ? -errno : !(regs.rcx & FEATURE_PNI);
	}
	return -EIO;
}

static int probe_vcpu(int vm, const struct kvm_host *kvm)
{
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0ul), result = vcpu < 0 ? -errno : 0;
	struct kvm_run *run = MAP_FAILED;

	if (!result)
		result = hide_from(vcpu, kvm);
	if (!result)
		run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (!result)
		result = run == MAP_FAILED ? -errno : run_probe(vcpu, run);
	if (run != MAP_FAILED)
		munmap(run, kvm->run_size);
	if (vcpu >= 0)
		close(vcpu);
	return result;
}

int features_hidden_from_guests(const struct kvm_host *kvm)
{
	struct kvm_userspace_memory_region region = { .memory_size = PROBE_RAM };
	void *ram = mmap(NULL, PROBE_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int vm, result;

	if (ram == MAP_FAILED)
		return -errno;
	memcpy(ram, probe_code, sizeof(probe_code));
	region.userspace_addr = (uintptr_t)ram;
	vm = ioctl(kvm->fd, KVM_CREATE_VM, 0ul);
	result = vm < 0 ? -errno : 0;
	if (!result) {
		(void)ioctl(vm, KVM_SET_TSS_ADDR, PROBE_TSS);
		result = ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno :
									      probe_vcpu(vm, kvm);
		close(vm);
	}
	munmap(ram, PROBE_RAM);
	return result;
}
