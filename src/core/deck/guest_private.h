/*
 * A guest as the deck keeps it; others see guest.h. Deck thread.
 */
#ifndef CORE_DECK_GUEST_PRIVATE_H
#define CORE_DECK_GUEST_PRIVATE_H

#include "core/deck/conflict.h"
#include "core/deck/guest.h"
#include "core/deck/life.h"
#include "core/deck/marks.h"
#include "core/deck/services.h"
#include "core/deck/stats_private.h"
#include "core/disk/secrets.h"
#include "core/machine/machine.h"
#include "core/profile/folder.h"
#include "core/profile/report.h"
#include "net/frame/frame.h"

/* Of one that is paused for a breakpoint: see guest_hold(). */
enum guest_hold { NOT_HELD, HELD_SOON, HELD_PAUSED, HELD_NO_MORE };

struct guest {
	struct deck_services *services;
	char name[NAME_SIZE];
	char *path;		      /* of the profile, or NULL */
	struct profile *profile;      /* NULL: invalid */
	struct profile *next_profile; /* read anew while the guest runs */
	struct profile *old_profile;  /* until a machine runs with the one that follows it */
	bool refused;		      /* next_profile could not be had; not before it is ordered */
	struct mark path_mark;
	/* Of the profile. */
	struct mark name_mark, card_marks[PROFILE_NETS_MAX][CONFLICT_CLAIMS];
	struct profile_report report;
	struct profile_stamp stamp;   /* of the file that was read last */
	bool gone;		      /* the file is gone; forget the guest when it ends */
	struct life life;
	char reason[CAUSE_SIZE];
	char *registers; /* of the last crash, or NULL */
	uint64_t exits[VCPU_EXIT_REASONS]; /* of the machine that ended last */
	struct console consoles[CONSOLES]; /* by enum profile_console */
	struct stats_series *series;
	struct machine *machine;
	struct secrets *secrets; /* of its disks, until it has ended; or NULL */
	struct loop_task changed; /* the machine's status changed */
	bool off;	    /* its power was taken; what its machine still tells is no news */
	bool start_again;   /* when it has stopped */
	bool resetting;	    /* its machine is stopping, to begin anew */
	enum guest_hold hold;
	char held[NET_PORT_NAME_MAX]; /* the port for which it is paused then */
	unsigned changes; /* as the machine's status has it */
	unsigned wishes[PROFILE_DISKS_MAX]; /* how often somebody wanted something of a drive */
	uint64_t forged_told; /* of stats_forged(), in the journal */
	uint64_t forged_due;  /* CLOCK_MONOTONIC, ns: not told again before */
};

/*
 * A guest with a profile (taken over), or without one and with the report that says why (taken
 * over). NULL: no memory; then nothing is taken over.
 */
struct guest *guest_new(struct deck_services *services, const char *name, const char *path,
			struct profile *profile, struct profile_report *report);
void guest_free(struct guest *guest); /* it does not run */

/* Replaces the profile, at once or when the guest is reset or ends. Takes both over. */
void guest_set_profile(struct guest *guest, struct profile *profile,
		       struct profile_report *report);

/* The hashes of what guest_set_profile() and guest_new() mark a guest with. */
uint64_t guest_path_hash(const char *path);
uint64_t guest_name_hash(const struct profile *profile);
uint64_t guest_claim_hash(const struct profile_net *net, enum conflict_claim claim); /* 0: none */

/* Has a series: adds a sample to it, and tells of a guest that forges addresses. */
void guest_sample(struct guest *guest, uint64_t now_ns);

/* Whether its file is another guest's meanwhile, which there is when this one ends. */
bool guest_is_renamed(const struct guest *guest);

/* Of a guest without a machine: its profile from here on, or NULL. The one before is not freed. */
void guest_adopt(struct guest *guest, struct profile *profile);

/*
 * Pauses a guest that runs, for what a port holds, until guest_unhold(), which resumes it if
 * nobody else has done so or ended it, nor something of its own keeps it paused. Whether it is
 * paused by that, or is about to be, or to be resumed; services->hold_changed() follows when that changes.
 */
void guest_hold(struct guest *guest, const char *port);
void guest_unhold(struct guest *guest);
bool guest_is_held(const struct guest *guest);

/* The machine's status has changed. */
void guest_follow_hold(struct guest *guest, const struct machine_status *status);

/* Whether a machine stands. */
bool guest_is_live(const struct guest *guest);

/* Starts it, now or when it has stopped. A negative errno with a cause. */
int guest_power_on(struct guest *guest, struct cause *cause);

/* Of a guest with a machine: its next reset applies next_profile, where that can be applied. */
void guest_offer_profile(struct guest *guest);

#endif
