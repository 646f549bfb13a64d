/* See breaks.h. */
#include "core/deck/breaks.h"

#include <stdlib.h>
#include <string.h>

#include "core/deck/guest_private.h"
#include "net/decode/decode.h"
#include "net/network.h"

static bool is_on(const struct guest *guest, const char *name)
{
	for (unsigned i = 0; guest->profile && i < PROFILE_NETS_MAX; i++)
		if (guest->profile->nets[i] &&
		    strcmp(guest->profile->nets[i]->switch_name, name) == 0)
			return true;
	return false;
}

static void tell(struct breaks *breaks, const char *name, const struct switch_break_info *stop)
{
	struct packet_summary summary;

	if (!stop->data)
		return;
	packet_summarize(stop->data, stop->size, stop->size, &summary);
	journal_emit(&breaks->services->journal, NULL, DECK_EVENT_LOG,
		     "breakpoint of %s: guests of %s are paused; it holds %s > %s %s %s",
		     stop->port, name, summary.from, summary.to, summary.protocol, summary.text);
}

static void stop_guests(struct breaks *breaks, const char *name,
			const struct switch_break_info *stop)
{
	struct guest *guest;

	tell(breaks, name, stop);
	for (size_t i = 0; (guest = roster_guest(breaks->roster, i)); i++)
		if (is_on(guest, name))
			guest_hold(guest, stop->port);
}

static void take_stops(struct breaks *breaks, struct net_switch *sw)
{
	struct switch_break_info stop;

	while (switch_take_stop(sw, &stop)) {
		stop_guests(breaks, switch_get_config(sw)->name, &stop);
		switch_break_free(&stop);
	}
}

static bool is_stopped(const struct breaks *breaks, const char *name)
{
	struct net_switch *sw = network_find_switch(breaks->services->network, name);

	return sw && switch_holds(sw) == SWITCH_STOPPED;
}

/* Whether any switch that it is on waits for a decision. */
static bool is_wanted(const struct breaks *breaks, const struct guest *guest)
{
	for (unsigned i = 0; guest->profile && i < PROFILE_NETS_MAX; i++)
		if (guest->profile->nets[i] &&
		    is_stopped(breaks, guest->profile->nets[i]->switch_name))
			return true;
	return false;
}

static void let_go(const struct breaks *breaks, struct net_switch *sw)
{
	struct guest *guest;

	if (switch_holds(sw) != SWITCH_DECIDED)
		return;
	for (size_t i = 0; (guest = roster_guest(breaks->roster, i)); i++)
		if (guest_is_held(guest) && is_on(guest, switch_get_config(sw)->name))
			return;
	switch_let_go(sw);
}

static void look(void *arg)
{
	struct breaks *breaks = arg;
	struct network *network = breaks->services->network;
	size_t count = network_list_switches(network, NULL, 0);
	struct net_switch **switches = calloc(count + 1, sizeof(struct net_switch *));
	struct guest *guest;

	/* Nobody but this thread adds or removes one. Without memory it looks again at the next. */
	if (switches)
		network_list_switches(network, switches, count);
	for (size_t i = 0; switches && i < count; i++)
		take_stops(breaks, switches[i]);
	for (size_t i = 0; (guest = roster_guest(breaks->roster, i)); i++)
		if (guest_is_held(guest) && !is_wanted(breaks, guest))
			guest_unhold(guest);
	for (size_t i = 0; switches && i < count; i++)
		let_go(breaks, switches[i]);
	free(switches);
}

void breaks_init(struct breaks *breaks, struct deck_services *services,
		 const struct roster *roster)
{
	breaks->services = services;
	breaks->roster = roster;
	breaks->look = (struct loop_task){ .run = look, .arg = breaks };
}

void breaks_poke(struct breaks *breaks)
{
	loop_post(&breaks->services->loop, &breaks->look);
}
