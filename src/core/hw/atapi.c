/*
 * A CD-ROM drive. Packets of SFF-8020i and MMC-6 in ATA commands, ACS § 7.18 and
 * § 7.25; INQUIRY and sense data of SPC-4. The guest's I/O thread.
 *
 * The medium stays in the drive when the guest opens the tray, and is there again
 * when it closes it. A person who puts another one in closes the tray.
 */
#include <string.h>

#include "base/checked.h"
#include "core/hw/ata.h"

#define REPLY_MAX 512
#define CD_SECTORS_MAX 449999u /* 99:59:74; larger media are DVDs */
#define PROFILE_CD 0x0008
#define PROFILE_DVD 0x0010
#define EVENT_MEDIA 4 /* class of GET EVENT STATUS NOTIFICATION */

enum { KEY_NOT_READY = 2, KEY_MEDIUM = 3, KEY_ILLEGAL = 5, KEY_ATTENTION = 6 };
enum { EVENT_NONE, EVENT_ASKED_FOR, EVENT_NEW_MEDIUM, EVENT_NO_MEDIUM };

/* Additional sense codes with their qualifiers. */
#define SENSE_READ_ERROR 0x1100
#define SENSE_INVALID_COMMAND 0x2000
#define SENSE_OUT_OF_RANGE 0x2100
#define SENSE_INVALID_FIELD 0x2400
#define SENSE_CHANGED 0x2800
#define SENSE_NO_MEDIUM 0x3a01
#define SENSE_TRAY_OPEN 0x3a02
#define SENSE_LOCKED 0x5302

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t sectors_of(const struct ata_drive *drive)
{
	uint64_t sectors = disk_size(drive->disk) / ATA_MEDIUM_SIZE;

	return sectors < UINT32_MAX ? (uint32_t)sectors : UINT32_MAX;
}

static bool has_medium(const struct ata_drive *drive)
{
	return drive->disk && !drive->state.open;
}

/* --- results --- */

static void set_sense(struct ata_drive *drive, uint8_t key, uint16_t code)
{
	drive->state.sense_key = key;
	drive->state.sense_code = (uint8_t)(code >> 8);
	drive->state.sense_qualifier = (uint8_t)code;
}

/* CHECK CONDITION: the driver asks for the sense data then. */
static bool check(struct ata_command *command, uint8_t key, uint16_t code)
{
	set_sense(command->drive, key, code);
	return ata_fail(command, (uint8_t)(key << 4 | ATA_ABORTED));
}

static bool reply(struct ata_command *command, const uint8_t *data, uint32_t size, uint32_t allowed)
{
	return ata_reply(command, data, size < allowed ? size : allowed);
}

static bool not_ready(struct ata_command *command)
{
	return check(command, KEY_NOT_READY,
		     command->drive->state.open ? SENSE_TRAY_OPEN : SENSE_NO_MEDIUM);
}

/* --- commands without a medium --- */

static bool request_sense(struct ata_command *command)
{
	struct ata_registers *state = &command->drive->state;
	uint8_t data[18] = { [0] = 0x70, [2] = state->sense_key, [7] = 10,
			     [12] = state->sense_code, [13] = state->sense_qualifier };

	set_sense(command->drive, 0, 0);
	return reply(command, data, sizeof(data), command->packet[4]);
}

static bool inquiry(struct ata_command *command)
{
	uint8_t data[36] = { [0] = 5, [1] = 0x80, [2] = 5, [3] = 2, [4] = sizeof(data) - 5 };

	if (command->packet[1] & 1)
		return check(command, KEY_ILLEGAL, SENSE_INVALID_FIELD);
	memcpy(data + 8, "vmdeck  CD-ROM          1   ", 28);
	return reply(command, data, sizeof(data), get16(command->packet + 3));
}

static bool start_stop(struct ata_command *command)
{
	struct ata_registers *state = &command->drive->state;
	bool load = command->packet[4] & 2, start = command->packet[4] & 1;

	if (!load)
		return ata_succeed(command);
	if (!start && state->locked)
		return check(command, KEY_ILLEGAL, SENSE_LOCKED);
	if (start && state->open && command->drive->disk) {
		state->attention = 1;
		state->event = EVENT_NEW_MEDIUM;
	}
	state->open = !start;
	return ata_succeed(command);
}

