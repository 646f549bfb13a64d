/*
 * A SATA disk. ACS § 7; TRIM § 7.10, queued commands § 7.22 and § 7.63, the log of
 * their errors § A.9. The guest's I/O thread.
 */
#include "core/hw/ata.h"

#include <string.h>

#include "base/checked.h"

#define LBA28_SECTORS 0x0fffffffu
#define LBA_MASK 0xffffffffffffull
#define DEVICE_FUA 0x80 /* of queued writes */
#define LOG_QUEUED_ERROR 0x10
#define TRIM_LENGTH_SHIFT 48

/* What of a command's registers counts, and how. */
enum form { FORM_28, FORM_48, FORM_QUEUED };

static uint64_t sectors_of(const struct ata_drive *drive)
{
	return disk_size(drive->disk) / DISK_SECTOR;
}

/* --- identity and logs --- */

static bool identify(struct ata_command *command)
{
	const struct ata_drive *drive = command->drive;
	uint64_t sectors = sectors_of(drive);
	uint16_t words[256] = { 0 };
	uint8_t sum = 0xa5;

	ata_identify(drive, words, "vmdeck disk");
	words[0] = 0x0040;
	words[1] = 16383; /* cylinders, heads and sectors, as for all disks that have more */
	words[3] = 16;
	words[6] = 63;
	words[47] = 0x8001; /* a sector per READ MULTIPLE */
	words[59] = 0x0101;
	for (unsigned i = 0; i < 2; i++)
		words[60 + i] = (uint16_t)((sectors < LBA28_SECTORS ? sectors : LBA28_SECTORS) >> 16 * i);
	words[75] = ATA_QUEUE_DEPTH - 1;
	words[76] |= 0x0100; /* queued commands */
	words[82] = 0x4060; /* NOP, read look-ahead, write cache */
	words[83] = 0x7400; /* FLUSH EXT, FLUSH, 48-bit addresses */
	words[84] = 0x4060; /* WRITE FUA EXT, logs */
	words[85] = drive->state.no_write_cache ? 0x4040 : 0x4060;
	words[86] = 0x3400;
	words[87] = 0x4060;
	for (unsigned i = 0; i < 4; i++)
		words[100 + i] = (uint16_t)(sectors >> 16 * i);
	words[106] = 0x6003; /* 4096 bytes a physical sector */
	words[217] = 1; /* does not rotate */
	if (!disk_is_readonly(drive->disk)) {
		words[105] = 1; /* block of ranges a TRIM */
		words[169] = 1; /* TRIM */
	}
	words[255] = 0x00a5;
	for (unsigned i = 0; i < 510; i++)
		sum += (uint8_t)(words[i / 2] >> 8 * (i % 2));
	words[255] |= (uint16_t)((uint8_t)-sum << 8);
	return ata_reply(command, words, sizeof(words));
}

/* The directory of logs, and the log of the queued command that failed. */
static bool read_log(struct ata_command *command)
{
	struct ata_registers *state = &command->drive->state;
	uint8_t page[DISK_SECTOR] = { 0 };
	uint8_t sum = 0;

	if (command->count != 1 || (command->lba & 0xff00))
		return ata_fail(command, ATA_ABORTED);
	switch (command->lba & 0xff) {
	case 0:
		page[0] = 1; /* version */
		page[2 * LOG_QUEUED_ERROR] = 1; /* pages */
		break;
	case LOG_QUEUED_ERROR:
		page[0] = state->failed_valid ? state->failed_tag : 0x80;
		page[2] = state->failed_status;
		page[3] = state->failed_error;
		for (unsigned i = 0; i < 3; i++) {
			page[4 + i] = (uint8_t)(state->failed_lba >> 8 * i);
			page[8 + i] = (uint8_t)(state->failed_lba >> 8 * (i + 3));
		}
		for (unsigned i = 0; i < DISK_SECTOR - 1; i++)
			sum += page[i];
		page[DISK_SECTOR - 1] = (uint8_t)-sum;
		state->failed_valid = 0;
		break;
	default:
		return ata_fail(command, ATA_ABORTED);
	}
	return ata_reply(command, page, sizeof(page));
}

/* --- data --- */

/* Sectors that the registers name; where, in *first. */
static uint32_t range_of(const struct ata_command *command, enum form form, uint64_t *first)
{
	uint32_t count = form == FORM_QUEUED ? command->features : command->count;

	*first = command->lba;
	if (form == FORM_28) {
		*first = (command->lba & 0xffffff) | (uint64_t)(command->device & 15) << 24;
		count &= 0xff;
		return count ? count : 0x100;
	}
	return count ? count : 0x10000;
}

