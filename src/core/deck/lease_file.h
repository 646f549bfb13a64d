/*
 * The addresses that switches have given by DHCP, in a file of the state folder, so that guests
 * have theirs again when the deck, or a switch, begins anew. A deck of a folder of profiles has
 * one; others have none. Deck thread.
 */
#ifndef CORE_DECK_LEASE_FILE_H
#define CORE_DECK_LEASE_FILE_H

#include <stdbool.h>

#include "base/loop.h"
#include "net/network.h"

struct journal;

struct kept_lease {
	char switch_name[NAME_SIZE];
	struct dhcp_lease_info lease;
	uint64_t expires; /* s since the epoch */
};

struct lease_file {
	struct loop *loop;
	struct network *network;
	struct journal *journal;
	char *path; /* NULL: there is none */
	struct kept_lease *kept;
	size_t count;
	struct loop_timer write;
	bool failed; /* to be written, and that was said */
	bool written; /* there have been leases */
};

/*
 * Reads what an earlier deck has left, before there is a switch. guests_folder: NULL: the deck
 * has no such file. What cannot be read is said, and begins anew.
 */
void lease_file_open(struct lease_file *file, const char *guests_folder, struct loop *loop,
		     struct network *network, struct journal *journal);

/* Writes what is still to be written; the switches are there still. Valid for all zero. */
void lease_file_close(struct lease_file *file);

/* A switch was just made, and has no lease yet. */
void lease_file_restore(const struct lease_file *file, struct net_switch *sw);

/* Somebody has another address: it is written soon. */
void lease_file_changed(struct lease_file *file);

#endif
