/* The screen attached to a deck that runs in another process. */
#ifndef ROLES_ATTACH_H
#define ROLES_ATTACH_H

/* Shows the deck whose control socket is at path until the screen ends; the exit status. */
int attach(const char *path);

#endif
