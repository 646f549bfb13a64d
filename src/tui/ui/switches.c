/* See switches.h. */
#include "tui/ui/switches.h"

#include "base/clock.h"
#include "tui/ui/held.h"

static void listed(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;

	deck->switches_asked = false;
	if (error)
		tui_fail(deck->tui, error);
	else
		netmodel_switches(&deck->network, result, clock_monotonic());
	tui_dirty(deck->tui);
}

void switches_ask(struct tui_deck *deck)
{
	if (!deck->switches_asked)
		deck->switches_asked = tui_call(deck, "switch.list", NULL, listed, deck);
	held_ask(deck);
}
