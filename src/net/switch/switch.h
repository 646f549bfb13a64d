/*
 * A virtual switch and its ports. Switches are made by net/network.h.
 *
 * Theory of operation: a port hands its frames to switch_input() on its own
 * thread. The switch decides on the frame's head, calls deliver() of each
 * receiving port on that same thread, records one capture record with the
 * final verdict, and after the burst calls flush() once for each port touched.
 * There is no switch thread and no queue between guests; what a port with a
 * backlog sends, a switch's own, waits for a receiver's room at that port.
 *
 * A MAC table entry is one 64-bit atomic, and so is each place in the list of
 * ports. A sender marks its own port while it is in switch_input(); removing a
 * port empties its place and then waits until every such mark has passed.
 */
#ifndef NET_SWITCH_SWITCH_H
#define NET_SWITCH_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "net/frame/frame.h"
#include "net/switch/impair.h"
#include "net/switch/kept.h"
#include "net/switch/port_set.h"
#include "net/switch/settings.h"

struct net_forwards;
struct net_switch;
struct net_port;
struct net_port_config;

/* What a backend (a guest's NIC, NAT, a service) gives the switch. */
struct net_port_ops {
	/*
	 * Takes count frames (1..NET_BURST_MAX) in order, copying what it
	 * keeps, and sets verdicts[i] of each frame that it refuses to the
	 * NET_DROP_* that says why (others are left alone). Returns how many
	 * it took. from is the slot of the port that sent them, below
	 * NET_PORTS_MAX: no other port of the switch has it meanwhile. Called
	 * on the sender's thread, by several threads at once; it never waits
	 * and takes at most one lock.
	 */
	unsigned (*deliver)(void *backend, uint32_t from, const struct net_frame *const *frames,
			    unsigned count, enum net_verdict *verdicts);

	/* Tells the receiver of what deliver() left, once a burst. Same thread as deliver(). */
	void (*flush)(void *backend);

	/*
	 * Whether deliver() that refuses a NET_FORWARD frame of a burst for want of room refuses
	 * what comes behind it, too, and has switch_resume() called with its sender once there is.
	 */
	bool resumes;

	/*
	 * A port that frames stayed with, see switch_send(), may have room for some. NULL: none
	 * stays. Any thread; it never waits.
	 */
	void (*resume)(void *backend);

	/*
	 * A port has come to slot from, as config says. NULL if the backend need not know. On
	 * the thread that adds the port; it never waits and takes at most one lock.
	 */
	void (*greet)(void *backend, uint32_t from, const struct net_port_config *config);

	/*
	 * The port at slot from is no more. deliver() comes no more from it,
	 * unless a new port has been given the slot after this. NULL if the
	 * backend keeps nothing by sender. On the thread that removes the
	 * port; it never waits and takes at most one lock.
	 */
	void (*forget)(void *backend, uint32_t from);

	/*
	 * The cable was plugged in or pulled out, for who has a guest to tell; it is in before
	 * the first call. Frames are dropped by the switch. NULL: nobody. Any thread; it may
	 * take locks that deliver() of any port is not called with.
	 */
	void (*link)(void *backend, bool up);
};

#define NET_PORT_ADDRESSES_MAX 2

/*
 * Addresses that are one port's alone, from when it is added to when it is
 * removed. A frame from such a MAC, or an ARP packet whose sender is such an
 * IPv4 address, is refused from every other port: NET_DROP_FORGED.
 */
struct net_port_address {
	uint8_t mac[NET_MAC_SIZE]; /* all zero: none */
	uint32_t ip;		   /* host byte order; 0: any */
};

struct net_port_config {
	const char *name; /* "web/net0", unique in the network */
	const char *kind; /* for who looks: "guest"; stays while the port does */
	struct net_port_address addresses[NET_PORT_ADDRESSES_MAX]; /* the first is shown */
	uint32_t accepts;					   /* NET_ACCEPTS_* */
	const struct net_forwards *forwards; /* ports of the host that lead to it, or NULL */
	uint32_t wanted_ip; /* that DHCP is to give it, for its first MAC; host byte order; 0: any */
	bool goes_on; /* who is there was saved, and loaded anew: it has the address that it had */
	bool keeps_backlog; /* what its receivers have no room for is kept: see switch_retry() */
	const struct net_port_settings *settings; /* or NULL: a plain port */
	/*
	 * Where that of the port before is, or NULL, and goes before settings; what is set from
	 * here on is there when the port is removed. The caller's, who leaves it alone while the
	 * port is there. NULL: what is set goes with the port.
	 */
	struct net_port_kept **kept;
};

