/*
 * The ACPI tables as files of firmware: the tables, their root pointer, and a list of
 * orders how to place, link and sum them up. Thread as in acpi.h.
 *
 * The list is that of SeaBIOS (src/fw/romfile_loader.h), which OVMF knows too. Firmware
 * adds the place of a file to the pointers into it, so what is in them is the offset.
 */
#include "core/boot/acpi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus/platform.h"

#define TABLES_FILE "etc/acpi/tables"
#define ROOT_FILE "etc/acpi/rsdp"
#define ORDERS_FILE "etc/table-loader"

enum { ORDER_ALLOCATE = 1, ORDER_POINTER = 2, ORDER_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT = 2 };

#define TABLES_ALIGN 64 /* the FACS wants it */
#define ROOT_ALIGN 16

/* Numbers are little-endian, as the host's. */
struct __attribute__((packed)) order {
	uint32_t command;
	union {
		struct __attribute__((packed)) {
			char file[FW_CFG_NAME_MAX];
			uint32_t align;
			uint8_t zone;
		} allocate;
		struct __attribute__((packed)) {
			char in[FW_CFG_NAME_MAX], to[FW_CFG_NAME_MAX];
			uint32_t offset;
			uint8_t size;
		} pointer;
		struct __attribute__((packed)) {
			char file[FW_CFG_NAME_MAX];
			uint32_t offset, start, length;
		} checksum;
		char room[124];
	};
};

#define ORDERS_MAX (3 + ACPI_POINTERS_MAX + ACPI_SUMS_MAX)

_Static_assert(sizeof(struct order) == 128, "an order of the loader");

static const char *file_of(uint32_t at)
{
	return at < ACPI_ROOM ? ROOT_FILE : TABLES_FILE;
}

static uint32_t offset_of(uint32_t at)
{
	return at < ACPI_ROOM ? at : at - ACPI_ROOM;
}

static void order_allocate(struct order *order, const char *file, uint32_t align, uint8_t zone)
{
	order->command = ORDER_ALLOCATE;
	order->allocate.align = align;
	order->allocate.zone = zone;
	snprintf(order->allocate.file, sizeof(order->allocate.file), "%s", file);
}

static void order_pointer(struct order *order, uint32_t at, uint8_t size)
{
	order->command = ORDER_POINTER;
	order->pointer.offset = offset_of(at);
	order->pointer.size = size;
	snprintf(order->pointer.in, sizeof(order->pointer.in), "%s", file_of(at));
	snprintf(order->pointer.to, sizeof(order->pointer.to), "%s", TABLES_FILE);
}

static void order_checksum(struct order *order, uint32_t at, uint32_t start, uint32_t length)
{
	order->command = ORDER_CHECKSUM;
	order->checksum.offset = offset_of(at);
	order->checksum.start = offset_of(start);
	order->checksum.length = length;
	snprintf(order->checksum.file, sizeof(order->checksum.file), "%s", file_of(at));
}

/* Returns how many there are. Sums are taken when all pointers are right, from bytes that are 0. */
static unsigned write_orders(struct acpi_blob *blob, struct order orders[ORDERS_MAX])
{
	unsigned n = 0;

	order_allocate(&orders[n++], ROOT_FILE, ROOT_ALIGN, ZONE_F_SEGMENT);
	order_allocate(&orders[n++], TABLES_FILE, TABLES_ALIGN, ZONE_HIGH);
	for (unsigned i = 0; i < blob->pointers; i++)
		order_pointer(&orders[n++], blob->pointer[i].at, blob->pointer[i].size);
	order_pointer(&orders[n++], blob->root_pointer, sizeof(uint64_t));
	for (unsigned i = 0; i < blob->sums; i++) {
		blob->data[blob->sum[i].at] = 0;
		order_checksum(&orders[n++], blob->sum[i].at, blob->sum[i].start,
			       blob->sum[i].length);
	}
	return n;
}

int acpi_describe(struct fw_cfg *fw_cfg, const struct topology *cpus, struct cause *cause)
{
	/* Counted from the tables' file on. */
	struct acpi_blob blob = { .base = -(uint32_t)ACPI_ROOM, .vga = true };
	struct order orders[ORDERS_MAX] = { 0 };
	unsigned count;
	int err;

	blob.data = calloc(1, PLATFORM_ACPI_SIZE);
	if (!blob.data)
		return cause_errno(cause, ENOMEM, "ACPI tables");
	acpi_write(&blob, cpus);
	count = write_orders(&blob, orders);
	err = fw_cfg_add_file(fw_cfg, ROOT_FILE, blob.data, ACPI_ROOT_SIZE, cause);
	if (!err)
		err = fw_cfg_add_file(fw_cfg, TABLES_FILE, blob.data + ACPI_ROOM,
				      blob.used - ACPI_ROOM, cause);
	if (!err)
		err = fw_cfg_add_file(fw_cfg, ORDERS_FILE, orders, count * sizeof(*orders), cause);
	free(blob.data);
	return err;
}
