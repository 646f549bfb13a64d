/*
 * NAT, the switch's side: guests reach what this process can reach, without
 * root. IPv4 only. What translates runs in a process of its own, see
 * nat_process.h; when that ends, connections are lost, and it is started again.
 *
 * Theory of operation: a sender's thread copies a frame's head, has nat_guard()
 * decide on the copy, and writes it and the rest into the ring to the process,
 * under one short lock; flush() shows the process what came, once a burst. The
 * ring is shared out by sending port: how much of it is whose is known from a
 * list of its records, of which the first are done with as the process goes on.
 * What the process sends is copied out by the uplink thread, a bounded number
 * of frames a turn, and goes through the switch like any other port's. DHCP
 * stays here.
 */
#include "net/port/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/port/nat_channel.h"
#include "net/port/nat_guard.h"
#include "net/port/nat_process.h"
#include "net/port/share.h"
#include "net/service/dhcp.h"
#include "net/service/dhcp_frame.h"

#define PREFIX_MAX 29u /* the switch, its DNS address and a guest need three */
#define FRAMES_A_TURN (2u * NET_BURST_MAX)
#define RECORD_COST_MIN 4096u /* however small: a frame costs the process time */
#define TICKETS (NAT_TO_PROCESS / RECORD_COST_MIN * 2) /* words about ports cost nothing */
#define SAY_AGAIN (50 * NS_PER_MS) /* of one port, at the soonest */
#define RESERVED (64u * 1024) /* of the ring, for words about ports */

/* A record in the ring. */
struct ticket {
	uint32_t bytes; /* of the ring */
	uint32_t cost;	/* of the sender's share; 0: not a frame */
	uint16_t from;
};

/* A port of the switch to which ports of the host lead. */
struct guest {
	char name[NET_PORT_NAME_MAX];
	struct nat_forwards word;
	bool unsaid; /* the process is yet to hear of it */
	uint32_t errors[NET_FORWARDS_MAX]; /* as the process said; UINT32_MAX: nothing yet */
};

struct nat {
	struct own_port *own;
	struct nat_network network;
	struct sandbox *sandbox;
	uint32_t sockets; /* of the uplink's that are this switch's */
	struct loop_timer say; /* what is unsaid */
	struct loop_task begin_say;
	struct loop_task more; /* there were more frames than a turn takes */
	bool told;	       /* of an end, since the process was last up */

	pthread_mutex_t lock; /* guards what follows */
	struct channel *channel; /* NULL: there is no process */
	struct share share;	 /* of the ring to it */
	struct ticket tickets[TICKETS];
	uint32_t first, count; /* of tickets */
	uint32_t outstanding;  /* their bytes */
	uint64_t gone[NET_PORTS_MAX / 64]; /* bits: that is unsaid of those slots */
	bool stored;	       /* since the last flush */
	struct guest *guests[NET_PORTS_MAX]; /* by slot; NULL: nothing leads there */
	char state[sizeof(((struct port_field *)0)->text)];
};

/* --- to the process; under the lock --- */

/* Takes note of what the process has taken. */
static void settle(struct nat *nat)
{
	uint32_t used = channel_used(&nat->channel->out);

	while (nat->count && nat->outstanding - nat->tickets[nat->first].bytes >= used) {
		const struct ticket *ticket = &nat->tickets[nat->first];

		nat->outstanding -= ticket->bytes;
		share_give(&nat->share, ticket->from, ticket->cost);
		nat->first = (nat->first + 1) % TICKETS;
		nat->count--;
	}
}

static void commit(struct nat *nat, uint32_t size, enum nat_record record, uint32_t from,
		   uint32_t cost)
{
	struct channel_writer *out = &nat->channel->out;
	uint32_t before = out->head;

	channel_commit(out, size, nat_mark(record, from));
	nat->tickets[(nat->first + nat->count++) % TICKETS] =
		(struct ticket){ out->head - before, cost, (uint16_t)from };
	nat->outstanding += out->head - before;
	nat->stored = true;
}

/*
 * The frame's rest is read once. The process may write to the copy, and make of a
 * checksum what it likes, but of the head nothing is read again.
 */
static enum net_verdict copy_in(uint8_t *to, uint8_t *head, const struct net_frame *frame,
				uint32_t size)
{
	const uint8_t *rest = to + frame->head_size;

	net_frame_copy(to, frame, size);
	if (frame->offload.flags & NET_OFFLOAD_NEEDS_CSUM) {
		if (!nat_guard_finish(head, frame->head_size, rest, size))
			return NET_DROP_BAD_OFFLOAD;
	} else if (!nat_guard_sum(head, frame->head_size, rest, size)) {
		return NET_DROP_BAD_CHECKSUM;
	}
	net_head_copy(to, head, frame->head_size < size ? frame->head_size : size);
	return NET_FORWARD;
}

