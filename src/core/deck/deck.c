/* The deck: which guests and switches there are, events, the end. Deck thread. */
#include "core/deck/deck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/deck/demo.h"
#include "core/deck/guest.h"
#include "core/profile/folder.h"
#include "core/profile/read.h"

#define SAMPLE_INTERVAL (STATS_INTERVAL_MS * NS_PER_MS)
#define POWER_BUTTON_PATIENCE (30 * NS_PER_S)
#define NOTICES_MAX 32 /* log events kept for listeners to come */

struct deck {
	struct loop loop;
	bool loop_ready;
	struct deck_config config;
	struct network *network;
	struct kvm_host *kvm; /* opened with the first guest */
	struct guest **guests; /* by name */
	size_t count, room;
	int *disk_fds; /* of the demo */
	unsigned disk_fd_count;
	struct loop_timer sample, patience;
	uint64_t next_sample; /* CLOCK_MONOTONIC, ns */
	struct deck_listener *listeners;
	char *notices[NOTICES_MAX];
	uint64_t notice_times[NOTICES_MAX];
	unsigned notice_count;
	bool ending, told; /* deck_end() was called; its caller was told of the end */
	bool conflicts;	   /* a profile was refused because of another */
	struct loop_task ended;
	void (*on_ended)(void *arg);
	void *on_ended_arg;
};

struct loop *deck_loop(struct deck *deck)
{
	return &deck->loop;
}

struct network *deck_network(struct deck *deck)
{
	return deck->network;
}

const char *deck_name(const struct deck *deck)
{
	return deck->config.demo ? "demo" :
	       deck->config.guests_folder ? deck->config.guests_folder : "";
}

/* --- events --- */

/* The newest log events are kept: what start-up had to say is seen by who attaches later. */
static void keep_notice(struct deck *deck, uint64_t time_ns, const char *text)
{
	if (deck->notice_count == NOTICES_MAX) {
		free(deck->notices[0]);
		memmove(deck->notices, deck->notices + 1, sizeof(deck->notices[0]) * (NOTICES_MAX - 1));
		memmove(deck->notice_times, deck->notice_times + 1,
			sizeof(deck->notice_times[0]) * (NOTICES_MAX - 1));
		deck->notice_count--;
	}
	deck->notices[deck->notice_count] = strdup(text);
	deck->notice_times[deck->notice_count] = time_ns;
	if (deck->notices[deck->notice_count])
		deck->notice_count++;
}

void deck_emit(struct deck *deck, const struct guest *guest, int kind, const char *format, ...)
{
	struct deck_event event = { .time_ns = clock_wall(), .guest = guest };
	struct deck_listener *listener, *next;
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	event.kind = kind;
	event.text = text;
	if (kind == DECK_EVENT_LOG && !guest)
		keep_notice(deck, event.time_ns, text);
	for (listener = deck->listeners; listener; listener = next) {
		next = listener->next;
		listener->event(listener->arg, &event);
	}
}

void deck_listen(struct deck *deck, struct deck_listener *listener)
{
	listener->next = deck->listeners;
	deck->listeners = listener;
	for (unsigned i = 0; i < deck->notice_count; i++) {
		struct deck_event event = { .time_ns = deck->notice_times[i],
					    .kind = DECK_EVENT_LOG,
					    .text = deck->notices[i] };

		listener->event(listener->arg, &event);
	}
}

void deck_unlisten(struct deck *deck, struct deck_listener *listener)
{
	struct deck_listener **at;

	for (at = &deck->listeners; *at && *at != listener; at = &(*at)->next)
		;
	if (*at)
		*at = listener->next;
}

/* --- the list of guests --- */

struct guest *deck_guest(struct deck *deck, size_t index)
{
	return index < deck->count ? deck->guests[index] : NULL;
}

struct guest *deck_find(struct deck *deck, const char *name)
{
	for (size_t i = 0; i < deck->count; i++)
		if (!strcmp(deck->guests[i]->name, name))
			return deck->guests[i];
	return NULL;
}

static struct guest *find_path(struct deck *deck, const char *path)
{
	for (size_t i = 0; i < deck->count; i++)
		if (deck->guests[i]->path && !strcmp(deck->guests[i]->path, path))
			return deck->guests[i];
	return NULL;
}

