/*
 * Drives at the ports of the AHCI controller, and the media in them. A person's wish comes
 * from any thread; the medium is exchanged on the guest's I/O thread, when the drive
 * executes nothing.
 */
#include "core/hw/ahci_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/bus/disks.h"

void ahci_port_see_tray(struct ahci_port *port)
{
	port->locked = port->drive.state.locked;
	port->open = port->drive.state.open;
}

static void see_tray(struct ahci_port *port)
{
	pthread_mutex_lock(&port->ahci->lock);
	ahci_port_see_tray(port);
	pthread_mutex_unlock(&port->ahci->lock);
}

int ahci_plug(struct ahci *ahci, unsigned number, const struct ata_ops *ops, struct disk *disk,
	      const char *serial)
{
	struct ahci_port *port = &ahci->ports[number];
	int err = ahci_port_open(port);

	if (err)
		return err;
	port->drive.ops = ops;
	port->drive.disk = disk;
	snprintf(port->drive.serial, sizeof(port->drive.serial), "%s", serial);
	port->sig = ops->signature;
	port->tfd = PORT_TFD_AFTER_RESET;
	if (disk)
		disk_on_batch(disk, ahci_port_batch, port);
	return 0;
}

void ahci_open_tray(struct ahci *ahci, unsigned number)
{
	ahci->ports[number].drive.state.open = 1;
	see_tray(&ahci->ports[number]);
}

bool ahci_unplug(struct ahci *ahci, unsigned number)
{
	struct ahci_port *port = &ahci->ports[number];

	if (!port->drive.ops)
		return false;
	ahci_port_close(port);
	disk_close(port->next);
	disk_close(port->drive.disk);
	port->next = port->drive.disk = NULL;
	port->drive.ops = NULL;
	return port->drive.state.open;
}

void ahci_sample(struct ahci *ahci, unsigned number, struct device_counters *sum)
{
	const struct ahci_port *port = &ahci->ports[number];

	pthread_mutex_lock(&ahci->lock);
	sum->read_bytes += port->gone.read_bytes;
	sum->read_requests += port->gone.read_requests;
	if (port->drive.disk)
		disks_sample(port->drive.disk, sum);
	pthread_mutex_unlock(&ahci->lock);
}

void ahci_describe(struct ahci *ahci, unsigned number, char *text, size_t size)
{
	const struct ahci_port *port = &ahci->ports[number];

	pthread_mutex_lock(&ahci->lock);
	snprintf(text, size, "%s%s", port->cmd & PORT_CMD_START ? "running" : "idle",
		 port->open ? ", its tray is open" : "");
	pthread_mutex_unlock(&ahci->lock);
}

/* --- exchange --- */

int ahci_exchange(struct ahci *ahci, unsigned number, struct disk **medium, bool force,
		  struct cause *cause)
{
	struct ahci_port *port = &ahci->ports[number];
	struct disk *before;
	int err = 0;

	if (!port->drive.ops->exchanged)
		return cause_set(cause, EINVAL, "it is a disk, and those stay");
	pthread_mutex_lock(&ahci->lock);
	if (port->locked && port->drive.disk && !force) {
		port->asked = true;
		err = cause_set(cause, EBUSY, "the guest holds the medium, and has been asked to let "
				"go of it; --force takes it all the same");
	} else {
		before = port->next; /* of a wish that has not come true yet */
		port->next = *medium;
		*medium = before;
		port->exchanging = true;
	}
	loop_post(ahci->loop, &port->task);
	pthread_mutex_unlock(&ahci->lock);
	return err;
}

static void load_medium(struct ahci_port *port, struct disk *medium)
{
	struct ahci *ahci = port->ahci;
	struct disk *before = port->drive.disk;
	struct cause cause;

	if (medium && disk_join(medium, ahci->disks, &cause) < 0) {
		disk_close(medium);
		medium = NULL;
		ahci->failed(ahci->failed_arg, cause.text);
	}
	if (medium)
		disk_on_batch(medium, ahci_port_batch, port);
	pthread_mutex_lock(&ahci->lock);
	if (before)
		disks_sample(before, &port->gone);
	port->drive.ops->exchanged(&port->drive, medium);
	ahci_port_see_tray(port);
	pthread_mutex_unlock(&ahci->lock);
	disk_close(before);
}

void ahci_port_exchange(struct ahci_port *port)
{
	struct ahci *ahci = port->ahci;
	struct disk *medium = NULL;
	bool due, asked;

	pthread_mutex_lock(&ahci->lock);
	asked = port->asked;
	due = port->exchanging && !port->taken;
	if (due) {
		medium = port->next;
		port->next = NULL;
		port->exchanging = false;
	}
	port->asked = false;
	pthread_mutex_unlock(&ahci->lock);
	if (asked)
		port->drive.ops->asked_for(&port->drive);
	if (due)
		load_medium(port, medium);
}
