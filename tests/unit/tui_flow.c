/* Conversations that packets belong to, and packets of bytes that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/model/stream.h"

#define MACS "\x52\x54\0\0\0\2" "\x52\x54\0\0\0\1"
#define IP4(total, protocol) "\x45\0\0" total "\0\1\x40\0\x40" protocol "\0\0\x0a\0\2\x0f\x0a\0\2\x10"
#define IP4_BACK(total, protocol) \
	"\x45\0\0" total "\0\1\x40\0\x40" protocol "\0\0\x0a\0\2\x10\x0a\0\2\x0f"
#define TCP(from, to) "\0" from "\0" to "\0\0\1\0\0\0\0\0\x50\x18\1\0\0\0\0\0"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void of_tcp(void **state)
{
	struct flow flow, back, other;
	char text[FLOW_TEXT], end[64];

	(void)state;
	assert_true(flow_read(&flow, BYTES(MACS "\x08\0" IP4("\x2b", "\6") TCP("\x50", "\x51") "abc")));
	assert_true(flow.ports);
	assert_int_equal(flow.sequence, 256);
	assert_int_equal(flow.payload_at, 54);
	assert_int_equal(flow.payload_size, 3);
	flow_filter(&flow, text);
	assert_string_equal(text, "host 10.0.2.15 and host 10.0.2.16 and tcp port 80 and tcp port 81");
	flow_end(&flow, false, end);
	assert_string_equal(end, "10.0.2.16:81");
	assert_true(flow_read(&back, BYTES(MACS "\x08\0" IP4_BACK("\x28", "\6") TCP("\x51", "\x50"))));
	assert_int_equal(back.payload_size, 0);
	assert_int_equal(flow_same(&flow, &flow), 1);
	assert_int_equal(flow_same(&flow, &back), -1);
	assert_true(flow_read(&other, BYTES(MACS "\x08\0" IP4("\x28", "\6") TCP("\x51", "\x50"))));
	assert_int_equal(flow_same(&flow, &other), 0);
}

static void of_others(void **state)
{
	struct flow flow;
	char text[FLOW_TEXT];

	(void)state;
	assert_true(flow_read(&flow, BYTES(MACS "\x81\0\0\7\x08\0" IP4("\x1c", "\x11")
					   "\0\x35\x10\0\0\x08\0\0")));
	flow_filter(&flow, text);
	assert_string_equal(text, "vlan and host 10.0.2.15 and host 10.0.2.16 and udp port 53 "
				  "and udp port 4096");
	assert_true(flow_read(&flow, BYTES(MACS "\x08\0" IP4("\x1c", "\1") "\x08\0\0\0\0\0\0\0")));
	assert_false(flow.ports);
	flow_filter(&flow, text);
	assert_string_equal(text, "host 10.0.2.15 and host 10.0.2.16 and ip proto 1");
	assert_true(flow_read(&flow, BYTES(MACS "\x08\6\0\1")));
	flow_filter(&flow, text);
	assert_string_equal(text, "ether host 52:54:00:00:00:01 and ether host 52:54:00:00:00:02");
	assert_true(flow_read(&flow, BYTES(MACS "\x86\xdd\x60\0\0\0\0\x14\6\x40"
		"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1" "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2"
		TCP("\x50", "\x51"))));
	assert_true(flow.ports);
	flow_filter(&flow, text);
	assert_string_equal(text, "host fe80::1 and host fe80::2 and tcp port 80 and tcp port 81");
}

/* Cut off anywhere, or with lengths that lie, it says no more than is there. */
static void of_lies(void **state)
{
	static const char whole[] =
		MACS "\x81\0\0\7\x08\0" IP4("\x28", "\6") TCP("\x50", "\x51");
	struct flow flow;

	(void)state;
	for (size_t size = 0; size < sizeof(whole); size++) {
		uint8_t *data = malloc(size ? size : 1);

		memcpy(data, whole, size);
		assert_int_equal(flow_read(&flow, data, size), size >= 14);
		assert_true(size >= sizeof(whole) - 1 || !flow.ports);
		free(data);
	}
	/* A header beyond what IP says, one of too few words, a total that is less than the header. */
	assert_true(flow_read(&flow, BYTES(MACS "\x08\0" IP4("\x20", "\6") TCP("\x50", "\x51"))));
	assert_false(flow.ports);
	assert_true(flow_read(&flow, BYTES(MACS "\x08\0" IP4("\x13", "\6") TCP("\x50", "\x51"))));
	assert_int_equal(flow.version, 0);
}

