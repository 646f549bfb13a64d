/*
 * A guest as the deck keeps it; others see guest.h. Deck thread.
 */
#ifndef CORE_DECK_GUEST_PRIVATE_H
#define CORE_DECK_GUEST_PRIVATE_H

#include "core/deck/guest.h"
#include "core/deck/life.h"
#include "core/deck/services.h"
#include "core/deck/stats_private.h"
#include "core/machine/machine.h"
#include "core/profile/report.h"

struct guest {
	struct deck_services *services;
	char name[NAME_SIZE];
	char *path;		      /* of the profile, or NULL */
	struct profile *profile;      /* NULL: invalid */
	struct profile *next_profile; /* read anew while the guest runs */
	struct profile_report report;
	bool gone;		      /* the file is gone; forget the guest when it ends */
	struct life life;
	char reason[CAUSE_SIZE];
	char *registers; /* of the last crash, or NULL */
	uint64_t exits[VCPU_EXIT_REASONS]; /* of the machine that ended last */
	struct console console;
	struct stats_series *series;
	struct machine *machine;
	struct loop_task changed; /* the machine's status changed */
	unsigned stalls;
};

/*
 * A guest with a profile (taken over), or without one and with the report that says why (taken
 * over). NULL: no memory; then nothing is taken over.
 */
struct guest *guest_new(struct deck_services *services, const char *name, const char *path,
			struct profile *profile, struct profile_report *report);
void guest_free(struct guest *guest); /* it does not run */

/* Replaces the profile, at once or when the guest ends. Takes both over. */
void guest_set_profile(struct guest *guest, struct profile *profile,
		       struct profile_report *report);

/* Whether a machine stands. */
bool guest_is_live(const struct guest *guest);

#endif
