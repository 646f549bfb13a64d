/*
 * Another size for a device of a guest, which can be that of a file: that takes as long as the file
 * system likes, or for ever, so that part is for a thread that nobody waits for. The guest may
 * be another one, or none, when it is through.
 */
#ifndef CORE_DECK_RESIZING_H
#define CORE_DECK_RESIZING_H

#include "core/deck/deck.h"
#include "core/deck/guest.h"

struct resizing;

/*
 * Deck thread: has the device take the size. 0, and *out is NULL if that is done, or what the rest
 * of it takes; or a negative errno with a cause, see guest_resize().
 */
int resizing_new(struct resizing **out, struct guest *guest, const char *device, uint64_t bytes,
		 struct cause *cause);

/* Makes the file larger. Any thread, once. */
void resizing_run(struct resizing *resizing);

/*
 * Deck thread, after that: the device takes the new size, unless the guest has ended, which finds
 * it when it is started. 0, or a negative errno with a cause that begins with the guest's name;
 * -ECANCELED when the disk has another image by now.
 */
int resizing_finish(struct resizing *resizing, struct deck *deck, struct cause *cause);

/* May wait for the file system as well. Any thread. */
void resizing_free(struct resizing *resizing);

#endif
