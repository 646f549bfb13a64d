/* See vlan.h. */
#include "net/switch/vlan.h"

#include <stdlib.h>

#include "base/bytes.h"

#define TAG_AT 12u
#define ETHERTYPE_VLAN 0x8100

static struct vlan_scratch *scratch_of(struct net_port *sender)
{
	if (!sender->vlans)
		sender->vlans = malloc(sizeof(*sender->vlans));
	return sender->vlans;
}

bool vlan_has_tag(const struct net_frame *frame)
{
	return net_frame_header(frame) > NET_FRAME_MIN;
}

bool vlan_is_cut(const struct net_frame *frame)
{
	return frame->head_size >= NET_FRAME_MIN &&
	       frame->head_size < NET_FRAME_MIN + VLAN_TAG_SIZE &&
	       get_be16(frame->head + TAG_AT) == ETHERTYPE_VLAN;
}

/* Where checksum and headers are, when a tag before them comes or goes. */
static bool move_offload(struct net_offload *offload, int by)
{
	if (!offload->flags && !offload->gso_type)
		return true;
	if (by < 0 && offload->csum_start < NET_FRAME_MIN + VLAN_TAG_SIZE)
		return false;
	offload->csum_start = (uint16_t)(offload->csum_start + by);
	if (offload->header_size >= NET_FRAME_MIN + VLAN_TAG_SIZE)
		offload->header_size = (uint16_t)(offload->header_size + by);
	return true;
}

static enum net_verdict take_tag(struct net_frame *frame, uint8_t *head)
{
	memcpy(head, frame->head, TAG_AT);
	memcpy(head + TAG_AT, frame->head + TAG_AT + VLAN_TAG_SIZE,
	       frame->head_size - TAG_AT - VLAN_TAG_SIZE);
	frame->head = head;
	frame->head_size -= VLAN_TAG_SIZE;
	frame->size -= VLAN_TAG_SIZE;
	return move_offload(&frame->offload, -(int)VLAN_TAG_SIZE) ? NET_FORWARD : NET_DROP_BAD_OFFLOAD;
}

void vlan_enter(struct burst *burst, const struct net_port_settings *settings)
{
	struct vlan_scratch *scratch = scratch_of(burst->sender);

	burst->passed = scratch ? scratch->passed : NULL;
	for (unsigned i = 0; i < burst->count; i++) {
		const struct net_frame *frame = &burst->frames[i];
		uint32_t tag, vlan;

		burst->tags[i] = (uint16_t)settings->vlan;
		if (!scratch) {
			burst->refusals[i] = NET_DROP_NO_BUFFER;
			continue;
		}
		scratch->passed[i] = *frame;
		if (vlan_is_cut(frame) && burst->refusals[i] == NET_FORWARD)
			burst->refusals[i] = NET_DROP_SHORT;
		if (!vlan_has_tag(frame))
			continue;
		tag = get_be16(frame->head + TAG_AT + 2);
		vlan = tag & NET_VLAN_MAX;
		/* One of VLAN 0 has but a priority. */
		if (vlan && vlan != settings->vlan && !net_vlan_has(&settings->trunk, vlan)) {
			burst->refusals[i] = NET_DROP_VLAN;
			continue;
		}
		burst->tags[i] = (uint16_t)(vlan ? tag : tag | settings->vlan);
		if (burst->refusals[i] == NET_FORWARD)
			burst->refusals[i] = take_tag(&scratch->passed[i],
						      scratch->passed_heads[i]);
	}
}

bool vlan_is_tagged(const struct net_port_settings *settings, uint32_t vlan)
{
	return vlan != (settings ? settings->vlan : 0);
}

bool vlan_admits(const struct net_port_settings *settings, uint32_t vlan)
{
	if (!settings)
		return vlan == 0;
	return vlan == settings->vlan || net_vlan_has(&settings->trunk, vlan);
}

/* A frame with a tag. What does not fit its head any more comes before the rest. */
static void put_tag(struct net_frame *frame, uint8_t *head, struct iovec *rest,
		    const struct net_frame *from, uint16_t tag)
{
	uint32_t kept = from->head_size, over;

	*frame = *from;
	if (kept > NET_HEAD_MAX - VLAN_TAG_SIZE)
		kept = NET_HEAD_MAX - VLAN_TAG_SIZE;
	over = from->head_size - kept;
	if (from->size > NET_FRAME_MAX - VLAN_TAG_SIZE ||
	    (over && from->rest_count == NET_REST_MAX)) {
		frame->size = 0;
		return;
	}
	memcpy(head, from->head, TAG_AT);
	put_be16(head + TAG_AT, ETHERTYPE_VLAN);
	put_be16(head + TAG_AT + 2, tag);
	memcpy(head + TAG_AT + VLAN_TAG_SIZE, from->head + TAG_AT, kept - TAG_AT);
	frame->head = head;
	frame->head_size = kept + VLAN_TAG_SIZE;
	frame->size += VLAN_TAG_SIZE;
	move_offload(&frame->offload, VLAN_TAG_SIZE);
	if (!over)
		return;
	rest[0] = (struct iovec){ (uint8_t *)from->head + kept, over };
	memcpy(rest + 1, from->rest, from->rest_count * sizeof(*rest));
	frame->rest = rest;
	frame->rest_count++;
}

const struct net_frame *const *vlan_leave(struct burst *burst,
					  const struct net_port_settings *settings,
					  const struct net_frame *const *frames, unsigned count)
{
	struct vlan_scratch *scratch;

	if (!vlan_is_tagged(settings, burst->tag & NET_VLAN_MAX))
		return frames;
	scratch = scratch_of(burst->sender);
	if (!scratch)
		return NULL;
	for (unsigned i = 0; i < count; i++) {
		put_tag(&scratch->tagged[i], scratch->heads[i], scratch->rests[i], frames[i],
			burst->tag);
		scratch->list[i] = &scratch->tagged[i];
	}
	return scratch->list;
}
