/* Split virtqueues: honest drivers, event indices, and drivers that lie. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/virtio/queue.h"
#include "lib/guest_memory.h"

#define SIZE 8
#define RAM (1u << 20)
#define DESCRIPTORS 0x1000u
#define DRIVER 0x2000u
#define DEVICE 0x3000u
#define INDIRECT 0x4000u
#define DATA 0x8000u

#define NEXT 1
#define WRITE 2
#define INDIRECT_FLAG 4

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct bench {
	struct guest_memory memory;
	struct virtq queue;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(memory_create(&bench->memory, RAM, NULL), 0);
	bench->queue.memory = &bench->memory;
	bench->queue.size = SIZE;
	bench->queue.descriptor_address = DESCRIPTORS;
	bench->queue.driver_address = DRIVER;
	bench->queue.device_address = DEVICE;
	assert_int_equal(virtq_enable(&bench->queue), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	memory_destroy(&bench->memory);
	free(bench);
	return 0;
}

static void set_descriptor(struct bench *bench, uint64_t table, unsigned n, uint64_t address,
			   uint32_t length, uint16_t flags, uint16_t next)
{
	struct descriptor descriptor = { address, length, flags, next };

	assert_int_equal(memory_write(&bench->memory, table + n * sizeof(descriptor), &descriptor,
				      sizeof(descriptor)), 0);
}

static void set16(struct bench *bench, uint64_t address, uint16_t value)
{
	assert_int_equal(memory_write(&bench->memory, address, &value, 2), 0);
}

static uint16_t get16(struct bench *bench, uint64_t address)
{
	uint16_t value;

	assert_int_equal(memory_read(&bench->memory, address, &value, 2), 0);
	return value;
}

/* Offers chain head as entry index of the available ring. */
static void offer(struct bench *bench, uint16_t index, uint16_t head)
{
	set16(bench, DRIVER + 4 + 2 * (index % SIZE), head);
	set16(bench, DRIVER + 2, (uint16_t)(index + 1));
}

static void chain_is_taken_in_order(void **state)
{
	struct bench *bench = *state;
	struct virtq_chain chain;
	struct iovec iov[4];

	set_descriptor(bench, DESCRIPTORS, 3, DATA, 16, NEXT, 5);
	set_descriptor(bench, DESCRIPTORS, 5, DATA + 0x100, 0, NEXT, 1);
	set_descriptor(bench, DESCRIPTORS, 1, DATA + 0x200, 512, WRITE, 0);
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, 4), 0);
	offer(bench, 0, 3);
	assert_true(virtq_pending(&bench->queue));
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, 4), 1);
	assert_int_equal(chain.head, 3);
	assert_int_equal(chain.read_count, 1);
	assert_int_equal(chain.write_count, 1);
	assert_int_equal(chain.read_size, 16);
	assert_int_equal(chain.write_size, 512);
	assert_ptr_equal(iov[0].iov_base, memory_at(&bench->memory, DATA, 16));
	assert_ptr_equal(iov[1].iov_base, memory_at(&bench->memory, DATA + 0x200, 512));
	assert_false(virtq_pending(&bench->queue));
	virtq_unpop(&bench->queue);
	assert_true(virtq_pending(&bench->queue));
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, 4), 1);
	virtq_push(&bench->queue, chain.head, 77);
	assert_int_equal(get16(bench, DEVICE + 2), 0); /* not shown before it is published */
	assert_true(virtq_publish(&bench->queue));
	assert_int_equal(get16(bench, DEVICE + 2), 1);
	assert_int_equal(get16(bench, DEVICE + 4), 3);
	assert_int_equal(get16(bench, DEVICE + 8), 77);
}

