/*
 * The virtio PCI transport of a machine that stands still: pausing, saving and
 * loading. The guest's I/O thread; no vCPU runs.
 */
#include "core/virtio/pci_private.h"

#include <string.h>

#define ISR_BITS 3u

void virtio_pci_pause(struct virtio_pci *transport, bool paused)
{
	struct virtio *device = transport->device;

	pthread_mutex_lock(&device->lock);
	device->paused = paused;
	if (!paused && device->running)
		for (unsigned n = 0; n < device->queue_count; n++)
			virtio_pci_ring(&transport->queues[n]);
	pthread_mutex_unlock(&device->lock);
}

void virtio_pci_save(struct virtio_pci *transport, struct virtio_pci_registers *registers)
{
	struct virtio *device = transport->device;

	pci_function_save(&transport->function, &registers->function);
	pthread_mutex_lock(&device->lock);
	registers->features = device->features;
	registers->driver_features = transport->driver_features;
	registers->device_feature_select = transport->device_feature_select;
	registers->driver_feature_select = transport->driver_feature_select;
	registers->queue_select = transport->queue_select;
	registers->config_vector = atomic_load(&transport->config_vector);
	registers->status = transport->status;
	registers->generation = atomic_load(&transport->generation);
	for (unsigned n = 0; n < device->queue_count; n++) {
		registers->vectors[n] = atomic_load(&transport->queues[n].vector);
		virtq_save(&device->queues[n], &registers->queues[n]);
	}
	pthread_mutex_unlock(&device->lock);
	pthread_mutex_lock(&transport->isr_lock);
	registers->isr = transport->isr;
	pthread_mutex_unlock(&transport->isr_lock);
}

static bool is_vector(const struct virtio_pci *transport, uint16_t vector)
{
	return vector == VIRTIO_NO_VECTOR || vector < transport->function.msix_count;
}

/* What of negotiation and status cannot be so. */
static const char *find_wrong(const struct virtio_pci *transport,
			      const struct virtio_pci_registers *registers)
{
	/* The driver's choice is final, or nothing has been negotiated. */
	if (registers->status & VIRTIO_STATUS_FEATURES_OK) {
		if (registers->features != registers->driver_features ||
		    !virtio_pci_may_negotiate(transport, registers->features))
			return "features";
	} else if (registers->features) {
		return "features";
	}
	if (registers->isr & ~ISR_BITS)
		return "ISR";
	if (!is_vector(transport, registers->config_vector))
		return "configuration vector";
	return NULL;
}

/* Device lock held. */
static const char *load_queues(struct virtio_pci *transport,
			       const struct virtio_pci_registers *registers)
{
	static const struct virtio_pci_registers none;
	struct virtio *device = transport->device;
	const char *wrong = NULL;

	for (unsigned n = 0; !wrong && n < VIRTIO_QUEUES_MAX; n++) {
		const struct virtq_registers *queue = &registers->queues[n];

		if (n >= device->queue_count) {
			if (registers->vectors[n] || memcmp(queue, none.queues, sizeof(*queue)))
				return "queues";
			continue;
		}
		if (!is_vector(transport, registers->vectors[n]))
			return "queue vector";
		atomic_store(&transport->queues[n].vector, registers->vectors[n]);
		device->queues[n].memory = transport->memory;
		wrong = virtq_load(&device->queues[n], queue, device->queue_size);
	}
	return wrong;
}

/* Device lock held. */
static const char *load_common(struct virtio_pci *transport,
			       const struct virtio_pci_registers *registers)
{
	const char *wrong = find_wrong(transport, registers);

	if (wrong)
		return wrong;
	transport->device->features = registers->features;
	transport->driver_features = registers->driver_features;
	transport->device_feature_select = registers->device_feature_select;
	transport->driver_feature_select = registers->driver_feature_select;
	transport->queue_select = registers->queue_select;
	atomic_store(&transport->config_vector, registers->config_vector);
	transport->status = registers->status;
	atomic_store(&transport->generation, registers->generation);
	if (registers->status & VIRTIO_STATUS_NEEDS_RESET)
		transport->broken_why = "the driver broke the rules before it was saved";
	return load_queues(transport, registers);
}

/* The host's kernel may have had an interrupt on its way that nothing saved knows of. */
static void raise_again(struct virtio_pci *transport)
{
	const struct virtio *device = transport->device;

	/* A line's level is known; a message is gone with the kernel that had it. */
	if (!atomic_load(&transport->function.msix_enabled))
		return;
	for (unsigned n = 0; n < device->queue_count; n++)
		if (device->queues[n].enabled)
			virtio_interrupt(transport->device, n);
}

const char *virtio_pci_load(struct virtio_pci *transport,
			    const struct virtio_pci_registers *registers)
{
	const char *wrong;

	pthread_mutex_lock(&transport->device->lock);
	wrong = load_common(transport, registers);
	pthread_mutex_unlock(&transport->device->lock);
	/* This starts the device, if the driver had. */
	if (!wrong)
		wrong = pci_function_load(&transport->function, &registers->function);
	if (wrong)
		return wrong;
	pthread_mutex_lock(&transport->isr_lock);
	transport->isr = registers->isr;
	pci_intx(&transport->function, transport->isr != 0);
	pthread_mutex_unlock(&transport->isr_lock);
	raise_again(transport);
	return NULL;
}
