/* The ACPI tables: found as a guest finds them, and read by iasl when it is there. */
#include "core/boot/acpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/bus/platform.h"
#include "fake_fw_cfg.h"
#include "scratch.h"

#define MEMORY_SIZE 0x200000u

static struct guest_memory memory;

static int setup(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	return memory_create(&memory, MEMORY_SIZE, NULL);
}

static int teardown(void **state)
{
	(void)state;
	memory_destroy(&memory);
	return 0;
}

static uint64_t get(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

static void assert_sum_zero(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + *data++);
	assert_int_equal(sum, 0);
}

static const uint8_t *table_at(uint64_t address, const char *signature, uint32_t *length)
{
	const uint8_t *table = memory_at(&memory, address, 36);

	assert_non_null(table);
	assert_true(address >= PLATFORM_ACPI_BASE);
	*length = (uint32_t)get(table + 4, 4);
	assert_true(address + *length <= PLATFORM_ACPI_BASE + PLATFORM_ACPI_SIZE);
	assert_memory_equal(table, signature, 4);
	assert_int_equal(address % 8, 0);
	assert_sum_zero(table, *length);
	return table;
}

/* Follows RSDP and XSDT. */
static const uint8_t *find(uint64_t rsdp, const char *signature, uint32_t *length)
{
	const uint8_t *root = memory_at(&memory, rsdp, 36), *xsdt, *table;
	uint32_t xsdt_length, i;
	uint64_t address;

	assert_int_equal(rsdp % 16, 0);
	assert_memory_equal(root, "RSD PTR ", 8);
	assert_sum_zero(root, 20);
	assert_sum_zero(root, 36);
	assert_int_equal(root[15], 2);
	xsdt = table_at(get(root + 24, 8), "XSDT", &xsdt_length);
	for (i = 36; i + 8 <= xsdt_length; i += 8) {
		address = get(xsdt + i, 8);
		table = memory_at(&memory, address, 36);
		assert_non_null(table);
		if (memcmp(table, signature, 4) == 0)
			return table_at(address, signature, length);
	}
	fail_msg("no %s", signature);
	return NULL;
}

