/*
 * The ACPI tables. Thread as in acpi.h.
 *
 * ACPI 6.5 § 5.2 (RSDP, XSDT, FADT, FACS, MADT), PCI Firmware 3.3 § 4.1.2
 * (MCFG), ICH9 § 13.8.3 (the PM block that the FADT points to). The DSDT is
 * compiled from dsdt.asl. There is no SMM: SMI_CMD is 0 and ACPI is on from
 * the start.
 */
#include "core/boot/acpi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "core/bus/platform.h"

static const uint8_t dsdt[] = {
#include "core/boot/dsdt.inc"
};

#define PACKED __attribute__((packed))

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} PACKED;

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char table[8];
	uint32_t table_revision;
	char creator[4];
	uint32_t creator_revision;
} PACKED;

/* Generic Address Structure */
struct acpi_address {
	uint8_t space; /* 1: I/O ports */
	uint8_t bits;
	uint8_t offset;
	uint8_t access; /* 1, 2, 3: bytes, words, double words */
	uint64_t address;
} PACKED;

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base;
	uint8_t cst_cnt;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr;
	struct acpi_address x_gpe0, x_gpe1, sleep_control, sleep_status;
	uint64_t hypervisor;
} PACKED;

#define FADT_WBINVD (1u << 0)
#define FADT_PROC_C1 (1u << 2)
#define FADT_SLP_BUTTON (1u << 5) /* set: there is no fixed sleep button */
#define FADT_FIX_RTC (1u << 6)	  /* set: no RTC wake status in the fixed registers */
#define FADT_TMR_VAL_EXT (1u << 8)
#define FADT_RESET_REG_SUP (1u << 10)

#define BOOT_LEGACY_DEVICES (1u << 0)
#define BOOT_8042 (1u << 1)
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_ASPM (1u << 4)

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} PACKED;

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic;
	uint32_t flags; /* 1: there are 8259s too */
} PACKED;

struct madt_lapic {
	uint8_t type, length, processor, apic;
	uint32_t flags; /* 1: enabled */
} PACKED;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

struct madt_lapic_nmi {
	uint8_t type, length, processor;
	uint16_t flags;
	uint8_t lint;
} PACKED;

#define MADT_LEVEL_HIGH 0xd

struct acpi_mcfg {
	struct acpi_header header;
	uint64_t reserved;
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved2;
} PACKED;

#define XSDT_ENTRIES 3

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t entries[XSDT_ENTRIES];
} PACKED;

_Static_assert(sizeof(struct acpi_rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct acpi_header) == 36, "table header");
_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT revision 6");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT flags");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "FADT X_DSDT");
_Static_assert(sizeof(struct acpi_facs) == 64, "FACS");
_Static_assert(sizeof(struct acpi_madt) == 44, "MADT");
_Static_assert(sizeof(struct acpi_mcfg) == 60, "MCFG");

/* Hands out the blob from its start. */
static void *take(struct acpi_blob *b, uint32_t size, uint32_t align, uint32_t *address)
{
	uint32_t at = (uint32_t)align_up(b->used, align);

	*address = b->base + at;
	b->used = at + size;
	return b->data + at;
}

/* The field at an offset in a table holds the address of another. */
static void link_field(struct acpi_blob *b, const void *table, size_t offset, uint8_t size)
{
	b->pointer[b->pointers].at = (uint32_t)((const uint8_t *)table - b->data + offset);
	b->pointer[b->pointers++].size = size;
}

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

/* The byte at "sum" makes the first length bytes of a table add up to 0. */
static void sum_up(struct acpi_blob *b, const void *table, uint8_t *sum, uint32_t length)
{
	b->sum[b->sums].at = (uint32_t)(sum - b->data);
	b->sum[b->sums].start = (uint32_t)((const uint8_t *)table - b->data);
	b->sum[b->sums++].length = length;
	*sum = checksum(table, length);
}

static void finish(struct acpi_blob *b, struct acpi_header *header, const char *signature,
		   uint8_t revision, uint32_t length)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = length;
	header->revision = revision;
	memcpy(header->oem, "VMDECK", sizeof(header->oem));
	memcpy(header->table, "VMDECK  ", sizeof(header->table));
	header->table_revision = 1;
	memcpy(header->creator, "VMDK", sizeof(header->creator));
	header->creator_revision = 1;
	sum_up(b, header, &header->checksum, length);
}

static struct acpi_address port(uint16_t address, uint8_t bits, uint8_t access)
{
	return (struct acpi_address){ .space = 1, .bits = bits, .access = access,
				      .address = address };
}

