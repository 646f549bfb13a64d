/* Breakpoints of ports: what is held, what becomes of it, and in which order. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "fake_port.h"
#include "net/port/thread.h"
#include "net/switch/switch_private.h"

static atomic_uint told;

static void held(void *arg)
{
	(void)arg;
	atomic_fetch_add(&told, 1);
}

static int setup(void **state)
{
	int error = fake_lan_setup(state);
	struct fake_lan *lan = *state;

	atomic_store(&told, 0);
	network_listen(lan->network, &(struct uplink_listener){ .held = held });
	return error;
}

static uint64_t drops(const struct fake_port *fake, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(fake->port, &counters);
	return counters.drops[verdict];
}

/* A breakpoint at a/net0; NULL: none any more. */
static void set_break(struct fake_lan *lan, const char *words)
{
	struct capture_config config = { .filter = words };
	struct filter filter = { 0 };
	struct cause cause;

	if (words)
		fake_filter(&config, &filter);
	assert_int_equal(network_break_port(lan->network, "a/net0", &filter, words, &cause), 0);
	assert_null(filter.insns);
}

static int decide_with(struct fake_lan *lan, bool drop, const uint8_t *data, uint32_t size)
{
	const struct net_decision decision = { .drop = drop, .data = data, .size = size };
	struct cause cause;

	return network_decide_port(lan->network, "a/net0", &decision, &cause);
}

static void decide(struct fake_lan *lan, bool drop)
{
	assert_int_equal(decide_with(lan, drop, NULL, 0), 0);
	assert_int_equal(switch_holds(lan->sw), SWITCH_DECIDED);
	switch_let_go(lan->sw);
}

static void send(struct fake_lan *lan, uint32_t size)
{
	fake_send(&lan->a, lan->b.mac, lan->a.mac, size);
}

static void assert_arrived(const struct fake_port *fake, const uint32_t *sizes, unsigned count)
{
	assert_int_equal(fake->count, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fake->kept[i].size, sizes[i]);
}

/* How many are held behind the first one, of this size. */
static unsigned behind(struct fake_lan *lan, uint32_t size)
{
	struct switch_break_info info;
	unsigned count;

	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 1);
	assert_string_equal(info.port, "a/net0");
	assert_int_equal(info.size, size);
	count = info.behind;
	switch_break_free(&info);
	return count;
}

static void all_waits_behind_the_one_that_matches(void **state)
{
	const uint32_t sizes[] = { 60, 100, 61, 62, 101, 63 };
	struct fake_lan *lan = *state;
	struct switch_break_info info;

	set_break(lan, "greater 100");
	for (unsigned i = 0; i < 6; i++)
		send(lan, sizes[i]);
	assert_arrived(&lan->b, sizes, 1);
	assert_int_equal(atomic_load(&told), 1);
	assert_int_equal(switch_holds(lan->sw), SWITCH_STOPPED);
	assert_true(switch_take_stop(lan->sw, &info));
	assert_int_equal(info.behind, 4);
	assert_int_equal(info.size, 100);
	assert_int_equal(info.data[99], 99);
	assert_string_equal(info.words, "greater 100");
	assert_false(info.decided);
	switch_break_free(&info);
	assert_false(switch_take_stop(lan->sw, &info));
	/* Nobody has decided. */
	switch_let_go(lan->sw);
	assert_arrived(&lan->b, sizes, 1);
	/* What the others send goes on. */
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	decide(lan, false);
	assert_arrived(&lan->b, sizes, 4);
	assert_int_equal(switch_holds(lan->sw), SWITCH_STOPPED);
	assert_int_equal(atomic_load(&told), 2);
	assert_true(switch_take_stop(lan->sw, &info));
	switch_break_free(&info);
	assert_int_equal(behind(lan, 101), 1);
	decide(lan, false);
	assert_arrived(&lan->b, sizes, 6);
	assert_int_equal(switch_holds(lan->sw), SWITCH_HOLDS_NOTHING);
	send(lan, 64);
	assert_int_equal(lan->b.count, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(lan->b.kept[i].from, lan->a.port->slot);
}

static void what_is_decided_waits_to_be_let_go(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_break_info info;

	set_break(lan, "greater 100");
	send(lan, 100);
	assert_int_equal(decide_with(lan, false, NULL, 0), 0);
	assert_int_equal(decide_with(lan, true, NULL, 0), -EALREADY);
	send(lan, 60);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 1);
	assert_true(info.decided);
	switch_break_free(&info);
	switch_let_go(lan->sw);
	assert_arrived(&lan->b, (const uint32_t[]){ 100, 60 }, 2);
	assert_int_equal(decide_with(lan, false, NULL, 0), -ENOENT);
}