static enum net_verdict put_frame(struct nat *nat, uint32_t from, const struct net_frame *frame)
{
	size_t size = frame->size;
	uint8_t head[NET_HEAD_MAX];
	enum net_verdict verdict;
	uint32_t cost;
	uint8_t *room;

	if (!nat->channel)
		return NET_DROP_LINK_DOWN;
	net_head_copy(head, frame->head, frame->head_size);
	verdict = nat_guard(&nat->network, head, frame->head_size, &size);
	if (verdict != NET_FORWARD)
		return verdict;
	cost = size < RECORD_COST_MIN ? RECORD_COST_MIN : (uint32_t)size;
	verdict = share_take(&nat->share, from, cost);
	if (verdict != NET_FORWARD) {
		settle(nat);
		verdict = share_take(&nat->share, from, cost);
	}
	if (verdict != NET_FORWARD)
		return verdict;
	if (nat->count == TICKETS)
		settle(nat); /* words take tickets and nothing of a share */
	room = nat->count < TICKETS ? channel_reserve(&nat->channel->out, (uint32_t)size) : NULL;
	verdict = room ? copy_in(room, head, frame, (uint32_t)size) : NET_DROP_NO_BUFFER;
	if (verdict == NET_FORWARD)
		commit(nat, (uint32_t)size, NAT_FRAME, from, cost);
	else
		share_give(&nat->share, from, cost);
	return verdict;
}

static enum net_verdict put_frame_locked(struct nat *nat, bool *locked, uint32_t from,
					 const struct net_frame *frame)
{
	if (!*locked)
		pthread_mutex_lock(&nat->lock);
	*locked = true;
	return put_frame(nat, from, frame);
}

/* DHCP is to know who uses which address; it is no loss if there is no room. */
static void show_arp(struct own_port *own, uint32_t from, const struct net_frame *const *frame)
{
	enum net_verdict verdict = NET_FORWARD;

	inbox_deliver(&own->served.inbox, from, frame, 1, &verdict);
}

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	struct own_port *own = backend;
	unsigned taken = count;
	bool locked = false;

	for (unsigned i = 0; i < count; i++) {
		const struct net_frame *frame = frames[i];
		enum net_verdict verdict;

		if (!own_wants(own, frame))
			continue;
		if (dhcp_is_request(frame->head, frame->head_size, frame->size)) {
			taken -= !inbox_deliver(&own->served.inbox, from, frames + i, 1, verdicts + i);
			continue;
		}
		if (own_is_arp(frame))
			show_arp(own, from, frames + i);
		verdict = put_frame_locked(own->state, &locked, from, frame);
		if (verdict != NET_FORWARD) {
			verdicts[i] = verdict;
			taken--;
		}
	}
	if (locked)
		pthread_mutex_unlock(&((struct nat *)own->state)->lock);
	return taken;
}

static void publish(struct nat *nat)
{
	channel_publish(&nat->channel->out);
	sandbox_sent(nat->sandbox);
	nat->stored = false;
}

static void flush(void *backend)
{
	struct own_port *own = backend;
	struct nat *nat = own->state;

	inbox_flush(&own->served.inbox);
	pthread_mutex_lock(&nat->lock);
	if (nat->channel && nat->stored)
		publish(nat);
	pthread_mutex_unlock(&nat->lock);
}

/* Says a word about a port, which finds room before any frame does. */
static bool put_word(struct nat *nat, enum nat_record record, uint32_t from, const void *word,
		     uint32_t size)
{
	void *room;

	settle(nat);
	room = nat->count < TICKETS ? channel_reserve(&nat->channel->out, size) : NULL;
	if (!room)
		return false;
	memcpy(room, word, size);
	commit(nat, size, record, from, 0);
	publish(nat);
	return true;
}

/* Of a port that is no more, and of the one that has its slot. False: there was no room. */
static bool say_of(struct nat *nat, uint32_t slot)
{
	struct guest *guest = nat->guests[slot];
	uint64_t bit = 1ull << slot % 64;

	if (!nat->channel)
		return true; /* on_ready() */
	if (nat->gone[slot / 64] & bit) {
		if (!put_word(nat, NAT_FORGET, slot, "", 0))
			return false;
		nat->gone[slot / 64] &= ~bit;
	}
	if (guest && guest->unsaid) {
		memset(guest->errors, 0xff, sizeof(guest->errors));
		guest->unsaid = !put_word(nat, NAT_FORWARDS, slot, &guest->word,
					  sizeof(guest->word));
		return !guest->unsaid;
	}
	return true;
}

