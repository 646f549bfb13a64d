/* Setting ports. Any thread but from deliver(); nothing here is on a frame's way. */
#include "net/switch/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"

static bool is_plain(const struct net_port_settings *settings)
{
	static const struct net_port_settings plain;

	return memcmp(settings, &plain, sizeof(plain)) == 0;
}

int port_shape_new(struct port_shape **out, const struct net_port_settings *settings)
{
	*out = NULL;
	if (is_plain(settings))
		return 0;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->settings = *settings;
	return 0;
}

void port_shape_free(struct port_shape *shape)
{
	free(shape);
}

void port_settings(const struct net_port *port, struct net_port_settings *out)
{
	const struct port_shape *shape = port_shape(port);

	if (shape)
		*out = shape->settings;
	else
		memset(out, 0, sizeof(*out));
}

int switch_port_set(struct net_port *port, const struct net_port_settings *settings)
{
	struct switch_set *set = port->sw->set;
	int error;

	pthread_mutex_lock(&set->lock);
	error = port_configure(port, settings);
	pthread_mutex_unlock(&set->lock);
	return error;
}

int port_configure(struct net_port *port, const struct net_port_settings *settings)
{
	bool was_unplugged = port_is_unplugged(port), unplugged;
	struct port_shape *shape, *old;
	int error = port_shape_new(&shape, settings);

	if (error)
		return error;
	/* In one order with the marks of senders: who has begun before may see the old one. */
	old = atomic_exchange_explicit(&port->shape, shape, memory_order_seq_cst);
	switch_wait_for_senders(port->sw, port);
	port_shape_free(old);
	unplugged = port_is_unplugged(port);
	if (unplugged != was_unplugged && port->ops.link)
		port->ops.link(port->backend, !unplugged);
	return 0;
}

/* The port that comes next of all switches'; *sw and *slot are where to go on. Or NULL. */
static struct net_port *next_port(const struct net_switch **sw, uint32_t *slot)
{
	for (; *sw; *sw = (*sw)->next, *slot = 0) {
		while (*slot < atomic_load(&(*sw)->bound)) {
			struct net_port *port = atomic_load_explicit(&(*sw)->ports[(*slot)++],
								     memory_order_acquire);

			if (port)
				return port;
		}
	}
	return NULL;
}

struct net_port *switch_find_port(const struct switch_set *set, const char *name)
{
	const struct net_switch *sw = set->switches;
	struct net_port *port;
	uint32_t slot = 0;

	do
		port = next_port(&sw, &slot);
	while (port && strcmp(port->name, name) != 0);
	return port;
}

void switch_suggest_port(const struct switch_set *set, struct suggestion *suggestion)
{
	const struct net_switch *sw = set->switches;
	struct net_port *port;
	uint32_t slot = 0;

	while ((port = next_port(&sw, &slot)))
		suggest_offer(suggestion, port->name);
}
