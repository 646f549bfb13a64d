/*
 * ACPI tables (ACPI 6.4 chapter 5): MADT, FADT, MCFG and \_S5 of the DSDT,
 * which is found by its bytes. All lengths and loops are bounded. CPU 0.
 */
#include "acpi.h"

#include "cpu.h"
#include "machine.h"

#define TABLE_MAX 0x40000u
#define PM_POWER_BUTTON 0x100

struct acpi acpi = {
	.ioapic = 0xfec00000,
	.pm_event = 0x600,
	.pm_control = 0x604,
	.power_gsi = 9,
	.power_low = false,
};

static uint32_t le32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t le64(const uint8_t *at)
{
	return le32(at) | (uint64_t)le32(at + 4) << 32;
}

/* A table below 4 GiB of a sane length with a right checksum, or NULL. */
static const uint8_t *table_at(uint64_t address, uint32_t *length)
{
	const uint8_t *table = (const uint8_t *)(uintptr_t)address;
	uint8_t sum = 0;

	if (address < 0x400 || address > UINT32_MAX - TABLE_MAX)
		return NULL;
	*length = le32(table + 4);
	if (*length < 36 || *length > TABLE_MAX)
		return NULL;
	for (uint32_t i = 0; i < *length; i++)
		sum += table[i];
	return sum == 0 ? table : NULL;
}

static void read_madt(const uint8_t *table, uint32_t length)
{
	for (uint32_t at = 44; at + 2 <= length; at += table[at + 1]) {
		const uint8_t *entry = table + at;
		unsigned size = entry[1];

		if (size < 2 || size > length - at)
			return;
		if (entry[0] == 0 && size >= 8 && (le32(entry + 4) & 1) &&
		    acpi.cpu_count < CPUS_MAX)
			acpi.cpus[acpi.cpu_count++] = entry[3];
		if (entry[0] == 1 && size >= 12 && le32(entry + 8) == 0)
			acpi.ioapic = le32(entry + 4);
		if (entry[0] == 2 && size >= 10 && entry[3] == acpi.power_gsi) {
			acpi.power_gsi = entry[4] < 24 ? entry[4] : acpi.power_gsi;
			acpi.power_low = (entry[8] & 3) == 3;
			acpi.power_edge = (entry[8] & 12) == 4;
		}
	}
}

/* NameOp "_S5_" PackageOp PkgLength NumElements, then SLP_TYPa as a byte or as Zero or One. */
static void read_dsdt(const uint8_t *table, uint32_t length)
{
	for (uint32_t at = 36; at + 12 <= length; at++) {
		const uint8_t *code = table + at;

		if (memcmp(code, "_S5_\x12", 5) != 0)
			continue;
		code += 5 + 1 + (code[5] >> 6) + 1;
		if (code + 2 > table + length)
			return;
		acpi.sleep_type = (*code == 0x0a ? code[1] : *code == 1) & 7;
		return;
	}
}

static void read_fadt(const uint8_t *table, uint32_t length)
{
	uint32_t size;
	const uint8_t *dsdt;

	if (length < 116)
		return;
	acpi.power_gsi = table[46] < 24 ? table[46] : 9;
	acpi.pm_event = le32(table + 56);
	acpi.pm_control = le32(table + 64);
	dsdt = table_at(le32(table + 40), &size);
	if (dsdt == NULL && length >= 148)
		dsdt = table_at(le64(table + 140), &size);
	if (dsdt != NULL)
		read_dsdt(dsdt, size);
}

static void read_table(uint64_t address, bool madt)
{
	uint32_t length;
	const uint8_t *table = table_at(address, &length);

	if (table == NULL)
		return;
	if (madt && memcmp(table, "APIC", 4) == 0)
		read_madt(table, length);
	if (!madt && memcmp(table, "FACP", 4) == 0)
		read_fadt(table, length);
	if (!madt && memcmp(table, "MCFG", 4) == 0 && length >= 60 && table[54] == 0 &&
	    le64(table + 44) < UINT32_MAX - 0x100000u)
		acpi.ecam = le64(table + 44);
}

static uint64_t find_rsdp(void)
{
	for (uintptr_t at = 0xe0000; at < 0x100000; at += 16)
		if (memcmp((const void *)at, "RSD PTR ", 8) == 0)
			return at;
	return 0;
}

void acpi_setup(uint64_t rsdp)
{
	const uint8_t *root, *pointer;
	uint32_t length, width = 4;

	if (rsdp == 0)
		rsdp = find_rsdp();
	if (rsdp < 0x400 || rsdp > UINT32_MAX - 64)
		return;
	pointer = (const uint8_t *)(uintptr_t)rsdp;
	if (memcmp(pointer, "RSD PTR ", 8) != 0)
		return;
	root = table_at(le32(pointer + 16), &length);
	if (pointer[15] >= 2 && le64(pointer + 24) != 0) {
		root = table_at(le64(pointer + 24), &length);
		width = 8;
	}
	if (root == NULL)
		return;
	/* The FADT names the line whose override the MADT holds. */
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint32_t at = 36; at + width <= length && at < 36 + 64 * width; at += width)
			read_table(width == 8 ? le64(root + at) : le32(root + at), pass == 1);
}

void acpi_route_line(unsigned gsi, unsigned vector, bool level, bool active_low)
{
	mmio_write32(acpi.ioapic, 0x11 + gsi * 2);
	mmio_write32(acpi.ioapic + 0x10, cpus[0].apic_id << 24);
	mmio_write32(acpi.ioapic, 0x10 + gsi * 2);
	mmio_write32(acpi.ioapic + 0x10, vector | (active_low ? 0x2000 : 0) | (level ? 0x8000 : 0));
}

void acpi_enable_power_button(void)
{
	if (acpi.pm_event == 0)
		return;
	if (acpi.pm_control != 0 && !(in16(acpi.pm_control) & 1))
		out16(acpi.pm_control, 1);
	out16(acpi.pm_event, PM_POWER_BUTTON);
	out16(acpi.pm_event + 2, PM_POWER_BUTTON);
	acpi_route_line(acpi.power_gsi, VECTOR_POWER, !acpi.power_edge, acpi.power_low);
}

bool acpi_power_pressed(void)
{
	uint16_t status = in16(acpi.pm_event);

	out16(acpi.pm_event, status);
	cpu_end_of_interrupt();
	return status & PM_POWER_BUTTON;
}

void acpi_power_off(void)
{
	if (acpi.pm_control != 0)
		out16(acpi.pm_control, 0x2000 | acpi.sleep_type << 10);
}
