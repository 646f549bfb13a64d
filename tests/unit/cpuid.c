/*
 * The processors that a guest sees: what CPUID says of sockets, cores, caches and of features
 * that are hidden. Skips without /dev/kvm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/kvm/features.h"
#include "core/machine/cpuid.h"
#include "core/machine/vcpu.h"

#define CPUS 12

static struct kvm_host *kvm;
static const uint8_t vendors[2][12] = { "GenuntelineI", "AuthcAMDenti" }; /* EBX, ECX, EDX of leaf 0 */

/* A table that has what this host's may lack. */
static void host_table(union kvm_cpuid_table *out, const uint8_t vendor[12])
{
	static const struct kvm_cpuid_entry2 entries[] = {
		{ .function = 0, .eax = 0x1f },
		{ .function = 1, .ebx = 0x12345678, .ecx = 0xffffffff, .edx = 0xffffffff },
		{ .function = 4, .index = 0, .flags = 1, .eax = 0xfc1ff121 }, /* L1 data */
		{ .function = 4, .index = 3, .flags = 1, .eax = 0x00000163 }, /* L3 */
		{ .function = 4, .index = 4, .flags = 1 },
		{ .function = 7, .flags = 1, .ebx = 0xffffffff, .ecx = 0xffffffff },
		{ .function = 0xb, .index = 0, .flags = 1, .eax = 7, .ebx = 7, .ecx = 7 },
		{ .function = 0x1f, .index = 0, .flags = 1 },
		{ .function = 0x80000000, .eax = 0x80000026 },
		{ .function = 0x80000001, .ecx = 0xffffffff, .edx = 0xffffffff },
		{ .function = 0x80000008, .ebx = 0xffffffff, .ecx = 0x12345678 },
		{ .function = 0x8000001d, .index = 0, .flags = 1, .eax = 0x03ffc121 },
		{ .function = 0x8000001e, .eax = 9, .ebx = 0x909, .ecx = 0x909 },
		{ .function = 0x80000026, .index = 0, .flags = 1, .ebx = 9 },
	};

	memset(out, 0, sizeof(*out));
	out->head.nent = sizeof(entries) / sizeof(entries[0]);
	memcpy(out->head.entries, entries, sizeof(entries));
	memcpy(&out->head.entries[0].ebx, vendor, 4);
	memcpy(&out->head.entries[0].ecx, vendor + 4, 4);
	memcpy(&out->head.entries[0].edx, vendor + 8, 4);
}

/* The table of one vCPU. */
static void look(union kvm_cpuid_table *out, unsigned vendor, const struct topology *topology,
		 unsigned cpu)
{
	host_table(out, vendors[vendor]);
	cpuid_adapt(&out->head, topology, cpu);
}

/* All zero: it is not there. */
static struct kvm_cpuid_entry2 leaf(const union kvm_cpuid_table *table, uint32_t function,
				    uint32_t index)
{
	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->head.entries[i].function == function &&
		    table->head.entries[i].index == index)
			return table->head.entries[i];
	return (struct kvm_cpuid_entry2){ 0 };
}

static void check_levels(const union kvm_cpuid_table *table, uint32_t function, unsigned id)
{
	struct kvm_cpuid_entry2 entry = leaf(table, function, 0);

	assert_int_equal(entry.eax, 1);
	assert_int_equal(entry.ebx, 2);
	assert_int_equal(entry.ecx, 0x100);
	assert_int_equal(entry.edx, id);
	entry = leaf(table, function, 1);
	assert_int_equal(entry.eax, 3);
	assert_int_equal(entry.ebx, 6);
	assert_int_equal(entry.ecx, 0x201);
	entry = leaf(table, function, 2);
	assert_int_equal(entry.eax, 0);
	assert_int_equal(entry.ebx, 0);
	assert_int_equal(entry.ecx, 2);
	assert_int_equal(entry.edx, id);
}

static void test_levels(void **state)
{
	const struct topology shape = { 2, 3, 2 }, sockets = { 2, 1, 1 };
	struct kvm_cpuid_entry2 entry;
	union kvm_cpuid_table table;

	(void)state;
	for (unsigned i = 0; i < topology_cpus(&shape); i++) {
		unsigned id = topology_apic_id(&shape, i);

		look(&table, 0, &shape, i);
		entry = leaf(&table, 1, 0);
		assert_int_equal(entry.ebx, id << 24 | 6 << 16 | 0x5678);
		assert_true(entry.edx & 1u << 28);
		check_levels(&table, 0xb, id);
		check_levels(&table, 0x1f, id);
	}
	/* Threads share the first level, a socket the last; addressable cores are a power of two. */
	assert_int_equal(leaf(&table, 4, 0).eax, 0x0c007121);
	assert_int_equal(leaf(&table, 4, 3).eax, 0x0c01c163);
	assert_int_equal(leaf(&table, 4, 4).eax, 0);

	look(&table, 0, &sockets, 1);
	entry = leaf(&table, 1, 0);
	assert_int_equal(entry.ebx >> 16, 0x101);
	assert_false(entry.edx & 1u << 28);
	assert_int_equal(leaf(&table, 0xb, 0).ebx, 1);
}

