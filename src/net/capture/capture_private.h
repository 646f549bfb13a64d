/*
 * What the files of the capture share, and what the switch calls.
 *
 * Theory of operation: each port has a tap. While somebody captures it, the
 * port's thread (the one producer) takes the tap's open chunk, leaving a mark
 * that it is busy, appends one record a frame, in runs of frames with the same
 * fate, which share what is the same in them, and puts the chunk back, or on
 * the list of full ones. The writer takes full chunks and, every few ms while
 * there is traffic, open ones: 8, or 50 while there are full ones. It merges
 * what it has by time up to a horizon before which nothing can come any more.
 * No step of the producer waits.
 *
 * Where all captures of a port have filters, its thread runs them on the frames'
 * private heads, and records what one of them takes, or cannot tell from the head;
 * each capture's is run by the writer as before. Only the port's mark that it is
 * busy keeps a filter: a capture is over when the writer has seen every port
 * without it since the port was told, and then the filter goes.
 *
 * The clock is read once a burst, and once more where that lasts long; while
 * there is a capture each record says how far the CPU's time stamp counter has
 * come since. Runs of two ports may overlap in time, so that the writer merges
 * record by record and may stop in the middle of a run. What is only kept as
 * the past has no such stamps: its frames have the time of their burst.
 *
 * A stream whose reader takes nothing and whose buffer is full is stalled. A
 * port that only stalled captures want makes no records: its thread adds the
 * burst to the tap's losses and goes on, at the cost of capture being off. The
 * writer waits for the reader by poll(), and records are made again once half
 * of the buffer is free. Such losses are every frame that the port sent, as if
 * the captures had no filter, for nobody saw them; a burst that is under way
 * while the state changes may be counted although a capture that has just
 * begun did not want it yet.
 *
 * A capture that names a port also has what others send to it. Such captures
 * have a number, a bit. While there is one, the taps of all ports of that
 * switch say so in their snap: their threads look at the receiver of each run
 * and record it if a capture names that port, or if it is a flood. Where nobody
 * wants all that a port sends, nothing else of it is recorded. A frame is in a
 * capture once: at the port that sent it if the capture has that, else at the
 * one that received it, and a flood at the first that the capture names. What
 * is lost on the way to named ports is counted by the captures' numbers, not by
 * ports: the file says it of the capture's first interface.
 *
 * hub->lock guards the lists of switches, taps and captures; it comes after
 * network->lock and is never held while writing.
 */
#ifndef NET_CAPTURE_CAPTURE_PRIVATE_H
#define NET_CAPTURE_CAPTURE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/counter.h"
#include "base/filter.h"
#include "base/thread.h"
#include "net/capture/capture.h"
#include "net/capture/pcapng.h"
#include "net/capture/stamp.h"
#include "net/frame/frame.h"

#define CHUNK_SIZE (256u * 1024)
#define PAST_CHUNKS 4096u /* that all pasts may keep */
#define POOL_CHUNKS (NET_PORTS_MAX + 64u + PAST_CHUNKS) /* address space; touched as needed */
#define POOL_WORDS (POOL_CHUNKS / 64)
#define FULL_MAX 128u	 /* full chunks that wait for the writer; beyond, records are lost */
#define FULL_WAKE 4u	 /* this many full chunks wake the writer: few, to stay in the cache */
#define NO_INTERFACE UINT32_MAX
#define NAMING_MAX 64u /* captures that name ports */
#define CAPTURE_NAMES_MAX 1024u
#define FILTERS_MAX 64u /* that ports' threads run; others are the writer's alone */

/* A tap's snap: a length, 0 if there is only to count, and what else is to be looked at. */
#define SNAP_LENGTH 0xfffffu
#define SNAP_PORTS 0x40000000u /* receivers: some capture names ports of the switch */
#define SNAP_SOME 0x20000000u  /* with SNAP_PORTS: record nothing but for their sake */
#define SNAP_STAMPS 0x10000000u /* each frame has its own time; else the burst's */
#define SNAP_STALLED UINT32_MAX /* only count, all frames */
#define BATCH_MAX 256u /* records in one call */

_Static_assert(POOL_CHUNKS % 64 == 0, "whole words of the bitmap");

struct capture_hub;

/* Frames of one burst with the same fate, in a chunk; as many records follow. */
struct run {
	uint64_t time; /* CLOCK_MONOTONIC, ns: when the records' stamps begin */
	uint32_t to;   /* id of the tap of the one receiver that was found, or 0 */
	uint16_t verdict, count;
};

/* One frame; captured bytes of data and padding to 8 follow. */
struct record {
	uint32_t size;
	uint32_t captured : 32 - STAMP_BITS, stamp : STAMP_BITS; /* since the run's time, stamp.h */
};

