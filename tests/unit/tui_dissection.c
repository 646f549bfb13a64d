/* Packets taken apart: answers that are right, and those that lie; what is shown; filters. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/model/dissection.h"

#define ANSWER(tree) "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tree\":[" tree "]}}"

/* As sharkd 4.0 writes it. */
#define TREE \
	"{\"l\":\"Ethernet II\",\"h\":[0,14],\"t\":\"proto\",\"f\":\"eth\",\"n\":[" \
	"{\"l\":\"Source: a\",\"h\":[6,6],\"f\":\"eth.src == 52:54:00:00:00:01\",\"n\":[" \
	"{\"l\":\"LG bit\",\"h\":[6,3],\"f\":\"eth.src.lg == 1\"}]}," \
	"{\"l\":\"Type: ARP (0x0806)\",\"h\":[12,2],\"f\":\"eth.type == 0x0806\"}]}," \
	"{\"l\":\"Address Resolution Protocol\",\"h\":[14,28],\"f\":\"arp\",\"n\":[" \
	"{\"l\":\"Sender IP address: 10.0.0.2\",\"h\":[28,4]," \
	"\"f\":\"arp.src.proto_ipv4 == 10.0.0.2\"}]}"

static int read_text(struct dissection *dissection, const char *text, uint32_t captured)
{
	struct cause cause = { "" };
	int r = dissection_read(dissection, text, strlen(text), captured, &cause);

	assert_true(r >= 0 || *cause.text);
	return r;
}

static void fields_lie_in_each_other(void **state)
{
	struct dissection d = { 0 };

	(void)state;
	assert_int_equal(read_text(&d, ANSWER(TREE), 42), 1);
	assert_int_equal(d.count, 6);
	assert_int_equal(d.fields[0].inner, 3);
	assert_int_equal(d.fields[1].inner, 1);
	assert_int_equal(d.fields[2].depth, 2);
	assert_int_equal(d.fields[1].at, 6);
	assert_int_equal(d.fields[1].size, 6);
	assert_int_equal(dissection_outer(&d, 2), 1);
	assert_int_equal(dissection_outer(&d, 4), 4);
	/* The innermost protocol alone is open. */
	assert_int_equal(d.row_count, 3);
	assert_int_equal(d.rows[2], 5);
	assert_true(dissection_open(&d, 0, true));
	assert_false(dissection_open(&d, 0, true));
	assert_false(dissection_open(&d, 2, true));
	dissection_rows(&d, "");
	assert_int_equal(d.row_count, 5);
	/* Those around what is found are there, open or not. */
	dissection_rows(&d, "lg BIT");
	assert_int_equal(d.row_count, 3);
	assert_int_equal(d.rows[2], 2);
	dissection_rows(&d, "nothing has that");
	assert_int_equal(d.row_count, 0);
	dissection_free(&d);
}

static void answers_that_lie_change_nothing(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{ "", 0 },
		{ "Hello in child.", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"status\":\"OK\"}}", 0 },
		{ "{\"id\":1,\"error\":{\"code\":-2001,\"message\":\"Unable to open the file\"}}",
		  -EPROTO },
		{ "{", -EPROTO },
		{ "{\"id\":2}", -EPROTO },
		{ "{\"id\":2,\"result\":{\"tree\":{}}}", -EPROTO },
		{ ANSWER(""), -EPROTO },
		{ ANSWER("{\"l\":\"\xff\"}"), -EPROTO },
	};
	struct dissection d = { 0 };

	(void)state;
	assert_int_equal(read_text(&d, ANSWER(TREE), 42), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_text(&d, rows[i].text, 42), rows[i].r);
		assert_int_equal(d.count, 6);
	}
	dissection_free(&d);
}

static void bytes_are_those_of_the_packet(void **state)
{
	static const struct {
		const char *text;
		uint32_t at, size;
	} rows[] = {
		{ ANSWER("{\"l\":\"a\",\"h\":[40,9]}"), 40, 2 },
		{ ANSWER("{\"l\":\"a\",\"h\":[42,1]}"), 0, 0 },
		{ ANSWER("{\"l\":\"a\",\"h\":[-1,9]}"), 0, 0 },
		{ ANSWER("{\"l\":\"a\",\"h\":[4,-9]}"), 0, 0 },
		{ ANSWER("{\"l\":\"a\",\"h\":[4,9223372036854775807]}"), 4, 38 },
		{ ANSWER("{\"l\":\"a\",\"h\":\"4,9\"}"), 0, 0 },
		{ ANSWER("{\"l\":\"a\",\"h\":[4,9],\"ds\":1}"), 0, 0 },
	};
	struct dissection d = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_text(&d, rows[i].text, 42), 1);
		assert_int_equal(d.fields[0].at, rows[i].at);
		assert_int_equal(d.fields[0].size, rows[i].size);
	}
	dissection_free(&d);
}

