/* Conversations that packets belong to, and packets of bytes that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/model/flow.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_tcp),
		cmocka_unit_test(of_others),
		cmocka_unit_test(of_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
