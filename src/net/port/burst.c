/* Bursts of frames into the switch. The uplink thread. */
#include "net/port/burst.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/switch/switch.h"

#define BURST_BYTES (128u * 1024)

_Static_assert(BURST_BYTES >= NET_FRAME_MAX, "at least one frame");

int burst_init(struct burst *burst)
{
	burst->bytes = malloc(BURST_BYTES);
	return burst->bytes ? 0 : -ENOMEM;
}

void burst_destroy(struct burst *burst)
{
	free(burst->bytes);
	burst->bytes = NULL;
}

void burst_flush(struct burst *burst, struct inbox *port)
{
	struct net_port *net_port;

	if (!burst->count)
		return;
	net_port = inbox_port(port);
	if (net_port)
		switch_input(net_port, burst->frames, burst->count);
	burst->count = 0;
	burst->used = 0;
}

uint8_t *burst_reserve(struct burst *burst, struct inbox *port, size_t size)
{
	if (burst->count == NET_BURST_MAX || size > BURST_BYTES - burst->used)
		burst_flush(burst, port);
	return burst->bytes + burst->used;
}

void burst_commit(struct burst *burst, size_t size)
{
	struct net_frame *frame = &burst->frames[burst->count];
	struct iovec *rest = &burst->rests[burst->count];

	if (!size)
		return;
	memset(frame, 0, sizeof(*frame));
	frame->head = burst->bytes + burst->used;
	frame->size = (uint32_t)size;
	frame->head_size = frame->size < NET_HEAD_MAX ? frame->size : NET_HEAD_MAX;
	rest->iov_base = burst->bytes + burst->used + frame->head_size;
	rest->iov_len = size - frame->head_size;
	frame->rest = rest;
	frame->rest_count = rest->iov_len ? 1 : 0;
	burst->used += size;
	burst->count++;
}
