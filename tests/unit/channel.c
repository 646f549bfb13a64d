/* The channel between two processes: records, wrapping, full rings, a peer that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/channel.h"

#define RING 4096u

static const struct channel_layout layout = {
	.to_process = RING, .from_process = 2 * RING, .shared = RING,
};

struct ends {
	struct channel ours, theirs;
};

static void open_ends(struct ends *ends)
{
	struct cause cause;

	assert_int_equal(channel_create(&ends->ours, &layout, &cause), 0);
	assert_int_equal(channel_attach(&ends->theirs, &layout, dup(ends->ours.memory_fd),
					dup(ends->ours.peer_fd), dup(ends->ours.wake_fd)), 0);
}

static void close_ends(struct ends *ends)
{
	channel_destroy(&ends->ours);
	channel_destroy(&ends->theirs);
}

static bool send_record(struct channel *channel, const void *data, uint32_t size, uint32_t mark)
{
	void *room = channel_reserve(&channel->out, size);

	if (!room)
		return false;
	memcpy(room, data, size);
	channel_commit(&channel->out, size, mark);
	channel_publish(&channel->out);
	return true;
}

static bool woken(const struct channel *channel)
{
	uint64_t count;

	return read(channel->wake_fd, &count, sizeof(count)) == sizeof(count);
}

static void records_of_all_sizes_arrive_in_order(void **state)
{
	uint8_t sent[RING], got[RING];
	struct ends ends;
	uint32_t size, mark;

	(void)state;
	open_ends(&ends);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t length = i * 37 % channel_record_max(RING);

		memset(sent, (int)i, length);
		assert_true(send_record(&ends.ours, sent, length, i));
		assert_int_equal(channel_next(&ends.theirs.in, &size, &mark), 1);
		assert_int_equal(size, length);
		assert_int_equal(mark, i);
		channel_copy(&ends.theirs.in, got, size);
		assert_memory_equal(got, sent, size);
		channel_drop(&ends.theirs.in);
		assert_int_equal(channel_next(&ends.theirs.in, &size, &mark), 0);
		channel_release(&ends.theirs.in);
	}
	close_ends(&ends);
}

static void a_full_ring_takes_no_more_until_it_is_read(void **state)
{
	uint8_t data[1000] = { 0 };
	struct ends ends;
	uint32_t size, mark, count = 0;

	(void)state;
	open_ends(&ends);
	while (send_record(&ends.theirs, data, sizeof(data), count))
		count++;
	assert_int_equal(count, 2 * RING / 1008);
	assert_null(channel_reserve(&ends.theirs.out, channel_record_max(2 * RING) + 1));
	assert_true(channel_wait_for_room(&ends.theirs.out, sizeof(data)));
	assert_int_equal(channel_used(&ends.theirs.out), count * 1008);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(channel_next(&ends.ours.in, &size, &mark), 1);
		assert_int_equal(mark, i);
		channel_drop(&ends.ours.in);
	}
	assert_null(channel_reserve(&ends.theirs.out, sizeof(data)));
	assert_false(woken(&ends.theirs));
	channel_release(&ends.ours.in);
	assert_true(woken(&ends.theirs));
	assert_false(channel_wait_for_room(&ends.theirs.out, sizeof(data)));
	assert_true(send_record(&ends.theirs, data, sizeof(data), 0));
	close_ends(&ends);
}

static void only_a_sleeper_is_woken(void **state)
{
	struct ends ends;

	(void)state;
	open_ends(&ends);
	assert_true(send_record(&ends.ours, "a", 1, 0));
	assert_false(woken(&ends.theirs));
	assert_false(channel_wait_for_record(&ends.theirs.in));
	close_ends(&ends);
	open_ends(&ends);
	assert_true(channel_wait_for_record(&ends.theirs.in));
	assert_true(send_record(&ends.ours, "a", 1, 0));
	assert_true(send_record(&ends.ours, "b", 1, 0));
	assert_true(woken(&ends.theirs));
	assert_false(woken(&ends.theirs));
	close_ends(&ends);
}

/* The writer has said that it is at head; the first record claims size. */
static int next_after(uint32_t head, uint32_t claimed)
{
	struct ends ends;
	uint32_t size, mark;
	int result;

	open_ends(&ends);
	memcpy(ends.theirs.out.bytes, &claimed, sizeof(claimed));
	atomic_store(&ends.theirs.out.places->head, head);
	result = channel_next(&ends.ours.in, &size, &mark);
	close_ends(&ends);
	return result;
}

static void a_reader_believes_nothing_impossible(void **state)
{
	(void)state;
	assert_int_equal(next_after(16, 8), 1);
	assert_int_equal(next_after(16, 9), -EPROTO);
	assert_int_equal(next_after(4, 0), -EPROTO);
	assert_int_equal(next_after(2 * RING, 2 * RING - 8), 1);
	assert_int_equal(next_after(2 * RING, 2 * RING - 7), -EPROTO);
	assert_int_equal(next_after(2 * RING + 8, 0), -EPROTO);
	assert_int_equal(next_after(2 * RING, UINT32_MAX), -EPROTO);
	assert_int_equal(next_after(2 * RING, UINT32_MAX - 7), -EPROTO);
	assert_int_equal(next_after((uint32_t)-8, 0), -EPROTO);
}

static void a_writer_stays_inside_whatever_the_reader_says(void **state)
{
	static const uint32_t lies[] = { 1, 7, RING, RING + 1, 1u << 31, UINT32_MAX };
	struct ends ends;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		open_ends(&ends);
		for (unsigned n = 0; n < 100; n++) {
			uint8_t *room;

			atomic_store(&ends.theirs.in.places->tail, lies[i] * n);
			room = channel_reserve(&ends.ours.out, 1000);
			if (!room)
				continue;
			assert_true(room >= ends.ours.out.bytes);
			assert_true(room + 1000 <= ends.ours.out.bytes + 2 * RING);
			channel_commit(&ends.ours.out, 1000, 0);
		}
		assert_true(channel_used(&ends.ours.out) <= RING);
		close_ends(&ends);
	}
}

static void memory_of_another_shape_is_refused(void **state)
{
	static const struct channel_layout other = { .to_process = RING, .from_process = RING };
	struct channel ours, theirs;
	struct cause cause;
	int fd = memfd_create("loose", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(channel_create(&ours, &layout, &cause), 0);
	assert_int_equal(channel_attach(&theirs, &other, dup(ours.memory_fd), -1, -1), -EINVAL);
	channel_destroy(&theirs);
	assert_int_equal(ftruncate(fd, 5 * RING), 0);
	assert_int_equal(channel_attach(&theirs, &layout, fd, -1, -1), -EINVAL);
	channel_destroy(&theirs);
	assert_int_equal(ftruncate(ours.memory_fd, 0), -1);
	channel_destroy(&ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_all_sizes_arrive_in_order),
		cmocka_unit_test(a_full_ring_takes_no_more_until_it_is_read),
		cmocka_unit_test(only_a_sleeper_is_woken),
		cmocka_unit_test(a_reader_believes_nothing_impossible),
		cmocka_unit_test(a_writer_stays_inside_whatever_the_reader_says),
		cmocka_unit_test(memory_of_another_shape_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
