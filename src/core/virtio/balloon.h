/* The virtio memory balloon: memory that a guest lends back. virtio 1.2 §5.5. */
#ifndef CORE_VIRTIO_BALLOON_H
#define CORE_VIRTIO_BALLOON_H

#include "core/bus/device.h"

#define BALLOON_PAGE 4096u    /* whatever the guest's own page is */
#define BALLOON_CHAIN_MAX 4096u /* pages that one request gives back at most */
#define BALLOON_BURST 512u    /* runs of pages given back before others have their turn */
#define BALLOON_POLL_MS 1000  /* a guest is asked for its statistics no more often */

extern const struct device_type balloon_device;

#endif
