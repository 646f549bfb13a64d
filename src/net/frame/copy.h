/* A frame that is kept: whole, in memory of its own. Any thread. */
#ifndef NET_FRAME_COPY_H
#define NET_FRAME_COPY_H

#include "net/frame/frame.h"

/* bytes has room for the whole frame; copy and rest lie where they stay. */
static inline void net_frame_keep(struct net_frame *copy, struct iovec *rest, uint8_t *bytes,
				  const struct net_frame *frame)
{
	net_frame_copy(bytes, frame, frame->size);
	*copy = *frame;
	copy->head = bytes;
	*rest = (struct iovec){ bytes + frame->head_size, frame->size - frame->head_size };
	copy->rest = rest;
	copy->rest_count = rest->iov_len != 0;
}

#endif
