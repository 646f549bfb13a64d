/*
 * What the settings of a port do to the frames that it sends, in its bursts. Nobody outside the
 * switch includes this.
 */
#ifndef NET_SWITCH_SHAPE_H
#define NET_SWITCH_SHAPE_H

#include "net/switch/burst.h"

/* burst_pass() for a port that is not plain: as many times as it takes, some of it later. */
void shape_pass(struct burst *burst, const struct port_shape *shape);

/* What is held goes on, as far as it may: a burst without frames, of a port with a breakpoint. */
void shape_let_go(struct burst *burst, const struct port_shape *shape);

/* What becomes of a frame that is to be flooded: NET_FLOOD or NET_DROP_STORM. */
enum net_verdict shape_flood(struct burst *burst);

/* Whether a frame, with or without a tag, is longer than the settings allow. */
bool shape_is_long(const struct net_port_settings *settings, const struct net_frame *frame);

/* Whether the settings refuse frames, before burst_pass(). */
void shape_check(struct burst *burst, const struct port_shape *shape);

#endif
