/*
 * A PCI function's identity and its list of capabilities. PCI Local Bus 3.0
 * §6.1, §6.7. The thread that builds the machine.
 */
#include "core/bus/pci_function.h"

#include <string.h>

#include "base/checked.h"

#define CAPABILITY_FIRST 0x40
#define STATUS_CAPABILITIES 0x10
#define BAR_IS_IO 0x1

static void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

void pci_function_init(struct pci_function *function, const struct pci_function_ops *ops,
		       uint16_t vendor, uint16_t device_id, uint32_t class_code)
{
	function->ops = ops;
	function->next_capability = CAPABILITY_FIRST;
	put16(function->config + PCI_VENDOR_ID, vendor);
	put16(function->config + PCI_DEVICE_ID, device_id);
	function->config[PCI_CLASS] = (uint8_t)class_code;
	function->config[PCI_CLASS + 1] = (uint8_t)(class_code >> 8);
	function->config[PCI_CLASS + 2] = (uint8_t)(class_code >> 16);
	put16(function->writable + PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
	function->writable[PCI_INTERRUPT_LINE] = 0xff;
	for (unsigned i = 0; i < PCI_BARS; i++)
		function->bars[i] = (struct pci_bar){ .function = function, .range = -1,
						      .base = BUS_NOWHERE };
	pci_vector_init(&function->message);
}

void pci_add_bar(struct pci_function *function, unsigned bar, enum pci_bar_type type,
		 uint32_t size)
{
	uint8_t *writable = function->writable + PCI_BAR0 + 4 * bar;
	uint32_t mask = ~(size - 1);

	function->bars[bar].type = type;
	function->bars[bar].size = size;
	memcpy(writable, &mask, sizeof(mask));
	if (type == PCI_BAR_IO) {
		function->config[PCI_BAR0 + 4 * bar] = BAR_IS_IO;
		function->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
	}
	function->config[PCI_INTERRUPT_PIN] = 1;
}

unsigned pci_add_capability(struct pci_function *function, uint8_t id, unsigned size)
{
	unsigned at = function->next_capability;

	function->config[at] = id;
	function->config[at + 1] = function->config[PCI_CAPABILITIES];
	function->config[PCI_CAPABILITIES] = (uint8_t)at;
	function->config[PCI_STATUS] |= STATUS_CAPABILITIES;
	function->next_capability = (unsigned)align_up(at + size, 4);
	return at;
}
