/*
 * NAT by libslirp: guests reach what this process can reach, without root, and
 * services on the host's loopback by the switch's address. IPv4 only. The
 * uplink thread, which all instances of a process share: libslirp is not
 * thread-safe, and keeps its clock and DNS cache per process.
 *
 * libslirp asks for its sockets to be polled by naming all of them before each
 * sleep. Here they are in an epoll set of their own, changed by the difference
 * to the last time, and that set is one source of the loop. A turn is: what is
 * ready is handed over, frames go in, the wishes are taken down again. Without
 * sockets there is no time-out, so a network at rest causes no wake-ups.
 *
 * libslirp reads the clock in slirp_pollfds_poll() alone and would take a
 * socket made by a frame after a long sleep for an expired one; hence the turn
 * begins with it.
 */
#include "net/port/own.h"

#include "config.h"

#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/library.h"
#include "net/port/nat_guard.h"

#define EVENTS_BATCH 64
#define SOCKETS_MIN 64u
#define SOCKETS_MAX 4096u
#define PREFIX_MAX 29u /* the switch, its DNS address and a guest need three */
#define TIMEOUT_REST 1000u /* ms: what slirp_pollfds_fill() says when it waits for nothing */

/* What is used of libslirp, and of glib behind it. */
static struct {
	typeof(slirp_new) *new;
	typeof(slirp_cleanup) *cleanup;
	typeof(slirp_input) *input;
	typeof(slirp_pollfds_fill) *pollfds_fill;
	typeof(slirp_pollfds_poll) *pollfds_poll;
	typeof(g_log_set_handler) *log_set_handler;
	typeof(g_log_remove_handler) *log_remove_handler;
} slirp;

static const struct library_function slirp_functions[] = {
	{ "slirp_new", &slirp.new },
	{ "slirp_cleanup", &slirp.cleanup },
	{ "slirp_input", &slirp.input },
	{ "slirp_pollfds_fill", &slirp.pollfds_fill },
	{ "slirp_pollfds_poll", &slirp.pollfds_poll },
	{ "g_log_set_handler", &slirp.log_set_handler },
	{ "g_log_remove_handler", &slirp.log_remove_handler },
};

static struct library slirp_library = {
	.file = SLIRP_SONAME,
	.package = "libslirp0",
	.functions = slirp_functions,
	.count = ARRAY_SIZE(slirp_functions),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* A socket that libslirp named in this turn; its index is what libslirp knows it by. */
struct nat_poll {
	int fd;
	uint32_t wanted;
	uint32_t ready;
};

/* What we know of a file descriptor, indexed by it. */
struct nat_watch {
	uint32_t events;      /* in the epoll set; 0: not in it */
	uint32_t turn, index; /* where it is in polls, if turn is the running one */
	bool open;
};

struct nat {
	struct own_port *own;
	struct loop *loop;
	Slirp *slirp;
	int epoll_fd;
	struct loop_source source;
	struct loop_timer timer;
	struct nat_poll *polls, *last;
	uint32_t poll_count, last_count, poll_room, last_room;
	struct nat_watch *watches;
	uint32_t watch_room;
	uint32_t turn;
	uint32_t sockets, sockets_max;
	guint log_handler;
	bool arp; /* an ARP frame came in: packets may have waited for it */
};

static ssize_t on_send(const void *frame, size_t size, void *opaque)
{
	struct nat *nat = opaque;

	own_send(nat->own, frame, size);
	return (ssize_t)size;
}

/* A guest can cause as many of these as it likes; the switch's capture shows its packets. */
static void on_guest_error(const char *text, void *opaque)
{
	(void)text;
	(void)opaque;
}

/* Warnings would go to stderr, which is the screen. */
static void drop_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer arg)
{
	(void)domain;
	(void)level;
	(void)text;
	(void)arg;
}

static int64_t on_clock(void *opaque)
{
	(void)opaque;
	return (int64_t)clock_monotonic();
}

struct nat_timer {
	struct loop_timer timer;
	struct nat *nat;
	SlirpTimerCb fire;
	void *arg;
};

static void turn(struct nat *nat);

static void fire_timer(void *arg)
{
	struct nat_timer *timer = arg;

	timer->fire(timer->arg);
	turn(timer->nat);
}