_Static_assert(CAPTURE_SNAP_MAX < 1u << (32 - STAMP_BITS), "captured");

/* A place in a chunk: before a run, or before one of the records of one. */
struct place {
	uint32_t at;   /* offset in data */
	uint32_t left; /* records of run from there on; 0: before a run */
	struct run run;
};

struct chunk {
	struct chunk *next;
	struct capture_tap *tap;
	uint32_t sequence; /* of this tap's chunks */
	uint32_t used;	   /* bytes of data */
	struct place read; /* by the writer */
	uint64_t kept;	   /* since when, as a part of the past */
	_Alignas(64) uint8_t data[];
};

#define CHUNK_ROOM (CHUNK_SIZE - (uint32_t)sizeof(struct chunk))

struct capture_tap {
	/* The producer's. */
	_Alignas(64) _Atomic uint32_t snap; /* SNAP_*; 0: nobody captures */
	uint32_t sequence;
	_Atomic(struct chunk *) open; /* NULL, CHUNK_BUSY, or a chunk anyone may take */
	_Atomic uint64_t since;	      /* time of the first run in the latest chunk */
	struct counter lost;
	struct counter passed_over; /* by all filters */

	/* Bits of captures that name ports, of this switch if not said otherwise. */
	_Alignas(64) _Atomic uint64_t filters; /* one of these has to take a frame; 0: none has to */
	_Atomic uint64_t all; /* those that want all that this port sends */
	_Atomic uint64_t flooded;	   /* those that want what it floods, as it reaches others */
	_Atomic uint64_t named;		   /* those that name this port */

	/* Constant. */
	struct capture_hub *hub;
	uint32_t id; /* from 1; given again when the tap is gone */
	uint8_t mac[NET_MAC_SIZE];
	char name[NET_PORT_NAME_MAX];
	char switch_name[NAME_SIZE];

	/* Under the hub's lock. */
	struct capture_tap *next;
	uint64_t retired; /* when its port was removed, or 0 */
	uint64_t born;	  /* constant */
	struct tap_wants {
		uint32_t snap;
		bool wanted, stalled, ports, stamps;
		bool unfiltered; /* somebody wants what no filter takes */
		uint64_t all, flooded, named, filters;
	} wants; /* while captures are gone through */

	/* The writer's. */
	struct past *past; /* of its switch; NULL: it keeps none, or is gone */
	bool left;	   /* it has seen that the port was removed */
	uint32_t kept;	   /* chunks of it in the past */
	struct chunk *lent; /* the open one, if the writer has read its beginning; or NULL */
	struct chunk *first;
	uint64_t lost_seen, passed_over_seen;
};

/* What a switch keeps: see capture/past.c. */
struct past {
	struct past *next; /* under the lock */
	char switch_name[NAME_SIZE];
	struct past_config config;
	bool gone; /* under the lock: its switch is */

	/* The writer's. */
	struct chunk *first, **end; /* the oldest first */
	uint64_t bytes;
	uint32_t chunks;
};

#define CHUNK_BUSY ((struct chunk *)1)

/* An address that somebody on a switch was given. */
struct capture_name {
	struct pcapng_name name;
	char switch_name[NAME_SIZE];
	uint32_t serial; /* the latest are the highest */
};

struct capture_hub {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a capture is done */
	struct thread thread;
	bool started, quit;
	bool watched; /* constant: somebody starts the thread when it is woken for the first time */
	int wake_fd;
	struct capture_switch *switches;
	struct capture_tap *taps;
	struct capture_tap **by_id; /* under the lock */
	uint32_t id_room, tap_count;
	struct capture *captures;
	uint64_t numbers; /* under the lock: the bits that captures have */
	uint64_t filter_numbers; /* under the lock: the bits of filters that captures have */
	_Atomic(const struct filter *) filters[FILTERS_MAX]; /* by those bits */
	struct counter missed[NAMING_MAX]; /* lost on the way to named ports, by captures' bits */
	struct past *pasts; /* under the lock */
	uint32_t past_chunks; /* under the lock: those that they may keep */
	bool stamps;	      /* constant: there is a counter for them */
	bool huge;	      /* under the lock: the pool is to have huge pages */
	struct capture_name *names; /* under the lock, up to CAPTURE_NAMES_MAX */
	uint32_t name_count, name_serial;
	uint8_t *pool;
	void *pool_map;

