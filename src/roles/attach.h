/* The screen attached to a deck that runs in another process. */
#ifndef ROLES_ATTACH_H
#define ROLES_ATTACH_H

struct endpoint;

/* Shows the deck that is reached there until the screen ends; the exit status. */
int attach(const struct endpoint *endpoint);

#endif
