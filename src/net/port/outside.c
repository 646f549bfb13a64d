/* See outside.h. */
#include "net/port/outside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "net/port/probe.h"

#define AGAIN (1 * NS_PER_S)
#define SAID_AGAIN (60 * NS_PER_S) /* what fails over and over is not said over and over */
#define REASON_SIZE 256
#define PAUSE (30 * NS_PER_S) /* of one that is part of a loop */

static void set_state(struct outside *outside, const char *format, va_list args)
{
	char text[sizeof(outside->state)];

	sentence_format(text, sizeof(text), format, args);
	pthread_mutex_lock(&outside->lock);
	memcpy(outside->state, text, sizeof(text));
	pthread_mutex_unlock(&outside->lock);
}

static void set_link(struct outside *outside, bool up)
{
	struct net_port *net_port = outside_net_port(outside);

	if (net_port)
		switch_port_accepts(net_port, up && !outside->blocked ? outside->ops->accepts :
							   NET_ACCEPTS_NOTHING);
}

/* Whether it is time to say something that may come again soon. */
static bool is_time(struct outside *outside)
{
	uint64_t now = clock_monotonic();

	if (outside->said_when && now - outside->said_when < SAID_AGAIN)
		return false;
	outside->said_when = now;
	return true;
}

void outside_up(struct outside *outside, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_state(outside, format, args);
	va_end(args);
	outside->up = true;
	set_link(outside, true);
	if (outside->said)
		uplink_notice(outside->served.uplink, "switch %s: %s works again: %s",
			      outside->switch_name, outside->name, outside->state);
	outside->said = false;
}

void outside_waits(struct outside *outside, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_state(outside, format, args);
	va_end(args);
	outside->up = false;
	set_link(outside, false);
}

void outside_tell(struct outside *outside, const char *format, ...)
{
	char text[REASON_SIZE];
	va_list args;

	if (!is_time(outside))
		return;
	va_start(args, format);
	sentence_format(text, sizeof(text), format, args);
	va_end(args);
	uplink_notice(outside->served.uplink, "switch %s: %s: %s", outside->switch_name,
		      outside->name, text);
}

void outside_down(struct outside *outside, const char *format, ...)
{
	char text[REASON_SIZE];
	va_list args;

	va_start(args, format);
	set_state(outside, format, args);
	va_end(args);
	outside->up = false;
	set_link(outside, false);
	outside->ops->close(outside);
	if (outside->stopped)
		return;
	loop_timer_set(&outside->served.uplink->loop, &outside->again, AGAIN);
	if (outside->said || !is_time(outside))
		return;
	va_start(args, format);
	sentence_format(text, sizeof(text), format, args);
	va_end(args);
	uplink_notice(outside->served.uplink, "switch %s: %s: %s; it is tried again every second",
		      outside->switch_name, outside->name, text);
	outside->said = true;
}

/* --- loops --- */

static void send_probe(struct outside *outside, struct net_port *net_port)
{
	uint8_t probe[PROBE_SIZE];
	const struct net_frame frame = { .head = probe, .head_size = PROBE_SIZE,
					 .size = PROBE_SIZE };

	probe_write(&outside->served.uplink->probes, clock_monotonic(), probe, outside->switch_name,
		    outside->name);
	switch_output(net_port, &frame);
}

static void end_pause(void *arg)
{
	struct outside *outside = arg;

	outside->blocked = false;
	set_link(outside, outside->up);
}

/* What goes out by another port comes in here: of the two this one is switched off. */
static void break_loop(struct outside *outside, struct net_port *net_port, const char *other)
{
	if (!switch_take_flaps(net_port))
		return; /* it has been broken already, elsewhere */
	outside->blocked = true;
	set_link(outside, false);
	loop_timer_set(&outside->served.uplink->loop, &outside->pause, PAUSE);
	outside_tell(outside, "switched off for %u s, again and again: what leaves by %s comes back "
		     "here, so that there is a loop", (unsigned)(PAUSE / NS_PER_S), other);
}

/* Whether a frame that has come is to be kept away from the switch. */
static bool is_unwanted(struct outside *outside, size_t size)
{
	struct net_port *net_port = outside_net_port(outside);
	char other[NAME_SIZE];

	if (!outside->blocked &&
	    probe_read(&outside->served.uplink->probes, clock_monotonic(),
		       served_frame(&outside->served), size, outside->switch_name, other)) {
		if (net_port)
			break_loop(outside, net_port, other);
		return true;
	}
	if (outside->blocked && net_port)
		switch_port_refuse(net_port, NET_DROP_LINK_DOWN);
	return outside->blocked;
}

void outside_commit(struct outside *outside, size_t size, const struct net_offload *offload)
{
	if (outside->wary && size && is_unwanted(outside, size))
		size = 0;
	served_commit(&outside->served, size, offload);
}

void outside_flush(struct outside *outside)
{
	struct net_port *net_port = outside_net_port(outside);
	uint32_t flaps = net_port ? switch_flaps(net_port) : 0;

	served_flush(&outside->served);
	if (flaps == outside->flaps)
		return;
	outside->flaps = flaps;
	outside->wary = true;
	if (outside->up && !outside->blocked)
		send_probe(outside, net_port);
}