/* Read with relaxed loads: each is exact, together they are no snapshot. */
struct net_port_counters {
	uint64_t rx_frames, rx_bytes; /* from the backend into the switch, and what was injected */
	uint64_t tx_frames, tx_bytes; /* from the switch to the backend */
	uint64_t drops[NET_VERDICT_COUNT]; /* by reason: frames of this port that the switch
					      refused, and frames for it that it refused */
};

/*
 * Adds a port. Frames may be delivered to it at once, from any thread.
 * -EEXIST for a name, or a MAC that is not zero, that another port of this
 * switch has; -ENOSPC beyond NET_PORTS_MAX, or when the tables of addresses have
 * no room. Any thread but from deliver().
 */
int switch_port_add(struct net_port **out, struct net_switch *sw,
		    const struct net_port_config *config, const struct net_port_ops *ops,
		    void *backend, struct cause *cause);

/*
 * The driver negotiated other offloads, or the link went up or down: NET_ACCEPTS_*.
 * A burst that is under way may still see what was before. Any thread.
 */
void switch_port_accepts(struct net_port *port, uint32_t accepts);

/*
 * Removes it. When this returns no thread is in its deliver() or flush() and
 * none will be. The caller holds no lock that deliver() of any port takes.
 */
void switch_port_remove(struct net_port *port);

/*
 * Sends count frames (1..NET_BURST_MAX) from port into its switch. One thread
 * at a time for each port; not from within deliver(). Never waits.
 */
void switch_input(struct net_port *port, const struct net_frame *frames, unsigned count);

/* Of frames that stay with their sender. */
struct net_stay {
	unsigned share;	  /* how many may, for one receiver, while the sender has frames for several */
	uint64_t expired; /* bit i: frame i has stayed for as long as it may, and is dropped instead */
	uint16_t to[NET_BURST_MAX]; /* filled in for those that stay: the slot where they go */
};

/*
 * The same of a port with resume(): frames for whose one receiver there is no room now stay with
 * it, if that tells when there is: bit i of the result for frame i. They are offered again, in
 * order, before others are sent: after switch_offer_again(), but for those of which
 * switch_stays_on() says so, because one for the same receiver has stayed since.
 */
uint64_t switch_send(struct net_port *port, const struct net_frame *frames, unsigned count,
		     struct net_stay *stay);
void switch_offer_again(struct net_port *port); /* or none of them is, ever */
bool switch_stays_on(struct net_port *port, uint32_t slot);

/* For how long a frame may stay with its sender: ns; 0: none does. */
uint64_t switch_patience(const struct net_port *port);

/* Whether a port is there that frames of this one can go to, beside the switch's own. Any thread. */
bool switch_has_receivers(const struct net_port *port);

/*
 * How often it has been noticed that an address goes to and fro between ports of the switch, as in
 * a loop. Any thread; costs a load.
 */
uint32_t switch_flaps(const struct net_port *port);

/* Whether nobody has taken them on since they were noticed last: who asks does. Any thread. */
bool switch_take_flaps(struct net_port *port);

/* Sends a frame out of the port, to what is behind it, as if from that itself. As switch_input(). */
void switch_output(struct net_port *port, const struct net_frame *frame);

/* Calls resume() of these ports, as far as they are there. As switch_input(). */
void switch_resume(struct net_port *port, const struct port_set *senders);

/*
 * Of a port with a backlog: whether frames from it to single receivers wait for room. Its thread.
 */
bool switch_waits(const struct net_port *port);

/*
 * Delivers what waits, in order, as far as there is room by now; what has waited for half a
 * second is dropped, and counted as of a receiver that had no room. Whether some waits still.
 * As switch_input().
 */
bool switch_retry(struct net_port *port);

/* Counts a frame that deliver() took and that its backend refuses after all. Any thread. */
void switch_port_refuse(struct net_port *port, enum net_verdict verdict);

