/*
 * What the files of the socket device share. vsock.c has the queues and the device's life,
 * vsock_packet.c what packets say and the state of connections, vsock_host.c the Unix sockets.
 * The guest's I/O thread, device lock held.
 */
#ifndef CORE_VIRTIO_VSOCK_PRIVATE_H
#define CORE_VIRTIO_VSOCK_PRIVATE_H

#include <sys/uio.h>

#include "core/virtio/pci_device.h"
#include "core/virtio/vsock.h"

#define VSOCK_HOST 2u /* the host's CID */
#define VSOCK_STREAM 1u

/* The header of a packet, §5.10.6. */
struct __attribute__((packed)) vsock_header {
	uint64_t from_cid, to_cid;
	uint32_t from_port, to_port;
	uint32_t length;
	uint16_t type, operation;
	uint32_t flags;
	uint32_t buffer, forwarded; /* the sender's: its size, and what has left it */
};

_Static_assert(sizeof(struct vsock_header) == 44, "virtio_vsock_hdr");

/* Those that are due go out in this order. */
enum vsock_operation {
	VSOCK_REQUEST = 1, VSOCK_RESPONSE, VSOCK_RST, VSOCK_SHUTDOWN, VSOCK_RW,
	VSOCK_CREDIT_UPDATE, VSOCK_CREDIT_REQUEST
};

#define VSOCK_NO_RECEIVE 1u /* flags of VSOCK_SHUTDOWN */
#define VSOCK_NO_SEND 2u
#define VSOCK_ENDED (VSOCK_NO_RECEIVE | VSOCK_NO_SEND)

/* The guest knows of those from VSOCK_CALLING on. */
enum vsock_state {
	VSOCK_FREE,
	VSOCK_LEFT,    /* the guest has done with it; its socket has yet to take what was sent */
	VSOCK_ASKING,  /* somebody on the host has not said which port */
	VSOCK_CALLING, /* the guest was asked */
	VSOCK_OPEN,
	VSOCK_ENDING   /* the host's end is closed, the guest was told and has not answered */
};

struct vsock_device;

struct vsock_connection {
	struct vsock_device *vsock;
	enum vsock_state state;
	int fd; /* or -1 */
	struct loop_source source;
	bool readable, writable; /* it may have or take something */
	bool hung_up;	  /* nobody has the other end any more */
	bool full;	  /* it is watched for room */
	bool starved;	  /* the guest has no room, and was told that we wait */
	uint8_t due;	  /* 1 << enum vsock_operation: packets for the guest */
	uint8_t ended;	  /* VSOCK_NO_...: by the guest */
	uint8_t host_ended; /* by the host */
	uint32_t host_port, guest_port;
	uint8_t *kept;	  /* VSOCK_BUFFER bytes for what the socket has not taken, or NULL */
	uint32_t kept_at, kept_size;
	uint32_t forwarded, told; /* bytes that the socket has taken; what the guest knows of */
	uint32_t sent, peer_buffer, peer_forwarded; /* to the guest; its buffer, and out of it */
};

/* A packet for nobody's connection is answered with a reset. */
struct vsock_refusal {
	uint32_t host_port, guest_port;
};

struct vsock_device {
	struct virtio_pci transport; /* first: see virtio_device_create() */
	struct virtio device;
	uint64_t cid;
	char *path;    /* of the socket that the host connects to */
	int listen_fd; /* or -1 */
	struct loop_source listener;
	struct loop_timer listen_again;
	bool callers;	/* somebody may be waiting to be accepted */
	bool reset_due; /* the driver is to hear that its connections are gone */
	bool reset_told; /* it was told, and has not given the buffer back */
	uint16_t events; /* then: how many others it had given */
	uint32_t next_port; /* of the host, for who connects to the guest */
	unsigned turn;	    /* the connection that is looked at first */
	struct vsock_refusal refusals[VSOCK_REFUSALS];
	unsigned refused;
	struct vsock_connection connections[VSOCK_CONNECTIONS];
};

/* --- vsock.c --- */

/* Serves everything there is to serve, as far as the guest has buffers. */
void vsock_pump(struct vsock_device *vsock);

/* Whether the driver runs and the machine is not paused. */
bool vsock_runs(const struct vsock_device *vsock);

/* --- vsock_packet.c --- */

/* Whether somebody on the host can be given a place. */
bool vsock_has_place(struct vsock_device *vsock);

/* Gives a place to a socket, which is taken over; NULL, and it is closed: there is none. */
struct vsock_connection *vsock_add(struct vsock_device *vsock, int fd, enum vsock_state state);

/* Does what a connection's socket allows: asks, sends what is kept, sees that it ended. */
void vsock_serve(struct vsock_connection *connection);

/* Takes a packet of count iovecs, which it changes; -EINVAL: it is none. */
int vsock_take(struct vsock_device *vsock, struct iovec *iov, unsigned count);

/* The next connection with something for the guest, in turn; or NULL. */
struct vsock_connection *vsock_next(struct vsock_device *vsock);

/*
 * Fills the buffers of the guest, which have room for a header, with its next packet; the
 * bytes of that, or 0: there was none after all.
 */
uint32_t vsock_give(struct vsock_connection *connection, const struct iovec *iov,
		    unsigned count);

/* The same with the last refusal, of which there is one. */
uint32_t vsock_give_refusal(struct vsock_device *vsock, const struct iovec *iov);

/* Ends all connections without a word. */
void vsock_drop_all(struct vsock_device *vsock);

/* --- vsock_host.c --- */

/* Whether a guest of that profile could listen, but for who does so already. With a cause. */
int vsock_check(const struct profile *profile, struct cause *cause);

/* Finds the path, makes its folder and listens. 0, or a negative errno with a cause. */
int vsock_listen(struct vsock_device *vsock, const struct device_host *host, struct cause *cause);
void vsock_unlisten(struct vsock_device *vsock, struct loop *loop); /* valid twice */

/* Accepts who waits, as long as there are places. */
void vsock_accept(struct vsock_device *vsock);

/* A socket that is connected to who listens for that port, or a negative errno. */
int vsock_connect(const struct vsock_device *vsock, uint32_t port);

/* Reads "CONNECT PORT\n". 1, 0 when it is not there yet, or -EPROTO. */
int vsock_read_port(int fd, uint32_t *port);

/* Tells who connected that the guest has accepted. */
bool vsock_say_connected(int fd, uint32_t port);

#endif
