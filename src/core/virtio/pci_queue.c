/*
 * The queues of the virtio PCI transport: doorbells with their ioeventfds, and
 * interrupts by ISR or MSI-X. virtio 1.2 §4.1.4.4, §4.1.4.5, §4.1.5.2 to
 * §4.1.5.4. Doorbells are placed on vCPU threads and heard on the guest's I/O
 * thread; interrupts come from any thread.
 */
#include "core/virtio/pci_private.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/bus/pci_msix.h"

#define ISR_QUEUE 1
#define ISR_CONFIG 2

/* --- interrupts --- */

/* Sets ISR bits: INTA# is high as long as there are any. */
static void set_isr(struct virtio_pci *transport, uint8_t bits)
{
	pthread_mutex_lock(&transport->isr_lock);
	transport->isr |= bits;
	pci_intx(&transport->function, true);
	pthread_mutex_unlock(&transport->isr_lock);
}

uint8_t virtio_pci_take_isr(struct virtio_pci *transport)
{
	uint8_t bits;

	pthread_mutex_lock(&transport->isr_lock);
	bits = transport->isr;
	transport->isr = 0;
	pci_intx(&transport->function, false);
	pthread_mutex_unlock(&transport->isr_lock);
	return bits;
}

static void raise(struct virtio_pci *transport, uint16_t vector, uint8_t isr)
{
	if (atomic_load_explicit(&transport->function.msix_enabled, memory_order_relaxed)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_raise(&transport->function, vector);
		return;
	}
	set_isr(transport, isr);
}

void virtio_interrupt(struct virtio *device, unsigned n)
{
	struct virtio_pci *transport = device->transport;

	raise(transport,
	      atomic_load_explicit(&transport->queues[n].vector, memory_order_relaxed), ISR_QUEUE);
}

void virtio_config_changed(struct virtio *device)
{
	struct virtio_pci *transport = device->transport;

	atomic_fetch_add(&transport->generation, 1);
	raise(transport, atomic_load(&transport->config_vector), ISR_CONFIG);
}

/* --- doorbells --- */

static int ioeventfd(struct virtio_pci_queue *queue, uint64_t address, uint32_t flags)
{
	struct kvm_ioeventfd request = { .addr = address, .fd = queue->kick_fd, .flags = flags };

	return ioctl(queue->transport->vm_fd, KVM_IOEVENTFD, &request) < 0 ? -errno : 0;
}

static void serve(void *arg)
{
	struct virtio_pci_queue *queue = arg;
	struct virtio_pci *transport = queue->transport;
	struct virtio *device = transport->device;

	pthread_mutex_lock(&device->lock);
	if (device->running && !device->paused && !transport->broken_why)
		device->ops->kick(device, (unsigned)(queue - transport->queues));
	pthread_mutex_unlock(&device->lock);
}

/* Each kick is an edge, and nobody reads how many there were. */
static void kicked(void *arg, uint32_t events)
{
	(void)events;
	serve(arg);
}

/* Whether there is an eventfd for the doorbell, which the first driver to use the queue needs. */
static bool listen_for_kicks(struct virtio_pci_queue *queue)
{
	if (queue->kick_fd >= 0)
		return true;
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->kick_fd < 0)
		return false;
	if (queue->transport->device->ops->served_elsewhere)
		return true;
	if (!loop_add(queue->transport->loop, &queue->source, queue->kick_fd, EPOLLIN | EPOLLET,
		      kicked, queue))
		return true;
	close(queue->kick_fd);
	queue->kick_fd = -1;
	return false;
}

void virtio_pci_place_doorbells(struct virtio_pci *transport)
{
	uint64_t base = transport->function.bars[0].base;

	for (unsigned n = 0; n < transport->device->queue_count; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];
		uint64_t address = BUS_NOWHERE;

		if (transport->device->running && base != BUS_NOWHERE &&
		    transport->device->queues[n].enabled)
			address = base + BAR_NOTIFY + n * NOTIFY_STEP;
		if (address == queue->doorbell)
			continue;
		if (queue->doorbell != BUS_NOWHERE)
			ioeventfd(queue, queue->doorbell, KVM_IOEVENTFD_FLAG_DEASSIGN);
		queue->doorbell = BUS_NOWHERE;
		if (address != BUS_NOWHERE && listen_for_kicks(queue) &&
		    ioeventfd(queue, address, 0) == 0)
			queue->doorbell = address;
	}
}

int virtio_pci_doorbell(const struct virtio_pci *transport, unsigned n)
{
	return transport->queues[n].kick_fd;
}

int virtio_pci_hear(struct virtio_pci *transport, unsigned n, bool hear)
{
	struct virtio_pci_queue *queue = &transport->queues[n];

	loop_remove(transport->loop, &queue->source);
	if (!hear || queue->kick_fd < 0)
		return 0;
	return loop_add(transport->loop, &queue->source, queue->kick_fd, EPOLLIN | EPOLLET, kicked,
			queue);
}

int virtio_pci_call(struct virtio_pci *transport, unsigned n)
{
	uint16_t vector = atomic_load(&transport->queues[n].vector);

	if (!atomic_load(&transport->function.msix_enabled) || vector == VIRTIO_NO_VECTOR)
		return -1;
	return pci_msix_eventfd(&transport->function, vector);
}

void virtio_pci_ring(struct virtio_pci_queue *queue)
{
	loop_post(queue->transport->loop, &queue->task);
}

void virtio_kick_again(struct virtio *device, unsigned n)
{
	virtio_pci_ring(&device->transport->queues[n]);
}

void virtio_pci_open_queues(struct virtio_pci *transport)
{
	pthread_mutex_init(&transport->isr_lock, NULL);
	for (unsigned n = 0; n < VIRTIO_QUEUES_MAX; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];

		queue->kick_fd = -1;
		queue->doorbell = BUS_NOWHERE;
		queue->transport = transport;
		queue->task = (struct loop_task){ .run = serve, .arg = queue };
	}
}

void virtio_pci_close_queues(struct virtio_pci *transport)
{
	for (unsigned n = 0; n < transport->device->queue_count; n++) {
		struct virtio_pci_queue *queue = &transport->queues[n];

		loop_remove(transport->loop, &queue->source);
		loop_unpost(transport->loop, &queue->task);
		if (queue->kick_fd >= 0)
			close(queue->kick_fd);
	}
	pthread_mutex_destroy(&transport->isr_lock);
}
