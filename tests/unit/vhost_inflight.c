/* What a backend noted of a queue, as libvhost-user writes it, and what it may write instead. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/virtio/vhost_inflight.h"

#define SIZE 8
#define ROOM 16 /* the largest queue */

/* Offsets in what belongs to a queue. */
enum { VERSION = 8, COUNT = 10, LAST = 12, USED = 14, NOTES = 16, NEXT = 6, NOTE = 16 };

struct bench {
	struct guest_memory memory;
	struct virtq queue;
	struct vhost_inflight inflight;
	uint8_t *notes; /* of the second queue */
	uint8_t heads[VHOST_INFLIGHT_BYTES];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(memory_create(&bench->memory, 1 << 20, NULL), 0);
	bench->queue = (struct virtq){ .memory = &bench->memory, .size = SIZE,
				       .descriptor_address = 0x1000, .driver_address = 0x2000,
				       .device_address = 0x3000 };
	assert_int_equal(virtq_enable(&bench->queue), 0);
	assert_int_equal(vhost_inflight_create(&bench->inflight, 2, ROOM), 0);
	bench->notes = bench->inflight.notes + bench->inflight.size / 2;
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	vhost_inflight_destroy(&bench->inflight);
	memory_destroy(&bench->memory);
	free(bench);
	return 0;
}

static void set16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void set_rings(struct bench *bench, uint16_t available, uint16_t used)
{
	set16(memory_at(&bench->memory, 0x2002, 2), available);
	set16(memory_at(&bench->memory, 0x3002, 2), used);
}

static void begin(struct bench *bench)
{
	memset(bench->heads, 0, sizeof(bench->heads));
	assert_int_equal(vhost_inflight_write(&bench->inflight, 1, &bench->queue, bench->heads), 0);
	set16(bench->notes + COUNT, ROOM);
}

static void take(struct bench *bench, unsigned head)
{
	bench->notes[NOTES + head * NOTE] = 1;
}

static int read_notes(struct bench *bench)
{
	return vhost_inflight_read(&bench->inflight, 1, &bench->queue, bench->heads);
}

static void nothing_is_noted_in_the_beginning(void **state)
{
	struct bench *bench = *state;

	set_rings(bench, 0xfffe, 0xfffe);
	memset(bench->heads, 0, sizeof(bench->heads));
	assert_int_equal(vhost_inflight_write(&bench->inflight, 1, &bench->queue, bench->heads), 0);
	assert_false(vhost_inflight_begun(&bench->inflight, 1));
	assert_int_equal(get16(bench->notes + VERSION), 1);
	assert_int_equal(get16(bench->notes + USED), 0xfffe);
	set16(bench->notes + COUNT, ROOM);
	assert_true(vhost_inflight_begun(&bench->inflight, 1));
	assert_int_equal(read_notes(bench), 0);
}

/* The indices of the rings wrap meanwhile. */
static void what_is_taken_is_found(void **state)
{
	struct bench *bench = *state;

	set_rings(bench, 0xfffe, 0xfffe);
	begin(bench);
	set_rings(bench, 3, 0xffff);
	set16(bench->notes + USED, 0xffff);
	take(bench, 0);
	take(bench, 7);
	assert_int_equal(read_notes(bench), 2);
	assert_int_equal(bench->heads[0], 0x81);
}

/* It ended after it had moved the ring's index, and before it struck the note. */
static void what_was_just_returned_is_not_taken(void **state)
{
	struct bench *bench = *state;

	set_rings(bench, 3, 0);
	begin(bench);
	take(bench, 2);
	take(bench, 5);
	take(bench, 6);
	set16(bench->notes + LAST, 5);
	set_rings(bench, 3, 1);
	assert_int_equal(read_notes(bench), 2);
	assert_int_equal(bench->heads[0], 1 << 2 | 1 << 6);
	/* Two at once. */
	set16(bench->notes + NOTES + 5 * NOTE + NEXT, 2);
	set_rings(bench, 3, 2);
	assert_int_equal(read_notes(bench), 1);
	assert_int_equal(bench->heads[0], 1 << 6);
}

static void lies_are_bounded(void **state)
{
	struct bench *bench = *state;

	set_rings(bench, 2, 0);
	begin(bench);
	memset(bench->notes, 0xff, bench->inflight.size / 2);
	assert_int_equal(read_notes(bench), -EINVAL); /* more than are available */
	begin(bench);
	take(bench, SIZE); /* which is no head of this queue */
	assert_int_equal(read_notes(bench), 0);
	/* A list that leaves the queue, and an index that is anywhere. */
	take(bench, 1);
	set16(bench->notes + LAST, SIZE);
	set_rings(bench, 3, 1);
	assert_int_equal(read_notes(bench), 1);
	set16(bench->notes + USED, 0x8000);
	assert_int_equal(read_notes(bench), 1);
	/* Rings of a guest that lies. */
	set_rings(bench, SIZE + 1, 0);
	assert_int_equal(read_notes(bench), -EINVAL);
}

static void a_next_one_is_told_what_is_left(void **state)
{
	struct bench *bench = *state;

	set_rings(bench, 5, 3);
	memset(bench->heads, 0, sizeof(bench->heads));
	bench->heads[0] = 1 << 3;
	assert_int_equal(vhost_inflight_write(&bench->inflight, 1, &bench->queue, bench->heads), 0);
	assert_int_equal(bench->notes[NOTES + 3 * NOTE], 1);
	assert_int_equal(get16(bench->notes + USED), 3);
	assert_int_equal(read_notes(bench), 1);
	bench->heads[0] = 7;
	assert_int_equal(vhost_inflight_write(&bench->inflight, 1, &bench->queue, bench->heads),
			 -EINVAL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_noted_in_the_beginning),
		CASE(what_is_taken_is_found),
		CASE(what_was_just_returned_is_not_taken),
		CASE(lies_are_bounded),
		CASE(a_next_one_is_told_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