static void indirect_table_is_walked(void **state)
{
	struct bench *bench = *state;
	struct virtq_chain chain;
	struct iovec iov[4];

	set_descriptor(bench, INDIRECT + 3, 0, DATA, 8, NEXT, 1); /* not aligned, and allowed */
	set_descriptor(bench, INDIRECT + 3, 1, DATA + 64, 32, WRITE, 0);
	set_descriptor(bench, DESCRIPTORS, 0, INDIRECT + 3, 32, INDIRECT_FLAG, 0);
	offer(bench, 0, 0);
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, 4), 1);
	assert_int_equal(chain.read_size, 8);
	assert_int_equal(chain.write_size, 32);
}

static void interrupts_follow_flag_and_event_index(void **state)
{
	struct bench *bench = *state;

	assert_false(virtq_publish(&bench->queue)); /* nothing pushed */
	set16(bench, DRIVER, 1);
	virtq_push(&bench->queue, 0, 0);
	assert_false(virtq_publish(&bench->queue));
	set16(bench, DRIVER, 0);
	virtq_push(&bench->queue, 0, 0);
	assert_true(virtq_publish(&bench->queue));

	bench->queue.event_idx = true;
	set16(bench, DRIVER + 4 + 2 * SIZE, 3); /* an interrupt when index 3 has been used */
	virtq_push(&bench->queue, 0, 0);
	assert_false(virtq_publish(&bench->queue)); /* used 3: indices 0..2 */
	virtq_push(&bench->queue, 0, 0);
	assert_true(virtq_publish(&bench->queue));

	virtq_want_kicks(&bench->queue, true);
	assert_int_equal(get16(bench, DEVICE + 4 + 8 * SIZE), bench->queue.next_available);
	bench->queue.event_idx = false;
	virtq_want_kicks(&bench->queue, false);
	assert_int_equal(get16(bench, DEVICE), 1);
}

static void rings_must_be_ram_and_aligned(void **state)
{
	struct bench *bench = *state;
	struct virtq queue = bench->queue;

	queue.size = 12;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
	queue.size = 2 * VIRTQ_SIZE_MAX;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
	queue.size = SIZE;
	queue.descriptor_address = DESCRIPTORS + 8;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
	queue.descriptor_address = RAM - 64;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
	queue.descriptor_address = UINT64_MAX - 15;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
	queue.descriptor_address = DESCRIPTORS;
	queue.device_address = RAM - 4;
	assert_int_equal(virtq_enable(&queue), -EINVAL);
}

/* Each lie breaks the queue, and it stays broken. */
static void assert_broken(struct bench *bench, unsigned room)
{
	struct virtq_chain chain;
	struct iovec iov[16];

	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, room), -EINVAL);
	assert_true(bench->queue.broken);
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, room), -EINVAL);
	assert_false(virtq_pending(&bench->queue));
	assert_int_equal(virtq_enable(&bench->queue), 0);
}

static void lies_break_the_queue(void **state)
{
	struct bench *bench = *state;

	set_descriptor(bench, DESCRIPTORS, 0, DATA, 1, NEXT, 0); /* a loop */
	offer(bench, 0, 0);
	assert_broken(bench, 16);

	set_descriptor(bench, DESCRIPTORS, 0, DATA, 1, NEXT, SIZE); /* next beyond the table */
	assert_broken(bench, 16);

	offer(bench, 0, SIZE); /* head beyond the table */
	assert_broken(bench, 16);

	offer(bench, 0, 0);
	set16(bench, DRIVER + 2, SIZE + 1); /* more available than there are */
	assert_broken(bench, 16);
	offer(bench, 0, 0);

	set_descriptor(bench, DESCRIPTORS, 0, RAM - 1, 2, 0, 0); /* out of RAM */
	assert_broken(bench, 16);
	set_descriptor(bench, DESCRIPTORS, 0, UINT64_MAX, 2, 0, 0); /* wraps around */
	assert_broken(bench, 16);

	set_descriptor(bench, DESCRIPTORS, 0, DATA, 1, WRITE | NEXT, 1); /* read after write */
	set_descriptor(bench, DESCRIPTORS, 1, DATA, 1, 0, 0);
	assert_broken(bench, 16);

	set_descriptor(bench, DESCRIPTORS, 0, DATA, 1, NEXT, 1); /* more segments than room */
	assert_broken(bench, 1);

	set_descriptor(bench, DESCRIPTORS, 0, INDIRECT, 24, INDIRECT_FLAG, 0); /* odd size */
	assert_broken(bench, 16);
	set_descriptor(bench, DESCRIPTORS, 0, INDIRECT, 16 * (SIZE + 1), INDIRECT_FLAG, 0);
	assert_broken(bench, 16); /* a table longer than the queue */
	set_descriptor(bench, DESCRIPTORS, 0, INDIRECT, 32, INDIRECT_FLAG | NEXT, 1);
	assert_broken(bench, 16);
	set_descriptor(bench, DESCRIPTORS, 0, INDIRECT, 16, INDIRECT_FLAG, 0); /* within itself */
	set_descriptor(bench, INDIRECT, 0, INDIRECT, 16, INDIRECT_FLAG, 0);
	assert_broken(bench, 16);
}

