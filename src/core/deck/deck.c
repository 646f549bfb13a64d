/* The deck: its loop, its samples, its end. Deck thread. */
#include "core/deck/deck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/sentence.h"
#include "base/watch.h"
#include "core/deck/breaks.h"
#include "core/deck/guest_private.h"
#include "core/deck/notices.h"
#include "core/deck/pressure.h"
#include "core/deck/refusals.h"
#include "core/deck/roster.h"
#include "core/deck/services.h"
#include "core/profile/folder.h"
#include "net/capture/capture.h"
#include "net/network.h"
#include "net/port/thread.h"

#define SAMPLE_INTERVAL (STATS_INTERVAL_MS * NS_PER_MS)
#define POWER_BUTTON_PATIENCE_S 30
/* In which a machine ends whose power was taken, and whose images are answered for. */
#define MERCY (10 * NS_PER_S)
#define SHORT_MERCY (2 * NS_PER_S) /* for who has had patience before */

struct deck {
	struct deck_services services;
	bool loop_ready;
	struct notices notices;
	struct loop_task leased; /* arms addresses */
	struct loop_timer addresses;
	struct roster roster;
	struct watch watch;
	struct pressure pressure;
	struct refusals refusals;
	struct breaks breaks;
	struct loop_source past; /* until much of it is kept */
	struct loop_timer sample, patience;
	struct loop_timer mercy; /* the power of all that are left is taken */
	bool gave_up;		 /* on guests that have not ended by then */
	bool told;	      /* deck_end()'s caller was told of the end */
	struct loop_task ended;
	void (*on_ended)(void *arg);
	void *on_ended_arg;
};

struct loop *deck_loop(struct deck *deck)
{
	return &deck->services.loop;
}

struct network *deck_network(struct deck *deck)
{
	return deck->services.network;
}

const char *deck_name(const struct deck *deck)
{
	const struct deck_config *config = &deck->roster.config;

	return config->demo ? "demo" : config->guests_folder ? config->guests_folder : "";
}

const struct deck_config *deck_get_config(const struct deck *deck)
{
	return &deck->roster.config;
}

struct guest *deck_guest(struct deck *deck, size_t index)
{
	return roster_guest(&deck->roster, index);
}

struct guest *deck_find(struct deck *deck, const char *name)
{
	return roster_find(&deck->roster, name);
}

int deck_reload(struct deck *deck, const struct deck_notes *notes, struct cause *cause)
{
	return roster_reload(&deck->roster, notes, cause);
}

void deck_refresh(struct deck *deck)
{
	watch_flush(&deck->watch);
}

static void reload(void *arg)
{
	struct deck *deck = arg;
	struct cause cause;

	if (deck_reload(deck, NULL, &cause) < 0)
		journal_emit(&deck->services.journal, NULL, DECK_EVENT_LOG, "%s", cause.text);
}

static int refresh(void *arg, struct guest *guest, struct cause *cause)
{
	struct deck *deck = arg;

	return roster_refresh(&deck->roster, guest, cause);
}

static int may_have(void *arg, const struct guest *guest, const struct profile *profile,
		    struct cause *cause)
{
	const struct deck *deck = arg;

	return roster_may_have(&deck->roster, guest, profile, cause);
}

static int check_switch(void *arg, const char *name, struct cause *cause)
{
	const struct deck *deck = arg;

	return switches_check(&deck->roster.switches, name, cause);
}

static void adopted(void *arg)
{
	struct deck *deck = arg;

	switches_apply(&deck->roster.switches);
}

static bool is_profile(void *arg, const char *name)
{
	(void)arg;
	return profile_file_is(name);
}

/* A deck of one profile, or the demo's, has no folder that could change. */
static void watch_folders(struct deck *deck)
{
	const struct deck_config *config = &deck->roster.config;
	const char *const folders[WATCH_FOLDERS] = { config->guests_folder,
						     config->switches_folder };
	struct cause cause;

	if (config->guests_folder &&
	    watch_init(&deck->watch, deck_loop(deck), folders, is_profile, reload, deck, &cause) < 0)
		journal_emit(&deck->services.journal, NULL, DECK_EVENT_LOG, "%s; new profiles are "
			     "not seen until 'vmdeck reload'", cause.text);
}

static void describe(struct deck_event *event)
{
	event->name = guest_name(event->guest);
	event->state = guest_get_state(event->guest);
}

void deck_listen(struct deck *deck, struct deck_listener *listener)
{
	journal_listen(&deck->services.journal, listener);
}

void deck_unlisten(struct deck *deck, struct deck_listener *listener)
{
	journal_unlisten(&deck->services.journal, listener);
}

void deck_replay(struct deck *deck, const struct deck_listener *listener)
{
	journal_replay(&deck->services.journal, listener);
}

void deck_notice(struct deck *deck, const char *format, ...)
{
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	notices_add(&deck->notices, text);
}

