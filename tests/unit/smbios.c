/* The SMBIOS tables, walked as firmware and dmidecode do. */
#include "core/boot/smbios.h"

#include "fake_fw_cfg.h"

struct fixture {
	struct fake_fw_cfg fw;
	struct guest_memory memory;
	uint8_t entry[64], tables[65535];
	uint32_t entry_size, tables_size;
};

static struct fixture f;

static void describe_profile(const struct profile *profile)
{
	f = (struct fixture){ 0 };
	fake_fw_cfg_create(&f.fw, &f.memory);
	assert_int_equal(smbios_describe(f.fw.host.fw_cfg, profile, NULL), 0);
	f.entry_size = select_file(&f.fw, "etc/smbios/smbios-anchor");
	assert_in_range(f.entry_size, 1, sizeof(f.entry));
	read_bytes(&f.fw, f.entry, f.entry_size);
	f.tables_size = select_file(&f.fw, "etc/smbios/smbios-tables");
	assert_in_range(f.tables_size, 1, sizeof(f.tables));
	read_bytes(&f.fw, f.tables, f.tables_size);
	fake_fw_cfg_destroy(&f.fw);
}

static void describe(unsigned cpus, uint64_t memory)
{
	describe_profile(&(struct profile){ .cpus = cpus, .memory = memory });
}

static uint64_t get(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/* Behind the strings of a structure. */
static const uint8_t *next(const uint8_t *structure)
{
	const uint8_t *at = structure + structure[1];

	while (at[0] || at[1])
		at++;
	return at + 2;
}

static const uint8_t *find(uint8_t type)
{
	const uint8_t *at = f.tables;

	while (at < f.tables + f.tables_size && at[0] != type)
		at = next(at);
	assert_true(at < f.tables + f.tables_size);
	return at;
}

/* The string of that number. */
static const char *string_of(const uint8_t *structure, uint8_t number)
{
	const char *at = (const char *)structure + structure[1];

	while (--number)
		at += strlen(at) + 1;
	return at;
}

static void the_entry_point_fits(void **state)
{
	unsigned count = 0, largest = 0;
	const uint8_t *at, *end;

	(void)state;
	describe(2, 64 << 20);
	assert_int_equal(f.entry_size, 31);
	assert_memory_equal(f.entry, "_SM_\0\x1f\2\x8", 8);
	assert_memory_equal(f.entry + 16, "_DMI_", 5);
	assert_int_equal(get(f.entry + 22, 2), f.tables_size);
	end = f.tables + f.tables_size;
	for (at = f.tables; at < end; at = next(at)) {
		count++;
		if (next(at) - at > largest)
			largest = (unsigned)(next(at) - at);
	}
	assert_ptr_equal(at, end);
	assert_int_equal(get(f.entry + 28, 2), count);
	assert_int_equal(get(f.entry + 8, 2), largest);
	assert_int_equal(find(127)[1], 4);
}

static void the_machine_is_named(void **state)
{
	const uint8_t *system;

	(void)state;
	describe(3, 64 << 20);
	system = find(1);
	assert_string_equal(string_of(system, system[4]), "vmdeck");
	assert_string_equal(string_of(system, system[5]), "virtual machine");
	assert_int_equal(find(4)[35], 3);
}

static void each_socket_has_its_processor(void **state)
{
	const struct profile profile = { .cpus = 12, .cpu_sockets = 2, .cpu_cores = 3,
					 .cpu_threads = 2, .memory = 64 << 20 };
	const struct profile many = { .cpus = 255, .cpu_sockets = 255, .memory = 2ull << 40 };
	const uint8_t *first, *second, *at;
	unsigned count = 0;

	(void)state;
	describe_profile(&profile);
	first = find(4);
	second = next(first);
	assert_int_equal(second[0], 4);
	assert_int_not_equal(next(second)[0], 4);
	assert_int_not_equal(get(first + 2, 2), get(second + 2, 2));
	assert_string_equal(string_of(first, first[4]), "CPU 0");
	assert_string_equal(string_of(second, second[4]), "CPU 1");
	assert_int_equal(second[35], 3); /* cores */
	assert_int_equal(second[37], 6); /* threads */

	describe_profile(&many);
	for (at = f.tables; at < f.tables + f.tables_size; at = next(at))
		count += at[0] == 4;
	assert_int_equal(count, 255);
	assert_ptr_equal(at, f.tables + f.tables_size);
}

static void memory_has_its_size(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t capacity, mib, extended_mib;
		uint64_t extended;
	} cases[] = {
		{ 64ull << 20, 64 << 10, 64, 0, 0 },
		{ 32767ull << 20, 32767u << 10, 0x7fff, 32767, 0 },
		{ 2ull << 40, 0x80000000, 0x7fff, 2 << 20, 2ull << 40 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		describe(1, cases[i].size);
		assert_int_equal(get(find(16) + 7, 4), cases[i].capacity);
		assert_int_equal(get(find(16) + 15, 8), cases[i].extended);
		assert_int_equal(get(find(17) + 4, 2), get(find(16) + 2, 2));
		assert_int_equal(get(find(17) + 12, 2), cases[i].mib);
		assert_int_equal(get(find(17) + 28, 4), cases[i].extended_mib);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_entry_point_fits),
		cmocka_unit_test(the_machine_is_named),
		cmocka_unit_test(each_socket_has_its_processor),
		cmocka_unit_test(memory_has_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