static void one_that_is_dropped_is_counted(void **state)
{
	struct fake_lan *lan = *state;
	struct net_port_counters counters;

	set_break(lan, "greater 100");
	send(lan, 100);
	send(lan, 60);
	switch_port_counters(lan->a.port, &counters);
	assert_int_equal(counters.rx_frames, 0);
	decide(lan, true);
	assert_arrived(&lan->b, (const uint32_t[]){ 60 }, 1);
	assert_int_equal(drops(&lan->a, NET_DROP_DECIDED), 1);
	switch_port_counters(lan->a.port, &counters);
	assert_int_equal(counters.rx_frames, 2);
}

static void other_bytes_go_in_its_place(void **state)
{
	static uint8_t data[NET_FRAME_MAX];
	struct fake_lan *lan = *state;
	const uint32_t sizes[] = { NET_FRAME_MIN, 60, 200, NET_FRAME_MAX };

	set_break(lan, "greater 100");
	memset(data, 0xa5, sizeof(data));
	for (unsigned i = 0; i < 4; i++) {
		send(lan, 100);
		send(lan, 90);
		memcpy(data, lan->b.mac, NET_MAC_SIZE);
		memcpy(data + NET_MAC_SIZE, lan->a.mac, NET_MAC_SIZE);
		assert_int_equal(decide_with(lan, false, data, sizes[i]), 0);
		assert_int_equal(behind(lan, sizes[i]), 1);
		switch_let_go(lan->sw);
		/* It is not looked at again. */
		assert_int_equal(lan->b.count, 2 * i + 2);
		assert_int_equal(lan->b.kept[2 * i].size, sizes[i]);
		assert_memory_equal(lan->b.kept[2 * i].data, data, sizes[i]);
		assert_int_equal(lan->b.kept[2 * i + 1].size, 90);
	}
	/* One that lies of its source is refused as any other. */
	send(lan, 100);
	memcpy(data + NET_MAC_SIZE, lan->c.mac, NET_MAC_SIZE);
	assert_int_equal(decide_with(lan, false, data, 60), 0);
	switch_let_go(lan->sw);
	assert_int_equal(drops(&lan->a, NET_DROP_FORGED), 1);
	assert_int_equal(lan->b.count, 8);
}

static void a_burst_stops_in_its_middle(void **state)
{
	static uint8_t data[NET_BURST_MAX][128];
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rests[NET_BURST_MAX];
	struct fake_lan *lan = *state;

	for (unsigned i = 0; i < NET_BURST_MAX; i++)
		fake_frame(&frames[i], &rests[i], data[i], i == 20 || i == 40 ? 100 : 60,
			   lan->b.mac, lan->a.mac);
	frames[10].size = frames[10].head_size = 5;
	set_break(lan, "greater 100");
	switch_input(lan->a.port, frames, NET_BURST_MAX);
	assert_int_equal(lan->b.count, 19);
	assert_int_equal(drops(&lan->a, NET_DROP_SHORT), 1);
	assert_int_equal(behind(lan, 100), 43);
	decide(lan, false);
	assert_int_equal(lan->b.count, 39);
	assert_int_equal(behind(lan, 100), 23);
	decide(lan, true);
	assert_int_equal(lan->b.count, 62);
	assert_int_equal(switch_holds(lan->sw), SWITCH_HOLDS_NOTHING);
}

static void no_more_is_held_than_there_is_room_for(void **state)
{
	struct fake_lan *lan = *state;

	set_break(lan, "len = 100");
	send(lan, 100);
	for (unsigned i = 0; i < HOLD_FRAMES + 9; i++)
		send(lan, 60);
	assert_int_equal(behind(lan, 100), HOLD_FRAMES - 1);
	assert_int_equal(drops(&lan->a, NET_DROP_LIMIT), 10);
	decide(lan, false);
	assert_int_equal(lan->b.count, FAKE_KEPT);
	assert_int_equal(drops(&lan->b, NET_DROP_NO_BUFFER), HOLD_FRAMES - FAKE_KEPT);
	fake_port_clear(&lan->b);
	send(lan, 100);
	for (unsigned i = 0; i < HOLD_BYTES / NET_FRAME_MAX + 9; i++)
		send(lan, NET_FRAME_MAX);
	assert_int_equal(behind(lan, 100), HOLD_BYTES / NET_FRAME_MAX);
	assert_int_equal(drops(&lan->a, NET_DROP_LIMIT), 19);
	decide(lan, false);
	assert_int_equal(lan->b.count, HOLD_BYTES / NET_FRAME_MAX + 1);
}

