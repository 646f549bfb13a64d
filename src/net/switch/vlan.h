/*
 * VLANs (IEEE 802.1Q): within the switch frames have no tag; the tag of a trunk is taken off
 * where a frame comes in and put on where it goes out, in copies of its head. Nobody outside the
 * switch includes this. The sending port's thread.
 */
#ifndef NET_SWITCH_VLAN_H
#define NET_SWITCH_VLAN_H

#include "net/switch/burst.h"

#define VLAN_TAG_SIZE NET_TAG_SIZE

/* A sender's, from its first frame with a tag on. */
struct vlan_scratch {
	struct net_frame passed[NET_BURST_MAX]; /* of its burst, without their tags */
	uint8_t passed_heads[NET_BURST_MAX][NET_HEAD_MAX];
	struct net_frame tagged[NET_BURST_MAX];
	const struct net_frame *list[NET_BURST_MAX]; /* of tagged */
	uint8_t heads[NET_BURST_MAX][NET_HEAD_MAX];
	struct iovec rests[NET_BURST_MAX][NET_REST_MAX];
};

bool vlan_has_tag(const struct net_frame *frame);

/* Whether it ends within its tag. */
bool vlan_is_cut(const struct net_frame *frame);

/*
 * Finds the VLAN of each frame of a burst whose sender is in one, and takes tags off: sets
 * passed, tags and refusals.
 */
void vlan_enter(struct burst *burst, const struct net_port_settings *settings);

/* Whether a port with these settings, NULL: a plain one, sees frames of that VLAN with its tag. */
bool vlan_is_tagged(const struct net_port_settings *settings, uint32_t vlan);

/* Whether frames of that VLAN (0: none) go to a port with these settings, NULL: a plain one. */
bool vlan_admits(const struct net_port_settings *settings, uint32_t vlan);

/*
 * Frames as a port with these settings is to see them, which may be as they are; NULL: there is
 * no memory. Valid until the next call. A frame that has no room for a tag has size 0.
 */
const struct net_frame *const *vlan_leave(struct burst *burst,
					  const struct net_port_settings *settings,
					  const struct net_frame *const *frames, unsigned count);

#endif
