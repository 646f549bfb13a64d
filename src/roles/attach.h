/* The screen attached to a deck that runs in another process. */
#ifndef ROLES_ATTACH_H
#define ROLES_ATTACH_H

struct role_config;

/* Shows the deck that is reached at its endpoint until the screen ends; the exit status. */
int attach(const struct role_config *role);

#endif