/* A guest can change its address as often as it likes: only the last one is said. */
static void say_all(void *arg)
{
	struct nat *nat = arg;
	bool said = true;

	pthread_mutex_lock(&nat->lock);
	for (uint32_t slot = 0; said && slot < NET_PORTS_MAX; slot++)
		said = say_of(nat, slot);
	pthread_mutex_unlock(&nat->lock);
	if (!said)
		loop_timer_set(&nat->own->served.uplink->loop, &nat->say, SAY_AGAIN);
}

static void begin_say(void *arg)
{
	struct nat *nat = arg;

	if (!nat->say.armed)
		loop_timer_set(&nat->own->served.uplink->loop, &nat->say, SAY_AGAIN);
}

static void take_forwards(struct own_port *own, uint32_t from, const struct net_port_config *config)
{
	struct nat *nat = own->state;
	struct guest *guest;

	if (!config->forwards || !config->forwards->count)
		return;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return;
	snprintf(guest->name, sizeof(guest->name), "%s", config->name);
	guest->word.forwards = *config->forwards;
	pthread_mutex_lock(&nat->lock);
	nat->guests[from] = guest;
	guest->unsaid = true;
	if (!say_of(nat, from))
		loop_post(&own->served.uplink->loop, &nat->begin_say);
	pthread_mutex_unlock(&nat->lock);
}

/* What the lease is told to is there before one is. */
static void greet_sender(void *backend, uint32_t from, const struct net_port_config *config)
{
	struct own_port *own = backend;

	take_forwards(own, from, config);
	inbox_greet_sender(&own->served.inbox, from, config);
}

static void lease_changed(void *state, uint32_t from, uint32_t address)
{
	struct nat *nat = state;

	pthread_mutex_lock(&nat->lock);
	if (nat->guests[from] && nat->guests[from]->word.address != address) {
		nat->guests[from]->word.address = address;
		nat->guests[from]->unsaid = true;
		begin_say(nat);
	}
	pthread_mutex_unlock(&nat->lock);
}

static void forget_sender(void *backend, uint32_t from)
{
	struct own_port *own = backend;
	struct nat *nat = own->state;

	inbox_forget_sender(&own->served.inbox, from);
	pthread_mutex_lock(&nat->lock);
	free(nat->guests[from]);
	nat->guests[from] = NULL;
	nat->gone[from / 64] |= 1ull << from % 64;
	if (!say_of(nat, from))
		loop_post(&own->served.uplink->loop, &nat->begin_say);
	pthread_mutex_unlock(&nat->lock);
}

static const struct net_port_ops port_ops = {
	.deliver = deliver,
	.flush = flush,
	.greet = greet_sender,
	.forget = forget_sender,
};

/* --- from the process; the uplink thread --- */

/* What has become of a port of the host. False: it lies. */
static bool take_said(struct nat *nat, struct channel_reader *in, uint32_t slot, uint32_t size)
{
	char place[NET_FORWARD_TEXT], name[NET_PORT_NAME_MAX] = "";
	struct net_forward forward = { 0 };
	const struct guest *guest;
	struct nat_said said;

	if (slot >= NET_PORTS_MAX || size != sizeof(said))
		return false;
	channel_copy(in, &said, sizeof(said));
	if (said.index >= NET_FORWARDS_MAX || said.error > INT32_MAX)
		return false;
	pthread_mutex_lock(&nat->lock);
	guest = nat->guests[slot];
	/* It may be about one that has gone meanwhile; and what is said again is no news. */
	if (guest && said.index < guest->word.forwards.count &&
	    guest->errors[said.index] != said.error) {
		nat->guests[slot]->errors[said.index] = said.error;
		forward = guest->word.forwards.list[said.index];
		snprintf(name, sizeof(name), "%s", guest->name);
	}
	pthread_mutex_unlock(&nat->lock);
	net_forward_text(&forward, place);
	if (*name && said.error)
		uplink_notice(nat->own->served.uplink, "%s: %s does not lead to its port %u: %s; that is "
			      "tried again", name, place, forward.to, strerror((int)said.error));
	return true;
}

