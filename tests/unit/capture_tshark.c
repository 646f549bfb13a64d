/*
 * tshark reads what a capture wrote: names of interfaces, time stamps, lengths,
 * comments, checksums that it finds correct. Skipped without tshark.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fake_port.h"
#include "net/capture/capture.h"

static const uint8_t broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static char directory[] = "/tmp/vmdeck-tshark.XXXXXX";
static char path[64];

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t add(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* IPv4 and TCP headers whose TCP checksum is left to the NIC. */
static void send_tcp(struct fake_port *from, const uint8_t *to, uint32_t size, uint16_t segment)
{
	static uint8_t data[65536];
	struct net_frame frame;
	struct iovec rest;

	memset(data, 'x', sizeof(data));
	fake_frame(&frame, &rest, data, size, to, from->mac);
	memcpy(data + 12, "\x08\x00\x45\x00", 4);
	put16(data + 16, size - 14);
	memcpy(data + 18, "\x12\x34\x40\x00\x40\x06\x00\x00\x0a\x00\x02\x0f\x0a\x00\x02\x10", 16);
	put16(data + 24, ~add(0, data + 14, 20) & 0xffff);
	memcpy(data + 34, "\x04\xd2\x00\x50\x00\x00\x00\x01\x00\x00\x00\x01\x50\x10\x20\x00", 16);
	put16(data + 50, add(6 + size - 34, data + 26, 8));
	put16(data + 52, 0);
	frame.offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
					      .gso_type = segment ? NET_GSO_TCPV4 : 0,
					      .gso_size = segment,
					      .header_size = 54,
					      .csum_start = 34,
					      .csum_offset = 16 };
	switch_input(from->port, &frame, 1);
}

/* Runs a command on the file; its output, in a static buffer. */
static const char *run(const char *arguments)
{
	static char out[8192];
	char command[512];
	size_t size;
	FILE *pipe;

	snprintf(command, sizeof(command), "tshark -r %s %s 2>/dev/null", path, arguments);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	size = fread(out, 1, sizeof(out) - 1, pipe);
	out[size] = 0;
	if (pclose(pipe))
		fail_msg("%s: %s", command, out);
	return out;
}

static void tshark_reads_it(void **state)
{
	struct network *network = NULL;
	struct net_switch *sw = fake_switch(&network, "lan");
	struct fake_port a, b;
	struct capture_config config = { .snap = CAPTURE_SNAP_MAX,
					 .filter = "ether src 2:0:0:0:0:1" };
	struct capture *capture;
	uint64_t before = clock_wall(), seconds, nanoseconds;

	(void)state;
	config.fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	fake_port_open(&a, sw, "web/net0", 1, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	fake_port_open(&b, sw, "db/net0", 2, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	capture = fake_capture(network, &config);
	fake_send(&b, broadcast, b.mac, 60);
	send_tcp(&a, b.mac, 601, 0);
	send_tcp(&a, b.mac, 9000, 1400);
	b.down = true;
	send_tcp(&a, b.mac, 100, 0);
	capture_stop(capture, NULL);
	fake_port_close(&a);
	fake_port_close(&b);
	network_free(network);

	assert_string_equal(run("-T fields -E separator=, -e frame.interface_name -e frame.len"
				" -e frame.cap_len -e frame.comment -e tcp.checksum.status"
				" -e ip.checksum.status -o tcp.check_checksum:TRUE"
				" -o ip.check_checksum:TRUE"),
			    "web/net0,601,601,,1,1\n"
			    "web/net0,9000,9000,,1,1\n"
			    "web/net0,100,100,dropped: link down,1,1\n");
	assert_int_equal(sscanf(run("-c 1 -T fields -e frame.time_epoch"),
				"%" SCNu64 ".%9" SCNu64, &seconds, &nanoseconds), 2);
	seconds = seconds * NS_PER_S + nanoseconds;
	assert_true(seconds >= before && seconds <= clock_wall());
	assert_non_null(strstr(run("-c 1 -V"), "Interface description: lan"));
	assert_string_equal(run("-c 1 -T fields -e frame.packet_flags_direction"), "0x00000001\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tshark_reads_it) };
	int failed;

	if (system("tshark --version >/dev/null 2>&1")) {
		puts("tshark is not installed");
		return 77;
	}
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/file.pcapng", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(directory);
	return failed;
}
