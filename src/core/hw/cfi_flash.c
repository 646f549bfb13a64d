/*
 * See cfi_flash.h. Intel StrataFlash J3 data sheet (28F320J3), "Bus Operations" and
 * "Command Set"; JEDEC JESD68.01 (Common Flash Interface). Blocks of 4 KiB, no
 * protection, no write buffer, and nothing takes time: who asks finds it done.
 *
 * The chip's ready bit is what QEMU's is: clearing the status clears it, too. OVMF takes a
 * status of 0 for the sign that this is flash and not ROM.
 *
 * All of the view is written anew when what is read changes. That is a memset() of
 * half a megabyte for each burst of the driver, and cheaper than taking the slot away: then
 * KVM waits for all vCPUs, and each read is an exit.
 */
#include "core/hw/cfi_flash.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum mode { READ_ARRAY, READ_STATUS, READ_IDENTIFIER, READ_QUERY, MODES };
enum pending { NOTHING, PROGRAM, ERASE, PENDINGS };

#define COMMAND_PROGRAM 0x10
#define COMMAND_ERASE 0x20
#define COMMAND_PROGRAM_ALTERNATE 0x40
#define COMMAND_CLEAR_STATUS 0x50
#define COMMAND_READ_STATUS 0x70
#define COMMAND_READ_IDENTIFIER 0x90
#define COMMAND_READ_QUERY 0x98
#define COMMAND_CONFIRM 0xd0
#define COMMAND_READ_ARRAY 0xff

#define STATUS_READY 0x80
#define STATUS_ERASE_ERROR 0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_MASK (STATUS_READY | STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)

/* Identifier codes. */
#define MANUFACTURER_INTEL 0x89
#define DEVICE_28F320J3 0x16

/* The query's structure, CFI § 4.3: offsets of what is not 0. */
#define QUERY_SIGNATURE 0x10
#define QUERY_COMMANDS 0x13 /* 1: Intel's extended set */
#define QUERY_TIMES 0x1f    /* to program, a buffer, to erase a block: powers of two */
#define QUERY_SIZE 0x27	    /* a power of two */
#define QUERY_REGIONS 0x2c
#define QUERY_REGION 0x2d /* blocks less 1; 256 bytes in each */

#define ERASED 0xff

static void describe(uint8_t block[CFI_FLASH_BLOCK], size_t size)
{
	size_t blocks = size / CFI_FLASH_BLOCK - 1;

	memset(block, 0, CFI_FLASH_BLOCK);
	memcpy(block + QUERY_SIGNATURE, "QRY\1", 4);
	block[QUERY_TIMES] = block[QUERY_TIMES + 2] = 1;
	while (block[QUERY_SIZE] < 63 && (size_t)1 << block[QUERY_SIZE] < size)
		block[QUERY_SIZE]++;
	block[QUERY_REGIONS] = 1;
	block[QUERY_REGION] = (uint8_t)blocks;
	block[QUERY_REGION + 1] = (uint8_t)(blocks >> 8);
	block[QUERY_REGION + 2] = (uint8_t)(CFI_FLASH_BLOCK / 256);
	block[QUERY_REGION + 3] = (uint8_t)(CFI_FLASH_BLOCK / 256 >> 8);
}

/* The same in each block: block lock status, the third identifier, is 0. */
static void show_block(struct cfi_flash *flash, const uint8_t block[CFI_FLASH_BLOCK])
{
	for (size_t at = 0; at < flash->size; at += CFI_FLASH_BLOCK)
		memcpy(flash->view + at, block, CFI_FLASH_BLOCK);
}

/* Has the view be what is read. */
static void show(struct cfi_flash *flash)
{
	uint8_t block[CFI_FLASH_BLOCK] = { MANUFACTURER_INTEL, DEVICE_28F320J3 };

	switch ((enum mode)flash->regs.mode) {
	case READ_ARRAY:
		memcpy(flash->view, flash->cells, flash->size);
		break;
	case READ_STATUS:
		memset(flash->view, flash->regs.status, flash->size);
		break;
	case READ_QUERY:
		describe(block, flash->size);
		show_block(flash, block);
		break;
	case READ_IDENTIFIER:
		show_block(flash, block);
		break;
	case MODES:
		break;
	}
}

static void change(struct cfi_flash *flash, size_t offset, const uint8_t *cells, size_t size,
		   uint8_t error)
{
	flash->regs.status |= STATUS_READY;
	if (flash->wires.keep(flash->wires.arg, offset, cells, size)) {
		flash->regs.status |= error;
		return;
	}
	memcpy(flash->cells + offset, cells, size);
	flash->unsettled = true;
}

