/* See parking.h. */
#include "net/switch/parking.h"

#include <stdlib.h>

/* From the first frame that stays on, which goes to slot; it is large, and most have none. */
static struct parking *parking_of(struct net_port *sender, uint32_t slot)
{
	if (!sender->parking) {
		sender->parking = calloc(1, sizeof(*sender->parking));
		if (sender->parking)
			sender->parking->last = slot;
	}
	return sender->parking;
}

/* Counts of receivers that are not held are old. */
static unsigned count_of(const struct parking *parking, uint32_t slot)
{
	return port_set_has(&parking->held, slot) ? parking->counts[slot] : 0;
}

static void hold(struct parking *parking, uint32_t slot)
{
	parking->counts[slot] = (uint16_t)(count_of(parking, slot) + 1);
	port_set_add(&parking->held, slot);
}

bool parking_park(struct burst *burst, const struct net_port *to, unsigned index)
{
	struct parking *parking = parking_of(burst->sender, to->slot);

	if (!parking || port_set_has(&parking->stuck, to->slot) ||
	    (parking->mixed && count_of(parking, to->slot) >= burst->stay->share))
		return false;
	if (burst->stay->expired >> index & 1) {
		port_set_add(&parking->late, to->slot);
		parking->is_late = true;
		return false;
	}
	hold(parking, to->slot);
	burst->parked |= 1ull << index;
	return true;
}

void parking_settle(struct net_port *sender)
{
	struct parking *parking = sender->parking;

	if (!parking)
		return;
	parking->mixed -= parking->mixed != 0;
	if (!parking->is_late)
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

bool switch_stays_on(struct net_port *port, uint32_t slot)
{
	if (!parking_holds(port, slot))
		return false;
	hold(port->parking, slot);
	return true;
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
