/*
 * A medium on its way into a drive of a guest. Opening an image can take as long as the file
 * system likes, or for ever, so that part is for a thread that nobody waits for; the guest may
 * be another one, or none, when it is through.
 */
#ifndef CORE_DECK_INSERTION_H
#define CORE_DECK_INSERTION_H

#include "core/deck/deck.h"
#include "core/deck/guest.h"

struct insertion;

/*
 * Deck thread: what is wanted, path being absolute; force as of guest_exchange(). -EINVAL when
 * device is no drive with a medium, -ENOMEM, each with a cause.
 */
int insertion_new(struct insertion **out, struct guest *guest, const char *device,
		  const char *path, bool force, struct cause *cause);

/* Opens the image. Any thread, once. */
void insertion_open(struct insertion *insertion);

/*
 * Deck thread, after that: puts the medium into the drive. 0, or a negative errno with a cause
 * that begins with the guest's name; -ECANCELED when something else is wanted of the drive since.
 */
int insertion_finish(struct insertion *insertion, struct deck *deck, struct cause *cause);

/* Closes what is not in the drive, which may wait for its file system as well. Any thread. */
void insertion_free(struct insertion *insertion);

#endif
