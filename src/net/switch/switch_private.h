/*
 * What the files of the switch share, and what net/network.c makes switches of.
 * Nobody else includes this.
 *
 * set->lock guards the lists of switches and ports and is never taken on
 * a frame's way. It may be held while waiting for senders, so nothing that a
 * deliver() waits for may wait for it.
 */
#ifndef NET_SWITCH_SWITCH_PRIVATE_H
#define NET_SWITCH_SWITCH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/counter.h"
#include "net/capture/capture_private.h"
#include "net/switch/hold.h"
#include "net/switch/late.h"
#include "net/switch/mac_table.h"
#include "net/switch/offload.h"
#include "net/switch/switch.h"
#include "net/switch/waiting.h"

#define CACHE_LINE 64

/*
 * What a port has that is not plain: its settings, as the way of a frame needs them. It is
 * replaced as a whole when they change; a burst that is under way may still see what was before.
 */
struct port_shape {
	struct net_port_settings settings;
	struct lane *lanes[NET_WAYS]; /* the port's, of ways on which frames are impaired */
	struct hold *hold;	      /* the port's: it has a breakpoint */
	bool vlans;		      /* it is in a VLAN, or a trunk */
	bool trunk;
};

/* Aligned, so that no two ports share a cache line. */
struct net_port {
	/* Written by the thread that sends from this port. */
	_Atomic uint64_t reading; /* odd: inside switch_input() */
	struct mac_hint hint;
	struct counter rx_frames, rx_bytes;
	struct counter sent_drops[NET_VERDICT_COUNT];
	struct offload_scratch *scratch; /* from the first offload to resolve on */
	struct waiting waiting;		 /* its backlog, if it keeps one */
	bool keeps_backlog;
	struct parking *parking; /* from the first frame that stayed with it on */
	struct vlan_scratch *vlans; /* from its first frame that is to have or lose a tag on */
	uint64_t storm_second;	    /* s of its last floods */
	unsigned storm_count;	    /* of them in that second */
	bool releasing;		 /* what was held back goes on, in its turn */

	/* Written by those who send to it. */
	_Alignas(CACHE_LINE) struct counter tx_frames;
	struct counter tx_bytes;
	struct counter refused[NET_VERDICT_COUNT]; /* by its deliver() */

	/* Written rarely. */
	_Alignas(CACHE_LINE) struct net_port_ops ops;
	void *backend;
	struct net_switch *sw;
	struct net_port_address addresses[NET_PORT_ADDRESSES_MAX];
	struct capture_tap *tap;
	uint32_t slot;
	_Atomic uint32_t accepts;
	_Atomic(struct port_shape *) shape; /* NULL: a plain port */
	struct lane *lanes[NET_WAYS];	    /* under the set's lock; from their first use on */
	_Atomic uint32_t ip; /* that it may send from, if it is locked; 0: none yet */
	struct net_port *twin; /* under the set's lock: sends what is injected; NULL: nothing was */
	struct hold *hold; /* under the set's lock; a breakpoint, or what one still holds */
	atomic_bool shared; /* not its thread alone sends from it: each burst has its turn */
	pthread_mutex_t turn;
	const char *kind;
	struct net_port_kept **kept; /* under the set's lock, if it is not NULL */
	char name[NET_PORT_NAME_MAX];
};

/* What must be unique of a port, together for all of them: looking through them is quick. */
struct port_identity {
	uint64_t macs[NET_PORT_ADDRESSES_MAX]; /* of net_port_config, as mac_load() has them */
	uint64_t name;			       /* a hash */
};

/* What has gone through a VLAN. */
struct vlan_traffic {
	struct counter frames, bytes; /* shared by all senders */
};

#define GUARDED_MAX 8 /* IPv4 addresses of a switch */

/* Switches that know of each other: a name is given once among them, and one hub captures all. */
struct switch_set {
	pthread_mutex_t lock;
	struct net_switch *switches;
	struct capture_hub *capture;
	/* Told of what a switch sees in what passes: a sentence. Any thread; or NULL. */
	void (*notice)(void *arg, const char *text);
	void (*held)(void *arg); /* a breakpoint has stopped a frame, or has gone. The same */
	void *notice_arg;
	struct late late; /* frames that go on later */

	/* Under the lock, before there is a lane: has late served. 0, or an errno with a cause. */
	int (*serve)(struct switch_set *set, struct cause *cause);
};

