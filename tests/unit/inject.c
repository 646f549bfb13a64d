/* Frames that are put in at a port. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fake_port.h"
#include "net/switch/switch_private.h"

static const uint8_t everybody[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void address(uint8_t *data, uint32_t size, const uint8_t *to, const uint8_t *from)
{
	for (uint32_t i = 14; i < size; i++)
		data[i] = (uint8_t)i;
	memcpy(data, to, NET_MAC_SIZE);
	memcpy(data + NET_MAC_SIZE, from, NET_MAC_SIZE);
	put_be16(data + 12, 0x88b5);
}

static enum net_verdict inject(struct fake_lan *lan, const char *port, const uint8_t *to,
			       const uint8_t *from, uint32_t size, char *taker)
{
	static uint8_t data[NET_FRAME_MAX];
	struct switch_injected injected;
	struct cause cause;

	address(data, size, to, from);
	assert_int_equal(network_inject_port(lan->network, port, data, size, &injected, &cause), 0);
	if (taker)
		strcpy(taker, injected.to);
	return injected.verdict;
}

static void listed(struct fake_lan *lan, const char *name, struct net_port_counters *out)
{
	struct switch_port_info ports[8];
	size_t count = switch_list_ports(lan->sw, ports, 8);

	for (size_t i = 0; i < count && i < 8; i++)
		if (strcmp(ports[i].name, name) == 0) {
			*out = ports[i].counters;
			return;
		}
	fail_msg("no port %s", name);
}

static void it_goes_as_if_the_port_had_sent_it(void **state)
{
	struct fake_lan *lan = *state;
	struct net_port_counters counters;
	char taker[NET_PORT_NAME_MAX];

	assert_int_equal(inject(lan, "a/net0", lan->b.mac, lan->a.mac, 1500, taker), NET_FORWARD);
	assert_string_equal(taker, "b/net0");
	assert_int_equal(lan->b.count, 1);
	assert_int_equal(lan->b.kept[0].size, 1500);
	assert_int_equal(lan->b.kept[0].from, lan->a.port->slot);
	assert_int_equal(lan->b.kept[0].data[1499], (uint8_t)1499);
	assert_true(atomic_load(&lan->b.flushes) > 0);

	/* To all others, not to itself, and whom it is from is learned. */
	assert_int_equal(inject(lan, "a/net0", everybody, lan->a.mac, 60, taker), NET_FLOOD);
	assert_string_equal(taker, "");
	assert_int_equal(lan->a.count, 0);
	assert_int_equal(lan->b.count, 2);
	assert_int_equal(lan->c.count, 1);
	assert_int_equal(inject(lan, "a/net0", lan->a.mac, lan->a.mac, 60, NULL), NET_DROP_SAME_PORT);
	assert_int_equal(inject(lan, "a/net0", lan->c.mac, lan->b.mac, 60, NULL), NET_DROP_FORGED);
	assert_int_equal(lan->c.count, 1);

	listed(lan, "a/net0", &counters);
	assert_int_equal(counters.rx_frames, 4);
	assert_int_equal(counters.rx_bytes, 1680);
	assert_int_equal(counters.drops[NET_DROP_FORGED], 1);
	assert_int_equal(counters.drops[NET_DROP_SAME_PORT], 1);
}

static void want_of_room_is_a_drop(void **state)
{
	struct fake_lan *lan = *state;

	lan->b.room = 1;
	assert_int_equal(inject(lan, "a/net0", lan->b.mac, lan->a.mac, 60, NULL), NET_FORWARD);
	assert_int_equal(inject(lan, "a/net0", lan->b.mac, lan->a.mac, 60, NULL), NET_DROP_NO_BUFFER);
	assert_int_equal(lan->b.count, 1);
}

static void there_has_to_be_such_a_port(void **state)
{
	struct fake_lan *lan = *state;
	struct switch_injected injected;
	uint8_t data[60] = { 0 };
	struct cause cause;

	assert_int_equal(network_inject_port(lan->network, "a/net1", data, sizeof(data), &injected,
					     &cause), -ENOENT);
	assert_non_null(strstr(cause.text, "did you mean 'a/net0'?"));
}

