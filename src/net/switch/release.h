/*
 * What has been held back in a lane goes on. The thread of late.h, under its lock. Nobody outside
 * the switch includes this.
 */
#ifndef NET_SWITCH_RELEASE_H
#define NET_SWITCH_RELEASE_H

#include "net/switch/lane.h"

/* What is due, or the first frames of it: a lane has its turn. */
void release_due(struct lane *lane, uint64_t now);

#endif
