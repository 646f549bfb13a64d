/*
 * Captures: what they record, filter, lose and say when they end. Files are
 * read back by libpcap and by a walk over their blocks; capture_tshark.c lets
 * tshark read one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "base/clock.h"
#include "fake_port.h"
#include "net/capture/capture_private.h"
#include "net/switch/switch_private.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

struct lan {
	struct network *network;
	struct net_switch *sw, *other;
	struct fake_port a, b, c, far;
	char path[64];
	char directory[32];
};

static int setup(void **state)
{
	struct lan *lan = calloc(1, sizeof(*lan));

	strcpy(lan->directory, "/tmp/vmdeck-capture.XXXXXX");
	if (!mkdtemp(lan->directory))
		return -1;
	snprintf(lan->path, sizeof(lan->path), "%s/file.pcapng", lan->directory);
	lan->sw = fake_switch(&lan->network, "lan");
	lan->other = fake_switch(&lan->network, "other");
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, 0);
	fake_port_open(&lan->b, lan->sw, "b/net0", 2, 0);
	fake_port_open(&lan->c, lan->sw, "c/net0", 3, 0);
	fake_port_open(&lan->far, lan->other, "far/net0", 4, 0);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
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
	unlink(lan->path);
	rmdir(lan->directory);
	free(lan);
	return 0;
}

static int create(const struct lan *lan)
{
	int fd = open(lan->path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* What a walk over a section's blocks finds; fails on anything that does not fit. */
struct contents {
	unsigned interfaces, packets, statistics, names;
	uint64_t received, dropped, accepted, last_time, told; /* told: sum of epb_dropcount */
	char comment[64], verdict[32], name[64]; /* the latest */
	bool ordered;
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void walk_options(struct contents *c, uint32_t type, const uint8_t *at, const uint8_t *end)
{
	for (;;) {
		unsigned code = at[0] | at[1] << 8, size = at[2] | at[3] << 8;
		uint64_t number = 0;

		assert_true(at + 4 + size <= end);
		if (!code)
			break;
		if (size == 8)
			memcpy(&number, at + 4, 8);
		if (type == 6 && code == 1)
			snprintf(c->comment, sizeof(c->comment), "%.*s", (int)size, at + 4);
		if (type == 6 && code == 7)
			snprintf(c->verdict, sizeof(c->verdict), "%.*s", (int)size - 1, at + 5);
		if (type == 4 && code == 1) {
			c->names++;
			snprintf(c->name, sizeof(c->name), "%u.%u.%u.%u %s", at[4], at[5], at[6],
				 at[7], at + 8);
		}
		if (type == 5 && code == 6)
			c->accepted += number;
		if (type == 6 && code == 4)
			c->told += number;
		if (type == 5 && code == 4)
			c->received += number;
		if (type == 5 && code == 5)
			c->dropped += number;
		at += 4 + (size + 3) / 4 * 4;
	}
}

static struct contents walk(const uint8_t *data, size_t size)
{
	struct contents c = { .ordered = true };
	size_t at = 0;

