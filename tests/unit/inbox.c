/* The inbox of a port of the uplink thread: who sent a frame, and who is no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "net/port/inbox.h"

#define TAKEN 1024

/* What the uplink thread did, in order. */
struct owner {
	struct inbox inbox;
	uint32_t from[TAKEN], size[TAKEN];
	unsigned taken;
	uint32_t forgotten[4];
	unsigned forgotten_count, taken_before; /* frames before the last forget() */
	bool inside;
};

/* The fake loop: its thread is the test, by run(). */
static struct loop_task *posted;

void loop_post(struct loop *loop, struct loop_task *task)
{
	(void)loop;
	posted = task;
}

void loop_unpost(struct loop *loop, struct loop_task *task)
{
	(void)loop;
	(void)task;
	posted = NULL;
}

static void run(void)
{
	struct loop_task *task = posted;

	posted = NULL;
	if (task)
		task->run(task->arg);
}

/* Frames that begin with 0xff are for somebody else. */
static bool wants(const void *owner, const struct net_frame *frame)
{
	(void)owner;
	return frame->head[0] != 0xff;
}

static enum net_verdict admit(const void *owner, struct inbox_frame *frame)
{
	(void)owner;
	return frame->data[0] == 0xfe ? NET_DROP_UNSUPPORTED : NET_FORWARD;
}

static void forget(void *arg, uint32_t from)
{
	struct owner *owner = arg;

	assert_false(owner->inside);
	owner->forgotten[owner->forgotten_count++] = from;
	owner->taken_before = owner->taken;
}

static void begin(void *arg)
{
	struct owner *owner = arg;

	owner->inside = true;
}

static void take(void *arg, const struct inbox_frame *frame)
{
	struct owner *owner = arg;

	assert_true(owner->inside);
	for (uint32_t i = 1; i < frame->size; i++)
		assert_int_equal(frame->data[i], (uint8_t)i);
	owner->from[owner->taken] = frame->from;
	owner->size[owner->taken++] = frame->size;
}

static void end(void *arg)
{
	struct owner *owner = arg;

	owner->inside = false;
}

static const struct inbox_ops ops = {
	.wants = wants,
	.admit = admit,
	.forget = forget,
	.begin = begin,
	.take = take,
	.end = end,
};

static int setup(void **state)
{
	struct owner *owner = calloc(1, sizeof(*owner));

	*state = owner;
	if (inbox_init(&owner->inbox, NULL, &ops, owner))
		return -1;
	inbox_open(&owner->inbox, (struct net_port *)owner);
	run();
	return 0;
}

static int teardown(void **state)
{
	struct owner *owner = *state;

	inbox_forget(&owner->inbox);
	inbox_destroy(&owner->inbox);
	free(owner);
	return 0;
}

/* A burst of count frames of size bytes; the verdict of the last one. */
static enum net_verdict deliver(struct owner *owner, uint32_t from, uint8_t first, uint32_t size,
				unsigned count)
{
	static uint8_t data[NET_FRAME_MAX];
	struct iovec rest = { .iov_base = data + NET_HEAD_MAX };
	struct net_frame frame = { .head = data, .head_size = size, .size = size };
	const struct net_frame *frames[NET_BURST_MAX];
	enum net_verdict verdicts[NET_BURST_MAX];
	unsigned refused = 0, taken;

	for (uint32_t i = 0; i < size; i++)
		data[i] = i ? (uint8_t)i : first;
	if (size > NET_HEAD_MAX) {
		rest.iov_len = size - NET_HEAD_MAX;
		frame.head_size = NET_HEAD_MAX;
		frame.rest = &rest;
		frame.rest_count = 1;
	}
	for (unsigned i = 0; i < count; i++) {
		frames[i] = &frame;
		verdicts[i] = NET_FORWARD;
	}
	taken = inbox_deliver(&owner->inbox, from, frames, count, verdicts);
	for (unsigned i = 0; i < count; i++)
		refused += verdicts[i] != NET_FORWARD;
	assert_int_equal(taken, count - refused);
	inbox_flush(&owner->inbox);
	return verdicts[count - 1];
}

