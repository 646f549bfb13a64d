/*
 * Frames that somebody puts in at a port, as if it had sent them. Any thread but from deliver().
 *
 * Their sender is another port in the same place, which is in no table: it has the first one's
 * addresses and settings, and counters, scratch and a tap of its own, so that the thread that
 * sends from the first one goes on without a turn or a lock. The set's lock, which those hold
 * who change or remove ports, makes injections one at a time and keeps all ports where they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/switch/burst.h"
#include "net/switch/shape.h"

static struct net_port *make_twin(struct net_port *port)
{
	struct net_port *twin = aligned_alloc(CACHE_LINE, sizeof(*twin));

	if (!twin)
		return NULL;
	memset(twin, 0, sizeof(*twin));
	twin->kind = port->kind;
	twin->sw = port->sw;
	twin->slot = port->slot;
	memcpy(twin->addresses, port->addresses, sizeof(twin->addresses));
	memcpy(twin->name, port->name, sizeof(twin->name));
	twin->tap = capture_tap_new(port->sw->set->capture, port->name, port->sw->name,
				    port->addresses[0].mac);
	if (!twin->tap) {
		free(twin);
		return NULL;
	}
	/* No one waits for room on its behalf: what finds none is dropped. */
	twin->releasing = true;
	return twin;
}

void port_free_twin(struct net_port *port)
{
	struct net_port *twin = port->twin;

	if (!twin)
		return;
	port->twin = NULL;
	capture_tap_remove(twin->tap);
	free(twin->scratch);
	free(twin->vlans);
	free(twin);
}

static void pass(struct net_port *twin, const struct net_frame *frame,
		 struct switch_injected *out)
{
	const struct port_shape *shape = port_shape(twin);
	struct burst burst;

	burst_begin(&burst, twin, frame, 1);
	if (shape)
		shape_check(&burst, shape);
	burst_pass(&burst);
	out->verdict = burst.verdicts[0];
	*out->to = '\0';
	if (out->verdict == NET_FORWARD && burst.to[0])
		memcpy(out->to, burst.to[0]->name, sizeof(out->to));
	burst_end(&burst);
}

int port_put_frame(struct net_port *port, const struct net_frame *frame,
		struct switch_injected *out, struct cause *cause)
{
	struct net_port *twin;

	if (!port->twin)
		port->twin = make_twin(port);
	twin = port->twin;
	if (!twin)
		return cause_errno(cause, ENOMEM, "%s", port->name);
	atomic_store(&twin->ip, atomic_load(&port->ip));
	atomic_store(&twin->shape, atomic_load(&port->shape));
	pass(twin, frame, out);
	/* It is the first one's, which may replace it. */
	atomic_store(&twin->shape, NULL);
	return 0;
}
