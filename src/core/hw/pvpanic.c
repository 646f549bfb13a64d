/*
 * pvpanic on PCI: one register, to which a kernel writes what has become of it. vCPU threads.
 *
 * QEMU docs/specs/pvpanic.rst; PCI 1b36:0011. Reading the register gives the events that there
 * are. A kernel that panicked and has another one to take over, which will save its memory,
 * is not disturbed: that is told, whatever the profile says.
 */
#include "core/hw/pvpanic.h"

#include <stdatomic.h>
#include <string.h>

#include "core/bus/pci.h"

#define VENDOR_REDHAT 0x1b36
#define DEVICE_PVPANIC 0x0011
#define CLASS_OTHER 0x088000
#define SUBSYSTEM 0x11001af4u /* as QEMU's devices have it */
#define BAR_SIZE 4096

#define PANICKED 0x01u
#define CRASH_LOADED 0x02u /* it panicked, and a kernel for that case takes over */
#define EVENTS (PANICKED | CRASH_LOADED)

struct pvpanic {
	struct pci_function function;
	struct device_host *host;
	_Atomic uint8_t told; /* events; each is reported once */
};

struct __attribute__((packed)) pvpanic_registers {
	struct pci_registers pci;
	uint8_t told;
};

static void panic_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		       unsigned length)
{
	(void)function;
	(void)bar;
	memset(data, 0, length);
	if (offset == 0)
		*(uint8_t *)data = EVENTS;
}

static void panic_write(struct pci_function *function, unsigned bar, uint64_t offset,
			const void *data, unsigned length)
{
	struct pvpanic *panic = container_of(function, struct pvpanic, function);
	struct device_host *host = panic->host;
	enum profile_remedy remedy = host->profile->on_panic;
	uint8_t events = *(const uint8_t *)data & EVENTS, before;

	(void)bar;
	(void)length;
	if (offset || !events)
		return;
	before = atomic_fetch_or(&panic->told, events);
	if (events & PANICKED && (remedy != REMEDY_REPORT || !(before & PANICKED)))
		host->remedy(host, remedy, "its kernel panicked");
	else if (events & ~before & CRASH_LOADED)
		host->remedy(host, REMEDY_REPORT, "its kernel panicked, and its crash kernel begins");
}

static const struct pci_function_ops panic_ops = {
	.name = "panic", .bar_read = panic_read, .bar_write = panic_write,
};

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->on_panic != REMEDY_NONE;
}

static int create(struct device *device, struct cause *cause)
{
	struct pvpanic *panic = device->state;
	uint32_t subsystem = SUBSYSTEM;

	panic->host = device->host;
	pci_function_init(&panic->function, &panic_ops, VENDOR_REDHAT, DEVICE_PVPANIC, CLASS_OTHER);
	memcpy(panic->function.config + PCI_SUBSYSTEM_VENDOR, &subsystem, sizeof(subsystem));
	pci_add_bar(&panic->function, 0, PCI_BAR_MEMORY, BAR_SIZE);
	panic->function.config[PCI_INTERRUPT_PIN] = 0;
	return pci_add(device->host->pci, &panic->function, device->slot, cause);
}

static void destroy(struct device *device)
{
	struct pvpanic *panic = device->state;

	pci_remove(&panic->function);
}

static void save(struct device *device, void *to)
{
	struct pvpanic_registers *registers = to;
	struct pvpanic *panic = device->state;

	pci_function_save(&panic->function, &registers->pci);
	registers->told = atomic_load(&panic->told);
}

static const char *load(struct device *device, const void *from)
{
	const struct pvpanic_registers *registers = from;
	struct pvpanic *panic = device->state;

	if (registers->told & ~EVENTS)
		return "events";
	atomic_store(&panic->told, registers->told);
	return pci_function_load(&panic->function, &registers->pci);
}

const struct device_type pvpanic_device = {
	.name = "panic",
	.size = sizeof(struct pvpanic),
	.pci = true,
	.wanted = wanted,
	.create = create,
	.destroy = destroy,
	.version = 1,
	.saved = sizeof(struct pvpanic_registers),
	.save = save,
	.load = load,
};
