/* What a guest needs of the deck that it is in. Deck thread. */
#ifndef CORE_DECK_SERVICES_H
#define CORE_DECK_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/deck/journal.h"
#include "core/deck/lease_file.h"
#include "core/deck/marks.h"
#include "core/kvm/kvm.h"

struct boot_image;
struct network;
struct notices;
struct profile;

struct deck_services {
	struct loop loop;
	const struct boot_image *builtin;
	struct network *network;
	struct kvm_host *kvm; /* NULL until the first guest that starts has opened it */
	struct journal journal;
	struct lease_file leases;
	struct notices *notices; /* for other threads' sentences to it */
	struct marks marks; /* of all guests */
	uint64_t allotted;  /* bytes of RAM of all live guests */
	unsigned live;
	/* See roster_refresh(). */
	int (*refresh)(void *arg, struct guest *guest, struct cause *cause);
	/* See roster_may_have(). */
	int (*may_have)(void *arg, const struct guest *guest, const struct profile *profile,
			struct cause *cause);
	/* See switches_check(). */
	int (*check_switch)(void *arg, const char *name, struct cause *cause);
	void (*adopted)(void *arg); /* a guest that is alive has another profile */
	void (*hold_changed)(void *arg); /* see guest_hold() */
	bool ending; /* no guest is started any more */
	void (*guest_ended)(void *arg, struct guest *guest); /* may free the guest */
	void *arg;
};

#endif
