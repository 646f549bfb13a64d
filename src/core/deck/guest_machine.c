/*
 * A guest's machine: it is built, runs and ends, or is built anew by a profile
 * that has changed meanwhile. Deck thread.
 *
 * A reset is the machine's own matter (machine.h) unless a profile waits for it.
 * Then the machine hands over: it ends, and another is built by the new profile,
 * or by the old one if the new one cannot be had.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot/boot.h"
#include "core/bus/nic.h"
#include "core/deck/guest_private.h"
#include "core/deck/notices.h"
#include "core/machine/room.h"
#include "core/profile/differ.h"
#include "net/network.h"

static void machine_changed(void *arg);

bool guest_is_live(const struct guest *guest)
{
	return guest->machine != NULL;
}

/* --- building --- */

static void tell_warning(void *arg, const char *section, const char *key, bool warning,
			 const char *text)
{
	struct guest *guest = arg;

	(void)section;
	(void)warning;
	/* As the deck's own, which is kept: "vmdeck run" listens later. */
	journal_emit(&guest->services->journal, NULL, DECK_EVENT_LOG, "%s: %s: %s", guest->name,
		     key, text);
}

static void tell_warnings(struct guest *guest)
{
	boot_warn(&(struct profile_check){ .profile = guest->profile, .found = tell_warning,
					   .arg = guest });
}

/* On the machine's thread. */
static void post_changed(void *arg)
{
	struct guest *guest = arg;

	loop_post(&guest->services->loop, &guest->changed);
}

/* One that is reset has the switches that there are, whatever their profiles say by now. */
static int check_switches(const struct guest *guest, bool reset, struct cause *cause)
{
	const struct deck_services *services = guest->services;
	int err = 0;

	for (unsigned i = 0; i < PROFILE_NETS_MAX && !err; i++) {
		const struct profile_net *net = guest->profile->nets[i];

		if (!net ||
		    (reset && network_find_switch(services->network, net->switch_name)))
			continue;
		err = services->check_switch(services->arg, net->switch_name, cause);
		if (err)
			cause_prefix(cause, err, "%s: " NIC_NAME "%u", guest->name, i);
	}
	return err;
}

/* By its profile; restarts: how many there were since it was started. */
static int build(struct guest *guest, unsigned restarts, struct cause *cause)
{
	struct deck_services *services = guest->services;
	struct machine_config config = {
		.profile = guest->profile,
		.builtin = services->builtin,
		.network = services->network,
		.secrets = guest->secrets,
		.restarts = restarts,
		.changed = post_changed,
		.arg = guest,
		.notice = notices_add,
		.notice_arg = services->notices,
	};
	int err;

	if (!guest->series)
		return cause_errno(cause, ENOMEM, "%s", guest->name);
	err = room_check(guest->profile, services->allotted, services->live, cause);
	if (err)
		return cause_prefix(cause, err, "%s", guest->name);
	err = check_switches(guest, restarts != 0, cause);
	if (err)
		return err;
	err = services->kvm ? 0 : kvm_open(&services->kvm, cause);
	if (err)
		return err;
	config.kvm = services->kvm;
	for (unsigned i = 0; i < CONSOLES; i++)
		config.consoles[i] = &guest->consoles[i];
	guest->changed = (struct loop_task){ .run = machine_changed, .arg = guest };
	guest->reason[0] = '\0';
	free(guest->registers);
	guest->registers = NULL;
	guest->changes = 0;
	memset(guest->exits, 0, sizeof(guest->exits));
	err = machine_start(&guest->machine, &config, cause);
	if (err)
		return err;
	services->allotted += guest->profile->memory;
	services->live++;
	return 0;
}

int guest_power_on(struct guest *guest, struct cause *cause)
{
	int err;

	if (guest->services->ending)
		return cause_set(cause, EBUSY, "%s: the deck is being ended", guest->name);
	if (guest_is_live(guest)) {
		guest->start_again = true;
		return 0;
	}
	err = build(guest, 0, cause);
	if (err)
		return err;
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		guest->wishes[i]++;
	life_begin(&guest->life);
	tell_warnings(guest);
	return 0;
}

/* --- ending --- */

static void take_apart(struct guest *guest)
{
	struct machine_counters counters;

	machine_sample(guest->machine, &counters);
	memcpy(guest->exits, counters.exits, sizeof(guest->exits));
	guest->registers = machine_take_registers(guest->machine);
	machine_free(guest->machine);
	guest->machine = NULL;
	guest->services->allotted -= guest->profile->memory;
	guest->services->live--;
	loop_unpost(&guest->services->loop, &guest->changed);
}

/* By its profile as it is by now; whoever waits for the start hears of it as of any other. */
static void start_again(struct guest *guest)
{
	struct cause cause;

	if (guest_order(guest, METHOD_GUEST_START, &cause) == 0)
		return;
	life_begin(&guest->life);
	snprintf(guest->reason, sizeof(guest->reason), "%s", cause.text);
	life_end(&guest->life, GUEST_FAILED, guest->reason);
	if (!guest->profile)
		guest->life.state = GUEST_INVALID;
}