static uint32_t build_fadt(struct acpi_blob *b)
{
	struct acpi_fadt *fadt;
	struct acpi_facs *facs;
	uint32_t address, facs_address, dsdt_address;

	facs = take(b, sizeof(*facs), 64, &facs_address);
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 2;

	fadt = take(b, sizeof(*fadt), 16, &address);
	fadt->facs = facs_address;
	memcpy(take(b, sizeof(dsdt), 16, &dsdt_address), dsdt, sizeof(dsdt));
	fadt->dsdt = dsdt_address;
	fadt->x_dsdt = dsdt_address;
	link_field(b, fadt, offsetof(struct acpi_fadt, facs), sizeof(fadt->facs));
	link_field(b, fadt, offsetof(struct acpi_fadt, dsdt), sizeof(fadt->dsdt));
	link_field(b, fadt, offsetof(struct acpi_fadt, x_dsdt), sizeof(fadt->x_dsdt));
	fadt->sci = PLATFORM_SCI_GSI;
	fadt->pm1a_evt = PLATFORM_PM_PORT;
	fadt->pm1a_cnt = PLATFORM_PM_PORT + 4;
	fadt->pm_tmr = PLATFORM_PM_PORT + 8;
	fadt->gpe0 = PLATFORM_PM_PORT + 0x20;
	fadt->pm1_evt_len = 4;
	fadt->pm1_cnt_len = 2;
	fadt->pm_tmr_len = 4;
	fadt->gpe0_len = 16;
	fadt->c2_latency = fadt->c3_latency = 0xfff; /* neither state */
	fadt->century = 0x32;
	fadt->boot_flags = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_NO_ASPM;
	if (!b->vga)
		fadt->boot_flags |= BOOT_NO_VGA;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC |
		      FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP;
	fadt->reset = port(PLATFORM_RESET_PORT, 8, 1);
	fadt->reset_value = PLATFORM_RESET_VALUE;
	fadt->x_pm1a_evt = port(PLATFORM_PM_PORT, 32, 2);
	fadt->x_pm1a_cnt = port(PLATFORM_PM_PORT + 4, 16, 2);
	fadt->x_pm_tmr = port(PLATFORM_PM_PORT + 8, 32, 3);
	fadt->x_gpe0 = port(PLATFORM_PM_PORT + 0x20, 128, 1);
	finish(b, &fadt->header, "FACP", 6, sizeof(*fadt));
	return address;
}

static uint32_t build_madt(struct acpi_blob *b, const struct topology *cpus)
{
	struct madt_lapic_nmi *nmi;
	struct madt_override *override;
	struct madt_ioapic *ioapic;
	struct madt_lapic *lapic;
	struct acpi_madt *madt;
	uint32_t address, at;
	unsigned i;

	madt = take(b, sizeof(*madt), 16, &address);
	madt->lapic = PLATFORM_LAPIC_BASE;
	madt->flags = 1;
	/* Of an APIC ID below 255 this is the entry even where x2APIC is on. */
	for (i = 0; i < topology_cpus(cpus); i++) {
		lapic = take(b, sizeof(*lapic), 1, &at);
		*lapic = (struct madt_lapic){ 0, sizeof(*lapic), (uint8_t)i,
					      (uint8_t)topology_apic_id(cpus, i), 1 };
	}
	ioapic = take(b, sizeof(*ioapic), 1, &at);
	*ioapic = (struct madt_ioapic){ 1, sizeof(*ioapic), 0, 0, PLATFORM_IOAPIC_BASE, 0 };
	/* ISA interrupts are identity-mapped, as irq.h says; the SCI's polarity is its own. */
	override = take(b, sizeof(*override), 1, &at);
	*override = (struct madt_override){ 2, sizeof(*override), 0, PLATFORM_SCI_GSI,
					    PLATFORM_SCI_GSI, MADT_LEVEL_HIGH };
	nmi = take(b, sizeof(*nmi), 1, &at);
	*nmi = (struct madt_lapic_nmi){ 4, sizeof(*nmi), 0xff, 0, 1 };
	finish(b, &madt->header, "APIC", 5, (uint32_t)(b->data + b->used - (uint8_t *)madt));
	return address;
}

static uint32_t build_mcfg(struct acpi_blob *b)
{
	struct acpi_mcfg *mcfg;
	uint32_t address;

	mcfg = take(b, sizeof(*mcfg), 16, &address);
	mcfg->base = PLATFORM_ECAM_BASE;
	finish(b, &mcfg->header, "MCFG", 1, sizeof(*mcfg));
	return address;
}

void acpi_write(struct acpi_blob *b, const struct topology *cpus)
{
	struct acpi_rsdp *rsdp;
	struct acpi_xsdt *xsdt;
	uint32_t address, xsdt_address;

	_Static_assert(sizeof(dsdt) < PLATFORM_ACPI_SIZE / 2, "the DSDT leaves room for the rest");
	_Static_assert(sizeof(*rsdp) == ACPI_ROOT_SIZE, "RSDP");
	rsdp = take(b, ACPI_ROOM, 16, &address);
	xsdt = take(b, sizeof(*xsdt), 16, &xsdt_address);
	xsdt->entries[0] = build_fadt(b);
	xsdt->entries[1] = build_madt(b, cpus);
	xsdt->entries[2] = build_mcfg(b);
	for (size_t i = 0; i < XSDT_ENTRIES; i++)
		link_field(b, xsdt, offsetof(struct acpi_xsdt, entries) + i * sizeof(uint64_t),
			   sizeof(uint64_t));
	finish(b, &xsdt->header, "XSDT", 1, sizeof(*xsdt));

	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem, "VMDECK", sizeof(rsdp->oem));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt_address;
	b->root_pointer = offsetof(struct acpi_rsdp, xsdt);
	sum_up(b, rsdp, &rsdp->checksum, offsetof(struct acpi_rsdp, length));
	sum_up(b, rsdp, &rsdp->checksum_all, sizeof(*rsdp));
}

int acpi_build(struct guest_memory *memory, const struct topology *cpus, uint64_t *rsdp)
{
	struct acpi_blob blob = {
		.data = memory_at(memory, PLATFORM_ACPI_BASE, PLATFORM_ACPI_SIZE),
		.base = PLATFORM_ACPI_BASE,
	};

	if (!blob.data)
		return -ENOMEM;
	acpi_write(&blob, cpus);
	*rsdp = PLATFORM_ACPI_BASE;
	return 0;
}
