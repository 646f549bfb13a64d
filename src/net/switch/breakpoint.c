/*
 * Breakpoints of ports: setting them, looking at what they hold, deciding about it. Any thread but
 * from deliver(); nothing here is on a frame's way, but that what is held goes on from here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/switch/burst.h"
#include "net/switch/shape.h"

static int no_memory(const struct net_port *port, struct cause *cause)
{
	return cause_errno(cause, ENOMEM, "%s: its breakpoint", port->name);
}

/* Has the port look at what it has for a breakpoint from here on. */
static int reshape(struct net_port *port, struct cause *cause)
{
	struct net_port_settings settings;

	port_settings(port, &settings);
	return port_configure(port, &settings, cause);
}

static int make_hold(struct net_port *port, struct cause *cause)
{
	int error;

	port->hold = hold_new();
	if (!port->hold)
		return no_memory(port, cause);
	atomic_store(&port->shared, true);
	error = reshape(port, cause);
	if (!error)
		return 0;
	hold_free(port->hold);
	port->hold = NULL;
	return error;
}

/* Once nothing is held any more, of one that was taken away. */
static void unmake_hold(struct net_port *port)
{
	struct hold *hold = port->hold;
	struct cause cause;

	port->hold = NULL;
	if (reshape(port, &cause))
		port->hold = hold; /* it lets everything go by */
	else
		hold_free(hold);
}

int port_set_break(struct net_port *port, struct filter *filter, const char *words,
		   struct cause *cause)
{
	char *copy = words ? strdup(words) : NULL;
	int error = words && !copy ? no_memory(port, cause) : 0;

	if (!error && words)
		error = port_make_kept(port, cause);
	if (!error && words && !port->hold)
		error = make_hold(port, cause);
	if (error) {
		free(copy);
		return error;
	}
	if (!port->hold)
		return 0;
	hold_set(port->hold, filter, copy);
	if (filter)
		*filter = (struct filter){ 0 };
	if (!words && hold_state(port->hold) == HOLD_EMPTY)
		unmake_hold(port);
	return 0;
}

int port_restore_break(struct net_port *port, struct cause *cause)
{
	struct net_port_kept *kept = port->kept ? *port->kept : NULL;
	int error;

	if (!kept || !kept->words)
		return 0;
	error = port_set_break(port, &kept->filter, kept->words, cause);
	if (error)
		return error;
	free(kept->words);
	kept->words = NULL;
	return 0;
}

void port_keep_break(struct net_port *port)
{
	struct net_port_kept *kept = port->kept ? *port->kept : NULL;

	if (kept && !kept->words)
		hold_give_up(port->hold, &kept->filter, &kept->words);
}

static void let_go(struct net_port *port)
{
	struct burst burst;

	/* Of one that holds something the sender is known to take turns. */
	if (!port->hold || hold_state(port->hold) != HOLD_READY)
		return;
	burst_begin(&burst, port, NULL, 0);
	port->releasing = true;
	shape_let_go(&burst, port_shape(port));
	port->releasing = false;
	burst_end(&burst);
	if (!port->hold->words && hold_state(port->hold) == HOLD_EMPTY)
		unmake_hold(port);
}

/* The port with a breakpoint that comes next, from the slot on, or NULL. */
static struct net_port *next_break(const struct net_switch *sw, uint32_t *slot)
{
	while (*slot < atomic_load(&sw->bound)) {
		struct net_port *port = atomic_load(&sw->ports[(*slot)++]);

		if (port && port->hold)
			return port;
	}
	return NULL;
}

void switch_let_go(struct net_switch *sw)
{
	struct net_port *port;
	uint32_t slot = 0;

	pthread_mutex_lock(&sw->set->lock);
	while ((port = next_break(sw, &slot)))
		let_go(port);
	pthread_mutex_unlock(&sw->set->lock);
}

enum switch_holds switch_holds(struct net_switch *sw)
{
	enum switch_holds holds = SWITCH_HOLDS_NOTHING;
	struct net_port *port;
	uint32_t slot = 0;

	pthread_mutex_lock(&sw->set->lock);
	while ((port = next_break(sw, &slot))) {
		enum hold_state state = hold_state(port->hold);

		if (state == HOLD_STOPPED)
			holds = SWITCH_STOPPED;
		else if (state == HOLD_READY && holds == SWITCH_HOLDS_NOTHING)
			holds = SWITCH_DECIDED;
	}
	pthread_mutex_unlock(&sw->set->lock);
	return holds;
}

/* Lock of the hold held. Without memory for it nothing is said of the frame. */
static void describe_first(const struct hold *hold, struct switch_break_info *out)
{
	const struct held_frame *first = hold->first;

	out->data = malloc(first->frame.size);
	if (!out->data)
		return;
	out->size = net_frame_copy(out->data, &first->frame, first->frame.size);
	out->since = first->since;
	out->behind = hold->count - 1;
	out->decided = !hold->stopped;
}

static void describe(const struct net_port *port, struct switch_break_info *out)
{
	struct hold *hold = port->hold;

	memset(out, 0, sizeof(*out));
	memcpy(out->port, port->name, sizeof(port->name));
	pthread_mutex_lock(&hold->lock);
	out->words = hold->words ? strdup(hold->words) : NULL;
	if (hold->first)
		describe_first(hold, out);
	pthread_mutex_unlock(&hold->lock);
}

bool switch_take_stop(struct net_switch *sw, struct switch_break_info *out)
{
	struct net_port *port;
	bool taken = false;
	uint32_t slot = 0;

	pthread_mutex_lock(&sw->set->lock);
	while (!taken && (port = next_break(sw, &slot))) {
		struct hold *hold = port->hold;

		pthread_mutex_lock(&hold->lock);
		taken = hold->stopped && !hold->told;
		hold->told |= taken;
		pthread_mutex_unlock(&hold->lock);
		if (taken)
			describe(port, out);
	}
	pthread_mutex_unlock(&sw->set->lock);
	return taken;
}

size_t switch_list_breaks(struct net_switch *sw, struct switch_break_info *out, size_t room)
{
	struct net_port *port;
	uint32_t slot = 0;
	size_t count = 0;

	pthread_mutex_lock(&sw->set->lock);
	for (; (port = next_break(sw, &slot)); count++)
		if (count < room)
			describe(port, &out[count]);
	pthread_mutex_unlock(&sw->set->lock);
	return count;
}

void switch_break_free(struct switch_break_info *info)
{
	free(info->words);
	free(info->data);
}
