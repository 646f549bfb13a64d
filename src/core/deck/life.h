/*
 * The life of a guest: its state and its restarts, and what the journal was told
 * of them. Deck thread.
 *
 * Each change and each restart is news. Of a guest that resets itself over and
 * over, however, a state is told when it has lasted, and restarts are counted in
 * one line now and then.
 */
#ifndef CORE_DECK_LIFE_H
#define CORE_DECK_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/states.h"
#include "core/deck/services.h"

struct life {
	struct deck_services *services;
	const struct guest *guest; /* whom events are about */
	enum guest_state state, told; /* told: what the last event named */
	uint64_t since; /* ns, CLOCK_REALTIME */
	uint64_t pressed; /* the same, of the power button; 0: not since it runs */
	bool press_untold; /* until a paused guest has been resumed to see it */
	unsigned restarts, restarts_told;
	uint64_t restarted, restart_line; /* the last one; what was last said of any: monotonic ns */
	bool restarts_quickly;	   /* changes of state are told when one lasts */
	struct cause remark;	   /* so is what is wrong with the guest that runs; or empty */
	struct loop_timer settled; /* the state has lasted */
	struct loop_timer line;	   /* time to say how many restarts there were since the last one */
};

/* Sets up a life, in a state that is not told. */
void life_init(struct life *life, struct deck_services *services, const struct guest *guest,
	       enum guest_state state);

/* What its profile makes of one that is not alive; no event. */
void life_read(struct life *life, enum guest_state state);

/* The guest is started: no restarts yet. */
void life_begin(struct life *life);

/* It has been built again, for the reason, as often as restarts says since life_begin(). */
void life_restarted(struct life *life, unsigned restarts, const char *reason);

/* Its power button is pressed; of one that is paused that is told when it goes on. */
void life_pressed(struct life *life);

/* It is in another state, or in the same for another reason; told now or when it has lasted. */
void life_change(struct life *life, enum guest_state state, const char *reason);

/* It ended: tells the restarts that were not told yet, and the state. */
void life_end(struct life *life, enum guest_state state, const char *reason);

#endif
