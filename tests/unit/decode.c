/* Packets in one line: known ones, cut ones, mutated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "decode_packets.h"
#include "net/decode/decode.h"

static size_t read_hex(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;

	for (size_t i = 0; i < size; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return size;
}

/* Summarises a copy of exactly that size, so that a read beyond it is seen. */
static void summarize(const uint8_t *data, size_t captured, size_t size,
		      struct packet_summary *out)
{
	uint8_t *exact = malloc(captured ? captured : 1);

	memcpy(exact, data, captured);
	memset(out, 'x', sizeof(*out));
	packet_summarize(exact, captured, size, out);
	free(exact);
}

static void check_printable(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	assert_true(size < room);
	for (size_t i = 0; i < size; i++)
		assert_true(text[i] >= ' ' && text[i] < 0x7f);
}

static void check_summary(const struct packet_summary *s)
{
	check_printable(s->from, sizeof(s->from));
	check_printable(s->to, sizeof(s->to));
	check_printable(s->protocol, sizeof(s->protocol));
	check_printable(s->text, sizeof(s->text));
	assert_true(s->protocol[0]);
}

static void packets_have_these_lines(void **state)
{
	uint8_t data[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(decode_packets); i++) {
		const struct decode_packet *packet = &decode_packets[i];
		struct packet_summary s;
		size_t size = read_hex(packet->hex, data);

		summarize(data, size, size, &s);
		if (strcmp(s.protocol, packet->protocol) || strcmp(s.from, packet->from) ||
		    strcmp(s.to, packet->to) || strcmp(s.text, packet->text))
			fail_msg("%s:\n%s | %s | %s | %s instead of\n%s | %s | %s | %s",
				 packet->label, s.from, s.to, s.protocol, s.text, packet->from,
				 packet->to, packet->protocol, packet->text);
	}
}

#define SEGMENT(from_ip, to_ip, from, to, seq, ack, flags) \
	"525400000002525400000001" "0800" "45000028000040004006" "0000" from_ip to_ip \
	from to seq ack "50" flags "0100" "00000000"
#define SENT(seq, ack, flags) SEGMENT("0a00020f", "0a000210", "0050", "0051", seq, ack, flags)
#define ANSWERED(seq, ack, flags) SEGMENT("0a000210", "0a00020f", "0051", "0050", seq, ack, flags)

/* By the SYN of each way, by the first segment where there was none, and anew after a new SYN. */
static void numbers_of_tcp_are_relative(void **state)
{
	static const struct {
		const char *hex, *says;
	} rows[] = {
		{ SENT("fffffff0", "00000000", "02"), "Seq=0 Win" },
		{ ANSWERED("00001000", "fffffff1", "12"), "Seq=0 Ack=1 Win" },
		{ SENT("fffffff1", "00001001", "10"), "Seq=1 Ack=1 Win" },
		{ SENT("00000010", "00001011", "18"), "Seq=32 Ack=17 Win" },
		{ SEGMENT("0a00020f", "0a000210", "0050", "0052", "00000500", "00000900", "10"),
		  "Seq=1 Ack=1 Win" },
		{ SEGMENT("0a000210", "0a00020f", "0052", "0050", "00000910", "00000510", "10"),
		  "Seq=17 Ack=17 Win" },
		{ SENT("12345678", "00000000", "02"), "Seq=0 Win" },
		{ ANSWERED("00002000", "12345679", "12"), "Seq=0 Ack=1 Win" },
	};
	struct sequence_table *table = calloc(1, sizeof(*table));
	struct packet_summary summary;
	uint8_t data[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = read_hex(rows[i].hex, data);

		packet_summarize_next(table, data, size, size, &summary);
		if (!strstr(summary.text, rows[i].says))
			fail_msg("%zu: %s", i, summary.text);
	}
	packet_summarize(data, 54, 54, &summary);
	assert_non_null(strstr(summary.text, "Seq=8192 Ack=305419897"));
	free(table);
}

static void cut_packets_say_so(void **state)
{
	uint8_t data[2048];
	struct packet_summary s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(decode_packets); i++) {
		size_t size = read_hex(decode_packets[i].hex, data);

		for (size_t captured = 0; captured <= size; captured++) {
			summarize(data, captured, size, &s);
			check_summary(&s);
			assert_true(captured >= 14 || !strstr(s.text, "Malformed") ||
				    captured == size);
			summarize(data, captured, captured, &s);
			check_summary(&s);
		}
	}
	read_hex(decode_packets[0].hex, data);
	summarize(data, 30, 60, &s);
	assert_string_equal(s.text, "[Packet size limited during capture]");
	summarize(data, 30, 30, &s);
	assert_string_equal(s.text, "[Malformed]");
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void mutated_packets_do_no_harm(void **state)
{
	uint8_t data[2048];
	uint32_t seed = 8086;
	struct packet_summary s;

	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		const struct decode_packet *packet =
			&decode_packets[random_next(&seed) % ARRAY_SIZE(decode_packets)];
		size_t size = read_hex(packet->hex, data), captured = size;

		for (unsigned n = 1 + random_next(&seed) % 6; n; n--)
			data[random_next(&seed) % size] = (uint8_t)random_next(&seed);
		if (random_next(&seed) % 4 == 0)
			captured = random_next(&seed) % size;
		summarize(data, captured, size, &s);
		check_summary(&s);
	}
}

/* Tags in tags, tunnels in tunnels: they end. */
static void nesting_is_bounded(void **state)
{
	uint8_t data[65550];
	struct packet_summary s;

	(void)state;
	memset(data, 0, sizeof(data));
	for (size_t at = 12; at + 4 <= sizeof(data); at += 4)
		data[at] = 0x81;
	summarize(data, sizeof(data), sizeof(data), &s);
	check_summary(&s);
	assert_string_equal(s.protocol, "VLAN");

	memset(data, 0, sizeof(data));
	data[12] = 0x08;
	for (size_t at = 14; at + 20 <= sizeof(data); at += 20) {
		data[at] = 0x45;
		data[at + 2] = (uint8_t)((sizeof(data) - at) >> 8);
		data[at + 3] = (uint8_t)(sizeof(data) - at);
		data[at + 9] = 4;
	}
	summarize(data, sizeof(data), sizeof(data), &s);
	check_summary(&s);
}

/* A name whose labels are all as long as can be fills the line and no more. */
static void long_names_are_cut(void **state)
{
	uint8_t data[54 + 300] = { [12] = 0x08, [14] = 0x45, [23] = 17, [35] = 53, [37] = 53 };
	struct packet_summary s;
	size_t size = 42 + 12 + 4 * 63 + 1 + 4;

	(void)state;
	data[17] = (uint8_t)(size - 14);
	data[16] = (uint8_t)((size - 14) >> 8);
	data[39] = (uint8_t)(size - 34);
	data[38] = (uint8_t)((size - 34) >> 8);
	data[47] = 1;
	for (unsigned i = 0; i < 4; i++) {
		data[54 + i * 63] = 62;
		memset(data + 55 + i * 63, 'a' + (int)i, 62);
	}
	data[54 + 252 + 2] = 1;
	summarize(data, size, size, &s);
	check_summary(&s);
	assert_int_equal(strlen(s.text), sizeof(s.text) - 1);
	assert_non_null(strstr(s.text, " A aaaa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_have_these_lines),
		cmocka_unit_test(cut_packets_say_so),
		cmocka_unit_test(numbers_of_tcp_are_relative),
		cmocka_unit_test(mutated_packets_do_no_harm),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