static void *on_timer_new(SlirpTimerCb fire, void *arg, void *opaque)
{
	struct nat_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	timer->timer.fire = fire_timer;
	timer->timer.arg = timer;
	timer->nat = opaque;
	timer->fire = fire;
	timer->arg = arg;
	return timer;
}

static void on_timer_free(void *arg, void *opaque)
{
	struct nat_timer *timer = arg;
	struct nat *nat = opaque;

	if (timer)
		loop_timer_cancel(nat->loop, &timer->timer);
	free(timer);
}

static void on_timer_mod(void *arg, int64_t due_ms, void *opaque)
{
	struct nat_timer *timer = arg;
	struct nat *nat = opaque;
	int64_t delay_ms = due_ms - (int64_t)(clock_monotonic() / NS_PER_MS);

	if (timer)
		loop_timer_set(nat->loop, &timer->timer,
			       delay_ms > 0 ? (uint64_t)delay_ms * NS_PER_MS : 0);
}

/* The entry of fd, or NULL when memory is short. */
static struct nat_watch *watch_of(struct nat *nat, int fd)
{
	uint32_t room = nat->watch_room ? nat->watch_room : 64;
	struct nat_watch *watches;

	if ((uint32_t)fd < nat->watch_room)
		return &nat->watches[fd];
	while (room <= (uint32_t)fd)
		room *= 2;
	watches = realloc(nat->watches, room * sizeof(*watches));
	if (!watches)
		return NULL;
	memset(watches + nat->watch_room, 0, (room - nat->watch_room) * sizeof(*watches));
	nat->watches = watches;
	nat->watch_room = room;
	return &watches[fd];
}

static void watch_change(struct nat *nat, struct nat_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (watch->events == events)
		return;
	if (!events)
		epoll_ctl(nat->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(nat->epoll_fd, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
			   &event) < 0)
		events = 0;
	watch->events = events;
}

static void on_register(int fd, void *opaque)
{
	struct nat *nat = opaque;
	struct nat_watch *watch = fd >= 0 ? watch_of(nat, fd) : NULL;

	if (!watch)
		return;
	watch->events = 0; /* a new socket is in no set, whatever its number was before */
	nat->sockets += !watch->open;
	watch->open = true;
}

/* Called right before fd is closed. */
static void on_unregister(int fd, void *opaque)
{
	struct nat *nat = opaque;
	struct nat_watch *watch = fd >= 0 ? watch_of(nat, fd) : NULL;

	if (!watch)
		return;
	watch_change(nat, watch, fd, 0);
	watch->turn = nat->turn - 1;
	nat->sockets -= watch->open;
	watch->open = false;
}

/* There is room again in a buffer; the turn that this happens in names that socket at its end. */
static void on_notify(void *opaque)
{
	(void)opaque;
}

static int on_add_poll(int fd, int wanted, void *opaque)
{
	struct nat *nat = opaque;
	struct nat_watch *watch = watch_of(nat, fd);
	struct nat_poll *poll;

	if (nat->poll_count == nat->poll_room) {
		uint32_t room = nat->poll_room ? nat->poll_room * 2 : 16;

		poll = realloc(nat->polls, room * sizeof(*poll));
		if (!poll)
			return -1;
		nat->polls = poll;
		nat->poll_room = room;
	}
	if (!watch)
		return -1;
	watch->turn = nat->turn;
	watch->index = nat->poll_count;
	poll = &nat->polls[nat->poll_count];
	poll->fd = fd;
	poll->ready = 0;
	poll->wanted = EPOLLERR | EPOLLHUP;
	poll->wanted |= wanted & SLIRP_POLL_IN ? (uint32_t)EPOLLIN : 0;
	poll->wanted |= wanted & SLIRP_POLL_OUT ? (uint32_t)EPOLLOUT : 0;
	poll->wanted |= wanted & SLIRP_POLL_PRI ? (uint32_t)EPOLLPRI : 0;
	return (int)nat->poll_count++;
}