	while (at < size) {
		const uint8_t *block = data + at;
		uint32_t type, length;

		assert_true(size - at >= 12);
		type = get32(block);
		length = get32(block + 4);
		assert_true(length >= 12 && length % 4 == 0 && length <= size - at);
		assert_int_equal(get32(block + length - 4), length);
		if (!at)
			assert_int_equal(type, 0x0a0d0d0a);
		if (type == 1) {
			c.interfaces++;
		} else if (type == 6) {
			uint32_t captured = get32(block + 20);
			uint64_t time = (uint64_t)get32(block + 12) << 32 | get32(block + 16);

			assert_true(get32(block + 8) < c.interfaces);
			assert_true(captured <= length - 32);
			c.ordered = c.ordered && time >= c.last_time;
			c.last_time = time;
			c.packets++;
			walk_options(&c, type, block + 28 + (captured + 3) / 4 * 4,
				     block + length - 4);
		} else if (type == 5) {
			c.statistics++;
			walk_options(&c, type, block + 20, block + length - 4);
		} else if (type == 4) {
			walk_options(&c, type, block + 8, block + length - 4);
		}
		at += length;
	}
	return c;
}

static struct contents walk_file(const struct lan *lan)
{
	FILE *file = fopen(lan->path, "re");
	struct contents c;
	uint8_t *data;
	size_t size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	data = malloc(size + 1);
	assert_int_equal(fread(data, 1, size, file), size);
	fclose(file);
	c = walk(data, size);
	free(data);
	return c;
}

static void a_file_has_all_frames_and_counts(void **state)
{
	struct lan *lan = *state;
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .fd = create(lan) };
	struct capture *capture = fake_capture(lan->network, &config);
	uint64_t before = clock_wall();
	char errors[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const uint8_t *data;
	struct capture_stats last;
	struct contents c;
	struct stat st;
	pcap_t *pcap;

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->b, lan->a.mac, lan->b.mac, 1514);
	lan->b.room = 0;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 301);
	fake_send(&lan->far, broadcast, lan->far.mac, 9000);
	capture_stop(capture, &last);
	c = walk_file(lan);
	assert_int_equal(stat(lan->path, &st), 0);
	assert_int_equal(last.records, 4);
	assert_int_equal(last.bytes, st.st_size);
	assert_int_equal(last.dropped, 0);
	assert_int_equal(c.packets, 4);
	assert_int_equal(c.interfaces, 4);
	assert_int_equal(c.statistics, 4);
	assert_int_equal(c.received, 4);
	assert_int_equal(c.dropped, 0);
	assert_true(c.ordered);
	assert_true(c.last_time >= before && c.last_time <= clock_wall());
	assert_string_equal(c.comment, "dropped: no buffer");
	assert_string_equal(c.verdict, "flood");
	assert_int_equal(c.accepted, 4);
	assert_int_equal(c.names, 0);

	pcap = pcap_open_offline_with_tstamp_precision(lan->path, PCAP_TSTAMP_PRECISION_NANO,
						       errors);
	assert_non_null(pcap);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(header->len, 60);
	assert_memory_equal(data, lan->b.mac, NET_MAC_SIZE);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(header->caplen, 1514);
	for (uint32_t i = 14; i < 1514; i++)
		assert_int_equal(data[i], (uint8_t)i);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), 1);
	assert_int_equal(header->caplen, 9000);
	assert_int_equal(pcap_next_ex(pcap, &header, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

/* Those of its switches, before the packets and as they change. */
static void addresses_have_names(void **state)
{
	struct lan *lan = *state;
	const char *const ports[] = { "lan", NULL };
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct capture_config config = { .ports = ports, .snap = 64, .names = true,
					 .fd = create(lan) };
	struct capture_stats stats = { 0 };
	struct capture *capture;
	struct contents c;
	char name[32];

	for (uint32_t i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "guest%u", i);
		capture_hub_name(hub, "lan", 0x0a000200 + i, name);
	}
	capture_hub_name(hub, "other", 0x0a000300, "far");
	capture = fake_capture(lan->network, &config);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	for (int i = 0; i < 500 && !stats.records; i++) {
		usleep(2000);
		capture_get_stats(capture, &stats);
	}
	capture_hub_name(hub, "lan", 0x0a000205, "guest5"); /* nothing new */
	capture_hub_name(hub, "lan", 0x0a000206, "another");
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	capture_stop(capture, NULL);
	c = walk_file(lan);
	assert_int_equal(c.packets, 2);
	assert_int_equal(c.names, 101);
	assert_string_equal(c.name, "10.0.2.6 another");
	for (uint32_t i = 0; i < 2 * CAPTURE_NAMES_MAX; i++)
		capture_hub_name(hub, "lan", i, "x"); /* the oldest are forgotten */
	config.fd = create(lan);
	capture_stop(fake_capture(lan->network, &config), NULL);
	assert_int_equal(walk_file(lan).names, CAPTURE_NAMES_MAX);
}

struct list {
	unsigned count, calls;
	struct {
		char port[32], to[32];
		enum net_verdict verdict;
		uint32_t size, captured;
		uint8_t data[16];
	} got[64];
};

static void take(void *arg, const struct capture_record *records, unsigned count)
{
	struct list *list = arg;

	list->calls++;
	for (unsigned i = 0; i < count; i++, list->count++) {
		if (list->count >= 64)
			continue;
		snprintf(list->got[list->count].port, 32, "%s", records[i].port);
		snprintf(list->got[list->count].to, 32, "%s", records[i].to ? records[i].to : "-");
		list->got[list->count].verdict = records[i].verdict;
		list->got[list->count].size = records[i].size;
		list->got[list->count].captured = records[i].captured;
		memcpy(list->got[list->count].data, records[i].data,
		       records[i].captured < 16 ? records[i].captured : 16);
	}
}

static void records_tell_port_receiver_and_verdict(void **state)
{
	struct lan *lan = *state;
	struct list list = { .count = 0 };
	struct capture_config config = { .snap = 40, .fd = -1, .records = take, .arg = &list };
	struct capture *capture = fake_capture(lan->network, &config);
	struct capture_stats stats;

	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 30);
	lan->b.down = true;
	fake_send(&lan->a, lan->b.mac, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, broadcast, 60);
	for (int i = 0; i < 200; i++) {
		capture_get_stats(capture, &stats);
		if (stats.records == 4)
			break;
		usleep(10000);
	}
	assert_int_equal(stats.records, 4); /* without a stop: the live list gets them by itself */
	assert_int_equal(stats.dropped, 0);
	capture_stop(capture, NULL);
	assert_int_equal(list.count, 4);
	assert_string_equal(list.got[0].port, "a/net0");
	assert_string_equal(list.got[0].to, "b/net0");
	assert_int_equal(list.got[0].verdict, NET_FORWARD);
	assert_int_equal(list.got[0].size, 60);
	assert_int_equal(list.got[0].captured, 40);
	assert_memory_equal(list.got[0].data, lan->b.mac, NET_MAC_SIZE);
	assert_int_equal(list.got[1].verdict, NET_FLOOD);
	assert_string_equal(list.got[1].to, "-");
	assert_int_equal(list.got[1].captured, 30);
	assert_int_equal(list.got[2].verdict, NET_DROP_LINK_DOWN);
	assert_int_equal(list.got[3].verdict, NET_DROP_BAD_SOURCE);
}

