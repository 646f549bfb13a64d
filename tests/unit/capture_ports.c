/*
 * Captures of ports: both directions, each frame once, ports that come later,
 * and what is lost of them. The files are read back block by block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_port.h"
#include "net/capture/capture.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

struct lan {
	struct network *network;
	struct net_switch *sw, *other;
	struct fake_port a, b, c, far;
};

static int setup(void **state)
{
	struct lan *lan = calloc(1, sizeof(*lan));

	lan->sw = fake_switch(&lan->network, "lan");
	lan->other = fake_switch(&lan->network, "other");
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, 0);
	fake_port_open(&lan->b, lan->sw, "b/net0", 2, 0);
	fake_port_open(&lan->c, lan->sw, "c/net0", 3, 0);
	fake_port_open(&lan->far, lan->other, "far/net0", 4, 0);
	fake_send(&lan->a, broadcast, lan->a.mac, 60); /* the switch learns */
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	*state = lan;
	return 0;
}

static int teardown(void **state)
{
	struct lan *lan = *state;

	fake_port_close(&lan->a);
	fake_port_close(&lan->b);
	fake_port_close(&lan->c);
	fake_port_close(&lan->far);
	network_free(lan->network);
	free(lan);
	return 0;
}

/* What a capture wrote, as text: "a/net0 in 60 | a/net0 out 61 dropped: no buffer". */
struct shown {
	char text[2048];
	char names[8][32];
	unsigned interfaces;
	uint64_t dropped; /* by the statistics */
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* The option of that code, or NULL; its size in *size. */
static const uint8_t *find_option(const uint8_t *at, unsigned code, unsigned *size)
{
	for (; at[0] | at[1] << 8; at += 4 + (*size + 3) / 4 * 4) {
		*size = at[2] | at[3] << 8;
		if ((at[0] | at[1] << 8) == (int)code)
			return at + 4;
	}
	return NULL;
}

static void show_packet(struct shown *shown, const uint8_t *block)
{
	const uint8_t *options = block + 28 + (get32(block + 20) + 3) / 4 * 4, *option;
	size_t n = strlen(shown->text);
	char name[32];
	unsigned size;

	memcpy(name, shown->names[get32(block + 8)], sizeof(name));
	option = find_option(options, 2, &size);
	n += (size_t)snprintf(shown->text + n, sizeof(shown->text) - n, "%s%s %s %u", n ? " | " : "",
			      name, (get32(option) & 3) == 1 ? "in" : "out", get32(block + 24));
	option = find_option(options, 1, &size);
	if (option)
		snprintf(shown->text + n, sizeof(shown->text) - n, " %.*s", (int)size, option);
}

static void show(struct shown *shown, const uint8_t *data, size_t end)
{
	const uint8_t *option;
	uint64_t number;
	unsigned size;

	for (size_t at = 0; at < end; at += get32(data + at + 4)) {
		const uint8_t *block = data + at;

		if (get32(block) == 1) {
			option = find_option(block + 16, 2, &size);
			snprintf(shown->names[shown->interfaces++], 32, "%.*s", (int)size, option);
		} else if (get32(block) == 6 && strlen(shown->text) < sizeof(shown->text) - 100) {
			show_packet(shown, block);
		} else if (get32(block) == 5) {
			option = find_option(block + 20, 5, &size);
			memcpy(&number, option, sizeof(number));
			shown->dropped += number;
		}
	}
}

struct watch {
	struct capture *capture;
	int fd;
};

static struct watch watch(struct lan *lan, const char *const *ports)
{
	struct watch watch = { .fd = memfd_create("capture", MFD_CLOEXEC) };
	struct capture_config config = { .ports = ports, .snap = CAPTURE_SNAP_MAX,
					 .fd = dup(watch.fd) };

	watch.capture = fake_capture(lan->network, &config);
	return watch;
}

static struct shown end(struct watch *watch)
{
	static uint8_t data[1 << 20];
	struct shown shown = { .text = "" };

	capture_stop(watch->capture, NULL);
	show(&shown, data, (size_t)pread(watch->fd, data, sizeof(data), 0));
	close(watch->fd);
	return shown;
}

static void a_port_is_captured_in_both_directions(void **state)
{
	const char *const a[] = { "a/net0", NULL };
	struct lan *lan = *state;
	struct watch watched = watch(lan, a);
	struct shown shown;

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 61);
	fake_send(&lan->b, lan->c.mac, lan->b.mac, 62); /* not its own */
	fake_send(&lan->c, broadcast, lan->c.mac, 63);
	fake_send(&lan->far, broadcast, lan->far.mac, 64); /* another switch */
	lan->a.room = 0;
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 65);
	shown = end(&watched);
	assert_string_equal(shown.text, "a/net0 in 60 | a/net0 out 61 | a/net0 out 63 | "
			    "a/net0 out 65 dropped: no buffer");
	assert_int_equal(shown.interfaces, 1);
	assert_int_equal(shown.dropped, 0);
}

static void a_frame_is_in_a_capture_once(void **state)
{
	const char *const both[] = { "b/net0", "a/net0", NULL }, *const mixed[] = { "a/net0", "lan",
								 NULL };
	struct lan *lan = *state;
	struct watch two = watch(lan, both), all = watch(lan, mixed), every = watch(lan, NULL);

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->c, lan->a.mac, lan->c.mac, 61);
	fake_send(&lan->c, broadcast, lan->c.mac, 62);
	assert_string_equal(end(&two).text, "a/net0 in 60 | a/net0 out 61 | b/net0 out 62");
	assert_string_equal(end(&all).text, "a/net0 in 60 | c/net0 in 61 | c/net0 in 62");
	assert_string_equal(end(&every).text, "a/net0 in 60 | c/net0 in 61 | c/net0 in 62");
}

