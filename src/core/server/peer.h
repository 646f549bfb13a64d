/*
 * A peer: one connection of the control server, with its input, its bounded
 * output queue, its subscriptions and, once it is a console or a capture, the
 * raw stream that owns it. What a line means is not known here. Deck thread.
 */
#ifndef CORE_SERVER_PEER_H
#define CORE_SERVER_PEER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/framing.h"
#include "control/methods.h"

#define PEER_QUEUE_MAX (4u << 20)  /* bytes waiting for a client; one more closes it */
#define PEER_NOTIFY_MAX (1u << 20) /* beyond this, notifications are dropped and counted */
#define PEER_SUBSCRIPTIONS_MAX 16
#define PEER_OWED_MAX 16
#define PEER_GARBAGE_MAX 16

struct peer;

/* What owns a connection of raw bytes. */
struct raw_ops {
	/* Bytes came; returns how many it took. The rest waits for peer_raw_resume(). */
	size_t (*input)(void *arg, const uint8_t *data, size_t size);
	void (*input_end)(void *arg); /* the client shut down its writing side */
	void (*writable)(void *arg);  /* everything queued has been sent */
	void (*closed)(void *arg);    /* the connection is gone; forget it */
};

/* A notification's source; embedded in it. */
struct subscription {
	uint64_t id;
	struct peer *peer;
	enum method_id kind; /* METHOD_STATS_SUBSCRIBE, METHOD_PACKETS_SUBSCRIBE */
	void (*cancel)(struct subscription *subscription); /* after it was taken off the peer */
	struct subscription *next;
};

/* All connections of a server, and what is done with what comes in; set up by the server. */
struct peers {
	struct loop *loop;
	void (*line)(void *arg, struct peer *peer, const char *line, size_t size);
	void (*last_closed)(void *arg); /* none is left; the list is not to be changed yet */
	void *arg;
	struct peer *first;
	unsigned count;
	uint64_t last_id; /* of what clients refer to by number: subscriptions, captures */
};

enum peer_mode { PEER_MESSAGES, PEER_HELD, PEER_RAW, PEER_CLOSED };

struct peer {
	struct peers *peers;
	struct peer *next, **at; /* in the list of peers */
	struct loop_source source;
	struct loop_task more; /* lines wait in the buffer */
	struct frame_reader in;
	struct frame_writer out;
	int fd;
	unsigned references;
	enum peer_mode mode;
	enum method_role role;
	uint32_t watched; /* EPOLL* */
	bool input_ended;
	bool crowded; /* more is posted, or a raw stream has not taken its input */
	unsigned owed; /* answers that others do not wait for */
	unsigned garbage; /* lines in a row that were not JSON */
	bool events;
	uint64_t events_dropped;
	struct subscription *subscriptions;
	unsigned subscription_count;
	const struct raw_ops *raw;
	void *raw_arg;
};

/* Serves fd, which is taken over in every case. */
int peer_new(struct peers *peers, int fd);

/* Closes the connection and cancels all that hangs on it. Valid twice. */
void peer_close(struct peer *peer);

/* A reference keeps the memory, not the connection. */
struct peer *peer_keep(struct peer *peer);
void peer_release(struct peer *peer);

/* Queues a message, which is taken over; a client that lets too much wait is closed. */
void peer_send(struct peer *peer, json_t *message);

/* Whether a notification may be queued now; otherwise it is to be counted as dropped. */
bool peer_may_notify(const struct peer *peer);

/* No further request is read until peer_resume(): an answer is under way. */
void peer_hold(struct peer *peer);
void peer_resume(struct peer *peer);

/*
 * An answer is under way, and has been queued, beside which further requests are read, unless
 * there are PEER_OWED_MAX of these.
 */
void peer_owe(struct peer *peer);
void peer_paid(struct peer *peer);

/* From here on, after what is queued already, the connection is raw's. */
void peer_make_raw(struct peer *peer, const struct raw_ops *raw, void *arg);
void peer_raw_resume(struct peer *peer);

/* Queues raw bytes, at most room for limit waiting ones. 0 or -ENOBUFS, -ENOMEM. */
int peer_raw_write(struct peer *peer, const void *data, size_t size, size_t limit);

/* Adds a subscription. -ENOSPC with a cause beyond PEER_SUBSCRIPTIONS_MAX. */
int peer_subscribe(struct peer *peer, struct subscription *subscription, struct cause *cause);

/* Takes it off and calls its cancel(). -ENOENT with a cause. */
int peer_cancel(struct peer *peer, uint64_t id, enum method_id kind, struct cause *cause);
struct subscription *peer_find(struct peer *peer, uint64_t id, enum method_id kind,
			       struct cause *cause);

#endif
