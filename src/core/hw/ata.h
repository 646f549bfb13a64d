/*
 * A drive behind a SATA port: what the controller gives it and gets from it.
 * ATA8-ACS, ATA8-AST, SFF-8020i and MMC-6 for CD-ROMs.
 *
 * A drive executes commands; their data lies in guest memory, where the port finds
 * it. All calls are for the guest's I/O thread.
 */
#ifndef CORE_HW_ATA_H
#define CORE_HW_ATA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/disk/disk.h"

#define ATA_PACKET_SIZE 16
#define ATA_QUEUE_DEPTH 32
#define ATA_SERIAL_SIZE 20 /* characters, padded with spaces */
#define ATA_MEDIUM_SIZE 2048 /* bytes of a sector of a CD */

/* Status and error registers, ACS § 6.2, § 6.3. */
#define ATA_BUSY 0x80
#define ATA_READY 0x40
#define ATA_FAULT 0x20
#define ATA_SEEK 0x10 /* SERVICE or DSC: it is set in all that is well */
#define ATA_DRQ 0x08
#define ATA_ERROR 0x01
#define ATA_GOOD (ATA_READY | ATA_SEEK)
#define ATA_ABORTED 0x04
#define ATA_NO_ID 0x10
#define ATA_UNCORRECTABLE 0x40

struct ata_drive;

/* How a command moves its data, which decides what the port tells of its end. */
enum ata_protocol { ATA_NO_DATA, ATA_PIO_IN, ATA_PIO_OUT, ATA_DMA, ATA_QUEUED };

struct ata_command {
	struct disk_request disk;
	struct ata_drive *drive;
	struct ata_command *next; /* in the list of finished ones */
	/* What the driver sent; the drive uses it up. */
	uint64_t lba; /* 48 bits */
	uint16_t count, features;
	uint8_t code, device;
	uint8_t slot; /* 0 to 31; the tag of a queued one */
	bool queued;  /* the driver takes it for a queued one */
	uint8_t packet[ATA_PACKET_SIZE];
	/* What became of it, set by the drive. */
	enum ata_protocol protocol;
	uint8_t status, error;
	uint64_t answer;	/* LBA register */
	uint16_t answer_count;	/* sector count register */
	uint32_t moved;		/* bytes */
	/* What of the guest's memory the data is for. */
	unsigned iov_count;
	struct iovec iov[DISK_IOV_MAX];
	/* Ranges that a TRIM still has to do. */
	unsigned next_range, ranges;
	uint64_t list[DISK_SECTOR / 8];
};

struct ata_ops {
	uint32_t signature; /* what the drive says of itself after a reset */
	/* Begins a command: true when it is done, false when ata_finished() will tell. */
	bool (*start)(struct ata_command *command);
	void (*failed)(struct ata_command *command); /* the disk could not: sets the result */
	void (*reset)(struct ata_drive *drive);	     /* by the driver */
	/*
	 * Of a drive with a medium: it has another one (or NULL); somebody would like to have it.
	 * No command is executed.
	 */
	void (*exchanged)(struct ata_drive *drive, struct disk *medium);
	void (*asked_for)(struct ata_drive *drive);
};

/* What is saved of a drive. */
struct __attribute__((packed)) ata_registers {
	uint64_t size; /* of the medium, bytes; 0 without one */
	uint8_t readonly;
	uint8_t no_write_cache; /* of a disk */
	uint8_t failed_valid, failed_tag, failed_status, failed_error;
	uint64_t failed_lba;
	uint8_t sense_key, sense_code, sense_qualifier; /* of a CD-ROM, as the rest */
	uint8_t attention, event, locked, open;
};

struct ata_drive {
	const struct ata_ops *ops;
	struct disk *disk; /* NULL: no medium */
	char serial[ATA_SERIAL_SIZE + 1];
	struct ata_command *finished;
	/*
	 * Has the command's iov be the first bytes of its data in guest memory; returns how many
	 * there are, at most so many.
	 */
	uint64_t (*map)(struct ata_command *command, uint64_t bytes);
	struct ata_registers state; /* size and readonly are filled in when it is saved */
};

extern const struct ata_ops ata_disk_ops, ata_cdrom_ops;

/* --- for drives --- */

/* Sets the result; returns true: the command is done. */
bool ata_succeed(struct ata_command *command);
bool ata_fail(struct ata_command *command, uint8_t error);

/* Gives data to the driver by PIO, as much as it has room for, and succeeds. */
bool ata_reply(struct ata_command *command, const void *data, uint32_t size);

/* Copies at most size bytes of what the driver sends; returns how many. */
uint32_t ata_fetch(struct ata_command *command, void *data, uint32_t size);

/*
 * Moves bytes at offset between the disk and the driver; operation and flags of the request
 * are set. False when it is under way; a range that is not there fails with error.
 */
bool ata_move(struct ata_command *command, uint64_t offset, uint64_t bytes, uint8_t error);

/* The disk is done with a command: its result is what it was there. */
void ata_done(struct disk_request *request, int result);

/* Hands command->disk to the disk. False when it is under way. */
bool ata_queue(struct ata_command *command, void (*done)(struct disk_request *request, int result));

/* The command that was under way is done: its result is set. */
void ata_finished(struct ata_command *command);

/* Identification words from bytes: size characters, padded, each two swapped. */
void ata_text(uint16_t *words, const char *text, unsigned size);

/* What both kinds of drive say of themselves alike; 256 words, all zero before. */
void ata_identify(const struct ata_drive *drive, uint16_t *words, const char *model);

/* NULL, or what of the saved state cannot be so. */
const char *ata_load(struct ata_drive *drive, const struct ata_registers *registers);
void ata_save(const struct ata_drive *drive, struct ata_registers *registers);

#endif
