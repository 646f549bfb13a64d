/* Saving and loading a device that a program serves; see vhost_device.h. The guest's I/O thread. */
#include "core/virtio/vhost_device.h"

#include <string.h>

void vhost_save(struct device *device, void *to)
{
	struct vhost_registers *registers = to;
	struct vhost_device *vhost = device->state;

	virtio_pci_save(&vhost->transport, &registers->transport);
	memcpy(registers->config, vhost->config, sizeof(registers->config));
	memcpy(registers->taken, vhost->taken, sizeof(registers->taken));
}

/* Takes over what a program that ended had taken. NULL, or what of it cannot be so. */
static const char *load_taken(struct vhost_device *vhost, const struct vhost_registers *registers)
{
	static const uint8_t none[VHOST_INFLIGHT_BYTES];

	for (unsigned n = 0; n < VIRTIO_QUEUES_MAX; n++) {
		const struct virtq *queue = &vhost->virtio.queues[n];

		if (!memcmp(registers->taken[n], none, sizeof(none)))
			continue;
		if (n >= vhost->kind->queues || vhost->kind->in_order || !queue->enabled ||
		    vhost_inflight_write(&vhost->inflight, n, queue, registers->taken[n]) < 0)
			return "requests that were taken";
	}
	memcpy(vhost->taken, registers->taken, sizeof(vhost->taken));
	return NULL;
}

const char *vhost_load(struct device *device, const void *from)
{
	const struct vhost_registers *registers = from;
	struct vhost_device *vhost = device->state;
	const char *wrong;

	if (memcmp(registers->config, vhost->config, sizeof(registers->config)))
		return "it is another device";
	wrong = virtio_pci_load(&vhost->transport, &registers->transport);
	return wrong ? wrong : load_taken(vhost, registers);
}
