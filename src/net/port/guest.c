/* A guest's NIC, which core/virtio/net.c adds to its switch and takes away. */
#include "net/port/port.h"

static const struct profile_key keys[] = {
	{ .key = "patience", .type = PROFILE_COUNT, .max = 1000, .standard = "5",
	  .offset = offsetof(struct switch_config, patience),
	  .help = "How many milliseconds a frame from a virtio card waits at most when the one "
		  "virtio card that it goes to has no room for it: until then it stays with its "
		  "sender, whose frames to others go on. With 0 it is dropped at once." },
	{ .key = "past", .type = PROFILE_SIZE, .max = PAST_BYTES_MAX, .standard = "16M",
	  .offset = offsetof(struct switch_config, past.bytes),
	  .help = "How much memory the switch may take to keep what has passed it last, for "
		  "{Cm vmdeck capture} {Fl -past} and the key {Ic W} of the screen. "
		  "It is taken as frames come. "
		  "With 0 nothing is kept, and that costs nothing." },
	{ .key = "past_seconds", .type = PROFILE_COUNT, .min = 1, .max = PAST_SECONDS_MAX,
	  .standard = "300", .offset = offsetof(struct switch_config, past.seconds),
	  .help = "For how many seconds it is kept at most." },
	{ .key = "past_snap", .type = PROFILE_COUNT, .min = 14, .max = CAPTURE_SNAP_MAX,
	  .standard = "128", .offset = offsetof(struct switch_config, past.snap),
	  .help = "How many bytes of each frame are kept. "
		  "While a capture keeps more of them, so does the past." },
	{ .key = NULL },
};

const struct port_kind port_guest = { .name = "guest", .keys = keys };
