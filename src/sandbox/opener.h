/*
 * Opening what the deck's own threads may not: sockets of the network, TAP devices, files for
 * who opens none; see opening.h for how they have it done. In a child of the helper that starts
 * programs, which ends afterwards, with what privileges of the network vmdeck was started with.
 * Descriptors are non-blocking and closed by execve(2).
 */
#ifndef SANDBOX_OPENER_H
#define SANDBOX_OPENER_H

#include <net/if.h>
#include <stdint.h>
#include <sys/socket.h>

enum opener_what { OPENER_SOCKET, OPENER_TAP, OPENER_PACKETS, OPENER_FILE, OPENER_COUNT };

struct opener_socket {
	struct sockaddr_storage local, peer;
	uint32_t local_size, peer_size; /* 0: it is not bound, or not connected */
	int32_t type;			/* SOCK_STREAM, SOCK_DGRAM; with a local address and no
					   peer the first listens */
};

struct opener_tap {
	char name[IFNAMSIZ];   /* made if it is not there */
	char bridge[IFNAMSIZ]; /* it becomes a port of that; "": of none */
};

struct opener_order {
	enum opener_what what;
	union {
		struct opener_socket socket;
		struct opener_tap tap; /* open with a struct virtio_net_hdr of 10 bytes */
		char interface[IFNAMSIZ]; /* whose packets a socket gets and sends, as the TAP
					     device's, with PACKET_AUXDATA */
		char path[4096];	  /* of a regular file, to be read */
	};
};

/* In which step it failed. */
enum opener_step {
	OPENER_OPEN, OPENER_BIND, OPENER_CONNECT, OPENER_LISTEN, OPENER_ATTACH, OPENER_OFFLOAD,
	OPENER_BRIDGE, OPENER_UP, OPENER_ETHERNET, OPENER_WIFI
};

/*
 * Gives up what the caller may beside that, for good, and opens it: a descriptor, or a negative
 * errno with *step. A connection may still be on its way, as connect(2) has it.
 */
int opener_open(const struct opener_order *order, enum opener_step *step);

#endif