static bool prevent(struct ata_command *command)
{
	command->drive->state.locked = command->packet[4] & 1;
	return ata_succeed(command);
}

/* What has happened to the medium since it was asked last. */
static bool event_status(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;
	uint8_t data[8] = { [1] = 2, [2] = 0x80, [3] = 1 << EVENT_MEDIA };

	if (!(command->packet[1] & 1)) /* it would have to be told later */
		return check(command, KEY_ILLEGAL, SENSE_INVALID_FIELD);
	if (!(command->packet[4] & 1 << EVENT_MEDIA))
		return reply(command, data, 4, get16(command->packet + 7));
	data[1] = 6;
	data[2] = EVENT_MEDIA;
	data[4] = drive->state.event;
	data[5] = (uint8_t)(has_medium(drive) << 1 | drive->state.open);
	drive->state.event = EVENT_NONE;
	return reply(command, data, sizeof(data), get16(command->packet + 7));
}

static uint16_t current_profile(const struct ata_drive *drive)
{
	if (!has_medium(drive))
		return 0;
	return sectors_of(drive) > CD_SECTORS_MAX ? PROFILE_DVD : PROFILE_CD;
}

/* Features: the profiles, the core, removable media, random reading. */
static bool configuration(struct ata_command *command)
{
	uint16_t current = current_profile(command->drive);
	uint8_t data[] = {
		0, 0, 0, 0, 0, 0, 0, 0,
		0x00, 0x00, 0x03, 8, 0x00, PROFILE_DVD, 0, 0, 0x00, PROFILE_CD, 0, 0,
		0x00, 0x01, 0x03, 4, 0, 0, 0, 2, /* ATAPI */
		0x00, 0x03, 0x03, 4, 0x29, 0, 0, 0, /* a tray that locks and opens */
		0x00, 0x10, 0x02, 8, 0, 0, ATA_MEDIUM_SIZE >> 8, 0, 0, 1, 0, 0,
	};

	put32(data, sizeof(data) - 4);
	put16(data + 6, current);
	data[14] = current == PROFILE_DVD;
	data[18] = current == PROFILE_CD;
	data[38] |= current != 0;
	return reply(command, data, sizeof(data), get16(command->packet + 7));
}

static bool mode_sense(struct ata_command *command)
{
	bool wide = command->packet[0] == 0x5a;
	uint32_t allowed = wide ? get16(command->packet + 7) : command->packet[4];
	uint8_t data[64] = { 0 }, page = command->packet[2] & 0x3f;
	uint32_t header = wide ? 8 : 4, size = header;

	if (command->packet[2] >> 6 == 3) /* saved values */
		return check(command, KEY_ILLEGAL, SENSE_INVALID_FIELD);
	if (page == 0x01 || page == 0x3f) { /* error recovery */
		static const uint8_t recovery[] = { 0x01, 6, 0, 5, 0, 0, 0, 0 };

		memcpy(data + size, recovery, sizeof(recovery));
		size += sizeof(recovery);
	}
	if (page == 0x2a || page == 0x3f) { /* capabilities */
		static const uint8_t capabilities[] = { 0x2a, 20, 0x0b, 0, 0x70, 0x60, 0x29, 0,
							0x1b, 0x90, 0, 2, 2, 0, 0x1b, 0x90, 0, 0,
							0, 0, 0, 0 };

		memcpy(data + size, capabilities, sizeof(capabilities));
		data[size + 6] |= (uint8_t)(command->drive->state.locked << 1);
		size += sizeof(capabilities);
	}
	if (size == header)
		return check(command, KEY_ILLEGAL, SENSE_INVALID_FIELD);
	if (wide)
		put16(data, size - 2);
	else
		data[0] = (uint8_t)(size - 1);
	return reply(command, data, size, allowed);
}

static bool mechanism_status(struct ata_command *command)
{
	const struct ata_registers *state = &command->drive->state;
	uint8_t data[8] = { [1] = (uint8_t)(state->open << 4), [5] = 1 };

	return reply(command, data, sizeof(data), get16(command->packet + 8));
}

/* --- commands with a medium --- */

