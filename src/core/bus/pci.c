/*
 * Configuration space by ports 0xcf8/0xcfc and by ECAM, and BARs. vCPU threads,
 * under pci.lock.
 */
#include "core/bus/pci.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "core/bus/pci_msi.h"
#include "core/bus/pci_msix.h"
#include "core/bus/platform.h"

#define STATUS_INTERRUPT 0x08
#define ENABLE_BIT 0x80000000u

/* What BARs of a type are to the bus. */
static const struct bar_kind {
	uint16_t enable;  /* by which bit of the command register */
	uint64_t highest; /* address; what reaches beyond it is nowhere */
	uint64_t first;	  /* where the first one is placed */
} bar_kinds[] = {
	[PCI_BAR_MEMORY] = { PCI_COMMAND_MEMORY, UINT32_MAX, PLATFORM_PCI_BASE },
	[PCI_BAR_IO] = { PCI_COMMAND_IO, UINT16_MAX, PLATFORM_PCI_IO_BASE },
};

static struct bus *bus_of(const struct pci_bar *bar)
{
	return bar->type == PCI_BAR_IO ? bar->function->pci->io : bar->function->pci->mmio;
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint16_t command_of(const struct pci_function *function)
{
	uint16_t command;

	memcpy(&command, function->config + PCI_COMMAND, sizeof(command));
	return command;
}

/* Has a BAR answer where command register and BAR say. pci.lock held. */
static void place_bar(struct pci_bar *bar)
{
	struct pci_function *function = bar->function;
	const struct bar_kind *kind = &bar_kinds[bar->type];
	unsigned number = (unsigned)(bar - function->bars);
	uint64_t base = get32(function->config + PCI_BAR0 + 4 * number) & ~(bar->size - 1);

	if (!(command_of(function) & kind->enable) || !base || base > kind->highest)
		base = BUS_NOWHERE;
	if (!bar->size || base == bar->base)
		return;
	bar->base = base;
	bus_move(bus_of(bar), bar->range, base);
	if (function->ops->bar_moved)
		function->ops->bar_moved(function, number, base);
}

static void place_bars(struct pci_function *function)
{
	for (unsigned i = 0; i < PCI_BARS; i++)
		place_bar(&function->bars[i]);
}

/* Has an ISA interrupt follow the lines that lead to it. intx_lock held. */
static void update_isa(struct pci *pci, unsigned isa)
{
	uint16_t bit = (uint16_t)(1u << isa);
	bool level = false;

	for (unsigned i = 0; i < PCI_INTX_LINES; i++)
		level |= pci->isa[i] == isa && pci->intx[i];
	if (!isa || level == !!(pci->isa_levels & bit))
		return;
	pci->isa_levels ^= bit;
	irq_set_line(pci->irq, isa, level);
}

void pci_route_intx(struct pci *pci, unsigned line, unsigned isa)
{
	unsigned before;

	pthread_mutex_lock(&pci->intx_lock);
	before = pci->isa[line];
	pci->isa[line] = (uint8_t)isa;
	update_isa(pci, before);
	update_isa(pci, isa);
	pthread_mutex_unlock(&pci->intx_lock);
}

/* Has the line follow what the function asks for and what may pass. intx_lock held. */
static void update_intx(struct pci_function *function)
{
	struct pci *pci = function->pci;
	unsigned line = function->device % PCI_INTX_LINES;
	uint32_t bit = 1u << function->device, before = pci->intx[line];
	bool level = function->intx && !function->intx_off &&
		     !atomic_load(&function->msix_enabled) && !atomic_load(&function->msi_enabled);

	pci->intx[line] = level ? before | bit : before & ~bit;
	if (!before == !pci->intx[line])
		return;
	irq_set_line(pci->irq, PLATFORM_PCI_GSI + line, level);
	update_isa(pci, pci->isa[line]);
}

/* The guest switched INTA#, MSI or MSI-X on or off. pci.lock held. */
static void gate_intx(struct pci_function *function)
{
	pthread_mutex_lock(&function->pci->intx_lock);
	function->intx_off = command_of(function) & PCI_COMMAND_INTX_OFF;
	update_intx(function);
	pthread_mutex_unlock(&function->pci->intx_lock);
}

/* Has the function use guest memory and send messages, or not. pci.lock held. */
static void gate_master(struct pci_function *function)
{
	bool master = command_of(function) & PCI_COMMAND_MASTER;

	if (master == function->master)
		return;
	function->master = master;
	pci_msi_control(function);
	pci_msix_control(function);
	if (function->ops->master_changed)
		function->ops->master_changed(function, master);
}

static void config_write(struct pci_function *function, unsigned offset, const uint8_t *data,
			 unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		uint8_t *byte = &function->config[offset + i];
		uint8_t mask = function->writable[offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (data[i] & mask));
	}
	if (range_overlap(offset, length, PCI_COMMAND, 2)) {
		place_bars(function);
		gate_intx(function);
		gate_master(function);
	}
	if (range_overlap(offset, length, PCI_BAR0, 4 * PCI_BARS))
		place_bars(function);
	if (function->msi_capability &&
	    range_overlap(offset, length, function->msi_capability, PCI_MSI_SIZE)) {
		pci_msi_control(function);
		gate_intx(function);
	}
	if (function->msix_count &&
	    range_overlap(offset, length, function->msix_capability + 2, 2)) {
		pci_msix_control(function);
		gate_intx(function);
	}
	if (function->ops->config_written)
		function->ops->config_written(function, offset, length);
}

