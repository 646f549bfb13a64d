/*
 * Copies of frames to ports that are there to watch at (span, mirror: settings.h). Nobody outside
 * the switch includes this.
 */
#ifndef NET_SWITCH_SPAN_H
#define NET_SWITCH_SPAN_H

#include "net/switch/burst.h"

/*
 * Of a burst that has gone its way: list, offloaded and tag are used anew, verdicts, to and parked
 * stay. The sending port's thread.
 */
void span_pass(struct burst *burst);

#endif
