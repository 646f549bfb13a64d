/* A guest: its machine's states, orders, and what others see. Deck thread. */
#include "core/deck/guest_private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/methods.h"
#include "core/boot/boot.h"
#include "core/deck/notices.h"
#include "core/machine/room.h"
#include "core/profile/differ.h"

#define FORGED_INTERVAL (60 * NS_PER_S)

/* --- what becomes of the machine --- */

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

static void machine_ended(struct guest *guest, const struct machine_status *status)
{
	static const enum guest_state ends[] = {
		[VM_RUNS] = GUEST_FAILED,
		[VM_POWERED_OFF] = GUEST_STOPPED,
		[VM_CRASHED] = GUEST_CRASHED,
	};
	bool again = guest->start_again && !guest->services->ending;
	struct machine_counters counters;

	guest->off = guest->start_again = false;
	machine_sample(guest->machine, &counters);
	memcpy(guest->exits, counters.exits, sizeof(guest->exits));
	guest->registers = machine_take_registers(guest->machine);
	machine_free(guest->machine);
	guest->machine = NULL;
	guest->services->allotted -= guest->profile->memory;
	guest->services->live--;
	loop_unpost(&guest->services->loop, &guest->changed);
	memcpy(guest->reason, status->reason, sizeof(guest->reason));
	life_end(&guest->life, ends[status->end], guest->reason);
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
	if (status.restarts != guest->life.restarts)
		life_restarted(&guest->life, status.restarts, status.reason);
	if (guest->off && status.phase != MACHINE_STOPPING)
		return;
	/* One that was resumed and stalls again may never have been seen to run. */
	if (states[status.phase] == guest->life.state && status.stalls == guest->stalls)
		return;
	guest->stalls = status.stalls;
	snprintf(guest->reason, sizeof(guest->reason), "%s",
		 status.phase == MACHINE_PAUSED ? status.stall : "");
	life_change(&guest->life, states[status.phase], guest->reason);
}

/* On the machine's thread. */
static void post_changed(void *arg)
{
	struct guest *guest = arg;

	loop_post(&guest->services->loop, &guest->changed);
}

/* --- what it must not share --- */

/* The first byte keeps the kinds apart. */
uint64_t guest_path_hash(const char *path)
{
	return marks_hash(marks_hash(0, "p", 1), path, strlen(path));
}

uint64_t guest_name_hash(const struct profile *profile)
{
	return marks_hash(marks_hash(0, "n", 1), profile->name, strlen(profile->name));
}

uint64_t guest_mac_hash(const struct profile_net *net)
{
	uint64_t hash = marks_hash(0, "m", 1);

	hash = marks_hash(hash, net->switch_name, strlen(net->switch_name));
	return marks_hash(hash, net->mac, NET_MAC_SIZE);
}

static void unmark_profile(struct guest *guest)
{
	marks_remove(&guest->name_mark);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		marks_remove(&guest->mac_marks[i]);
}

static void mark_profile(struct guest *guest)
{
	struct marks *marks = &guest->services->marks;
	const struct profile *profile = guest->profile;

	marks_add(marks, &guest->name_mark, guest_name_hash(profile), guest);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		if (profile->nets[i].present)
			marks_add(marks, &guest->mac_marks[i], guest_mac_hash(&profile->nets[i]),
				  guest);
}

/* --- making one --- */

struct guest *guest_new(struct deck_services *services, const char *name, const char *path,
			struct profile *profile, struct profile_report *report)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	guest->services = services;
	guest->changed = (struct loop_task){ .run = machine_changed, .arg = guest };
	strncpy(guest->name, name, sizeof(guest->name) - 1);
	guest->path = path ? strdup(path) : NULL;
	if ((path && !guest->path) || console_init(&guest->console, &services->loop) < 0) {
		free(guest->path);
		free(guest);
		return NULL;
	}
	if (path)
		marks_add(&services->marks, &guest->path_mark, guest_path_hash(path), guest);
	life_init(&guest->life, services, guest, GUEST_INVALID);
	guest_set_profile(guest, profile, report);
	return guest;
}

void guest_free(struct guest *guest)
{
	assert(!guest_is_live(guest));
	unmark_profile(guest);
	marks_remove(&guest->path_mark);
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
		char keys[GUEST_PENDING_SIZE];

		/* A profile with mistakes cannot follow the one in use, but its mistakes are seen. */
		profile_free(guest->next_profile);
		guest->next_profile = profile;
		if (!profile || profile_differ(guest->profile, profile, keys, sizeof(keys)))
			return;
		profile_free(profile);
		guest->next_profile = NULL;
		return;
	}
	if (!profile || !guest->profile || profile->cpus != guest->profile->cpus) {
		stats_free(guest->series);
		guest->series = stats_new(profile ? profile->cpus : 0);
	}
	unmark_profile(guest);
	profile_free(guest->profile);
	guest->profile = profile;
	if (profile)
		mark_profile(guest);
	if (!profile)
		life_read(&guest->life, GUEST_INVALID);
	else if (guest->life.state == GUEST_INVALID)
		life_read(&guest->life, GUEST_DEFINED);
}

void guest_pending(const struct guest *guest, char out[GUEST_PENDING_SIZE])
{
	*out = '\0';
	if (guest->next_profile)
		profile_differ(guest->profile, guest->next_profile, out, GUEST_PENDING_SIZE);
}

