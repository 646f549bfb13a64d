/*
 * What ports share that lead out by a descriptor of the host's network which takes and gives
 * frames one by one, each behind a struct virtio_net_hdr of virtio 1.2 § 5.1.6: a TAP device, a
 * packet socket. Partial checksums and TSO go both ways as they are.
 *
 * A sender's thread writes its frames itself, which costs a system call each and neither a copy
 * nor a wake-up.
 */
#ifndef NET_PORT_VNET_PORT_H
#define NET_PORT_VNET_PORT_H

#include <pthread.h>

#include "net/port/outside.h"

#define VNET_PORT_FRAMES_A_TURN (2u * NET_BURST_MAX) /* that are read */

struct vnet_port {
	struct outside outside;
	struct loop_source source;
	pthread_rwlock_t lock; /* guards fd: held by who writes to it */
	int fd;		       /* or -1; the uplink thread alone changes it */
};

static inline struct vnet_port *vnet_port_of(struct outside *outside)
{
	return (struct vnet_port *)(void *)outside; /* its first member */
}

/* For the outside_ops of such a kind, and what outside_create() prepares it by. */
extern const struct inbox_ops vnet_port_inbox_ops;
extern const struct net_port_ops vnet_port_ops;
#define VNET_PORT_ACCEPTS (NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4 | NET_ACCEPTS_TSO6)
int vnet_port_prepare(struct outside *outside, struct cause *cause);
void vnet_port_close(struct outside *outside);
void vnet_port_release(struct outside *outside);

/*
 * The uplink thread: it is open, and up with that as its state; on_frames is called with the
 * struct vnet_port when fd is readable.
 */
void vnet_port_open(struct outside *outside, int fd, void (*on_frames)(void *arg, uint32_t events),
		    const char *state);

#endif
