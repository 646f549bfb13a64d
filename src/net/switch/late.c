/* See late.h. The thread that serves the switches' own ports, but for what says otherwise. */
#include "net/switch/late.h"

#include "base/clock.h"

void late_init(struct late *late, void (*release)(struct lane *lane, uint64_t now))
{
	late->release = release;
	pthread_mutex_init(&late->lock, NULL);
	atomic_init(&late->next, LANE_NEVER);
	late->now = clock_monotonic;
}

void late_destroy(struct late *late)
{
	pthread_mutex_destroy(&late->lock);
}

void late_add(struct late *late, struct lane *lane)
{
	lane->next = late->lanes;
	late->lanes = lane;
}

void late_remove(struct late *late, struct lane *lane)
{
	struct lane **at = &late->lanes;

	while (*at && *at != lane)
		at = &(*at)->next;
	if (*at)
		*at = lane->next;
	lane_free(lane);
}

uint64_t late_run(struct late *late)
{
	uint64_t now = late->now(), next = LANE_NEVER, due;

	/* From here on who has something due says so, whether or not its lane is looked at yet. */
	atomic_store(&late->next, LANE_NEVER);
	pthread_mutex_lock(&late->lock);
	for (struct lane *lane = late->lanes; lane; lane = lane->next)
		late->release(lane, now);
	/* Those that go out may have come into another one. */
	for (struct lane *lane = late->lanes; lane; lane = lane->next) {
		due = lane_due(lane);
		next = due < next ? due : next;
	}
	pthread_mutex_unlock(&late->lock);
	atomic_store(&late->next, next);
	return next;
}

static void run(void *arg)
{
	struct late *late = arg;
	uint64_t next = late_run(late), now = late->now();

	if (next != LANE_NEVER)
		loop_timer_set(late->loop, &late->timer, next > now ? next - now : 0);
}

void late_serve(struct late *late, struct loop *loop)
{
	late->timer = (struct loop_timer){ .fire = run, .arg = late };
	late->task = (struct loop_task){ .run = run, .arg = late };
	late->loop = loop;
}

void late_wake(struct late *late, uint64_t due)
{
	if (late->loop && due < atomic_load(&late->next))
		loop_post(late->loop, &late->task);
}
