/* A guest: its machine's states, orders, and what others see. Deck thread. */
#include "core/deck/guest_private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "control/methods.h"
#include "core/bus/disks.h"
#include "core/boot/boot.h"
#include "core/deck/notices.h"
#include "core/machine/room.h"
#include "core/profile/differ.h"

#define FORGED_INTERVAL (60 * NS_PER_S)

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

uint64_t guest_claim_hash(const struct profile_net *net, enum conflict_claim claim)
{
	size_t size;
	const void *claimed = conflict_claimed(net, claim, &size);
	uint64_t hash = marks_hash(0, claim == CONFLICT_MAC ? "m" : "a", 1);

	hash = marks_hash(hash, net->switch_name, strlen(net->switch_name));
	return claimed ? marks_hash(hash, claimed, size) : 0;
}

static void unmark_profile(struct guest *guest)
{
	marks_remove(&guest->name_mark);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		for (unsigned claim = 0; claim < CONFLICT_CLAIMS; claim++)
			marks_remove(&guest->card_marks[i][claim]);
}

static void mark_profile(struct guest *guest)
{
	struct marks *marks = &guest->services->marks;
	const struct profile *profile = guest->profile;

	marks_add(marks, &guest->name_mark, guest_name_hash(profile), guest);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		for (unsigned claim = 0; profile->nets[i] && claim < CONFLICT_CLAIMS; claim++) {
			uint64_t hash = guest_claim_hash(profile->nets[i], claim);

			if (hash)
				marks_add(marks, &guest->card_marks[i][claim], hash, guest);
		}
}

/* --- making one --- */

static int init_consoles(struct guest *guest)
{
	unsigned i;

	for (i = 0; i < CONSOLES; i++)
		if (console_init(&guest->consoles[i], &guest->services->loop) < 0)
			break;
	if (i == CONSOLES)
		return 0;
	while (i--)
		console_destroy(&guest->consoles[i]);
	return -ENOMEM;
}

struct guest *guest_new(struct deck_services *services, const char *name, const char *path,
			struct profile *profile, struct profile_report *report)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return NULL;
	guest->services = services;
	strncpy(guest->name, name, sizeof(guest->name) - 1);
	guest->path = path ? strdup(path) : NULL;
	if ((path && !guest->path) || init_consoles(guest) < 0) {
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
	for (unsigned i = 0; i < CONSOLES; i++)
		console_destroy(&guest->consoles[i]);
	stats_free(guest->series);
	profile_free(guest->profile);
	profile_free(guest->next_profile);
	profile_free(guest->old_profile);
	profile_report_free(&guest->report);
	secrets_free(&guest->secrets);
	free(guest->registers);
	free(guest->path);
	free(guest);
}

void guest_adopt(struct guest *guest, struct profile *profile)
{
	if (!profile || !guest->profile || profile->cpus != guest->profile->cpus ||
	    profile->balloon != guest->profile->balloon) {
		stats_free(guest->series);
		guest->series = stats_new(profile ? profile->cpus : 0, profile && profile->balloon);
	}
	unmark_profile(guest);
	guest->profile = profile;
	if (profile)
		mark_profile(guest);
}

/* A profile with mistakes cannot follow the one in use, but its mistakes are seen. */
static void keep_for_later(struct guest *guest, struct profile *profile)
{
	char keys[GUEST_PENDING_SIZE];

	if (!profile || !guest->next_profile ||
	    profile_differ(guest->next_profile, profile, keys, sizeof(keys)))
		guest->refused = false;
	profile_free(guest->next_profile);
	guest->next_profile = profile;
	if (profile && !profile_differ(guest->profile, profile, keys, sizeof(keys))) {
		profile_free(profile);
		guest->next_profile = NULL;
	}
	guest_offer_profile(guest);
}

void guest_set_profile(struct guest *guest, struct profile *profile, struct profile_report *report)
{
	struct profile *before = guest->profile;

	profile_report_free(&guest->report);
	guest->report = *report;
	if (guest_is_live(guest)) {
		keep_for_later(guest, profile);
		return;
	}
	secrets_keep_for(guest->secrets, profile);
	guest_adopt(guest, profile);
	profile_free(before);
	if (!profile) {
		life_read(&guest->life, GUEST_INVALID);
		guest->reason[0] = '\0'; /* of an end that is not what keeps it any more */
	} else if (guest->life.state == GUEST_INVALID) {
		life_read(&guest->life, GUEST_DEFINED);
	}
}