static int insert_guest(struct deck *deck, struct guest *guest)
{
	size_t at;

	if (deck->count == deck->room) {
		size_t room = deck->room ? 2 * deck->room : 16;
		struct guest **guests = realloc(deck->guests, room * sizeof(*guests));

		if (!guests)
			return -ENOMEM;
		deck->guests = guests;
		deck->room = room;
	}
	for (at = deck->count; at && strcmp(deck->guests[at - 1]->name, guest->name) > 0; at--)
		deck->guests[at] = deck->guests[at - 1];
	deck->guests[at] = guest;
	deck->count++;
	return 0;
}

static void forget_guest(struct deck *deck, struct guest *guest)
{
	size_t at;

	for (at = 0; at < deck->count && deck->guests[at] != guest; at++)
		;
	if (at == deck->count)
		return;
	memmove(deck->guests + at, deck->guests + at + 1,
		(deck->count - at - 1) * sizeof(*deck->guests));
	deck->count--;
	deck_emit(deck, guest, DECK_EVENT_PROFILES, "%s", "its profile is gone");
	guest_free(guest);
}

/* --- reading profiles --- */

/* Another guest with this name, or with one of these MAC addresses on the same switch. */
static const struct guest *find_conflict(struct deck *deck, const struct guest *self,
					 const struct profile *profile, const char **what)
{
	for (size_t i = 0; i < deck->count; i++) {
		const struct guest *other = deck->guests[i];

		if (other == self || !other->profile)
			continue;
		if (!strcmp(other->profile->name, profile->name)) {
			*what = "name";
			return other;
		}
		for (unsigned a = 0; a < PROFILE_NETS_MAX; a++)
			for (unsigned b = 0; b < PROFILE_NETS_MAX; b++) {
				const struct profile_net *x = &profile->nets[a];
				const struct profile_net *y = &other->profile->nets[b];

				if (x->present && y->present &&
				    !strcmp(x->switch_name, y->switch_name) &&
				    !memcmp(x->mac, y->mac, NET_MAC_SIZE)) {
					*what = "mac";
					return other;
				}
			}
	}
	return NULL;
}

/* Takes profile and report over. 0 or -ENOMEM. */
static int add_guest(struct deck *deck, const char *name, const char *path,
		     struct profile *profile, struct profile_report *report)
{
	struct guest *guest = guest_new(deck, name, path, profile, report);

	if (!guest) {
		profile_free(profile);
		profile_report_free(report);
		return -ENOMEM;
	}
	if (insert_guest(deck, guest) == 0)
		return 0;
	guest_free(guest);
	return -ENOMEM;
}

/* Another guest has the name: "web" becomes "web.2". */
static void name_of_twin(struct deck *deck, char name[NAME_SIZE])
{
	char twin[NAME_SIZE];
	unsigned n = 1;

	do {
		name_number(twin, name, ++n);
	} while (deck_find(deck, twin));
	memcpy(name, twin, sizeof(twin));
}

static void read_guest(void *arg, const char *path)
{
	struct deck *deck = arg;
	struct guest *guest = find_path(deck, path);
	struct profile_report report = { 0 };
	struct profile *profile = NULL;
	char name[NAME_SIZE], *twin_path = NULL;
	const struct guest *other;
	struct guest *twin;
	const char *what, *file;
	size_t length;

	/* That of a guest whose profile cannot be read. */
	file = profile_file_name(path, &length);
	name_make(name, file, length);
	if (profile_read(&profile, path, &report) < 0)
		profile = NULL;
	other = profile ? find_conflict(deck, guest, profile, &what) : NULL;
	if (other) {
		deck->conflicts = true;
		profile_report_add(&report, 0, "%s: guest %s (%s) has the same; choose another", what,
				   other->name, other->path ? other->path : "built in");
		profile_free(profile);
		profile = NULL;
	}
	if (profile)
		snprintf(name, sizeof(name), "%s", profile->name);
	/* Another name makes another guest; a mistake does not change the name. */
	if (guest && profile && strcmp(guest->name, name) && !guest_is_live(guest)) {
		forget_guest(deck, guest);
		guest = NULL;
	}
	if (guest) {
		guest->gone = false;
		guest_set_profile(guest, profile, &report);
		return;
	}
	/* A name is how a guest is found; one without a valid profile has to leave it to others. */
	twin = deck_find(deck, name);
	if (twin && !profile) {
		name_of_twin(deck, name);
	} else if (twin) {
		twin_path = strdup(twin->path);
		forget_guest(deck, twin);
	}
	if (add_guest(deck, name, path, profile, &report) < 0)
		deck_emit(deck, NULL, DECK_EVENT_LOG, "%s: out of memory", path);
	if (twin_path)
		read_guest(deck, twin_path);
	free(twin_path);
}

