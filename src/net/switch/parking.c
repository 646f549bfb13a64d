/* See parking.h. */
#include "net/switch/parking.h"

#include <stdlib.h>

/* From the first frame that stays on; it is as large as a port, and most have none. */
static struct parking *parking_of(struct net_port *sender)
{
	if (!sender->parking)
		sender->parking = calloc(1, sizeof(*sender->parking));
	return sender->parking;
}

bool parking_park(struct burst *burst, const struct net_port *to, unsigned index)
{
	struct parking *parking = parking_of(burst->sender);

	if (!parking || port_set_has(&parking->stuck, to->slot))
		return false;
	if (burst->expired >> index & 1) {
		port_set_add(&parking->late, to->slot);
		parking->is_late = true;
		return false;
	}
	port_set_add(&parking->held, to->slot);
	burst->parked |= 1ull << index;
	return true;
}

void parking_settle(struct net_port *sender)
{
	struct parking *parking = sender->parking;

	if (!parking || !parking->is_late)
		return;
	for (unsigned i = 0; i < NET_PORTS_MAX / 64; i++) {
		parking->stuck.bits[i] |= parking->late.bits[i] & ~parking->took.bits[i];
		parking->took.bits[i] &= ~parking->late.bits[i];
		parking->late.bits[i] = 0;
	}
	parking->is_late = false;
}

uint64_t switch_patience(const struct net_port *port)
{
	return port->sw->patience;
}

void switch_offer_again(struct net_port *port)
{
	if (port->parking)
		port->parking->held = (struct port_set){ { 0 } };
}

bool switch_holds(const struct net_port *port, uint32_t slot)
{
	return parking_holds(port, slot);
}

void switch_resume(struct net_port *port, const struct port_set *senders)
{
	struct net_port *to;
	struct burst burst;

	burst_begin(&burst, port, NULL, 0);
	for (uint32_t slot = 0; (to = burst_next(&burst, senders, &slot)); slot++)
		if (to->ops.resume)
			to->ops.resume(to->backend);
	burst_end(&burst);
}
