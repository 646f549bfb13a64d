/*
 * Registers and life of the 82574. Intel 82574 datasheet § 9 (PCI), § 10 (registers).
 * Registers on vCPU threads under e1000e.lock.
 */
#include "core/hw/e1000e.h"

#include <stdio.h>

#include "core/bus/pci_msi.h"
#include "core/bus/pci_msix.h"
#include "core/hw/e1000e_private.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_82574L 0x10d3
#define CLASS_ETHERNET 0x020000
#define BAR_REGISTERS 0u
#define BAR_REGISTERS_SIZE 0x20000u
#define BAR_PORTS 2u
#define BAR_PORTS_SIZE 32u
#define BAR_MSIX 3u
#define BAR_MSIX_SIZE 0x4000u
#define MSIX_PENDING 0x2000u
#define CAPABILITY_PCIE 0x10
#define PCIE_SIZE 0x14u
#define PCIE_ROOT_ENDPOINT 0x91 /* version 1, integrated into the root complex */

/* In the ports: which register, and its value. */
#define PORT_ADDRESS 0u
#define PORT_DATA 4u

#define STATUS_FIXED 0x00000681u /* full duplex, 1000 Mb/s, PHY reset */
#define STATUS_LINK_UP 0x00000002u
#define STATUS_MASTER_ON 0x00080000u
#define EECD_REQUEST 0x40u
#define EECD_GRANT 0x80u
#define SWSM_SMBI 0x1u
#define CTRL_DUPLICATE 0x0004u /* the same as at 0 */
#define PBA_KIB 40u /* of packet buffer, for both directions */
#define RA_VALID 0x80000000u

static struct e1000e *nic_of(struct pci_function *function)
{
	return container_of(function, struct e1000e, function);
}

void e1000e_unlock(struct e1000e *nic)
{
	uint32_t fire = nic->fire;

	nic->fire = 0;
	pthread_mutex_unlock(&nic->lock);
	if (fire & 1u << E1000E_LINE)
		pci_msi_raise(&nic->function);
	for (unsigned n = 0; n < E1000E_VECTORS; n++)
		if (fire & 1u << n)
			pci_msix_raise(&nic->function, n);
}

void e1000e_update_receiving(struct e1000e *nic)
{
	bool receiving = (nic->reg[REG_RCTL] & RCTL_ENABLE) && e1000e_may_access(nic) &&
			 e1000e_link_is_up(nic) && !nic->paused;

	if (receiving && !nic->receiving)
		reserve_init(&nic->reserve);
	nic->receiving = receiving;
	if (nic->port)
		switch_port_accepts(nic->port, receiving ? 0 : NET_ACCEPTS_NOTHING);
}

static void wake_sender(struct e1000e *nic)
{
	loop_post(nic->loop, &nic->tx_task);
}

static void reset(struct e1000e *nic)
{
	for (unsigned i = 0; i < e1000e_row_count; i++)
		for (unsigned n = 0; n < e1000e_rows[i].count; n++)
			nic->reg[e1000e_rows[i].first + n] = e1000e_rows[i].reset;
	memcpy(&nic->reg[REG_RA], nic->mac, sizeof(nic->mac));
	nic->reg[REG_RA + 1] |= RA_VALID;
	for (unsigned n = 0; n < E1000E_TX_QUEUES; n++)
		nic->tx[n] = (struct e1000e_tx){ .generation = nic->tx[n].generation + 1 };
	nic->rx_causes = 0;
	e1000e_reset_interrupts(nic);
	e1000e_update_receiving(nic);
}

/* --- registers; lock held --- */

static uint32_t read_register(struct e1000e *nic, uint32_t offset)
{
	const struct e1000e_row *row;
	uint32_t value = 0, number;

	if (offset == CTRL_DUPLICATE)
		offset = 0;
	row = e1000e_find(offset);
	if (!row)
		return 0;
	number = row->first + (offset - row->offset) / 4;
	switch (row->first) {
	case REG_STATUS:
		value = STATUS_FIXED;
		if (e1000e_link_is_up(nic))
			value |= STATUS_LINK_UP;
		if (!(nic->reg[REG_CTRL] & CTRL_MASTER_OFF))
			value |= STATUS_MASTER_ON;
		return value;
	case REG_ICR:
		return e1000e_read_icr(nic);
	case REG_ICS:
		return nic->reg[REG_ICR];
	case REG_SWSM:
		value = nic->reg[REG_SWSM];
		nic->reg[REG_SWSM] |= SWSM_SMBI; /* whoever finds it clear has taken it */
		return value;
	case REG_STATISTICS:
		return e1000e_read_count(nic, number - REG_STATISTICS);
	default:
		return nic->reg[number];
	}
}

