/*
 * See nat_stack.h.
 *
 * libslirp asks for its sockets to be polled by naming all of them before each
 * sleep. Here they are in one epoll set, changed by the difference to the last
 * time. Without sockets there is no time-out, so a network at rest causes no
 * wake-ups.
 *
 * libslirp reads the clock in slirp_pollfds_poll() alone and would take a
 * socket made by a frame after a long sleep for an expired one; hence a turn
 * begins with it.
 */
#include "net/port/nat_stack.h"

#include "config.h"

#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/library.h"
#include "net/port/nat_order.h"
#include "net/port/nat_segments.h"

#define EVENTS_BATCH 64
#define TIMEOUT_REST 1000u /* ms: what slirp_pollfds_fill() says when it waits for nothing */
#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_ARP 0x0806
#define ICMP 1u
#define TCP 6u
#define UDP 17u
#define ARP_FRAME 42u

/*
 * A socket without a connection stays for EXPIRES after its last packet. A guest
 * that has no more sockets to open gives up those that have been idle for longer
 * than a while, which begins with IDLE_MOST and becomes shorter as long as that
 * is not enough.
 */
#define EXPIRES (240 * NS_PER_S)
#define IDLE_MOST (32 * NS_PER_S)
#define IDLE_LEAST (2 * NS_PER_S)
#define AGE_EVERY NS_PER_S
#define BACKLOG 64 /* connections that wait to be taken */

/* What is used of libslirp, and of glib behind it. */
static struct {
	typeof(slirp_new) *new;
	typeof(slirp_cleanup) *cleanup;
	typeof(slirp_input) *input;
	typeof(slirp_add_hostfwd) *add_hostfwd;
	typeof(slirp_remove_hostfwd) *remove_hostfwd;
	typeof(slirp_pollfds_fill) *pollfds_fill;
	typeof(slirp_pollfds_poll) *pollfds_poll;
	typeof(g_log_set_handler) *log_set_handler;
} slirp;

static const struct library_function slirp_functions[] = {
	{ "slirp_new", &slirp.new },
	{ "slirp_cleanup", &slirp.cleanup },
	{ "slirp_input", &slirp.input },
	{ "slirp_add_hostfwd", &slirp.add_hostfwd },
	{ "slirp_remove_hostfwd", &slirp.remove_hostfwd },
	{ "slirp_pollfds_fill", &slirp.pollfds_fill },
	{ "slirp_pollfds_poll", &slirp.pollfds_poll },
	{ "g_log_set_handler", &slirp.log_set_handler },
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

/* What we know of a file descriptor. */
struct nat_watch {
	struct nat_stack *stack; /* whose socket it is; NULL: it is none */
	uint32_t events;	 /* in the epoll set; 0: not in it */
	uint32_t turn, index;	 /* where it is in the stack's polls, if turn is the running one */
	uint64_t flow;		 /* flow_of() the frame that it was made for */
	bool listens;		 /* for connections to the guest */
};

struct nat_stack {
	struct nat_host *host;
	uint32_t slot;
	uint64_t number;
	Slirp *slirp;
	struct loop_timer timer;
	bool orphan; /* its port is no more */
	struct loop_timer end;
	struct nat_poll *polls, *last;
	uint32_t poll_count, last_count, poll_room, last_room;
	uint32_t turn;
	bool in_turn;
	struct nat_stack *next; /* in host->turns */
	bool arp; /* an ARP frame came in: packets may have waited for it */
	uint8_t known[NET_MAC_SIZE + 4]; /* MAC and IPv4 address that ARP was last told of */
	uint64_t flow;	/* of the frame that it is given */
	uint64_t ahead; /* what the clock is read as, beside what it is, once */
	uint64_t idle, aged; /* see EXPIRES; and when that happened last */
	uint32_t listeners;  /* of its sockets */
	uint64_t active;     /* when it last had a frame or a ready socket */
	struct nat_order order;
};

/* --- libslirp's questions --- */

static ssize_t on_send(const void *frame, size_t size, void *opaque)
{
	struct nat_stack *stack = opaque;

	nat_order_sent(&stack->order, frame, size);
	stack->host->ops->send(stack->host->arg, frame, size);
	return (ssize_t)size;
}

/* A guest can cause as many of these as it likes; the switch's capture shows its packets. */
static void on_guest_error(const char *text, void *opaque)
{
	(void)text;
	(void)opaque;
}

static void drop_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer arg)
{
	(void)domain;
	(void)level;
	(void)text;
	(void)arg;
}

