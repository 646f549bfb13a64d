/*
 * The virtio network device. virtio 1.2 §5.1. Transmission on the guest's I/O
 * thread, reception on the senders' threads.
 */
#include "core/virtio/net.h"

#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "net/frame/pieces.h"
#include "net/switch/offload.h"

#define RX 0
#define TX 1

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

/* struct virtio_net_hdr, §5.1.6: num_buffers is always there since virtio 1.0. */
struct net_header {
	struct net_offload offload;
	uint16_t num_buffers;
};

_Static_assert(sizeof(struct net_header) == 12, "virtio_net_hdr");

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
	struct net_config config = { .status = STATUS_LINK_UP };

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
	net->complained = false;
	reserve_init(&net->reserve);
	net->mergeable = device->features & F_MRG_RXBUF;
	net->ready = device->queues[RX].enabled;
	update_receiving(net);
	/* Nobody waits for receive buffers: a frame that finds none is dropped. */
	virtq_want_kicks(&device->queues[RX], false);
	pthread_mutex_unlock(&net->receive_lock);
}

static void stop(struct virtio *device)
{
	struct virtio_net *net = net_of(device);

	pthread_mutex_lock(&net->receive_lock);
	net->ready = false;
	update_receiving(net);
	pthread_mutex_unlock(&net->receive_lock);
}

static bool reset(struct virtio *device)
{
	stop(device);
	return true;
}

/* --- transmission --- */

#define IOV_POOL (3 * VIRTQ_CHAIN_MAX)

/* A burst on its way into the switch; lives on the I/O thread's stack. */
struct burst {
	unsigned count, iov_used;
	uint64_t cost;
	struct net_frame frames[NET_BURST_MAX];
	uint16_t heads[NET_BURST_MAX]; /* of the descriptor chains */
	uint8_t copies[NET_BURST_MAX][NET_HEAD_MAX];
	struct iovec iov[IOV_POOL];
};

/* What the header asks for; what is not for a driver to say must not reach another's. */
static struct net_offload wanted_offload(const struct net_offload *from)
{
	struct net_offload offload = *from;

	offload.flags &= NET_OFFLOAD_NEEDS_CSUM;
	if (!offload.flags && offload.gso_type == NET_GSO_NONE)
		return (struct net_offload){ 0 };
	return offload;
}

/* Makes a frame of one chain. False: the driver's header is short. */
static bool add_frame(struct burst *burst, const struct virtq_chain *chain, struct iovec *iov)
{
	struct net_frame *frame = &burst->frames[burst->count];
	uint8_t *copy = burst->copies[burst->count];
	unsigned count = chain->read_count;
	struct net_header header;

	if (pieces_take(&iov, &count, &header, sizeof(header)) < sizeof(header))
		return false;
	frame->size = chain->read_size - (uint32_t)sizeof(header);
	frame->head = copy;
	frame->head_size = pieces_take(&iov, &count, copy, NET_HEAD_MAX);
	frame->rest = iov;
	frame->rest_count = count;
	frame->offload = wanted_offload(&header.offload);
	return true;
}

static void send_burst(struct virtio_net *net, struct burst *burst)
{
	struct virtq *queue = &net->device.queues[TX];

	if (burst->count && net->port)
		switch_input(net->port, burst->frames, burst->count);
	for (unsigned i = 0; i < burst->count; i++)
		virtq_push(queue, burst->heads[i], 0);
	burst->count = burst->iov_used = 0;
}

/* Sends at most one burst; true when there may be more. */
static bool transmit(struct virtio_net *net)
{
	struct virtq *queue = &net->device.queues[TX];
	struct virtq_chain chain;
	struct burst burst;
	int popped = 0;

	burst.count = burst.iov_used = 0;
	burst.cost = 0;
	while (burst.count < NET_BURST_MAX && burst.cost < NET_BURST_COST_MAX &&
	       burst.iov_used <= IOV_POOL - VIRTQ_CHAIN_MAX) {
		struct iovec *iov = burst.iov + burst.iov_used;

		popped = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);
		if (popped <= 0)
			break;
		if (!add_frame(&burst, &chain, iov)) {
			popped = virtq_break(queue);
			break;
		}
		burst.cost += net_frame_cost(&burst.frames[burst.count]);
		burst.heads[burst.count++] = chain.head;
		burst.iov_used += chain.read_count + chain.write_count;
	}
	send_burst(net, &burst);
	if (virtq_publish(queue))
		virtio_interrupt(&net->device, TX);
	if (popped < 0)
		virtio_broken(&net->device, "the transmit queue holds a bad descriptor chain");
	return popped > 0;
}

