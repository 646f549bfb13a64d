/*
 * The registers of the AHCI controller, AHCI § 3, and its life. Accesses on vCPU
 * threads; the rest on the guest's I/O thread.
 */
#include "core/hw/ahci_private.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "core/bus/pci_msi.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_ICH9_AHCI 0x2922
#define CLASS_AHCI 0x010601
#define REVISION 2
#define BAR_REGISTERS 5
#define BAR_SIZE 0x1000u

/* Of the ICH9's configuration space, § 15.1: it is in AHCI mode; ports that are on. */
#define CONFIG_MAP 0x90
#define CONFIG_MAP_AHCI 0x40
#define CONFIG_PORTS 0x92

/* Registers of the controller, § 3.1 */
#define REG_CAPABILITIES 0x00
#define REG_CONTROL 0x04
#define REG_IS 0x08
#define REG_PORTS 0x0c
#define REG_VERSION 0x10

/* 64-bit addresses, queued commands, override of busy, AHCI alone, 6 Gbit/s, 32 slots */
#define CAPABILITIES (0xc1340000u | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))
#define VERSION 0x00010301u

/* Registers of a port, § 3.3, from PORT_BASE + n * PORT_SIZE on */
#define PORT_BASE 0x100u
#define PORT_SIZE 0x80u
#define REG_CLB 0x00
#define REG_CLBU 0x04
#define REG_FB 0x08
#define REG_FBU 0x0c
#define REG_PORT_IS 0x10
#define REG_PORT_IE 0x14
#define REG_PORT_CMD 0x18
#define REG_TFD 0x20
#define REG_SIG 0x24
#define REG_SSTS 0x28
#define REG_SCTL 0x2c
#define REG_SERR 0x30
#define REG_SACT 0x34
#define REG_CI 0x38

#define SSTS_CONNECTED 0x133u /* a drive, at 6 Gbit/s, active */
#define SCTL_DET 0x0fu
#define SCTL_WRITABLE 0xfffu
#define PORT_IE_WRITABLE 0x7dc000ffu

static struct ahci *ahci_of(struct pci_function *function)
{
	return container_of(function, struct ahci, function);
}

static bool plugged(const struct ahci_port *port)
{
	return port->drive.ops;
}

static uint32_t plugged_ports(const struct ahci *ahci)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		bits |= (uint32_t)plugged(&ahci->ports[i]) << i;
	return bits;
}

static void wake(struct ahci_port *port)
{
	if (plugged(port))
		loop_post(port->ahci->loop, &port->task);
}

/* --- interrupts; lock held --- */

uint32_t ahci_port_is(const struct ahci_port *port)
{
	return port->is | (port->serr & PORT_SERR_EXCHANGED ? PORT_IS_CONNECT : 0);
}

/* Which ports ask for the interrupt; it goes on asking as long as PxIS does. § 10.7. */
static uint32_t asking(const struct ahci *ahci)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		bits |= (uint32_t)((ahci_port_is(&ahci->ports[i]) & ahci->ports[i].ie) != 0) << i;
	return bits;
}

static void update_interrupt(struct ahci *ahci)
{
	bool enabled = ahci->control & CONTROL_INTERRUPTS, before = enabled && ahci->is, level;

	ahci->is |= asking(ahci);
	level = enabled && ahci->is;
	pci_intx(&ahci->function, level);
	if (level && !before)
		pci_msi_raise(&ahci->function);
}

void ahci_port_interrupt(struct ahci_port *port)
{
	update_interrupt(port->ahci);
}

void ahci_interrupt_again(struct ahci *ahci)
{
	bool level;

	ahci->is |= asking(ahci);
	level = ahci->is && (ahci->control & CONTROL_INTERRUPTS);
	pci_intx(&ahci->function, level);
	if (level)
		pci_msi_raise(&ahci->function);
}

/* --- resets; lock held --- */

void ahci_port_stopped(struct ahci_port *port)
{
	port->dropping = port->halted = false;
	port->ci = port->sact = 0;
	port->cmd &= ~(PORT_CMD_RUNNING | PORT_CMD_SLOT);
	if (port->cmd & PORT_CMD_START)
		port->cmd |= PORT_CMD_RUNNING;
}

/* The drive is reset on the I/O thread, when what it has begun is over. */
static void reset_drive(struct ahci_port *port)
{
	if (!plugged(port))
		return;
	port->dropping = port->resetting = true;
	port->tfd = ATA_BUSY;
	wake(port);
}

static void reset_port(struct ahci_port *port)
{
	port->is = port->ie = port->serr = port->sctl = 0;
	port->cmd &= PORT_CMD_RUNNING; /* as long as something is executed */
	reset_drive(port);
}

