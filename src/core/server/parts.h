/*
 * What a server consists of, for what serves a client: commands and streams.
 * Others see server.h. Deck thread.
 */
#ifndef CORE_SERVER_PARTS_H
#define CORE_SERVER_PARTS_H

#include <sys/un.h>

#include "base/watch.h"
#include "base/worker.h"
#include "control/endpoint.h"
#include "core/deck/deck.h"
#include "core/server/leave.h"
#include "core/server/peer.h"
#include "core/server/place.h"
#include "core/server/spares.h"

struct server {
	struct deck *deck;
	struct loop *loop; /* the deck's */
	struct worker worker;  /* for captures */
	struct worker openers; /* for files that people name, any of which may never answer */
	unsigned overdue; /* asides that were answered without their work, which goes on */
	struct peers peers;
	struct leave leave;

	struct filter_order *filters; /* that are being compiled */
	unsigned compiling;

	/* Of streams/: */
	struct file_capture *captures;
	unsigned capture_count;
	unsigned packet_lists;

	/* Of server.c alone: */
	struct deck_listener listener;
	struct loop_timer accept_again;
	struct spares spares;
	struct endpoint endpoint;
	struct place places[ENDPOINT_PATHS]; /* clients look there in this order */
	struct loop_timer look;		     /* whether they are still there */
	struct watch watch;		     /* of their folders, which says so at once */
	char folders[ENDPOINT_PATHS][sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool astray; /* the first one has gone, which was told */
	pthread_mutex_t adopt_lock; /* guards adopted */
	struct adopted *adopted;
	struct loop_task adopt_task;
};

#endif
