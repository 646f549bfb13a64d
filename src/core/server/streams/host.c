/*
 * The host, and all guests of the deck together: values that changed, at each client's own
 * interval. Deck thread.
 *
 * They are rounded to what somebody can see, so that a host at rest sends nothing.
 */
#include "core/server/streams/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/host_load.h"
#include "base/host_memory.h"
#include "control/fields.h"
#include "control/message.h"

#define MIB (1u << 20)
#define UNKNOWN (-1.0)
#define FIRST_NS (250 * NS_PER_MS)

struct host_subscription {
	struct subscription base;
	struct deck *deck;
	struct loop_timer timer;
	uint64_t interval; /* ns */
	unsigned cpus;
	struct host_load load; /* read last */
	double sent[HOST_FIELDS]; /* UNKNOWN: not yet, or the kernel does not tell */
};

static struct host_subscription *of(struct subscription *base)
{
	return container_of(base, struct host_subscription, base);
}

static void cancel(struct subscription *base)
{
	struct host_subscription *host = of(base);

	if (base->peer)
		loop_timer_cancel(base->peer->peers->loop, &host->timer);
	free(host);
}

/* A multiple of step, which is exact in JSON. */
static double rounded(double value, double step)
{
	return (double)(uint64_t)(value / step + 0.5) * step;
}

/* To tenths, that are left to JSON. */
static double tenths(double percent)
{
	return percent < 0 ? UNKNOWN : (double)(uint64_t)(percent * 10 + 0.5) / 10;
}

static void add_guests(struct deck *deck, double values[HOST_FIELDS])
{
	static const struct {
		enum host_field sum;
		enum stats_field field;
	} sums[] = {
		{ HOST_GUESTS_CPU, STATS_CPU },	       { HOST_GUESTS_MEMORY, STATS_MEMORY },
		{ HOST_GUESTS_READ, STATS_DISK_READ }, { HOST_GUESTS_WRITE, STATS_DISK_WRITE },
		{ HOST_GUESTS_IN, STATS_NET_IN },      { HOST_GUESTS_OUT, STATS_NET_OUT },
	};
	struct guest *guest;

	for (size_t n = 0; (guest = deck_guest(deck, n)); n++) {
		const struct stats_series *series = guest_stats(guest);

		if (!series || !guest_state_in(guest_get_state(guest), GUEST_ALIVE))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
			values[sums[i].sum] += (double)stats_last(series, sums[i].field);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		values[sums[i].sum] = rounded(values[sums[i].sum],
					      sums[i].sum == HOST_GUESTS_MEMORY ? MIB : 1);
}

static void collect(struct host_subscription *host, double values[HOST_FIELDS])
{
	struct host_load load;
	struct host_memory memory;

	host_load_read(&load, "");
	host_memory_read(&memory, "");
	values[HOST_CPU] = rounded(host_load_cpu(&host->load, &load, host->cpus), 1);
	values[HOST_AVAILABLE] = memory.total ? rounded((double)memory.available, MIB) : UNKNOWN;
	values[HOST_CPU_PRESSURE] = tenths(load.cpu_pressure);
	values[HOST_MEMORY_PRESSURE] = tenths(load.memory_pressure);
	values[HOST_IO_PRESSURE] = tenths(load.io_pressure);
	add_guests(host->deck, values);
	host->load = load;
}

/* Those that changed since they were sent, or NULL. */
static json_t *changed_values(struct host_subscription *host)
{
	double values[HOST_FIELDS] = { 0 };
	json_t *changed = NULL;

	collect(host, values);
	for (unsigned i = 0; i < HOST_FIELDS; i++) {
		if (values[i] == host->sent[i])
			continue;
		host->sent[i] = values[i];
		if (!changed)
			changed = json_object();
		json_object_set_new_nocheck(changed, host_field_name(i),
					    values[i] == (double)(json_int_t)values[i] ?
					    json_integer((json_int_t)values[i]) :
					    json_real(values[i]));
	}
	return changed;
}

static void tick(void *arg)
{
	struct host_subscription *host = arg;
	struct peer *peer = host->base.peer;
	json_t *values;

	loop_timer_set_aligned(peer->peers->loop, &host->timer, host->interval);
	if (!peer_may_notify(peer))
		return;
	values = changed_values(host);
	if (values)
		peer_send(peer, message_notification("host", json_pack(
			"{s:I, s:I, s:o}", "subscription", (json_int_t)host->base.id, "time",
			(json_int_t)clock_wall(), "values", values))); /* may end it */
}

/* The first values come a little later: of the CPUs two readings are needed. */
static int subscribe(struct request *request, struct cause *cause)
{
	struct host_subscription *host = calloc(1, sizeof(*host));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct host_memory memory;
	int error;

	if (!host)
		return cause_errno(cause, ENOMEM, "host.subscribe");
	host->base.kind = METHOD_HOST_SUBSCRIBE;
	host->base.cancel = cancel;
	host->deck = request->deck;
	host->cpus = cpus > 0 ? (unsigned)cpus : 1;
	host->interval = param_integer(request, "interval_ms", 1000) * NS_PER_MS;
	host->timer = (struct loop_timer){ .fire = tick, .arg = host };
	for (unsigned i = 0; i < HOST_FIELDS; i++)
		host->sent[i] = UNKNOWN;
	host_load_read(&host->load, "");
	host_memory_read(&memory, "");
	error = peer_subscribe(request->peer, &host->base, cause);
	if (error < 0) {
		cancel(&host->base);
		return error;
	}
	request->result = json_pack("{s:I, s:i, s:I, s:b}", "subscription",
				    (json_int_t)host->base.id, "cpus", (int)host->cpus, "memory",
				    (json_int_t)memory.total, "kvm",
				    access("/dev/kvm", R_OK | W_OK) == 0);
	loop_timer_set(request->server->loop, &host->timer,
		       host->interval < FIRST_NS ? host->interval : FIRST_NS);
	return 0;
}

static int cancel_request(struct request *request, struct cause *cause)
{
	return peer_cancel(request->peer, param_integer(request, "subscription", 0),
			   METHOD_HOST_SUBSCRIBE, cause);
}

static const struct handler handlers[] = {
	{ METHOD_HOST_SUBSCRIBE, .run = subscribe },
	{ METHOD_HOST_CANCEL, .run = cancel_request },
	HANDLERS_END
};

const struct stream_kind host_stream = {
	.handlers = handlers,
};
