/*
 * What a server consists of, for what serves a client: commands and streams.
 * Others see server.h. Deck thread.
 */
#ifndef CORE_SERVER_PARTS_H
#define CORE_SERVER_PARTS_H

#include <sys/un.h>

#include "base/watch.h"
#include "base/worker.h"
#include "core/deck/deck.h"
#include "core/server/leave.h"
#include "core/server/peer.h"
#include "core/server/place.h"
#include "core/server/spares.h"

struct server {
	struct deck *deck;
	struct loop *loop; /* the deck's */
	struct worker worker;
	struct peers peers;
	struct leave leave;

	/* Of streams/: */
	struct capture_order *orders; /* whose filters are being compiled */
	unsigned compiling;
	struct file_capture *captures;
	unsigned capture_count;
	unsigned packet_lists;

	/* Of server.c alone: */
	struct deck_listener listener;
	struct loop_source accepting;
	struct loop_timer accept_again;
	struct spares spares;
	struct endpoint endpoint;
	struct place place;
	struct loop_timer look; /* whether the place is still there */
	struct watch watch;	/* of its folder, which says so at once */
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool unreachable;	/* it was told */
	pthread_mutex_t adopt_lock; /* guards adopted */
	struct adopted *adopted;
	struct loop_task adopt_task;
};

#endif