/* A bit that is 0 stays so until its block is erased. */
static void program(struct cfi_flash *flash, size_t offset, const uint8_t *data, unsigned length)
{
	uint8_t cells[8];

	for (unsigned i = 0; i < length; i++)
		cells[i] = flash->cells[offset + i] & data[i];
	change(flash, offset, cells, length, STATUS_PROGRAM_ERROR);
}

static void erase(struct cfi_flash *flash, size_t offset)
{
	uint8_t block[CFI_FLASH_BLOCK];

	memset(block, ERASED, sizeof(block));
	change(flash, offset - offset % CFI_FLASH_BLOCK, block, sizeof(block), STATUS_ERASE_ERROR);
}

static void settle(struct cfi_flash *flash)
{
	if (flash->unsettled)
		flash->wires.settle(flash->wires.arg);
	flash->unsettled = false;
}

static void begin(struct cfi_flash *flash, enum pending pending)
{
	flash->regs.mode = READ_STATUS;
	flash->regs.pending = (uint8_t)pending;
}

/* What is no command changes nothing. */
static void command(struct cfi_flash *flash, uint8_t command)
{
	struct cfi_flash_registers *regs = &flash->regs;

	switch (command) {
	case COMMAND_PROGRAM:
	case COMMAND_PROGRAM_ALTERNATE:
		begin(flash, PROGRAM);
		break;
	case COMMAND_ERASE:
		begin(flash, ERASE);
		break;
	case COMMAND_CLEAR_STATUS:
		regs->status = 0;
		break;
	case COMMAND_READ_STATUS:
		regs->mode = READ_STATUS;
		break;
	case COMMAND_READ_IDENTIFIER:
		regs->mode = READ_IDENTIFIER;
		break;
	case COMMAND_READ_QUERY:
		regs->mode = READ_QUERY;
		break;
	case COMMAND_READ_ARRAY:
		regs->mode = READ_ARRAY;
		settle(flash);
		break;
	}
}

static void take(struct cfi_flash *flash, size_t offset, const uint8_t *data, unsigned length)
{
	enum pending pending = flash->regs.pending;

	flash->regs.pending = NOTHING;
	if (pending == NOTHING)
		command(flash, *data);
	else if (pending == PROGRAM)
		program(flash, offset, data, length);
	else if (*data == COMMAND_CONFIRM)
		erase(flash, offset);
	else
		flash->regs.status |= STATUS_READY | STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
}

static void flash_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct cfi_flash *flash = device;
	struct cfi_flash_registers before;

	mutex_lock(&flash->lock);
	before = flash->regs;
	take(flash, (size_t)offset, data, length);
	if (flash->regs.mode != before.mode ||
	    (flash->regs.mode == READ_STATUS && flash->regs.status != before.status))
		show(flash);
	mutex_unlock(&flash->lock);
}

/* What KVM does not read from the slot by itself. */
static void flash_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct cfi_flash *flash = device;

	mutex_lock(&flash->lock);
	memcpy(data, flash->view + offset, length);
	mutex_unlock(&flash->lock);
}

static const struct bus_ops flash_ops = { "flash", flash_read, flash_write };

int cfi_flash_init(struct cfi_flash *flash, struct bus *bus, uint64_t base, uint8_t *cells,
		   size_t size, const struct cfi_flash_wires *wires, struct cause *cause)
{
	void *view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int range;

	if (view == MAP_FAILED)
		return cause_errno(cause, errno, "flash");
	flash->view = view;
	flash->size = size;
	flash->cells = cells;
	flash->wires = *wires;
	flash->regs = (struct cfi_flash_registers){ .status = STATUS_READY };
	show(flash);
	range = bus_add(bus, base, size, &flash_ops, flash, cause);
	return range < 0 ? range : 0;
}

void cfi_flash_destroy(struct cfi_flash *flash)
{
	settle(flash);
	if (flash->view)
		munmap(flash->view, flash->size);
	flash->view = NULL;
}

void cfi_flash_save(struct cfi_flash *flash, struct cfi_flash_registers *registers)
{
	mutex_lock(&flash->lock);
	*registers = flash->regs;
	mutex_unlock(&flash->lock);
}

const char *cfi_flash_load(struct cfi_flash *flash, const struct cfi_flash_registers *registers)
{
	if (registers->mode >= MODES)
		return "mode";
	/* Whoever has begun reads the status until it is done. */
	if (registers->pending >= PENDINGS ||
	    (registers->pending != NOTHING && registers->mode != READ_STATUS))
		return "command";
	if (registers->status & ~STATUS_MASK)
		return "status";
	mutex_lock(&flash->lock);
	flash->regs = *registers;
	show(flash);
	mutex_unlock(&flash->lock);
	return NULL;
}
