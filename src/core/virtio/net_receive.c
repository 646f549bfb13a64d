/*
 * What a guest receives by its virtio NIC. virtio 1.2 §5.1.6.3, §5.1.6.4. On the senders'
 * threads, under the receive lock, but for net_receive_look() and net_receive_let_go().
 */
#include "core/virtio/net_private.h"

#include <stddef.h>
#include <string.h>

#include "net/frame/pieces.h"
#include "net/switch/offload.h"

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

/*
 * Puts one frame into the receive queue. Receive lock held. NET_FORWARD; or NET_DROP_NO_BUFFER for
 * now, or NET_DROP_LONG: waiting for room would not help.
 */
static enum net_verdict receive(struct virtio_net *net, const struct net_frame *frame)
{
	struct virtq *queue = &net->device.queues[RX];
	struct net_header header = { .offload = frame->offload, .num_buffers = 1 };
	struct net_frame_reader reader = { .frame = frame };
	uint16_t heads[MERGED_MAX];
	uint32_t written[MERGED_MAX];
	uint8_t *buffers = NULL, *buffers_high = NULL; /* the header's last field, which may be split */
	struct cursor cursor;
	unsigned n = 0, most = net->mergeable ? MERGED_MAX : 1;
	enum net_verdict refused;
	bool done = false;

	while (!done && n < most) {
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
		refused = n < most ? NET_DROP_NO_BUFFER : NET_DROP_LONG;
		while (n--)
			virtq_unpop(queue);
		return refused;
	}
	*buffers = (uint8_t)n;
	*buffers_high = (uint8_t)(n >> 8);
	for (unsigned i = 0; i < n; i++)
		virtq_push(queue, heads[i], written[i]);
	return NET_FORWARD;
}

/* The same of a plain frame into one buffer of one descriptor. False: receive() tells. */
static bool receive_single(struct virtq *queue, uint16_t filled, const struct net_frame *frame)
{
	static const struct net_header plain = { .num_buffers = 1 };
	uint32_t length, size = (uint32_t)sizeof(plain) + frame->size;
	uint16_t head;
	uint8_t *data;

	if (frame->offload.flags || frame->offload.gso_type)
		return false;
	data = virtq_pop_single(queue, filled, VIRTQ_WRITE, &head, &length);
	if (!data)
		return false;
	if (length < size) {
		virtq_unpop(queue);
		return false;
	}
	memcpy(data, &plain, sizeof(plain));
	net_frame_copy(data + sizeof(plain), frame, frame->size);
	virtq_push(queue, head, size);
	return true;
}

/*
 * Sees to it that the sender at slot from, which found the queue filled so far, is told when there
 * are more buffers. Receive lock held.
 */
static void promise_room(struct virtio_net *net, uint32_t from, uint16_t filled)
{
	struct virtq *queue = &net->device.queues[RX];
	uint16_t more = queue->size / 4;

	port_set_add(&net->waiting, from);
	if (net->promised)
		return;
	net->promised = true;
	net->promised_at = filled;
	/* Some for each wake-up; a driver may never fill so much of the ring. */
	if (more > net->reserve.most / 2)
		more = (uint16_t)(net->reserve.most / 2);
	virtq_want_kick_after(queue, more ? more : 1);
	/* It need not tell of what it has given since the sender looked. */
	if (virtq_filled(queue) != filled)
		virtio_kick_again(&net->device, RX);
}

unsigned net_receive_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			     unsigned count, enum net_verdict *verdicts)
{
	struct virtio_net *net = backend;
	struct virtq *queue = &net->device.queues[RX];
	enum net_verdict first = verdicts[0], full = first; /* or why there is no room */
	enum net_verdict verdict;
	unsigned taken = 0;
	uint16_t filled;

	pthread_mutex_lock(&net->receive_lock);
	/* The queue of a driver that is not there is being changed under the device's lock alone. */
	filled = net->receiving ? virtq_filled(queue) : 0;
	for (unsigned i = 0; i < count; i++) {
		/* The driver may have been replaced by one that accepts less since the sender looked. */
		if (!net->receiving || offload_unresolved(&frames[i]->offload, net->accepts)) {
			verdicts[i] = NET_DROP_LINK_DOWN;
			continue;
		}
		if (filled == queue->next_available)
			filled = virtq_filled(queue);
		if (full != first) {
			verdicts[i] = full;
		} else if (!reserve_admit(&net->reserve, from,
					  (uint16_t)(filled - queue->next_available))) {
			verdicts[i] = NET_DROP_OVER_SHARE;
		} else if (receive_single(queue, filled, frames[i])) {
			taken++;
		} else {
			verdict = receive(net, frames[i]);
			if (verdict == NET_FORWARD) {
				taken++;
				/* Buffers that came meanwhile may be among those that it took. */
				filled = virtq_filled(queue);
			} else {
				verdicts[i] = verdict;
			}
		}
		/* What is offered again keeps its order. */
		if (first == NET_FORWARD && verdicts[i] != NET_DROP_LONG)
			full = verdicts[i];
	}
	if (full != first)
		promise_room(net, from, filled);
	pthread_mutex_unlock(&net->receive_lock);
	return taken;
}

void net_receive_flush(void *backend)
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

/* Takes those who were to be told of room; false: nobody was. Receive lock held. */
static bool take_waiting(struct virtio_net *net, struct port_set *waiting)
{
	if (!net->promised)
		return false;
	*waiting = net->waiting;
	net->waiting = (struct port_set){ { 0 } };
	net->promised = false;
	virtq_want_kicks(&net->device.queues[RX], false);
	return true;
}

void net_receive_let_go(struct virtio_net *net)
{
	struct port_set waiting;
	bool promised;

	pthread_mutex_lock(&net->receive_lock);
	promised = take_waiting(net, &waiting);
	pthread_mutex_unlock(&net->receive_lock);
	if (promised && net->port)
		switch_resume(net->port, &waiting);
}

/*
 * The driver has given buffers; or a sender's thread found the queue broken, but may not take the
 * device's lock; or the device was stopped after frames were put into the ring and before the
 * driver was told.
 */
void net_receive_look(struct virtio_net *net)
{
	struct virtq *queue = &net->device.queues[RX];
	bool broken, interrupt, promised = false;
	struct port_set waiting;

	pthread_mutex_lock(&net->receive_lock);
	broken = net->ready && queue->broken;
	interrupt = net->ready && virtq_publish(queue);
	/* Who rings without giving any does not make others work. */
	if ((int16_t)(virtq_filled(queue) - net->promised_at) > 0)
		promised = take_waiting(net, &waiting);
	pthread_mutex_unlock(&net->receive_lock);
	if (interrupt)
		virtio_interrupt(&net->device, RX);
	if (promised && net->port)
		switch_resume(net->port, &waiting);
	if (broken)
		virtio_broken(&net->device, "the receive queue holds a bad descriptor chain");
}
