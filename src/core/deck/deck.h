/*
 * The deck: all guests of one process, their switches and their life.
 *
 * Everything here is for the deck thread, the one that runs deck_loop(),
 * unless a function says otherwise.
 */
#ifndef CORE_DECK_DECK_H
#define CORE_DECK_DECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cause.h"
#include "base/loop.h"
#include "control/states.h"
#include "core/deck/config.h"
#include "core/deck/guest.h"
#include "core/deck/journal.h"
#include "core/deck/stats.h"
#include "core/machine/console.h"
#include "core/profile/profile.h"
#include "core/profile/report.h"
#include "net/switch/switch.h"

struct deck;
struct network;

/*
 * Reads the profiles and makes the switches; starts no guest. A profile with
 * mistakes becomes an invalid guest and is no failure.
 */
int deck_new(struct deck **out, const struct deck_config *config, struct cause *cause);

/*
 * After deck_end(). False: it has given up on guests, whose machines are still there; then the
 * rest of the deck stays for as long as the process lives, which is to end.
 */
bool deck_free(struct deck *deck);

/* In its place where others still use it: what is kept in files is written, and no more. */
void deck_leave(struct deck *deck);

struct loop *deck_loop(struct deck *deck);
struct network *deck_network(struct deck *deck);
const char *deck_name(const struct deck *deck); /* "demo" or the guests folder */

const struct deck_config *deck_get_config(const struct deck *deck); /* stays as it is; any thread */

/* Starts the guests that ask for it (autostart, and those of the demo). */
void deck_autostart(struct deck *deck);

/*
 * Reads the folders again; guests that run keep their profile until they stop. The deck does so
 * of its own accord when a file has changed. notes may be NULL.
 */
int deck_reload(struct deck *deck, const struct deck_notes *notes, struct cause *cause);

/* Does so at once if files have changed: before somebody names a guest that was just defined. */
void deck_refresh(struct deck *deck);

/*
 * Ends every guest: with the power button and after 30 s by force, or by
 * force at once. Then calls ended(arg) on the deck thread, once. Those whose machines have not
 * ended 10 s after the last one's power was taken, or 2 s when that is by another call, are given
 * up: see deck_gave_up(). No guest can be started from now on.
 */
void deck_end(struct deck *deck, bool force, void (*ended)(void *arg), void *arg);

/* Whether guests are left at the end, which their own threads will never say. */
bool deck_gave_up(const struct deck *deck);
void deck_given_up(struct deck *deck, char *names, size_t size); /* "db, web": as many as fit */

/* Something was decided about a breakpoint of a port: guests may go on. */
void deck_look_at_breaks(struct deck *deck);

void deck_listen(struct deck *deck, struct deck_listener *listener); /* embedded; not copied */
void deck_unlisten(struct deck *deck, struct deck_listener *listener);

/* Tells one, which need not listen, of the newest states and log events so far. */
void deck_replay(struct deck *deck, const struct deck_listener *listener);

/* Any thread: a sentence for the journal, cut at 511 bytes. */
void deck_notice(struct deck *deck, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Guests in order of name; index from 0. NULL beyond the last. */
struct guest *deck_guest(struct deck *deck, size_t index);
struct guest *deck_find(struct deck *deck, const char *name);

#endif
