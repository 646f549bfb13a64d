/*
 * What both kinds of ATA drives do alike: results, data in guest memory, identity.
 * ACS § 7.16. The guest's I/O thread.
 */
#include "core/hw/ata.h"

#include <string.h>

#include "base/checked.h"

bool ata_succeed(struct ata_command *command)
{
	command->status = ATA_GOOD;
	command->error = 0;
	return true;
}

bool ata_fail(struct ata_command *command, uint8_t error)
{
	command->status = ATA_GOOD | ATA_ERROR;
	command->error = error;
	command->moved = 0;
	return true;
}

bool ata_reply(struct ata_command *command, const void *data, uint32_t size)
{
	const uint8_t *from = data;

	command->protocol = ATA_PIO_IN;
	command->moved = (uint32_t)command->drive->map(command, size);
	for (unsigned i = 0; i < command->iov_count; i++) {
		memcpy(command->iov[i].iov_base, from, command->iov[i].iov_len);
		from += command->iov[i].iov_len;
	}
	return ata_succeed(command);
}

uint32_t ata_fetch(struct ata_command *command, void *data, uint32_t size)
{
	uint8_t *to = data;

	command->moved = (uint32_t)command->drive->map(command, size);
	for (unsigned i = 0; i < command->iov_count; i++) {
		memcpy(to, command->iov[i].iov_base, command->iov[i].iov_len);
		to += command->iov[i].iov_len;
	}
	return command->moved;
}

void ata_finished(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;

	command->next = drive->finished;
	drive->finished = command;
}

bool ata_queue(struct ata_command *command, void (*done)(struct disk_request *request, int result))
{
	command->disk.done = done;
	command->disk.iov = command->iov;
	command->disk.iov_count = command->iov_count;
	if (disk_queue(command->drive->disk, &command->disk) < 0)
		return ata_fail(command, ATA_ABORTED);
	return false;
}

void ata_done(struct disk_request *request, int result)
{
	struct ata_command *command = container_of(request, struct ata_command, disk);

	if (result == 0)
		ata_succeed(command);
	else
		command->drive->ops->failed(command);
	ata_finished(command);
}

bool ata_move(struct ata_command *command, uint64_t offset, uint64_t bytes, uint8_t error)
{
	uint64_t size = disk_size(command->drive->disk);

	if (!range_inside(offset, bytes, size) || bytes > UINT32_MAX)
		return ata_fail(command, error);
	if (command->drive->map(command, bytes) != bytes)
		return ata_fail(command, ATA_ABORTED);
	command->moved = (uint32_t)bytes;
	command->disk.offset = offset;
	command->disk.length = bytes;
	return ata_queue(command, ata_done);
}

void ata_text(uint16_t *words, const char *text, unsigned size)
{
	size_t length = strnlen(text, size);

	for (unsigned i = 0; i < size; i += 2) {
		uint8_t first = i < length ? (uint8_t)text[i] : ' ';
		uint8_t second = i + 1 < length ? (uint8_t)text[i + 1] : ' ';

		words[i / 2] = (uint16_t)(first << 8 | second);
	}
}

void ata_identify(const struct ata_drive *drive, uint16_t *words, const char *model)
{
	ata_text(words + 10, drive->serial, ATA_SERIAL_SIZE);
	ata_text(words + 23, "1", 8);
	ata_text(words + 27, model, 40);
	words[49] = 0x0300; /* DMA, LBA */
	words[53] = 0x0006; /* words 64 to 70 and 88 hold */
	words[63] = 0x0007; /* multiword DMA 0 to 2 */
	words[64] = 0x0003; /* PIO 3 and 4 */
	words[65] = words[66] = words[67] = words[68] = 120; /* ns a cycle */
	words[76] = 0x000e; /* SATA at 1.5, 3 and 6 Gbit/s */
	words[80] = 0x01f0; /* ATA-4 to ATA8-ACS */
	words[88] = 0x203f; /* Ultra DMA 0 to 5, the last chosen */
	words[222] = 0x1010; /* SATA */
}

void ata_save(const struct ata_drive *drive, struct ata_registers *registers)
{
	*registers = drive->state;
	registers->size = drive->disk ? disk_size(drive->disk) : 0;
	registers->readonly = drive->disk && disk_is_readonly(drive->disk);
}

const char *ata_load(struct ata_drive *drive, const struct ata_registers *registers)
{
	uint64_t size = drive->disk ? disk_size(drive->disk) : 0;

	if (registers->size != size)
		return "the image has another size";
	if (registers->readonly != (drive->disk && disk_is_readonly(drive->disk)))
		return "readonly";
	if (registers->no_write_cache > 1 || registers->failed_valid > 1 ||
	    registers->failed_tag >= ATA_QUEUE_DEPTH || registers->sense_key > 15 ||
	    registers->attention > 1 || registers->event > 3 || registers->locked > 1 ||
	    registers->open > 1)
		return "drive";
	drive->state = *registers;
	return NULL;
}