static void reset_controller(struct ahci *ahci)
{
	ahci->control = CONTROL_AHCI;
	ahci->is = 0;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		reset_port(&ahci->ports[i]);
	if (plugged_ports(ahci))
		ahci->control |= CONTROL_RESET; /* until the last drive is reset */
	update_interrupt(ahci);
}

/* --- registers; lock held --- */

static uint32_t port_read(const struct ahci_port *port, unsigned reg)
{
	switch (reg) {
	case REG_CLB:
		return (uint32_t)port->clb;
	case REG_CLBU:
		return (uint32_t)(port->clb >> 32);
	case REG_FB:
		return (uint32_t)port->fb;
	case REG_FBU:
		return (uint32_t)(port->fb >> 32);
	case REG_PORT_IS:
		return ahci_port_is(port);
	case REG_PORT_IE:
		return port->ie;
	case REG_PORT_CMD:
		return port->cmd | (port->cmd & PORT_CMD_RECEIVE ? PORT_CMD_RECEIVING : 0);
	case REG_TFD:
		return port->tfd;
	case REG_SIG:
		return port->sig;
	case REG_SSTS:
		return plugged(port) && !(port->sctl & SCTL_DET) ? SSTS_CONNECTED : 0;
	case REG_SCTL:
		return port->sctl;
	case REG_SERR:
		return port->serr;
	case REG_SACT:
		return port->sact;
	case REG_CI:
		return port->ci;
	default:
		return 0;
	}
}

static uint32_t controller_read(const struct ahci *ahci, unsigned reg)
{
	switch (reg) {
	case REG_CAPABILITIES:
		return CAPABILITIES;
	case REG_CONTROL:
		return ahci->control;
	case REG_IS:
		return ahci->is;
	case REG_PORTS:
		return plugged_ports(ahci);
	case REG_VERSION:
		return VERSION;
	default:
		return 0;
	}
}

static uint32_t read_register(const struct ahci *ahci, unsigned offset)
{
	unsigned port = (offset - PORT_BASE) / PORT_SIZE;

	if (offset < PORT_BASE)
		return controller_read(ahci, offset);
	return port < AHCI_PORTS ? port_read(&ahci->ports[port], offset % PORT_SIZE) : 0;
}

static void write_command(struct ahci_port *port, uint32_t value)
{
	uint32_t before = port->cmd;

	port->cmd = (before & ~PORT_CMD_WRITABLE) | (value & PORT_CMD_WRITABLE);
	if (value & PORT_CMD_OVERRIDE)
		port->tfd &= ~(uint32_t)(ATA_BUSY | ATA_DRQ);
	if (!(before & PORT_CMD_START) && (value & PORT_CMD_START) && !port->dropping)
		port->cmd |= PORT_CMD_RUNNING;
	if (!(before & PORT_CMD_START) || (value & PORT_CMD_START))
		return;
	/* It is over at once when nothing is executed. */
	if (port->taken || port->resetting)
		port->dropping = true;
	else
		ahci_port_stopped(port);
}

/* COMRESET begins when DET is 1, and the drive is there again when it is 0. */
static void write_control(struct ahci_port *port, uint32_t value)
{
	bool was = (port->sctl & SCTL_DET) == 1;

	port->sctl = value & SCTL_WRITABLE;
	if (!plugged(port) || !was || (value & SCTL_DET))
		return;
	port->serr |= PORT_SERR_EXCHANGED;
	reset_drive(port);
}

static void set_low(uint64_t *address, uint32_t value, uint32_t mask)
{
	*address = (*address & ~0xffffffffull) | (value & mask);
}

static void set_high(uint64_t *address, uint32_t value)
{
	*address = (*address & 0xffffffffull) | (uint64_t)value << 32;
}

static void port_write(struct ahci_port *port, unsigned reg, uint32_t value)
{
	switch (reg) {
	case REG_CLB:
		set_low(&port->clb, value, ~0x3ffu);
		break;
	case REG_CLBU:
		set_high(&port->clb, value);
		break;
	case REG_FB:
		set_low(&port->fb, value, ~0xffu);
		break;
	case REG_FBU:
		set_high(&port->fb, value);
		break;
	case REG_PORT_IS:
		port->is &= ~(value & PORT_IS_CLEARABLE);
		break;
	case REG_PORT_IE:
		port->ie = value & PORT_IE_WRITABLE;
		break;
	case REG_PORT_CMD:
		write_command(port, value);
		break;
	case REG_SCTL:
		write_control(port, value);
		break;
	case REG_SERR:
		port->serr &= ~value;
		break;
	case REG_SACT:
		if (port->cmd & PORT_CMD_START && plugged(port))
			port->sact |= value;
		return;
	case REG_CI:
		if (port->cmd & PORT_CMD_START && plugged(port)) {
			port->ci |= value;
			wake(port);
		}
		return;
	default:
		return;
	}
	update_interrupt(port->ahci);
}

