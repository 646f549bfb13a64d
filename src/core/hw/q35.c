/*
 * The PCI host with its two bridges: guests choose drivers and workarounds by their
 * identity, and firmware finds the registers that it sets up. The thread that builds
 * the machine.
 *
 * Intel Q35 data sheet (MCH) § 5.1, ICH9 data sheet § 13.1 (LPC). The registers stand,
 * but nothing moves: memory from 0xc0000 on is RAM that can be written whatever the PAM
 * registers say, and ECAM and the PM block lie where firmware puts them. PIRQ[A-D]# are
 * where INTA# of devices leads to; nothing drives PIRQ[E-H]#. There is no SMM.
 */
#include "core/hw/q35.h"

#include <string.h>

#include "base/checked.h"
#include "core/bus/pci.h"
#include "core/bus/platform.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_Q35_MCH 0x29c0
#define DEVICE_ICH9_LPC 0x2918
#define CLASS_HOST_BRIDGE 0x060000
#define CLASS_ISA_BRIDGE 0x060100
#define LPC_DEVICE 0x1f
#define HEADER_MULTIFUNCTION 0x80

/* By this SeaBIOS knows that there is a firmware configuration device. */
#define SUBSYSTEM_VENDOR_QEMU 0x1af4
#define SUBSYSTEM_QEMU 0x1100

#define MCH_PCIEXBAR 0x60
#define MCH_PCIEXBAR_ENABLE 0x01
#define MCH_PAM 0x90
#define MCH_PAM_COUNT 7
#define MCH_PAM_RAM 0x33 /* reads and writes of both halves go to RAM; PAM0 has the upper alone */
#define MCH_PAM0_RAM 0x30

#define LPC_COMMAND (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define LPC_PMBASE 0x40
#define LPC_PMBASE_IO 0x01
#define LPC_ACPI_CONTROL 0x44
#define LPC_ACPI_ENABLE 0x80
#define LPC_PIRQ_A 0x60 /* to D; E to H from LPC_PIRQ_E on */
#define LPC_PIRQ_E 0x68
#define LPC_PIRQ_COUNT 4
#define LPC_PIRQ_OFF 0x80
#define LPC_PIRQ_MASK 0x8f
#define LPC_PIRQ_IRQS 0xdce8u /* bits of those that they can lead to: 3, 5 to 7, 10 to 12, 14, 15 */

struct q35 {
	struct pci pci;
	struct pci_function host_bridge, lpc_bridge;
};

struct __attribute__((packed)) q35_registers {
	uint32_t address; /* port 0xcf8 */
	struct pci_registers host_bridge, lpc_bridge;
};

static const struct pci_function_ops bridge_ops = { .name = "bridge" };

/* Has the PICs get what the bridge's registers say. IRQs that others drive are none for it. */
static void route(struct q35 *q35)
{
	for (unsigned i = 0; i < PCI_INTX_LINES; i++) {
		uint8_t value = q35->lpc_bridge.config[LPC_PIRQ_A + i];
		bool leads = !(value & LPC_PIRQ_OFF) && LPC_PIRQ_IRQS >> (value & 15) & 1;

		pci_route_intx(&q35->pci, i, leads ? value & 15u : 0);
	}
}

static void lpc_written(struct pci_function *function, unsigned offset, unsigned length)
{
	if (range_overlap(offset, length, LPC_PIRQ_A, LPC_PIRQ_COUNT))
		route(container_of(function, struct q35, lpc_bridge));
}

static const struct pci_function_ops lpc_ops = { .name = "bridge", .config_written = lpc_written };

static void put(struct pci_function *function, unsigned offset, uint32_t value)
{
	memcpy(function->config + offset, &value, sizeof(value));
}

