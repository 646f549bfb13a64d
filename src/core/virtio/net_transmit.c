/*
 * What a guest sends by its virtio NIC. virtio 1.2 §5.1.6.2. The guest's I/O thread.
 *
 * Frames whose receiver has no room stay in the transmit queue: popped, but not returned. They
 * are walked to and copied anew when they are offered again, so the driver gains nothing by
 * changing them meanwhile.
 */
#include "core/virtio/net_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/virtio/pci.h"
#include "net/frame/pieces.h"

#define IOV_POOL (3 * VIRTQ_CHAIN_MAX)
#define BURSTS_PER_KICK 4

/* A burst on its way into the switch; lives on the I/O thread's stack. */
struct burst {
	unsigned count, iov_used;
	uint64_t cost;
	struct net_frame frames[NET_BURST_MAX];
	uint16_t heads[NET_BURST_MAX]; /* of the descriptor chains */
	bool again;
	uint32_t since[NET_BURST_MAX]; /* again: when they were offered for the first time */
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

/* Makes a frame of one chain that lies at the end of iov. False: the driver's header is short. */
static bool add_frame(struct burst *burst, const struct virtq_chain *chain)
{
	struct net_frame *frame = &burst->frames[burst->count];
	struct iovec *iov = burst->iov + burst->iov_used;
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
	burst->cost += net_frame_cost(frame);
	burst->heads[burst->count++] = chain->head;
	burst->iov_used += chain->read_count + chain->write_count;
	return true;
}

/* The same of one descriptor with its header and bytes behind it. */
static void add_single(struct burst *burst, uint16_t head, uint8_t *data, uint32_t length)
{
	struct net_frame *frame = &burst->frames[burst->count];
	uint8_t *copy = burst->copies[burst->count];
	struct iovec *rest = burst->iov + burst->iov_used;
	struct net_offload offload;

	memcpy(&offload, data, sizeof(offload));
	data += sizeof(struct net_header);
	frame->size = length - (uint32_t)sizeof(struct net_header);
	frame->head = copy;
	frame->head_size = frame->size < NET_HEAD_MAX ? frame->size : NET_HEAD_MAX;
	net_head_copy(copy, data, frame->head_size);
	frame->offload = wanted_offload(&offload);
	*rest = (struct iovec){ data + frame->head_size, frame->size - frame->head_size };
	frame->rest = rest;
	frame->rest_count = rest->iov_len != 0;
	burst->cost += net_frame_cost(frame);
	burst->heads[burst->count++] = head;
	burst->iov_used += frame->rest_count;
}

static bool has_room(const struct burst *burst)
{
	return burst->count < NET_BURST_MAX && burst->cost < NET_BURST_COST_MAX &&
	       burst->iov_used <= IOV_POOL - VIRTQ_CHAIN_MAX;
}

static void begin(struct burst *burst, bool again)
{
	burst->count = burst->iov_used = 0;
	burst->cost = 0;
	burst->again = again;
}

/* --- what stays in the queue --- */

/* Whether a burst's frames may stay, with room for them. */
static bool may_stay(struct virtio_net *net, unsigned count)
{
	const struct virtq *queue = &net->device.queues[TX];

	if (!switch_patience(net->port))
		return false;
	if (!net->stayed)
		net->stayed = malloc(net->device.queue_size * sizeof(*net->stayed));
	/* More can only be if the driver offers one chain twice. */
	return net->stayed && net->stayed_count + count <= queue->size;
}

static uint32_t now_us(void)
{
	return (uint32_t)(clock_monotonic() / NS_PER_US);
}

static uint32_t patience_us(const struct virtio_net *net)
{
	return (uint32_t)(switch_patience(net->port) / NS_PER_US);
}

static void stay(struct virtio_net *net, struct net_stayed stayed)
{
	if (!net->stayed_count || (int32_t)(stayed.since - net->stayed_since) < 0)
		net->stayed_since = stayed.since;
	net->stayed[net->stayed_count++] = stayed;
}

/* Hands a burst over; what does not stay is returned. expired: as in struct net_stay. */
static void send_burst(struct virtio_net *net, struct burst *burst, uint64_t expired)
{
	struct virtq *queue = &net->device.queues[TX];
	struct net_stay some = { .share = queue->size / 2, .expired = expired };
	uint64_t parked = 0;
	uint32_t now;

	if (burst->count && net->port) {
		if (may_stay(net, burst->count))
			parked = switch_send(net->port, burst->frames, burst->count, &some);
		else
			switch_input(net->port, burst->frames, burst->count);
	}
	now = parked && !burst->again ? now_us() : 0;
	for (unsigned i = 0; i < burst->count; i++) {
		if (parked >> i & 1)
			stay(net, (struct net_stayed){ burst->heads[i], some.to[i],
						       burst->again ? burst->since[i] : now });
		else
			virtq_push(queue, burst->heads[i], 0);
	}
}

/* What has been returned. */
static void tell(struct virtio_net *net)
{
	if (virtq_publish(&net->device.queues[TX]))
		virtio_interrupt(&net->device, TX);
}

static void complain(struct virtio_net *net)
{
	virtio_broken(&net->device, "the transmit queue holds a bad descriptor chain");
}

/*
 * Gathers frames that have stayed, from *at of count on, and sends them as one burst. False:
 * the driver has made one a bad one since.
 */
static bool offer_burst(struct virtio_net *net, unsigned *at, unsigned count, uint32_t now)
{
	struct virtq *queue = &net->device.queues[TX];
	uint32_t patience = patience_us(net);
	uint64_t expired = 0;
	struct virtq_chain chain;
	struct burst burst;

	begin(&burst, true);
	for (; *at < count && has_room(&burst); ++*at) {
		const struct net_stayed stayed = net->stayed[*at];

		if (switch_stays_on(net->port, stayed.to)) {
			stay(net, stayed);
			continue;
		}
		if (virtq_look(queue, stayed.head, &chain, burst.iov + burst.iov_used,
			       VIRTQ_CHAIN_MAX) < 0 || !add_frame(&burst, &chain)) {
			virtq_break(queue);
			complain(net);
			return false;
		}
		burst.since[burst.count - 1] = stayed.since;
		expired |= (uint64_t)(now - stayed.since >= patience) << (burst.count - 1);
	}
	send_burst(net, &burst, expired);
	return true;
}

/*
 * Offers again what has stayed, each frame once; what stays longer is moved to the front of the
 * list, never past what has not been looked at. False: the rest has its turn at the next call,
 * before the first ones are offered anew and before other frames are sent.
 */
static bool offer_again(struct virtio_net *net)
{
	unsigned count = net->stayed_count, at;
	uint32_t now;

	if (!net->unoffered) {
		/* Nothing has changed before somebody says so, or it is time. */
		if (!atomic_exchange(&net->resumed, false) || !count)
			return true;
		net->unoffered = count;
		switch_offer_again(net->port);
	}
	now = now_us();
	at = net->stayed_count = count - net->unoffered;
	for (unsigned i = 0; i < BURSTS_PER_KICK && at < count; i++)
		if (!offer_burst(net, &at, count, now)) {
			switch_offer_again(net->port);
			net->stayed_count = net->unoffered = 0;
			return true;
		}
	net->unoffered = count - at;
	for (; at < count; at++)
		stay(net, net->stayed[at]);
	tell(net);
	return !net->unoffered;
}

static void await_room(struct virtio_net *net)
{
	uint32_t patience = patience_us(net), waited = now_us() - net->stayed_since;

	loop_timer_set(net->device.transport->loop, &net->patience,
		       waited < patience ? (patience - waited) * NS_PER_US : 0);
}

void net_transmit_resume(void *backend)
{
	struct virtio_net *net = backend;

	atomic_store(&net->resumed, true);
	virtio_kick_again(&net->device, TX);
}

void net_transmit_forget(struct virtio_net *net)
{
	if (net->stayed_count)
		switch_offer_again(net->port);
	net->stayed_count = net->unoffered = 0;
}

void net_transmit_give_up(struct virtio_net *net)
{
	for (unsigned i = 0; i < net->stayed_count; i++) {
		virtq_push(&net->device.queues[TX], net->stayed[i].head, 0);
		switch_port_refuse(net->port, NET_DROP_NO_BUFFER);
	}
	if (net->stayed_count)
		tell(net);
	net_transmit_forget(net);
}

/* --- the queue --- */

/* As many frames of one descriptor as there are at its front. */
static void take_singles(struct virtq *queue, struct burst *burst)
{
	uint16_t filled = virtq_filled(queue), head;
	uint32_t length;
	uint8_t *data;

	while (has_room(burst) && (data = virtq_pop_single(queue, filled, 0, &head, &length))) {
		if (length < sizeof(struct net_header)) {
			virtq_unpop(queue);
			return;
		}
		add_single(burst, head, data, length);
	}
}

/* Sends at most one burst; true when there may be more. */
static bool transmit(struct virtio_net *net)
{
	struct virtq *queue = &net->device.queues[TX];
	struct virtq_chain chain;
	struct burst burst;
	int popped = 1;

	begin(&burst, false);
	for (;;) {
		take_singles(queue, &burst);
		if (!has_room(&burst))
			break;
		popped = virtq_pop(queue, &chain, burst.iov + burst.iov_used, VIRTQ_CHAIN_MAX);
		if (popped <= 0)
			break;
		if (!add_frame(&burst, &chain)) {
			popped = virtq_break(queue);
			break;
		}
	}
	send_burst(net, &burst, 0);
	tell(net);
	if (popped < 0)
		complain(net);
	return popped > 0;
}

void net_transmit(struct virtio_net *net)
{
	struct virtq *queue = &net->device.queues[TX];
	bool more = true, whole = offer_again(net);

	virtq_want_kicks(queue, false);
	for (unsigned i = 0; i < BURSTS_PER_KICK && whole && more; i++) {
		if (transmit(net))
			continue;
		virtq_want_kicks(queue, true);
		more = virtq_pending(queue);
		if (more)
			virtq_want_kicks(queue, false);
	}
	if (net->stayed_count) {
		await_room(net);
		/* There may be room for what had had its turn already. */
		more |= atomic_load(&net->resumed);
	}
	if (more && !queue->broken)
		virtio_kick_again(&net->device, TX);
}