static void its_vlan_and_lock_hold_and_its_impairments_do_not(void **state)
{
	struct net_port_settings ten = { .vlan = 10, .lock = NET_LOCK_MAC };
	struct fake_lan *lan = *state;
	struct fake_port d;
	struct cause cause;
	uint8_t other[NET_MAC_SIZE];

	ten.impairments[NET_WAY_OUT].loss = UINT32_MAX;
	assert_int_equal(switch_port_set(lan->a.port, &ten, &cause), 0);
	ten = (struct net_port_settings){ .vlan = 10 };
	fake_port_open_set(&d, lan->sw, "d/net0", 4, &ten);
	fake_mac(other, 77);

	assert_int_equal(inject(lan, "a/net0", everybody, lan->a.mac, 60, NULL), NET_FLOOD);
	assert_int_equal(d.count, 1);
	assert_int_equal(lan->b.count + lan->c.count, 0);
	assert_int_equal(inject(lan, "a/net0", everybody, other, 60, NULL), NET_DROP_FORGED);
	assert_int_equal(d.count, 1);

	/* What is set later holds, too. */
	assert_int_equal(switch_port_set(lan->a.port, &(struct net_port_settings){ 0 }, &cause), 0);
	assert_int_equal(inject(lan, "a/net0", everybody, other, 60, NULL), NET_FLOOD);
	assert_int_equal(d.count, 1);
	assert_int_equal(lan->b.count, 1);
	fake_port_close(&d);
}

struct sending {
	struct fake_lan *lan;
	atomic_bool stop;
	unsigned sent;
};

static void *send_all(void *arg)
{
	struct sending *sending = arg;

	while (!atomic_load(&sending->stop)) {
		fake_send(&sending->lan->a, sending->lan->c.mac, sending->lan->a.mac, 100);
		sending->sent++;
	}
	return NULL;
}

/* Both are whole: the port's thread and who puts frames in at it share nothing. */
static void the_port_sends_meanwhile(void **state)
{
	struct sending sending = { .lan = *state };
	struct fake_lan *lan = *state;
	struct net_port_counters counters;
	const unsigned mine = 2000;
	pthread_t thread;

	lan->b.room = lan->c.room = 0;
	assert_int_equal(pthread_create(&thread, NULL, send_all, &sending), 0);
	for (unsigned i = 0; i < mine; i++)
		inject(lan, "a/net0", lan->b.mac, lan->a.mac, 60, NULL);
	atomic_store(&sending.stop, true);
	pthread_join(thread, NULL);
	listed(lan, "a/net0", &counters);
	assert_int_equal(counters.rx_frames, sending.sent + mine);
	assert_int_equal(counters.rx_bytes, sending.sent * 100 + mine * 60);
}

struct seen {
	unsigned count;
	enum net_verdict verdict;
};

static void see(void *arg, const struct capture_record *records, unsigned count)
{
	struct seen *seen = arg;

	for (unsigned i = 0; i < count; i++) {
		assert_string_equal(records[i].port, "a/net0");
		seen->verdict = records[i].verdict;
	}
	seen->count += count;
}

static void captures_have_it_with_what_became_of_it(void **state)
{
	const char *const ports[] = { "a/net0", NULL };
	struct fake_lan *lan = *state;
	struct seen seen = { 0 };
	struct capture *capture = fake_capture(lan->network, &(struct capture_config){
		.ports = ports, .snap = 64, .fd = -1, .records = see, .arg = &seen });

	inject(lan, "a/net0", lan->c.mac, lan->b.mac, 60, NULL);
	capture_stop(capture, NULL);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.verdict, NET_DROP_FORGED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_lan_setup, fake_lan_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_goes_as_if_the_port_had_sent_it),
		TEST(want_of_room_is_a_drop),
		TEST(there_has_to_be_such_a_port),
		TEST(its_vlan_and_lock_hold_and_its_impairments_do_not),
		TEST(the_port_sends_meanwhile),
		TEST(captures_have_it_with_what_became_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