/* The status register says what the function asks for, also while it may not pass. pci.lock held. */
static void show_intx(struct pci_function *function)
{
	pthread_mutex_lock(&function->pci->intx_lock);
	function->config[PCI_STATUS] &= (uint8_t)~STATUS_INTERRUPT;
	if (function->intx)
		function->config[PCI_STATUS] |= STATUS_INTERRUPT;
	pthread_mutex_unlock(&function->pci->intx_lock);
}

/* One access to bus 0; offset and length lie within 4096 bytes of a function. */
static void access_config(struct pci *pci, unsigned devfn, unsigned offset, void *data,
			  unsigned length, bool write)
{
	struct pci_function *function = devfn & 7 ? NULL : pci->functions[devfn >> 3];

	if (!write)
		memset(data, function ? 0 : 0xff, length);
	if (!function || !range_inside(offset, length, PCI_CONFIG_SIZE))
		return;
	pthread_mutex_lock(&pci->lock);
	if (write) {
		config_write(function, offset, data, length);
	} else {
		if (function->ops->config_read)
			function->ops->config_read(function, offset, length);
		if (range_overlap(offset, length, PCI_STATUS, 1))
			show_intx(function);
		memcpy(data, function->config + offset, length);
	}
	pthread_mutex_unlock(&pci->lock);
}

static void ports_access(struct pci *pci, uint64_t offset, void *data, unsigned length,
			 bool write)
{
	uint32_t address = atomic_load_explicit(&pci->address, memory_order_relaxed);

	/* Four ports of address, four of data; an access that straddles them is nobody's. */
	if (offset < 4 || offset + length > 8 || !(address & ENABLE_BIT) ||
	    (address >> 16 & 0xff)) {
		if (!write)
			memset(data, 0xff, length);
		return;
	}
	access_config(pci, address >> 8 & 0xff, (address & 0xfc) + (unsigned)offset - 4, data,
		      length, write);
}

static void ports_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct pci *pci = device;
	uint32_t address;

	if (offset == 0 && length == 4) {
		address = atomic_load_explicit(&pci->address, memory_order_relaxed);
		memcpy(data, &address, 4);
	} else {
		ports_access(pci, offset, data, length, false);
	}
}

static void ports_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct pci *pci = device;
	uint8_t copy[8];

	memcpy(copy, data, length);
	if (offset == 0 && length == 4)
		atomic_store_explicit(&pci->address, get32(copy), memory_order_relaxed);
	else
		ports_access(pci, offset, copy, length, true);
}

static void ecam_read(void *device, uint64_t offset, void *data, unsigned length)
{
	access_config(device, (unsigned)(offset >> 12), offset & 0xfff, data, length, false);
}

static void ecam_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	uint8_t copy[8];

	memcpy(copy, data, length);
	access_config(device, (unsigned)(offset >> 12), offset & 0xfff, copy, length, true);
}

static const struct bus_ops ports_ops = { "PCI configuration", ports_read, ports_write };
static const struct bus_ops ecam_ops = { "PCI ECAM", ecam_read, ecam_write };

int pci_create(struct pci *pci, struct bus *io, struct bus *mmio, struct irq_router *irq,
	       struct cause *cause)
{
	int range;

	memset(pci, 0, sizeof(*pci));
	pci->io = io;
	pci->mmio = mmio;
	pci->irq = irq;
	for (unsigned i = 0; i < ARRAY_SIZE(bar_kinds); i++)
		pci->next[i] = bar_kinds[i].first;
	pthread_mutex_init(&pci->lock, NULL);
	pthread_mutex_init(&pci->intx_lock, NULL);
	/* The chip set has reset control at one of these ports. */
	range = bus_add_around(io, PLATFORM_PCI_PORT, 8, &ports_ops, pci, cause);
	if (range >= 0)
		range = bus_add(mmio, PLATFORM_ECAM_BASE, PLATFORM_ECAM_SIZE, &ecam_ops, pci, cause);
	return range < 0 ? range : 0;
}

