/*
 * "vmdeck check": profiles as a deck of given folders would find them at a start, by the
 * same functions. Any thread.
 */
#ifndef CORE_DECK_CHECK_H
#define CORE_DECK_CHECK_H

#include "base/cause.h"
#include "core/deck/config.h"
#include "core/profile/report.h"

/*
 * Checks a profile of either kind: one in the switches' folder, or with a section [switch], is
 * a switch's. Also looked at are what it names, the host's memory and, of one in the guests'
 * folder, the guests beside it. The report is the caller's to free; 0 without mistakes, or a
 * negative errno like profile_read().
 */
int deck_check(const struct deck_config *config, const char *path, struct profile_report *report);

/*
 * Checks all profiles of a folder, or of the folders guests and switches in it, which stand in
 * for the config's; NULL: of those. Calls checked() for each, with a report that is valid during
 * the call. Returns how many there are; a negative errno with a cause when a folder cannot be
 * read.
 */
int deck_check_folder(const struct deck_config *config, const char *folder,
		      void (*checked)(void *arg, const char *path,
				      const struct profile_report *report),
		      void *arg, struct cause *cause);

#endif
