/*
 * A guest that is paused because a port of its switch has stopped a frame, as long as nobody has
 * given it another order. Deck thread.
 */
#include <stdio.h>

#include "core/deck/guest_private.h"

void guest_hold(struct guest *guest, const char *port)
{
	if (guest->hold != NOT_HELD || guest->life.state != GUEST_RUNNING || guest->off ||
	    machine_order(guest->machine, METHOD_GUEST_PAUSE))
		return;
	guest->hold = HELD_SOON;
	snprintf(guest->held, sizeof(guest->held), "%s", port);
}

bool guest_is_held(const struct guest *guest)
{
	return guest->hold != NOT_HELD;
}

/* While it is not seen to be paused that is still to come, and then it is asked again. */
void guest_unhold(struct guest *guest)
{
	if (guest->hold != HELD_PAUSED || machine_order(guest->machine, METHOD_GUEST_RESUME))
		return;
	guest->hold = HELD_NO_MORE;
}

/* Where a pause that was ordered got lost, or may still come after a restart. */
static enum guest_hold let_be(const struct guest *guest)
{
	if (guest->hold == HELD_SOON)
		machine_order(guest->machine, METHOD_GUEST_RESUME);
	return NOT_HELD;
}

static enum guest_hold next_hold(const struct guest *guest, const struct machine_status *status)
{
	switch (status->phase) {
	case MACHINE_PAUSED:
		/* For want of something of its own it stays. */
		if (*status->stall)
			return NOT_HELD;
		return guest->hold == HELD_SOON ? HELD_PAUSED : guest->hold;
	case MACHINE_RUNNING:
		return guest->hold == HELD_SOON && status->restarts == guest->life.restarts ?
		       HELD_SOON : let_be(guest);
	case MACHINE_STARTING:
		return guest->hold == HELD_SOON ? HELD_SOON : NOT_HELD;
	default:
		return NOT_HELD;
	}
}

void guest_follow_hold(struct guest *guest, const struct machine_status *status)
{
	enum guest_hold before = guest->hold;

	if (before == NOT_HELD)
		return;
	guest->hold = next_hold(guest, status);
	if (guest->hold != before)
		guest->services->hold_changed(guest->services->arg);
}