static int64_t on_clock(void *opaque)
{
	struct nat_stack *stack = opaque;
	uint64_t ahead = stack->ahead;

	stack->ahead = 0;
	return (int64_t)(clock_monotonic() + ahead);
}

/* Its one timer is for router advertisements of IPv6. */
static void *on_timer_new(SlirpTimerCb fire, void *arg, void *opaque)
{
	(void)fire;
	(void)arg;
	(void)opaque;
	return NULL;
}

static void on_timer_free(void *timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void on_timer_mod(void *timer, int64_t due_ms, void *opaque)
{
	(void)timer;
	(void)due_ms;
	(void)opaque;
}

/* --- its sockets --- */

/* The entry of fd, or NULL when memory is short. */
static struct nat_watch *watch_of(struct nat_host *host, int fd)
{
	uint32_t room = host->watch_room ? host->watch_room : 64;
	struct nat_watch *watches;

	if ((uint32_t)fd < host->watch_room)
		return &host->watches[fd];
	while (room <= (uint32_t)fd)
		room *= 2;
	watches = realloc(host->watches, room * sizeof(*watches));
	if (!watches)
		return NULL;
	memset(watches + host->watch_room, 0, (room - host->watch_room) * sizeof(*watches));
	host->watches = watches;
	host->watch_room = room;
	return &watches[fd];
}

static void watch_change(struct nat_host *host, struct nat_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (watch->events == events)
		return;
	if (!events)
		epoll_ctl(host->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(host->epoll_fd, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
			   &event) < 0)
		events = 0;
	watch->events = events;
}

static void on_register(int fd, void *opaque)
{
	struct nat_stack *stack = opaque;
	struct nat_watch *watch = fd >= 0 ? watch_of(stack->host, fd) : NULL;

	if (!watch)
		return;
	watch->events = 0; /* a new socket is in no set, whatever its number was before */
	watch->turn = stack->turn - 1;
	watch->flow = stack->flow;
	if (!watch->stack && share_take(&stack->host->sockets, stack->slot, 1) == NET_FORWARD)
		watch->stack = stack;
}

/* Called right before fd is closed. */
static void on_unregister(int fd, void *opaque)
{
	struct nat_stack *stack = opaque;
	struct nat_watch *watch = fd >= 0 ? watch_of(stack->host, fd) : NULL;

	if (!watch || watch->stack != stack)
		return;
	watch_change(stack->host, watch, fd, 0);
	if (!watch->listens)
		share_give(&stack->host->sockets, stack->slot, 1);
	watch->stack = NULL;
	watch->listens = false;
}

/* There is room again in a buffer; the turn that this happens in names that socket at its end. */
static void on_notify(void *opaque)
{
	(void)opaque;
}

/*
 * One that libslirp did not tell of: it listens, or was taken where another one does. libslirp
 * lets one wait there, before it is taken.
 */
static void adopt(struct nat_stack *stack, struct nat_watch *watch, int fd)
{
	socklen_t size = sizeof(int);
	int listens = 0;

	watch->events = 0;
	watch->turn = stack->turn - 1;
	watch->flow = 0;
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	if (!listens) {
		if (share_take(&stack->host->sockets, stack->slot, 1) == NET_FORWARD)
			watch->stack = stack;
		return;
	}
	watch->stack = stack;
	watch->listens = true;
	listen(fd, BACKLOG);
}

static int on_add_poll(int fd, int wanted, void *opaque)
{
	struct nat_stack *stack = opaque;
	struct nat_watch *watch = watch_of(stack->host, fd);
	struct nat_poll *poll;

	if (stack->poll_count == stack->poll_room) {
		uint32_t room = stack->poll_room ? stack->poll_room * 2 : 16;

		poll = realloc(stack->polls, room * sizeof(*poll));
		if (!poll)
			return -1;
		stack->polls = poll;
		stack->poll_room = room;
	}
	if (watch && !watch->stack)
		adopt(stack, watch, fd);
	if (!watch || watch->stack != stack)
		return -1;
	/* Nobody is taken for whom there is no socket; when one is free a turn ends. */
	if (watch->listens && share_ask(&stack->host->sockets, stack->slot, 1) != NET_FORWARD)
		wanted = 0;
	watch->turn = stack->turn;
	watch->index = stack->poll_count;
	poll = &stack->polls[stack->poll_count];
	poll->fd = fd;
	poll->ready = 0;
	poll->wanted = EPOLLERR | EPOLLHUP;
	poll->wanted |= wanted & SLIRP_POLL_IN ? (uint32_t)EPOLLIN : 0;
	poll->wanted |= wanted & SLIRP_POLL_OUT ? (uint32_t)EPOLLOUT : 0;
	poll->wanted |= wanted & SLIRP_POLL_PRI ? (uint32_t)EPOLLPRI : 0;
	return (int)stack->poll_count++;
}

/* What is ready, but not if there is no room for what comes of it: then it stays ready. */
static int on_get_events(int index, void *opaque)
{
	struct nat_stack *stack = opaque;
	struct nat_host *host = stack->host;
	uint32_t ready;
	int events = 0;

	if (index < 0 || (uint32_t)index >= stack->poll_count)
		return 0;
	ready = stack->polls[index].ready;
	stack->polls[index].ready = 0;
	if (!ready)
		return 0;
	if (!host->ops->has_room(host->arg)) {
		host->held = true;
		return 0;
	}
	events |= ready & EPOLLIN ? SLIRP_POLL_IN : 0;
	events |= ready & EPOLLOUT ? SLIRP_POLL_OUT : 0;
	events |= ready & EPOLLPRI ? SLIRP_POLL_PRI : 0;
	events |= ready & EPOLLERR ? SLIRP_POLL_ERR : 0;
	events |= ready & EPOLLHUP ? SLIRP_POLL_HUP : 0;
	return events;
}

/* libslirp's clock ticks while a socket listens; here, no longer than what is past may last. */
static bool rests(const struct nat_stack *stack)
{
	return stack->listeners && !stack->host->sockets.held[stack->slot] &&
	       clock_monotonic() - stack->active > EXPIRES;
}

static void take_wishes(struct nat_stack *stack)
{
	struct nat_poll *polls = stack->last;
	uint32_t room = stack->last_room, timeout = UINT32_MAX;
	struct nat_host *host = stack->host;

	stack->last = stack->polls;
	stack->last_count = stack->poll_count;
	stack->last_room = stack->poll_room;
	stack->polls = polls;
	stack->poll_count = 0;
	stack->poll_room = room;
	stack->turn++;
	slirp.pollfds_fill(stack->slirp, &timeout, on_add_poll, stack);
	for (uint32_t i = 0; i < stack->last_count; i++) {
		struct nat_watch *watch = &host->watches[stack->last[i].fd];

		if (watch->stack == stack && watch->turn != stack->turn)
			watch_change(host, watch, stack->last[i].fd, 0);
	}
	for (uint32_t i = 0; i < stack->poll_count; i++)
		watch_change(host, &host->watches[stack->polls[i].fd], stack->polls[i].fd,
			     stack->polls[i].wanted);
	if (timeout < TIMEOUT_REST && !rests(stack))
		loop_timer_set(host->loop, &stack->timer, timeout * NS_PER_MS);
	else
		loop_timer_cancel(host->loop, &stack->timer);
}

/* --- turns --- */

static void tick(struct nat_stack *stack)
{
	stack->in_turn = true;
	stack->next = stack->host->turns;
	stack->host->turns = stack;
	slirp.pollfds_poll(stack->slirp, 0, on_get_events, stack);
}

static void begin(struct nat_stack *stack)
{
	if (stack->in_turn)
		return;
	stack->active = clock_monotonic();
	tick(stack);
}

static void on_timeout(void *arg)
{
	struct nat_stack *stack = arg;

	if (!stack->in_turn)
		tick(stack);
	stack->host->ops->due(stack->host->arg);
}

void nat_host_poll(struct nat_host *host)
{
	struct epoll_event events[EVENTS_BATCH];
	int count = epoll_wait(host->epoll_fd, events, EVENTS_BATCH, 0);

	for (int i = 0; i < count; i++) {
		const struct nat_watch *watch = watch_of(host, events[i].data.fd);

		if (watch && watch->stack && watch->turn == watch->stack->turn)
			watch->stack->polls[watch->index].ready = events[i].events;
	}
	for (int i = 0; i < count; i++) {
		const struct nat_watch *watch = watch_of(host, events[i].data.fd);

		if (watch && watch->stack)
			begin(watch->stack);
	}
}

void nat_host_end(struct nat_host *host)
{
	struct nat_stack *stack;

	while ((stack = host->turns)) {
		host->turns = stack->next;
		stack->in_turn = false;
		if (stack->arp)
			slirp.pollfds_poll(stack->slirp, 0, on_get_events, stack);
		stack->arp = false;
		take_wishes(stack);
	}
}

/* --- frames --- */

/*
 * Whether a frame could make libslirp open a socket: anything but a segment of a
 * connection, and a ping that is answered here.
 */
static bool may_open(const struct nat_setup *setup, const uint8_t *frame, size_t size)
{
	uint32_t to;
	size_t tcp;

	if (get_be16(frame + 12) == ETHERTYPE_ARP || size < 34)
		return false;
	to = get_be32(frame + 30);
	if (frame[23] == ICMP)
		return to != setup->address && to != setup->dns;
	tcp = 14 + (frame[14] & 15u) * 4u;
	return frame[23] != TCP || tcp + 14 > size || (frame[tcp + 13] & 0x12) == 0x02;
}

/* What libslirp knows a socket of UDP by: the guest's address and port. 0: it is not UDP. */
static uint64_t flow_of(const uint8_t *frame, size_t size)
{
	if (size < 42 || get_be16(frame + 12) != ETHERTYPE_IP || frame[23] != UDP)
		return 0;
	return (uint64_t)get_be32(frame + 26) << 16 | get_be16(frame + 34);
}

static bool has_socket(const struct nat_stack *stack)
{
	const struct nat_host *host = stack->host;

	for (uint32_t fd = 0; stack->flow && fd < host->watch_room; fd++)
		if (host->watches[fd].stack == stack && host->watches[fd].flow == stack->flow)
			return true;
	return false;
}

/*
 * Gives up what has been idle: libslirp closes what has expired at the end of a
 * turn, and for one turn in which no socket is looked at the clock is ahead. Of
 * connections, that have a clock of ticks, it takes two of these, a second.
 */
static void age(struct nat_stack *stack)
{
	uint64_t now = clock_monotonic();
	uint32_t before = stack->host->sockets.held[stack->slot];

	if (now - stack->aged < AGE_EVERY)
		return;
	stack->aged = now;
	stack->ahead = EXPIRES - stack->idle;
	slirp.pollfds_poll(stack->slirp, 1, on_get_events, stack);
	take_wishes(stack);
	slirp.pollfds_poll(stack->slirp, 1, on_get_events, stack);
	if (stack->host->sockets.held[stack->slot] < before)
		stack->idle = IDLE_MOST;
	else if (stack->idle > IDLE_LEAST)
		stack->idle /= 2;
}

static bool may_have_socket(struct nat_stack *stack)
{
	const struct share *sockets = &stack->host->sockets;

	if (share_ask(sockets, stack->slot, 1) == NET_FORWARD || has_socket(stack))
		return true;
	age(stack);
	return share_ask(sockets, stack->slot, 1) == NET_FORWARD;
}

/*
 * Tells ARP who has sent an IPv4 packet, so that what comes back need not wait,
 * in a list of any length, until a guest answers who has this address.
 */
static void introduce(struct nat_stack *stack, const uint8_t *frame)
{
	uint8_t arp[ARP_FRAME];

	if (memcmp(stack->known, frame + 6, NET_MAC_SIZE) == 0 &&
	    memcmp(stack->known + NET_MAC_SIZE, frame + 26, 4) == 0)
		return;
	memcpy(stack->known, frame + 6, NET_MAC_SIZE);
	memcpy(stack->known + NET_MAC_SIZE, frame + 26, 4);
	memcpy(arp, frame, 12);
	put_be16(arp + 12, ETHERTYPE_ARP);
	memcpy(arp + 14, "\0\1\x08\0\6\4\0\2", 8);
	memcpy(arp + 22, stack->known, NET_MAC_SIZE + 4);
	memset(arp + 32, 0, NET_MAC_SIZE + 4);
	slirp.input(stack->slirp, arp, sizeof(arp));
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

/* Not within a turn. */
static void stack_free(void *arg)
{
	struct nat_stack *stack = arg;

	stack->host->stacks[stack->slot] = NULL;
	stack->host->listeners -= stack->listeners;
	slirp.cleanup(stack->slirp);
	loop_timer_cancel(stack->host->loop, &stack->timer);
	loop_timer_cancel(stack->host->loop, &stack->end);
	free(stack->polls);
	free(stack->last);
	free(stack);
}

static struct nat_stack *stack_new(struct nat_host *host, uint32_t slot)
{
	const struct nat_setup *setup = &host->setup;
	uint32_t mask = UINT32_MAX << (32 - setup->prefix);
	SlirpConfig network = {
		.version = 4,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(setup->address & mask),
		.vnetmask.s_addr = htonl(mask),
		.vhost.s_addr = htonl(setup->address),
		.vnameserver.s_addr = htonl(setup->dns),
		.disable_dhcp = true,
		.if_mtu = NAT_LARGE_MTU,
		.if_mru = NAT_LARGE_MTU,
		.disable_host_loopback = !setup->loopback,
	};
	struct nat_stack *stack = calloc(1, sizeof(*stack));

	if (!stack)
		return NULL;
	stack->host = host;
	stack->slot = slot;
	stack->number = ++host->made;
	stack->idle = IDLE_MOST;
	nat_order_init(&stack->order);
	stack->timer = (struct loop_timer){ .fire = on_timeout, .arg = stack };
	stack->end = (struct loop_timer){ .fire = stack_free, .arg = stack };
	stack->slirp = slirp.new(&network, &callbacks, stack);
	if (!stack->slirp) {
		free(stack);
		return NULL;
	}
	host->stacks[slot] = stack;
	return stack;
}

/* Of the port that has sent this frame. NULL: no memory. */
static struct nat_stack *find_stack(struct nat_host *host, uint32_t slot, const uint8_t *frame)
{
	struct nat_stack *stack = host->stacks[slot];

	if (stack && stack->orphan) {
		if (memcmp(stack->known, frame + 6, NET_MAC_SIZE) != 0) {
			nat_host_end(host);
			stack_free(stack);
			return stack_new(host, slot);
		}
		stack->orphan = false;
		loop_timer_cancel(host->loop, &stack->end);
	}
	return stack ? stack : stack_new(host, slot);
}

void nat_host_input(struct nat_host *host, uint32_t slot, uint8_t *frame, size_t size)
{
	struct nat_stack *stack = find_stack(host, slot, frame);

	if (!stack)
		return;
	begin(stack);
	stack->flow = flow_of(frame, size);
	if (may_open(&host->setup, frame, size) && !may_have_socket(stack)) {
		host->refused++;
		return;
	}
	if (get_be16(frame + 12) == ETHERTYPE_ARP)
		stack->arp = true;
	else if (get_be16(frame + 12) == ETHERTYPE_IP && size >= 34)
		introduce(stack, frame);
	if (!nat_order_admits(&stack->order, frame, size))
		return;
	nat_allow_large(frame, size);
	slirp.input(stack->slirp, frame, (int)size);
}

/* --- who comes in --- */

struct nat_stack *nat_host_stack(const struct nat_host *host, uint32_t slot)
{
	struct nat_stack *stack = host->stacks[slot];

	return stack && !stack->orphan ? stack : NULL;
}

void nat_host_stack_new(struct nat_host *host, uint32_t slot)
{
	struct nat_stack *stack = host->stacks[slot];

	if (stack && !stack->orphan)
		return;
	nat_host_end(host);
	if (stack)
		stack_free(stack);
	stack_new(host, slot);
}

uint64_t nat_stack_number(const struct nat_stack *stack)
{
	return stack->number;
}

uint32_t nat_stack_address(const struct nat_stack *stack)
{
	return get_be32(stack->known + NET_MAC_SIZE);
}

int nat_stack_listen(struct nat_stack *stack, const struct net_forward *forward, uint32_t address)
{
	struct in_addr at = { .s_addr = htonl(forward->address) }, to = { .s_addr = htonl(address) };

	if (stack->host->listeners == NAT_LISTENERS_MAX)
		return -ENFILE;
	begin(stack);
	errno = EIO;
	if (slirp.add_hostfwd(stack->slirp, false, at, forward->port, to, forward->to) < 0)
		return -errno;
	stack->listeners++;
	stack->host->listeners++;
	return 0;
}

void nat_stack_unlisten(struct nat_stack *stack, const struct net_forward *forward)
{
	struct in_addr at = { .s_addr = htonl(forward->address) };

	begin(stack);
	if (slirp.remove_hostfwd(stack->slirp, false, at, forward->port) < 0)
		return;
	stack->listeners--;
	stack->host->listeners--;
}

void nat_host_forget(struct nat_host *host, uint32_t slot)
{
	struct nat_stack *stack = host->stacks[slot];

	nat_host_end(host);
	if (!stack)
		return;
	stack->orphan = true;
	loop_timer_set(host->loop, &stack->end, EXPIRES);
}

/* --- the host --- */

int nat_stack_load(struct cause *cause)
{
	return library_load(&slirp_library, cause);
}

int nat_host_init(struct nat_host *host, struct loop *loop, const struct nat_setup *setup,
		  const struct nat_host_ops *ops, void *arg)
{
	*host = (struct nat_host){ .loop = loop, .setup = *setup, .ops = ops, .arg = arg };
	share_init(&host->sockets, setup->sockets);
	host->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (host->epoll_fd < 0)
		return -errno;
	slirp.log_set_handler("Slirp", G_LOG_LEVEL_MASK & ~G_LOG_LEVEL_ERROR, drop_log, NULL);
	return 0;
}