static bool move(struct ata_command *command, enum form form, enum disk_operation operation,
		 bool stable)
{
	uint64_t first;
	uint32_t sectors = range_of(command, form, &first);

	command->disk.operation = operation;
	command->disk.stable = stable || (operation == DISK_WRITE &&
					  command->drive->state.no_write_cache);
	return ata_move(command, first * DISK_SECTOR, (uint64_t)sectors * DISK_SECTOR, ATA_NO_ID);
}

/* Nothing is read: that the sectors are there is all that is known. */
static bool verify(struct ata_command *command, enum form form)
{
	uint64_t first, there = sectors_of(command->drive);
	uint32_t sectors = range_of(command, form, &first);

	if (first > there || sectors > there - first)
		return ata_fail(command, ATA_NO_ID);
	return ata_succeed(command);
}

static void failed(struct ata_command *command)
{
	if (command->disk.operation == DISK_READ) {
		ata_fail(command, ATA_UNCORRECTABLE);
		return;
	}
	ata_fail(command, ATA_ABORTED);
	command->status |= ATA_FAULT;
}

static bool flush(struct ata_command *command)
{
	command->disk.operation = DISK_FLUSH;
	command->iov_count = 0;
	return ata_queue(command, ata_done);
}

/* --- TRIM --- */

static bool trim_next(struct ata_command *command);

static void trimmed(struct disk_request *request, int result)
{
	struct ata_command *command = container_of(request, struct ata_command, disk);

	if (result < 0)
		failed(command);
	else if (!trim_next(command))
		return;
	ata_finished(command);
}

/* Gives up the next range, with those that go on where it ends. */
static bool trim_next(struct ata_command *command)
{
	uint64_t first = 0, count = 0, there = sectors_of(command->drive);

	while (command->next_range < command->ranges) {
		uint64_t entry = command->list[command->next_range];
		uint64_t length = entry >> TRIM_LENGTH_SHIFT, begin = entry & LBA_MASK;

		if (length && count && begin != first + count)
			break;
		command->next_range++;
		if (!length)
			continue;
		if (begin > there || length > there - begin)
			return ata_fail(command, ATA_NO_ID);
		if (!count)
			first = begin;
		count += length;
	}
	if (!count)
		return ata_succeed(command);
	command->disk.operation = DISK_DISCARD;
	command->disk.offset = first * DISK_SECTOR;
	command->disk.length = count * DISK_SECTOR;
	command->iov_count = 0;
	return ata_queue(command, trimmed);
}

static bool trim(struct ata_command *command)
{
	if (!(command->features & 1) || command->count != 1 ||
	    disk_is_readonly(command->drive->disk))
		return ata_fail(command, ATA_ABORTED);
	command->next_range = 0;
	command->ranges = ata_fetch(command, command->list, sizeof(command->list)) / 8;
	if (command->ranges != ARRAY_SIZE(command->list))
		return ata_fail(command, ATA_ABORTED);
	return trim_next(command);
}

/* --- settings --- */

static bool set_features(struct ata_command *command)
{
	switch (command->features & 0xff) {
	case 0x02: /* write cache on, off */
	case 0x82:
		command->drive->state.no_write_cache = (command->features & 0xff) == 0x82;
		if (command->drive->state.no_write_cache)
			return flush(command); /* what it holds */
		return ata_succeed(command);
	case 0x03: /* transfer mode: all are alike */
	case 0x55: /* read look-ahead off, on */
	case 0xaa:
	case 0x66: /* whether a reset changes settings */
	case 0xcc:
		return ata_succeed(command);
	default:
		return ata_fail(command, ATA_ABORTED);
	}
}

static bool native_max(struct ata_command *command, enum form form)
{
	uint64_t last = sectors_of(command->drive) - 1;

	if (form == FORM_28 && last >= LBA28_SECTORS)
		last = LBA28_SECTORS - 1;
	command->answer = last;
	return ata_succeed(command);
}

static bool check_power(struct ata_command *command)
{
	command->answer_count = 0xff; /* active */
	return ata_succeed(command);
}

