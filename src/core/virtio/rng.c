/*
 * The virtio entropy device. virtio 1.2 §5.4, getrandom(2). The guest's I/O
 * thread; the driver's set-up on vCPU threads, under the device lock.
 *
 * Making random bytes is work that a guest gets for nothing, so it gets a part of a
 * processor's time for it at most: when a period's bytes are used up its requests
 * wait in the ring for the next one.
 */
#include "core/virtio/rng.h"

#include <string.h>
#include <sys/random.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/profile/profile.h"
#include "core/virtio/pci_device.h"

#define QUEUE_SIZE 8

struct rng_device {
	struct virtio_pci transport; /* first: see virtio_device_create() */
	struct virtio device;
	struct loop_timer period; /* armed while there is one */
	uint32_t left;		  /* bytes that may still be given in it; I/O thread only */
};

static struct rng_device *rng_of(struct virtio *device)
{
	return container_of(device, struct rng_device, device);
}

/* Copies size bytes into the chain's buffers, which have room for them. */
static void scatter(const struct iovec *iov, const uint8_t *bytes, size_t size)
{
	while (size) {
		size_t n = iov->iov_len < size ? iov->iov_len : size;

		memcpy(iov->iov_base, bytes, n);
		bytes += n;
		size -= n;
		iov++;
	}
}

/* One request: 1, 0 when there is none, or -EINVAL. */
static int serve_next(struct rng_device *rng)
{
	struct virtq *queue = &rng->device.queues[0];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	uint8_t bytes[RNG_REQUEST_MAX];
	struct virtq_chain chain;
	size_t size;
	ssize_t got;
	int r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);

	if (r == 1 && (chain.read_count || !chain.write_size))
		r = virtq_break(queue);
	if (r <= 0)
		return r;
	size = chain.write_size < rng->left ? chain.write_size : rng->left;
	if (size > RNG_REQUEST_MAX)
		size = RNG_REQUEST_MAX;
	got = getrandom(bytes, size, 0);
	if (got < 0)
		got = 0;
	scatter(iov, bytes, (size_t)got);
	explicit_bzero(bytes, (size_t)got);
	virtq_push(queue, chain.head, (uint32_t)got);
	size = size < RNG_REQUEST_COST ? RNG_REQUEST_COST : size;
	rng->left -= rng->left < size ? rng->left : (uint32_t)size;
	return 1;
}

static void kick(struct virtio *device, unsigned n)
{
	struct rng_device *rng = rng_of(device);
	struct virtq *queue = &device->queues[0];
	int r = 0;

	(void)n;
	if (!rng->period.armed) {
		rng->left = RNG_PERIOD_BYTES;
		loop_timer_set(rng->transport.loop, &rng->period, RNG_PERIOD_MS * NS_PER_MS);
	}
	virtq_want_kicks(queue, false);
	while (rng->left) {
		r = serve_next(rng);
		if (r > 0)
			continue;
		virtq_want_kicks(queue, true);
		if (r < 0 || !virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (virtq_publish(queue))
		virtio_interrupt(device, 0);
	if (r < 0)
		virtio_broken(device, "a request for random bytes has no room for any, or is no "
				      "right descriptor chain");
}

static void period_over(void *arg)
{
	struct rng_device *rng = arg;

	if (!rng->left)
		virtio_kick_again(&rng->device, 0);
}

static const struct virtio_ops rng_ops = {
	.id = 4,
	.class_code = 0x100000, /* encryption controller, which is nearest */
	.queues = 1,
	.queue_size = QUEUE_SIZE,
	.kick = kick,
};

/* --- the row --- */

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->rng;
}

static int create(struct device *device, struct cause *cause)
{
	struct rng_device *rng = device->state;

	rng->device.ops = &rng_ops;
	rng->period = (struct loop_timer){ .fire = period_over, .arg = rng };
	return virtio_device_create(device, &rng->device, cause);
}

static void destroy(struct device *device)
{
	struct rng_device *rng = device->state;

	loop_timer_cancel(device->host->loop, &rng->period);
	virtio_pci_destroy(&rng->transport);
}

static void save(struct device *device, void *registers)
{
	virtio_pci_save(device->state, registers);
}

static const char *load(struct device *device, const void *registers)
{
	return virtio_pci_load(device->state, registers);
}

const struct device_type rng_device = {
	.name = "rng",
	.size = sizeof(struct rng_device),
	.pci = true,
	.wanted = wanted,
	.create = create,
	.destroy = destroy,
	.start = virtio_device_start,
	.stop = virtio_device_stop,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct virtio_pci_registers),
	.save = save,
	.load = load,
	.describe = virtio_device_describe,
};
