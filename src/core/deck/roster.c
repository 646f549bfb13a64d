/* Reading the profiles, again and again. Deck thread. */
#include "core/deck/roster.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/sentence.h"
#include "control/names.h"
#include "core/deck/conflict.h"
#include "core/deck/demo.h"
#include "core/deck/guest_private.h"
#include "core/profile/differ.h"
#include "core/profile/folder.h"
#include "core/profile/read.h"
#include "core/profile/report.h"

struct guest *roster_guest(const struct roster *roster, size_t index)
{
	return index < roster->count ? roster->guests[index] : NULL;
}

struct guest *roster_find(const struct roster *roster, const char *name)
{
	size_t low = 0, high = roster->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_order(name, roster->guests[middle]->name);

		if (order == 0)
			return roster->guests[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct guest *find_path(const struct roster *roster, const char *path)
{
	const struct marks *marks = &roster->services->marks;
	uint64_t hash = guest_path_hash(path);

	for (const struct mark *at = NULL; (at = marks_next(marks, at, hash));)
		if (at->guest->path && !strcmp(at->guest->path, path))
			return container_of(at, struct guest, path_mark);
	return NULL;
}

static int insert_guest(struct roster *roster, struct guest *guest)
{
	size_t at;

	if (roster->count == roster->room) {
		size_t room = roster->room ? 2 * roster->room : 16;
		struct guest **guests = realloc(roster->guests, room * sizeof(*guests));

		if (!guests)
			return -ENOMEM;
		roster->guests = guests;
		roster->room = room;
	}
	for (at = roster->count; at; at--) {
		if (name_order(roster->guests[at - 1]->name, guest->name) <= 0)
			break;
		roster->guests[at] = roster->guests[at - 1];
	}
	roster->guests[at] = guest;
	roster->count++;
	return 0;
}

static void forget_guest(struct roster *roster, struct guest *guest)
{
	size_t at;

	for (at = 0; at < roster->count && roster->guests[at] != guest; at++)
		;
	if (at == roster->count)
		return;
	memmove(roster->guests + at, roster->guests + at + 1,
		(roster->count - at - 1) * sizeof(*roster->guests));
	roster->count--;
	journal_emit(&roster->services->journal, guest, DECK_EVENT_PROFILES, "%s", "");
	guest_free(guest);
}

/* --- reading profiles --- */

static const struct guest *find_same_name(const struct marks *marks, const struct guest *self,
					  const struct profile *profile)
{
	uint64_t hash = guest_name_hash(profile);

	for (const struct mark *at = NULL; (at = marks_next(marks, at, hash));)
		if (at->guest != self && at->guest->profile &&
		    !strcmp(at->guest->profile->name, profile->name))
			return at->guest;
	return NULL;
}

static const struct guest *find_same_card(const struct marks *marks, const struct guest *self,
					  const struct profile_net *net, enum conflict_claim claim)
{
	uint64_t hash = guest_claim_hash(net, claim);

	for (const struct mark *at = NULL; hash && (at = marks_next(marks, at, hash));)
		if (at->guest != self && at->guest->profile &&
		    conflict_card(at->guest->profile, net, claim))
			return at->guest;
	return NULL;
}

/* Another guest with this name, or with one of these addresses on the same switch. */
static const struct guest *find_conflict(const struct roster *roster, const struct guest *self,
					 const struct profile *profile, const char **what)
{
	const struct marks *marks = &roster->services->marks;
	const struct guest *other = find_same_name(marks, self, profile);

	*what = "name";
	for (unsigned claim = 0; !other && claim < CONFLICT_CLAIMS; claim++) {
		*what = conflict_keys[claim];
		for (unsigned i = 0; !other && i < PROFILE_NETS_MAX; i++)
			if (profile->nets[i])
				other = find_same_card(marks, self, profile->nets[i], claim);
	}
	return other;
}

/* Takes profile and report over. NULL: no memory. */
static struct guest *add_guest(struct roster *roster, const char *name, const char *path,
			       struct profile *profile, struct profile_report *report)
{
	struct guest *guest = guest_new(roster->services, name, path, profile, report);

	if (!guest) {
		profile_free(profile);
		profile_report_free(report);
		return NULL;
	}
	if (insert_guest(roster, guest) == 0)
		return guest;
	guest_free(guest);
	return NULL;
}

/* Another guest has the name: "web" becomes "web.2". */
static void name_of_twin(struct roster *roster, char name[NAME_SIZE])
{
	char twin[NAME_SIZE];
	unsigned n = 1;

	do {
		name_number(twin, name, ++n);
	} while (roster_find(roster, twin));
	memcpy(name, twin, sizeof(twin));
}

/* Whether reading its file again would find what the guest has. */
static bool is_as_read(const struct guest *guest, const struct profile_stamp *stamp)
{
	return guest && guest->profile && !guest->next_profile && !guest->report.count &&
	       !strcmp(guest->name, guest->profile->name) &&
	       profile_stamp_equal(&guest->stamp, stamp);
}

#define SAID_MAX 32 /* sentences of one reading in the journal */

/*
 * For the journal and for who asked for the reading. Of a folder full of new files the journal
 * does not keep others from being heard.
 */
static void tell(struct roster *roster, const struct guest *guest, const char *text)
{
	struct cause sentence;

	if (!roster->reminding && (!roster->reloading || roster->said++ < SAID_MAX))
		journal_emit(&roster->services->journal, guest, DECK_EVENT_LOG, "%s", text);
	if (!roster->notes)
		return;
	cause_set(&sentence, 0, "%s%s%s", guest ? guest->name : "", guest ? ": " : "", text);
	roster->notes->add(roster->notes->arg, sentence.text, roster->reminding);
}

/* A sentence about a guest. */
static void __attribute__((format(printf, 3, 4)))
say(struct roster *roster, const struct guest *guest, const char *format, ...)
{
	char text[CAUSE_SIZE];
	va_list ap;

	if (!roster->settled)
		return;
	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	tell(roster, guest, text);
}

/* About a switch. */
static void say_of_switch(void *arg, const char *sentence)
{
	tell(arg, NULL, sentence);
}

static void restore_leases(void *arg, struct net_switch *sw)
{
	const struct roster *roster = arg;

	lease_file_restore(&roster->services->leases, sw);
}

static void say_mistakes(struct roster *roster, const struct guest *guest)
{
	char first[CAUSE_SIZE];

	profile_report_first(first, sizeof(first), guest->path, &guest->report);
	say(roster, guest, "its profile has mistakes: %s%s", first,
	    guest_is_live(guest) ? "; it goes on with the one that it was started with" : "");
}

static void say_pending(struct roster *roster, const struct guest *guest, const char *keys)
{
	say(roster, guest, "its profile has changed: %s; that applies when it is reset or started "
	    "next", keys);
}

static void say_orphaned(struct roster *roster, const struct guest *guest, const char *orphaned)
{
	say(roster, guest, "its profile %s; it goes on until it ends", orphaned);
}

/* What a live guest's profile is to it once it was read again. */
static void say_later(struct roster *roster, const struct guest *guest, const char *pending,
		      const char *orphaned, bool same)
{
	char keys[GUEST_PENDING_SIZE], now[GUEST_ORPHANED_SIZE];

	guest_pending(guest, keys);
	guest_orphaned(guest, now);
	if (*now && strcmp(now, orphaned))
		say_orphaned(roster, guest, now);
	else if (*keys && strcmp(keys, pending))
		say_pending(roster, guest, keys);
	else if (!guest->next_profile && (!same || *pending || *orphaned))
		say(roster, guest, "its profile is again what it runs with");
}

/* Takes profile (NULL: see the report) and report over, and says what that changes. */
static void change_guest(struct roster *roster, struct guest *guest, struct profile *profile,
			 struct profile_report *report)
{
	char pending[GUEST_PENDING_SIZE], keys[GUEST_PENDING_SIZE] = "";
	char orphaned[GUEST_ORPHANED_SIZE];
	bool same = profile_report_equal(&guest->report, report);
	bool differs = profile && guest->profile &&
		       profile_differ(guest->profile, profile, keys, sizeof(keys));

	guest_pending(guest, pending);
	guest_orphaned(guest, orphaned);
	guest->gone = false;
	guest_set_profile(guest, profile, report);
	if (guest->report.count && !same)
		say_mistakes(roster, guest);
	if (!profile)
		return;
	if (guest_is_live(guest))
		say_later(roster, guest, pending, orphaned, same);
	else if (differs)
		say(roster, guest, "its profile has changed: %s", keys);
	else if (!same)
		say(roster, guest, "its profile is valid");
}

/* Reads a file; what others have already is a mistake. NULL with such a report. */
static struct profile *read_profile(struct roster *roster, const struct guest *self,
				    const char *path, struct profile_report *report)
{
	struct profile *profile;
	const struct guest *other;
	const char *what;

	if (profile_read(&profile, path, report) < 0)
		return NULL;
	other = find_conflict(roster, self, profile, &what);
	if (!other)
		return profile;
	roster->conflicts = true;
	conflict_report(report, 0, what, other->name, other->path);
	profile_free(profile);
	return NULL;
}

static void read_guest(void *arg, const char *path)
{
	struct profile_stamp stamp = profile_stamp_take(path);
	struct roster *roster = arg;
	struct guest *guest = find_path(roster, path);
	struct profile_report report = { 0 };
	struct profile *profile;
	char name[NAME_SIZE], *twin_path = NULL;
	struct guest *twin;
	const char *file;
	size_t length;

	if (is_as_read(guest, &stamp)) {
		guest->gone = false;
		return;
	}
	/* That of a guest whose profile cannot be read. */
	file = profile_file_name(path, &length);
	name_make(name, file, length);
	profile = read_profile(roster, guest, path, &report);
	if (profile)
		snprintf(name, sizeof(name), "%s", profile->name);
	/* Another name makes another guest; a mistake does not change the name. */
	if (guest && profile && strcmp(guest->name, name) && !guest_is_live(guest)) {
		forget_guest(roster, guest);
		guest = NULL;
	}
	if (guest) {
		guest->stamp = stamp;
		change_guest(roster, guest, profile, &report);
		return;
	}
	/* A name is how a guest is found; one without a valid profile has to leave it to others. */
	twin = roster_find(roster, name);
	if (twin && !profile) {
		name_of_twin(roster, name);
	} else if (twin) {
		twin_path = strdup(twin->path);
		forget_guest(roster, twin);
	}
	guest = add_guest(roster, name, path, profile, &report);
	if (guest) {
		guest->stamp = stamp;
		if (guest->report.count)
			say_mistakes(roster, guest);
		else
			say(roster, guest, "new profile");
	} else {
		journal_emit(&roster->services->journal, NULL, DECK_EVENT_LOG,
			     "%s: out of memory", path);
	}
	if (twin_path)
		read_guest(roster, twin_path);
	free(twin_path);
}

int roster_refresh(struct roster *roster, struct guest *guest, struct cause *cause)
{
	struct profile_stamp stamp;
	struct profile_report report;
	struct profile *profile;
	bool others;

	if (!guest->path)
		return 0;
	stamp = profile_stamp_take(guest->path);
	if (is_as_read(guest, &stamp))
		return 0;
	if (access(guest->path, F_OK) < 0)
		return cause_errno(cause, errno, "its profile %s", guest->path);
	profile = read_profile(roster, guest, guest->path, &report);
	others = profile && strcmp(profile->name, guest->name);
	if (others)
		cause_set(cause, EBUSY, "its profile is one of %s now; see 'vmdeck reload'",
			  profile->name);
	if (others && !guest_is_live(guest)) {
		profile_free(profile);
		profile_report_free(&report);
		return -EBUSY;
	}
	guest->stamp = stamp;
	change_guest(roster, guest, profile, &report);
	switches_apply(&roster->switches);
	return others ? -EBUSY : 0;
}

int roster_may_have(const struct roster *roster, const struct guest *guest,
		    const struct profile *profile, struct cause *cause)
{
	const struct guest *other;
	const char *what;

	other = find_conflict(roster, guest, profile, &what);
	return other ? cause_set(cause, EBUSY, "%s: guest %s has the same", what, other->name) : 0;
}

/* --- what switches ask --- */

static bool has_card(const struct profile *profile, const char *name)
{
	for (unsigned i = 0; profile && i < PROFILE_NETS_MAX; i++)
		if (profile->nets[i] && !strcmp(profile->nets[i]->switch_name, name))
			return true;
	return false;
}

static bool is_used(void *arg, const char *name)
{
	const struct roster *roster = arg;

	for (size_t i = 0; i < roster->count; i++)
		if (guest_is_live(roster->guests[i]) && has_card(roster->guests[i]->profile, name))
			return true;
	return false;
}

static bool is_wanted(void *arg, const char *name)
{
	const struct roster *roster = arg;

	for (size_t i = 0; i < roster->count; i++)
		if (has_card(roster->guests[i]->profile, name))
			return true;
	return false;
}

/* --- all of them --- */

static int read_profiles(struct roster *roster, struct cause *cause)
{
	const struct deck_config *config = &roster->config;
	int err = switches_read(&roster->switches, config->switches_folder, cause);

	if (!err && config->guests_folder)
		err = profile_folder_read(config->guests_folder, read_guest, roster, cause);
	for (const char *const *path = config->profiles; !err && path && *path; path++)
		read_guest(roster, *path);
	return err;
}

static int make_demo(struct roster *roster, struct cause *cause)
{
	unsigned wanted = roster->config.demo_guests ? roster->config.demo_guests : DEMO_GUESTS;
	int err = 0;

	if (wanted > DEMO_GUESTS_MAX)
		return cause_set(cause, EINVAL, "the demo has at most %d guests", DEMO_GUESTS_MAX);
	roster->disk_fds = calloc(wanted, sizeof(*roster->disk_fds));
	if (!roster->disk_fds)
		return cause_errno(cause, ENOMEM, "demo");
	for (unsigned i = 0; !err && i < wanted; i++) {
		struct profile_report none = { 0 };
		struct profile *profile;

		err = demo_profile(&profile, i, &roster->disk_fds[i], cause);
		if (err)
			break;
		roster->disk_fd_count++;
		if (!add_guest(roster, profile->name, NULL, profile, &none))
			err = cause_errno(cause, ENOMEM, "demo");
	}
	return err;
}

/* Neither its mistakes nor its news count any more, and it is read again if it comes back. */
static void forget_file(struct guest *guest)
{
	struct profile_report none = { 0 };

	guest_set_profile(guest, NULL, &none);
	guest->stamp = (struct profile_stamp){ 0 };
}

/* The files of which guests are gone. */
static void look_for_files(struct roster *roster)
{
	for (size_t i = roster->count; i-- > 0;) {
		struct guest *guest = roster->guests[i];
		bool gone = guest->path && access(guest->path, F_OK) < 0;

		if (gone && guest_is_live(guest) && !guest->gone) {
			forget_file(guest);
			say_orphaned(roster, guest, "is gone");
		}
		/* Of one that is back that is said when it is read. */
		guest->gone |= gone;
		if (!gone || guest_is_live(guest))
			continue;
		say(roster, guest, "its profile is gone");
		forget_guest(roster, guest);
	}
}

/* Who asks for a reading hears of all that is not applied, not of what is news alone. */
static void remind(struct roster *roster)
{
	char keys[GUEST_PENDING_SIZE], orphaned[GUEST_ORPHANED_SIZE];

	roster->reminding = true;
	for (size_t i = 0; i < roster->count; i++) {
		const struct guest *guest = roster->guests[i];

		guest_pending(guest, keys);
		guest_orphaned(guest, orphaned);
		if (guest->report.count)
			say_mistakes(roster, guest);
		else if (*orphaned)
			say_orphaned(roster, guest, orphaned);
		else if (*keys)
			say_pending(roster, guest, keys);
	}
	switches_remind(&roster->switches);
	roster->reminding = false;
}

int roster_reload(struct roster *roster, const struct deck_notes *notes, struct cause *cause)
{
	int err;

	roster->notes = notes;
	roster->reloading = true;
	roster->said = 0;
	look_for_files(roster);
	roster->conflicts = false;
	err = read_profiles(roster, cause);
	/* What a file gives up another one may have asked for before: names that were swapped. */
	if (!err && roster->conflicts && roster->config.guests_folder)
		err = profile_folder_read(roster->config.guests_folder, read_guest, roster, cause);
	switches_apply(&roster->switches);
	if (notes)
		remind(roster);
	if (roster->said > SAID_MAX)
		journal_emit(&roster->services->journal, NULL, DECK_EVENT_LOG,
			     "%u more changes of profiles at once; 'vmdeck list' shows the "
			     "guests", roster->said - SAID_MAX);
	journal_emit(&roster->services->journal, NULL, DECK_EVENT_PROFILES, "%s", "");
	roster->notes = NULL;
	roster->reloading = false;
	return err;
}

int roster_read(struct roster *roster, struct deck_services *services,
		const struct deck_config *config, struct cause *cause)
{
	int err;

	*roster = (struct roster){ .services = services, .config = *config };
	roster->switches = (struct switches){ .network = services->network, .used = is_used,
					      .wanted = is_wanted, .say = say_of_switch,
					      .made = restore_leases, .arg = roster };
	err = read_profiles(roster, cause);
	if (!err && config->demo)
		err = make_demo(roster, cause);
	if (!err)
		switches_apply(&roster->switches);
	roster->settled = true;
	return err;
}

void roster_destroy(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		guest_free(roster->guests[i]);
	free(roster->guests);
	switches_destroy(&roster->switches);
	for (unsigned i = 0; i < roster->disk_fd_count; i++)
		close(roster->disk_fds[i]);
	free(roster->disk_fds);
}