static void set_up_host_bridge(struct pci_function *bridge)
{
	pci_function_init(bridge, &bridge_ops, VENDOR_INTEL, DEVICE_Q35_MCH, CLASS_HOST_BRIDGE);
	put(bridge, PCI_SUBSYSTEM_VENDOR, SUBSYSTEM_QEMU << 16 | SUBSYSTEM_VENDOR_QEMU);
	put(bridge, MCH_PCIEXBAR, PLATFORM_ECAM_BASE | MCH_PCIEXBAR_ENABLE);
	memset(bridge->config + MCH_PAM, MCH_PAM_RAM, MCH_PAM_COUNT);
	memset(bridge->writable + MCH_PAM, MCH_PAM_RAM, MCH_PAM_COUNT);
	bridge->config[MCH_PAM] = bridge->writable[MCH_PAM] = MCH_PAM0_RAM;
}

/* firmware: there is some, which sets up what is off at first. */
static void set_up_lpc_bridge(struct pci_function *bridge, bool firmware)
{
	pci_function_init(bridge, &lpc_ops, VENDOR_INTEL, DEVICE_ICH9_LPC, CLASS_ISA_BRIDGE);
	put(bridge, PCI_SUBSYSTEM_VENDOR, SUBSYSTEM_QEMU << 16 | SUBSYSTEM_VENDOR_QEMU);
	/* What is behind it can always be reached: UEFI looks for the serial port only then. */
	bridge->config[PCI_COMMAND] = LPC_COMMAND;
	bridge->writable[PCI_COMMAND] &= (uint8_t)~LPC_COMMAND;
	bridge->config[PCI_HEADER_TYPE] = HEADER_MULTIFUNCTION;
	put(bridge, LPC_PMBASE, PLATFORM_PM_PORT | LPC_PMBASE_IO);
	bridge->config[LPC_ACPI_CONTROL] = LPC_ACPI_ENABLE;
	for (unsigned i = 0; i < LPC_PIRQ_COUNT; i++) {
		bridge->config[LPC_PIRQ_A + i] = bridge->config[LPC_PIRQ_E + i] =
			firmware ? LPC_PIRQ_OFF : PLATFORM_PCI_ISA_IRQ(i);
		bridge->writable[LPC_PIRQ_A + i] = LPC_PIRQ_MASK;
		bridge->writable[LPC_PIRQ_E + i] = LPC_PIRQ_MASK;
	}
}

static int create_q35(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct q35 *q35 = device->state;
	int err = pci_create(&q35->pci, host->io, host->mmio, host->irq, cause);

	host->pci = &q35->pci;
	set_up_host_bridge(&q35->host_bridge);
	set_up_lpc_bridge(&q35->lpc_bridge, host->fw_cfg);
	if (err)
		return err;
	route(q35);
	err = pci_add(&q35->pci, &q35->host_bridge, 0, cause);
	return err ? err : pci_add(&q35->pci, &q35->lpc_bridge, LPC_DEVICE, cause);
}

static void destroy_q35(struct device *device)
{
	struct q35 *q35 = device->state;

	pci_remove(&q35->lpc_bridge);
	pci_remove(&q35->host_bridge);
	pci_destroy(&q35->pci);
	device->host->pci = NULL;
}

static void save_q35(struct device *device, void *to)
{
	struct q35_registers *registers = to;
	struct q35 *q35 = device->state;

	registers->address = atomic_load(&q35->pci.address);
	pci_function_save(&q35->host_bridge, &registers->host_bridge);
	pci_function_save(&q35->lpc_bridge, &registers->lpc_bridge);
}

static const char *load_q35(struct device *device, const void *from)
{
	const struct q35_registers *registers = from;
	struct q35 *q35 = device->state;
	const char *wrong = pci_function_load(&q35->host_bridge, &registers->host_bridge);

	if (!wrong)
		wrong = pci_function_load(&q35->lpc_bridge, &registers->lpc_bridge);
	if (wrong)
		return wrong;
	atomic_store(&q35->pci.address, registers->address);
	route(q35);
	return NULL;
}

const struct device_type q35_device = {
	.name = "PCI",
	.size = sizeof(struct q35),
	.create = create_q35,
	.destroy = destroy_q35,
	.version = 1,
	.saved = sizeof(struct q35_registers),
	.save = save_q35,
	.load = load_q35,
};
