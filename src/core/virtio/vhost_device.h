/*
 * A virtio device whose queues a program of others serves (sandbox/backend.h), by
 * vhost-user: its life with that program. A type of device is a struct vhost_kind and a
 * row of the device table, whose functions are those below.
 *
 * The program reads the doorbells and raises the interrupts itself; this process sets it up,
 * stops it, and does it again with another one when it has ended. Until then, as the profile says,
 * the guest waits for somebody to resume it, or what its driver asks for is answered with an error.
 *
 * What the program had taken and not returned is known by its notes (vhost_inflight.h), or it is
 * the last that came, of a program that returns all in the order in which it takes it.
 */
#ifndef CORE_VIRTIO_VHOST_DEVICE_H
#define CORE_VIRTIO_VHOST_DEVICE_H

#include "core/virtio/pci_device.h"
#include "core/virtio/vhost_user.h"
#include "sandbox/backend.h"

#define VHOST_CONFIG_MAX 64 /* bytes of configuration that a driver sees */

struct vhost_device;

struct vhost_kind {
	uint16_t id;	     /* virtio device ID */
	uint32_t class_code; /* PCI class, subclass, interface */
	unsigned queues;
	uint16_t queue_size;
	uint32_t config_size;  /* bytes, at most VHOST_CONFIG_MAX */
	bool config_is_theirs; /* the program tells it; else configure() */
	uint64_t features;     /* that a driver may be offered, if the program has them */
	enum program program;
	bool in_order; /* it returns requests of a queue as they came; else it has to take notes */
	unsigned (*on_backend)(const struct device *device); /* an enum profile_on_backend */
	/* Starts the program. As backend_start(), with a cause that begins with a path or a key. */
	int (*launch)(const struct device *device, struct backend *backend, struct cause *cause);
	void (*configure)(const struct device *device, uint8_t *config);
	/* Answers a request with an error; of the iovecs. The bytes written. */
	uint32_t (*refuse)(const struct virtq_chain *chain, struct iovec *iov);
};

enum vhost_state {
	VHOST_DOWN,	  /* there is no program, or it has ended */
	VHOST_CONNECTING, /* it is asked what it offers */
	VHOST_IDLE,	  /* it serves no queue */
	VHOST_RUNNING,
	VHOST_STOPPING, /* it is asked where it stopped */
	VHOST_DRAINING, /* it has stopped, and requests that it took are still out */
	VHOST_REFUSING	/* there is none, and requests are answered here, with an error */
};

struct vhost_queue {
	int call_fd; /* eventfd, for an interrupt that is no MSI-X vector; -1 */
	struct loop_source call;
	struct vhost_device *vhost;
};

/* The state of such a device. */
struct vhost_device {
	struct virtio_pci transport;
	struct virtio virtio;
	struct device *device;
	const struct vhost_kind *kind;
	struct virtio_ops ops;
	struct backend backend;
	struct vhost_user user;
	struct vhost_inflight inflight;
	struct vhost_queue queues[VIRTIO_QUEUES_MAX];
	uint64_t features;
	uint8_t config[VHOST_CONFIG_MAX];
	struct loop_task update;
	struct loop_timer drain;
	uint64_t drain_until;
	enum vhost_state state;	 /* guarded by the device's lock; written by the I/O thread */
	bool resetting;		 /* a reset waits for it; guarded likewise */
	bool may_launch;	 /* somebody has asked for it anew; guarded likewise */
	bool doubtful;		 /* what it has taken is not known; guarded likewise */
	/* What one that ended had taken and not returned; guarded likewise. */
	uint8_t taken[VIRTIO_QUEUES_MAX][VHOST_INFLIGHT_BYTES];
	unsigned started;	 /* bit n: it serves queue n */
	bool creating;		 /* vhost_create() waits for it */
	struct cause *cause;	 /* of vhost_create(), while it does */
};

/* What is saved: the driver knows the device's configuration, and must find the same. */
struct __attribute__((packed)) vhost_registers {
	struct virtio_pci_registers transport;
	uint8_t config[VHOST_CONFIG_MAX];
	uint8_t taken[VIRTIO_QUEUES_MAX][VHOST_INFLIGHT_BYTES];
};

/* Functions for a row; see device.h. kind is the type's. */
int vhost_create(struct device *device, const struct vhost_kind *kind, struct cause *cause);
void vhost_destroy(struct device *device);
void vhost_start(struct device *device);
bool vhost_stop(struct device *device);
bool vhost_reset(struct device *device);
void vhost_save(struct device *device, void *registers);
const char *vhost_load(struct device *device, const void *registers);
void vhost_describe(struct device *device, char *text, size_t size);

/* What the rows have in common. The state of a type begins with a struct vhost_device. */
#define VHOST_ROW                                                                          \
	.pci = true, .shares_memory = true, .start = vhost_start, .stop = vhost_stop,      \
	.reset = vhost_reset, .version = 1, .saved = sizeof(struct vhost_registers),       \
	.save = vhost_save, .describe = vhost_describe

#endif
