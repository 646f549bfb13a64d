/*
 * The virtio socket device: its queues and its life. virtio 1.2 §5.10. Queues and sockets on
 * the guest's I/O thread, configuration on vCPU threads; all under the device lock.
 *
 * Nothing waits and nothing grows with what a guest does: see vsock_packet.c. Connections end
 * with the machine; a guest that was saved and is loaded is told that they have.
 */
#include "core/virtio/vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "core/profile/check.h"
#include "core/profile/profile.h"
#include "core/virtio/vsock_private.h"

enum { RX, TX, EVENTS, QUEUES };

#define QUEUE_SIZE 128
#define BURST 128u /* packets before others have their turn */
#define EVENT_TRANSPORT_RESET 0u

static struct vsock_device *vsock_of(struct virtio *device)
{
	return container_of(device, struct vsock_device, device);
}

static void config_read(struct virtio *device, uint32_t offset, void *data, unsigned length)
{
	memcpy(data, (const uint8_t *)&vsock_of(device)->cid + offset, length);
}

bool vsock_runs(const struct vsock_device *vsock)
{
	return vsock->device.running && !vsock->device.paused;
}

/* --- queues --- */

/* Takes what the guest sent; with more to refuse than there is room for, the rest waits. */
static void transmit(struct vsock_device *vsock)
{
	struct virtq *queue = &vsock->device.queues[TX];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	unsigned count = 0;
	int r = 0;

	virtq_want_kicks(queue, false);
	while (count < BURST && vsock->refused < VSOCK_REFUSALS) {
		r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);
		if (r > 0 && vsock_take(vsock, iov, chain.read_count) < 0)
			r = virtq_break(queue);
		if (r > 0) {
			virtq_push(queue, chain.head, 0);
			count++;
			continue;
		}
		virtq_want_kicks(queue, true);
		if (r < 0 || !virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (count == BURST)
		virtio_kick_again(&vsock->device, TX);
	if (virtq_publish(queue))
		virtio_interrupt(&vsock->device, TX);
	if (r < 0)
		virtio_broken(&vsock->device, "the transmit queue breaks the rules of virtio");
}

/* A buffer for a packet: 1, 0 when there is none, of which a kick tells, or -EINVAL. */
static int next_buffer(struct virtq *queue, struct virtq_chain *chain, struct iovec *iov)
{
	int r;

	while (!(r = virtq_pop(queue, chain, iov, VIRTQ_CHAIN_MAX))) {
		virtq_want_kicks(queue, true);
		if (!virtq_pending(queue))
			return 0;
		virtq_want_kicks(queue, false);
	}
	if (r > 0 && (chain->read_count || chain->write_size < sizeof(struct vsock_header)))
		r = virtq_break(queue);
	return r;
}

/* One packet for the guest: 1, 0 when there is none or no buffer for it, or -EINVAL. */
static int receive(struct vsock_device *vsock)
{
	struct virtq *queue = &vsock->device.queues[RX];
	struct vsock_connection *connection = vsock->refused ? NULL : vsock_next(vsock);
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	uint32_t size;
	int r;

	if (!connection && !vsock->refused)
		return 0;
	r = next_buffer(queue, &chain, iov);
	if (r <= 0)
		return r;
	size = connection ? vsock_give(connection, iov, chain.write_count)
			  : vsock_give_refusal(vsock, iov);
	if (size)
		virtq_push(queue, chain.head, size);
	else
		virtq_unpop(queue);
	return 1;
}

void vsock_pump(struct vsock_device *vsock)
{
	struct virtq *queue = &vsock->device.queues[RX];
	bool full = vsock->refused == VSOCK_REFUSALS;
	unsigned count = 0;
	int r = 0;

	if (!vsock_runs(vsock) || vsock->reset_told)
		return;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		if (vsock->connections[i].state != VSOCK_FREE)
			vsock_serve(&vsock->connections[i]);
	virtq_want_kicks(queue, false);
	while (count < BURST && (r = receive(vsock)) > 0)
		count++;
	if (count == BURST)
		virtio_kick_again(&vsock->device, RX);
	if (full && vsock->refused < VSOCK_REFUSALS)
		virtio_kick_again(&vsock->device, TX);
	if (virtq_publish(queue))
		virtio_interrupt(&vsock->device, RX);
	if (r < 0)
		virtio_broken(&vsock->device, "the receive queue breaks the rules of virtio");
	vsock_accept(vsock);
}

/*
 * A driver that was loaded hears that its connections are gone, and hears nothing else until it
 * has given that buffer back, §5.10.6.7.1: it ends all that it has then, and another of its CPUs
 * could have taken a new one before.
 */
static void tell_reset(struct vsock_device *vsock)
{
	struct virtq *queue = &vsock->device.queues[EVENTS];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	const uint32_t event = EVENT_TRANSPORT_RESET;
	struct virtq_chain chain;

	if (!vsock->reset_due || virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX) <= 0)
		return;
	vsock->reset_due = false;
	vsock->reset_told = chain.write_count && iov[chain.read_count].iov_len >= sizeof(event);
	if (vsock->reset_told)
		memcpy(iov[chain.read_count].iov_base, &event, sizeof(event));
	vsock->events = virtq_available(queue);
	virtq_want_kick_after(queue, 1);
	virtq_push(queue, chain.head, vsock->reset_told ? sizeof(event) : 0);
	if (virtq_publish(queue))
		virtio_interrupt(&vsock->device, EVENTS);
}