static bool test_ready(struct ata_command *command)
{
	return ata_succeed(command);
}

static bool capacity(struct ata_command *command)
{
	uint8_t data[8];

	put32(data, sectors_of(command->drive) - 1);
	put32(data + 4, ATA_MEDIUM_SIZE);
	return reply(command, data, sizeof(data), sizeof(data));
}

static bool read_sectors(struct ata_command *command)
{
	const uint8_t *packet = command->packet;
	uint32_t count = packet[0] == 0x28 ? get16(packet + 7) : get32(packet + 6);
	bool there;

	if (!count)
		return ata_succeed(command);
	there = range_inside(get32(packet + 2), count, sectors_of(command->drive));
	if (!there)
		return check(command, KEY_ILLEGAL, SENSE_OUT_OF_RANGE);
	command->disk.operation = DISK_READ;
	command->protocol = command->features & 1 ? ATA_DMA : ATA_PIO_IN;
	return ata_move(command, (uint64_t)get32(packet + 2) * ATA_MEDIUM_SIZE,
			(uint64_t)count * ATA_MEDIUM_SIZE, KEY_MEDIUM << 4 | ATA_ABORTED);
}

static void failed(struct ata_command *command)
{
	check(command, KEY_MEDIUM, SENSE_READ_ERROR);
}

static void put_address(uint8_t *at, uint32_t sector, bool msf)
{
	if (!msf) {
		put32(at, sector);
		return;
	}
	sector += 150; /* two seconds before the first */
	at[0] = 0;
	at[1] = (uint8_t)(sector / 75 / 60);
	at[2] = (uint8_t)(sector / 75 % 60);
	at[3] = (uint8_t)(sector % 75);
}

/* One session with one track of data; format 0 is its tracks, 1 its sessions. */
static bool read_toc(struct ata_command *command)
{
	const uint8_t *packet = command->packet;
	bool msf = packet[1] & 2;
	uint8_t format = packet[2] & 15, data[20] = { [2] = 1, [3] = 1 };
	uint32_t size = 4;

	if (!format)
		format = packet[9] >> 6; /* where it was once */
	if (format > 1 || (format == 0 && packet[6] > 1 && packet[6] != 0xaa))
		return check(command, KEY_ILLEGAL, SENSE_INVALID_FIELD);
	if (format == 1 || packet[6] <= 1) {
		data[size + 1] = 0x14;
		data[size + 2] = 1;
		put_address(data + size + 4, 0, msf);
		size += 8;
	}
	if (format == 0) {
		data[size + 1] = 0x14;
		data[size + 2] = 0xaa; /* the lead-out */
		put_address(data + size + 4, sectors_of(command->drive), msf);
		size += 8;
	}
	put16(data, size - 2);
	return reply(command, data, size, get16(packet + 7));
}

static bool disc_information(struct ata_command *command)
{
	uint8_t data[34] = { [1] = sizeof(data) - 2, [2] = 0x0e, [3] = 1, [4] = 1, [5] = 1,
			     [6] = 1, [7] = 0x20 };

	memset(data + 16, 0xff, 8);
	return reply(command, data, sizeof(data), get16(command->packet + 7));
}

/* --- packets --- */

/* What a command asks for first. */
enum need { ANY_TIME, AFTER_ATTENTION, WITH_MEDIUM };

