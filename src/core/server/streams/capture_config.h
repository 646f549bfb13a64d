/* What the captures have in common: their parameters, and ending them. Deck thread. */
#ifndef CORE_SERVER_STREAMS_CAPTURE_CONFIG_H
#define CORE_SERVER_STREAMS_CAPTURE_CONFIG_H

#include "core/server/filters.h"
#include "core/server/request.h"
#include "net/capture/capture.h"

/* The parameters ports, filter, snap, names and past, copied so that the helper thread can use them. */
struct capture_order {
	struct capture_config config; /* its pointers lead into what follows */
	const char **ports;	      /* or NULL */
	char (*guests)[NAME_SIZE + 1]; /* "web/", for those of ports that are guests; or NULL */
	char *filter;		      /* or NULL */
	struct filter program;	      /* compiled from it */
	json_t *ports_json;	      /* or NULL */
	json_t *waiting;	      /* names of those ports that are not there yet */
	int error;		      /* of what is done with it, and why */
	struct cause cause;

	/* While the filter is compiled: */
	struct server *server;
	struct worker_job *job;
	struct filter_order compiling;
};

/*
 * -ENOENT for a name that is no port's or switch's, nor that of a guest, or of a port that a guest
 * will have.
 */
int capture_order_read(struct capture_order *order, const struct request *request,
		       struct cause *cause);
void capture_order_destroy(struct capture_order *order);

/* Whether a name can be captured, as above; it is added to waiting, or that is NULL: refused. */
int capture_check_name(const struct request *request, const char *name, json_t *waiting,
		       struct cause *cause);

/*
 * Has the filter compiled, if there is one, then posts job to the helper thread. If the
 * filter is not compiled, or there is no thread, job->done is called without job->work, with
 * the order's error and cause set. 0: that has begun; or a negative errno with a cause.
 */
int capture_order_run(struct capture_order *order, struct server *server, struct worker_job *job,
		      struct cause *cause);

/* Ends a capture on the helper thread; job->done follows. At once when there is no thread. */
void capture_stop_later(struct server *server, struct worker_job *job);

#endif
