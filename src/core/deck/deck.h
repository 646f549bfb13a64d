/*
 * The deck: all guests of one process, their switches and their life.
 *
 * Everything here is for the deck thread, the one that runs deck_loop(),
 * unless a function says otherwise. A guest's machine lives on that guest's
 * own I/O thread (machine.h); orders go there as messages and come back as
 * state changes, so nothing here waits for a guest.
 */
#ifndef CORE_DECK_DECK_H
#define CORE_DECK_DECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/states.h"
#include "core/deck/stats.h"
#include "core/machine/console.h"
#include "core/profile/profile.h"
#include "core/profile/report.h"
#include "net/switch/switch.h"

struct deck;
struct guest;

struct deck_config {
	const char *guests_folder;   /* *.ini, or NULL */
	const char *switches_folder; /* *.ini, or NULL */
	const char *const *profiles; /* single profiles besides ("vmdeck run web.ini"), or NULL */
	bool demo;		     /* add the built-in deck */
	unsigned demo_guests;	     /* how many guests it has; 0: three */
};

/*
 * Something happened; strings are valid during the call. A DECK_EVENT_PROFILES with
 * a guest: that guest is about to be freed, every pointer to it must be dropped
 * during the call. Without one: the profiles were read again.
 */
struct deck_event {
	uint64_t time_ns;	 /* CLOCK_REALTIME */
	const struct guest *guest; /* or NULL */
	enum { DECK_EVENT_STATE, DECK_EVENT_LOG, DECK_EVENT_PROFILES } kind;
	const char *text; /* a sentence, or "" */
};

struct deck_listener {
	void (*event)(void *arg, const struct deck_event *event);
	void *arg;
	struct deck_listener *next;
};

/*
 * Reads the profiles and makes the switches; starts no guest. A profile with
 * mistakes becomes an invalid guest and is no failure.
 */
int deck_new(struct deck **out, const struct deck_config *config, struct cause *cause);
void deck_free(struct deck *deck); /* all guests must have ended: see deck_ended() */

struct loop *deck_loop(struct deck *deck);
struct network *deck_network(struct deck *deck);
const char *deck_name(const struct deck *deck); /* "demo" or the guests folder */

/* Starts the guests that ask for it (autostart, and those of the demo). */
void deck_autostart(struct deck *deck);

/* Reads the folders again; guests that run keep their profile until they stop. */
int deck_reload(struct deck *deck, struct cause *cause);

/*
 * Ends every guest: with the power button and after 30 s by force, or by
 * force at once. Then calls ended(arg) on the deck thread, once. No guest can be
 * started from now on.
 */
void deck_end(struct deck *deck, bool force, void (*ended)(void *arg), void *arg);

void deck_listen(struct deck *deck, struct deck_listener *listener); /* embedded; not copied */
void deck_unlisten(struct deck *deck, struct deck_listener *listener);

/* Guests in order of name; index from 0. NULL beyond the last. */
struct guest *deck_guest(struct deck *deck, size_t index);
struct guest *deck_find(struct deck *deck, const char *name);

/* Orders. 0 when accepted; -EBUSY with a cause in a state where it makes no sense. */
int guest_start(struct guest *guest, struct cause *cause);
int guest_power_button(struct guest *guest, struct cause *cause);
int guest_shut_down(struct guest *guest, struct cause *cause); /* the button, of a paused one too */
int guest_off(struct guest *guest, struct cause *cause);
int guest_pause(struct guest *guest, struct cause *cause);
int guest_resume(struct guest *guest, struct cause *cause);
int guest_reset(struct guest *guest, struct cause *cause);

const char *guest_name(const struct guest *guest);
enum guest_state guest_get_state(const struct guest *guest);
uint64_t guest_since(const struct guest *guest);	/* ns of the last change, CLOCK_REALTIME */
const char *guest_reason(const struct guest *guest);	/* why stopped, crashed, failed or paused; or "" */
const struct profile *guest_profile(const struct guest *guest); /* NULL if invalid */
const char *guest_profile_path(const struct guest *guest); /* or NULL for a built-in guest */
const struct profile_report *guest_mistakes(const struct guest *guest);
const char *guest_registers(const struct guest *guest); /* of a crash, several lines, or "" */

struct guest_exit_count {
	const char *reason; /* "IO", "MMIO", "HLT", ... */
	uint64_t count;
};

/* VM exits by reason that have happened; returns how many rows there are in all. */
size_t guest_exits(const struct guest *guest, struct guest_exit_count *out, size_t room);

struct guest_device {
	char name[16];	 /* "disk0", "net0" */
	char status[96]; /* "running", "needs reset: why" */
};

/* Devices that the guest's driver can break; returns how many there are. */
size_t guest_devices(const struct guest *guest, struct guest_device *out, size_t room);

/* The guest's console and its statistics: see console.h, stats.h. They outlive a stop. */
struct console *guest_console(struct guest *guest);
struct stats_series *guest_stats(struct guest *guest);

#endif