	_Alignas(64) _Atomic(struct chunk *) full; /* the latest first */
	_Atomic uint32_t full_count;
	_Atomic bool asleep; /* the writer waits without a timer */
	_Alignas(64) _Atomic uint64_t used[POOL_WORDS];
	_Atomic uint32_t touched; /* chunks below it have been in use */
};

/* Where the records of one capture go. The writer's, but for close. */
struct sink {
	int fd; /* or -1: a function */
	bool regular, is_socket;
	uint8_t *buffer;
	size_t room, start, end; /* bytes from start to end wait to be written */
	size_t mark;		 /* up to it the buffer is filled without another thought */
	bool blocked;		 /* the reader takes nothing for now */
	size_t limit;		 /* packets are lost rather than let more than this wait */
	int64_t base;		 /* regular: offset in the file of the buffer's first byte */
};

struct interface {
	uint64_t received, dropped, pending; /* pending: lost and not yet told in a block */
	uint64_t accepted;
};

enum capture_state { CAPTURE_NEW, CAPTURE_RUNNING, CAPTURE_DRAINING, CAPTURE_OVER };

struct capture {
	struct capture_hub *hub;
	struct capture *next; /* under the lock */
	bool stopping, done;  /* under the lock */
	bool over;	      /* under the lock: ended by itself */
	bool stalled;	      /* under the lock, and the writer's to change: see above */
	uint64_t stop_time;   /* under the lock */

	char **ports; /* NULL: all */
	uint64_t bit; /* among captures that name ports; 0: it does not */
	char *expression;
	struct filter filter;
	uint64_t filter_bit; /* among those that ports' threads run; 0: it is not */
	uint32_t snap;
	uint64_t past_ns;
	uint64_t start; /* CLOCK_MONOTONIC */
	void (*records)(void *arg, const struct capture_record *records, unsigned count);
	void (*ended)(void *arg, int error, const struct cause *cause);
	void *arg;

	/* The writer's. */
	enum capture_state state;
	uint64_t deadline, progress; /* while draining */
	uint64_t missed_seen;
	bool names;	     /* constant: it has names of addresses */
	uint32_t names_seen; /* the serial up to which it has them */
	struct sink sink;
	struct interface *interfaces; /* by the section's numbers */
	uint32_t interface_count, interface_room;
	uint32_t *known; /* by id of the tap: what capture/sink.c knows of it; 0: nothing */
	uint32_t known_room;
	struct capture_record *batch;
	unsigned batch_count;

	struct counter count_records, count_bytes, count_dropped;
};

/* A switch, while it is there: a capture may name it although it has no port yet. */
struct capture_switch {
	struct capture_switch *next; /* under the hub's lock */
	const char *name;
};

/* capture/hub.c. network_new() and network_free() call the first two. */
int capture_hub_new(struct capture_hub **out, struct cause *cause);
void capture_hub_free(struct capture_hub *hub); /* no capture or port is left; NULL is valid */
void capture_hub_wake(struct capture_hub *hub);
/* Under the lock: what each tap has to keep. */
void capture_hub_update_taps(struct capture_hub *hub);
/* A bit for a capture that names ports; 0: all are in use. Giving 0 back is valid. */
uint64_t capture_hub_take_bit(struct capture_hub *hub);
/* The same of a filter that ports' threads may run from the capture's begin on. */
uint64_t capture_hub_take_filter(struct capture_hub *hub, const struct filter *filter);
void capture_hub_give_filter(struct capture_hub *hub, uint64_t bit);
void capture_hub_give_bit(struct capture_hub *hub, uint64_t bit);
/* Any thread; both are constant. */
bool capture_wants(const struct capture *capture, const struct capture_tap *tap);
/* Whether a name is the port's, or its guest's with a '/' behind it. Any thread. */
bool capture_names_port(const char *name, const struct capture_tap *tap);
/* Under the lock: whether it has anything of that switch. */
bool capture_has_switch(const struct capture *capture, const char *switch_name);
/* An IPv4 address, host byte order, has that name from here on. Any thread. */
void capture_hub_name(struct capture_hub *hub, const char *switch_name, uint32_t address,
		      const char *name);
/* The caller keeps sw and name until it is removed, which is valid for one that is not there. */
void capture_hub_add_switch(struct capture_hub *hub, struct capture_switch *sw, const char *name);
void capture_hub_remove_switch(struct capture_hub *hub, struct capture_switch *sw);

/* Under the lock: the pool and the writer's thread, which come with the first that needs them. */
int capture_hub_map(struct capture_hub *hub, struct cause *cause);
int capture_hub_start(struct capture_hub *hub, struct cause *cause);

/* capture/past.c, under the lock: of the switch of that name, or NULL; whether there is any. */
struct past *capture_past_find(const struct capture_hub *hub, const char *switch_name);
bool capture_past_any(const struct capture *capture);