/* Takes some frames. 1: there are more; 0; or -EPROTO: it lies. */
static int take_frames(struct nat *nat, struct channel_reader *in)
{
	uint32_t size, mark;
	int result = 1;

	for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
		struct net_offload offload = { 0 };
		uint8_t *frame;

		result = channel_next(in, &size, &mark);
		if (result != 1)
			break;
		if (size > NET_FRAME_MAX)
			return -EPROTO;
		if (mark >> 16) {
			if ((mark & ~0xffffu) != NAT_SAID || !take_said(nat, in, mark & 0xffff, size))
				return -EPROTO;
			channel_drop(in);
			continue;
		}
		frame = served_reserve(&nat->own->served, size);
		channel_copy(in, frame, size);
		channel_drop(in);
		if (!nat_guard_sent(&nat->network, frame, size) ||
		    (mark && !nat_guard_large(frame, size, mark, &offload)))
			return -EPROTO;
		served_commit(&nat->own->served, size, &offload);
	}
	return result;
}

static void on_input(void *arg)
{
	struct nat *nat = arg;
	struct channel *channel = sandbox_channel(nat->sandbox);
	int result;

	if (!channel)
		return;
	result = take_frames(nat, &channel->in);
	served_flush(&nat->own->served);
	if (result < 0) {
		sandbox_broken(nat->sandbox, "it sent what it must not");
		return;
	}
	channel_release(&channel->in);
	if (result > 0 || !channel_wait_for_record(&channel->in))
		loop_post(&nat->own->served.uplink->loop, &nat->more);
}

static void on_ready(void *arg)
{
	struct nat *nat = arg;
	const struct nat_setup setup = {
		.address = nat->network.address,
		.dns = nat->network.dns,
		.sockets = nat->sockets,
		.prefix = nat->own->config.prefix,
		.loopback = nat->network.loopback,
	};

	pthread_mutex_lock(&nat->lock);
	nat->channel = sandbox_channel(nat->sandbox);
	share_init(&nat->share, NAT_TO_PROCESS - RESERVED);
	nat->first = nat->count = nat->outstanding = 0;
	put_word(nat, NAT_SETUP, 0, &setup, sizeof(setup));
	memset(nat->gone, 0, sizeof(nat->gone));
	for (uint32_t slot = 0; slot < NET_PORTS_MAX; slot++)
		if (nat->guests[slot])
			nat->guests[slot]->unsaid = true;
	begin_say(nat);
	snprintf(nat->state, sizeof(nat->state), "running");
	pthread_mutex_unlock(&nat->lock);
	nat->told = false;
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct nat *nat = arg;

	pthread_mutex_lock(&nat->lock);
	nat->channel = NULL;
	snprintf(nat->state, sizeof(nat->state), "ended: %s", why);
	pthread_mutex_unlock(&nat->lock);
	loop_unpost(&nat->own->served.uplink->loop, &nat->more);
	/* What does not come up at all says so once. */
	if (!nat->told && again_ns)
		uplink_notice(nat->own->served.uplink,
			      "switch %s: NAT: %s; its connections are lost, and it is started "
			      "again in %g s", nat->own->config.name, why,
			      (double)again_ns / NS_PER_S);
	else if (!again_ns)
		uplink_notice(nat->own->served.uplink, "switch %s: NAT: %s; its connections are lost",
			      nat->own->config.name, why);
	nat->told = true;
}

static const struct sandbox_ops sandbox_ops = {
	.ready = on_ready,
	.input = on_input,
	.ended = on_ended,
};

/* --- the port --- */

/* Half of what is left, and always something: a switch more takes from none that is there. */
static uint32_t take_sockets(struct uplink *uplink)
{
	int32_t sockets = uplink->sockets / 2;

	if (sockets > (int32_t)NAT_SOCKETS_MAX)
		sockets = NAT_SOCKETS_MAX;
	if (sockets < (int32_t)NAT_SOCKETS_MIN)
		sockets = NAT_SOCKETS_MIN;
	uplink->sockets -= sockets;
	return (uint32_t)sockets;
}

static void nat_stop(void *state)
{
	struct nat *nat = state;

	if (!nat)
		return;
	pthread_mutex_lock(&nat->lock);
	nat->channel = NULL;
	pthread_mutex_unlock(&nat->lock);
	sandbox_stop(nat->sandbox);
	nat->sandbox = NULL;
	nat->own->served.uplink->sockets += (int32_t)nat->sockets;
	nat->sockets = 0;
	loop_unpost(&nat->own->served.uplink->loop, &nat->more);
	loop_unpost(&nat->own->served.uplink->loop, &nat->begin_say);
	loop_timer_cancel(&nat->own->served.uplink->loop, &nat->say);
}

static void nat_free(void *state)
{
	struct nat *nat = state;

	if (!nat)
		return;
	for (uint32_t slot = 0; slot < NET_PORTS_MAX; slot++)
		free(nat->guests[slot]);
	pthread_mutex_destroy(&nat->lock);
	free(nat);
}

