/* What the files of the capture writer's thread share. Nobody else includes this. */
#ifndef NET_CAPTURE_WRITER_H
#define NET_CAPTURE_WRITER_H

#include "net/capture/capture_private.h"

struct waiting {
	uint64_t time; /* of the tap's first run */
	struct capture_tap *tap;
};

/* A capture that wants what a port sends, or only what of it reaches ports that it names. */
struct target {
	struct capture *capture;
	uint32_t interface; /* of what the port sends, or NO_INTERFACE */
	bool received;	    /* only what reaches ports that it names, by their interfaces */
	bool flood_known;   /* the next is known */
	uint32_t flood;	    /* of what is flooded, or NO_INTERFACE */
};

struct writer {
	struct capture_hub *hub;
	bool quit;
	bool idle;	  /* the last pass found nothing and left nothing */
	bool busy;	  /* it found full chunks */
	bool collecting;  /* there are captures, and open chunks are taken, too */
	bool draining;	  /* a stopped capture is not done yet */
	uint64_t expiry;       /* something of the past is too old then; UINT64_MAX: never */
	uint64_t horizon;      /* no older record can come any more */
	uint64_t unit;	       /* of stamps: see stamp.h */
	int64_t wall;	       /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	/* Copies of the hub's lists, made at the start of a pass. */
	struct capture_tap **taps;
	struct capture_tap **by_id;
	struct capture **captures;
	struct waiting *heap;
	struct pollfd *polls;
	struct target *targets;
	uint32_t tap_count, tap_room, id_count, id_room, capture_count, capture_room;
	uint32_t heap_count, target_count;
};

/* capture/merge.c: writes all runs up to the horizon, in the order of time. */
void capture_merge(struct writer *w);
/* Writes to one that has just begun what is kept and has been read. */
void capture_replay(struct writer *w, struct capture *capture);

/* capture/past.c. A chunk that has been read: to its port again, kept, or free. */
void capture_put_away(struct writer *w, struct chunk *chunk);
void capture_put_all_away(struct writer *w); /* unread: there is no capture */
void capture_past_tidy(struct writer *w);
/* Under the lock, after that: whether a tap whose port is gone is still to be known. */
bool capture_past_holds(struct writer *w, const struct capture_tap *tap);

#endif
