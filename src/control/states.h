/*
 * The states of a guest, for the core that keeps them and for whoever hears of
 * them by name. Any thread.
 *
 * defined -> starting -> running <-> paused -> stopping -> stopped, or crashed;
 * failed: it could not be started; invalid: the profile has mistakes.
 */
#ifndef CONTROL_STATES_H
#define CONTROL_STATES_H

#include <stdbool.h>
#include <stdint.h>

enum guest_state {
	GUEST_INVALID, GUEST_DEFINED, GUEST_STARTING, GUEST_RUNNING, GUEST_PAUSED,
	GUEST_STOPPING, GUEST_STOPPED, GUEST_CRASHED, GUEST_FAILED,
	GUEST_STATE_COUNT
};

/* Sets of states, as bits. */
#define GUEST_IN(state) (1u << (state))

/* A machine stands. */
#define GUEST_ALIVE (GUEST_IN(GUEST_STARTING) | GUEST_IN(GUEST_RUNNING) | \
		     GUEST_IN(GUEST_PAUSED) | GUEST_IN(GUEST_STOPPING))

/* It stands for some time; what is said of it then is what is wrong. */
#define GUEST_GOES_ON (GUEST_IN(GUEST_RUNNING) | GUEST_IN(GUEST_PAUSED))

/* A machine stood and ended, or could not be made. */
#define GUEST_ENDED (GUEST_IN(GUEST_STOPPED) | GUEST_IN(GUEST_CRASHED) | GUEST_IN(GUEST_FAILED))

/* It can be started. */
#define GUEST_DOWN (GUEST_IN(GUEST_DEFINED) | GUEST_ENDED)

/* It wants looking after. */
#define GUEST_BAD (GUEST_IN(GUEST_INVALID) | GUEST_IN(GUEST_CRASHED) | GUEST_IN(GUEST_FAILED))

/* Whether a state is in a set; GUEST_STATE_COUNT is in none. */
static inline bool guest_state_in(enum guest_state state, uint32_t states)
{
	return states >> state & 1;
}

/* "running", ... */
const char *guest_state_name(enum guest_state state);

/* GUEST_STATE_COUNT for a name that is none. */
enum guest_state guest_state_find(const char *name);

/* "running, paused or stopping" */
#define GUEST_STATES_TEXT 128 /* bytes that hold every set */
void guest_states_text(uint32_t states, char text[GUEST_STATES_TEXT]);

#endif