static void what_is_taken_away_holds_nothing_any_more(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_break_info info;

	set_break(lan, NULL);
	assert_null(port_shape(lan->a.port));
	set_break(lan, "greater 100");
	set_break(lan, NULL);
	assert_null(port_shape(lan->a.port));
	set_break(lan, "greater 100");
	send(lan, 100);
	send(lan, 101);
	send(lan, 60);
	set_break(lan, NULL);
	/* Also what comes before it is let go stays behind. */
	send(lan, 61);
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(switch_holds(lan->sw), SWITCH_DECIDED);
	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 1);
	assert_null(info.words);
	switch_break_free(&info);
	switch_let_go(lan->sw);
	assert_arrived(&lan->b, (const uint32_t[]){ 100, 101, 60, 61 }, 4);
	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 0);
	assert_null(port_shape(lan->a.port));
	send(lan, 100);
	assert_int_equal(lan->b.count, 5);
}

static void another_filter_counts_from_here_on(void **state)
{
	struct fake_lan *lan = *state;

	set_break(lan, "greater 100");
	send(lan, 100);
	send(lan, 101);
	send(lan, 70);
	set_break(lan, "len = 70");
	assert_int_equal(switch_holds(lan->sw), SWITCH_STOPPED);
	decide(lan, false);
	assert_arrived(&lan->b, (const uint32_t[]){ 100, 101 }, 2);
	assert_int_equal(behind(lan, 70), 0);
}

static void settings_stay_and_are_kept_to(void **state)
{
	struct net_port_settings settings = { .mtu = 80 }, now;
	struct fake_lan *lan = *state;
	struct cause cause;

	set_break(lan, "greater 70");
	assert_int_equal(switch_port_set(lan->a.port, &settings, &cause), 0);
	send(lan, 100);
	send(lan, 70);
	decide(lan, false); /* it is longer than the port may send */
	assert_int_equal(lan->b.count, 0);
	assert_int_equal(drops(&lan->a, NET_DROP_LONG), 1);
	decide(lan, false);
	assert_arrived(&lan->b, (const uint32_t[]){ 70 }, 1);
	set_break(lan, NULL);
	assert_int_equal(network_get_port(lan->network, "a/net0", &now, &cause), 0);
	assert_int_equal(now.mtu, 80);
	assert_null(port_shape(lan->a.port)->hold);
}

static uint64_t clock_now = NS_PER_S;

static uint64_t fake_now(void)
{
	return clock_now;
}

/* It stops what the port sends; what is on its way by then is on its way. */
static void what_goes_on_is_impaired_as_any_other(void **state)
{
	struct net_port_settings settings = { 0 };
	struct fake_lan *lan = *state;
	struct late *late = &lan->sw->set->late;
	struct cause cause;

	late->now = fake_now;
	settings.impairments[NET_WAY_OUT].delay = NS_PER_MS;
	assert_int_equal(switch_port_set(lan->a.port, &settings, &cause), 0);
	set_break(lan, "greater 100");
	send(lan, 60);
	send(lan, 100);
	send(lan, 61);
	clock_now += NS_PER_MS;
	late_run(late);
	assert_arrived(&lan->b, (const uint32_t[]){ 60 }, 1);
	decide(lan, false);
	assert_int_equal(lan->b.count, 1);
	clock_now += NS_PER_MS;
	late_run(late);
	assert_arrived(&lan->b, (const uint32_t[]){ 60, 100, 61 }, 3);
}

static void what_is_held_goes_with_its_port(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_break_info info;

	set_break(lan, "greater 100");
	send(lan, 100);
	send(lan, 60);
	fake_port_close(&lan->a);
	assert_int_equal(switch_lost(lan->sw), 2);
	assert_int_equal(atomic_load(&told), 2);
	assert_int_equal(switch_holds(lan->sw), SWITCH_HOLDS_NOTHING);
	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 0);
	switch_let_go(lan->sw);
	assert_int_equal(lan->b.count, 0);
	/* Another one of that name has none. */
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, 0);
	send(lan, 100);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(decide_with(lan, false, NULL, 0), -ENOENT);
}

/* As a guest that is reset leaves and comes back. */
static void a_breakpoint_outlives_a_port(void **state)
{
	struct net_port_kept *kept = NULL;
	struct fake_lan *lan = *state;
	struct switch_break_info info;

	fake_port_close(&lan->a);
	fake_port_open_kept(&lan->a, lan->sw, "a/net0", 1, NULL, &kept);
	set_break(lan, "greater 100");
	send(lan, 100);
	for (unsigned i = 0; i < 2; i++) {
		fake_port_close(&lan->a);
		assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 0);
		fake_port_open_kept(&lan->a, lan->sw, "a/net0", 1, NULL, &kept);
		assert_int_equal(switch_holds(lan->sw), SWITCH_HOLDS_NOTHING);
		assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 1);
		assert_string_equal(info.words, "greater 100");
		assert_null(info.data);
		switch_break_free(&info);
		send(lan, 60);
		send(lan, 100);
		assert_int_equal(lan->b.count, i + 1);
		assert_int_equal(switch_holds(lan->sw), SWITCH_STOPPED);
	}
	/* One that was taken away stays away. */
	set_break(lan, NULL);
	fake_port_close(&lan->a);
	fake_port_open_kept(&lan->a, lan->sw, "a/net0", 1, NULL, &kept);
	assert_int_equal(switch_list_breaks(lan->sw, &info, 1), 0);
	send(lan, 100);
	assert_int_equal(lan->b.count, 3);
	/* Kept when nobody comes any more. */
	set_break(lan, "greater 100");
	fake_port_close(&lan->a);
	assert_non_null(kept->words);
	net_port_kept_free(kept);
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, 0);
}

