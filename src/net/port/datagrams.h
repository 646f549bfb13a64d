/*
 * Frames in datagrams, many with one system call: recvmmsg(2), sendmmsg(2). The uplink thread.
 */
#ifndef NET_PORT_DATAGRAMS_H
#define NET_PORT_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/frame/frame.h"
#include "net/port/inbox.h"

#define DATAGRAMS_IN 32u
#define DATAGRAM_PREFIX_MAX 8u
#define DATAGRAM_MAX (DATAGRAM_PREFIX_MAX + NET_FRAME_MAX)

struct datagrams {
	int fd; /* the owner's */
	uint8_t *bytes; /* DATAGRAMS_IN of DATAGRAM_MAX; pages that none needs cost nothing */
	struct mmsghdr in[DATAGRAMS_IN];
	struct iovec in_parts[DATAGRAMS_IN];
	struct sockaddr_storage from[DATAGRAMS_IN];

	struct mmsghdr out[NET_BURST_MAX];
	struct iovec out_parts[NET_BURST_MAX][2];
	unsigned out_count;
	/* What each begins with, and where they go: NULL is where the socket is connected to. */
	uint8_t prefix[DATAGRAM_PREFIX_MAX];
	size_t prefix_size;
	const struct sockaddr_storage *to;
	uint32_t to_size;
};

int datagrams_init(struct datagrams *datagrams); /* 0 or -ENOMEM */
void datagrams_destroy(struct datagrams *datagrams); /* valid for all zero */

/* How many have come, at most DATAGRAMS_IN; 0: none now; or a negative errno. */
int datagrams_receive(struct datagrams *datagrams);

/* Number index of those; sender: datagrams->from[index]. */
static inline const uint8_t *datagrams_get(const struct datagrams *datagrams, int index,
					   size_t *size)
{
	*size = datagrams->in[index].msg_len;
	return datagrams->in_parts[index].iov_base;
}

/* Adds one to be sent, whose bytes stay until datagrams_flush(), for which net_port is. */
void datagrams_put(struct datagrams *datagrams, const struct inbox_frame *frame,
		   struct net_port *net_port);

/* Sends them. 0 or a negative errno; what could not go is counted at the port, if it is one. */
int datagrams_flush(struct datagrams *datagrams, struct net_port *net_port);

#endif
