/* See shape.h. */
#include "net/switch/shape.h"

void shape_enter(struct burst *burst, const struct port_shape *shape)
{
	bool unplugged = shape->settings.link == NET_LINK_DOWN;

	burst->shaped = true;
	for (unsigned i = 0; i < burst->count; i++)
		burst->refusals[i] = unplugged ? NET_DROP_LINK_DOWN : NET_FORWARD;
}
