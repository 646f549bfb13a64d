/*
 * Capture: what passed the switch, as pcapng or as records for a live list.
 *
 * Each port with traffic fills a chunk (one producer, no lock); full chunks,
 * or chunks some ms old, go to the capture writer thread, which merges them by
 * time, filters, and feeds the captures. Off costs the switch one predictable
 * branch. A capture may lose records, which it counts; it never delays or
 * drops a frame.
 */
#ifndef NET_CAPTURE_CAPTURE_H
#define NET_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/filter.h"
#include "net/frame/frame.h"

struct capture;
struct capture_hub; /* network_capture_hub() */

#define CAPTURE_SNAP_MAX 65550u /* the whole frame */
#define PAST_BYTES_MAX (512u * 1024 * 1024)
#define PAST_SECONDS_MAX 86400u

/* What a switch keeps of what passes it, for captures with past_ns. */
struct past_config {
	uint64_t bytes;	  /* of memory; 0: nothing is kept */
	unsigned seconds; /* at most so old */
	unsigned snap;	  /* bytes of each frame, 1..CAPTURE_SNAP_MAX */
};

/* One frame as a live list sees it; valid during the call only. */
struct capture_record {
	uint64_t time_ns;	   /* CLOCK_REALTIME */
	const char *port;	   /* "web/net0": where it entered the switch */
	const char *to;		   /* the port that received it, of NET_FORWARD; else NULL */
	enum net_verdict verdict;
	uint32_t size;		   /* on the wire */
	uint32_t captured;	   /* bytes in data */
	const uint8_t *data;
};

struct capture_config {
	/*
	 * Names of ports ("web/net0"), or "web/" for all of a guest's, for what
	 * they send and what is sent to them, or of switches ("lan"), for each
	 * frame once; NULL-terminated.
	 * What is not there yet is waited for. NULL: every switch, also later ones.
	 */
	const char *const *ports;
	const char *filter;	  /* what program was compiled from, for the file; or NULL */
	struct filter *program;	  /* or NULL: every frame. A capture takes over what is in it */
	uint32_t snap;		  /* bytes kept of each frame, 1..CAPTURE_SNAP_MAX */
	uint64_t past_ns; /* also what its switches keep of the time before; 0: nothing */
	bool names; /* also write what addresses are called, of which capture_hub_name() was told */

	/*
	 * Where it goes: a file descriptor that pcapng is written to, or the
	 * function. A socket or pipe that takes no more loses records (counted);
	 * a file that cannot be written (-ENOSPC) ends the capture with a cause.
	 */
	int fd; /* or -1; closed by capture_stop() once the capture has started */
	void (*records)(void *arg, const struct capture_record *records, unsigned count);

	/* Called once, on the writer's thread, if the capture ends by itself: the reader went
	   away (error 0) or a write failed. capture_stop() is still due, from another thread. */
	void (*ended)(void *arg, int error, const struct cause *cause);
	void *arg;
};

struct capture_stats {
	uint64_t records; /* written or handed over */
	uint64_t bytes;	  /* written */
	uint64_t dropped; /* lost: no chunk was free, or the reader was too slow; while it takes
			     nothing, or no chunk is free, frames count before the filter */
};

/*
 * The switch of that name, which has no port yet, keeps what passes it until it is removed.
 * -ENOMEM, or -ENOSPC if there is no room for its past beside that of others. Any thread.
 */
int capture_hub_keep(struct capture_hub *hub, const char *switch_name,
		     const struct past_config *config, struct cause *cause);

/*
 * What is only kept needs no thread until there is much of it. Who asks for this, before the first
 * switch is made, gets a descriptor, the hub's, and calls capture_hub_serve() once that can be read.
 */
int capture_hub_watch(struct capture_hub *hub);

/* Starts the capture writer's thread, unless it runs. 0 or a negative errno. Any thread. */
int capture_hub_serve(struct capture_hub *hub, struct cause *cause);

/* Whether there is a port or a switch of that name, as in ports. Any thread. */
bool capture_hub_knows(struct capture_hub *hub, const char *name);

/*
 * Starts. -EINVAL for a length that is none, -ENOSPC if 64 captures name ports
 * already, -ENOENT if there is to be a past and none of its switches keeps one.
 * Any thread but the capture writer's.
 */
int capture_start(struct capture **out, struct capture_hub *hub,
		  const struct capture_config *config, struct cause *cause);

/*
 * The same in two steps, for whom the place to write to comes last. The first
 * does all that takes time or can be the request's fault, and leaves config->fd
 * alone; the second starts, with fd in its place, and does not block. When it
 * fails fd stays the caller's. A capture that was not started is discarded; NULL
 * is valid.
 */
int capture_prepare(struct capture **out, struct capture_hub *hub,
		    const struct capture_config *config, struct cause *cause);
int capture_begin(struct capture *capture, int fd, struct cause *cause);
void capture_discard(struct capture *capture);

/*
 * Writes out what was recorded until now, and the counts, then ends. last: the
 * counts when all of that is done, or NULL.
 */
void capture_stop(struct capture *capture, struct capture_stats *last);

/* The counts so far; what was recorded in the last 50 ms may be missing. */
void capture_get_stats(const struct capture *capture, struct capture_stats *out);

#endif
