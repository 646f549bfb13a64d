/*
 * What ports share that lead out of the process by a descriptor: it is opened by
 * sandbox/opening.h, and opened again a while after it failed or broke, for as long as the port
 * is there. What becomes of that is the port's state, and is said to people, seldom enough.
 *
 * A kind makes a struct of its own of it, of which it is the first member.
 */
#ifndef NET_PORT_OUTSIDE_H
#define NET_PORT_OUTSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/port/port.h"
#include "net/port/served.h"
#include "sandbox/opening.h"

struct outside;

/* On the uplink thread, but for what says otherwise. */
struct outside_ops {
	const struct inbox_ops *inbox;
	const struct net_port_ops *port; /* backend is the struct outside; NULL: the inbox */
	uint32_t accepts;		 /* NET_ACCEPTS_* while it is up */

	/* What is to be opened. 0 or a negative errno with a cause. */
	int (*order)(const struct outside *outside, struct opener_order *out, struct cause *cause);

	/* It is open, and the port's: outside_up() or outside_down() or outside_waits() follows. */
	void (*opened)(struct outside *outside, int fd);

	/* It could not be: a part of a sentence, such as "connection refused". */
	void (*explain)(const struct outside *outside, enum opener_step step, int error,
			char *out, size_t size);

	/* Closes what there is of it. Valid when there is nothing. */
	void (*close)(struct outside *outside);

	void (*release)(struct outside *outside); /* any thread: frees what else there is; or NULL */
};

struct outside {
	struct port port;
	const struct outside_ops *ops;
	struct served served;
	const char *switch_name;
	char name[NAME_SIZE]; /* "stream0" */
	bool stopped;

	int status_fd; /* something is being opened; or -1 */
	struct loop_source opening;
	struct loop_timer again;
	bool up;
	uint32_t flaps;		 /* switch_flaps() that a probe was sent for */
	bool wary;		 /* there was one; frames that come may be probes */
	atomic_bool blocked;	 /* a loop goes through it */
	struct loop_timer pause; /* while it is */
	bool said;	    /* that it is down, and not yet that it is up */
	uint64_t said_when; /* CLOCK_MONOTONIC, ns; 0: never */

	pthread_mutex_t lock; /* guards state */
	char state[sizeof(((struct port_field *)0)->text)];
};

/*
 * The ops of a kind; size is that of its struct, of which *out is the beginning, and which is all
 * zero behind that. prepare, or NULL, is called before anything of ops is.
 */
int outside_create(struct port **out, size_t size, const struct port_kind *kind,
		   const struct outside_ops *ops, struct uplink *uplink, struct net_switch *sw,
		   const struct switch_config *config, const struct port_section *section,
		   int (*prepare)(struct outside *outside, struct cause *cause),
		   struct cause *cause);
void outside_destroy(struct port *port);
size_t outside_describe(const struct port *port, struct port_field *out, size_t room);

static inline struct outside *outside_of(const struct port *port)
{
	return (struct outside *)(uintptr_t)port; /* its first member */
}

/* --- the uplink thread --- */

/*
 * Room for a frame that has come; what becomes of it, size 0 taking the room back, with what is
 * unfinished of it, or NULL; and the end of a burst of them.
 *
 * When an address goes to and fro between ports of the switch, its ports that are up send a
 * probe; one at which that of a port of this switch comes in is part of a loop, and switched off
 * for a while.
 */
static inline uint8_t *outside_reserve(struct outside *outside, size_t size)
{
	return served_reserve(&outside->served, size);
}

void outside_commit(struct outside *outside, size_t size, const struct net_offload *offload);
void outside_flush(struct outside *outside);

/* Frames pass; the text is its state: "connected to 192.0.2.1". */
void outside_up(struct outside *outside, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* None pass, and that is not its fault: "waits for somebody at /run/x". */
void outside_waits(struct outside *outside, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* It has broken for that reason: what there is is closed, and opened anew in a second. */
void outside_down(struct outside *outside, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Says to people what is its state in any case; not more often than once a minute. */
void outside_tell(struct outside *outside, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For inbox_ops of those that take every frame. */
bool outside_wants(const void *owner, const struct net_frame *frame);
enum net_verdict outside_admit(const void *owner, struct inbox_frame *frame);
void outside_begin(void *owner);

/* The port in the switch, or NULL. */
static inline struct net_port *outside_net_port(struct outside *outside)
{
	return inbox_port(&outside->served.inbox);
}

#endif