/* --- orders --- */

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

static int start(struct guest *guest, struct cause *cause)
{
	struct machine_config config = {
		.profile = guest->profile,
		.builtin = guest->services->builtin,
		.network = guest->services->network,
		.console = &guest->console,
		.changed = post_changed,
		.arg = guest,
		.notice = notices_add,
		.notice_arg = guest->services->notices,
	};
	int err;

	if (guest->services->ending)
		return cause_set(cause, EBUSY, "%s: the deck is being ended", guest->name);
	if (guest_is_live(guest)) {
		guest->start_again = true;
		return 0;
	}
	if (!guest->series)
		return cause_errno(cause, ENOMEM, "%s", guest->name);
	err = room_check(guest->profile, guest->services->allotted, guest->services->live, cause);
	if (err)
		return cause_prefix(cause, err, "%s", guest->name);
	err = guest->services->kvm ? 0 : kvm_open(&guest->services->kvm, cause);
	if (err)
		return err;
	config.kvm = guest->services->kvm;
	guest->reason[0] = '\0';
	free(guest->registers);
	guest->registers = NULL;
	guest->stalls = 0;
	memset(guest->exits, 0, sizeof(guest->exits));
	err = machine_start(&guest->machine, &config, cause);
	if (err)
		return err;
	guest->services->allotted += guest->profile->memory;
	guest->services->live++;
	life_begin(&guest->life);
	boot_warn(&(struct profile_check){ .profile = guest->profile, .found = tell_warning,
					   .arg = guest });
	return 0;
}

/* A paused guest is resumed to see it. */
static void press_power_button(struct guest *guest)
{
	bool paused = guest->life.state == GUEST_PAUSED;

	if (paused)
		machine_order(guest->machine, METHOD_GUEST_RESUME);
	machine_order(guest->machine, METHOD_GUEST_STOP);
	life_pressed(&guest->life);
	journal_emit(&guest->services->journal, guest, DECK_EVENT_LOG, "%spower button pressed",
		     paused ? "resumed, and " : "");
}

/* A reset changes no hardware. */
static void tell_pending(const struct guest *guest)
{
	char keys[GUEST_PENDING_SIZE];

	guest_pending(guest, keys);
	if (*keys)
		journal_emit(&guest->services->journal, guest, DECK_EVENT_LOG, "reset as it was "
			     "started; stop and start it to apply what its profile says of %s",
			     keys);
}

/* From here on it is stopping, however long its machine takes to hear of it. */
static void take_power(struct guest *guest)
{
	machine_order(guest->machine, METHOD_GUEST_OFF);
	guest->off = true;
	guest->start_again = false;
	if (guest->life.state != GUEST_STOPPING)
		life_change(&guest->life, GUEST_STOPPING, "");
}

/* The method table says in which states an order is legal, here and for who asks from outside. */
int guest_order(struct guest *guest, enum method_id method, struct cause *cause)
{
	const struct deck_services *services = guest->services;
	int err = 0;

	if (method == METHOD_GUEST_START)
		err = services->refresh(services->arg, guest, cause);
	if (!err)
		err = method_check_state(&method_table[method], guest->name, guest->life.state,
					 cause);
	if (err)
		return err;
	if (method == METHOD_GUEST_RESET)
		tell_pending(guest);
	if (method == METHOD_GUEST_START)
		return start(guest, cause);
	if (method == METHOD_GUEST_STOP) {
		press_power_button(guest);
		return 0;
	}
	if (method == METHOD_GUEST_OFF) {
		take_power(guest);
		return 0;
	}
	err = machine_order(guest->machine, method);
	return err ? cause_errno(cause, -err, "%s", guest->name) : 0;
}

/* --- what others see --- */

const char *guest_name(const struct guest *guest)
{
	return guest->name;
}

enum guest_state guest_get_state(const struct guest *guest)
{
	return guest->life.state;
}

uint64_t guest_since(const struct guest *guest)
{
	return guest->life.since;
}

uint64_t guest_pressed(const struct guest *guest)
{
	return guest->life.pressed;
}

unsigned guest_restarts(const struct guest *guest)
{
	return guest->life.restarts;
}

bool guest_starts_again(const struct guest *guest)
{
	return guest->start_again;
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

void guest_say(const struct guest *guest, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	journal_emit(&guest->services->journal, guest, DECK_EVENT_LOG, "%s", text);
}

/* A flood of them is one line a minute. */
static void tell_forged(struct guest *guest, uint64_t forged, uint64_t now_ns)
{
	if (forged < guest->forged_told)
		guest->forged_told = 0; /* the machine was built anew */
	if (forged == guest->forged_told || now_ns < guest->forged_due)
		return;
	journal_emit(&guest->services->journal, guest, DECK_EVENT_LOG,
		     "forged source: %llu frames dropped that claimed an address of another guest "
		     "or of the switch", (unsigned long long)(forged - guest->forged_told));
	guest->forged_told = forged;
	guest->forged_due = now_ns + FORGED_INTERVAL;
}

void guest_sample(struct guest *guest, uint64_t now_ns)
{
	stats_sample(guest->series, guest->machine, now_ns);
	tell_forged(guest, stats_forged(guest->series), now_ns);
}

struct stats_series *guest_stats(struct guest *guest)
{
	return guest->series;
}
