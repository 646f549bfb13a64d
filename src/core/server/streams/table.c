/* The table of streams. */
#include "core/server/streams/streams.h"

const struct stream_kind *const streams[] = {
	&stats_stream,
	&host_stream,
	&console_stream,
	&events_stream,
	&packets_stream,
	&capture_stream,
	&pcapng_stream,
	&screen_stream,
	NULL,
};