#define SORTS 5

/* Expects what bursts_of_all_sorts() sends, in order. */
struct sorts {
	uint64_t count, wrong;
};

static uint32_t sort_size(uint64_t n)
{
	return 14 + (uint32_t)(n * 37 % 400);
}

/* The receiver of frame n: runs of several lengths, also across bursts. */
static unsigned sort_of(uint64_t n)
{
	return n % 64 < 40 ? (unsigned)(n / 7 % SORTS) : (unsigned)(n % SORTS);
}

static void check_sorts(void *arg, const struct capture_record *records, unsigned count)
{
	static const enum net_verdict verdicts[SORTS] = { NET_FORWARD, NET_FLOOD,
							  NET_DROP_BAD_SOURCE, NET_DROP_NO_BUFFER,
							  NET_DROP_SAME_PORT };
	struct sorts *sorts = arg;

	for (unsigned i = 0; i < count; i++, sorts->count++) {
		const struct capture_record *record = &records[i];
		uint32_t size = sort_size(sorts->count), snap = size < 300 ? size : 300;
		unsigned sort = sort_of(sorts->count);

		if (record->size != size || record->captured != snap ||
		    record->verdict != verdicts[sort] || !record->to != (sort != 0) ||
		    (snap >= 22 && memcmp(record->data + 14, &sorts->count, 8)) ||
		    (snap > 22 && record->data[snap - 1] != (uint8_t)snap))
			sorts->wrong++;
	}
}