static void write_ctrl(struct e1000e *nic, uint32_t value)
{
	bool was_up = e1000e_link_is_up(nic);
	uint32_t pba = nic->reg[REG_PBA];

	if (value & CTRL_PHY_RESET)
		e1000e_phy_reset(nic);
	if (value & CTRL_RESET) {
		reset(nic);
		nic->reg[REG_PBA] = pba; /* the packet buffer stays divided as it is */
		return;
	}
	e1000e_update_receiving(nic);
	wake_sender(nic);
	if (e1000e_link_is_up(nic) != was_up)
		e1000e_raise(nic, CAUSE_LSC);
}

/* The driver describes a ring anew: what was fetched of the old one, or ought to be, is void. */
static void begin_ring(struct e1000e_tx *tx)
{
	tx->generation++;
	tx->skipping = false;
}

/* What comes of a value that has been put into a register. */
static void see_register(struct e1000e *nic, unsigned first, uint32_t value)
{
	switch (first) {
	case REG_CTRL:
		write_ctrl(nic, value);
		break;
	case REG_EECD:
		nic->reg[REG_EECD] &= ~EECD_GRANT;
		if (value & EECD_REQUEST)
			nic->reg[REG_EECD] |= EECD_GRANT;
		break;
	case REG_PBA:
		value &= 0x3f;
		nic->reg[REG_PBA] = value | (value < PBA_KIB ? PBA_KIB - value : 0) << 16;
		break;
	case REG_RCTL:
		e1000e_update_receiving(nic);
		break;
	case REG_TDBAL:
	case REG_TDBAH:
	case REG_TDLEN:
	case REG_TDH:
		begin_ring(&nic->tx[0]);
		break;
	case REG_TDBAL1:
	case REG_TDBAH1:
	case REG_TDLEN1:
	case REG_TDH1:
		begin_ring(&nic->tx[1]);
		break;
	case REG_TCTL:
	case REG_TDT:
	case REG_TDT1:
		wake_sender(nic);
		break;
	default:
		break;
	}
}

static void write_register(struct e1000e *nic, uint32_t offset, uint32_t value)
{
	const struct e1000e_row *row;
	uint32_t *reg;

	if (offset == CTRL_DUPLICATE)
		offset = 0;
	row = e1000e_find(offset);
	if (!row)
		return;
	switch (row->first) {
	case REG_ICR:
		e1000e_write_icr(nic, value);
		return;
	case REG_ICS:
		e1000e_raise(nic, value);
		return;
	case REG_IMS:
		e1000e_write_ims(nic, value);
		return;
	case REG_IMC:
		e1000e_write_imc(nic, value);
		return;
	case REG_MDIC:
		e1000e_write_mdic(nic, value);
		return;
	case REG_EERD:
		e1000e_write_eerd(nic, value);
		return;
	case REG_STATISTICS:
		return;
	default:
		reg = &nic->reg[row->first + (offset - row->offset) / 4];
		*reg = (value & row->bits) | (*reg & ~row->bits);
		see_register(nic, row->first, value);
	}
}

/* --- PCI --- */

/* Registers are words: what is less of one is part of a word. */
static void read_words(struct e1000e *nic, uint64_t offset, void *data, unsigned length)
{
	unsigned from = offset & 3, count = (from + length + 3) / 4;
	uint32_t words[3];

	pthread_mutex_lock(&nic->lock);
	for (unsigned i = 0; i < count; i++)
		words[i] = read_register(nic, ((uint32_t)offset & ~3u) + 4 * i);
	e1000e_unlock(nic);
	memcpy(data, (uint8_t *)words + from, length);
}

static void write_words(struct e1000e *nic, uint64_t offset, const void *data, unsigned length)
{
	uint32_t words[2];

	if (offset % 4 || length % 4)
		return;
	memcpy(words, data, length);
	pthread_mutex_lock(&nic->lock);
	for (unsigned i = 0; i < length / 4; i++)
		write_register(nic, (uint32_t)offset + 4 * i, words[i]);
	e1000e_unlock(nic);
}

/* The register that the ports lead to; false: none. */
static bool ports_lead_to(struct e1000e *nic, uint32_t *offset)
{
	pthread_mutex_lock(&nic->lock);
	*offset = nic->io_address;
	pthread_mutex_unlock(&nic->lock);
	return *offset < BAR_REGISTERS_SIZE && *offset % 4 == 0;
}

