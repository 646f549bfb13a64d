/* The virtio entropy device: random bytes of the host for the guest. virtio 1.2 §5.4. */
#ifndef CORE_VIRTIO_RNG_H
#define CORE_VIRTIO_RNG_H

#include "core/bus/device.h"

#define RNG_REQUEST_MAX 4096u /* bytes that one request is filled with at most */

/* What a guest is given of them in a period, after which those that wait are served. */
#define RNG_PERIOD_MS 100
#define RNG_PERIOD_BYTES (64u << 10)
#define RNG_REQUEST_COST 64u /* bytes that a smaller request counts as */

extern const struct device_type rng_device;

#endif