static void bursts_of_all_sorts(void **state)
{
	struct lan *lan = *state;
	const uint8_t *to[SORTS] = { lan->b.mac, broadcast, broadcast, lan->c.mac, lan->a.mac };
	struct sorts sorts = { .count = 0 };
	struct capture_config config = { .snap = 300, .fd = -1, .records = check_sorts,
					 .arg = &sorts };
	static uint8_t data[NET_BURST_MAX][512];
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rest[NET_BURST_MAX];
	struct capture *capture;
	uint64_t n = 0;

	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->c, broadcast, lan->c.mac, 60);
	lan->c.room = 0;
	capture = fake_capture(lan->network, &config);
	for (int burst = 0; burst < 200; burst++) {
		for (unsigned i = 0; i < NET_BURST_MAX; i++, n++) {
			unsigned sort = sort_of(n);

			for (unsigned k = 0; k < 512; k++)
				data[i][k] = (uint8_t)(k + 1);
			memcpy(data[i] + 14, &n, sizeof(n));
			fake_frame(&frames[i], &rest[i], data[i], sort_size(n), to[sort],
				   sort == 2 ? broadcast : lan->a.mac);
		}
		switch_input(lan->a.port, frames, NET_BURST_MAX);
		fake_port_clear(&lan->b);
	}
	capture_stop(capture, NULL);
	assert_int_equal(sorts.count, n);
	assert_int_equal(sorts.wrong, 0);
}

static void ports_and_switches_are_chosen_by_name(void **state)
{
	struct lan *lan = *state;
	struct list one = { .count = 0 }, two = { .count = 0 }, later = { .count = 0 };
	const char *const a[] = { "a/net0", NULL }, *const sw[] = { "other", NULL };
	struct capture_config config = { .ports = a, .snap = 64, .fd = -1, .records = take,
					 .arg = &one };
	struct capture *captures[3];
	struct fake_port extra;

	captures[0] = fake_capture(lan->network, &config);
	config.ports = sw;
	config.arg = &two;
	captures[1] = fake_capture(lan->network, &config);
	config.ports = NULL;
	config.arg = &later;
	config.filter = "ether host 02:00:00:00:00:07";
	captures[2] = fake_capture(lan->network, &config);
	fake_port_open(&extra, lan->other, "extra/net0", 7, 0);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->b, broadcast, lan->b.mac, 60);
	fake_send(&lan->far, broadcast, lan->far.mac, 60);
	fake_send(&extra, broadcast, extra.mac, 60);
	fake_port_close(&extra); /* its records and its name outlive it */
	for (int i = 0; i < 3; i++)
		capture_stop(captures[i], NULL);
	assert_int_equal(one.count, 2); /* it sent one, and one reached it */
	assert_string_equal(one.got[0].port, "a/net0");
	assert_string_equal(one.got[1].port, "b/net0");
	assert_int_equal(two.count, 2);
	assert_int_equal(later.count, 1);
	assert_string_equal(later.got[0].port, "extra/net0");
}

static void a_filter_sees_the_real_length(void **state)
{
	struct lan *lan = *state;
	struct list list = { .count = 0 };
	struct capture_config config = { .snap = 20, .fd = -1, .records = take, .arg = &list,
					 .filter = "greater 1000" };
	struct capture *capture = fake_capture(lan->network, &config);

	fake_send(&lan->a, broadcast, lan->a.mac, 999);
	fake_send(&lan->a, broadcast, lan->a.mac, 1000);
	capture_stop(capture, NULL);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.got[0].size, 1000);
	assert_int_equal(list.got[0].captured, 20);
}

/* What filters leave out on the port's thread is counted all the same; not all shows in a head. */
static void filters_run_before_anything_is_copied(void **state)
{
	static const char *const filters[] = { "ether[150] = 150", "ether[20] = 20 and len = 60",
					       "ether[20] = 99" };
	static const unsigned sizes[] = { 60, 149, 160, 400 }, matches[] = { 2, 1, 0 };
	struct lan *lan = *state;
	const char *const ports[] = { "a/net0", NULL };

	for (unsigned f = 0; f < 3; f++) {
		struct capture_config config = { .snap = 40, .fd = create(lan), .ports = ports,
						 .filter = filters[f] };
		struct capture *capture = fake_capture(lan->network, &config);
		struct capture_stats last;
		struct contents c;

		config.snap = CAPTURE_SNAP_MAX;
		if (f == 0) {
			capture_stop(capture, NULL);
			config.fd = create(lan);
			capture = fake_capture(lan->network, &config);
		}
		for (unsigned i = 0; i < 4; i++)
			fake_send(&lan->a, lan->b.mac, lan->a.mac, sizes[i]);
		capture_stop(capture, &last);
		c = walk_file(lan);
		assert_int_equal(c.packets, matches[f]);
		assert_int_equal(c.accepted, matches[f]);
		assert_int_equal(c.received, 4);
		assert_int_equal(last.dropped, 0);
	}
}