static int on_get_events(int index, void *opaque)
{
	struct nat *nat = opaque;
	uint32_t ready;
	int events = 0;

	if (index < 0 || (uint32_t)index >= nat->poll_count)
		return 0;
	ready = nat->polls[index].ready;
	nat->polls[index].ready = 0;
	events |= ready & EPOLLIN ? SLIRP_POLL_IN : 0;
	events |= ready & EPOLLOUT ? SLIRP_POLL_OUT : 0;
	events |= ready & EPOLLPRI ? SLIRP_POLL_PRI : 0;
	events |= ready & EPOLLERR ? SLIRP_POLL_ERR : 0;
	events |= ready & EPOLLHUP ? SLIRP_POLL_HUP : 0;
	return events;
}

static void take_ready(struct nat *nat)
{
	struct epoll_event events[EVENTS_BATCH];
	int count = epoll_wait(nat->epoll_fd, events, EVENTS_BATCH, 0);

	for (int i = 0; i < count; i++) {
		struct nat_watch *watch = watch_of(nat, events[i].data.fd);

		if (watch && watch->turn == nat->turn)
			nat->polls[watch->index].ready = events[i].events;
	}
}

static void take_wishes(struct nat *nat)
{
	struct nat_poll *polls = nat->last;
	uint32_t room = nat->last_room, timeout = UINT32_MAX;

	nat->last = nat->polls;
	nat->last_count = nat->poll_count;
	nat->last_room = nat->poll_room;
	nat->polls = polls;
	nat->poll_count = 0;
	nat->poll_room = room;
	nat->turn++;
	slirp.pollfds_fill(nat->slirp, &timeout, on_add_poll, nat);
	for (uint32_t i = 0; i < nat->last_count; i++) {
		struct nat_watch *watch = &nat->watches[nat->last[i].fd];

		if (watch->turn != nat->turn)
			watch_change(nat, watch, nat->last[i].fd, 0);
	}
	for (uint32_t i = 0; i < nat->poll_count; i++)
		watch_change(nat, &nat->watches[nat->polls[i].fd], nat->polls[i].fd,
			     nat->polls[i].wanted);
	if (timeout < TIMEOUT_REST)
		loop_timer_set(nat->loop, &nat->timer, timeout * NS_PER_MS);
	else
		loop_timer_cancel(nat->loop, &nat->timer);
}

static void nat_begin(void *state)
{
	struct nat *nat = state;

	if (nat->poll_count)
		take_ready(nat);
	slirp.pollfds_poll(nat->slirp, 0, on_get_events, nat);
}

static void nat_end(void *state)
{
	struct nat *nat = state;

	if (nat->arp)
		slirp.pollfds_poll(nat->slirp, 0, on_get_events, nat);
	nat->arp = false;
	take_wishes(nat);
}

static void turn(struct nat *nat)
{
	nat_begin(nat);
	nat_end(nat);
	own_flush(nat->own);
}

static void on_ready(void *arg, uint32_t events)
{
	(void)events;
	turn(arg);
}

static void on_timeout(void *arg)
{
	turn(arg);
}

/* Whether a frame could make libslirp open a socket: anything but a segment of a connection. */
static bool may_open(const uint8_t *frame, size_t size)
{
	size_t tcp;

	if (get_be16(frame + 12) == 0x0806 || size < 34)
		return false;
	tcp = 14 + (frame[14] & 15u) * 4u;
	return frame[23] != 6 || tcp + 14 > size || (frame[tcp + 13] & 0x12) == 0x02;
}

/* A frame that nat_guard() let pass. */
static void nat_input(void *state, uint32_t from, const uint8_t *frame, size_t size)
{
	struct nat *nat = state;

	(void)from;
	if (size < 14 || (nat->sockets >= nat->sockets_max && may_open(frame, size)))
		return;
	nat->arp |= get_be16(frame + 12) == 0x0806;
	slirp.input(nat->slirp, frame, (int)size);
}

static const SlirpCb callbacks = {
	.send_packet = on_send,
	.guest_error = on_guest_error,
	.clock_get_ns = on_clock,
	.timer_new = on_timer_new,
	.timer_free = on_timer_free,
	.timer_mod = on_timer_mod,
	.register_poll_fd = on_register,
	.unregister_poll_fd = on_unregister,
	.notify = on_notify,
};