static void read_switch(void *arg, const char *path)
{
	struct deck *deck = arg;
	struct profile_report report = { 0 };
	struct switch_config config;
	struct net_switch *sw;
	struct cause cause;

	if (profile_read_switch(&config, path, &report) < 0) {
		for (size_t i = 0; i < report.count; i++)
			deck_emit(deck, NULL, DECK_EVENT_LOG, "%s:%u: %s", path,
				  report.mistakes[i].line, report.mistakes[i].text);
	} else if (!network_find_switch(deck->network, config.name) &&
		   switch_new(&sw, deck->network, &config, &cause) < 0) {
		deck_emit(deck, NULL, DECK_EVENT_LOG, "%s: %s", path, cause.text);
	}
	profile_report_free(&report);
}

/* The switch that guests may name without there being a file that describes it. */
static int make_default_switch(struct deck *deck, struct cause *cause)
{
	struct net_switch *sw;

	for (size_t i = 0; i < deck->count; i++) {
		const struct profile *profile = deck->guests[i]->profile;

		for (unsigned n = 0; profile && n < PROFILE_NETS_MAX; n++)
			if (profile->nets[n].present &&
			    !strcmp(profile->nets[n].switch_name, demo_switch.name))
				return network_find_switch(deck->network, demo_switch.name) ? 0 :
				       switch_new(&sw, deck->network, &demo_switch, cause);
	}
	return 0;
}

static int read_profiles(struct deck *deck, struct cause *cause)
{
	const struct deck_config *config = &deck->config;
	int err = 0;

	if (config->switches_folder)
		err = profile_folder_read(config->switches_folder, read_switch, deck, cause);
	if (!err && config->guests_folder)
		err = profile_folder_read(config->guests_folder, read_guest, deck, cause);
	for (const char *const *path = config->profiles; !err && path && *path; path++)
		read_guest(deck, *path);
	return err;
}

static int make_demo(struct deck *deck, struct cause *cause)
{
	unsigned wanted = deck->config.demo_guests ? deck->config.demo_guests : DEMO_GUESTS;
	int err = 0;

	if (wanted > DEMO_GUESTS_MAX)
		return cause_set(cause, EINVAL, "the demo has at most %d guests", DEMO_GUESTS_MAX);
	deck->disk_fds = calloc(wanted, sizeof(*deck->disk_fds));
	if (!deck->disk_fds)
		return cause_errno(cause, ENOMEM, "demo");
	for (unsigned i = 0; !err && i < wanted; i++) {
		struct profile_report none = { 0 };
		struct profile *profile;

		err = demo_profile(&profile, i, &deck->disk_fds[i], cause);
		if (err)
			break;
		deck->disk_fd_count++;
		if (add_guest(deck, profile->name, NULL, profile, &none) < 0)
			err = cause_errno(cause, ENOMEM, "demo");
	}
	return err;
}

int deck_reload(struct deck *deck, struct cause *cause)
{
	int err;

	for (size_t i = 0; i < deck->count; i++)
		deck->guests[i]->gone = deck->guests[i]->path &&
					access(deck->guests[i]->path, F_OK) < 0;
	for (size_t i = deck->count; i-- > 0;)
		if (deck->guests[i]->gone && !guest_is_live(deck->guests[i]))
			forget_guest(deck, deck->guests[i]);
	deck->conflicts = false;
	err = read_profiles(deck, cause);
	/* What a file gives up another one may have asked for before: names that were swapped. */
	if (!err && deck->conflicts && deck->config.guests_folder)
		err = profile_folder_read(deck->config.guests_folder, read_guest, deck, cause);
	if (!err)
		err = make_default_switch(deck, cause);
	deck_emit(deck, NULL, DECK_EVENT_PROFILES, "%s", "");
	return err;
}

/* --- life --- */

static void sample(void *arg)
{
	struct deck *deck = arg;
	uint64_t now = clock_monotonic();

	for (size_t i = 0; i < deck->count; i++)
		if (deck->guests[i]->series)
			stats_sample(deck->guests[i]->series, deck->guests[i]->machine, now);
	/* By the clock, not by when this call came: a late sample does not move those after it. */
	deck->next_sample += SAMPLE_INTERVAL;
	if (deck->next_sample <= now)
		deck->next_sample = now + SAMPLE_INTERVAL;
	loop_timer_set(&deck->loop, &deck->sample, deck->next_sample - now);
}

static void tell_ended(void *arg)
{
	struct deck *deck = arg;

	deck->on_ended(deck->on_ended_arg);
}