#define LARGE 1024
#define LARGE_DESCRIPTORS 0x10000u
#define LARGE_DRIVER 0x18000u
#define LARGE_DEVICE 0x20000u

/* A ring can be longer than the longest chain; descriptors without bytes count as well. */
static void chains_end_in_large_rings(void **state)
{
	struct bench *bench = *state;
	struct virtq queue = { .memory = &bench->memory, .size = LARGE,
			       .descriptor_address = LARGE_DESCRIPTORS,
			       .driver_address = LARGE_DRIVER, .device_address = LARGE_DEVICE };
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;

	for (unsigned i = 0; i < LARGE; i++)
		set_descriptor(bench, LARGE_DESCRIPTORS, i, DATA, i % 2, NEXT, (uint16_t)(i + 1));
	set_descriptor(bench, LARGE_DESCRIPTORS, VIRTQ_CHAIN_MAX, DATA, 1, 0, 0);
	assert_int_equal(virtq_enable(&queue), 0);
	set16(bench, LARGE_DRIVER + 4, 1);
	set16(bench, LARGE_DRIVER + 6, 0);
	set16(bench, LARGE_DRIVER + 2, 1);
	assert_int_equal(virtq_pop(&queue, &chain, iov, VIRTQ_CHAIN_MAX), 1);
	assert_int_equal(chain.read_size, VIRTQ_CHAIN_MAX / 2 + 1);
	set16(bench, LARGE_DRIVER + 2, 2);
	assert_int_equal(virtq_pop(&queue, &chain, iov, VIRTQ_CHAIN_MAX), -EINVAL);
}

/*
 * What the quick way takes from a ring the long one takes as well, and the long one takes nothing of
 * that kind that the quick one leaves.
 */
static bool both_agree(struct bench *bench, uint16_t flags)
{
	struct virtq queue = bench->queue, other = bench->queue;
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	uint16_t head;
	uint32_t length;
	uint8_t *host = virtq_pop_single(&queue, virtq_filled(&queue), flags, &head, &length);
	bool one = virtq_pop(&other, &chain, iov, VIRTQ_CHAIN_MAX) > 0 &&
		   chain.read_count + chain.write_count == 1 &&
		   (chain.write_count != 0) == (flags == WRITE);

	if (!host) {
		/* Chains with empty descriptors, and tables, are for the long way. */
		assert_int_equal(queue.next_available, bench->queue.next_available);
		return false;
	}
	assert_true(one);
	assert_int_equal(head, chain.head);
	assert_ptr_equal(host, iov[0].iov_base);
	assert_int_equal(length, iov[0].iov_len);
	assert_int_equal(queue.next_available, other.next_available);
	return true;
}