bool guest_is_renamed(const struct guest *guest)
{
	return guest->next_profile && strcmp(guest->next_profile->name, guest->name) != 0;
}

void guest_pending(const struct guest *guest, char out[GUEST_PENDING_SIZE])
{
	*out = '\0';
	if (guest->next_profile && !guest_is_renamed(guest))
		profile_differ(guest->profile, guest->next_profile, out, GUEST_PENDING_SIZE);
}

void guest_orphaned(const struct guest *guest, char out[GUEST_ORPHANED_SIZE])
{
	*out = '\0';
	if (guest->gone)
		snprintf(out, GUEST_ORPHANED_SIZE, "is gone");
	else if (guest_is_renamed(guest))
		snprintf(out, GUEST_ORPHANED_SIZE, "is one of %s now", guest->next_profile->name);
}

/* --- orders --- */

/* It is to have its profile as it is on disk by then, also one that could not be had before. */
static void take_profile(struct guest *guest)
{
	const struct deck_services *services = guest->services;
	struct cause cause;

	guest->refused = false;
	if (services->refresh(services->arg, guest, &cause) < 0)
		guest_say(guest, "reset as it was before: %s", cause.text);
	else if (guest->report.count)
		guest_say(guest, "reset as it was before, as its profile has mistakes");
	guest_offer_profile(guest);
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

/* A paused guest is resumed to see it; one that has no system that runs is ended at once. */
static void press_power_button(struct guest *guest)
{
	enum guest_state state = guest->life.state;

	if (state == GUEST_STARTING)
		guest_say(guest, "switched off %s", guest->life.restarts ? "between two starts of "
			  "its own" : "before it had begun");
	if (state == GUEST_STARTING || state == GUEST_STOPPING) {
		take_power(guest);
		return;
	}
	if (state == GUEST_PAUSED)
		machine_order(guest->machine, METHOD_GUEST_RESUME);
	machine_order(guest->machine, METHOD_GUEST_STOP);
	life_pressed(&guest->life);
}

/* The method table says in which states an order is legal, here and for who asks from outside. */
int guest_order(struct guest *guest, enum method_id method, struct cause *cause)
{
	const struct deck_services *services = guest->services;
	int err = 0;

	/* One that is stopping has it when it is started again. */
	if (method == METHOD_GUEST_START && !guest_is_live(guest))
		err = services->refresh(services->arg, guest, cause);
	if (err)
		return cause_prefix(cause, err, "%s", guest->name);
	err = guest_check_state(guest, &method_table[method], cause);
	if (err)
		return err;
	if (method == METHOD_GUEST_RESET)
		take_profile(guest);
	if (method == METHOD_GUEST_START)
		return guest_power_on(guest, cause);
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

bool guest_is_looping(const struct guest *guest)
{
	return guest->life.restarts_quickly && !guest->off;
}

bool guest_is_resetting(const struct guest *guest)
{
	return guest->resetting && !guest->off;
}

bool guest_starts_again(const struct guest *guest)
{
	return guest->start_again;
}

const char *guest_reason(const struct guest *guest)
{
	return guest->reason;
}

const char *guest_held(const struct guest *guest)
{
	return guest_is_held(guest) && guest->life.state == GUEST_PAUSED ? guest->held : "";
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

const char *guest_firmware(const struct guest *guest)
{
	enum profile_firmware firmware = guest->profile ? profile_firmware(guest->profile) :
							  FIRMWARE_NONE;

	return firmware != FIRMWARE_NONE ? profile_firmware_name(firmware) : "";
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

void guest_memory_view(const struct guest *guest, struct device_memory *out)
{
	memset(out, 0, sizeof(*out));
	if (guest->machine && guest->profile->balloon)
		machine_memory_view(guest->machine, true, out);
}

int guest_resize(struct guest *guest, const char *device, struct device_size *size,
		 struct cause *cause)
{
	int err = guest->machine ? machine_resize(guest->machine, device, size, cause)
				 : cause_set(cause, ESHUTDOWN, "it does not run");

	return err ? cause_prefix(cause, err, "%s", guest->name) : 0;
}

/* The disk of that name in its profile; PROFILE_DISKS_MAX: there is none. */
static unsigned find_disk(const struct guest *guest, const char *device)
{
	unsigned i;
	char name[16];

	for (i = 0; i < PROFILE_DISKS_MAX; i++) {
		snprintf(name, sizeof(name), DISKS_NAME "%u", i);
		if (guest->profile && guest->profile->disks[i].present && !strcmp(name, device))
			break;
	}
	return i;
}

int guest_describe_medium(struct guest *guest, const char *device, struct disk_config *config,
			  unsigned *wish, struct cause *cause)
{
	unsigned disk = find_disk(guest, device);
	const struct profile_disk *drive = &guest->profile->disks[disk];

	if (disk == PROFILE_DISKS_MAX || !drive->cdrom || !disk_is_sata(drive))
		return cause_set(cause, EINVAL, "%s: %s is no drive with a medium", guest->name,
				 device);
	disks_describe_medium(config, guest->profile, disk);
	*wish = ++guest->wishes[disk];
	return 0;
}

bool guest_wants(const struct guest *guest, const char *device, unsigned wish)
{
	unsigned disk = find_disk(guest, device);

	return disk < PROFILE_DISKS_MAX && guest->wishes[disk] == wish;
}

int guest_exchange(struct guest *guest, const char *device, struct disk **medium, bool force,
		   struct cause *cause)
{
	bool any = *medium;
	int err = guest->machine ? machine_exchange(guest->machine, device, medium, force, cause)
				 : cause_set(cause, ESHUTDOWN, "it does not run");
	unsigned disk = find_disk(guest, device);

	if (err)
		return cause_prefix(cause, err, "%s", guest->name);
	guest->wishes[disk]++;
	if (any)
		guest_say(guest, "%s is in %s", guest_disk_path(guest, disk), device);
	else
		guest_say(guest, "%s is empty", device);
	return 0;
}

int guest_unlock(struct guest *guest, const char *device, const char *secret,
		 struct cause *cause)
{
	unsigned disk = find_disk(guest, device);
	int err;

	if (disk == PROFILE_DISKS_MAX)
		return cause_set(cause, ENODEV, "%s: it has no %s", guest->name, device);
	if (guest->profile->disks[disk].format != DISK_FORMAT_LUKS)
		return cause_set(cause, EINVAL, "%s: %s is not encrypted", guest->name, device);
	if (guest->profile->disks[disk].secret_file)
		return cause_set(cause, EINVAL, "%s: the passphrase of %s is in its secret_file=",
				 guest->name, device);
	err = secrets_put(&guest->secrets, disk, guest->profile->disks[disk].path, secret, cause);
	return err ? cause_prefix(cause, err, "%s: %s", guest->name, device) : 0;
}

bool guest_is_locked(const struct guest *guest, unsigned disk)
{
	return guest->profile && secrets_lack(guest->secrets, guest->profile, disk);
}

const char *guest_disk_path(const struct guest *guest, unsigned disk)
{
	const char *path;

	if (guest->machine && machine_medium(guest->machine, disk, &path))
		return path;
	return guest->profile->disks[disk].path;
}

struct console *guest_console(struct guest *guest, unsigned console)
{
	return &guest->consoles[console];
}

unsigned guest_shown_console(const struct guest *guest)
{
	return guest->profile ? guest->profile->console : (unsigned)CONSOLE_SERIAL;
}

bool guest_has_screen(const struct guest *guest)
{
	return guest->profile && profile_has_vga(guest->profile);
}

bool guest_screen(const struct guest *guest, struct screen *out)
{
	return guest->machine && machine_screen(guest->machine, out);
}

size_t guest_keys(const struct guest *guest, const uint8_t *text, size_t size)
{
	return guest->machine ? machine_keys(guest->machine, text, size) : 0;
}

void guest_say(const struct guest *guest, const char *format, ...)
{
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
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
