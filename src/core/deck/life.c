/* What is told of a guest's state and restarts. Deck thread. */
#include "core/deck/life.h"

#include "base/clock.h"

#define RESTART_QUICK (2 * NS_PER_S) /* two restarts closer than this are a loop */
#define LINE_INTERVAL (10 * NS_PER_S)

static void emit_state(struct life *life, const char *text)
{
	life->told = life->state;
	*life->remark.text = '\0';
	journal_emit(&life->services->journal, life->guest, DECK_EVENT_STATE, "%s", text);
}

static void set_state(struct life *life, enum guest_state state, const char *text)
{
	loop_timer_cancel(&life->services->loop, &life->settled);
	life->state = state;
	life->since = clock_wall();
	emit_state(life, text);
}

/* The state as it is, for who asks; as an event once it has lasted. */
static void set_state_quietly(struct life *life, enum guest_state state)
{
	life->state = state;
	life->since = clock_wall();
	*life->remark.text = '\0';
	loop_timer_set(&life->services->loop, &life->settled, RESTART_QUICK);
}

/* The same of something that is wrong with it. */
static void remark_quietly(struct life *life, const char *what)
{
	cause_set(&life->remark, 0, "%s", what);
	if (!life->settled.armed)
		loop_timer_set(&life->services->loop, &life->settled, RESTART_QUICK);
}

static void tell_state(struct life *life)
{
	struct cause remark = life->remark;

	if (*remark.text)
		emit_state(life, remark.text);
	else if (life->told != life->state)
		emit_state(life, "");
}

static void state_settled(void *arg)
{
	struct life *life = arg;

	life->restarts_quickly = false;
	tell_state(life);
}

static void tell_restarts(struct life *life)
{
	unsigned count = life->restarts - life->restarts_told;
	uint64_t now = clock_monotonic();

	if (!count)
		return;
	journal_emit(&life->services->journal, life->guest, DECK_EVENT_LOG,
		     "restarted %u more time%s within %u s", count, count == 1 ? "" : "s",
		     (unsigned)((now - life->restart_line + NS_PER_S - 1) / NS_PER_S));
	life->restarts_told = life->restarts;
	life->restart_line = now;
}

static void line_due(void *arg)
{
	struct life *life = arg;

	tell_restarts(life);
	tell_state(life);
}

void life_init(struct life *life, struct deck_services *services, const struct guest *guest,
	       enum guest_state state)
{
	*life = (struct life){ .services = services, .guest = guest, .state = state,
			       .since = clock_wall(),
			       .settled = { .fire = state_settled, .arg = life },
			       .line = { .fire = line_due, .arg = life } };
}

void life_read(struct life *life, enum guest_state state)
{
	if (life->state == state)
		return;
	life->state = state;
	life->since = clock_wall();
}

static void release(struct life *life)
{
	life->pressed = 0;
	life->press_untold = false;
}

void life_begin(struct life *life)
{
	life->restarts = life->restarts_told = 0;
	life->restarted = life->restart_line = 0;
	life->restarts_quickly = false;
	release(life);
	set_state(life, GUEST_STARTING, "");
}

void life_restarted(struct life *life, unsigned restarts, const char *reason)
{
	uint64_t now = clock_monotonic();

	life->restarts_quickly = restarts - life->restarts > 1 ||
				 (life->restarts && now - life->restarted < RESTART_QUICK);
	life->restarts = restarts;
	life->restarted = now;
	release(life);
	if (life->line.armed)
		return;
	if (life->restart_line && now - life->restart_line < LINE_INTERVAL) {
		loop_timer_set(&life->services->loop, &life->line,
			       LINE_INTERVAL - (now - life->restart_line));
		return;
	}
	if (life->restarts - life->restarts_told == 1)
		journal_emit(&life->services->journal, life->guest, DECK_EVENT_LOG,
			     "restarted: %s", reason);
	else
		journal_emit(&life->services->journal, life->guest, DECK_EVENT_LOG,
			     "restarted %u times: %s", life->restarts - life->restarts_told,
			     reason);
	life->restarts_told = life->restarts;
	life->restart_line = now;
}

static void tell_press(struct life *life)
{
	life->press_untold = false;
	journal_emit(&life->services->journal, life->guest, DECK_EVENT_LOG,
		     "power button pressed");
}

void life_pressed(struct life *life)
{
	life->pressed = clock_wall();
	if (life->state == GUEST_PAUSED)
		life->press_untold = true;
	else
		tell_press(life);
}

void life_change(struct life *life, enum guest_state state, const char *reason)
{
	/*
	 * A pause is somebody's order, who waits for it. And what was told last, which stands
	 * for some time, had better not be "stopping".
	 */
	if (life->state == state && life->restarts_quickly && state == GUEST_RUNNING)
		remark_quietly(life, reason);
	else if (life->state == state)
		emit_state(life, reason);
	else if (life->restarts_quickly && state != GUEST_PAUSED && life->state != GUEST_PAUSED &&
	    life->told != GUEST_STOPPING)
		set_state_quietly(life, state);
	else
		set_state(life, state, reason);
	if (life->press_untold && state != GUEST_PAUSED)
		tell_press(life);
}

void life_end(struct life *life, enum guest_state state, const char *reason)
{
	loop_timer_cancel(&life->services->loop, &life->line);
	release(life);
	life->state = state;
	tell_restarts(life);
	set_state(life, state, reason);
}