/*
 * A sender's thread found the receive queue broken, but may not take the device's lock; or the
 * device was stopped after frames were put into the ring and before the driver was told.
 */
static void see_to_receive_queue(struct virtio_net *net)
{
	struct virtq *queue = &net->device.queues[RX];
	bool broken, interrupt;

	pthread_mutex_lock(&net->receive_lock);
	broken = net->ready && queue->broken;
	interrupt = net->ready && virtq_publish(queue);
	pthread_mutex_unlock(&net->receive_lock);
	if (interrupt)
		virtio_interrupt(&net->device, RX);
	if (broken)
		virtio_broken(&net->device, "the receive queue holds a bad descriptor chain");
}

#define BURSTS_PER_KICK 4

static void kick(struct virtio *device, unsigned n)
{
	struct virtio_net *net = net_of(device);
	struct virtq *queue = &device->queues[TX];

	if (n == RX) {
		see_to_receive_queue(net);
		return;
	}
	virtq_want_kicks(queue, false);
	for (unsigned i = 0; i < BURSTS_PER_KICK; i++) {
		if (transmit(net))
			continue;
		virtq_want_kicks(queue, true);
		if (!virtq_pending(queue))
			return;
		virtq_want_kicks(queue, false);
	}
	if (!queue->broken)
		virtio_kick_again(device, TX);
}

/* --- reception: on the senders' threads --- */

/* Where in a receive buffer the next byte goes. */
struct cursor {
	struct iovec iov[VIRTQ_CHAIN_MAX];
	unsigned count, at;
	size_t used; /* bytes of iov[at] */
	uint32_t written;
};

static uint32_t put(struct cursor *cursor, const void *data, uint32_t size)
{
	uint32_t done = 0;

	while (done < size && cursor->at < cursor->count) {
		struct iovec *iov = &cursor->iov[cursor->at];
		size_t n = iov->iov_len - cursor->used;

		if (n > size - done)
			n = size - done;
		memcpy((uint8_t *)iov->iov_base + cursor->used, (const uint8_t *)data + done, n);
		done += (uint32_t)n;
		cursor->used += n;
		if (cursor->used == iov->iov_len) {
			cursor->at++;
			cursor->used = 0;
		}
	}
	cursor->written += done;
	return done;
}

/* Copies as much of the frame as fits; true when all of it has been. */
static bool copy_frame(struct net_frame_reader *reader, struct cursor *cursor)
{
	while (cursor->at < cursor->count) {
		const struct iovec *iov = &cursor->iov[cursor->at];
		size_t room = iov->iov_len - cursor->used;
		size_t n = net_frame_read(reader, (uint8_t *)iov->iov_base + cursor->used, room);

		cursor->written += (uint32_t)n;
		cursor->used += n;
		if (n < room)
			break;
		cursor->at++;
		cursor->used = 0;
	}
	return net_frame_is_read(reader);
}

/* Takes a receive buffer; false: there is none that can be used. */
static bool next_buffer(struct virtq *queue, struct cursor *cursor, uint16_t *head)
{
	struct virtq_chain chain;

	if (virtq_pop(queue, &chain, cursor->iov, VIRTQ_CHAIN_MAX) <= 0)
		return false;
	*head = chain.head;
	if (chain.read_count || chain.write_size < sizeof(struct net_header)) {
		virtq_break(queue);
		return false;
	}
	cursor->count = chain.write_count;
	cursor->at = 0;
	cursor->used = 0;
	cursor->written = 0;
	return true;
}