/* No machine is left. */
static void finish(struct guest *guest, enum guest_state state, const char *reason)
{
	bool again = guest->start_again && !guest->services->ending;

	guest->off = guest->start_again = false;
	/* Who wants it back while it stops was not asked for them. */
	if (!again)
		secrets_free(&guest->secrets);
	profile_free(guest->old_profile);
	guest->old_profile = NULL;
	snprintf(guest->reason, sizeof(guest->reason), "%s", reason);
	life_end(&guest->life, state, guest->reason);
	if (guest->next_profile) {
		struct profile *profile = guest->next_profile;
		struct profile_report none = { 0 };

		guest->next_profile = NULL;
		guest_set_profile(guest, profile, &none);
		/* Read it again: what it asks for may have gone to others since. */
		guest->stamp = (struct profile_stamp){ 0 };
	}
	if (again)
		start_again(guest);
	guest->services->guest_ended(guest->services->arg, guest);
}

/* --- building anew --- */

static bool is_applicable(const struct guest *guest)
{
	return guest->next_profile && !guest->refused && !guest_is_renamed(guest);
}

void guest_offer_profile(struct guest *guest)
{
	machine_hand_over(guest->machine, is_applicable(guest));
}

/* It runs with the new one. */
static void forget_old_profile(struct guest *guest)
{
	char keys[GUEST_PENDING_SIZE];

	if (!guest->old_profile)
		return;
	if (profile_differ(guest->old_profile, guest->profile, keys, sizeof(keys)))
		guest_say(guest, "reset, and it has its profile's new %s", keys);
	profile_free(guest->old_profile);
	guest->old_profile = NULL;
	tell_warnings(guest);
}

/* What others claim of the old profile was free for them while it was not in use. */
static bool may_go_back(struct guest *guest, const char *why)
{
	struct deck_services *services = guest->services;
	struct cause cause, reason;

	if (services->may_have(services->arg, guest, guest->old_profile, &cause) == 0)
		return true;
	cause_set(&reason, 0, "its new profile cannot be had: %s; nor can the one before it: %s",
		  why, cause.text);
	finish(guest, GUEST_FAILED, reason.text);
	return false;
}

/* It has the machine that it had before, or none. */
static void go_back(struct guest *guest, const char *why)
{
	size_t name = strlen(guest->name);
	unsigned restarts = guest->life.restarts;
	struct profile *refused = guest->profile;
	struct cause cause;

	if (!strncmp(why, guest->name, name) && !strncmp(why + name, ": ", 2))
		why += name + 2;
	if (!may_go_back(guest, why))
		return;
	guest_adopt(guest, guest->old_profile);
	guest->old_profile = NULL;
	if (guest->next_profile) {
		profile_free(refused);
	} else {
		guest->next_profile = refused;
		guest->refused = true;
	}
	guest->services->adopted(guest->services->arg);
	guest_say(guest, "reset as it was before, as its new profile cannot be had: %s", why);
	if (build(guest, restarts, &cause) < 0)
		finish(guest, GUEST_FAILED, cause.text);
	else
		guest_offer_profile(guest);
}

/* The new profile is read again, as what it asks for may have gone to others since. */
static void build_anew(struct guest *guest, const struct machine_status *status)
{
	struct deck_services *services = guest->services;
	struct cause cause;

	forget_old_profile(guest);
	guest->stamp = (struct profile_stamp){ 0 };
	if (services->refresh(services->arg, guest, &cause) < 0)
		guest->refused = true;
	life_restarted(&guest->life, status->restarts, status->reason);
	if (guest->life.state != GUEST_STARTING)
		life_change(&guest->life, GUEST_STARTING, "");
	guest->start_again = false;
	take_apart(guest);
	if (is_applicable(guest)) {
		guest->old_profile = guest->profile;
		guest_adopt(guest, guest->next_profile);
		guest->next_profile = NULL;
		services->adopted(services->arg);
	}
	if (build(guest, status->restarts, &cause) == 0)
		return;
	if (guest->old_profile)
		go_back(guest, cause.text);
	else
		finish(guest, GUEST_FAILED, cause.text);
}

/* --- what becomes of the machine --- */

static void machine_ended(struct guest *guest, const struct machine_status *status)
{
	static const enum guest_state ends[] = {
		[VM_RUNS] = GUEST_FAILED,
		[VM_POWERED_OFF] = GUEST_STOPPED,
		[VM_RESET] = GUEST_STOPPED,
		[VM_CRASHED] = GUEST_CRASHED,
	};
	bool wanted = !guest->off && !guest->services->ending;

	if (wanted && status->end == VM_RESET) {
		build_anew(guest, status);
		return;
	}
	take_apart(guest);
	if (wanted && status->end == VM_RUNS && guest->old_profile)
		go_back(guest, status->reason);
	else
		finish(guest, ends[status->end], status->reason);
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
	guest_follow_hold(guest, &status);
	guest->resetting = status.phase == MACHINE_STOPPING && status.again;
	if (status.phase == MACHINE_ENDED) {
		machine_ended(guest, &status);
		return;
	}
	if (status.restarts != guest->life.restarts)
		life_restarted(&guest->life, status.restarts, status.reason);
	if (status.phase == MACHINE_RUNNING)
		forget_old_profile(guest);
	if (guest->off && status.phase != MACHINE_STOPPING)
		return;
	/* One that was resumed and stalls again may never have been seen to run. */
	if (states[status.phase] == guest->life.state && status.changes == guest->changes)
		return;
	guest->changes = status.changes;
	if (status.phase == MACHINE_PAUSED && guest_is_held(guest))
		snprintf(status.stall, sizeof(status.stall), "breakpoint of %s", guest->held);
	snprintf(guest->reason, sizeof(guest->reason), "%s",
		 status.phase == MACHINE_PAUSED	   ? status.stall
		 : status.phase == MACHINE_RUNNING ? status.remark
						   : "");
	life_change(&guest->life, states[status.phase], guest->reason);
}