static void bar_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		     unsigned length)
{
	struct e1000e *nic = nic_of(function);
	uint32_t at;

	if (bar == BAR_REGISTERS) {
		read_words(nic, offset, data, length);
		return;
	}
	memset(data, 0, length);
	if (bar != BAR_PORTS || length != 4)
		return;
	if (offset == PORT_ADDRESS) {
		ports_lead_to(nic, &at);
		memcpy(data, &at, sizeof(at));
	} else if (offset == PORT_DATA && ports_lead_to(nic, &at)) {
		read_words(nic, at, data, length);
	}
}

static void bar_write(struct pci_function *function, unsigned bar, uint64_t offset,
		      const void *data, unsigned length)
{
	struct e1000e *nic = nic_of(function);
	uint32_t at;

	if (bar == BAR_REGISTERS) {
		write_words(nic, offset, data, length);
		return;
	}
	if (bar != BAR_PORTS || length != 4)
		return;
	if (offset == PORT_ADDRESS) {
		pthread_mutex_lock(&nic->lock);
		memcpy(&nic->io_address, data, sizeof(nic->io_address));
		pthread_mutex_unlock(&nic->lock);
	} else if (offset == PORT_DATA && ports_lead_to(nic, &at)) {
		write_words(nic, at, data, length);
	}
}

static void master_changed(struct pci_function *function, bool master)
{
	struct e1000e *nic = nic_of(function);

	pthread_mutex_lock(&nic->lock);
	nic->master = master;
	e1000e_update_receiving(nic);
	wake_sender(nic);
	pthread_mutex_unlock(&nic->lock);
}

static const struct pci_function_ops function_ops = {
	.name = "e1000e",
	.bar_read = bar_read,
	.bar_write = bar_write,
	.master_changed = master_changed,
};

/* --- life --- */

int e1000e_create(struct e1000e *nic, struct pci *pci, unsigned slot,
		  const struct guest_memory *memory, struct loop *loop,
		  const uint8_t mac[NET_MAC_SIZE], struct cause *cause)
{
	struct pci_function *function = &nic->function;
	unsigned at;
	int err;

	pthread_mutex_init(&nic->lock, NULL);
	nic->memory = memory;
	nic->loop = loop;
	nic->paused = true;
	memcpy(nic->mac, mac, sizeof(nic->mac));
	nic->tx_task = (struct loop_task){ .run = e1000e_transmit, .arg = nic };
	e1000e_open_interrupts(nic);
	pci_function_init(function, &function_ops, VENDOR_INTEL, DEVICE_82574L, CLASS_ETHERNET);
	memcpy(function->config + PCI_SUBSYSTEM_VENDOR, function->config + PCI_VENDOR_ID, 4);
	pci_add_bar(function, BAR_REGISTERS, PCI_BAR_MEMORY, BAR_REGISTERS_SIZE);
	pci_add_bar(function, BAR_PORTS, PCI_BAR_IO, BAR_PORTS_SIZE);
	pci_add_bar(function, BAR_MSIX, PCI_BAR_MEMORY, BAR_MSIX_SIZE);
	pci_add_msi(function);
	at = pci_add_capability(function, CAPABILITY_PCIE, PCIE_SIZE);
	function->config[at + 2] = PCIE_ROOT_ENDPOINT;
	pci_add_msix(function, E1000E_VECTORS, BAR_MSIX, 0, MSIX_PENDING);
	err = pci_add(pci, function, slot, cause);
	if (err)
		return err;
	e1000e_phy_reset(nic);
	reset(nic);
	return 0;
}

void e1000e_pause(struct e1000e *nic, bool paused)
{
	pthread_mutex_lock(&nic->lock);
	nic->paused = paused;
	e1000e_update_receiving(nic);
	/* Of frames that came last; a state that is saved has them in ICR. */
	e1000e_tell_received(nic);
	if (!paused)
		wake_sender(nic);
	e1000e_unlock(nic);
}

void e1000e_describe(struct e1000e *nic, char *text, size_t size)
{
	bool used;

	pthread_mutex_lock(&nic->lock);
	used = (nic->reg[REG_RCTL] & RCTL_ENABLE) || (nic->reg[REG_TCTL] & TCTL_ENABLE);
	pthread_mutex_unlock(&nic->lock);
	snprintf(text, size, "%s", used ? "running" : "idle");
}

void e1000e_destroy(struct e1000e *nic)
{
	if (!nic->loop)
		return;
	loop_unpost(nic->loop, &nic->tx_task);
	e1000e_close_interrupts(nic);
	pci_remove(&nic->function);
	pthread_mutex_destroy(&nic->lock);
}