static void mistakes_are_refused_with_a_cause(void **state)
{
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct capture_config config = { .fd = -1, .records = take };
	struct capture *capture;
	struct cause cause;

	assert_int_equal(capture_start(&capture, hub, &config, &cause), -EINVAL);
	config.snap = CAPTURE_SNAP_MAX + 1;
	assert_int_equal(capture_start(&capture, hub, &config, &cause), -EINVAL);
	config.snap = 64;
	config.records = NULL;
	assert_int_equal(capture_start(&capture, hub, &config, &cause), -EINVAL);
	config.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(capture_start(&capture, hub, &config, &cause), -EBADF);
	close(config.fd);
}

static void a_switch_without_ports_can_be_named(void **state)
{
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	const char *const ports[] = { "empty", NULL };
	struct capture_config config = { .ports = ports, .snap = 64, .fd = -1 };
	struct net_switch *sw = fake_switch(&lan->network, "empty");
	struct capture *capture;
	struct cause cause;

	assert_true(capture_hub_knows(hub, "empty"));
	assert_int_equal(capture_prepare(&capture, hub, &config, &cause), 0);
	capture_discard(capture);
	switch_free(sw);
	assert_false(capture_hub_knows(hub, "empty"));
}

/* All that can be wrong is found before the place to write to is needed. */
static void it_can_be_prepared_and_begin_later(void **state)
{
	struct lan *lan = *state;
	struct capture_hub *hub = network_capture_hub(lan->network);
	struct capture_config config = { .snap = 0, .fd = -1, .filter = "greater 100" };
	int wrong = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct capture *capture = NULL;
	struct filter program;
	struct capture_stats last;
	struct cause cause;

	assert_int_equal(capture_prepare(&capture, hub, &config, &cause), -EINVAL);
	assert_null(capture);
	capture_discard(capture);
	config.snap = 64;
	fake_filter(&config, &program);
	assert_int_equal(capture_prepare(&capture, hub, &config, &cause), 0);
	assert_null(program.insns);
	fake_send(&lan->a, broadcast, lan->a.mac, 200);
	capture_discard(capture);

	fake_filter(&config, &program);
	assert_int_equal(capture_prepare(&capture, hub, &config, &cause), 0);
	fake_send(&lan->a, broadcast, lan->a.mac, 200);
	assert_int_equal(capture_begin(capture, -1, &cause), -EINVAL);
	assert_int_equal(capture_begin(capture, wrong, &cause), -EBADF);
	assert_int_equal(close(wrong), 0);
	assert_int_equal(capture_begin(capture, create(lan), &cause), 0);
	fake_send(&lan->a, broadcast, lan->a.mac, 60);
	fake_send(&lan->a, broadcast, lan->a.mac, 300);
	capture_stop(capture, &last);
	assert_int_equal(last.records, 1);
	assert_int_equal(walk_file(lan).packets, 1);
}

struct ending {
	atomic_int calls;
	int error;
	struct cause cause;
};

static void note_end(void *arg, int error, const struct cause *cause)
{
	struct ending *ending = arg;

	ending->error = error;
	ending->cause = *cause;
	atomic_fetch_add(&ending->calls, 1);
}

static void wait_for_end(struct ending *ending)
{
	for (int i = 0; i < 1000 && !atomic_load(&ending->calls); i++)
		usleep(5000);
	assert_int_equal(atomic_load(&ending->calls), 1);
}

static void send_many(struct fake_port *from, unsigned bursts, uint32_t size)
{
	static uint8_t data[2048];
	struct net_frame frames[NET_BURST_MAX];
	struct iovec rest;

	memset(data, 0x5a, sizeof(data));
	fake_frame(&frames[0], &rest, data, size, broadcast, from->mac);
	for (unsigned i = 1; i < NET_BURST_MAX; i++)
		frames[i] = frames[0];
	for (unsigned n = 0; n < bursts; n++)
		switch_input(from->port, frames, NET_BURST_MAX);
}

