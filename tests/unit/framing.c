/* Lines and queues: split, joined, too long, full; and what a message may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "base/checked.h"
#include "base/suggest.h"
#include "control/framing.h"
#include "control/message.h"
#include "control/methods.h"
#include "control/names.h"

struct ends {
	int near, far;
	struct frame_reader reader;
};

static int setup(void **state)
{
	struct ends *ends = calloc(1, sizeof(*ends));
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	ends->near = pair[0];
	ends->far = pair[1];
	ends->reader.limit = 64;
	*state = ends;
	return 0;
}

static int teardown(void **state)
{
	struct ends *ends = *state;

	close(ends->near);
	close(ends->far);
	frame_reader_destroy(&ends->reader);
	free(ends);
	return 0;
}

static void put(struct ends *ends, const char *text)
{
	assert_int_equal(write(ends->far, text, strlen(text)), strlen(text));
	assert_int_equal(frame_reader_fill(&ends->reader, ends->near), strlen(text));
}

static void expect(struct ends *ends, const char *line)
{
	size_t size = 0;
	char *got = frame_reader_next(&ends->reader, &size);

	if (!line) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_string_equal(got, line);
	assert_int_equal(size, strlen(line));
}

static void lines_are_cut_wherever_the_bytes_are(void **state)
{
	struct ends *ends = *state;

	assert_int_equal(frame_reader_fill(&ends->reader, ends->near), -EAGAIN);
	put(ends, "fir");
	expect(ends, NULL);
	put(ends, "st\nsecond\n\nthi");
	expect(ends, "first");
	expect(ends, "second");
	expect(ends, "");
	expect(ends, NULL);
	put(ends, "rd\n");
	expect(ends, "third");
	expect(ends, NULL);
	shutdown(ends->far, SHUT_WR);
	assert_int_equal(frame_reader_fill(&ends->reader, ends->near), 0);
}

static void a_line_has_a_limit_and_the_limit_fits(void **state)
{
	struct ends *ends = *state;
	char line[66];

	memset(line, 'x', sizeof(line));
	line[63] = '\n';
	line[64] = '\0';
	put(ends, line); /* 64 bytes with its newline */
	assert_false(frame_reader_overflow(&ends->reader));
	line[63] = '\0';
	expect(ends, line);
	line[63] = 'x';
	line[64] = '\n';
	line[65] = '\0';
	put(ends, line); /* one more */
	expect(ends, NULL);
	assert_true(frame_reader_overflow(&ends->reader));
	assert_int_equal(frame_reader_fill(&ends->reader, ends->near), -EMSGSIZE);
}

static void many_lines_pass_through_a_small_buffer(void **state)
{
	struct ends *ends = *state;
	unsigned seed = 1, sent = 0, got = 0;
	char chunk[512], *line;
	size_t size;

	while (got < 20000) {
		size_t n = 0;

		seed = seed * 1103515245 + 12345;
		for (unsigned i = 0; i < (seed >> 16) % 40; i++)
			n += (size_t)sprintf(chunk + n, "%u\n", sent++);
		if (n) {
			assert_int_equal(write(ends->far, chunk, n), n);
			assert_int_equal(frame_reader_fill(&ends->reader, ends->near), n);
		}
		while ((line = frame_reader_next(&ends->reader, &size)))
			assert_int_equal(atoi(line), got++);
	}
	assert_true(ends->reader.room <= 256 * 1024);
}

static void a_queue_is_bounded_and_keeps_order(void **state)
{
	struct ends *ends = *state;
	struct frame_writer writer = { 0 };
	char big[4096];
	size_t total = 0, got = 0;
	ssize_t n;

	memset(big, 'b', sizeof(big));
	assert_int_equal(frame_writer_add(&writer, big, 4096, 4095), -ENOBUFS);
	while (frame_writer_flush(&writer, ends->near) == 0) {
		assert_int_equal(frame_writer_add(&writer, big, 4096, 65536), 0);
		total += 4096;
	}
	while (frame_writer_add(&writer, big, 4096, 65536) == 0)
		total += 4096;
	assert_true(writer.size > 65536 - 4096 && writer.size <= 65536);
	while (got < total) {
		n = read(ends->far, big, sizeof(big));
		if (n < 0)
			assert_true(frame_writer_flush(&writer, ends->near) >= 0);
		else
			got += (size_t)n;
	}
	assert_int_equal(got, total);
	assert_int_equal(writer.size, 0);
	shutdown(ends->far, SHUT_RD);
	assert_int_equal(frame_writer_add(&writer, big, 1, 100), 0);
	assert_int_equal(frame_writer_flush(&writer, ends->near), -EPIPE);
	frame_writer_destroy(&writer);
}

