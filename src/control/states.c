/* The states of a guest by name. Any thread. */
#include "control/states.h"

#include <stdio.h>
#include <string.h>

static const char *const names[GUEST_STATE_COUNT] = {
	[GUEST_INVALID] = "invalid",   [GUEST_DEFINED] = "defined",
	[GUEST_STARTING] = "starting", [GUEST_RUNNING] = "running",
	[GUEST_PAUSED] = "paused",     [GUEST_STOPPING] = "stopping",
	[GUEST_STOPPED] = "stopped",   [GUEST_CRASHED] = "crashed",
	[GUEST_FAILED] = "failed",
};

const char *guest_state_name(enum guest_state state)
{
	return names[state];
}

enum guest_state guest_state_find(const char *name)
{
	unsigned state = 0;

	while (state < GUEST_STATE_COUNT && strcmp(names[state], name) != 0)
		state++;
	return (enum guest_state)state;
}

void guest_states_text(uint32_t states, char text[GUEST_STATES_TEXT])
{
	unsigned left = 0;
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < GUEST_STATE_COUNT; i++)
		left += guest_state_in(i, states);
	for (unsigned i = 0; i < GUEST_STATE_COUNT; i++)
		if (guest_state_in(i, states)) {
			left--;
			at += (size_t)snprintf(text + at, GUEST_STATES_TEXT - at, "%s%s", names[i],
					       left > 1 ? ", " : left ? " or " : "");
		}
}