struct net_switch {
	char name[NAME_SIZE];
	struct switch_set *set;
	struct net_switch *next;
	struct capture_switch captured;
	uint64_t patience; /* ns */
	struct mac_table macs;
	_Atomic uint32_t bound; /* places in use are below it */
	_Atomic(struct net_port *) ports[NET_PORTS_MAX];
	struct port_identity identities[NET_PORTS_MAX]; /* of ports; others are stale */
	_Atomic uint64_t guarded[GUARDED_MAX]; /* address, slot + 1 << 32; 0: free */
	/* NET_VLAN_MAX of them, by VLAN, from the first port that is in one on; or NULL. */
	_Atomic(struct vlan_traffic *) vlans;
	_Atomic uint32_t spans; /* ports that get copies; read by each burst */
	struct counter lost; /* frames that were held back, and went with a port */
	_Atomic uint32_t flaps;	     /* how often some have been noticed */
	_Atomic uint32_t taken_flaps; /* of these */
	_Atomic uint32_t last_flaps; /* when, in seconds_now(); 0: never */
};

/*
 * Makes a zeroed switch the last of the set. -ENOMEM, or -EEXIST if the set has
 * one of that name; then, too, it is to be destroyed. patience: see switch_patience().
 */
int switch_init(struct net_switch *sw, struct switch_set *set, const char *name,
		uint64_t patience);
void switch_destroy(struct net_switch *sw); /* without ports; valid on a zeroed one */

/* What the port has, or NULL. Between burst_begin() and burst_end() it stays. */
static inline const struct port_shape *port_shape(const struct net_port *port)
{
	return atomic_load_explicit(&port->shape, memory_order_acquire);
}

static inline bool port_is_unplugged(const struct net_port *port)
{
	const struct port_shape *shape = port_shape(port);

	return __builtin_expect(shape != NULL, 0) && shape->settings.link == NET_LINK_DOWN;
}

/* By which frames go that way, or NULL: at once. */
static inline struct lane *port_lane(const struct net_port *port, enum net_way way)
{
	const struct port_shape *shape = port_shape(port);

	return __builtin_expect(shape != NULL, 0) ? shape->lanes[way] : NULL;
}

/* Whether frames can go to it at all. */
static inline bool port_is_reached(const struct net_port *port)
{
	return !(atomic_load_explicit(&port->accepts, memory_order_relaxed) &
		 NET_ACCEPTS_NOTHING) && !port_is_unplugged(port);
}

/* The table of addresses counts in these. */
static inline uint32_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)now.tv_sec;
}

/* Under the set's lock: waits until the bursts that are under way in the port's switch are over. */
void switch_wait_for_senders(const struct net_switch *sw, const struct net_port *port);

/*
 * Under the set's lock: what switch_port_set() does, of a port that may have no place yet; what
 * it has for that goes, with what it has sent and is held back, when nobody sends any more; what
 * it was set to last, and zeros or what that has done.
 */
int port_configure(struct net_port *port, const struct net_port_settings *settings,
		   struct cause *cause);
void port_unconfigure(struct net_port *port);
int port_begin(struct net_port *port, const struct net_port_settings *settings,
	       struct cause *cause); /* what it has before, or else these, or NULL */
int port_set(struct net_port *port, const struct net_port_settings *settings,
	     struct cause *cause); /* by people: it is kept */
void port_limit_macs(struct net_port *port); /* as it is set; when it has a place */
void port_settings(const struct net_port *port, struct net_port_settings *out);

/*
 * inject.c, under the set's lock, not from deliver(): a frame as if the port had sent it, but that
 * neither its breakpoint nor its impairments see it. -ENOMEM with a cause. What that took goes
 * with the port.
 */
int port_put_frame(struct net_port *port, const struct net_frame *frame,
		struct switch_injected *out, struct cause *cause);
void port_free_twin(struct net_port *port);
void port_impaired(const struct net_port *port, struct net_impaired out[NET_WAYS]);

/*
 * Under the set's lock: the port has a breakpoint, or, words NULL, none any more. The filter is
 * taken over, and empty then. On errors with a cause, -ENOMEM, it is as before.
 */
int port_set_break(struct net_port *port, struct filter *filter, const char *words,
		   struct cause *cause);

/* Under the set's lock: there is room to keep what people set. -ENOMEM with a cause. */
int port_make_kept(struct net_port *port, struct cause *cause);

/* The same: it has the breakpoint that was kept; keeps the one that it has. */
int port_restore_break(struct net_port *port, struct cause *cause);
void port_keep_break(struct net_port *port);

/* Under the set's lock: the port of that name, or NULL. */
struct net_port *switch_find_port(const struct switch_set *set, const char *name);

/* The same: offers the names of all ports. */
struct suggestion;
void switch_suggest_port(const struct switch_set *set, struct suggestion *suggestion);

/* Under the set's lock: the switch of that name, or NULL. */
struct net_switch *switch_find(const struct switch_set *set, const char *name);

#endif