static int parse(const char *text)
{
	struct message message;
	struct cause cause = { "" };
	int code = message_parse(&message, &message_to_deck, text, strlen(text), &cause);

	if (code)
		assert_true(cause.text[0] != '\0');
	message_release(&message);
	return code;
}

static void messages_are_requests_or_answers(void **state)
{
	struct message message;
	const char *error = "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32000,"
			    "\"message\":\"no\",\"data\":{\"errno\":\"ENOENT\"}}}";

	(void)state;
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}"), 0);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"a\","
			       "\"params\":{}}"), 0);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), 0);
	assert_int_equal(parse(""), CONTROL_ERROR_PARSE);
	assert_int_equal(parse("{"), CONTROL_ERROR_PARSE);
	assert_int_equal(parse("{\"a\":1,\"a\":2}"), CONTROL_ERROR_PARSE);
	assert_int_equal(parse("\"\xff\""), CONTROL_ERROR_PARSE);
	assert_int_equal(parse("17"), CONTROL_ERROR_PARSE);
	assert_int_equal(parse("[]"), CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{}"), CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"a\"}"),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}"),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":3}"),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":[]}"),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1}"), CONTROL_ERROR_REQUEST);
	assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}"),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(message_parse(&message, &message_to_client, error, strlen(error),
				       NULL), 0);
	assert_int_equal(message.kind, MESSAGE_ERROR);
	assert_int_equal(message.code, -32000);
	assert_string_equal(message.text, "no");
	assert_string_equal(message.name, "ENOENT");
	message_release(&message);
}

static unsigned allocations; /* of jansson */

static void *count_malloc(size_t size)
{
	allocations++;
	return malloc(size);
}

/*
 * A request with count of what stands in params: 0, or an error and how often jansson
 * allocated.
 */
static int parse_many(const char *before, const char *unit, unsigned count, const char *after,
		      struct cause *cause)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":";
	size_t size = strlen(head) + strlen(before) + count * strlen(unit) + strlen(after) + 2;
	char *text = malloc(size), *at = stpcpy(stpcpy(text, head), before);
	struct message message;
	int code;

	for (unsigned i = 0; i < count; i++)
		at = stpcpy(at, unit);
	stpcpy(stpcpy(at, after), "}");
	allocations = 0;
	json_set_alloc_funcs(count_malloc, free);
	code = message_parse(&message, &message_to_deck, text, strlen(text), cause);
	message_release(&message);
	json_set_alloc_funcs(malloc, free);
	free(text);
	return code;
}

/* Of each kind: as much as is allowed passes, one more is not parsed, and the place is named. */
static void what_is_too_much_is_refused_before_it_is_parsed(void **state)
{
	static const struct {
		const char *before, *unit, *after;
		unsigned most; /* units; the message around them has 12 values */
		const char *what, *where;
	} cases[] = {
		{ "{\"a\":[", "0,", "0]}", 8192 - 12, "more than 8192 values", "at byte 16415" },
		{ "{\"a\":[", "{},", "0]}", 8192 - 12, "more than 8192 values", "at byte 24596" },
		{ "{\"a\":\"", "x", "\"}", 131100, "string of more than 131100 bytes",
		  "at byte 52" },
		{ "{\"a\":\"", "\\\"", "\"}", 65550, "string of more than 131100 bytes",
		  "at byte 52" },
		{ "{\"a\":0.", "1", "}", 62, "number or word of more than 64 bytes",
		  "at byte 52" },
	};
	struct cause cause;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_many(cases[i].before, cases[i].unit, cases[i].most,
					    cases[i].after, &cause), 0);
		assert_true(allocations > 0);
		assert_int_equal(parse_many(cases[i].before, cases[i].unit, cases[i].most + 1,
					    cases[i].after, &cause), CONTROL_ERROR_REQUEST);
		assert_int_equal(allocations, 0);
		assert_non_null(strstr(cause.text, cases[i].what));
		assert_non_null(strstr(cause.text, cases[i].where));
	}
	assert_int_equal(parse_many("{\"a\":[[[[[[", "", 0, "]]]]]]}", &cause), 0);
	assert_int_equal(parse_many("{\"a\":[[[[[[[", "", 0, "]]]]]]]}", &cause),
			 CONTROL_ERROR_REQUEST);
	assert_int_equal(allocations, 0);
	assert_non_null(strstr(cause.text, "deeper than 8"));
	assert_non_null(strstr(cause.text, "at byte 58"));
	assert_int_equal(parse_many("", "[", 1 << 20, "", &cause), CONTROL_ERROR_REQUEST);
	assert_int_equal(allocations, 0);
}

