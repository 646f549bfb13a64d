/* What the captures have in common: their parameters, and ending them. Deck thread. */
#ifndef CORE_SERVER_STREAMS_CAPTURE_CONFIG_H
#define CORE_SERVER_STREAMS_CAPTURE_CONFIG_H

#include "core/server/request.h"
#include "net/capture/capture.h"

/* The parameters ports, filter and snap, copied so that the helper thread can use them. */
struct capture_order {
	struct capture_config config; /* its pointers lead into what follows */
	const char **ports;	      /* or NULL */
	char *filter;		      /* or NULL */
	json_t *ports_json;	      /* or NULL */
};

int capture_order_read(struct capture_order *order, const struct request *request,
		       struct cause *cause);
void capture_order_destroy(struct capture_order *order);

/* Ends a capture on the helper thread; job->done follows. At once when there is no thread. */
void capture_stop_later(struct server *server, struct worker_job *job);

#endif