/* A quarter of what the process may open, so that a guest cannot take the rest. */
static uint32_t sockets_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 < SOCKETS_MIN)
		return SOCKETS_MIN;
	return limit.rlim_cur / 4 < SOCKETS_MAX ? (uint32_t)(limit.rlim_cur / 4) : SOCKETS_MAX;
}

/* Valid on a half-built one and on NULL. */
static void nat_free(void *state)
{
	struct nat *nat = state;

	if (!nat)
		return;
	if (nat->slirp)
		slirp.cleanup(nat->slirp);
	if (nat->log_handler)
		slirp.log_remove_handler("Slirp", nat->log_handler);
	loop_timer_cancel(nat->loop, &nat->timer);
	loop_remove(nat->loop, &nat->source);
	if (nat->epoll_fd >= 0)
		close(nat->epoll_fd);
	free(nat->polls);
	free(nat->last);
	free(nat->watches);
	free(nat);
}

static int nat_new(void **out, struct own_port *own, struct cause *cause)
{
	const struct switch_config *config = &own->config;
	uint32_t mask = UINT32_MAX << (32 - config->prefix);
	SlirpConfig network = {
		.version = 4,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(config->address & mask),
		.vnetmask.s_addr = htonl(mask),
		.vhost.s_addr = htonl(config->address),
		.vnameserver.s_addr = htonl(own->dns),
		.disable_dhcp = true,
	};
	struct nat *nat = calloc(1, sizeof(*nat));
	int error;

	*out = NULL;
	if (!nat)
		return cause_errno(cause, ENOMEM, "NAT");
	nat->epoll_fd = -1;
	error = library_load(&slirp_library, cause);
	if (error) {
		free(nat);
		return cause_prefix(cause, error, "NAT");
	}
	nat->own = own;
	nat->loop = &own->uplink->loop;
	nat->timer.fire = on_timeout;
	nat->timer.arg = nat;
	nat->sockets_max = sockets_limit();
	nat->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (nat->epoll_fd < 0) {
		error = errno;
		nat_free(nat);
		return cause_errno(cause, error, "NAT");
	}
	error = loop_add(nat->loop, &nat->source, nat->epoll_fd, EPOLLIN, on_ready, nat);
	if (error) {
		nat_free(nat);
		return cause_errno(cause, -error, "NAT");
	}
	nat->log_handler =
		slirp.log_set_handler("Slirp", G_LOG_LEVEL_MASK & ~G_LOG_LEVEL_ERROR, drop_log, NULL);
	nat->slirp = slirp.new(&network, &callbacks, nat);
	if (!nat->slirp) {
		nat_free(nat);
		return cause_set(cause, EINVAL, "NAT: libslirp refused the network");
	}
	*out = nat;
	return 0;
}

/* The kind. */

static const struct own_backend backend = {
	.suffix = "nat",
	.gateway = true,
	.start = nat_new,
	.stop = nat_free,
	.admit = nat_guard,
	.begin = nat_begin,
	.take = nat_input,
	.end = nat_end,
};

static bool wanted(const struct switch_config *config)
{
	return config->uplink == &port_nat;
}

static int check(const struct switch_config *config, struct cause *cause)
{
	if (!config->address)
		return cause_set(cause, EINVAL,
				 "nat needs an address; write address=10.0.2.2/24");
	if (config->prefix > PREFIX_MAX)
		return cause_set(cause, EINVAL,
				 "with NAT the network's prefix is at most %u, not %u", PREFIX_MAX,
				 config->prefix);
	return 0;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, struct cause *cause)
{
	return own_create(out, &port_nat, &backend, uplink, sw, config, cause);
}

const struct port_kind port_nat = {
	.name = "nat",
	.leads = "out: connections that guests open leave from this host's own addresses, which "
		 "needs no privileges. "
		 "It is for TCP, UDP and ping over IPv4. "
		 "Fragments, IPv4 options, other protocols and malformed packets are dropped, and "
		 "counted with the reason at the port of the switch; "
		 "data that a guest marks as urgent arrive as ordinary data.",
	.answers = true,
	.wanted = wanted,
	.check = check,
	.create = create,
	.destroy = own_destroy,
	.describe = own_describe,
	.list_leases = own_list_leases,
};