/* --- what a connection carries --- */

/* Adds a segment of 10.0.2.15:80, or of its peer; size: of the payload as IP has it. */
static void add_segment(struct netmodel *model, bool back, unsigned sequence, const char *payload,
			size_t size)
{
	uint8_t frame[128] = MACS "\x08\0" IP4("\x28", "\6") TCP("\x50", "\x51");
	size_t sent = strlen(payload);
	char hex[260];
	json_t *params;

	if (back)
		memcpy(frame, MACS "\x08\0" IP4_BACK("\x28", "\6") TCP("\x51", "\x50"), 54);
	frame[17] = (uint8_t)(40 + size);
	frame[39] = (uint8_t)(sequence >> 16);
	frame[40] = (uint8_t)(sequence >> 8);
	frame[41] = (uint8_t)sequence;
	memcpy(frame + 54, payload, sent);
	for (size_t i = 0; i < 54 + sent; i++)
		snprintf(hex + 2 * i, 3, "%02x", frame[i]);
	params = json_pack("{s:[{s:s}]}", "packets", "data", hex);
	netmodel_packets(model, params);
	json_decref(params);
}

static void is_line(const struct stream *stream, size_t i, enum stream_kind kind, const char *text)
{
	assert_true(i < stream->count);
	assert_int_equal(stream->lines[i].kind, kind);
	assert_string_equal(stream->text + stream->lines[i].at, text);
}

static void a_connection_is_followed(void **state)
{
	struct netmodel *model = calloc(1, sizeof(*model));
	struct stream stream;
	struct flow flow;

	(void)state;
	add_segment(model, false, 100, "GET / HT", 8);
	add_segment(model, false, 100, "GET / HTTP", 10); /* again, with more behind it */
	add_segment(model, false, 110, "\r\nHost:\tx\r\n", 11);
	add_segment(model, true, 7, "\n\033]0;bad\a\177\n", 11);
	add_segment(model, true, 7, "\n", 1);
	add_segment(model, true, 22, "rest", 6);
	add_segment(model, true, 29, "", 0); /* behind a FIN */
	assert_true(flow_read(&flow, model->shown.packets[0]->data,
			      model->shown.packets[0]->captured));
	stream_read(&stream, model, &flow);
	is_line(&stream, 0, STREAM_THERE, "GET / HTTP");
	is_line(&stream, 1, STREAM_THERE, "Host: x");
	is_line(&stream, 2, STREAM_BACK, "");
	is_line(&stream, 3, STREAM_BACK, ".]0;bad..");
	is_line(&stream, 4, STREAM_NOTE, "[missing: 4 bytes]");
	is_line(&stream, 5, STREAM_BACK, "rest");
	is_line(&stream, 6, STREAM_NOTE, "[not kept: 2 bytes]");
	assert_int_equal(stream.count, 7);
	assert_int_equal(stream.there, 21);
	assert_false(stream.cut);
	stream_free(&stream);
	netmodel_destroy(model);
	free(model);
}

/* Lines are bounded, however many there are. */
static void too_many_lines_are_cut(void **state)
{
	struct netmodel *model = calloc(1, sizeof(*model));
	char newlines[73];
	struct stream stream;
	struct flow flow;

	(void)state;
	memset(newlines, '\n', 72);
	newlines[72] = '\0';
	for (unsigned i = 0; i < 1500; i++)
		add_segment(model, false, i * 72, newlines, 72);
	assert_true(flow_read(&flow, model->shown.packets[0]->data,
			      model->shown.packets[0]->captured));
	stream_read(&stream, model, &flow);
	assert_int_equal(stream.count, STREAM_LINES_MAX);
	assert_true(stream.cut);
	stream_free(&stream);
	netmodel_destroy(model);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_tcp),
		cmocka_unit_test(of_others),
		cmocka_unit_test(of_lies),
		cmocka_unit_test(a_connection_is_followed),
		cmocka_unit_test(too_many_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
