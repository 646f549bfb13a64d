/* MSI: the capability on vCPU threads under pci.lock; raising on any thread. */
#include "core/bus/pci_msi.h"

#include <string.h>

#define CAPABILITY_MSI 0x05
#define CONTROL 2u
#define CONTROL_ENABLE 0x01
#define CONTROL_64BIT 0x80
#define ADDRESS 4u
#define DATA 12u

void pci_add_msi(struct pci_function *function)
{
	unsigned at = pci_add_capability(function, CAPABILITY_MSI, PCI_MSI_SIZE);

	function->msi_capability = at;
	function->config[at + CONTROL] = CONTROL_64BIT;
	function->writable[at + CONTROL] = CONTROL_ENABLE;
	memset(function->writable + at + ADDRESS, 0xff, 8);
	function->writable[at + ADDRESS] = 0xfc;
	memset(function->writable + at + DATA, 0xff, 2);
}

void pci_msi_raise(struct pci_function *function)
{
	if (atomic_load(&function->msi_enabled))
		pci_vector_raise(&function->message);
}

void pci_msi_control(struct pci_function *function)
{
	const uint8_t *capability = function->config + function->msi_capability;
	struct pci_vector *message = &function->message;
	bool enabled;

	if (!function->msi_capability)
		return;
	enabled = capability[CONTROL] & CONTROL_ENABLE;
	message->data = 0;
	memcpy(&message->address, capability + ADDRESS, 8);
	memcpy(&message->data, capability + DATA, 2);
	atomic_store(&function->msi_enabled, enabled);
	if (!enabled)
		atomic_store(&message->pending, false);
	pci_vector_set(message, function->pci->irq, enabled && function->master);
}
