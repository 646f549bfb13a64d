/* A guest's states and orders. Deck thread. */
#include "core/deck/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/methods.h"

#define RESTART_QUICK (2 * NS_PER_S) /* two restarts closer than this are a loop */
#define LINE_INTERVAL (10 * NS_PER_S)

static void set_state(struct guest *guest, enum guest_state state, const char *text)
{
	loop_timer_cancel(deck_loop(guest->deck), &guest->settled);
	guest->state = state;
	guest->told = state;
	guest->since = clock_wall();
	deck_emit(guest->deck, guest, DECK_EVENT_STATE, "%s", text);
}

/* --- restarts: each is news, a thousand of them are one line now and then --- */

/* The state as it is, for who asks; as an event once it has lasted. */
static void set_state_quietly(struct guest *guest, enum guest_state state)
{
	guest->state = state;
	guest->since = clock_wall();
	loop_timer_set(deck_loop(guest->deck), &guest->settled, RESTART_QUICK);
}

static void tell_state(struct guest *guest)
{
	if (guest->told == guest->state)
		return;
	guest->told = guest->state;
	deck_emit(guest->deck, guest, DECK_EVENT_STATE, "%s", "");
}

static void state_settled(void *arg)
{
	struct guest *guest = arg;

	guest->restarts_quickly = false;
	tell_state(guest);
}

static void tell_restarts(struct guest *guest)
{
	unsigned count = guest->restarts - guest->restarts_told;
	uint64_t now = clock_monotonic();

	if (!count)
		return;
	deck_emit(guest->deck, guest, DECK_EVENT_LOG, "restarted %u more time%s within %u s", count,
		  count == 1 ? "" : "s",
		  (unsigned)((now - guest->restart_line + NS_PER_S - 1) / NS_PER_S));
	guest->restarts_told = guest->restarts;
	guest->restart_line = now;
}

static void line_due(void *arg)
{
	struct guest *guest = arg;

	tell_restarts(guest);
	tell_state(guest);
}

static void take_restarts(struct guest *guest, const struct machine_status *status)
{
	uint64_t now = clock_monotonic();

	guest->restarts_quickly = status->restarts - guest->restarts > 1 ||
				  (guest->restarts && now - guest->restarted < RESTART_QUICK);
	guest->restarts = status->restarts;
	guest->restarted = now;
	if (guest->line.armed)
		return;
	if (guest->restart_line && now - guest->restart_line < LINE_INTERVAL) {
		loop_timer_set(deck_loop(guest->deck), &guest->line,
			       LINE_INTERVAL - (now - guest->restart_line));
		return;
	}
	if (guest->restarts - guest->restarts_told == 1)
		deck_emit(guest->deck, guest, DECK_EVENT_LOG, "restarted: %s", status->reason);
	else
		deck_emit(guest->deck, guest, DECK_EVENT_LOG, "restarted %u times: %s",
			  guest->restarts - guest->restarts_told, status->reason);
	guest->restarts_told = guest->restarts;
	guest->restart_line = now;
}

/* --- what becomes of the machine --- */

static void machine_ended(struct guest *guest, const struct machine_status *status)
{
	static const enum guest_state ends[] = {
		[VM_RUNS] = GUEST_FAILED,
		[VM_POWERED_OFF] = GUEST_STOPPED,
		[VM_CRASHED] = GUEST_CRASHED,
	};
	struct machine_counters counters;

	machine_sample(guest->machine, &counters);
	memcpy(guest->exits, counters.exits, sizeof(guest->exits));
	guest->registers = machine_take_registers(guest->machine);
	machine_free(guest->machine);
	guest->machine = NULL;
	loop_unpost(deck_loop(guest->deck), &guest->changed);
	loop_timer_cancel(deck_loop(guest->deck), &guest->line);
	tell_restarts(guest);
	memcpy(guest->reason, status->reason, sizeof(guest->reason));
	set_state(guest, ends[status->end], guest->reason);
	if (guest->next_profile) {
		struct profile *profile = guest->next_profile;
		struct profile_report none = { 0 };

		guest->next_profile = NULL;
		guest_set_profile(guest, profile, &none);
	}
	deck_guest_ended(guest->deck, guest);
}