static int nat_start(void **out, struct own_port *own, struct cause *cause)
{
	const struct switch_config *config = &own->config;
	struct nat *nat = calloc(1, sizeof(*nat));
	int error;

	*out = NULL;
	if (!nat)
		return cause_errno(cause, ENOMEM, "NAT");
	nat->own = own;
	nat->network = (struct nat_network){
		.address = config->address,
		.dns = own->dns,
		.mask = UINT32_MAX << (32 - config->prefix),
		.loopback = config->loopback,
	};
	nat->more = (struct loop_task){ .run = on_input, .arg = nat };
	nat->say = (struct loop_timer){ .fire = say_all, .arg = nat };
	nat->begin_say = (struct loop_task){ .run = begin_say, .arg = nat };
	pthread_mutex_init(&nat->lock, NULL);
	snprintf(nat->state, sizeof(nat->state), "starting");
	error = sandbox_start(&nat->sandbox, &own->served.uplink->loop, &nat_process, config->name,
			      &sandbox_ops, nat, cause);
	if (error) {
		nat_free(nat);
		return cause_prefix(cause, error, "NAT");
	}
	nat->sockets = take_sockets(own->served.uplink);
	*out = nat;
	return 0;
}

/* --- the kind --- */

static const struct own_backend backend = {
	.suffix = "nat",
	.gateway = true,
	.accepts = NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4,
	.ops = &port_ops,
	.start = nat_start,
	.stop = nat_stop,
	.lease_changed = lease_changed,
	.release = nat_free,
};

static bool wanted(const struct switch_config *config)
{
	return config->uplink == &port_nat;
}

static int check(const struct switch_config *config, const struct port_section *section,
		 struct cause *cause)
{
	(void)section;
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
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	(void)section;
	return own_create(out, &port_nat, &backend, uplink, sw, config, cause);
}

static void say_sockets(struct nat *nat, char *text, size_t room)
{
	struct nat_shared *shared = nat->channel ? (void *)nat->channel->shared : NULL;
	uint32_t refused = shared ? atomic_load(&shared->refused) : 0;
	int n = snprintf(text, room, "%u of %u", shared ? atomic_load(&shared->sockets) : 0,
			 nat->sockets);

	if (refused)
		snprintf(text + n, room - (size_t)n, ", %u packets refused a further one", refused);
}

static size_t describe(const struct port *port, struct port_field *out, size_t room)
{
	size_t count = own_describe(port, out, room);
	struct nat *nat = ((const struct own_port *)port)->state;

	pthread_mutex_lock(&nat->lock);
	if (count < room) {
		out[count].name = "nat";
		snprintf(out[count].text, sizeof(out[count].text), "%s", nat->state);
	}
	count++;
	if (count < room) {
		out[count].name = "sockets";
		say_sockets(nat, out[count].text, sizeof(out[count].text));
	}
	count++;
	pthread_mutex_unlock(&nat->lock);
	return count;
}

static const struct profile_key keys[] = {
	{ .key = "loopback", .type = PROFILE_BOOL,
	  .offset = offsetof(struct switch_config, loopback), .standard = "no",
	  .help = "With {Ic uplink=nat}, whether guests reach the services of this host's loopback, "
		  "127.0.0.1, at the switch's address. "
		  "Databases, desktop programs and the like listen there for this host alone and "
		  "often ask for no password, so every guest of the switch must be trusted with "
		  "them. "
		  "Services that listen at the host's other addresses are reached in either case, "
		  "as they are from every machine of its network; a firewall of the host decides "
		  "on them." },
	{ .key = NULL },
};

const struct port_kind port_nat = {
	.name = "nat",
	.leads = "out: connections that guests open leave from this host's own addresses, which "
		 "needs no privileges. "
		 "It is for TCP, UDP and ping over IPv4. "
		 "Fragments, IPv4 options, other protocols and malformed packets are dropped, and "
		 "counted with the reason at the port of the switch, as are packets to addresses "
		 "of no host, to link-local ones, and to this host's loopback; "
		 "data that a guest marks as urgent arrive as ordinary data. "
		 "A process of its own, vmdeck-nat, does this; when it ends, connections are lost, "
		 "and it is started again.",
	.answers = true,
	.forwards = true,
	.keys = keys,
	.wanted = wanted,
	.check = check,
	.create = create,
	.destroy = own_destroy,
	.describe = describe,
	.list_leases = own_list_leases,
	.restore_lease = own_restore_lease,
};
