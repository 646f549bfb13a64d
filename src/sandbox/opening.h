/*
 * Having something opened by another process, see opener.h: whatever holds that up holds up
 * nothing else.
 */
#ifndef SANDBOX_OPENING_H
#define SANDBOX_OPENING_H

#include "base/cause.h"
#include "sandbox/opener.h"

/*
 * Has it opened, without waiting: a socket that polls readable when opening_take() has
 * something, by closing which the caller gives it up; or a negative errno with a cause. Any
 * thread.
 */
int opening_start(const struct opener_order *order, struct cause *cause);

/*
 * -EAGAIN: not yet. A descriptor, the caller's, as opener_open() has it. Or another negative
 * errno, with *step. The caller closes status_fd then.
 */
int opening_take(int status_fd, enum opener_step *step);

#endif
