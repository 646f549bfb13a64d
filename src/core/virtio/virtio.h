/*
 * What a virtio device type is to its transport. virtio 1.2 §2, §5.
 *
 * Queue (queue.h), transport (pci*.c) and device (net.c, blk.c) change for
 * three reasons and are apart. A device type fills one const ops table
 * and embeds struct virtio as its first member.
 */
#ifndef CORE_VIRTIO_VIRTIO_H
#define CORE_VIRTIO_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/virtio/queue.h"

#define VIRTIO_QUEUES_MAX 5

struct virtio;

struct virtio_ops {
	uint16_t id;		/* virtio device ID, §5 */
	uint32_t class_code;	/* PCI class, subclass, interface: 0x020000 */
	unsigned queues;	/* of one that does not say otherwise: see struct virtio */
	uint16_t queue_size;	/* the largest that is offered, of one that does not say otherwise */
	uint32_t config_size;	/* bytes of device-specific configuration */
	bool served_elsewhere;	/* another process hears the doorbells; kick() is for what it cannot */

	/*
	 * Feature bits offered beside the transport's (VERSION_1, INDIRECT_DESC, EVENT_IDX); NULL:
	 * none.
	 */
	uint64_t (*features)(struct virtio *device);

	/*
	 * Device configuration, if config_size is not 0; the range lies within it. vCPU thread,
	 * device lock held.
	 */
	void (*config_read)(struct virtio *device, uint32_t offset, void *data, unsigned length);
	/* The same for a device whose driver may write; NULL: nothing comes of it. */
	void (*config_write)(struct virtio *device, uint32_t offset, const void *data,
			     unsigned length);

	/*
	 * The driver is ready: queues are enabled, features final, and memory may be used.
	 * NULL: nothing to do. vCPU thread, device lock held.
	 */
	void (*start)(struct virtio *device);

	/*
	 * Leave the rings alone until start() comes again and goes on with them, or reset():
	 * the driver has taken bus mastering away. Requests in flight still finish into guest
	 * memory, and are told then. NULL for a device that looks at running by itself. vCPU
	 * thread, device lock held.
	 */
	void (*stop)(struct virtio *device);

	/* Buffers came in for queue n. The guest's I/O thread, device lock held. */
	void (*kick)(struct virtio *device, unsigned n);

	/*
	 * Forget the queues, also when start() was not called. True when nothing is in
	 * flight; otherwise the device calls virtio_reset_done() from its I/O thread later,
	 * and the driver reads a status that is not zero until then. NULL: nothing to forget.
	 * Device lock held.
	 */
	bool (*reset)(struct virtio *device);
};

struct virtio {
	const struct virtio_ops *ops;
	pthread_mutex_t lock;	/* status, queue set-up; held by the I/O thread for a burst at most */
	uint64_t features;	/* negotiated */
	unsigned queue_count;	/* 0 before virtio_pci_create(): as many as ops has */
	uint16_t queue_size;	/* the largest that is offered; 0 before that: as ops has it */
	struct virtq queues[VIRTIO_QUEUES_MAX];
	atomic_bool running;	/* between start() and stop() or reset(); written under the lock */
	bool paused;		/* by the machine: kicks wait, and nothing new is begun */
	struct virtio_pci *transport;
};

/*
 * Tells the driver of used buffers in queue n: one interrupt. Call it when
 * virtq_publish() says so. Any thread.
 */
void virtio_interrupt(struct virtio *device, unsigned n);

/*
 * The device configuration changed (link state, capacity), before the lock was given back
 * under which it did: what a driver has read of it by half it reads again. Any thread.
 */
void virtio_config_changed(struct virtio *device);

/* Has kick(n) called again soon, on the I/O thread, to bound the work of one burst. Any thread. */
void virtio_kick_again(struct virtio *device, unsigned n);

/*
 * The driver broke the rules: sets DEVICE_NEEDS_RESET and keeps why (a literal)
 * for the screen. The guest goes on; its kicks are not served until it has reset
 * the device. Device lock held.
 */
void virtio_broken(struct virtio *device, const char *why);

/* A reset that had to wait is complete. I/O thread, device lock held. */
void virtio_reset_done(struct virtio *device);

#endif