static const struct packet_kind {
	uint8_t code;
	enum need need;
	bool (*run)(struct ata_command *command);
} packet_kinds[] = {
	{ 0x00, WITH_MEDIUM, test_ready },	 /* TEST UNIT READY */
	{ 0x03, ANY_TIME, request_sense },	 /* REQUEST SENSE */
	{ 0x12, ANY_TIME, inquiry },		 /* INQUIRY */
	{ 0x1a, AFTER_ATTENTION, mode_sense },	 /* MODE SENSE (6) */
	{ 0x1b, AFTER_ATTENTION, start_stop },	 /* START STOP UNIT */
	{ 0x1e, AFTER_ATTENTION, prevent },	 /* PREVENT ALLOW MEDIUM REMOVAL */
	{ 0x25, WITH_MEDIUM, capacity },	 /* READ CAPACITY */
	{ 0x28, WITH_MEDIUM, read_sectors },	 /* READ (10) */
	{ 0x2b, WITH_MEDIUM, test_ready },	 /* SEEK (10) */
	{ 0x43, WITH_MEDIUM, read_toc },	 /* READ TOC */
	{ 0x46, ANY_TIME, configuration },	 /* GET CONFIGURATION */
	{ 0x4a, ANY_TIME, event_status },	 /* GET EVENT STATUS NOTIFICATION */
	{ 0x51, WITH_MEDIUM, disc_information }, /* READ DISC INFORMATION */
	{ 0x5a, AFTER_ATTENTION, mode_sense },	 /* MODE SENSE (10) */
	{ 0xa8, WITH_MEDIUM, read_sectors },	 /* READ (12) */
	{ 0xbb, AFTER_ATTENTION, test_ready },	 /* SET CD SPEED */
	{ 0xbd, AFTER_ATTENTION, mechanism_status }, /* MECHANISM STATUS */
};

static bool run_packet(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;

	for (unsigned i = 0; i < ARRAY_SIZE(packet_kinds); i++) {
		const struct packet_kind *kind = &packet_kinds[i];

		if (kind->code != command->packet[0])
			continue;
		if (kind->need != ANY_TIME && drive->state.attention) {
			drive->state.attention = 0;
			return check(command, KEY_ATTENTION, SENSE_CHANGED);
		}
		if (kind->need == WITH_MEDIUM && !has_medium(drive))
			return not_ready(command);
		return kind->run(command);
	}
	return check(command, KEY_ILLEGAL, SENSE_INVALID_COMMAND);
}

static bool identify(struct ata_command *command)
{
	uint16_t words[256] = { 0 };

	ata_identify(command->drive, words, "vmdeck CD-ROM");
	words[0] = 0x8580; /* a CD-ROM with packets of 12 bytes, removable */
	words[82] = 0x0210; /* packets, DEVICE RESET */
	words[83] = 0x4000;
	words[84] = 0x4000;
	words[85] = 0x0210;
	words[87] = 0x4000;
	return ata_reply(command, words, sizeof(words));
}

/* A command that disks have is aborted and shows the signature, ACS § 7.16 of IDENTIFY DEVICE. */
static bool show_signature(struct ata_command *command)
{
	command->answer = ata_cdrom_ops.signature >> 8;
	command->answer_count = 1;
	return ata_fail(command, ATA_ABORTED);
}

static bool start(struct ata_command *command)
{
	command->protocol = ATA_NO_DATA;
	if (command->queued)
		return ata_fail(command, ATA_ABORTED);
	switch (command->code) {
	case 0x08: /* DEVICE RESET */
		command->drive->ops->reset(command->drive);
		command->answer = ata_cdrom_ops.signature >> 8;
		command->answer_count = 1;
		return ata_succeed(command);
	case 0xa0: /* PACKET */
		command->answer_count = 3; /* the end: no data is on its way */
		return run_packet(command);
	case 0xa1: /* IDENTIFY PACKET DEVICE */
		return identify(command);
	case 0xec: /* IDENTIFY DEVICE */
		return show_signature(command);
	case 0xe0: /* STANDBY IMMEDIATE, IDLE IMMEDIATE, STANDBY, IDLE, SLEEP */
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6:
	case 0xef: /* SET FEATURES: transfer modes, which are all alike */
		return ata_succeed(command);
	default:
		return ata_fail(command, ATA_ABORTED);
	}
}

static void reset(struct ata_drive *drive)
{
	set_sense(drive, 0, 0);
	drive->state.locked = 0;
}

static void exchanged(struct ata_drive *drive, struct disk *medium)
{
	drive->disk = medium;
	drive->state.attention = medium != NULL;
	drive->state.event = medium ? EVENT_NEW_MEDIUM : EVENT_NO_MEDIUM;
	if (medium)
		drive->state.open = 0;
}

static void asked_for(struct ata_drive *drive)
{
	drive->state.event = EVENT_ASKED_FOR;
}

const struct ata_ops ata_cdrom_ops = { .signature = 0xeb140101, .start = start,
				      .failed = failed, .reset = reset,
				      .exchanged = exchanged, .asked_for = asked_for };
