/*
 * The front end of vhost-user: what is said to a program that serves a device's queues by
 * itself, in the guest's memory, and what it answers. QEMU's docs/interop/vhost-user.rst.
 *
 * The backend is not trusted further than with the guest's memory: each answer has to be the
 * next one that is due, of the size that is due, and its numbers are checked. Nothing here
 * waits; all functions are for the loop's thread.
 */
#ifndef CORE_VIRTIO_VHOST_USER_H
#define CORE_VIRTIO_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/kvm/memory.h"
#include "core/virtio/vhost_inflight.h"
#include "core/virtio/virtio.h"

#define VHOST_USER_CONFIG_MAX 256	/* bytes of device configuration */
#define VHOST_USER_PATIENCE 15000000000ull /* ns for an answer */

/* One of them is called last in whatever leads to it; they may close the connection. */
struct vhost_user_ops {
	/* What it offers is known: features and configuration. */
	void (*ready)(void *arg);
	void (*running)(void *arg); /* the queues run */
	/* All queues that ran have stopped, and bases are theirs. */
	void (*stopped)(void *arg);
	/* Nothing can be said to it any more: why, a literal, as a part of a sentence. */
	void (*failed)(void *arg, const char *why);
};

/* Room for the answers that can be due at once. */
#define VHOST_USER_DUE_MAX (VIRTIO_QUEUES_MAX + 1)

struct vhost_user {
	struct loop *loop;
	const struct vhost_user_ops *ops;
	void *arg;
	int fd; /* -1: there is no connection */
	struct loop_source source;
	struct loop_timer patience;
	uint32_t config_size; /* wanted of it; 0: it has none */
	unsigned queues;      /* wanted of it */
	const struct vhost_inflight *inflight; /* wanted of it, or NULL */

	uint64_t features; /* that it offers, but for the one that speaks of the protocol */
	uint64_t protocol; /* protocol features in use */
	uint8_t config[VHOST_USER_CONFIG_MAX];
	uint16_t bases[VIRTIO_QUEUES_MAX]; /* where queues were stopped: next available entry */

	uint32_t due[VHOST_USER_DUE_MAX]; /* requests in the order of their answers */
	unsigned due_count;
	uint8_t input[12 + 12 + VHOST_USER_CONFIG_MAX]; /* of a message that is coming in */
	unsigned input_size;
};

/* A queue as the backend is told of it. */
struct vhost_user_queue {
	const struct virtq *queue; /* enabled; next_available is where it goes on */
	int kick_fd, call_fd;
};

/* Makes one without a connection. inflight: where it notes what it takes; NULL: it need not. */
void vhost_user_init(struct vhost_user *user, struct loop *loop, unsigned queues,
		     uint32_t config_size, const struct vhost_inflight *inflight,
		     const struct vhost_user_ops *ops, void *arg);

/* Takes a connected socket that does not block and asks what the backend offers: ready(). */
void vhost_user_open(struct vhost_user *user, int fd);
void vhost_user_close(struct vhost_user *user); /* also of one without a connection */

/*
 * Has it serve the queues, of which those with queue NULL are off, with features of those that
 * it offers. 0: running() will be called; -EIO: it does not take what it is told, and failed() is
 * not called then.
 */
int vhost_user_start(struct vhost_user *user, uint64_t features, const struct guest_memory *memory,
		     const struct vhost_user_queue *queues);

/* Has it stop those queues. 1: stopped() will be called; 0: there is nothing to stop; -EIO. */
int vhost_user_stop(struct vhost_user *user, const struct vhost_user_queue *queues);

#endif
