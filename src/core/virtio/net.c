/*
 * The virtio network device: what its driver negotiates, and its life. virtio 1.2 §5.1.
 * Threads: as net.h says.
 */
#include "core/virtio/net_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "core/virtio/pci.h"

#define F_CSUM (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_MAC (1ull << 5)
#define F_GUEST_TSO4 (1ull << 7)
#define F_GUEST_TSO6 (1ull << 8)
#define F_GUEST_ECN (1ull << 9)
#define F_HOST_TSO4 (1ull << 11)
#define F_HOST_TSO6 (1ull << 12)
#define F_HOST_ECN (1ull << 13)
#define F_MRG_RXBUF (1ull << 15)
#define F_STATUS (1ull << 16)

#define STATUS_LINK_UP 1

/* struct virtio_net_config, §5.1.4, up to the status. */
struct net_config {
	uint8_t mac[NET_MAC_SIZE];
	uint16_t status;
};

static struct virtio_net *net_of(struct virtio *device)
{
	return container_of(device, struct virtio_net, device);
}

static uint64_t features(struct virtio *device)
{
	(void)device;
	return F_CSUM | F_GUEST_CSUM | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN |
	       F_HOST_TSO4 | F_HOST_TSO6 | F_HOST_ECN | F_MRG_RXBUF | F_STATUS;
}

static void config_read(struct virtio *device, uint32_t offset, void *data, unsigned length)
{
	struct net_config config = {
		.status = atomic_load(&net_of(device)->unplugged) ? 0 : STATUS_LINK_UP,
	};

	memcpy(config.mac, net_of(device)->mac, NET_MAC_SIZE);
	memcpy(data, (const uint8_t *)&config + offset, length);
}

/* Whether and how frames can be delivered has changed. Receive lock held. */
static void update_receiving(struct virtio_net *net)
{
	net->receiving = net->ready && !net->paused;
	if (net->port)
		switch_port_accepts(net->port, net->receiving ? net->accepts : NET_ACCEPTS_NOTHING);
}

static void start(struct virtio *device)
{
	struct virtio_net *net = net_of(device);
	uint32_t accepts = 0;

	if (device->features & F_GUEST_CSUM)
		accepts |= NET_ACCEPTS_CSUM;
	/* The switch does not tell segments with ECN apart: without it there are none at all. */
	if ((device->features & F_GUEST_TSO4) && (device->features & F_GUEST_ECN))
		accepts |= NET_ACCEPTS_TSO4;
	if ((device->features & F_GUEST_TSO6) && (device->features & F_GUEST_ECN))
		accepts |= NET_ACCEPTS_TSO6;
	pthread_mutex_lock(&net->receive_lock);
	net->accepts = accepts;
	net->complained = net->promised = false;
	reserve_init(&net->reserve);
	net->mergeable = device->features & F_MRG_RXBUF;
	net->ready = device->queues[RX].enabled;
	update_receiving(net);
	/* Until somebody waits for receive buffers. */
	virtq_want_kicks(&device->queues[RX], false);
	pthread_mutex_unlock(&net->receive_lock);
}

static void stop_receiving(struct virtio_net *net)
{
	pthread_mutex_lock(&net->receive_lock);
	net->ready = false;
	update_receiving(net);
	pthread_mutex_unlock(&net->receive_lock);
	net_receive_let_go(net);
}

static void stop(struct virtio *device)
{
	struct virtio_net *net = net_of(device);

	net_transmit_give_up(net);
	stop_receiving(net);
}

static bool reset(struct virtio *device)
{
	struct virtio_net *net = net_of(device);

	net_transmit_forget(net);
	stop_receiving(net);
	return true;
}

static void kick(struct virtio *device, unsigned n)
{
	struct virtio_net *net = net_of(device);

	if (n == RX)
		net_receive_look(net);
	else
		net_transmit(net);
}

bool virtio_net_is_unplugged(const struct virtio_net *net)
{
	return atomic_load(&net->unplugged);
}

void virtio_net_tell_link(struct virtio_net *net)
{
	pthread_mutex_lock(&net->device.lock);
	if (net->device.running)
		virtio_config_changed(&net->device);
	pthread_mutex_unlock(&net->device.lock);
}

static void set_link(void *backend, bool up)
{
	struct virtio_net *net = backend;

	atomic_store(&net->unplugged, !up);
	virtio_net_tell_link(net);
}

const struct net_port_ops virtio_net_port_ops = {
	.deliver = net_receive_deliver,
	.flush = net_receive_flush,
	.resumes = true,
	.resume = net_transmit_resume,
	.link = set_link,
};

static const struct virtio_ops net_ops = {
	.id = 1,
	.class_code = 0x020000,
	.queues = VIRTIO_NET_QUEUES,
	.queue_size = VIRTQ_SIZE_MAX,
	.config_size = sizeof(struct net_config),
	.features = features,
	.config_read = config_read,
	.start = start,
	.stop = stop,
	.kick = kick,
	.reset = reset,
};

void virtio_net_init(struct virtio_net *net, const uint8_t mac[NET_MAC_SIZE], unsigned queue_size)
{
	memset(net, 0, sizeof(*net));
	net->device.ops = &net_ops;
	net->device.queue_size = (uint16_t)queue_size;
	memcpy(net->mac, mac, NET_MAC_SIZE);
	net->patience = (struct loop_timer){ .fire = net_transmit_resume, .arg = net };
	pthread_mutex_init(&net->receive_lock, NULL);
}

void virtio_net_disconnect(struct virtio_net *net)
{
	if (!net->port)
		return;
	pthread_mutex_lock(&net->device.lock);
	net_transmit_forget(net);
	pthread_mutex_unlock(&net->device.lock);
	loop_timer_cancel(net->device.transport->loop, &net->patience);
	switch_port_remove(net->port);
	net->port = NULL;
}

void virtio_net_pause(struct virtio_net *net, bool paused)
{
	bool interrupt;

	pthread_mutex_lock(&net->device.lock);
	if (paused)
		net_transmit_give_up(net);
	pthread_mutex_lock(&net->receive_lock);
	net->paused = paused;
	update_receiving(net);
	/* The sender of the last frames would tell of them at some time or other. */
	interrupt = net->ready && virtq_publish(&net->device.queues[RX]);
	pthread_mutex_unlock(&net->receive_lock);
	if (paused)
		net_receive_let_go(net);
	pthread_mutex_unlock(&net->device.lock);
	if (interrupt)
		virtio_interrupt(&net->device, RX);
}

void virtio_net_destroy(struct virtio_net *net)
{
	if (!net->device.ops)
		return;
	virtio_net_disconnect(net);
	free(net->stayed);
	pthread_mutex_destroy(&net->receive_lock);
	net->device.ops = NULL;
}
