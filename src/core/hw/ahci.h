/*
 * An AHCI controller, as the ICH9 has it (8086:2922). AHCI 1.3.1, Serial ATA 3.0
 * § 10.5 (FIS).
 *
 * A port has one drive or none. Registers are written on vCPU threads; commands
 * are executed on the guest's I/O thread, which a doorbell wakes and no vCPU waits
 * for. Data goes straight between image and guest memory.
 *
 * Locks: ahci.lock guards the registers; it is held for as long as a few words
 * are copied, never while a request goes to the host's kernel.
 */
#ifndef CORE_HW_AHCI_H
#define CORE_HW_AHCI_H

#include "base/loop.h"
#include "core/bus/device.h"
#include "core/bus/pci.h"
#include "core/hw/ata.h"
#include "core/kvm/memory.h"

#define AHCI_PORTS 4
#define AHCI_SLOTS 32

struct ahci;
struct ahci_command;

/* What is saved of a port; its registers by their names, § 3.3. */
struct __attribute__((packed)) ahci_port_registers {
	uint64_t clb, fb;
	uint32_t is, ie, cmd, tfd, sig, sctl, serr, sact, ci;
	uint8_t halted, resetting;
	struct ata_registers drive;
};

struct __attribute__((packed)) ahci_registers {
	struct pci_registers function;
	uint32_t control, is; /* GHC, IS */
	struct ahci_port_registers ports[AHCI_PORTS];
};


struct ahci_port {
	struct ahci *ahci;
	struct loop_task task; /* there may be commands to begin */
	/* The I/O thread's, disk guarded by ahci.lock; ops NULL: there is none. */
	struct ata_drive drive;
	struct ahci_command *commands; /* AHCI_SLOTS of them, touched as far as they are used */
	/* Guarded by ahci.lock: */
	uint64_t clb, fb;
	uint32_t is, ie, cmd, tfd, sig, sctl, serr, sact, ci;
	uint32_t taken;	  /* slots of commands that are executed */
	uint32_t queued;  /* of these: queued ones */
	unsigned last;	  /* slot that was taken last */
	bool halted;	  /* by an error, until the driver stops the port */
	bool dropping;	  /* the driver stopped or reset it: nothing is told of what is taken */
	bool resetting;	  /* and the drive is reset, on the I/O thread */
	bool locked, open; /* what is seen of the drive's state */
	bool exchanging;   /* the drive is to have the next medium */
	bool asked;	   /* the guest is to hear that somebody would like to have it */
	struct disk *next; /* or NULL: none */
	struct device_counters gone; /* what was read of media that were exchanged */
};

struct ahci {
	struct pci_function function;
	const struct guest_memory *memory;
	struct loop *loop;
	struct disk_ring *disks;
	pthread_mutex_t lock;
	uint32_t control, is;
	bool master;	/* the function may use guest memory */
	bool paused;	/* nothing new is begun */
	bool ending;	/* the machine is reset or torn down */
	void (*failed)(void *arg, const char *why); /* I/O thread: a medium cannot be had */
	void *failed_arg;
	struct ahci_port ports[AHCI_PORTS];
};

/* Puts the controller at PCI device number slot, paused; ports have no drives yet. */
int ahci_create(struct ahci *ahci, struct pci *pci, unsigned slot,
		const struct guest_memory *memory, struct loop *loop, struct disk_ring *disks,
		struct cause *cause);

/*
 * Gives a port a drive, before the machine runs; disk is the port's from now on and may be NULL
 * of a CD-ROM. -ENOMEM.
 */
int ahci_plug(struct ahci *ahci, unsigned port, const struct ata_ops *ops, struct disk *disk,
	      const char *serial);

/*
 * Takes the drive away; whether its tray was open. Nothing is in flight, and the guest does not
 * run any more.
 */
bool ahci_unplug(struct ahci *ahci, unsigned port);

/*
 * Has the drive take another medium (which is prepared, see disk.h, and the port's then) or none
 * (NULL) in a moment, when it executes no command; *medium becomes the one that it was to take
 * before, and has not, or NULL: the caller's. Any thread. -EBUSY with a cause when the guest holds
 * the one that is there, unless force; it is asked to let go of it then. -EINVAL of a disk.
 */
int ahci_exchange(struct ahci *ahci, unsigned port, struct disk **medium, bool force,
		  struct cause *cause);

/* The guest had opened the tray. Before the machine runs. */
void ahci_open_tray(struct ahci *ahci, unsigned port);

/* Adds up what its media have counted. Any thread. */
void ahci_sample(struct ahci *ahci, unsigned port, struct device_counters *sum);

/* "running", "idle", "running, its tray is open": for the screen. Any thread. */
void ahci_describe(struct ahci *ahci, unsigned port, char *text, size_t size);

/* Ends its use of guest memory for good. True when nothing is in flight; else ask again. */
bool ahci_quiesce(struct ahci *ahci);

/* Begins nothing new, or goes on; true when nothing is in flight. */
bool ahci_pause(struct ahci *ahci, bool paused);

void ahci_destroy(struct ahci *ahci); /* quiesced, or half created */

void ahci_save(struct ahci *ahci, struct ahci_registers *registers);
const char *ahci_load(struct ahci *ahci, const struct ahci_registers *registers);

#endif
