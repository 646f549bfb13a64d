/*
 * The roster: which guests and switches a deck has, as its profiles say. Deck
 * thread.
 */
#ifndef CORE_DECK_ROSTER_H
#define CORE_DECK_ROSTER_H

#include "base/cause.h"
#include "core/deck/config.h"
#include "core/deck/guest.h"
#include "core/deck/services.h"
#include "core/deck/switches.h"

struct roster {
	struct deck_services *services;
	struct deck_config config;
	struct guest **guests; /* by name */
	size_t count, room;
	int *disk_fds; /* of the demo */
	unsigned disk_fd_count;
	bool conflicts; /* a profile was refused because of another */
	struct switches switches;
	bool settled; /* they were read once: from then on what changes is said */
	bool reloading;
	bool reminding; /* what is said was said before, and is for who asked alone */
	unsigned said; /* sentences since that began */
	const struct deck_notes *notes; /* of who asked for the reading under way, or NULL */
};

/*
 * Reads the profiles, makes guests and switches; see deck_new(). What config points to
 * must outlive the roster. roster_destroy() is due in every case.
 */
int roster_read(struct roster *roster, struct deck_services *services,
		const struct deck_config *config, struct cause *cause);
void roster_destroy(struct roster *roster); /* no guest runs; valid for one that is all zero */

/* See deck_reload(). */
int roster_reload(struct roster *roster, const struct deck_notes *notes, struct cause *cause);

/*
 * Of a guest that is about to start or to be reset: has its profile as it is on disk; it may be
 * invalid after that. If the file is gone or another guest's, a negative errno with a cause that
 * does not begin with the guest's name; the guest stays.
 */
int roster_refresh(struct roster *roster, struct guest *guest, struct cause *cause);

/* Whether no other guest has what the profile claims: 0, or -EBUSY with a cause. */
int roster_may_have(const struct roster *roster, const struct guest *guest,
		    const struct profile *profile, struct cause *cause);

/* Guests in order of name; index from 0. NULL beyond the last. */
struct guest *roster_guest(const struct roster *roster, size_t index);
struct guest *roster_find(const struct roster *roster, const char *name);

#endif
