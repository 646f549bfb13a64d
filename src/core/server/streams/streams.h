/*
 * Streams: what a client asks for once and then gets as it happens. Each file
 * here is one of them, with its commands. Deck thread.
 */
#ifndef CORE_SERVER_STREAMS_STREAMS_H
#define CORE_SERVER_STREAMS_STREAMS_H

#include "core/server/request.h"
#include "net/capture/capture.h"

/* events.c */
int command_events_subscribe(struct request *request, struct cause *cause);
void events_publish(struct server *server, const struct deck_event *event);
void events_end(struct server *server); /* the last event: whoever asked knows that this was no loss */

/* stats.c */
int command_stats_subscribe(struct request *request, struct cause *cause);
int command_stats_update(struct request *request, struct cause *cause);
int command_stats_cancel(struct request *request, struct cause *cause);
void stats_forget_guests(struct server *server); /* pointers to guests are no longer good */

/* console.c */
int command_console_open(struct request *request, struct cause *cause);
void console_close_guest(struct server *server, const struct guest *guest);

/* packets.c */
int command_packets_subscribe(struct request *request, struct cause *cause);
int command_packets_cancel(struct request *request, struct cause *cause);

/* capture.c */
int command_capture_start(struct request *request, struct cause *cause);
int command_capture_stop(struct request *request, struct cause *cause);
int command_capture_list(struct request *request, struct cause *cause);
void capture_end_all(struct server *server); /* has the helper thread end all file captures */

/* capture_stream.c */
int command_capture_stream(struct request *request, struct cause *cause);

/*
 * capture_config.c: the parameters ports, filter and snap, copied so that the helper
 * thread can use them.
 */
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