/* Of text that is not JSON nothing is looked at that is not there. */
static void broken_text_is_measured_to_its_end(void **state)
{
	static const char *const broken[] = { "\"", "\"\\", "\"abc\\\"", "]", "}}}", "[\"a", "1", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		char *exact = malloc(strlen(broken[i]) + !*broken[i]);

		memcpy(exact, broken[i], strlen(broken[i]));
		assert_int_equal(json_limits_check(&message_to_deck, exact, strlen(broken[i]), NULL),
				 0);
		free(exact);
	}
}

static void any_bytes_become_a_string(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f""e", "gr\xc3\xbc\xc3\x9f""e" },
		{ "a\xff""b", "a\xef\xbf\xbd""b" },
		{ "\xc3", "\xef\xbf\xbd" },			    /* cut off */
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },	    /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\x80!\xfe", "\xf0\x9f\x98\x80!\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *string = message_text(cases[i][0]);

		assert_string_equal(json_string_value(string), cases[i][1]);
		json_decref(string);
	}
	assert_true(json_is_null(message_text(NULL)));
}

static void what_steers_a_terminal_is_spelled(void **state)
{
	static const char text[] = "\303\244\033\177\302\2332J\342\200\256\363\240\201\201"
				   "\360\237\230\200";
	static const char expected[] = "[\"\303\244\\u001B\\u007f\\u009b2J\\u202e\\udb40\\udc41"
				       "\360\237\230\200\"]\n";
	json_t *value = json_pack("[o]", message_text(text)), *again;
	size_t size;
	char *line;

	(void)state;
	line = message_line(json_incref(value), &size);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(line, expected, size);
	again = json_loadb(line, size, 0, NULL);
	assert_true(json_equal(value, again));
	json_decref(again);
	json_decref(value);
	free(line);
}

static int check(enum method_id id, const char *params, struct cause *cause)
{
	json_t *object = json_loads(params, 0, NULL);
	int error = method_check(&method_table[id], object, cause);

	json_decref(object);
	return error;
}