static void test_fadt(void **state)
{
	const uint8_t *fadt, *dsdt, *facs;
	uint32_t length;
	uint64_t rsdp;

	(void)state;
	assert_int_equal(acpi_build(&memory, &(struct topology){ 1, 1, 1 }, &rsdp), 0);
	assert_int_equal(rsdp, PLATFORM_ACPI_BASE);
	fadt = find(rsdp, "FACP", &length);
	assert_int_equal(length, 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(get(fadt + 46, 2), PLATFORM_SCI_GSI);
	assert_int_equal(get(fadt + 48, 4), 0); /* no SMI_CMD */
	assert_int_equal(get(fadt + 56, 4), PLATFORM_PM_PORT);
	assert_int_equal(get(fadt + 64, 4), PLATFORM_PM_PORT + 4);
	assert_int_equal(get(fadt + 76, 4), PLATFORM_PM_PORT + 8);
	assert_int_equal(get(fadt + 80, 4), PLATFORM_PM_PORT + 0x20);
	assert_int_equal(fadt[88], 4);
	assert_int_equal(fadt[89], 2);
	assert_int_equal(fadt[91], 4);
	assert_int_equal(fadt[92], 16);
	assert_int_equal(fadt[108], 0x32);
	assert_int_equal(get(fadt + 112, 4) & (1 << 4), 0); /* fixed power button */
	assert_int_equal(get(fadt + 112, 4) & (1 << 20), 0); /* not hardware-reduced */
	assert_int_equal(get(fadt + 112, 4) & (1 << 10), 1 << 10);
	assert_int_equal(fadt[116], 1);
	assert_int_equal(get(fadt + 120, 8), PLATFORM_RESET_PORT);
	assert_int_equal(fadt[128], PLATFORM_RESET_VALUE);
	assert_int_equal(get(fadt + 152, 8), PLATFORM_PM_PORT);
	assert_int_equal(get(fadt + 176, 8), PLATFORM_PM_PORT + 4);
	assert_int_equal(get(fadt + 212, 8), PLATFORM_PM_PORT + 8);
	assert_int_equal(get(fadt + 224, 8), PLATFORM_PM_PORT + 0x20);

	assert_int_equal(get(fadt + 36, 4) % 64, 0);
	facs = memory_at(&memory, get(fadt + 36, 4), 64);
	assert_memory_equal(facs, "FACS\x40\0\0", 8);
	dsdt = table_at(get(fadt + 140, 8), "DSDT", &length);
	assert_ptr_equal(dsdt, memory_at(&memory, get(fadt + 40, 4), 1));
}

/* Whether a resource of that length, whose bytes begin so, is in the DSDT. */
static bool has_bytes(const uint8_t *table, uint32_t length, const void *bytes, size_t size)
{
	return memmem(table, length, bytes, size) != NULL;
}

/* dsdt.asl writes addresses out; they are those of platform.h. */
static void test_dsdt_addresses(void **state)
{
	uint8_t window[] = { 0x87, 0x17, 0x00, 0x00, 0x0c, 0x01, 0, 0, 0, 0,
			     0, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t ecam[] = { 0x86, 0x09, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t port[] = { 0x47, 0x01, 0, 0, 0, 0, 0x01, 0 };
	static const struct {
		uint16_t base;
		uint8_t size;
	} ports[] = { { PLATFORM_PM_PORT, PLATFORM_PM_SIZE }, { PLATFORM_COM1_PORT, 8 },
		      { PLATFORM_CMOS_PORT, 2 }, { PLATFORM_PCI_PORT, 8 },
		      { PLATFORM_I8042_PORT, 1 }, { PLATFORM_I8042_PORT + 4, 1 } };
	static const uint8_t keyboard_irq[] = { 0x22, 1 << PLATFORM_KEYBOARD_GSI, 0 };
	uint8_t irq[] = { 0x22, 1 << PLATFORM_COM1_GSI, 0 };
	uint32_t value, length;
	const uint8_t *dsdt;
	uint64_t rsdp;
	size_t i;

	(void)state;
	assert_int_equal(acpi_build(&memory, &(struct topology){ 1, 1, 1 }, &rsdp), 0);
	dsdt = find(rsdp, "FACP", &length);
	dsdt = table_at(get(dsdt + 140, 8), "DSDT", &length);
	value = PLATFORM_PCI_BASE;
	memcpy(window + 10, &value, 4);
	value = PLATFORM_PCI_END - 1;
	memcpy(window + 14, &value, 4);
	assert_true(has_bytes(dsdt, length, window, sizeof(window)));
	value = PLATFORM_ECAM_BASE;
	memcpy(ecam + 4, &value, 4);
	value = PLATFORM_ECAM_SIZE;
	memcpy(ecam + 8, &value, 4);
	assert_true(has_bytes(dsdt, length, ecam, sizeof(ecam)));
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		memcpy(port + 2, &ports[i].base, 2);
		memcpy(port + 4, &ports[i].base, 2);
		port[7] = ports[i].size;
		assert_true(has_bytes(dsdt, length, port, sizeof(port)));
	}
	assert_true(has_bytes(dsdt, length, irq, sizeof(irq)));
	assert_true(has_bytes(dsdt, length, keyboard_irq, sizeof(keyboard_irq)));
	/* _PRT: { 0x0001ffff, Zero, Zero, 17 } and so on; with PICs 10 */
	for (i = 1; i <= 30; i++) {
		uint8_t route[] = { 0x0c, 0xff, 0xff, (uint8_t)i, 0, 0, 0, 0x0a,
				    (uint8_t)(PLATFORM_PCI_GSI + i % 4) };

		assert_true(has_bytes(dsdt, length, route, sizeof(route)));
		route[8] = PLATFORM_PCI_ISA_IRQ(i % 4);
		assert_true(has_bytes(dsdt, length, route, sizeof(route)));
	}
}

static void check_madt(const struct topology *topology)
{
	unsigned cpus = topology_cpus(topology), lapics = 0, ioapics = 0, sci = 0;
	const uint8_t *madt;
	uint32_t length, at;
	uint64_t rsdp;

	memory_clear(&memory);
	assert_int_equal(acpi_build(&memory, topology, &rsdp), 0);
	madt = find(rsdp, "APIC", &length);
	assert_int_equal(get(madt + 36, 4), PLATFORM_LAPIC_BASE);
	for (at = 44; at + 2 <= length; at += madt[at + 1]) {
		const uint8_t *entry = madt + at;

		assert_true(entry[1] >= 6 && at + entry[1] <= length);
		if (entry[0] == 0) {
			assert_int_equal(entry[2], lapics);
			assert_int_equal(entry[3], topology_apic_id(topology, lapics));
			assert_int_equal(get(entry + 4, 4), 1);
			lapics++;
		} else if (entry[0] == 1) {
			assert_int_equal(get(entry + 4, 4), PLATFORM_IOAPIC_BASE);
			assert_int_equal(get(entry + 8, 4), 0);
			ioapics++;
		} else if (entry[0] == 2) {
			assert_int_equal(entry[3], PLATFORM_SCI_GSI);
			assert_int_equal(get(entry + 4, 4), PLATFORM_SCI_GSI);
			assert_int_equal(get(entry + 8, 2), 0xd);
			sci++;
		}
	}
	assert_int_equal(at, length);
	assert_int_equal(lapics, cpus);
	assert_int_equal(ioapics, 1);
	assert_int_equal(sci, 1);
}

static void test_madt(void **state)
{
	(void)state;
	check_madt(&(struct topology){ 1, 1, 1 });
	check_madt(&(struct topology){ 1, 2, 1 });
	check_madt(&(struct topology){ 2, 3, 2 }); /* with gaps */
	check_madt(&(struct topology){ 1, PROFILE_CPUS_MAX, 1 });
}

static void test_mcfg(void **state)
{
	const uint8_t *mcfg;
	uint32_t length;
	uint64_t rsdp;

	(void)state;
	assert_int_equal(acpi_build(&memory, &(struct topology){ 1, 4, 1 }, &rsdp), 0);
	mcfg = find(rsdp, "MCFG", &length);
	assert_int_equal(length, 60);
	assert_int_equal(get(mcfg + 44, 8), PLATFORM_ECAM_BASE);
	assert_int_equal(get(mcfg + 52, 4), 0); /* segment 0, bus 0 to 0 */
}

/* What the loader of firmware is ordered to do. */
struct __attribute__((packed)) order {
	uint32_t command;
	char file[56];
	union {
		struct __attribute__((packed)) {
			uint32_t align;
			uint8_t zone;
		} allocate;
		struct __attribute__((packed)) {
			char to[56];
			uint32_t offset;
			uint8_t size;
		} pointer;
		struct __attribute__((packed)) {
			uint32_t offset, start, length;
		} checksum;
		char room[68];
	};
};

/* Where firmware puts the files. */
static const struct {
	const char *name;
	uint32_t address, align;
	uint8_t zone;
} places[] = {
	{ "etc/acpi/rsdp", PLATFORM_ACPI_BASE + 0x10, 16, 2 },
	{ "etc/acpi/tables", PLATFORM_ACPI_BASE + 0x10040, 64, 1 },
};

static unsigned place_of(const char *file)
{
	return strcmp(file, places[0].name) ? 1 : 0;
}

static void obey(struct fake_fw_cfg *fw, const struct order *order)
{
	unsigned i = place_of(order->file);
	uint8_t *at = memory_at(&memory, places[i].address, 1);
	uint64_t pointer = 0;
	uint32_t size;

	assert_string_equal(order->file, places[i].name);
	switch (order->command) {
	case 1:
		assert_int_equal(order->allocate.align, places[i].align);
		assert_int_equal(order->allocate.zone, places[i].zone);
		size = select_file(fw, order->file);
		read_bytes(fw, at, size);
		break;
	case 2:
		memcpy(&pointer, at + order->pointer.offset, order->pointer.size);
		pointer += places[place_of(order->pointer.to)].address;
		memcpy(at + order->pointer.offset, &pointer, order->pointer.size);
		break;
	case 3:
		assert_int_equal(at[order->checksum.offset], 0);
		for (uint32_t n = 0; n < order->checksum.length; n++)
			pointer += at[order->checksum.start + n];
		at[order->checksum.offset] = (uint8_t)-pointer;
		break;
	default:
		fail_msg("order %u", order->command);
	}
}

/* Placed by firmware, they are what they are without it. */
static void test_loader(void **state)
{
	static struct fake_fw_cfg fw;
	static struct order orders[64];
	uint32_t size, length;
	const uint8_t *fadt;
	uint64_t rsdp;

	(void)state;
	fake_fw_cfg_create(&fw, &memory);
	assert_int_equal(acpi_describe(fw.host.fw_cfg, &(struct topology){ 1, 3, 1 }, NULL), 0);
	size = select_file(&fw, "etc/table-loader");
	assert_true(size && size % sizeof(*orders) == 0 && size <= sizeof(orders));
	read_bytes(&fw, orders, size);
	for (uint32_t i = 0; i < size / sizeof(*orders); i++)
		obey(&fw, &orders[i]);
	fake_fw_cfg_destroy(&fw);
	rsdp = places[0].address;
	fadt = find(rsdp, "FACP", &length);
	assert_memory_equal(memory_at(&memory, get(fadt + 36, 4), 64), "FACS", 4);
	assert_int_equal(get(fadt + 40, 4), get(fadt + 140, 8));
	table_at(get(fadt + 140, 8), "DSDT", &length);
	find(rsdp, "MCFG", &length);
	find(rsdp, "APIC", &length);
	assert_int_equal(length, 44 + 3 * 8 + 12 + 10 + 6);
}

/* iasl disassembles each table and finds nothing to complain of. */
static void test_iasl(void **state)
{
	static const char *const names[] = { "FACP", "APIC", "MCFG", "DSDT" };
	char folder[] = "/tmp/vmdeck-acpi-XXXXXX", path[64], command[160], text[65536];
	const uint8_t *table;
	uint32_t length;
	uint64_t rsdp;
	size_t i, size;
	FILE *output;

	(void)state;
	if (system("iasl -v >/dev/null 2>&1") != 0) {
		print_message("iasl is not installed\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	assert_int_equal(acpi_build(&memory, &(struct topology){ 1, 2, 1 }, &rsdp), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], "DSDT") == 0) {
			table = find(rsdp, "FACP", &length);
			table = table_at(get(table + 140, 8), "DSDT", &length);
		} else {
			table = find(rsdp, names[i], &length);
		}
		snprintf(path, sizeof(path), "%s/%s.aml", folder, names[i]);
		scratch_write(path, table, length);
		snprintf(command, sizeof(command),
			 "cd %s && iasl -d %s.aml >log 2>&1 && cat log *.dsl", folder, names[i]);
		output = popen(command, "r");
		assert_non_null(output);
		size = fread(text, 1, sizeof(text) - 1, output);
		text[size] = 0;
		assert_int_equal(pclose(output), 0);
		assert_null(strstr(text, "Invalid"));
		assert_null(strstr(text, "ncorrect"));
		assert_null(strstr(text, "Error"));
		assert_null(strstr(text, "Warning"));
	}
	assert_non_null(strstr(text, "_S5"));
	assert_non_null(strstr(text, "PNP0A08"));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fadt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dsdt_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_madt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mcfg, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_iasl, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
