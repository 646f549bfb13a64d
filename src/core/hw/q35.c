/*
 * The PCI host with its two bridges, which have an identity and nothing else:
 * guests choose drivers and workarounds by it. The thread that builds the machine.
 */
#include "core/hw/q35.h"

#include "core/bus/pci.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_Q35_MCH 0x29c0
#define DEVICE_ICH9_LPC 0x2918
#define CLASS_HOST_BRIDGE 0x060000
#define CLASS_ISA_BRIDGE 0x060100
#define LPC_DEVICE 0x1f
#define HEADER_MULTIFUNCTION 0x80

struct q35 {
	struct pci pci;
	struct pci_function host_bridge, lpc_bridge;
};

struct __attribute__((packed)) q35_registers {
	uint32_t address; /* port 0xcf8 */
	struct pci_registers host_bridge, lpc_bridge;
};

static const struct pci_function_ops bridge_ops = { .name = "bridge" };

static int create_q35(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct q35 *q35 = device->state;
	int err = pci_create(&q35->pci, host->io, host->mmio, host->irq, cause);

	host->pci = &q35->pci;
	pci_function_init(&q35->host_bridge, &bridge_ops, VENDOR_INTEL, DEVICE_Q35_MCH,
			  CLASS_HOST_BRIDGE);
	pci_function_init(&q35->lpc_bridge, &bridge_ops, VENDOR_INTEL, DEVICE_ICH9_LPC,
			  CLASS_ISA_BRIDGE);
	q35->lpc_bridge.config[PCI_HEADER_TYPE] = HEADER_MULTIFUNCTION;
	if (!err)
		err = pci_add(&q35->pci, &q35->host_bridge, 0, cause);
	return err ? err : pci_add(&q35->pci, &q35->lpc_bridge, LPC_DEVICE, cause);
}

static void destroy_q35(struct device *device)
{
	struct q35 *q35 = device->state;

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

	atomic_store(&q35->pci.address, registers->address);
	return wrong ? wrong : pci_function_load(&q35->lpc_bridge, &registers->lpc_bridge);
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
