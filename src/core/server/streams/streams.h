/*
 * Streams: what a client asks for once and then gets as it happens. Each is a
 * file here and a row in table.c. Deck thread.
 */
#ifndef CORE_SERVER_STREAMS_STREAMS_H
#define CORE_SERVER_STREAMS_STREAMS_H

#include "core/server/request.h"

struct stream_kind {
	const struct handler *handlers; /* up to HANDLERS_END */

	/* The rest may be NULL. */
	void (*event)(struct server *server, const struct deck_event *event);
	void (*guest_gone)(struct server *server, const struct guest *guest); /* drop it */
	/*
	 * The server ends. Called twice: with all peers connected, and without any, after
	 * the helper thread has done what was under way.
	 */
	void (*end)(struct server *server);
};

extern const struct stream_kind capture_stream, console_stream, events_stream, host_stream,
	packets_stream, pcapng_stream, screen_stream, stats_stream;

/* All there are; NULL ends the list. They hear of things in this order. */
extern const struct stream_kind *const streams[];

#endif