static void add_notice(void *arg, const char *text)
{
	notices_add(&((struct deck *)arg)->notices, text);
}

#define ADDRESSES_DELAY (200 * NS_PER_MS) /* a guest may ask as often as it likes */

static void tell_addresses(void *arg)
{
	struct deck *deck = arg;

	lease_file_changed(&deck->services.leases);
	journal_emit(&deck->services.journal, NULL, DECK_EVENT_ADDRESSES, "%s", "");
}

static void wait_for_more(void *arg)
{
	struct deck *deck = arg;

	if (!deck->addresses.armed)
		loop_timer_set(deck_loop(deck), &deck->addresses, ADDRESSES_DELAY);
}

static void on_leased(void *arg)
{
	struct deck *deck = arg;

	loop_post(deck_loop(deck), &deck->leased);
}

static void poke_breaks(void *arg)
{
	struct deck *deck = arg;

	breaks_poke(&deck->breaks);
}

void deck_look_at_breaks(struct deck *deck)
{
	breaks_poke(&deck->breaks);
}

static void sample(void *arg)
{
	struct deck *deck = arg;
	uint64_t now = clock_monotonic();
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest->series)
			guest_sample(guest, now);
	refusals_look(&deck->refusals, &deck->services.journal);
	loop_timer_set_aligned(deck_loop(deck), &deck->sample, SAMPLE_INTERVAL);
}

/* --- the end --- */

static void tell_ended(void *arg)
{
	struct deck *deck = arg;

	deck->on_ended(deck->on_ended_arg);
}

static bool any_live(struct deck *deck)
{
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest_is_live(guest))
			return true;
	return false;
}

/* No guest is left that has still to see its button. */
static bool all_off(struct deck *deck)
{
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest_is_live(guest) && !guest->off)
			return false;
	return true;
}

static void check_ended(struct deck *deck)
{
	if (!deck->services.ending || deck->told)
		return;
	if (any_live(deck) && !deck->gave_up) {
		if (all_off(deck) && !deck->mercy.armed)
			loop_timer_set(deck_loop(deck), &deck->mercy, MERCY);
		return;
	}
	loop_timer_cancel(deck_loop(deck), &deck->patience);
	loop_timer_cancel(deck_loop(deck), &deck->mercy);
	deck->told = true;
	loop_post(deck_loop(deck), &deck->ended);
}

static void force_off(struct deck *deck, const char *why)
{
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest_order(guest, METHOD_GUEST_OFF, NULL) == 0 && *why)
			journal_emit(&deck->services.journal, guest, DECK_EVENT_LOG, "%s", why);
}

static void serve_past(void *arg, uint32_t events)
{
	struct deck *deck = arg;
	struct cause cause = { "" };
	int error;

	(void)events;
	loop_remove(deck_loop(deck), &deck->past);
	error = capture_hub_serve(network_capture_hub(deck->services.network), &cause);
	if (error < 0)
		journal_emit(&deck->services.journal, NULL, DECK_EVENT_LOG,
			     "what passes switches is not kept for long: %s", cause.text);
}

static int watch_past(struct deck *deck, struct cause *cause)
{
	int fd = capture_hub_watch(network_capture_hub(deck->services.network));
	int error = loop_add(deck_loop(deck), &deck->past, fd, EPOLLIN, serve_past, deck);

	return error ? cause_errno(cause, -error, "captures") : 0;
}

static void out_of_patience(void *arg)
{
	struct deck *deck = arg;
	char why[64];

	snprintf(why, sizeof(why), "forced off, as it still runs after %d seconds",
		 POWER_BUTTON_PATIENCE_S);
	force_off(deck, why);
	check_ended(deck);
}

/* Their threads are with a file system that does not answer, as a rule, and cannot be ended. */
static void give_up(void *arg)
{
	struct deck *deck = arg;
	struct guest *guest;

	deck->gave_up = true;
	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest_is_live(guest))
			journal_emit(&deck->services.journal, guest, DECK_EVENT_LOG,
				     "given up: its power was taken, and its machine does not end; "
				     "it may wait for a file system that does not answer");
	check_ended(deck);
}

static void guest_ended(void *arg, struct guest *guest)
{
	struct deck *deck = arg;

	/* What had to wait for the end: the file went, or the guest in it has another name now. */
	if (guest->gone || (guest->profile && strcmp(guest->name, guest->profile->name)))
		reload(deck);
	else
		switches_apply(&deck->roster.switches);
	check_ended(deck);
}

