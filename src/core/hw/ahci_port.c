/*
 * A port of the AHCI controller: from a command header to its drive, and from the
 * drive to the FIS that it is answered with. AHCI § 4.2, § 5, § 6.2; Serial ATA
 * § 10.5. The guest's I/O thread.
 *
 * What the driver keeps in its memory is copied before it is looked at. Queued
 * commands are executed side by side, others one after another.
 */
#include "core/hw/ahci_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define BURST (2 * AHCI_SLOTS) /* commands before other devices have their turn */
#define HEADER_SIZE 32u
#define HEADER_PACKET 0x20u
#define TABLE_PACKET 0x40u
#define TABLE_REGIONS 0x80u
#define REGION_SIZE 0x3fffffu /* its length less one */
#define REGIONS_AT_ONCE 32u

#define FIS_TO_DEVICE 0x27
#define FIS_TO_DRIVER 0x34
#define FIS_PIO 0x5f
#define FIS_BITS 0xa1
#define FIS_SIZE 20u
#define FIS_COMMAND 0x80   /* it sends a command, not the control register */
#define FIS_INTERRUPT 0x40
#define CONTROL_SOFT_RESET 0x04

/* Where they are received, § 4.2.1. */
#define RECEIVED_PIO 0x20u
#define RECEIVED_TO_DRIVER 0x40u
#define RECEIVED_BITS 0x58u

struct ahci_command {
	struct ata_command ata;
	uint64_t header, table; /* addresses */
	unsigned regions;
	bool fault;   /* something of it lies in no memory */
	bool control; /* it is no command: the driver wrote the control register */
	bool soft_reset;
};

/* As they lie in guest memory, § 4.2.2, § 4.2.3.3. */
struct command_header {
	uint16_t options, regions;
	uint32_t moved;
	uint64_t table;
	uint32_t reserved[4];
};

struct memory_region_entry {
	uint64_t address;
	uint32_t reserved, size;
};

_Static_assert(sizeof(struct command_header) == HEADER_SIZE, "of the specification");
_Static_assert(sizeof(struct memory_region_entry) == 16, "of the specification");

static struct ahci_port *port_of(struct ata_drive *drive)
{
	return container_of(drive, struct ahci_port, drive);
}

