/* What the files of the virtio network device share. */
#ifndef CORE_VIRTIO_NET_PRIVATE_H
#define CORE_VIRTIO_NET_PRIVATE_H

#include "core/virtio/net.h"

#define RX 0
#define TX 1

/* struct virtio_net_hdr, §5.1.6: num_buffers is always there since virtio 1.0. */
struct net_header {
	struct net_offload offload;
	uint16_t num_buffers;
};

_Static_assert(sizeof(struct net_header) == 12, "virtio_net_hdr");

/* --- net_transmit.c: the I/O thread, device lock held --- */

/* The transmit queue was rung, or what stayed in it may find room. */
void net_transmit(struct virtio_net *net);

/*
 * What has stayed in the transmit queue is dropped, and counted at this port as what found no
 * buffer: the guest is about to stand still, and what is saved of a queue knows of no such frames.
 */
void net_transmit_give_up(struct virtio_net *net);

/* A driver begins anew: there is nothing that has stayed. Any thread, device lock held. */
void net_transmit_forget(struct virtio_net *net);

/* virtio_net_port_ops.resume() */
void net_transmit_resume(void *backend);

/* --- net_receive.c --- */

/* The receive queue was rung, or is to be looked at. The I/O thread, device lock held. */
void net_receive_look(struct virtio_net *net);

/*
 * There will be no room: whose frames stay for this guest finds that out at once. After
 * net->receiving has become false. Any thread, device lock held.
 */
void net_receive_let_go(struct virtio_net *net);

/* virtio_net_port_ops.deliver() and flush() */
unsigned net_receive_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			     unsigned count, enum net_verdict *verdicts);
void net_receive_flush(void *backend);

#endif