static void test_amd(void **state)
{
	const struct topology shape = { 2, 3, 2 }, one = { 1, 1, 1 };
	struct kvm_cpuid_entry2 entry;
	union kvm_cpuid_table table;

	(void)state;
	look(&table, 1, &shape, 11); /* thread 1 of core 2 of socket 1 */
	entry = leaf(&table, 0x8000001e, 0);
	assert_int_equal(entry.eax, 8 | 2 << 1 | 1);
	assert_int_equal(entry.ebx, 1 << 8 | 2);
	assert_int_equal(entry.ecx, 1);
	assert_int_equal(leaf(&table, 0x80000008, 0).ecx, 3 << 12 | 5);
	assert_int_equal(leaf(&table, 0x8000001d, 0).eax, 0x4121);
	assert_true(leaf(&table, 0x80000001, 0).ecx & 2);
	assert_int_equal(leaf(&table, 0x80000026, 0).ebx, 0);

	look(&table, 1, &one, 0);
	assert_false(leaf(&table, 0x80000001, 0).ecx & 2);
	assert_int_equal(leaf(&table, 0x80000008, 0).ecx, 0);
}

/* Each is told its own. */
static void test_vcpus(void **state)
{
	struct vcpu_config config = {
		.kvm = kvm, .name = "cpuid", .topology = { 2, 3, 2 },
	};
	int vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0ul);
	struct vcpu vcpus[CPUS] = { { 0 } };
	struct vcpu_set set = { .count = 0 };
	struct cause cause;

	(void)state;
	assert_int_equal(ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0ul), 0);
	if (vcpus_begin(&set, &config, vcpus, &cause) || vcpus_create(&set, vm_fd, &cause))
		fail_msg("%s", cause.text);
	assert_int_equal(set.count, CPUS);
	for (unsigned i = 0; i < CPUS; i++) {
		union kvm_cpuid_table table = { .head.nent = KVM_CPUID_MAX };

		assert_int_equal(ioctl(vcpus[i].fd, KVM_GET_CPUID2, &table), 0);
		assert_int_equal(leaf(&table, 1, 0).ebx >> 24,
				 topology_apic_id(&config.topology, i));
	}
	vcpus_destroy(&set);
	vcpus_finish(&set);
	close(vm_fd);
}

static void test_hidden(void **state)
{
	const struct kvm_cpuid_entry2 *leaf_1, *leaf_7, *extended;
	union kvm_cpuid_table table;

	(void)state;
	host_table(&table, vendors[1]);
	features_hide(&table.head, "avx2, fxsr,pni ,abm");
	leaf_1 = &table.head.entries[1];
	leaf_7 = &table.head.entries[5];
	extended = &table.head.entries[9];
	assert_int_equal(leaf_7->function, 7);
	assert_int_equal(leaf_7->ebx, ~(1u << 5));
	assert_int_equal(leaf_7->ecx, ~0u);
	assert_int_equal(leaf_1->ecx, ~1u);
	assert_int_equal(leaf_1->edx, ~(1u << 24));
	assert_int_equal(leaf_1->ebx, 0x12345678);
	/* AMD has it in a second place. */
	assert_int_equal(extended->edx, ~(1u << 24));
	assert_int_equal(extended->ecx, ~(1u << 5));
	features_hide(&table.head, NULL);
	assert_int_equal(leaf_1->ecx, ~1u);
}

static void test_names(void **state)
{
	struct cause cause;
	int given;

	(void)state;
	assert_int_equal(features_check(NULL, &cause), 0);
	assert_int_equal(features_check(" ,", &cause), 0);
	assert_int_equal(features_check("fpu,pbe lm,3dnow,avx512vl,arch_capabilities,wbnoinvd",
					&cause), 0);
	assert_int_equal(features_check("avx2,avx51f", &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "'avx51f' is no feature"));
	assert_non_null(strstr(cause.text, "did you mean avx512f?"));
	assert_int_equal(features_check("-", &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "/proc/cpuinfo"));

	/* Whether it works is this KVM's; that it can be found out is not. */
	given = features_hidden_from_guests(kvm);
	assert_true(given == 0 || given == 1);
	printf("features are %shidden by this KVM\n", given ? "" : "not ");
}

/* KVM is asked for its limit only when it has refused. */
static void test_too_many(void **state)
{
	unsigned most = kvm_vcpus_max(kvm);
	struct vcpu_config config = {
		.kvm = kvm, .name = "cpuid", .topology = { 1, most + 1, 1 },
	};
	int vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0ul);
	struct vcpu *vcpus = calloc(most + 1, sizeof(*vcpus));
	struct vcpu_set set = { .count = 0 };
	struct cause cause;
	char wanted[64];

	(void)state;
	assert_true(most >= CPUS);
	/* Without an irqchip KVM has no place for an APIC ID so high. */
	assert_int_equal(vcpus_begin(&set, &config, vcpus, &cause), 0);
	assert_true(vcpus_create(&set, vm_fd, &cause) < 0);
	snprintf(wanted, sizeof(wanted), "at most %u vCPUs", most);
	assert_non_null(strstr(cause.text, wanted));
	vcpus_destroy(&set);
	vcpus_finish(&set);
	close(vm_fd);
	free(vcpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_amd),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_too_many),
	};
	struct cause cause;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	if (kvm_open(&kvm, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