static void machine_changed(void *arg)
{
	static const enum guest_state states[] = {
		[MACHINE_STARTING] = GUEST_STARTING,
		[MACHINE_RUNNING] = GUEST_RUNNING,
		[MACHINE_PAUSED] = GUEST_PAUSED,
		[MACHINE_STOPPING] = GUEST_STOPPING,
	};
	struct guest *guest = arg;
	struct machine_status status;

	machine_get_status(guest->machine, &status);
	if (status.phase == MACHINE_ENDED) {
		machine_ended(guest, &status);
		return;
	}
	if (status.restarts != guest->restarts)
		take_restarts(guest, &status);
	/* One that was resumed and stalls again may never have been seen to run. */
	if (states[status.phase] == guest->state && status.stalls == guest->stalls)
		return;
	guest->stalls = status.stalls;
	snprintf(guest->reason, sizeof(guest->reason), "%s",
		 status.phase == MACHINE_PAUSED ? status.stall : "");
	/*
	 * A pause is somebody's order, who waits for it. And what was told last, which stands
	 * for some time, had better not be "stopping".
	 */
	if (guest->restarts_quickly && status.phase != MACHINE_PAUSED &&
	    guest->state != GUEST_PAUSED && guest->told != GUEST_STOPPING)
		set_state_quietly(guest, states[status.phase]);
	else
		set_state(guest, states[status.phase], guest->reason);
}

/* On the machine's thread. */
static void post_changed(void *arg)
{
	struct guest *guest = arg;

	loop_post(deck_loop(guest->deck), &guest->changed);
}

/* --- making one --- */

struct guest *guest_new(struct deck *deck, const char *name, const char *path,
			struct profile *profile, struct profile_report *report)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	guest->deck = deck;
	guest->changed = (struct loop_task){ .run = machine_changed, .arg = guest };
	guest->settled = (struct loop_timer){ .fire = state_settled, .arg = guest };
	guest->line = (struct loop_timer){ .fire = line_due, .arg = guest };
	strncpy(guest->name, name, sizeof(guest->name) - 1);
	guest->path = path ? strdup(path) : NULL;
	if ((path && !guest->path) || console_init(&guest->console, deck_loop(deck)) < 0) {
		free(guest->path);
		free(guest);
		return NULL;
	}
	guest_set_profile(guest, profile, report);
	guest->since = clock_wall();
	return guest;
}

void guest_free(struct guest *guest)
{
	console_destroy(&guest->console);
	stats_free(guest->series);
	profile_free(guest->profile);
	profile_free(guest->next_profile);
	profile_report_free(&guest->report);
	free(guest->registers);
	free(guest->path);
	free(guest);
}

bool guest_is_live(const struct guest *guest)
{
	return guest->machine != NULL;
}

void guest_set_profile(struct guest *guest, struct profile *profile, struct profile_report *report)
{
	profile_report_free(&guest->report);
	guest->report = *report;
	if (guest_is_live(guest)) {
		/* A profile with mistakes cannot follow the one in use, but its mistakes are seen. */
		profile_free(guest->next_profile);
		guest->next_profile = profile;
		return;
	}
	if (!profile || !guest->profile || profile->cpus != guest->profile->cpus) {
		stats_free(guest->series);
		guest->series = stats_new(profile ? profile->cpus : 0);
	}
	profile_free(guest->profile);
	guest->profile = profile;
	if (!profile)
		guest->state = GUEST_INVALID;
	else if (guest->state == GUEST_INVALID)
		guest->state = GUEST_DEFINED;
}

/* --- orders --- */