static bool any_live(const struct deck *deck)
{
	for (size_t i = 0; i < deck->count; i++)
		if (guest_is_live(deck->guests[i]))
			return true;
	return false;
}

static void check_ended(struct deck *deck)
{
	if (!deck->ending || deck->told || any_live(deck))
		return;
	loop_timer_cancel(&deck->loop, &deck->patience);
	deck->told = true;
	loop_post(&deck->loop, &deck->ended);
}

static void force_all(void *arg)
{
	struct deck *deck = arg;

	for (size_t i = 0; i < deck->count; i++)
		guest_off(deck->guests[i], NULL);
}

bool deck_is_ending(const struct deck *deck)
{
	return deck->ending;
}

void deck_guest_ended(struct deck *deck, struct guest *guest)
{
	struct cause cause;

	/* What had to wait for the end: the file went, or the guest in it has another name now. */
	if ((guest->gone || (guest->profile && strcmp(guest->name, guest->profile->name))) &&
	    deck_reload(deck, &cause) < 0)
		deck_emit(deck, NULL, DECK_EVENT_LOG, "%s", cause.text);
	check_ended(deck);
}

void deck_end(struct deck *deck, bool force, void (*ended)(void *arg), void *arg)
{
	deck->on_ended = ended;
	deck->on_ended_arg = arg;
	deck->ending = true;
	deck->told = false;
	for (size_t i = 0; i < deck->count; i++) {
		struct guest *guest = deck->guests[i];

		if (!guest_is_live(guest))
			continue;
		/* One that cannot see its power button, as it starts or stops, is forced at once. */
		if (force || guest_shut_down(guest, NULL) < 0)
			guest_off(guest, NULL);
	}
	if (!force)
		loop_timer_set(&deck->loop, &deck->patience, POWER_BUTTON_PATIENCE);
	check_ended(deck);
}

int deck_get_kvm(struct deck *deck, const struct kvm_host **kvm, struct cause *cause)
{
	int err = deck->kvm ? 0 : kvm_open(&deck->kvm, cause);

	*kvm = deck->kvm;
	return err;
}

void deck_autostart(struct deck *deck)
{
	struct cause cause;

	for (size_t i = 0; i < deck->count; i++) {
		struct guest *guest = deck->guests[i];

		if (guest->profile && guest->profile->autostart && !guest_is_live(guest) &&
		    guest_start(guest, &cause) < 0)
			deck_emit(deck, NULL, DECK_EVENT_LOG, "%s: %s", guest->name, cause.text);
	}
}

int deck_new(struct deck **out, const struct deck_config *config, struct cause *cause)
{
	struct deck *deck = calloc(1, sizeof(*deck));
	int err;

	if (!deck)
		return cause_errno(cause, ENOMEM, "deck");
	deck->config = *config;
	deck->sample = (struct loop_timer){ .fire = sample, .arg = deck };
	deck->patience = (struct loop_timer){ .fire = force_all, .arg = deck };
	deck->ended = (struct loop_task){ .run = tell_ended, .arg = deck };
	err = loop_init(&deck->loop, cause);
	deck->loop_ready = !err;
	if (!err)
		err = network_new(&deck->network, cause);
	if (!err)
		err = read_profiles(deck, cause);
	if (!err && config->demo)
		err = make_demo(deck, cause);
	if (!err)
		err = make_default_switch(deck, cause);
	if (err) {
		deck_free(deck);
		return err;
	}
	deck->next_sample = clock_monotonic() + SAMPLE_INTERVAL;
	loop_timer_set(&deck->loop, &deck->sample, SAMPLE_INTERVAL);
	*out = deck;
	return 0;
}

static void free_switches(struct deck *deck)
{
	struct net_switch *sw;

	while (network_list_switches(deck->network, &sw, 1) > 0)
		switch_free(sw);
}

void deck_free(struct deck *deck)
{
	for (size_t i = 0; i < deck->count; i++)
		guest_free(deck->guests[i]);
	free(deck->guests);
	if (deck->network) {
		free_switches(deck);
		network_free(deck->network);
	}
	for (unsigned i = 0; i < deck->disk_fd_count; i++)
		close(deck->disk_fds[i]);
	free(deck->disk_fds);
	for (unsigned i = 0; i < deck->notice_count; i++)
		free(deck->notices[i]);
	kvm_close(deck->kvm);
	if (deck->loop_ready)
		loop_destroy(&deck->loop);
	free(deck);
}
