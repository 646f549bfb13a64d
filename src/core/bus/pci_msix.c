/*
 * MSI-X tables on vCPU threads under pci.lock; raising from any thread without
 * a lock.
 *
 * A vector is open when nothing masks it and the function may write to memory
 * (bus master enable, §6.2.2), for that is what a message is. Raising an open vector writes its
 * irqfd; raising a closed one leaves a mark. Both sides set their own flag
 * first and look at the other's afterwards, so that no interrupt is lost.
 */
#include "core/bus/pci_msix.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>


#define CAPABILITY_MSIX 0x11
#define CONTROL_ENABLE 0x8000u
#define CONTROL_MASK_ALL 0x4000u
#define ENTRY_SIZE 16u
#define VECTOR_MASKED 1u

static void signal_vector(struct pci_vector *vector)
{
	uint64_t one = 1;
	ssize_t n = write(vector->fd, &one, sizeof(one));

	(void)n; /* a full counter means that it is raised already */
}

void pci_msix_raise(struct pci_function *function, unsigned number)
{
	struct pci_vector *vector = &function->vectors[number];

	if (number >= function->msix_count)
		return;
	if (atomic_load(&vector->open)) {
		signal_vector(vector);
		return;
	}
	atomic_store(&vector->pending, true);
	if (atomic_load(&vector->open) && atomic_exchange(&vector->pending, false))
		signal_vector(vector);
}

void pci_add_msix(struct pci_function *function, unsigned count, uint32_t table, uint32_t pending)
{
	unsigned at = pci_add_capability(function, CAPABILITY_MSIX, 12);
	uint16_t control = (uint16_t)(count - 1);

	function->msix_count = count;
	function->msix_capability = at;
	function->msix_table = table;
	function->msix_pending = pending;
	memcpy(function->config + at + 2, &control, sizeof(control));
	memcpy(function->config + at + 4, &table, sizeof(table));
	memcpy(function->config + at + 8, &pending, sizeof(pending));
	function->writable[at + 3] = (CONTROL_ENABLE | CONTROL_MASK_ALL) >> 8;
}

/* Makes the eventfd and the route when they are first needed. */
static bool connect_vector(struct pci_function *function, struct pci_vector *vector)
{
	struct irq_router *irq = function->pci->irq;

	if (vector->fd < 0)
		vector->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector->fd < 0)
		return false;
	if (vector->gsi < 0)
		vector->gsi = irq_msi_alloc(irq);
	return vector->gsi >= 0 && irq_msi_set(irq, vector->gsi, vector->fd, vector->address,
					       vector->data) == 0;
}

static void update_vector(struct pci_function *function, struct pci_vector *vector)
{
	uint16_t control;
	bool open;

	memcpy(&control, function->config + function->msix_capability + 2, sizeof(control));
	open = function->master && (control & CONTROL_ENABLE) && !(control & CONTROL_MASK_ALL) &&
	       !vector->masked && connect_vector(function, vector);
	atomic_store(&vector->open, open);
	if (open && atomic_exchange(&vector->pending, false))
		signal_vector(vector);
}

void pci_msix_control(struct pci_function *function)
{
	uint8_t high = function->config[function->msix_capability + 3];

	if (!function->msix_count)
		return;
	atomic_store(&function->msix_enabled, (high & (CONTROL_ENABLE >> 8)) != 0);
	for (unsigned i = 0; i < function->msix_count; i++)
		update_vector(function, &function->vectors[i]);
}

/* The 32-bit word of an entry. */
static uint32_t entry_word(const struct pci_vector *vector, unsigned word)
{
	switch (word) {
	case 0:
		return (uint32_t)vector->address;
	case 1:
		return (uint32_t)(vector->address >> 32);
	case 2:
		return vector->data;
	default:
		return vector->masked ? VECTOR_MASKED : 0;
	}
}

static void set_entry_word(struct pci_vector *vector, unsigned word, uint32_t value)
{
	switch (word) {
	case 0:
		vector->address = (vector->address & ~0xffffffffull) | (value & ~3u);
		break;
	case 1:
		vector->address = (vector->address & 0xffffffffull) | (uint64_t)value << 32;
		break;
	case 2:
		vector->data = value;
		break;
	default:
		vector->masked = value & VECTOR_MASKED;
		break;
	}
}