bool outside_wants(const void *owner, const struct net_frame *frame)
{
	(void)owner;
	(void)frame;
	return true;
}

enum net_verdict outside_admit(const void *owner, struct inbox_frame *frame)
{
	(void)owner;
	(void)frame;
	return NET_FORWARD;
}

void outside_begin(void *owner)
{
	(void)owner;
}

/* --- opening --- */

static void end_opening(struct outside *outside)
{
	loop_remove(&outside->served.uplink->loop, &outside->opening);
	if (outside->status_fd >= 0)
		close(outside->status_fd);
	outside->status_fd = -1;
}

static void on_opened(void *arg, uint32_t events)
{
	struct outside *outside = arg;
	enum opener_step step;
	int fd = opening_take(outside->status_fd, &step);
	char reason[REASON_SIZE];

	(void)events;
	if (fd == -EAGAIN)
		return;
	end_opening(outside);
	if (fd >= 0) {
		outside->ops->opened(outside, fd);
		return;
	}
	outside->ops->explain(outside, step, -fd, reason, sizeof(reason));
	outside_down(outside, "%s", reason);
}

static void open_it(void *arg)
{
	struct outside *outside = arg;
	struct opener_order order = { 0 };
	struct cause cause;
	int error = outside->ops->order(outside, &order, &cause);

	if (!error)
		error = outside->status_fd = opening_start(&order, &cause);
	if (error >= 0) {
		error = loop_add(&outside->served.uplink->loop, &outside->opening,
				 outside->status_fd, EPOLLIN, on_opened, outside);
		if (error < 0)
			cause_errno(&cause, -error, "it cannot be waited for");
	} else {
		outside->status_fd = -1;
	}
	if (error < 0) {
		end_opening(outside);
		outside_down(outside, "%s", cause.text);
	}
}

/* --- the port --- */

static void start(void *arg)
{
	open_it(arg);
}

static void stop(void *arg)
{
	struct outside *outside = arg;

	outside->stopped = true;
	loop_timer_cancel(&outside->served.uplink->loop, &outside->again);
	loop_timer_cancel(&outside->served.uplink->loop, &outside->pause);
	end_opening(outside);
	outside->ops->close(outside);
	served_close(&outside->served);
}

/* Valid on a half-built one. */
static void outside_free(struct outside *outside)
{
	if (outside->ops->release)
		outside->ops->release(outside);
	served_destroy(&outside->served);
	pthread_mutex_destroy(&outside->lock);
	free(outside);
}

static int plug_in(struct outside *outside, struct net_switch *sw, struct cause *cause)
{
	char name[NET_PORT_NAME_MAX];
	const struct net_port_config config = { .name = name, .kind = outside->port.kind->name,
						.accepts = NET_ACCEPTS_NOTHING,
						.settings = &outside->port.section->settings };

	snprintf(name, sizeof(name), "%s/%s", outside->switch_name, outside->name);
	return served_plug_in(&outside->served, sw, &config, outside->ops->port, outside, cause);
}

int outside_create(struct port **out, size_t size, const struct port_kind *kind,
		   const struct outside_ops *ops, struct uplink *uplink, struct net_switch *sw,
		   const struct switch_config *config, const struct port_section *section,
		   int (*prepare)(struct outside *outside, struct cause *cause),
		   struct cause *cause)
{
	struct outside *outside = calloc(1, size);
	int error;

	if (!outside)
		return cause_errno(cause, ENOMEM, "port");
	outside->port = (struct port){ .kind = kind, .section = section };
	outside->ops = ops;
	outside->switch_name = config->name;
	outside->status_fd = -1;
	outside->again = (struct loop_timer){ .fire = open_it, .arg = outside };
	outside->pause = (struct loop_timer){ .fire = end_pause, .arg = outside };
	port_section_name(section, outside->name);
	pthread_mutex_init(&outside->lock, NULL);
	snprintf(outside->state, sizeof(outside->state), "starting");
	error = served_init(&outside->served, uplink, ops->inbox, outside);
	if (error)
		cause_errno(cause, -error, "port");
	if (!error && prepare)
		error = prepare(outside, cause);
	if (!error)
		error = plug_in(outside, sw, cause);
	if (error) {
		outside_free(outside);
		return error;
	}
	uplink_call(uplink, start, outside);
	*out = &outside->port;
	return 0;
}

void outside_destroy(struct port *port)
{
	struct outside *outside = outside_of(port);

	uplink_call(outside->served.uplink, stop, outside);
	served_unplug(&outside->served);
	outside_free(outside);
}

size_t outside_describe(const struct port *port, struct port_field *out, size_t room)
{
	struct outside *outside = outside_of(port);

	if (!room)
		return 1;
	out->name = "state";
	pthread_mutex_lock(&outside->lock);
	snprintf(out->text, sizeof(out->text), "%s", outside->blocked ?
		 "switched off for a while, because of a loop" : outside->state);
	pthread_mutex_unlock(&outside->lock);
	return 1;
}