void deck_end(struct deck *deck, bool force, void (*ended)(void *arg), void *arg)
{
	bool again = deck->services.ending;
	struct guest *guest;
	unsigned pressed = 0;

	deck->on_ended = ended;
	deck->on_ended_arg = arg;
	deck->services.ending = true;
	deck->told = false;
	for (size_t i = 0; (guest = deck_guest(deck, i)); i++) {
		if (!guest_is_live(guest))
			continue;
		guest_order(guest, force ? METHOD_GUEST_OFF : METHOD_GUEST_STOP, NULL);
		/* One that cannot see its button, as it starts or stops, is off by that. */
		pressed += !guest->off;
	}
	if (pressed) {
		loop_timer_set(deck_loop(deck), &deck->patience,
			       POWER_BUTTON_PATIENCE_S * NS_PER_S);
		journal_emit(&deck->services.journal, NULL, DECK_EVENT_ENDING, "the deck is being "
			     "ended: %u guest%s %d seconds from the power button on", pressed,
			     pressed == 1 ? " has" : "s have", POWER_BUTTON_PATIENCE_S);
	} else if (again) {
		loop_timer_set(deck_loop(deck), &deck->mercy, SHORT_MERCY);
	}
	check_ended(deck);
}

bool deck_gave_up(const struct deck *deck)
{
	return deck->gave_up;
}

void deck_given_up(struct deck *deck, char *names, size_t size)
{
	const struct guest *guest;

	*names = '\0';
	for (size_t i = 0; deck->gave_up && (guest = deck_guest(deck, i)); i++)
		if (guest_is_live(guest))
			sentence_add(names, size, strlen(names), "%s%s", *names ? ", " : "",
				     guest->name);
}

/* --- the beginning --- */

void deck_autostart(struct deck *deck)
{
	struct guest *guest;
	struct cause cause;

	for (size_t i = 0; (guest = deck_guest(deck, i)); i++)
		if (guest->profile && guest->profile->autostart && !guest_is_live(guest) &&
		    guest_order(guest, METHOD_GUEST_START, &cause) < 0)
			journal_emit(&deck->services.journal, NULL, DECK_EVENT_LOG, "%s: %s",
				     guest->name, cause.text);
}

int deck_new(struct deck **out, const struct deck_config *config, struct cause *cause)
{
	struct deck *deck = calloc(1, sizeof(*deck));
	const struct uplink_listener listener = { .notice = add_notice, .leased = on_leased,
						  .held = poke_breaks, .arg = deck };
	int err;

	if (!deck)
		return cause_errno(cause, ENOMEM, "deck");
	deck->services.journal.describe = describe;
	deck->services.builtin = config->builtin;
	deck->services.guest_ended = guest_ended;
	deck->services.refresh = refresh;
	deck->services.may_have = may_have;
	deck->services.check_switch = check_switch;
	deck->services.adopted = adopted;
	deck->services.hold_changed = poke_breaks;
	deck->services.arg = deck;
	deck->sample = (struct loop_timer){ .fire = sample, .arg = deck };
	deck->patience = (struct loop_timer){ .fire = out_of_patience, .arg = deck };
	deck->mercy = (struct loop_timer){ .fire = give_up, .arg = deck };
	deck->ended = (struct loop_task){ .run = tell_ended, .arg = deck };
	deck->leased = (struct loop_task){ .run = wait_for_more, .arg = deck };
	deck->addresses = (struct loop_timer){ .fire = tell_addresses, .arg = deck };
	breaks_init(&deck->breaks, &deck->services, &deck->roster);
	deck->services.notices = &deck->notices;
	notices_init(&deck->notices, deck_loop(deck), &deck->services.journal);
	err = loop_init(&deck->services.loop, cause);
	deck->loop_ready = !err;
	if (!err)
		err = network_new(&deck->services.network, cause);
	if (!err)
		network_listen(deck->services.network, &listener);
	if (!err)
		err = watch_past(deck, cause);
	if (!err)
		lease_file_open(&deck->services.leases, config->guests_folder, deck_loop(deck),
				deck->services.network, &deck->services.journal);
	if (!err)
		err = roster_read(&deck->roster, &deck->services, config, cause);
	if (err) {
		deck_free(deck);
		return err;
	}
	watch_folders(deck);
	pressure_init(&deck->pressure, deck_loop(deck), &deck->services.journal);
	loop_timer_set_aligned(deck_loop(deck), &deck->sample, SAMPLE_INTERVAL);
	*out = deck;
	return 0;
}

static void free_network(struct network *network)
{
	struct net_switch *sw;

	while (network_list_switches(network, &sw, 1) > 0)
		switch_free(sw);
	network_free(network);
}

void deck_leave(struct deck *deck)
{
	watch_destroy(&deck->watch);
	pressure_destroy(&deck->pressure);
	lease_file_close(&deck->services.leases);
}

bool deck_free(struct deck *deck)
{
	deck_leave(deck);
	/* The threads of their machines still have the rest of it. */
	if (any_live(deck))
		return false;
	roster_destroy(&deck->roster);
	loop_remove(deck_loop(deck), &deck->past);
	if (deck->services.network)
		free_network(deck->services.network);
	notices_destroy(&deck->notices);
	journal_destroy(&deck->services.journal);
	kvm_close(deck->services.kvm);
	if (deck->loop_ready)
		loop_destroy(deck_loop(deck));
	free(deck);
	return true;
}