/* A tap for a new port; NULL: no memory. Removal: no thread records on it any more. */
struct capture_tap *capture_tap_new(struct capture_hub *hub, const char *name,
				    const char *switch_name, const uint8_t *mac);
void capture_tap_remove(struct capture_tap *tap);

/* The recording of one burst: the port's, while it lasts. */
struct recording {
	struct capture_tap *tap;
	bool begun; /* the tap's open chunk was taken */
	uint64_t others; /* captures that want what is appended for its receiver's sake */
	struct chunk *before, *chunk; /* the open one at the start and now, or NULL */
	uint8_t *at, *end;	      /* free room in chunk */
	uint64_t began, time; /* when the tap was taken; that of the next run */
	uint64_t stamp;	      /* at that time; 0: frames have none */
	uint32_t flags, snap; /* of the tap's snap */
	uint64_t filters;     /* of the tap's */
	unsigned passed_over; /* frames that none of them took */
	struct filter_memo memo; /* of the first of them */
};

/*
 * capture/tap.c: the port's thread. What the switch calls for each burst that
 * is recorded: append for frames to the same receiver (its tap, or NULL if it
 * is not one), in order, as often as need be.
 */
void capture_tap_begin(struct recording *recording, struct capture_tap *tap, uint32_t snap);
void capture_tap_append(struct recording *recording, const struct net_frame *frames,
			unsigned count, const enum net_verdict *verdicts,
			const struct capture_tap *to);
void capture_tap_end(struct recording *recording);

/* What capture_tap_begin() is to know of a burst of count, or 0: nothing is to be recorded. */
static inline uint32_t capture_tap_wants(struct capture_tap *tap, unsigned count)
{
	uint32_t snap = atomic_load_explicit(&tap->snap, memory_order_acquire);

	if (__builtin_expect(snap != SNAP_STALLED, 1))
		return snap;
	counter_add(&tap->lost, count);
	return 0;
}

/* capture/pool.c: any thread. Mapping is 0 or -ENOMEM; unmapping is valid on a zeroed hub. */
int capture_pool_map(struct capture_hub *hub);
void capture_pool_unmap(struct capture_hub *hub);
struct chunk *capture_pool_take(struct capture_hub *hub); /* NULL: none */
void capture_pool_give(struct capture_hub *hub, struct chunk *chunk);
void capture_pool_trim(struct capture_hub *hub); /* gives the memory of free ones back */
/* Under the lock: large pages are for captures, small ones for the little that is kept else. */
void capture_pool_advise(struct capture_hub *hub, bool huge);

/* capture/names.c: the writer. Names that are new to the capture, as far as there is room. */
void capture_names_put(struct capture *capture);

/* capture/writer.c */
void *capture_writer_run(void *hub);

/*
 * capture/sink.c: the writer. A failure ends the capture: the state becomes
 * CAPTURE_OVER and its owner is told.
 */
int capture_sink_open(struct sink *sink, int fd, struct cause *cause); /* any thread */
void capture_sink_close(struct sink *sink);
/* A stream is to take that many bytes of packets at once, as far as there is memory. */
void capture_sink_widen(struct capture *capture, uint64_t bytes);
bool capture_sink_put_section(struct capture *capture);
bool capture_sink_put_interface(struct capture *capture, const struct capture_tap *tap);
/* The number of the tap's interface in this capture, or NO_INTERFACE: it is not wanted. */
uint32_t capture_sink_interface(struct capture *capture, const struct capture_tap *tap);
/* outbound: it left the switch by the interface's port. */
void capture_sink_put_record(struct capture *capture, uint32_t interface, bool outbound,
			     const struct capture_record *record);
/* False: there is no room for now. */
bool capture_sink_put_names(struct capture *capture, const struct pcapng_name *names,
			    unsigned count);
void capture_sink_put_statistics(struct capture *capture, uint64_t start_ns, uint64_t end_ns);
void capture_sink_lost(struct capture *capture, const struct capture_tap *tap, uint64_t count);
/* Lost on the way to one of its ports. False: there is no interface yet to say it of. */
bool capture_sink_missed(struct capture *capture, uint64_t count);
/* What the port sent and no filter took. */
void capture_sink_passed_over(struct capture *capture, const struct capture_tap *tap,
			      uint64_t count);
/* Writes what waits, as far as the reader takes it. */
void capture_sink_flush(struct capture *capture);
void capture_sink_flush_batch(struct capture *capture);
/* poll() has something to say about a stream; gone: nobody will read it any more. */
void capture_sink_ready(struct capture *capture, bool gone);

#endif
