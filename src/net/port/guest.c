/* A guest's NIC, which core/virtio/net.c adds to its switch and takes away. */
#include "net/port/port.h"

static const struct profile_key keys[] = {
	{ .key = "patience", .type = PROFILE_COUNT, .max = 1000, .standard = "5",
	  .offset = offsetof(struct switch_config, patience),
	  .help = "How many milliseconds a frame from a virtio card waits at most when the one "
		  "virtio card that it goes to has no room for it: until then it stays with its "
		  "sender, whose frames to others go on. With 0 it is dropped at once." },
	{ .key = NULL },
};

const struct port_kind port_guest = { .name = "guest", .keys = keys };
