/*
 * MSI-X tables on vCPU threads under pci.lock; raising from any thread without
 * a lock.
 *
 * A vector is open when nothing masks it and the function may write to memory
 * (bus master enable, §6.2.2), for that is what a message is.
 */
#include "core/bus/pci_msix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPABILITY_MSIX 0x11
#define CONTROL_ENABLE 0x8000u
#define CONTROL_MASK_ALL 0x4000u
#define ENTRY_SIZE 16u
#define VECTOR_MASKED 1u

void pci_msix_raise(struct pci_function *function, unsigned number)
{
	if (number < function->msix_count)
		pci_vector_raise(&function->vectors[number]);
}

void pci_add_msix(struct pci_function *function, unsigned count, unsigned bar, uint32_t table,
		  uint32_t pending)
{
	unsigned at = pci_add_capability(function, CAPABILITY_MSIX, 12);
	uint16_t control = (uint16_t)(count - 1);

	function->msix_count = count;
	function->msix_capability = at;
	function->msix_bar = bar;
	function->msix_table = table;
	function->msix_pending = pending;
	memcpy(function->config + at + 2, &control, sizeof(control));
	table |= bar;
	pending |= bar;
	memcpy(function->config + at + 4, &table, sizeof(table));
	memcpy(function->config + at + 8, &pending, sizeof(pending));
	function->writable[at + 3] = (CONTROL_ENABLE | CONTROL_MASK_ALL) >> 8;
}

int pci_msix_open(struct pci_function *function)
{
	if (!function->msix_count)
		return 0;
	function->vectors = calloc(function->msix_count, sizeof(*function->vectors));
	if (!function->vectors)
		return -ENOMEM;
	for (unsigned i = 0; i < function->msix_count; i++)
		pci_vector_init(&function->vectors[i]);
	return 0;
}

static void update_vector(struct pci_function *function, struct pci_vector *vector)
{
	uint16_t control;

	memcpy(&control, function->config + function->msix_capability + 2, sizeof(control));
	pci_vector_set(vector, function->pci->irq,
		       function->master && (control & CONTROL_ENABLE) &&
			       !(control & CONTROL_MASK_ALL) && !vector->masked);
}

int pci_msix_eventfd(struct pci_function *function, unsigned number)
{
	int fd;

	if (number >= function->msix_count)
		return -1;
	pthread_mutex_lock(&function->pci->lock);
	fd = pci_vector_share(&function->vectors[number], function->pci->irq);
	pthread_mutex_unlock(&function->pci->lock);
	return fd;
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

bool pci_msix_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		   unsigned length)
{
	uint64_t in_table = offset - function->msix_table;
	uint64_t pending = 0;

	if (!function->msix_count || bar != function->msix_bar)
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

bool pci_msix_write(struct pci_function *function, unsigned bar, uint64_t offset,
		    const void *data, unsigned length)
{
	uint64_t in_table = offset - function->msix_table;

	if (!function->msix_count || bar != function->msix_bar ||
	    in_table >= function->msix_count * ENTRY_SIZE)
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
		struct pci_vector *vector;

		if (i >= function->msix_count) {
			if (memcmp(&registers->vectors[i], none.vectors, sizeof(none.vectors[i])))
				return "MSI-X vectors";
			continue;
		}
		vector = &function->vectors[i];
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
	if (!function->vectors)
		return;
	for (unsigned i = 0; i < function->msix_count; i++)
		pci_vector_release(&function->vectors[i], function->pci->irq);
	free(function->vectors);
	function->vectors = NULL;
}