/* Commands that move sectors. */
static const struct transfer {
	uint8_t code;
	enum ata_protocol protocol;
	enum form form;
	enum disk_operation operation;
	bool stable;
} transfers[] = {
	{ 0x20, ATA_PIO_IN, FORM_28, DISK_READ, false },    /* READ SECTORS */
	{ 0x24, ATA_PIO_IN, FORM_48, DISK_READ, false },    /* READ SECTORS EXT */
	{ 0x25, ATA_DMA, FORM_48, DISK_READ, false },	    /* READ DMA EXT */
	{ 0x29, ATA_PIO_IN, FORM_48, DISK_READ, false },    /* READ MULTIPLE EXT */
	{ 0x30, ATA_PIO_OUT, FORM_28, DISK_WRITE, false },  /* WRITE SECTORS */
	{ 0x34, ATA_PIO_OUT, FORM_48, DISK_WRITE, false },  /* WRITE SECTORS EXT */
	{ 0x35, ATA_DMA, FORM_48, DISK_WRITE, false },	    /* WRITE DMA EXT */
	{ 0x39, ATA_PIO_OUT, FORM_48, DISK_WRITE, false },  /* WRITE MULTIPLE EXT */
	{ 0x3d, ATA_DMA, FORM_48, DISK_WRITE, true },	    /* WRITE DMA FUA EXT */
	{ 0x60, ATA_QUEUED, FORM_QUEUED, DISK_READ, false },  /* READ FPDMA QUEUED */
	{ 0x61, ATA_QUEUED, FORM_QUEUED, DISK_WRITE, false }, /* WRITE FPDMA QUEUED */
	{ 0xc4, ATA_PIO_IN, FORM_28, DISK_READ, false },    /* READ MULTIPLE */
	{ 0xc5, ATA_PIO_OUT, FORM_28, DISK_WRITE, false },  /* WRITE MULTIPLE */
	{ 0xc8, ATA_DMA, FORM_28, DISK_READ, false },	    /* READ DMA */
	{ 0xca, ATA_DMA, FORM_28, DISK_WRITE, false },	    /* WRITE DMA */
};

static const struct transfer *find_transfer(uint8_t code)
{
	for (unsigned i = 0; i < ARRAY_SIZE(transfers); i++)
		if (transfers[i].code == code)
			return &transfers[i];
	return NULL;
}

static bool start_other(struct ata_command *command)
{
	command->protocol = ATA_NO_DATA;
	switch (command->code) {
	case 0x06: /* DATA SET MANAGEMENT */
		command->protocol = ATA_DMA;
		return trim(command);
	case 0x27: /* READ NATIVE MAX ADDRESS EXT */
		return native_max(command, FORM_48);
	case 0x2f: /* READ LOG EXT */
		return read_log(command);
	case 0x40: /* READ VERIFY SECTORS */
		return verify(command, FORM_28);
	case 0x42: /* READ VERIFY SECTORS EXT */
		return verify(command, FORM_48);
	case 0xc6: /* SET MULTIPLE MODE */
		return (command->count & 0xff) <= 1 ? ata_succeed(command)
						    : ata_fail(command, ATA_ABORTED);
	case 0xe5: /* CHECK POWER MODE */
		return check_power(command);
	case 0xe7: /* FLUSH CACHE */
	case 0xea: /* FLUSH CACHE EXT */
		return flush(command);
	case 0xec: /* IDENTIFY DEVICE */
		return identify(command);
	case 0xef: /* SET FEATURES */
		return set_features(command);
	case 0xf8: /* READ NATIVE MAX ADDRESS */
		return native_max(command, FORM_28);
	case 0x10: /* RECALIBRATE */
	case 0x70: /* SEEK */
	case 0x91: /* INITIALIZE DEVICE PARAMETERS */
	case 0xe0: /* STANDBY IMMEDIATE, IDLE IMMEDIATE, STANDBY, IDLE, SLEEP */
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6:
		return ata_succeed(command);
	default:
		return ata_fail(command, ATA_ABORTED);
	}
}

static bool start(struct ata_command *command)
{
	const struct transfer *transfer = find_transfer(command->code);

	if (command->queued != (transfer && transfer->protocol == ATA_QUEUED))
		return ata_fail(command, ATA_ABORTED);
	if (!transfer)
		return start_other(command);
	command->protocol = transfer->protocol;
	return move(command, transfer->form, transfer->operation,
		    transfer->stable || (transfer->protocol == ATA_QUEUED &&
					 transfer->operation == DISK_WRITE &&
					 (command->device & DEVICE_FUA)));
}

static void reset(struct ata_drive *drive)
{
	drive->state.no_write_cache = 0;
	drive->state.failed_valid = 0;
}

const struct ata_ops ata_disk_ops = { .signature = 0x00000101, .start = start,
				     .failed = failed, .reset = reset };