static void take_events(struct vsock_device *vsock)
{
	if (vsock->reset_told && virtq_available(&vsock->device.queues[EVENTS]) != vsock->events)
		vsock->reset_told = false;
	tell_reset(vsock);
}

static void kick(struct virtio *device, unsigned n)
{
	struct vsock_device *vsock = vsock_of(device);

	if (n == TX)
		transmit(vsock);
	if (n == EVENTS)
		take_events(vsock);
	vsock_pump(vsock);
}

static bool reset(struct virtio *device)
{
	struct vsock_device *vsock = vsock_of(device);

	vsock_drop_all(vsock);
	vsock->reset_due = vsock->reset_told = false;
	return true;
}

static const struct virtio_ops vsock_ops = {
	.id = 19,
	.class_code = 0x078000, /* other communication controller */
	.queues = QUEUES,
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(uint64_t),
	.config_read = config_read,
	.kick = kick,
	.reset = reset,
};

/* --- life --- */

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->vsock.present;
}

/* Whether somebody listens there already is not looked at: a guest that runs may be checked. */
static void check(const struct profile_check *check)
{
	struct cause cause;

	if (check->profile->vsock.present && vsock_check(check->profile, &cause) < 0)
		check->found(check->arg, "vsock", "path", false, cause.text);
}

static int create(struct device *device, struct cause *cause)
{
	const struct device_host *host = device->host;
	struct vsock_device *vsock = device->state;
	int err;

	vsock->listen_fd = -1;
	vsock->device.ops = &vsock_ops;
	vsock->cid = host->profile->vsock.cid;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		vsock->connections[i].fd = -1;
	err = virtio_device_create(device, &vsock->device, cause);
	if (!err)
		err = vsock_listen(vsock, host, cause);
	return err ? cause_prefix(cause, err, "vsock") : 0;
}

static void destroy(struct device *device)
{
	struct vsock_device *vsock = device->state;

	vsock_unlisten(vsock, device->host->loop);
	vsock_drop_all(vsock);
	free(vsock->path);
	virtio_pci_destroy(&vsock->transport);
}

static void save(struct device *device, void *registers)
{
	virtio_pci_save(device->state, registers);
}

static const char *load(struct device *device, const void *registers)
{
	struct vsock_device *vsock = device->state;
	const char *wrong = virtio_pci_load(&vsock->transport, registers);

	/* Without features no driver has begun. */
	vsock->reset_due = vsock->device.features != 0;
	return wrong;
}

static void describe(struct device *device, char *text, size_t size)
{
	struct vsock_device *vsock = device->state;
	unsigned count = 0;
	size_t used;

	pthread_mutex_lock(&vsock->device.lock);
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++)
		count += vsock->connections[i].state == VSOCK_OPEN;
	pthread_mutex_unlock(&vsock->device.lock);
	virtio_device_describe(device, text, size);
	used = strlen(text);
	snprintf(text + used, size - used, ", CID %llu, %u connection%s, %s",
		 (unsigned long long)vsock->cid, count, count == 1 ? "" : "s", vsock->path);
}

const struct device_type vsock_device = {
	.name = "vsock",
	.size = sizeof(struct vsock_device),
	.pci = true,
	.wanted = wanted,
	.check = check,
	.create = create,
	.destroy = destroy,
	.start = virtio_device_start,
	.stop = virtio_device_stop,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct virtio_pci_registers),
	.save = save,
	.load = load,
	.describe = describe,
};