/* Where the byte at offset of an empty buffer will be; the buffer is longer than that. */
static uint8_t *byte_at(const struct cursor *cursor, size_t offset)
{
	unsigned i;

	for (i = 0; offset >= cursor->iov[i].iov_len; i++)
		offset -= cursor->iov[i].iov_len;
	return (uint8_t *)cursor->iov[i].iov_base + offset;
}

#define MERGED_MAX 64 /* buffers of one frame */
#define NUM_BUFFERS offsetof(struct net_header, num_buffers)

/* Puts one frame into the receive queue. Receive lock held. False: no room. */
static bool receive(struct virtio_net *net, const struct net_frame *frame)
{
	struct virtq *queue = &net->device.queues[RX];
	struct net_header header = { .offload = frame->offload, .num_buffers = 1 };
	struct net_frame_reader reader = { .frame = frame };
	uint16_t heads[MERGED_MAX];
	uint32_t written[MERGED_MAX];
	uint8_t *buffers = NULL, *buffers_high = NULL; /* the header's last field, which may be split */
	struct cursor cursor;
	unsigned n = 0;
	bool done = false;

	while (!done && n < (net->mergeable ? MERGED_MAX : 1)) {
		if (!next_buffer(queue, &cursor, &heads[n]))
			break;
		if (n == 0) {
			buffers = byte_at(&cursor, NUM_BUFFERS);
			buffers_high = byte_at(&cursor, NUM_BUFFERS + 1);
			put(&cursor, &header, sizeof(header));
		}
		done = copy_frame(&reader, &cursor);
		written[n++] = cursor.written;
	}
	if (!done) {
		while (n--)
			virtq_unpop(queue);
		return false;
	}
	*buffers = (uint8_t)n;
	*buffers_high = (uint8_t)(n >> 8);
	for (unsigned i = 0; i < n; i++)
		virtq_push(queue, heads[i], written[i]);
	return true;
}

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	struct virtio_net *net = backend;
	unsigned taken = 0;

	pthread_mutex_lock(&net->receive_lock);
	for (unsigned i = 0; i < count; i++) {
		/* The driver may have been replaced by one that accepts less since the sender looked. */
		if (!net->receiving || offload_unresolved(&frames[i]->offload, net->accepts))
			verdicts[i] = NET_DROP_LINK_DOWN;
		else if (!reserve_admit(&net->reserve, from,
					virtq_available(&net->device.queues[RX])))
			verdicts[i] = NET_DROP_OVER_SHARE;
		else if (!receive(net, frames[i]))
			verdicts[i] = NET_DROP_NO_BUFFER;
		else
			taken++;
	}
	pthread_mutex_unlock(&net->receive_lock);
	return taken;
}

static void flush(void *backend)
{
	struct virtio_net *net = backend;
	struct virtq *queue = &net->device.queues[RX];
	bool interrupt = false, complain = false;

	pthread_mutex_lock(&net->receive_lock);
	if (net->ready) {
		interrupt = virtq_publish(queue);
		complain = queue->broken && !net->complained;
		net->complained |= complain;
	}
	pthread_mutex_unlock(&net->receive_lock);
	if (interrupt)
		virtio_interrupt(&net->device, RX);
	if (complain)
		virtio_kick_again(&net->device, RX);
}

const struct net_port_ops virtio_net_port_ops = { .deliver = deliver, .flush = flush };

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
	pthread_mutex_init(&net->receive_lock, NULL);
}

void virtio_net_disconnect(struct virtio_net *net)
{
	if (net->port)
		switch_port_remove(net->port);
	net->port = NULL;
}

void virtio_net_pause(struct virtio_net *net, bool paused)
{
	bool interrupt;

	pthread_mutex_lock(&net->receive_lock);
	net->paused = paused;
	update_receiving(net);
	/* The sender of the last frames would tell of them at some time or other. */
	interrupt = net->ready && virtq_publish(&net->device.queues[RX]);
	pthread_mutex_unlock(&net->receive_lock);
	if (interrupt)
		virtio_interrupt(&net->device, RX);
}

void virtio_net_destroy(struct virtio_net *net)
{
	if (!net->device.ops)
		return;
	virtio_net_disconnect(net);
	pthread_mutex_destroy(&net->receive_lock);
	net->device.ops = NULL;
}