/* Aligned accesses of 4 or 8 bytes are the only legal ones, §6.8.2. */
static bool legal(uint64_t offset, unsigned length)
{
	return (length == 4 || length == 8) && offset % length == 0;
}

bool pci_msix_read(struct pci_function *function, uint64_t offset, void *data, unsigned length)
{
	uint64_t in_table = offset - function->msix_table;
	uint64_t pending = 0;

	if (!function->msix_count)
		return false;
	if (in_table < function->msix_count * ENTRY_SIZE) {
		memset(data, 0, length);
		if (!legal(offset, length))
			return true;
		pthread_mutex_lock(&function->pci->lock);
		for (unsigned i = 0; i < length / 4; i++) {
			unsigned word = (unsigned)in_table / 4 + i;
			uint32_t value = entry_word(&function->vectors[word / 4], word % 4);

			memcpy((uint8_t *)data + 4 * i, &value, 4);
		}
		pthread_mutex_unlock(&function->pci->lock);
		return true;
	}
	if (offset - function->msix_pending < 8 &&
	    offset - function->msix_pending + length <= 8) {
		for (unsigned i = 0; i < function->msix_count; i++)
			if (atomic_load(&function->vectors[i].pending))
				pending |= 1ull << i;
		pending >>= 8 * (offset - function->msix_pending);
		memcpy(data, &pending, length);
		return true;
	}
	return false;
}

bool pci_msix_write(struct pci_function *function, uint64_t offset, const void *data,
		    unsigned length)
{
	uint64_t in_table = offset - function->msix_table;

	if (!function->msix_count || in_table >= function->msix_count * ENTRY_SIZE)
		return false;
	if (!legal(offset, length))
		return true;
	pthread_mutex_lock(&function->pci->lock);
	for (unsigned i = 0; i < length / 4; i++) {
		unsigned word = (unsigned)in_table / 4 + i;
		uint32_t value;

		memcpy(&value, (const uint8_t *)data + 4 * i, 4);
		set_entry_word(&function->vectors[word / 4], word % 4, value);
	}
	/* Drivers write address and data while the entry is masked, and open it last. */
	update_vector(function, &function->vectors[in_table / ENTRY_SIZE]);
	pthread_mutex_unlock(&function->pci->lock);
	return true;
}

void pci_msix_save(struct pci_function *function, struct pci_registers *registers)
{
	for (unsigned i = 0; i < function->msix_count; i++) {
		struct pci_vector *vector = &function->vectors[i];

		registers->vectors[i].address = vector->address;
		registers->vectors[i].data = vector->data;
		registers->vectors[i].masked = vector->masked;
		registers->vectors[i].pending = atomic_load(&vector->pending);
	}
}

const char *pci_msix_load(struct pci_function *function, const struct pci_registers *registers)
{
	static const struct pci_registers none;

	for (unsigned i = 0; i < PCI_MSIX_MAX; i++) {
		struct pci_vector *vector = &function->vectors[i];

		if (i >= function->msix_count) {
			if (memcmp(&registers->vectors[i], none.vectors, sizeof(none.vectors[i])))
				return "MSI-X vectors";
			continue;
		}
		if ((registers->vectors[i].address & 3) || registers->vectors[i].masked > 1 ||
		    registers->vectors[i].pending > 1)
			return "MSI-X vectors";
		vector->address = registers->vectors[i].address;
		vector->data = registers->vectors[i].data;
		vector->masked = registers->vectors[i].masked;
		atomic_store(&vector->pending, registers->vectors[i].pending);
	}
	return NULL;
}

void pci_msix_release(struct pci_function *function)
{
	for (unsigned i = 0; i < function->msix_count; i++) {
		struct pci_vector *vector = &function->vectors[i];

		atomic_store(&vector->open, false);
		if (vector->gsi >= 0) {
			irq_msi_clear(function->pci->irq, vector->gsi, vector->fd);
			irq_msi_free(function->pci->irq, vector->gsi);
		}
		if (vector->fd >= 0)
			close(vector->fd);
		vector->fd = vector->gsi = -1;
	}
}
