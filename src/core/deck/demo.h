/*
 * The built-in deck: guests of the program that vmdeck carries in itself, on
 * one switch with NAT, with disks in memory. Deck thread.
 */
#ifndef CORE_DECK_DEMO_H
#define CORE_DECK_DEMO_H

#include "base/cause.h"
#include "core/profile/profile.h"

#define DEMO_GUESTS 3
#define DEMO_GUESTS_MAX 1000

/* The switch that its guests share, and that guests get who name no other. */
extern const struct switch_config demo_switch;

/*
 * The profile of guest number n of the deck, 0..DEMO_GUESTS_MAX - 1. Its disk
 * is a memfd, which lives as long as the program; *disk_fd gets it, or -1.
 */
int demo_profile(struct profile **out, unsigned n, int *disk_fd, struct cause *cause);

#endif
