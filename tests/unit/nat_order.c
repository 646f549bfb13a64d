/* What libslirp may be given of segments that come too early, by what it acknowledges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "net/port/nat_order.h"

#define GUEST 0x0a00020fu
#define HOST 0xc0a80101u
#define SYN 2u
#define ACK 16u
#define HEADERS 54u

static void put_segment(uint8_t *frame, bool from_guest, uint16_t port, size_t payload)
{
	memset(frame, 0, HEADERS);
	put_be16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[23] = 6;
	put_be16(frame + 16, (uint16_t)(40 + payload));
	put_be32(frame + 26, from_guest ? GUEST : HOST);
	put_be32(frame + 30, from_guest ? HOST : GUEST);
	put_be16(frame + 34, from_guest ? port : 80);
	put_be16(frame + 36, from_guest ? 80 : port);
	frame[46] = 5 << 4;
}

static void acknowledge(struct nat_order *order, uint16_t port, uint32_t number, uint8_t flags)
{
	uint8_t frame[HEADERS];

	put_segment(frame, false, port, 0);
	put_be32(frame + 42, number);
	frame[47] = flags;
	nat_order_sent(order, frame, sizeof(frame));
}

static bool admits(struct nat_order *order, uint16_t port, uint32_t number)
{
	uint8_t frame[HEADERS + 1];

	put_segment(frame, true, port, 1);
	put_be32(frame + 38, number);
	frame[47] = ACK;
	return nat_order_admits(order, frame, sizeof(frame));
}

/* Segments that come too early, until one is refused. */
static unsigned keep(struct nat_order *order, uint16_t port, uint32_t missing)
{
	unsigned count = 0;

	acknowledge(order, port, missing, ACK);
	while (admits(order, port, missing + 2 + 2 * count) && count < 100000)
		count++;
	return count;
}

static void a_connection_has_so_many_too_early(void **state)
{
	struct nat_order order = { 0 };

	(void)state;
	nat_order_init(&order);
	assert_true(admits(&order, 40000, 5000));
	assert_int_equal(keep(&order, 40000, 0xfffffff0), NAT_ORDER_CONNECTION);
	assert_true(admits(&order, 40000, 0xfffffff0));
	assert_true(admits(&order, 40000, 0xffffff00));
	assert_false(admits(&order, 40000, 3));
	assert_true(admits(&order, 40001, 3));
	acknowledge(&order, 40000, 0xfffffff0, ACK);
	assert_false(admits(&order, 40000, 3));
	acknowledge(&order, 40000, 3, ACK);
	assert_int_equal(order.kept, 0);
	assert_true(admits(&order, 40000, 5));
}

static void a_new_connection_begins_anew(void **state)
{
	struct nat_order order = { 0 };

	(void)state;
	nat_order_init(&order);
	keep(&order, 40000, 1000);
	acknowledge(&order, 40000, 1000, SYN | ACK);
	assert_int_equal(order.kept, 0);
	assert_true(admits(&order, 40000, 2000));
}

static void a_guest_has_so_many_in_all(void **state)
{
	struct nat_order order = { 0 };
	unsigned count = 0;

	(void)state;
	nat_order_init(&order);
	for (uint16_t port = 1; port < 1000; port++)
		count += keep(&order, port, 1000);
	assert_in_range(count, NAT_ORDER_GUEST, 2 * NAT_ORDER_GUEST);
	assert_true(order.kept <= NAT_ORDER_GUEST);
	assert_true(admits(&order, 999, 1000));
}

/* One segment of each at a time, so that each has been answered long ago. */
static void many_connections_in_turn_have_no_more(void **state)
{
	struct nat_order order = { 0 };
	unsigned count = 0;

	(void)state;
	nat_order_init(&order);
	for (uint32_t turn = 0; turn < 50; turn++) {
		for (uint16_t port = 1; port <= 512; port++) {
			count += admits(&order, port, 1002 + 2 * turn);
			acknowledge(&order, port, 1000, ACK);
		}
	}
	assert_true(count <= 2 * NAT_ORDER_GUEST);
}

static void what_is_no_segment_passes(void **state)
{
	struct nat_order order = { 0 };
	uint8_t frame[HEADERS + 1];

	(void)state;
	nat_order_init(&order);
	keep(&order, 40000, 1000);
	put_segment(frame, true, 40000, 1);
	put_be32(frame + 38, 5000);
	assert_false(nat_order_admits(&order, frame, sizeof(frame)));
	frame[23] = 17;
	assert_true(nat_order_admits(&order, frame, sizeof(frame)));
	put_segment(frame, true, 40000, 0);
	put_be32(frame + 38, 5000);
	assert_true(nat_order_admits(&order, frame, HEADERS));
	assert_true(nat_order_admits(&order, frame, HEADERS - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_has_so_many_too_early),
		cmocka_unit_test(a_new_connection_begins_anew),
		cmocka_unit_test(a_guest_has_so_many_in_all),
		cmocka_unit_test(many_connections_in_turn_have_no_more),
		cmocka_unit_test(what_is_no_segment_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