static void be_quiet(struct lan *lan)
{
	lan->a.room = lan->b.room = lan->c.room = 0;
	fake_port_clear(&lan->a);
	fake_port_clear(&lan->b);
	fake_port_clear(&lan->c);
}

static void every_frame_is_written_or_counted(void **state)
{
	struct lan *lan = *state;
	struct capture_config config = { .snap = 128, .fd = create(lan) };
	struct capture *capture = fake_capture(lan->network, &config);
	struct capture_stats stats;
	struct contents c;

	be_quiet(lan);
	for (unsigned i = 0; i < 200; i++) {
		send_many(&lan->a, 10, 200);
		send_many(&lan->b, 5, 64);
	}
	for (int i = 0; i < 500; i++) { /* until the writer has seen the last */
		capture_get_stats(capture, &stats);
		if (stats.records + stats.dropped == 192000)
			break;
		usleep(10000);
	}
	assert_int_equal(stats.records + stats.dropped, 192000);
	capture_stop(capture, NULL);
	c = walk_file(lan);
	assert_int_equal(c.packets, stats.records);
	assert_int_equal(c.received, 192000);
	assert_int_equal(c.dropped, stats.dropped);
	assert_true(c.ordered);
}

/* A reader that stops costs records, never the stream. */
static void slow_reader(struct lan *lan, const int fds[2])
{
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .fd = fds[1] };
	struct capture *capture = fake_capture(lan->network, &config);
	size_t size = 0, room = 64u << 20;
	uint8_t *data = malloc(room);
	struct capture_stats stats;
	struct contents c;
	ssize_t got;

	be_quiet(lan);
	for (int i = 0; i < 100; i++) {
		send_many(&lan->a, 4, 1500);
		usleep(1000);
	}
	for (int i = 0; i < 500; i++) {
		capture_get_stats(capture, &stats);
		if (stats.records + stats.dropped == 25600)
			break;
		usleep(10000);
	}
	assert_int_equal(stats.records + stats.dropped, 25600);
	assert_true(stats.dropped > 0);
	/* Now it reads, and what comes tells how much was lost. */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	for (int quiet = 0; quiet < 40;) {
		got = read(fds[0], data + size, room - size);
		if (got > 0) {
			size += (size_t)got;
			quiet = 0;
		} else {
			usleep(5000);
			quiet++;
		}
	}
	send_many(&lan->a, 1, 100);
	capture_stop(capture, NULL);
	while ((got = read(fds[0], data + size, room - size)) > 0)
		size += (size_t)got;
	close(fds[0]);
	c = walk(data, size);
	assert_int_equal(c.packets, stats.records + 64);
	assert_int_equal(c.told, stats.dropped);
	assert_int_equal(c.dropped, stats.dropped);
	assert_int_equal(c.statistics, c.interfaces);
	assert_true(c.ordered);
	free(data);
}

static void a_slow_pipe_loses_whole_records(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	slow_reader(*state, fds);
}

static void a_slow_socket_loses_whole_records(void **state)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	slow_reader(*state, fds);
}

static void a_stalled_reader_does_not_hold_up_the_stop(void **state)
{
	struct lan *lan = *state;
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX };
	struct capture *capture;
	uint64_t begun;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	config.fd = fds[1];
	capture = fake_capture(lan->network, &config);
	be_quiet(lan);
	send_many(&lan->a, 60, 1500);
	begun = clock_monotonic();
	capture_stop(capture, NULL);
	assert_true(clock_monotonic() - begun < 60 * NS_PER_S);
	close(fds[0]);
}