/* So many fields, side by side or each in the one before. */
static char *many(unsigned count, bool nested)
{
	char *text = calloc(count + 4, 64), *at = text;

	assert_non_null(text);
	at += sprintf(at, "{\"id\":2,\"result\":{\"tree\":[");
	for (unsigned i = 0; i < count; i++)
		at += sprintf(at, nested ? "{\"l\":\"a\",\"n\":[" : "%s{\"l\":\"a\"}",
			      i ? "," : "");
	for (unsigned i = 0; nested && i < count; i++)
		at += sprintf(at, "]}");
	sprintf(at, "]}}");
	return text;
}

static void too_many_fields_are_cut(void **state)
{
	struct dissection d = { 0 };
	char *text = many(DISSECTION_FIELDS + 7, false);

	(void)state;
	assert_int_equal(read_text(&d, text, 42), 1);
	assert_int_equal(d.count, DISSECTION_FIELDS);
	assert_true(d.cut);
	free(text);
	text = many(100, true);
	assert_int_equal(read_text(&d, text, 42), 1);
	assert_int_equal(d.count, DISSECTION_DEPTH);
	assert_true(d.cut);
	free(text);
	dissection_free(&d);
}

static void fields_make_filters(void **state)
{
	static const struct {
		const char *filter;
		uint32_t at, size;
		const char *made; /* NULL: none */
	} rows[] = {
		{ "ip.src == 10.0.0.2", 0, 4, "src host 10.0.0.2" },
		{ "ipv6.dst == fe80::1", 0, 16, "dst host fe80::1" },
		{ "eth.dst == ff:ff:ff:ff:ff:ff", 0, 6, "ether dst ff:ff:ff:ff:ff:ff" },
		{ "tcp.dstport == 443", 0, 2, "tcp dst port 443" },
		{ "icmpv6", 0, 8, "icmp6" },
		{ "http.host == \"a\"", 1, 2, "ether[1:2] = 0x1234" },
		{ "ip.src == 1 or 2", 0, 4, "ether[0:4] = 0x001234ff" },
		{ "ip.src == ", 3, 1, "ether[3:1] = 0xff" },
		{ "dns", 0, 3, NULL },
		{ "", 2, 4, NULL },
		{ "", 9, 1, NULL },
		{ "dns.flags == 0x0100", 0, 0, NULL },
	};
	static const uint8_t data[] = { 0x00, 0x12, 0x34, 0xff, 0x01 };
	char text[DISSECTION_LABEL], out[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dissection_field field = { .filter = text, .at = rows[i].at,
							.size = rows[i].size };

		snprintf(text, sizeof(text), "%s", rows[i].filter);
		assert_int_equal(dissection_filter(&field, data, sizeof(data), out, sizeof(out)),
				 rows[i].made != NULL);
		if (rows[i].made)
			assert_string_equal(out, rows[i].made);
	}
}

static void a_list_says_what_it_knows(void **state)
{
	const struct packet packet = { .captured = 60, .size = 60, .fields = {
		"web/net0", "forward", "10.0.2.15", "10.0.2.16", "TCP", "1 > 2 [SYN]" } };
	struct dissection d = { 0 };

	(void)state;
	assert_int_equal(dissection_list(&d, &packet), 0);
	assert_int_equal(d.row_count, PACKET_FIELDS);
	assert_string_equal(d.fields[2].label, "Source: 10.0.2.15");
	dissection_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_lie_in_each_other),
		cmocka_unit_test(answers_that_lie_change_nothing),
		cmocka_unit_test(bytes_are_those_of_the_packet),
		cmocka_unit_test(too_many_fields_are_cut),
		cmocka_unit_test(fields_make_filters),
		cmocka_unit_test(a_list_says_what_it_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
