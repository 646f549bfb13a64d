/*
 * What the settings of a port do to the frames that it sends, in its bursts. Nobody outside the
 * switch includes this.
 */
#ifndef NET_SWITCH_SHAPE_H
#define NET_SWITCH_SHAPE_H

#include "net/switch/burst.h"

/* burst_pass() for a port that is not plain: as many times as it takes, some of it later. */
void shape_pass(struct burst *burst, const struct port_shape *shape);

/* Whether the settings refuse frames, before burst_pass(). */
void shape_check(struct burst *burst, const struct port_shape *shape);

#endif