static void a_reader_that_goes_away_ends_it_quietly(void **state)
{
	struct lan *lan = *state;

	for (int kind = 0; kind < 2; kind++) {
		struct ending ending = { .error = 1 };
		struct capture_config config = { .snap = 64, .ended = note_end, .arg = &ending };
		struct capture *capture;
		int fds[2];

		assert_int_equal(kind ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		config.fd = fds[1];
		capture = fake_capture(lan->network, &config);
		usleep(1000);
		close(fds[0]);
		if (kind) /* noticed at once, or with the next frame */
			fake_send(&lan->a, broadcast, lan->a.mac, 60);
		wait_for_end(&ending);
		assert_int_equal(ending.error, 0);
		fake_send(&lan->a, broadcast, lan->a.mac, 60);
		capture_stop(capture, NULL);
		assert_int_equal(atomic_load(&ending.calls), 1);
	}
}

struct stopping {
	struct capture *capture;
	atomic_bool over;
};

static void *stop_it(void *arg)
{
	struct stopping *stopping = arg;

	capture_stop(stopping->capture, NULL);
	atomic_store(&stopping->over, true);
	return NULL;
}

/* A port's thread may be within a burst, and run the filter, when the capture ends. */
static void a_filter_stays_while_a_burst_runs_it(void **state)
{
	static uint8_t data[65000];
	const enum net_verdict verdict = NET_FORWARD;
	struct lan *lan = *state;

	for (int by_itself = 0; by_itself < 2; by_itself++) {
		struct ending ending = { .error = 1 };
		struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .filter = "ip",
						 .ended = note_end, .arg = &ending };
		struct stopping stopping = { 0 };
		struct recording recording;
		struct net_frame frame;
		struct iovec rest;
		pthread_t thread;
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		config.fd = fds[1];
		stopping.capture = fake_capture(lan->network, &config);
		fake_frame(&frame, &rest, data, sizeof(data), lan->b.mac, lan->a.mac);
		memcpy(data + 12, "\x08\0", 2);
		capture_tap_begin(&recording, lan->a.port->tap,
				  capture_tap_wants(lan->a.port->tap, 1));
		capture_tap_append(&recording, &frame, 1, &verdict, NULL);
		if (by_itself) {
			close(fds[0]);
			wait_for_end(&ending);
		}
		pthread_create(&thread, NULL, stop_it, &stopping);
		/* Into chunks that begin after the end. */
		for (unsigned i = 0; i < 8; i++) {
			usleep(20000);
			capture_tap_append(&recording, &frame, 1, &verdict, NULL);
			assert_false(atomic_load(&stopping.over));
		}
		capture_tap_end(&recording);
		pthread_join(thread, NULL);
		if (!by_itself)
			close(fds[0]);
	}
}

static void a_full_disk_ends_it_with_a_cause(void **state)
{
	struct lan *lan = *state;
	struct ending ending = { .error = 1 };
	struct capture_config config = { .snap = 64, .ended = note_end, .arg = &ending,
					 .fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };
	struct capture *capture = fake_capture(lan->network, &config);

	wait_for_end(&ending);
	assert_int_equal(ending.error, -ENOSPC);
	assert_non_null(strstr(ending.cause.text, "/dev/full"));
	assert_non_null(strstr(ending.cause.text, "No space left"));
	capture_stop(capture, NULL);
}

/* RLIMIT_FSIZE stands for a full disk. */
static void a_file_that_cannot_grow_stays_valid(void **state)
{
	struct lan *lan = *state;
	struct ending ending = { .error = 1 };
	struct rlimit before, limit;
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .ended = note_end,
					 .arg = &ending, .fd = create(lan) };
	struct capture *capture;
	struct capture_stats stats;
	struct contents c;

	be_quiet(lan);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 300001;
	setrlimit(RLIMIT_FSIZE, &limit);
	capture = fake_capture(lan->network, &config);
	for (int i = 0; i < 100; i++) {
		send_many(&lan->a, 1, 1000);
		usleep(500);
	}
	wait_for_end(&ending);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(ending.error, -EFBIG);
	assert_non_null(strstr(ending.cause.text, "file.pcapng"));
	capture_get_stats(capture, &stats);
	capture_stop(capture, NULL);
	c = walk_file(lan);
	assert_true(c.packets > 0);
	assert_int_equal(c.packets, stats.records);
	assert_true(stats.bytes <= 300001);
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void checksums_are_finished_in_what_is_recorded(void **state)
{
	struct lan *lan = *state;
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX, .fd = create(lan) };
	struct capture *capture;
	char errors[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	struct net_frame frame;
	struct iovec rest;
	uint8_t data[200] = { 0 };
	const uint8_t *got;
	uint32_t sum = 0;
	pcap_t *pcap;

	for (unsigned i = 14; i < 200; i++)
		data[i] = (uint8_t)(i * 3);
	fake_frame(&frame, &rest, data, 200, broadcast, lan->a.mac);
	frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM, .csum_start = 34,
					      .csum_offset = 6 };
	for (unsigned i = 34; i < 200; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	capture = fake_capture(lan->network, &config);
	switch_port_accepts(lan->b.port, NET_ACCEPTS_CSUM);
	switch_input(lan->a.port, &frame, 1);
	capture_stop(capture, NULL);
	pcap = pcap_open_offline(lan->path, errors);
	assert_non_null(pcap);
	assert_int_equal(pcap_next_ex(pcap, &header, &got), 1);
	assert_int_equal(header->caplen, 200);
	assert_int_equal((got[40] << 8 | got[41]), (uint16_t)~fold(sum));
	assert_memory_equal(got + 42, data + 42, 158);
	pcap_close(pcap);
}