static void controller_write(struct ahci *ahci, unsigned reg, uint32_t value)
{
	switch (reg) {
	case REG_CONTROL:
		if (value & CONTROL_RESET) {
			reset_controller(ahci);
			return;
		}
		ahci->control = (ahci->control & ~CONTROL_INTERRUPTS) | (value & CONTROL_INTERRUPTS);
		ahci_interrupt_again(ahci);
		return;
	case REG_IS:
		ahci->is &= ~value;
		ahci_interrupt_again(ahci); /* the message was taken */
		return;
	default:
		return;
	}
}

static void write_register(struct ahci *ahci, unsigned offset, uint32_t value)
{
	unsigned port = (offset - PORT_BASE) / PORT_SIZE;

	if (offset < PORT_BASE)
		controller_write(ahci, offset, value);
	else if (port < AHCI_PORTS)
		port_write(&ahci->ports[port], offset % PORT_SIZE, value);
}

/* --- PCI --- */

static void bar_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		     unsigned length)
{
	struct ahci *ahci = ahci_of(function);
	uint32_t words[3];
	unsigned first = (unsigned)offset & ~3u;

	(void)bar;
	pthread_mutex_lock(&ahci->lock);
	for (unsigned i = 0; i < 3; i++)
		words[i] = read_register(ahci, first + 4 * i);
	pthread_mutex_unlock(&ahci->lock);
	memcpy(data, (uint8_t *)words + (offset & 3), length);
}

/* Registers are written as whole words, § 3. */
static void bar_write(struct pci_function *function, unsigned bar, uint64_t offset,
		      const void *data, unsigned length)
{
	struct ahci *ahci = ahci_of(function);
	uint32_t words[2];

	(void)bar;
	if (offset % 4 || length % 4)
		return;
	memcpy(words, data, length);
	pthread_mutex_lock(&ahci->lock);
	for (unsigned i = 0; i < length / 4; i++)
		write_register(ahci, (unsigned)offset + 4 * i, words[i]);
	pthread_mutex_unlock(&ahci->lock);
}

static void master_changed(struct pci_function *function, bool master)
{
	struct ahci *ahci = ahci_of(function);

	pthread_mutex_lock(&ahci->lock);
	ahci->master = master;
	for (unsigned i = 0; master && i < AHCI_PORTS; i++)
		wake(&ahci->ports[i]);
	pthread_mutex_unlock(&ahci->lock);
}

static const struct pci_function_ops function_ops = {
	.name = "AHCI",
	.bar_read = bar_read,
	.bar_write = bar_write,
	.master_changed = master_changed,
};

/* --- life --- */

int ahci_create(struct ahci *ahci, struct pci *pci, unsigned slot,
		const struct guest_memory *memory, struct loop *loop, struct disk_ring *disks,
		struct cause *cause)
{
	struct pci_function *function = &ahci->function;

	pthread_mutex_init(&ahci->lock, NULL);
	ahci->memory = memory;
	ahci->loop = loop;
	ahci->disks = disks;
	ahci->control = CONTROL_AHCI;
	ahci->paused = true;
	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		ahci->ports[i].ahci = ahci;
		ahci->ports[i].tfd = 0x7f;
		ahci->ports[i].sig = 0xffffffff;
	}
	pci_function_init(function, &function_ops, VENDOR_INTEL, DEVICE_ICH9_AHCI, CLASS_AHCI);
	function->config[PCI_REVISION] = REVISION;
	function->config[CONFIG_MAP] = CONFIG_MAP_AHCI;
	function->writable[CONFIG_PORTS] = 0xff;
	memcpy(function->config + PCI_SUBSYSTEM_VENDOR, function->config + PCI_VENDOR_ID, 4);
	pci_add_bar(function, BAR_REGISTERS, PCI_BAR_MEMORY, BAR_SIZE);
	pci_add_msi(function);
	return pci_add(pci, function, slot, cause);
}

static bool idle(const struct ahci *ahci)
{
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (ahci->ports[i].taken)
			return false;
	return true;
}

bool ahci_quiesce(struct ahci *ahci)
{
	bool done;

	pthread_mutex_lock(&ahci->lock);
	ahci->ending = true;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci->ports[i].dropping = true;
	done = idle(ahci);
	pthread_mutex_unlock(&ahci->lock);
	return done;
}

bool ahci_pause(struct ahci *ahci, bool paused)
{
	bool done;

	pthread_mutex_lock(&ahci->lock);
	ahci->paused = paused;
	for (unsigned i = 0; !paused && i < AHCI_PORTS; i++)
		wake(&ahci->ports[i]);
	done = idle(ahci);
	pthread_mutex_unlock(&ahci->lock);
	return done;
}

void ahci_destroy(struct ahci *ahci)
{
	if (!ahci->loop)
		return;
	pci_remove(&ahci->function);
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_close(&ahci->ports[i]);
	pthread_mutex_destroy(&ahci->lock);
}
