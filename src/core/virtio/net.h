/*
 * The virtio network device: a guest's NIC as a port of a switch. virtio 1.2 §5.1.
 *
 * What the guest sends goes into the switch on the guest's I/O thread; what
 * others send arrives on theirs, through deliver(), under the receive lock.
 * Lock order: device lock, then receive lock; deliver() takes the latter alone.
 */
#ifndef CORE_VIRTIO_NET_H
#define CORE_VIRTIO_NET_H

#include "base/loop.h"
#include "core/virtio/virtio.h"
#include "net/port/reserve.h"
#include "net/switch/switch.h"

#define VIRTIO_NET_QUEUES 2

/* A chain that stays in the transmit queue, as the receiver of its frame has no room. */
struct net_stayed {
	uint16_t head;
	uint16_t to;	/* the receiver's slot of the switch */
	uint32_t since; /* CLOCK_MONOTONIC, us modulo 2^32 */
};

struct virtio_net {
	struct virtio device;
	uint8_t mac[NET_MAC_SIZE];
	struct net_port *port;
	atomic_bool unplugged; /* the driver finds its link down */

	struct net_stayed *stayed; /* as many as the queue is large, from the first on; in order */
	unsigned stayed_count;
	unsigned unoffered; /* the last so many of them have yet to be offered again; 0: none is */
	uint32_t stayed_since; /* the same of the one that has stayed longest */
	atomic_bool resumed; /* there may be room, or it is time, since they were offered again */
	struct loop_timer patience;

	pthread_mutex_t receive_lock; /* guards the receive queue and what follows */
	bool receiving;	   /* the device runs and the guest is not paused */
	bool paused;	   /* by the machine */
	bool ready;	   /* the device runs: the receive queue may be used */
	bool mergeable;	   /* VIRTIO_NET_F_MRG_RXBUF */
	bool complained;   /* the I/O thread was told that the receive queue is broken */
	bool promised;	   /* the driver was asked to tell when it has given buffers */
	uint16_t promised_at; /* promised: how far it had filled the queue then */
	struct port_set waiting; /* promised: senders that are told then */
	uint32_t accepts;  /* NET_ACCEPTS_* that this driver negotiated */
	struct reserve reserve; /* of the receive queue */
};

/* Before virtio_pci_create(). queue_size: descriptors, a power of two up to VIRTQ_SIZE_MAX. */
void virtio_net_init(struct virtio_net *net, const uint8_t mac[NET_MAC_SIZE], unsigned queue_size);

/*
 * What its port of a switch, net->port, is to do, with the device as backend; it joins one after
 * virtio_pci_create().
 */
extern const struct net_port_ops virtio_net_port_ops;

/* Leaves the switch; no frame is delivered any more. Valid when it never joined. */
void virtio_net_disconnect(struct virtio_net *net);

/* Whether the cable is out; the driver is told to look again. I/O thread. */
bool virtio_net_is_unplugged(const struct virtio_net *net);
void virtio_net_tell_link(struct virtio_net *net);

/*
 * While the guest is paused frames for it are dropped, and counted as link down; those that
 * came before are told. I/O thread.
 */
void virtio_net_pause(struct virtio_net *net, bool paused);

void virtio_net_destroy(struct virtio_net *net);

#endif
