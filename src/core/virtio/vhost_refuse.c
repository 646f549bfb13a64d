/* See vhost_device_private.h. */
#include "core/virtio/vhost_device_private.h"

#include <string.h>

#include "base/checked.h"

void vhost_refuse(struct vhost_device *vhost, unsigned n)
{
	struct virtq *queue = &vhost->virtio.queues[n];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	unsigned left = queue->size;
	int r;

	do {
		while ((r = virtq_pop(queue, &chain, iov, ARRAY_SIZE(iov))) > 0 && left--)
			virtq_push(queue, chain.head, vhost->kind->refuse(&chain, iov));
		if (r == 0)
			virtq_want_kicks(queue, true);
	} while (r == 0 && virtq_pending(queue));
	if (r > 0)
		virtq_unpop(queue);
	if (virtq_publish(queue))
		virtio_interrupt(&vhost->virtio, n);
	if (r > 0)
		virtio_kick_again(&vhost->virtio, n);
	else if (r < 0)
		virtio_broken(&vhost->virtio, "a malformed request");
}

/* The same of what the program had taken. */
static void refuse_taken(struct vhost_device *vhost, unsigned n)
{
	struct virtq *queue = &vhost->virtio.queues[n];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;

	for (uint16_t head = 0; head < queue->size; head++) {
		if (!(vhost->taken[n][head / 8] >> head % 8 & 1))
			continue;
		if (virtq_retake(queue, head, &chain, iov, ARRAY_SIZE(iov)) < 0)
			break;
		virtq_push(queue, head, vhost->kind->refuse(&chain, iov));
	}
}

void vhost_begin_refusing(struct vhost_device *vhost)
{
	vhost->state = VHOST_REFUSING;
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		if (!vhost->virtio.queues[n].enabled)
			continue;
		refuse_taken(vhost, n);
		if (virtio_pci_hear(&vhost->transport, n, true) < 0)
			virtio_broken(&vhost->virtio, "nobody hears it");
		vhost_refuse(vhost, n);
		/* The program may have ended between an answer and its interrupt. */
		virtio_interrupt(&vhost->virtio, n);
	}
	memset(vhost->taken, 0, sizeof(vhost->taken));
}

void vhost_end_refusing(struct vhost_device *vhost)
{
	for (unsigned n = 0; n < vhost->kind->queues; n++)
		(void)virtio_pci_hear(&vhost->transport, n, false);
	vhost->state = VHOST_DOWN;
}