struct sender {
	struct fake_port *port;
	atomic_bool *stop;
	uint64_t sent;
};

static void *send_all_the_time(void *arg)
{
	struct sender *sender = arg;
	uint8_t data[64] = { 0 };
	struct net_frame frames[8];
	struct iovec rest;

	fake_frame(&frames[0], &rest, data, 64, broadcast, sender->port->mac);
	for (unsigned i = 1; i < 8; i++)
		frames[i] = frames[0];
	while (!atomic_load(sender->stop)) {
		switch_input(sender->port->port, frames, 8);
		sender->sent += 8;
		usleep(20);
	}
	return NULL;
}

/* Several senders, ports that come and go, captures that start and stop: order and counts hold. */
static void everything_at_once(void **state)
{
	struct lan *lan = *state;
	atomic_bool stop = false;
	struct sender senders[] = { { &lan->a, &stop, 0 }, { &lan->b, &stop, 0 },
				    { &lan->c, &stop, 0 } };
	struct capture_config whole = { .snap = 100, .fd = create(lan) };
	struct list list = { .count = 0 };
	struct capture_config part = { .snap = 32, .fd = -1, .records = take, .arg = &list,
				       .filter = "ether src 02:00:00:00:00:01" };
	struct capture *all = fake_capture(lan->network, &whole);
	pthread_t threads[3];
	struct contents c;

	be_quiet(lan);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, send_all_the_time, &senders[i]);
	for (int i = 0; i < 20; i++) {
		struct capture *capture = fake_capture(lan->network, &part);
		struct fake_port *guest = calloc(1, sizeof(*guest));

		fake_port_open(guest, lan->other, "guest/net0", 50, 0);
		fake_send(guest, broadcast, guest->mac, 60);
		usleep(5000);
		fake_port_close(guest);
		free(guest);
		capture_stop(capture, NULL);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	capture_stop(all, NULL);
	assert_true(list.count > 0);
	c = walk_file(lan);
	assert_true(c.ordered);
	assert_int_equal(c.packets + c.dropped,
			 senders[0].sent + senders[1].sent + senders[2].sent + 20);
}

#define LAN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAN_TEST(a_file_has_all_frames_and_counts),
		LAN_TEST(addresses_have_names),
		LAN_TEST(records_tell_port_receiver_and_verdict),
		LAN_TEST(bursts_of_all_sorts),
		LAN_TEST(ports_and_switches_are_chosen_by_name),
		LAN_TEST(a_filter_sees_the_real_length),
		LAN_TEST(filters_run_before_anything_is_copied),
		LAN_TEST(mistakes_are_refused_with_a_cause),
		LAN_TEST(a_switch_without_ports_can_be_named),
		LAN_TEST(it_can_be_prepared_and_begin_later),
		LAN_TEST(every_frame_is_written_or_counted),
		LAN_TEST(a_slow_pipe_loses_whole_records),
		LAN_TEST(a_slow_socket_loses_whole_records),
		LAN_TEST(a_stalled_reader_does_not_hold_up_the_stop),
		LAN_TEST(a_reader_that_goes_away_ends_it_quietly),
		LAN_TEST(a_filter_stays_while_a_burst_runs_it),
		LAN_TEST(a_full_disk_ends_it_with_a_cause),
		LAN_TEST(a_file_that_cannot_grow_stays_valid),
		LAN_TEST(checksums_are_finished_in_what_is_recorded),
		LAN_TEST(everything_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