static void a_port_is_waited_for(void **state)
{
	const char *const later[] = { "later/net0", NULL };
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct watch watched = watch(lan, later);
	struct fake_port port;

	assert_true(capture_hub_knows(hub, "a/net0"));
	assert_true(capture_hub_knows(hub, "lan"));
	assert_false(capture_hub_knows(hub, "later/net0"));
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	for (unsigned life = 0; life < 2; life++) {
		fake_port_open(&port, lan->sw, "later/net0", 9, 0);
		assert_true(capture_hub_knows(hub, "later/net0"));
		fake_send(&lan->a, broadcast, lan->a.mac, 61 + life);
		fake_send(&port, lan->a.mac, port.mac, 71 + life);
		fake_port_close(&port);
		fake_send(&lan->a, broadcast, lan->a.mac, 81);
	}
	assert_string_equal(end(&watched).text,
			    "later/net0 out 61 | later/net0 in 71 | later/net0 out 62 | "
			    "later/net0 in 72");
}

/* "later/": all that a guest has, also as it gets it. */
static void a_guest_is_all_its_ports(void **state)
{
	const char *const guest[] = { "later/", NULL };
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct watch watched = watch(lan, guest);
	struct fake_port one, two, other;

	assert_false(capture_hub_knows(hub, "later/"));
	fake_port_open(&one, lan->sw, "later/net0", 9, 0);
	fake_port_open(&two, lan->sw, "later/net1", 10, 0);
	fake_port_open(&other, lan->sw, "later2/net0", 11, 0);
	assert_true(capture_hub_knows(hub, "later/"));
	fake_send(&one, broadcast, one.mac, 61);
	fake_send(&two, lan->a.mac, two.mac, 62);
	fake_send(&lan->a, two.mac, lan->a.mac, 63);
	fake_send(&other, lan->a.mac, other.mac, 64);
	fake_port_close(&one);
	fake_port_close(&two);
	fake_port_close(&other);
	assert_string_equal(end(&watched).text,
			    "later/net0 in 61 | later/net1 in 62 | later/net1 out 63");
}

static void burst(struct fake_port *from, const uint8_t *to, unsigned bursts)
{
	static uint8_t data[1500];
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rest;

	fake_frame(&frames[0], &rest, data, sizeof(data), to, from->mac);
	for (unsigned i = 1; i < NET_BURST_MAX; i++)
		frames[i] = frames[0];
	for (unsigned i = 0; i < bursts; i++)
		switch_input(from->port, frames, NET_BURST_MAX);
}

/* Until records and losses are that many. */
static struct capture_stats settle(const struct capture *capture, uint64_t sum)
{
	struct capture_stats stats = { 0 };

	for (int i = 0; i < 1000 && stats.records + stats.dropped != sum; i++) {
		usleep(5000);
		capture_get_stats(capture, &stats);
	}
	assert_int_equal(stats.records + stats.dropped, sum);
	return stats;
}

/* A reader that takes nothing: of what others send only the port's own is counted as lost. */
static void what_is_lost_on_the_way_to_a_port_is_counted(void **state)
{
	const char *const b[] = { "b/net0", NULL };
	struct lan *lan = *state;
	struct capture_config config = { .ports = b, .snap = CAPTURE_SNAP_MAX };
	struct capture *capture;
	struct capture_stats stats = { 0 };
	uint64_t sum = 0;
	int fds[2];

	lan->a.room = lan->b.room = lan->c.room = 0;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	config.fd = fds[1];
	capture = fake_capture(lan->network, &config);
	while (!stats.dropped) {
		burst(&lan->a, lan->b.mac, 2);
		burst(&lan->a, lan->c.mac, 2);
		sum += 2ul * NET_BURST_MAX;
		stats = settle(capture, sum);
	}
	burst(&lan->a, lan->b.mac, 20);
	burst(&lan->b, lan->a.mac, 10);
	burst(&lan->c, broadcast, 5);
	burst(&lan->c, lan->a.mac, 100);
	settle(capture, sum + 35ul * NET_BURST_MAX);
	close(fds[0]);
	capture_stop(capture, NULL);
}

static void so_many_captures_of_ports_at_a_time(void **state)
{
	const char *const a[] = { "a/net0", NULL }, *const sw[] = { "lan", NULL };
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct capture_config config = { .ports = a, .snap = 64, .fd = -1 };
	struct capture *captures[64], *one;
	struct cause cause;

	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(capture_prepare(&captures[i], hub, &config, &cause), 0);
	assert_int_equal(capture_prepare(&one, hub, &config, &cause), -ENOSPC);
	config.ports = sw;
	assert_int_equal(capture_prepare(&one, hub, &config, &cause), 0);
	capture_discard(one);
	config.ports = a;
	capture_discard(captures[17]);
	assert_int_equal(capture_prepare(&captures[17], hub, &config, &cause), 0);
	for (unsigned i = 0; i < 64; i++)
		capture_discard(captures[i]);
}

#define LAN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAN_TEST(a_port_is_captured_in_both_directions),
		LAN_TEST(a_frame_is_in_a_capture_once),
		LAN_TEST(a_port_is_waited_for),
		LAN_TEST(a_guest_is_all_its_ports),
		LAN_TEST(what_is_lost_on_the_way_to_a_port_is_counted),
		LAN_TEST(so_many_captures_of_ports_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