static int read_memory(const struct ahci_port *port, uint64_t address, void *to, size_t size)
{
	const void *from = memory_at(port->ahci->memory, address, size);

	if (!from)
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

/* --- data --- */

/* Appends a piece of guest memory, joined to the last one where they are neighbours. */
static bool append(struct ata_command *command, uint8_t *at, size_t size)
{
	struct iovec *last = command->iov + command->iov_count - 1;

	if (command->iov_count && (uint8_t *)last->iov_base + last->iov_len == at) {
		last->iov_len += size;
		return true;
	}
	if (command->iov_count == DISK_IOV_MAX)
		return false;
	command->iov[command->iov_count++] = (struct iovec){ at, size };
	return true;
}

/* See struct ata_drive. Bounded by the number of regions, which has 16 bits. */
static uint64_t map(struct ata_command *ata, uint64_t bytes)
{
	struct ahci_command *command = container_of(ata, struct ahci_command, ata);
	const struct ahci_port *port = port_of(ata->drive);
	struct memory_region_entry entries[REGIONS_AT_ONCE];
	uint64_t left = bytes;

	ata->iov_count = 0;
	for (unsigned i = 0; left && i < command->regions; i++) {
		const struct memory_region_entry *entry = &entries[i % REGIONS_AT_ONCE];
		unsigned ahead = command->regions - i;
		uint64_t size;
		uint8_t *at;

		if (ahead > REGIONS_AT_ONCE)
			ahead = REGIONS_AT_ONCE;
		if (i % REGIONS_AT_ONCE == 0 &&
		    read_memory(port, command->table + TABLE_REGIONS + i * sizeof(*entry), entries,
				ahead * sizeof(*entry)) < 0) {
			command->fault = true;
			break;
		}
		size = (entry->size & REGION_SIZE) + 1;
		if (size > left)
			size = left;
		at = memory_at(port->ahci->memory, entry->address, size);
		if (!at) {
			command->fault = true;
			break;
		}
		if (!append(ata, at, size))
			break;
		left -= size;
	}
	return bytes - left;
}

/* --- FIS --- */

/* Lock held. */
static void receive(struct ahci_port *port, uint32_t where, const uint8_t *fis, size_t size)
{
	if (port->cmd & PORT_CMD_RECEIVE)
		memory_write(port->ahci->memory, port->fb + where, fis, size);
}

/* What Register FIS and PIO Setup FIS have in common. */
static void fill(uint8_t fis[FIS_SIZE], uint8_t type, bool interrupt,
		 const struct ata_command *command)
{
	memset(fis, 0, FIS_SIZE);
	fis[0] = type;
	fis[1] = interrupt ? FIS_INTERRUPT : 0;
	fis[2] = command->status;
	fis[3] = command->error;
	for (unsigned i = 0; i < 3; i++) {
		fis[4 + i] = (uint8_t)(command->answer >> 8 * i);
		fis[8 + i] = (uint8_t)(command->answer >> 8 * (3 + i));
	}
	fis[7] = command->device;
	fis[12] = (uint8_t)command->answer_count;
	fis[13] = (uint8_t)(command->answer_count >> 8);
}

static void send_register(struct ahci_port *port, const struct ata_command *command)
{
	uint8_t fis[FIS_SIZE];

	fill(fis, FIS_TO_DRIVER, true, command);
	receive(port, RECEIVED_TO_DRIVER, fis, sizeof(fis));
	port->is |= PORT_IS_D2H;
}

static void send_pio_setup(struct ahci_port *port, const struct ata_command *command,
			   bool interrupt)
{
	uint8_t fis[FIS_SIZE];

	fill(fis, FIS_PIO, interrupt, command);
	fis[1] |= 0x20; /* to the host */
	fis[2] |= ATA_DRQ;
	fis[15] = command->status;
	fis[16] = (uint8_t)command->moved;
	fis[17] = (uint8_t)(command->moved >> 8);
	receive(port, RECEIVED_PIO, fis, sizeof(fis));
	if (interrupt)
		port->is |= PORT_IS_PIO;
}

static void send_bits(struct ahci_port *port, uint32_t done)
{
	uint8_t fis[8] = { FIS_BITS, FIS_INTERRUPT, port->tfd & 0x77, (uint8_t)(port->tfd >> 8) };

	memcpy(fis + 4, &done, sizeof(done));
	receive(port, RECEIVED_BITS, fis, sizeof(fis));
	port->is |= PORT_IS_BITS;
}

/* --- completion --- */

/* The drive's reset is over: its signature. Lock held. */
static void send_signature(struct ahci_port *port)
{
	uint32_t signature = port->drive.ops->signature;
	struct ata_command answer = { .status = (uint8_t)PORT_TFD_AFTER_RESET,
				      .error = PORT_TFD_AFTER_RESET >> 8,
				      .answer = signature >> 8, .answer_count = signature & 0xff };
	uint8_t fis[FIS_SIZE];

	port->sig = signature;
	port->tfd = PORT_TFD_AFTER_RESET;
	fill(fis, FIS_TO_DRIVER, false, &answer);
	receive(port, RECEIVED_TO_DRIVER, fis, sizeof(fis));
}

static void remember_failure(struct ahci_port *port, const struct ata_command *command)
{
	struct ata_registers *state = &port->drive.state;

	state->failed_valid = 1;
	state->failed_tag = command->slot;
	state->failed_status = command->status;
	state->failed_error = command->error;
	state->failed_lba = command->lba;
}

/* § 6.2.2: the port stands still until the driver stops and starts it. */
static void halt(struct ahci_port *port, unsigned slot, uint32_t why)
{
	port->halted = true;
	port->is |= why;
	port->cmd = (port->cmd & ~PORT_CMD_SLOT) | slot << PORT_CMD_SLOT_SHIFT;
}

static void complete_queued(struct ahci_port *port, const struct ata_command *command,
			    uint32_t *done)
{
	port->tfd = (uint32_t)command->error << 8 | command->status;
	if (command->status & ATA_ERROR) {
		remember_failure(port, command);
		halt(port, command->slot, PORT_IS_TASK_FILE);
		send_bits(port, 0);
		return;
	}
	port->sact &= ~(1u << command->slot);
	*done |= 1u << command->slot;
}

static void complete_other(struct ahci_port *port, const struct ahci_command *command)
{
	const struct ata_command *ata = &command->ata;
	bool failed = ata->status & ATA_ERROR, packet = ata->code == 0xa0;

	memory_write(port->ahci->memory, command->header + 4, &ata->moved, sizeof(ata->moved));
	port->tfd = (uint32_t)ata->error << 8 | ata->status;
	if (ata->protocol == ATA_PIO_IN && !failed)
		send_pio_setup(port, ata, !packet);
	if (ata->protocol != ATA_PIO_IN || failed || packet)
		send_register(port, ata);
	if (failed)
		halt(port, ata->slot, PORT_IS_TASK_FILE);
	else
		port->ci &= ~(1u << ata->slot);
}

static void complete_control(struct ahci_port *port, const struct ahci_command *command)
{
	port->ci &= ~(1u << command->ata.slot);
	port->tfd &= ~(uint32_t)ATA_BUSY;
	if (command->soft_reset)
		return;
	port->drive.ops->reset(&port->drive);
	send_signature(port);
}

/* Tells the driver that one is done; queued ones without error are collected. Lock held. */
static void complete(struct ahci_port *port, struct ahci_command *command, uint32_t *done)
{
	uint32_t bit = 1u << command->ata.slot;

	port->taken &= ~bit;
	port->queued &= ~bit;
	if (port->dropping || port->halted)
		return;
	if (command->fault)
		halt(port, command->ata.slot, PORT_IS_HOST_FATAL);
	else if (command->control)
		complete_control(port, command);
	else if (command->ata.queued)
		complete_queued(port, &command->ata, done);
	else
		complete_other(port, command);
}

/* A stop or reset by the driver goes on when nothing is executed. Lock held. */
static void look_after_drop(struct ahci_port *port)
{
	struct ahci *ahci = port->ahci;
	bool waits = false;

	if (!port->dropping || port->taken)
		return;
	ahci_port_stopped(port);
	if (!port->resetting)
		return;
	port->resetting = false;
	port->drive.ops->reset(&port->drive);
	send_signature(port);
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		waits |= ahci->ports[i].resetting;
	if (!waits)
		ahci->control &= ~CONTROL_RESET;
}

/* Tells of commands that are done, a list; one interrupt. */
static void complete_all(struct ahci_port *port, struct ata_command *list)
{
	uint32_t done = 0;

	pthread_mutex_lock(&port->ahci->lock);
	for (; list; list = list->next)
		complete(port, container_of(list, struct ahci_command, ata), &done);
	if (done)
		send_bits(port, done);
	ahci_port_see_tray(port);
	look_after_drop(port);
	ahci_port_interrupt(port);
	pthread_mutex_unlock(&port->ahci->lock);
}

/* --- serving --- */

/* Takes the next command that may begin: its slot and where its header lies; -1: none. */
static int take(struct ahci_port *port, uint64_t *header)
{
	struct ahci *ahci = port->ahci;
	unsigned slot = port->last;
	uint32_t waiting, bit;
	bool queued;

	pthread_mutex_lock(&ahci->lock);
	look_after_drop(port);
	waiting = port->ci & ~port->taken;
	if (!waiting || port->halted || port->dropping || port->exchanging ||
	    !(port->cmd & PORT_CMD_START) || !ahci->master || ahci->paused || ahci->ending)
		goto none;
	do {
		slot = (slot + 1) % AHCI_SLOTS;
	} while (!(waiting & 1u << slot));
	bit = 1u << slot;
	queued = port->sact & bit;
	if (queued ? port->taken & ~port->queued : port->taken)
		goto none;
	port->taken |= bit;
	port->last = slot;
	port->cmd = (port->cmd & ~PORT_CMD_SLOT) | slot << PORT_CMD_SLOT_SHIFT;
	if (queued) {
		port->queued |= bit;
		port->ci &= ~bit; /* the drive has it, and is free for the next one */
	} else {
		port->tfd |= ATA_BUSY;
	}
	*header = port->clb + slot * HEADER_SIZE;
	port->commands[slot].ata.queued = queued;
	pthread_mutex_unlock(&ahci->lock);
	return (int)slot;
none:
	pthread_mutex_unlock(&ahci->lock);
	return -1;
}

/* Copies a command out of guest memory. False when not all of it lies there. */
static bool read_command(struct ahci_port *port, struct ahci_command *command)
{
	struct ata_command *ata = &command->ata;
	struct command_header header;
	uint8_t fis[FIS_SIZE];

	if (read_memory(port, command->header, &header, sizeof(header)) < 0)
		return false;
	command->table = header.table & ~0x7full;
	command->regions = header.regions;
	if (read_memory(port, command->table, fis, sizeof(fis)) < 0 ||
	    read_memory(port, command->table + TABLE_PACKET, ata->packet, ATA_PACKET_SIZE) < 0)
		return false;
	command->control = fis[0] == FIS_TO_DEVICE && !(fis[1] & FIS_COMMAND);
	command->soft_reset = fis[15] & CONTROL_SOFT_RESET;
	/* What is no command is one that no drive knows; a packet is announced. */
	ata->code = fis[2];
	if (fis[0] != FIS_TO_DEVICE || (ata->code == 0xa0) != !!(header.options & HEADER_PACKET))
		ata->code = 0;
	ata->features = (uint16_t)(fis[3] | fis[11] << 8);
	ata->count = (uint16_t)(fis[12] | fis[13] << 8);
	ata->device = fis[7];
	ata->lba = 0;
	for (unsigned i = 0; i < 3; i++)
		ata->lba |= (uint64_t)fis[4 + i] << 8 * i | (uint64_t)fis[8 + i] << 8 * (3 + i);
	return true;
}

/* Begins a command; false when it is under way. */
static bool begin(struct ahci_port *port, unsigned slot, uint64_t header)
{
	struct ahci_command *command = &port->commands[slot];
	struct ata_command *ata = &command->ata;

	command->header = header;
	command->fault = command->control = false;
	ata->disk = (struct disk_request){ .operation = DISK_READ };
	ata->drive = &port->drive;
	ata->slot = (uint8_t)slot;
	ata->next = NULL;
	ata->answer = 0;
	ata->answer_count = 0;
	ata->moved = 0;
	ata->iov_count = 0;
	if (!read_command(port, command)) {
		command->fault = true;
		return true;
	}
	if (command->control)
		return true;
	ata->answer = ata->lba;
	return port->drive.ops->start(ata);
}

static void serve(void *arg)
{
	struct ahci_port *port = arg;
	unsigned count = 0;
	bool submit = false;
	uint64_t header;
	int slot;

	ahci_port_exchange(port);
	while (count < BURST && (slot = take(port, &header)) >= 0) {
		if (begin(port, (unsigned)slot, header))
			complete_all(port, &port->commands[slot].ata);
		else
			submit = true;
		count++;
	}
	if (count == BURST)
		loop_post(port->ahci->loop, &port->task);
	if (submit)
		disk_submit(port->ahci->disks);
}

void ahci_port_batch(void *arg)
{
	struct ahci_port *port = arg;
	struct ata_command *list = port->drive.finished;

	port->drive.finished = NULL;
	if (list)
		complete_all(port, list);
	serve(port);
}

int ahci_port_open(struct ahci_port *port)
{
	port->commands = malloc(AHCI_SLOTS * sizeof(*port->commands));
	if (!port->commands)
		return -ENOMEM;
	port->task = (struct loop_task){ .run = serve, .arg = port };
	port->drive.map = map;
	return 0;
}

void ahci_port_close(struct ahci_port *port)
{
	loop_unpost(port->ahci->loop, &port->task);
	free(port->commands);
	port->commands = NULL;
}
