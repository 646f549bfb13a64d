/*
 * A guest as the deck keeps it. For deck.c and guest.c; others use deck.h.
 * Deck thread.
 */
#ifndef CORE_DECK_GUEST_H
#define CORE_DECK_GUEST_H

#include "core/deck/deck.h"
#include "core/deck/stats_private.h"
#include "core/machine/machine.h"

struct guest {
	struct deck *deck;
	char name[NAME_SIZE];
	char *path;		      /* of the profile, or NULL */
	struct profile *profile;      /* NULL: invalid */
	struct profile *next_profile; /* read anew while the guest runs */
	struct profile_report report;
	bool gone;		      /* the file is gone; forget the guest when it ends */
	enum guest_state state;
	uint64_t since;
	char reason[CAUSE_SIZE];
	char *registers; /* of the last crash, or NULL */
	uint64_t exits[VCPU_EXIT_REASONS]; /* of the machine that ended last */
	struct console console;
	struct stats_series *series;
	struct machine *machine;
	struct loop_task changed; /* the machine's status changed */
	unsigned stalls, restarts, restarts_told;
	uint64_t restarted, restart_line; /* the last one; what was last said of any: monotonic ns */
	bool restarts_quickly;	   /* changes of state are told when one lasts */
	enum guest_state told;	   /* the state that the last event named */
	struct loop_timer settled; /* the state has lasted */
	struct loop_timer line;	   /* time to say how many restarts there were since the last one */
};

/*
 * A guest with a profile (taken over), or without one and with the report that says why (taken
 * over). NULL: no memory; then nothing is taken over.
 */
struct guest *guest_new(struct deck *deck, const char *name, const char *path,
			struct profile *profile, struct profile_report *report);
void guest_free(struct guest *guest); /* it does not run */

/* Replaces the profile, at once or when the guest ends. Takes both over. */
void guest_set_profile(struct guest *guest, struct profile *profile,
		       struct profile_report *report);

/* Whether a machine stands. */
bool guest_is_live(const struct guest *guest);

/* For guest.c, by the deck: */
int deck_get_kvm(struct deck *deck, const struct kvm_host **kvm, struct cause *cause);
void deck_emit(struct deck *deck, const struct guest *guest, int kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool deck_is_ending(const struct deck *deck);
void deck_guest_ended(struct deck *deck, struct guest *guest); /* the guest may be freed */

#endif