static void frames_come_in_order_with_their_sender(void **state)
{
	struct owner *owner = *state;

	assert_int_equal(deliver(owner, 3, 0, 60, 1), NET_FORWARD);
	assert_int_equal(deliver(owner, NET_PORTS_MAX - 1, 0, 1514, 1), NET_FORWARD);
	assert_int_equal(deliver(owner, 3, 0xff, 60, 1), NET_FORWARD); /* not wanted: not kept */
	assert_int_equal(deliver(owner, 3, 0xfe, 60, 1), NET_DROP_UNSUPPORTED);
	assert_int_equal(deliver(owner, 3, 0, 61, 1), NET_FORWARD);
	run();
	assert_int_equal(owner->taken, 3);
	assert_int_equal(owner->from[0], 3);
	assert_int_equal(owner->from[1], NET_PORTS_MAX - 1);
	assert_int_equal(owner->size[1], 1514);
	assert_int_equal(owner->from[2], 3);
	assert_null(posted);
}

/* What is queued of a port that goes is dropped: its slot's next port is somebody else. */
static void a_port_that_has_gone_is_forgotten_before_the_next_one_is_heard(void **state)
{
	struct owner *owner = *state;

	deliver(owner, 7, 0, 60, 1);
	run();
	deliver(owner, 7, 0, 70, 2);
	deliver(owner, 8, 0, 80, 1);
	inbox_forget_sender(&owner->inbox, 7);
	deliver(owner, 7, 0, 90, 1);
	run();
	assert_int_equal(owner->forgotten_count, 1);
	assert_int_equal(owner->forgotten[0], 7);
	assert_int_equal(owner->taken_before, 1);
	assert_int_equal(owner->taken, 3);
	assert_int_equal(owner->size[1], 80);
	assert_int_equal(owner->size[2], 90);
	assert_int_equal(owner->from[2], 7);
}

static void a_port_is_forgotten_once_without_a_frame(void **state)
{
	struct owner *owner = *state;

	inbox_forget_sender(&owner->inbox, 0);
	inbox_forget_sender(&owner->inbox, NET_PORTS_MAX - 1);
	run();
	assert_int_equal(owner->forgotten_count, 2);
	assert_int_equal(owner->forgotten[1], NET_PORTS_MAX - 1);
	deliver(owner, 0, 0, 60, 1);
	run();
	assert_int_equal(owner->forgotten_count, 2);
	assert_int_equal(owner->taken, 1);
}

static void a_port_that_floods_leaves_room_for_others(void **state)
{
	struct owner *owner = *state;
	unsigned taken = 0;

	for (unsigned i = 0; i < 2000; i++)
		if (deliver(owner, 1, i % 2 ? 0 : 0xfe, 1514, 1) == NET_FORWARD)
			taken++;
	assert_in_range(taken, 300, 400);
	assert_int_equal(deliver(owner, 1, 0, 1514, NET_BURST_MAX), NET_DROP_OVER_SHARE);
	assert_int_equal(deliver(owner, 2, 0, 60, NET_BURST_MAX), NET_FORWARD);
	assert_int_equal(deliver(owner, 3, 0, NET_FRAME_MAX, 1), NET_FORWARD);
	run();
	assert_int_equal(owner->taken, taken + NET_BURST_MAX + 1);
	assert_int_equal(owner->size[owner->taken - 1], NET_FRAME_MAX);
	assert_int_equal(deliver(owner, 1, 0, 1514, NET_BURST_MAX), NET_FORWARD);
}

/* Frames that are held stay in their sender's share, and come in their order later. */
static void what_is_held_comes_later(void **state)
{
	struct owner *owner = *state;

	inbox_hold(&owner->inbox, true);
	assert_int_equal(deliver(owner, 1, 0, 60, 1), NET_FORWARD);
	run();
	assert_int_equal(owner->taken, 0);
	assert_int_equal(deliver(owner, 2, 0, 61, 1), NET_FORWARD);
	run();
	assert_int_equal(owner->taken, 0);
	inbox_hold(&owner->inbox, false);
	run();
	assert_int_equal(owner->taken, 2);
	assert_int_equal(owner->size[0], 60);
	assert_int_equal(owner->size[1], 61);
	assert_int_equal(deliver(owner, 1, 0, 62, 1), NET_FORWARD);
	run();
	assert_int_equal(owner->taken, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_come_in_order_with_their_sender, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_port_that_has_gone_is_forgotten_before_the_next_one_is_heard, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_port_that_floods_leaves_room_for_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_port_is_forgotten_once_without_a_frame, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_held_comes_later, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