/*
 * An IPv4 address (host byte order) on the port's switch belongs to the port at slot from, or
 * NET_PORTS_MAX: to port. If that is locked it is the one to send from; for who reads captures it
 * has what is before the '/' of its name as a name: the guest's, or the switch's. Any thread but from deliver(); it takes the lock of lists.
 */
void switch_name_address(struct net_port *port, uint32_t from, uint32_t address);

/* Frames that were held back for a port, or from one, when it was removed. Any thread. */
uint64_t switch_lost(const struct net_switch *sw);

/*
 * How many leases the one at slot from of the port's switch may have by its settings; 0: as any.
 * *outside: it has no address of its own, so that many are behind it. As switch_name_address().
 */
unsigned switch_leases(const struct net_port *port, uint32_t from, bool *outside);

void switch_port_counters(const struct net_port *port, struct net_port_counters *out);

/*
 * Sets a port. What frames of bursts that are under way find is what was before; when this
 * returns there are none. On errors with a cause, -ENOMEM or -EINVAL of settings that do not go
 * together, it is what was before. The caller
 * holds no lock that deliver() of any port takes. Any thread but from deliver().
 */
int switch_port_set(struct net_port *port, const struct net_port_settings *settings,
		    struct cause *cause);

/*
 * A breakpoint of a port: a frame that it sends and that matches is held before anybody has it,
 * and behind it all that the port sends. network_listen()'s held() is called when that happens.
 * network_decide_port() says what becomes of it, and switch_let_go() lets it go on, and what was
 * behind it up to the next one that matches. Frames that are held are lost when their port goes.
 */
struct switch_break_info {
	char port[NET_PORT_NAME_MAX];
	char *words;  /* the filter; NULL: it was taken away, and holds something still */
	uint8_t *data; /* the first frame that is held; NULL: none */
	uint32_t size;
	uint64_t since;	 /* CLOCK_REALTIME, ns */
	unsigned behind; /* frames */
	bool decided;	 /* it goes on, or is dropped, with the next switch_let_go() */
};

/* Of all ports: nothing is held; all that is may go on; something waits for a decision. */
enum switch_holds { SWITCH_HOLDS_NOTHING, SWITCH_DECIDED, SWITCH_STOPPED };
enum switch_holds switch_holds(struct net_switch *sw);

/* Lets go on what may. Any thread but from deliver(); the caller holds no lock that it takes. */
void switch_let_go(struct net_switch *sw);

/*
 * A frame that was stopped and that nobody has taken notice of by this: who asks does. Fills at
 * most room entries, and returns how many there are in all. switch_break_free() is due for each.
 */
bool switch_take_stop(struct net_switch *sw, struct switch_break_info *out);
size_t switch_list_breaks(struct net_switch *sw, struct switch_break_info *out, size_t room);
void switch_break_free(struct switch_break_info *info);

/* What became of a frame that was put in at a port, by network_inject_port(). */
struct switch_injected {
	enum net_verdict verdict;
	char to[NET_PORT_NAME_MAX]; /* the port that has it, of NET_FORWARD; else "" */
};

/* What a screen shows of a switch; names are copied. */
struct switch_port_info {
	char name[NET_PORT_NAME_MAX];
	const char *kind;
	uint32_t slot; /* its place in the switch, which a later port may get */
	uint8_t mac[NET_MAC_SIZE];
	struct net_port_settings settings;
	struct net_impaired impaired[NET_WAYS];
	struct net_port_counters counters;
};

struct switch_mac_info {
	uint8_t mac[NET_MAC_SIZE];
	char port[NET_PORT_NAME_MAX];
	uint32_t age_s;
	uint32_t vlan; /* 0: none */
};

/*
 * Fill at most room entries and return how many there are in all. Any thread.
 */
size_t switch_list_ports(struct net_switch *sw, struct switch_port_info *out, size_t room);
size_t switch_list_macs(struct net_switch *sw, struct switch_mac_info *out, size_t room);

/* What has gone through a VLAN: frames that a port in it sent there, without their tags. */
struct switch_vlan_info {
	uint32_t vlan; /* 1..NET_VLAN_MAX - 1 */
	uint64_t frames, bytes;
};

/* The same of VLANs that something has gone through, in their order. */
size_t switch_list_vlans(struct net_switch *sw, struct switch_vlan_info *out, size_t room);

#endif