static void parameters_are_checked_by_the_table(void **state)
{
	struct cause cause;

	(void)state;
	assert_int_equal(check(METHOD_GUEST_START, "{\"guest\":\"web\"}", &cause), 0);
	assert_int_equal(check(METHOD_GUEST_START, "{}", &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "guest"));
	assert_int_equal(check(METHOD_GUEST_START, "{\"guest\":\"../x\"}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_GUEST_START, "{\"guest\":null}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_GUEST_START, "{\"guest\":\"a\",\"gest\":1}", &cause),
			 -EINVAL);
	assert_non_null(strstr(cause.text, "gest"));
	assert_int_equal(check(METHOD_DECK_QUIT, "{\"mode\":\"off\"}", &cause), 0);
	assert_int_equal(check(METHOD_DECK_QUIT, "{\"mode\":\"of\"}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_DECK_QUIT, "{\"mode\":\"shutdown|off\"}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_STATS_SUBSCRIBE, "{\"guests\":\"*\",\"interval_ms\":100}",
			       &cause), 0);
	assert_int_equal(check(METHOD_STATS_SUBSCRIBE, "{\"guests\":[],\"interval_ms\":99}",
			       &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "interval_ms"));
	assert_int_equal(check(METHOD_STATS_SUBSCRIBE, "{\"guests\":[1],\"interval_ms\":100}",
			       &cause), -EINVAL);
	assert_int_equal(check(METHOD_CAPTURE_STREAM, "{\"ports\":[\"web/net0\",\"lan\"],"
			       "\"filter\":null}", &cause), 0);
	assert_int_equal(check(METHOD_CAPTURE_STREAM, "{\"ports\":[\"a/b/c\"]}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_CAPTURE_STREAM, "{\"ports\":[]}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_CAPTURE_STREAM, "{\"snap\":-1}", &cause), -EINVAL);
	assert_int_equal(check(METHOD_CAPTURE_STREAM, "{\"snap\":65551}", &cause), -EINVAL);
}

/* The screen puts the guest's name in the place of "it". */
static void what_is_asked_before_names_its_object(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		const struct method_order *order = method_table[i].order;

		if (order && order->confirm)
			assert_non_null(strstr(order->confirm, " it"));
		if (order && order->counterpart)
			assert_non_null(method_table[order->counterpart].order);
	}
}

static void names_are_of_one_kind(void **state)
{
	static const char *const good[] = { "a", "0", "web-1", "a.b_c", "x-",
					    "a234567890123456789012345678901" };
	static const char *const bad[] = { "", "-x", ".x", "_x", "a b", "a/b", "b~2", "\303\244",
					   "a2345678901234567890123456789012" };
	char name[NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(name_valid(bad[i]));
		name_make(name, bad[i], strlen(bad[i]));
		assert_true(name_valid(name));
	}
	name_make(name, "web.ini", 3);
	assert_string_equal(name, "web");
	name_number(name, "a234567890123456789012345678901", 4294967295u);
	assert_string_equal(name, "a2345678901234567890.4294967295");
}

/* The manual page and the table name the same methods. */
static void every_method_is_in_the_manual(void **state)
{
	char line[512], name[64];
	unsigned found = 0;
	FILE *file;

	(void)state;
	file = fopen("man/vmdeck-protocol.7", "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, ".It Ic %63s", name) == 1) {
			assert_non_null(method_find(name));
			found++;
		}
	fclose(file);
	assert_int_equal(found, METHOD_COUNT);
}

static const char *nearest(const char *wrong)
{
	struct suggestion suggestion = { .wrong = wrong };

	suggest_offer(&suggestion, "web");
	suggest_offer(&suggestion, "database");
	suggest_offer(&suggestion, "mail");
	return suggestion.best ? suggestion.best : "";
}

static void typos_find_the_name_that_was_meant(void **state)
{
	(void)state;
	assert_string_equal(nearest("wbe"), "web");
	assert_string_equal(nearest("WEB"), "web");
	assert_string_equal(nearest("databse"), "database");
	assert_string_equal(nearest("zzz"), "");
	assert_string_equal(nearest("entirely-different"), "");
	assert_string_equal(nearest("web"), "web");
	assert_string_equal(nearest("eb"), "web");
	assert_string_equal(nearest(""), "");
	assert_string_equal(nearest("mial"), "mail");
	assert_string_equal(nearest("weeb"), "web");
	assert_string_equal(nearest("eewbb"), "");
	assert_string_equal(nearest("datab"), "database"); /* it is not written to its end */
	assert_string_equal(nearest("da"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_cut_wherever_the_bytes_are, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_line_has_a_limit_and_the_limit_fits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_lines_pass_through_a_small_buffer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_queue_is_bounded_and_keeps_order, setup,
						teardown),
		cmocka_unit_test(messages_are_requests_or_answers),
		cmocka_unit_test(what_is_too_much_is_refused_before_it_is_parsed),
		cmocka_unit_test(broken_text_is_measured_to_its_end),
		cmocka_unit_test(any_bytes_become_a_string),
		cmocka_unit_test(what_steers_a_terminal_is_spelled),
		cmocka_unit_test(parameters_are_checked_by_the_table),
		cmocka_unit_test(what_is_asked_before_names_its_object),
		cmocka_unit_test(names_are_of_one_kind),
		cmocka_unit_test(every_method_is_in_the_manual),
		cmocka_unit_test(typos_find_the_name_that_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
