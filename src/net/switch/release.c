/* See release.h. */
#include "net/switch/release.h"

#include <stdlib.h>

#include "net/switch/burst.h"
#include "net/switch/shape.h"

#define TURN 1024u /* frames of a lane before the others have their turn */
#define ROOM_INTERVAL (NS_PER_MS / 5)

/* What is due goes to the port, as far as there is room by now. */
static void release_in(struct lane *lane, uint64_t now)
{
	struct net_port *to = lane->port;
	struct lane_frame *late;
	unsigned done = 0;

	for (; done < TURN && (late = lane_take(lane, now)); done++) {
		const struct net_frame *frame = &late->frame;
		enum net_verdict verdict = NET_FORWARD;
		unsigned taken = 0;

		if (port_is_reached(to))
			taken = to->ops.deliver(to->backend, late->from, &frame, 1, &verdict);
		else
			verdict = NET_DROP_LINK_DOWN;
		if (!taken && verdict_is_want_of_room(verdict) &&
		    now < late->time + WAITING_TIME) {
			lane_put_back(lane, late, now + ROOM_INTERVAL);
			break;
		}
		burst_account(to, &frame, 1, &verdict, taken);
		free(late);
	}
	if (done)
		to->ops.flush(to->backend);
}

/* As switch_input(), in the port's turn. */
static void input(struct net_port *port, const struct net_frame *frames, unsigned count)
{
	const struct port_shape *shape;
	struct burst burst;

	burst_begin(&burst, port, frames, count);
	shape = port_shape(port);
	port->releasing = true;
	if (shape)
		shape_check(&burst, shape);
	burst_pass(&burst);
	port->releasing = false;
	burst_end(&burst);
}

/* What is due goes from the port into its switch. */
static void release_out(struct lane *lane, uint64_t now)
{
	struct lane_frame *late[NET_BURST_MAX];
	struct net_frame frames[NET_BURST_MAX];
	unsigned done = 0, count;

	do {
		for (count = 0; count < NET_BURST_MAX; count++) {
			late[count] = lane_take(lane, now);
			if (!late[count])
				break;
			frames[count] = late[count]->frame;
		}
		if (count)
			input(lane->port, frames, count);
		for (unsigned i = 0; i < count; i++)
			free(late[i]);
		done += count;
	} while (count == NET_BURST_MAX && done < TURN);
}

void release_due(struct lane *lane, uint64_t now)
{
	if (lane->way == NET_WAY_IN)
		release_in(lane, now);
	else
		release_out(lane, now);
}