/* Random rings: whatever comes out lies in RAM. */
static void noise_never_leaves_ram(void **state)
{
	struct bench *bench = *state;
	const uint8_t *begin = memory_at(&bench->memory, 0, RAM);
	unsigned taken = 0, quick = 0;

	srandom(7);
	for (unsigned round = 0; round < 20000; round++) {
		struct virtq_chain chain;
		struct iovec iov[VIRTQ_CHAIN_MAX];
		uint32_t sum = 0;

		for (unsigned i = 0; i < SIZE; i++)
			set_descriptor(bench, DESCRIPTORS, i, (uint64_t)random() % (RAM + RAM / 4),
				       (uint32_t)random() % 4096, (uint16_t)(random() % 4),
				       (uint16_t)(random() % (SIZE + 1)));
		offer(bench, bench->queue.next_available, (uint16_t)(random() % SIZE));
		quick += both_agree(bench, 0) + both_agree(bench, WRITE);
		if (virtq_pop(&bench->queue, &chain, iov, VIRTQ_CHAIN_MAX) <= 0) {
			assert_int_equal(virtq_enable(&bench->queue), 0);
			continue;
		}
		taken++;
		for (unsigned i = 0; i < chain.read_count + chain.write_count; i++) {
			const uint8_t *base = iov[i].iov_base;

			assert_true(base >= begin && base + iov[i].iov_len <= begin + RAM);
			sum += (uint32_t)iov[i].iov_len;
		}
		assert_int_equal(sum, chain.read_size + chain.write_size);
		virtq_push(&bench->queue, chain.head, 0);
		virtq_publish(&bench->queue);
	}
	assert_true(taken > 100 && quick > 100);
}

/* Returns a chain as whoever else serves the queue does, as entry index of the used ring. */
static void give_back(struct bench *bench, uint16_t index, uint16_t head)
{
	set16(bench, DEVICE + 4 + 8 * (index % SIZE), head);
	set16(bench, DEVICE + 2, (uint16_t)(index + 1));
}

static void a_queue_is_taken_over_when_all_has_been_returned(void **state)
{
	struct bench *bench = *state;

	offer(bench, 0, 1);
	offer(bench, 1, 2);
	offer(bench, 2, 3);
	give_back(bench, 0, 1);
	assert_false(virtq_take_over(&bench->queue, 2));
	give_back(bench, 1, 2);
	assert_true(virtq_take_over(&bench->queue, 2));
	assert_int_equal(bench->queue.next_available, 2);
	assert_int_equal(bench->queue.next_used, 2);
	assert_true(virtq_pending(&bench->queue));
}

static void what_was_not_returned_is_taken_again(void **state)
{
	struct bench *bench = *state;
	struct virtq_chain chain;
	struct iovec iov[SIZE];

	for (uint16_t i = 0; i < 3; i++)
		offer(bench, i, (uint16_t)(i + 1));
	assert_int_equal(virtq_unreturned(&bench->queue), 3);
	give_back(bench, 0, 2);
	assert_int_equal(virtq_returned(&bench->queue), 1);
	assert_int_equal(virtq_unreturned(&bench->queue), 2);
	virtq_recover(&bench->queue);
	/* The first was taken as well, and the third was not. */
	assert_int_equal(virtq_retake(&bench->queue, 1, &chain, iov, SIZE), 0);
	assert_int_equal(chain.head, 1);
	virtq_push(&bench->queue, 1, 0);
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, SIZE), 1);
	assert_int_equal(chain.head, 3);
	virtq_push(&bench->queue, 3, 0);
	assert_int_equal(virtq_pop(&bench->queue, &chain, iov, SIZE), 0);
	(void)virtq_publish(&bench->queue);
	assert_int_equal(virtq_unreturned(&bench->queue), 0);
	/* More than there is room for. */
	set16(bench, DRIVER + 2, 3 + SIZE + 1);
	assert_int_equal(virtq_unreturned(&bench->queue), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chain_is_taken_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(indirect_table_is_walked, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts_follow_flag_and_event_index, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rings_must_be_ram_and_aligned, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_break_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(chains_end_in_large_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(noise_never_leaves_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(a_queue_is_taken_over_when_all_has_been_returned,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_returned_is_taken_again, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