/* Each segment is a frame, with the checksum that it has on a cable. */
static void offloads_are_finished_before(void **state)
{
	static uint8_t data[14 + 40 + 3000];
	struct fake_lan *lan = *state;
	struct net_frame frame;
	struct iovec rest;

	fake_frame(&frame, &rest, data, sizeof(data), lan->b.mac, lan->a.mac);
	put_be16(data + 12, 0x0800);
	data[14] = 0x45;
	data[14 + 9] = 6;
	put_be16(data + 34 + 2, 80);
	data[34 + 12] = 0x50;
	data[54 + 1500] = 'x';
	frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
					      .gso_type = NET_GSO_TCPV4, .header_size = 54,
					      .gso_size = 1000, .csum_start = 34,
					      .csum_offset = 16 };
	set_break(lan, "tcp port 80 and ether[554] = 0x78");
	switch_input(lan->a.port, &frame, 1);
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(behind(lan, 1054), 1);
	decide(lan, false);
	assert_int_equal(lan->b.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(lan->b.kept[i].size, 1054);
		assert_int_equal(lan->b.kept[i].offload.flags, 0);
		assert_int_equal(get_be32(lan->b.kept[i].data + 34 + 4), 1000 * i);
	}
	assert_int_equal(lan->b.kept[1].data[554], 'x');
}

/* --- a sender and who decides, at once --- */

#define SENT 20000u
#define STEP 100u /* frames from one that is stopped to the next */

struct flood {
	struct fake_lan *lan;
	atomic_bool done;
};

static void *send_flood(void *arg)
{
	struct flood *flood = arg;

	for (unsigned i = 0; i < SENT; i++) {
		send(flood->lan, 60 + i % STEP);
		/* At a pace at which all of it finds room. */
		while (i % STEP == STEP - 1 &&
		       switch_holds(flood->lan->sw) != SWITCH_HOLDS_NOTHING)
			sched_yield();
	}
	atomic_store(&flood->done, true);
	return NULL;
}

/* Takes what has come; it has the order in which it was sent, after so many. */
static unsigned take_in_order(struct fake_port *fake, unsigned after)
{
	unsigned came, wrong = 0;

	pthread_mutex_lock(&fake->lock);
	came = fake->count;
	for (unsigned i = 0; i < came; i++) {
		wrong += fake->kept[i].size != 60 + (after + i) % STEP;
		free(fake->kept[i].data);
	}
	fake->count = 0;
	pthread_mutex_unlock(&fake->lock);
	assert_int_equal(wrong, 0);
	return came;
}

static void order_is_kept_while_a_flood_goes_on(void **state)
{
	struct fake_lan *lan = *state;
	struct flood flood = { .lan = lan };
	unsigned decisions = 0, came = 0;
	pthread_t thread;

	set_break(lan, "len = 110");
	assert_int_equal(pthread_create(&thread, NULL, send_flood, &flood), 0);
	while (!atomic_load(&flood.done) || switch_holds(lan->sw) != SWITCH_HOLDS_NOTHING) {
		came += take_in_order(&lan->b, came);
		if (switch_holds(lan->sw) != SWITCH_STOPPED)
			continue;
		assert_int_equal(decide_with(lan, false, NULL, 0), 0);
		switch_let_go(lan->sw);
		decisions++;
	}
	pthread_join(thread, NULL);
	came += take_in_order(&lan->b, came);
	assert_int_equal(came, SENT);
	assert_int_equal(decisions, SENT / STEP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_lan_teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_waits_behind_the_one_that_matches),
		TEST(what_is_decided_waits_to_be_let_go),
		TEST(one_that_is_dropped_is_counted),
		TEST(other_bytes_go_in_its_place),
		TEST(a_burst_stops_in_its_middle),
		TEST(no_more_is_held_than_there_is_room_for),
		TEST(what_is_taken_away_holds_nothing_any_more),
		TEST(another_filter_counts_from_here_on),
		TEST(settings_stay_and_are_kept_to),
		TEST(what_goes_on_is_impaired_as_any_other),
		TEST(what_is_held_goes_with_its_port),
		TEST(a_breakpoint_outlives_a_port),
		TEST(offloads_are_finished_before),
		TEST(order_is_kept_while_a_flood_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
