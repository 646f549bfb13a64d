/* What ports of a switch are set to, and what that does to frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_port.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static uint64_t drops(const struct fake_port *fake, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(fake->port, &counters);
	return counters.drops[verdict];
}

static void set(struct fake_port *fake, const struct net_port_settings *settings)
{
	assert_int_equal(switch_port_set(fake->port, settings), 0);
}

static void a_port_whose_link_is_down_neither_sends_nor_receives(void **state)
{
	const struct net_port_settings down = { .link = NET_LINK_DOWN }, up = { 0 };
	struct fake_lan *lan = *state;

	set(&lan->b, &down);
	assert_int_equal(lan->b.links, 1);
	assert_false(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	assert_int_equal(lan->b.calls, 0);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 2);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 4);
	/* It is told of changes alone. */
	set(&lan->b, &down);
	assert_int_equal(lan->b.links, 1);
	set(&lan->b, &up);
	assert_int_equal(lan->b.links, 2);
	assert_true(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 60);
	assert_int_equal(lan->a.count, 1);
	assert_int_equal(lan->b.count, 1);
}

static void a_port_is_set_from_the_beginning(void **state)
{
	const struct net_port_settings down = { .link = NET_LINK_DOWN };
	struct fake_lan *lan = *state;
	struct switch_port_info info[3];

	fake_port_close(&lan->b);
	fake_port_open_set(&lan->b, lan->sw, "b/net0", 2, &down);
	assert_int_equal(lan->b.links, 1);
	assert_false(lan->b.up);
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	assert_int_equal(drops(&lan->b, NET_DROP_LINK_DOWN), 1);
	assert_int_equal(switch_list_ports(lan->sw, info, 3), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(info[i].settings.link,
				 strcmp(info[i].name, "b/net0") ? NET_LINK_UP : NET_LINK_DOWN);
}

static void ports_are_set_by_their_names(void **state)
{
	struct net_port_settings settings = { .link = NET_LINK_DOWN };
	struct fake_lan *lan = *state;
	struct cause cause;

	assert_int_equal(network_set_port(lan->network, "b/net0", &settings, &cause), 0);
	settings.link = NET_LINK_UP;
	assert_int_equal(network_get_port(lan->network, "b/net0", &settings, &cause), 0);
	assert_int_equal(settings.link, NET_LINK_DOWN);
	assert_int_equal(network_get_port(lan->network, "a/net0", &settings, &cause), 0);
	assert_int_equal(settings.link, NET_LINK_UP);
	assert_true(network_get_port(lan->network, "b/net1", &settings, &cause) < 0);
	assert_non_null(strstr(cause.text, "did you mean '"));
	assert_true(network_set_port(lan->network, "nobody/of-this-name", &settings, &cause) < 0);
	assert_non_null(strstr(cause.text, "there is none"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_whose_link_is_down_neither_sends_nor_receives),
		TEST(a_port_is_set_from_the_beginning),
		TEST(ports_are_set_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