void pci_destroy(struct pci *pci)
{
	pthread_mutex_destroy(&pci->lock);
	pthread_mutex_destroy(&pci->intx_lock);
}

static void bar_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct pci_bar *bar = device;
	struct pci_function *function = bar->function;
	unsigned number = (unsigned)(bar - function->bars);

	if (!pci_msix_read(function, number, offset, data, length))
		function->ops->bar_read(function, number, offset, data, length);
}

static void bar_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct pci_bar *bar = device;
	struct pci_function *function = bar->function;
	unsigned number = (unsigned)(bar - function->bars);

	if (!pci_msix_write(function, number, offset, data, length))
		function->ops->bar_write(function, number, offset, data, length);
}

static const struct bus_ops bar_ops = { "PCI BAR", bar_read, bar_write };

/* Places a BAR and switches it on. */
static int add_bar(struct pci_bar *bar, struct cause *cause)
{
	struct pci_function *function = bar->function;
	uint8_t *at = function->config + PCI_BAR0 + 4 * (bar - function->bars);
	uint64_t *next = &function->pci->next[bar->type];
	uint64_t base = align_up(*next, bar->size);
	int range = bus_add(bus_of(bar), BUS_NOWHERE, bar->size, &bar_ops, bar, cause);

	if (range < 0)
		return range;
	bar->range = range;
	*next = base + bar->size;
	put32(at, get32(at) | (uint32_t)base);
	function->config[PCI_COMMAND] |= (uint8_t)bar_kinds[bar->type].enable;
	place_bar(bar);
	return 0;
}

int pci_add(struct pci *pci, struct pci_function *function, unsigned device, struct cause *cause)
{
	int err;

	if (device >= PCI_DEVICES || pci->functions[device])
		return cause_set(cause, EEXIST, "%s: PCI device %u is taken", function->ops->name,
				 device);
	function->pci = pci;
	function->device = (uint8_t)device;
	err = pci_msix_open(function);
	for (unsigned i = 0; !err && i < PCI_BARS; i++)
		if (function->bars[i].size)
			err = add_bar(&function->bars[i], cause);
	if (function->config[PCI_INTERRUPT_PIN])
		function->config[PCI_INTERRUPT_LINE] =
			PLATFORM_PCI_ISA_IRQ(device % PCI_INTX_LINES);
	pci->functions[device] = function;
	return err;
}

void pci_remove(struct pci_function *function)
{
	struct pci *pci = function->pci;

	if (!pci)
		return;
	for (unsigned i = 0; i < PCI_BARS; i++)
		if (function->bars[i].range >= 0)
			bus_move(bus_of(&function->bars[i]), function->bars[i].range, BUS_NOWHERE);
	pci_intx(function, false);
	pci_vector_release(&function->message, pci->irq);
	pci_msix_release(function);
	pci->functions[function->device] = NULL;
	function->pci = NULL;
}

void pci_intx(struct pci_function *function, bool level)
{
	pthread_mutex_lock(&function->pci->intx_lock);
	function->intx = level;
	update_intx(function);
	pthread_mutex_unlock(&function->pci->intx_lock);
}

void pci_function_save(struct pci_function *function, struct pci_registers *registers)
{
	pthread_mutex_lock(&function->pci->lock);
	memcpy(registers->config, function->config, sizeof(registers->config));
	registers->config[PCI_STATUS] &= (uint8_t)~STATUS_INTERRUPT;
	registers->msi_pending = atomic_load(&function->message.pending);
	pci_msix_save(function, registers);
	pthread_mutex_unlock(&function->pci->lock);
}

const char *pci_function_load(struct pci_function *function,
			      const struct pci_registers *registers)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
		if ((registers->config[i] ^ function->config[i]) & ~function->writable[i])
			return "PCI configuration";
	if (registers->msi_pending > (function->msi_capability != 0))
		return "MSI";
	pthread_mutex_lock(&function->pci->lock);
	wrong = pci_msix_load(function, registers);
	if (!wrong) {
		memcpy(function->config, registers->config, sizeof(function->config));
		atomic_store(&function->message.pending, registers->msi_pending);
		place_bars(function);
		pci_msi_control(function);
		pci_msix_control(function);
		gate_intx(function);
		gate_master(function);
	}
	pthread_mutex_unlock(&function->pci->lock);
	return wrong;
}