int guest_start(struct guest *guest, struct cause *cause)
{
	struct machine_config config = {
		.profile = guest->profile,
		.network = deck_network(guest->deck),
		.console = &guest->console,
		.changed = post_changed,
		.arg = guest,
	};
	int err;

	if (guest->state == GUEST_INVALID)
		return cause_set(cause, EINVAL, "%s: the profile has mistakes; see vmdeck check %s",
				 guest->name, guest->path ? guest->path : guest->name);
	if (guest_is_live(guest))
		return cause_set(cause, EBUSY, "%s: is %s already", guest->name,
				 guest_state_name(guest->state));
	if (deck_is_ending(guest->deck))
		return cause_set(cause, EBUSY, "%s: the deck is being ended", guest->name);
	if (!guest->series)
		return cause_errno(cause, ENOMEM, "%s", guest->name);
	err = deck_get_kvm(guest->deck, &config.kvm, cause);
	if (err)
		return err;
	guest->reason[0] = '\0';
	free(guest->registers);
	guest->registers = NULL;
	guest->stalls = guest->restarts = guest->restarts_told = 0;
	guest->restarted = guest->restart_line = 0;
	guest->restarts_quickly = false;
	memset(guest->exits, 0, sizeof(guest->exits));
	err = machine_start(&guest->machine, &config, cause);
	if (!err)
		set_state(guest, GUEST_STARTING, "");
	return err;
}

static int give_order(struct guest *guest, enum method_id method, enum machine_order order,
		      struct cause *cause)
{
	uint32_t states = method_table[method].states;
	char text[GUEST_STATES_TEXT];

	if (!guest->machine || !guest_state_in(guest->state, states)) {
		guest_states_text(states, text);
		return cause_set(cause, EBUSY, "%s: is %s, not %s", guest->name,
				 guest_state_name(guest->state), text);
	}
	machine_order(guest->machine, order);
	return 0;
}

int guest_power_button(struct guest *guest, struct cause *cause)
{
	int err = give_order(guest, METHOD_GUEST_STOP, MACHINE_POWER_BUTTON, cause);

	if (!err)
		deck_emit(guest->deck, guest, DECK_EVENT_LOG, "power button pressed");
	return err;
}

int guest_shut_down(struct guest *guest, struct cause *cause)
{
	if (guest->state != GUEST_PAUSED)
		return guest_power_button(guest, cause);
	machine_order(guest->machine, MACHINE_RESUME);
	machine_order(guest->machine, MACHINE_POWER_BUTTON);
	deck_emit(guest->deck, guest, DECK_EVENT_LOG, "resumed, and power button pressed");
	return 0;
}

int guest_off(struct guest *guest, struct cause *cause)
{
	return give_order(guest, METHOD_GUEST_OFF, MACHINE_OFF, cause);
}

int guest_pause(struct guest *guest, struct cause *cause)
{
	return give_order(guest, METHOD_GUEST_PAUSE, MACHINE_PAUSE, cause);
}

int guest_resume(struct guest *guest, struct cause *cause)
{
	return give_order(guest, METHOD_GUEST_RESUME, MACHINE_RESUME, cause);
}

int guest_reset(struct guest *guest, struct cause *cause)
{
	return give_order(guest, METHOD_GUEST_RESET, MACHINE_RESET, cause);
}

/* --- what others see --- */

const char *guest_name(const struct guest *guest)
{
	return guest->name;
}

enum guest_state guest_get_state(const struct guest *guest)
{
	return guest->state;
}

uint64_t guest_since(const struct guest *guest)
{
	return guest->since;
}

const char *guest_reason(const struct guest *guest)
{
	return guest->reason;
}

const struct profile *guest_profile(const struct guest *guest)
{
	return guest->profile;
}

const char *guest_profile_path(const struct guest *guest)
{
	return guest->path;
}

const struct profile_report *guest_mistakes(const struct guest *guest)
{
	return &guest->report;
}

const char *guest_registers(const struct guest *guest)
{
	return guest->registers ? guest->registers : "";
}

size_t guest_exits(const struct guest *guest, struct guest_exit_count *out, size_t room)
{
	struct machine_counters counters;
	const uint64_t *exits = guest->exits;
	size_t rows = 0;

	if (guest->machine) {
		machine_sample(guest->machine, &counters);
		exits = counters.exits;
	}
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++) {
		if (!exits[i])
			continue;
		if (rows < room)
			out[rows] = (struct guest_exit_count){ vcpu_exit_name(i), exits[i] };
		rows++;
	}
	return rows;
}

size_t guest_devices(const struct guest *guest, struct guest_device *out, size_t room)
{
	return guest->machine ? machine_devices(guest->machine, out, room) : 0;
}

struct console *guest_console(struct guest *guest)
{
	return &guest->console;
}

struct stats_series *guest_stats(struct guest *guest)
{
	return guest->series;
}
