/* What may be done to a guest as it is. Deck thread. */
#include <errno.h>

#include "core/deck/guest.h"
#include "core/profile/report.h"

/* One that was reset, by itself or not, counts as running also between two of its starts. */
static enum guest_state state_for_orders(const struct guest *guest)
{
	enum guest_state state = guest_get_state(guest);

	return (state == GUEST_STARTING && guest_restarts(guest)) ||
	       (state == GUEST_STOPPING && (guest_is_looping(guest) || guest_is_resetting(guest)))
		       ? GUEST_RUNNING : state;
}

int guest_check_state(const struct guest *guest, const struct method *method, struct cause *cause)
{
	const struct profile_report *report = guest_mistakes(guest);
	enum guest_state state = state_for_orders(guest);
	char first[CAUSE_SIZE];

	if (state != GUEST_INVALID || !method->states || !report->count)
		return method_check_state(method, guest_name(guest), state, cause);
	profile_report_first(first, sizeof(first), guest_profile_path(guest), report);
	return cause_set(cause, EBUSY, "%s: its profile has mistakes: %.380s%s%s%s",
			 guest_name(guest), first, report->count > 1 ? "; 'vmdeck show " : "",
			 report->count > 1 ? guest_name(guest) : "",
			 report->count > 1 ? "' lists them" : "");
}
