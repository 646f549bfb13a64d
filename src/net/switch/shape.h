/*
 * What the settings of a port do to the frames that it sends. The sending port's thread. Nobody
 * outside the switch includes this.
 */
#ifndef NET_SWITCH_SHAPE_H
#define NET_SWITCH_SHAPE_H

#include "net/switch/burst.h"

/*
 * A burst of a port that is not plain: refusals[i] is NET_FORWARD, or why the port's own
 * settings refuse frame i.
 */
void shape_enter(struct burst *burst, const struct port_shape *shape);

#endif
