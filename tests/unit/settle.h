/* For tests whose main thread is the I/O thread. */
#ifndef TESTS_UNIT_SETTLE_H
#define TESTS_UNIT_SETTLE_H

#include "base/loop.h"

static inline void settle_stop(void *arg)
{
	loop_stop(arg);
}

/* Lets the loop do what there is to do, and what comes of it. */
static inline void settle(struct loop *loop)
{
	struct loop_task task = { .run = settle_stop, .arg = loop };

	/* Events of one batch are served by the next at the latest. */
	for (unsigned i = 0; i < 3; i++) {
		loop_post(loop, &task);
		assert_int_equal(loop_run(loop), 0);
	}
}

#endif
