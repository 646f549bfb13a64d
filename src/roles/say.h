/* What roles say on standard error. Any thread. */
#ifndef ROLES_SAY_H
#define ROLES_SAY_H

#include "base/cause.h"

/* A role's failure; returns its exit status. */
int complain(const struct cause *cause);

/* A screen that nobody here ended says why it went. */
void say_ended(void);

#endif
