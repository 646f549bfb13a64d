/* The control server against a deck without machines: every method, and hostile clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "base/checked.h"
#include "control/endpoint.h"
#include "control/message.h"
#include "control/methods.h"
#include "core/server/peer.h"
#include "fake_deck.h"

static int setup(void **state)
{
	struct fake_deck *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	struct fake_deck *fake = *state;

	fake_stop(fake);
	assert_int_equal(fake_captures(fake), 0);
	free(fake);
	return 0;
}

static json_t *call(struct link *link, const char *method, json_t *params)
{
	struct cause cause = { "" };
	json_t *result;
	int error = link_call(link, method, params, &result, &cause);

	if (error)
		print_message("%s: %s\n", method, cause.text);
	assert_int_equal(error, 0);
	return result;
}

/* The call must fail; returns its sentence. */
static const char *refused(struct link *link, const char *method, json_t *params, int error)
{
	static struct cause cause;

	assert_int_equal(link_call(link, method, params, NULL, &cause), error);
	return cause.text;
}

static json_t *guest_named(const char *name)
{
	return json_pack("{s:s}", "guest", name);
}

static json_t *next(struct link *link, const char *method)
{
	struct cause cause = { "" };
	json_t *message, *params;
	int error = link_next(link, &message, 10000, &cause);

	if (error)
		print_message("%s: %s\n", method, cause.text);
	assert_int_equal(error, 0);
	assert_string_equal(json_string_value(json_object_get(message, "method")), method);
	params = json_incref(json_object_get(message, "params"));
	json_decref(message);
	return params;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "(none)";
}

static json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static void hello_agrees_on_a_version(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result = call(link, "hello", json_pack("{s:i}", "version", 1));

	assert_int_equal(number(result, "version"), 1);
	assert_int_equal(number(result, "pid"), getpid());
	assert_string_equal(text(result, "deck"), "demo");
	assert_non_null(strstr(text(result, "program"), "vmdeck "));
	json_decref(result);
	assert_non_null(strstr(refused(link, "hello", json_pack("{s:i}", "version", 2),
				       -EPROTONOSUPPORT), "version 1"));
	link_free(link);
}

static void an_observer_can_look_and_not_touch(void **state)
{
	struct link *link = fake_link(*state);

	json_decref(call(link, "hello", json_pack("{s:i,s:s}", "version", 1, "role", "observe")));
	json_decref(call(link, "guest.list", NULL));
	assert_non_null(strstr(refused(link, "guest.off", guest_named("web"), -EIO), "observe"));
	json_decref(call(link, "hello", json_pack("{s:i,s:s}", "version", 1, "role", "operate")));
	refused(link, "guest.off", guest_named("web"), -EIO);
	link_free(link);
}

static void guests_are_listed_with_their_mistakes(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result = call(link, "guest.list", NULL), *guests, *guest;

	guests = json_object_get(result, "guests");
	assert_int_equal(json_array_size(guests), 3);
	guest = json_array_get(guests, 0);
	assert_string_equal(text(guest, "name"), "broken");
	assert_string_equal(text(guest, "state"), "invalid");
	assert_int_equal(json_array_size(json_object_get(guest, "mistakes")), 2);
	assert_int_equal(number(json_array_get(json_object_get(guest, "mistakes"), 0), "line"), 3);
	guest = json_array_get(guests, 2);
	assert_string_equal(text(guest, "state"), "running");
	assert_int_equal(number(guest, "cpus"), 2);
	assert_int_equal(number(guest, "memory"), 512 << 20);
	assert_true(json_is_null(json_object_get(guest, "profile")));
	assert_true(json_is_null(json_object_get(guest, "reason")));
	guest = json_array_get(json_object_get(guest, "nets"), 0);
	assert_string_equal(text(guest, "mac"), "52:54:00:01:02:03");
	json_decref(result);
	link_free(link);
}

static void a_guest_is_shown_in_full(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result;

	fake_print(fake, "web", "one\ntwo\xff\033[1m\nthree", 17);
	result = call(link, "guest.show", guest_named("web"));
	assert_int_equal(json_array_size(json_object_get(result, "console_tail")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(result,
			    "console_tail"), 1)), "two\xef\xbf\xbd");
	assert_int_equal(number(json_array_get(json_object_get(result, "exits"), 0), "count"),
			 12345678901);
	assert_true(json_is_null(json_object_get(result, "registers")));
	assert_string_equal(text(json_array_get(json_object_get(result, "disks"), 0), "path"),
			    "/disks/\xef\xbf\xbd.raw");
	assert_string_equal(text(json_array_get(json_object_get(result, "devices"), 0), "status"),
			    "running");
	assert_int_equal(number(json_object_get(result, "memory_view"), "total"), 120 << 20);
	assert_int_equal(number(json_object_get(result, "memory_view"), "age_ms"), 5);
	assert_null(json_object_get(json_object_get(result, "memory_view"), "free"));
	json_decref(result);
	fake_set_state(fake, "web", GUEST_CRASHED, "triple fault");
	result = call(link, "guest.show", guest_named("web"));
	assert_string_equal(text(result, "reason"), "triple fault");
	assert_string_equal(text(result, "registers"), "rip 0000\nrsp 1000\n");
	json_decref(result);
	link_free(link);
}

static bool is_locked(struct link *link, const char *guest)
{
	json_t *result = call(link, "guest.show", guest_named(guest));
	bool locked = json_is_true(json_object_get(json_array_get(
			json_object_get(result, "disks"), 0), "locked"));

	json_decref(result);
	return locked;
}

static void a_disk_is_unlocked(void **state)
{
	struct link *link = fake_link(*state);

	assert_string_equal(refused(link, "guest.unlock",
				    json_pack("{s:s, s:s, s:s}", "guest", "web", "device", "disk0",
					      "secret", "sesame"), -EBUSY),
			    "web is running; only a guest that is defined, stopped, crashed or failed "
			    "can be reached");
	assert_string_equal(refused(link, "guest.unlock",
				    json_pack("{s:s, s:s, s:s}", "guest", "db", "device", "disk1",
					      "secret", "sesame"), -ENODEV),
			    "db: it has no disk1");
	assert_true(is_locked(link, "db"));
	assert_false(is_locked(link, "web")); /* its image is not there */
	json_decref(call(link, "guest.unlock", json_pack("{s:s, s:s, s:s}", "guest", "db", "device",
							 "disk0", "secret", "sesame")));
	assert_false(is_locked(link, "db"));
	link_free(link);
}

static json_t *sized(const char *guest, const char *device, json_int_t size)
{
	return json_pack("{s:s, s:s, s:I}", "guest", guest, "device", device, "size", size);
}

static void media_are_exchanged(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result, *disk;

	assert_string_equal(refused(link, "guest.eject", json_pack("{s:s, s:s}", "guest", "web",
								   "device", "disk0"), -EBUSY),
			    "web: disk0: the guest holds the medium");
	json_decref(call(link, "guest.insert", json_pack("{s:s, s:s, s:s}", "guest", "web", "device",
							 "disk0", "path", "/tools.iso")));
	result = call(link, "guest.show", guest_named("web"));
	disk = json_array_get(json_object_get(result, "disks"), 0);
	assert_string_equal(text(disk, "path"), "/tools.iso");
	assert_true(json_is_false(json_object_get(disk, "cdrom")));
	json_decref(result);
	json_decref(call(link, "guest.eject", json_pack("{s:s, s:s, s:b}", "guest", "web", "device",
							"disk0", "force", 1)));
	assert_string_equal(refused(link, "guest.insert",
				    json_pack("{s:s, s:s, s:s}", "guest", "web", "device", "disk0",
					      "path", "tools.iso"), -EINVAL),
			    "path: 'tools.iso' must begin with '/'");
	link_free(link);
}

static void a_device_gets_another_size(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result;

	json_decref(call(link, "guest.resize", sized("web", "balloon", 64 << 20)));
	result = call(link, "guest.show", guest_named("web"));
	assert_int_equal(number(json_object_get(result, "memory_view"), "target"), 64 << 20);
	json_decref(result);
	assert_string_equal(refused(link, "guest.resize", sized("web", "disk7", 1), -ENOENT),
			    "web: there is no device disk7");
	assert_string_equal(refused(link, "guest.resize", sized("db", "balloon", 1), -EBUSY),
			    "db is defined; only a guest that is running or paused can be "
			    "reached");
	link_free(link);
}

static void orders_follow_the_states_of_the_table(void **state)
{
	struct link *link = fake_link(*state);

	assert_non_null(strstr(refused(link, "guest.start", guest_named("web"), -EBUSY),
			       "web is running; only a guest that is defined, stopping, "
			       "stopped, crashed or failed can be started"));
	json_decref(call(link, "guest.start", guest_named("db")));
	json_decref(call(link, "guest.pause", guest_named("db")));
	refused(link, "guest.pause", guest_named("db"), -EBUSY);
	json_decref(call(link, "guest.resume", guest_named("db")));
	refused(link, "guest.reset", guest_named("db"), -EBUSY); /* the deck's own refusal */
	json_decref(call(link, "guest.stop", guest_named("db")));
	assert_string_equal(refused(link, "guest.start", guest_named("db"), -ENOMEM),
			    "db: no memory; end another guest");
	fake_set_state(*state, "web", GUEST_STOPPING, "");
	assert_string_equal(refused(link, "guest.reset", guest_named("web"), -EBUSY),
			    "web is stopping; only a guest that is starting, running or paused can "
			    "be reset");
	json_decref(call(link, "guest.stop", guest_named("web")));
	fake_set_state(*state, "web", GUEST_STARTING, "");
	json_decref(call(link, "guest.stop", guest_named("web")));
	fake_set_state(*state, "web", GUEST_RUNNING, "");
	json_decref(call(link, "guest.off", guest_named("web")));
	assert_string_equal(refused(link, "guest.stop", guest_named("web"), -EBUSY),
			    "web is stopped; only a guest that is starting, running, paused or "
			    "stopping can be stopped");
	assert_string_equal(refused(link, "guest.start", guest_named("broken"), -EBUSY),
			    "broken: its profile has mistakes: broken.ini:3: memory: 'x' is not a "
			    "size; write 512M or 2G (and 1 more); 'vmdeck show broken' lists them");
	assert_string_equal(refused(link, "guest.start", guest_named("wbe"), -ENOENT),
			    "guest 'wbe': there is none; did you mean 'web'?");
	assert_string_equal(refused(link, "guest.start", guest_named("unheard-of"), -ENOENT),
			    "guest 'unheard-of': there is none");
	link_free(link);
}

/* One that has no handler is answered as if it were not in the table. */
static void each_method_of_the_table_has_a_handler(void **state)
{
	struct link *link = fake_link(*state);

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const char *why = refused(link, method_table[i].name, json_pack("{s:i}", "x", 1),
					  -EIO);

		if (!strstr(why, "no such parameter"))
			fail_msg("%s", why);
	}
	link_free(link);
}

/* A raw conversation: sends bytes, reads one line. */
static void say(int fd, const char *bytes)
{
	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

static json_t *hear(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char line[65536];
	size_t n = 0;

	while (n < sizeof(line) - 1) {
		assert_int_equal(poll(&ready, 1, 10000), 1);
		if (read(fd, line + n, 1) != 1)
			return NULL;
		if (line[n++] == '\n')
			break;
	}
	return json_loadb(line, n, 0, NULL);
}

static void expect_error(int fd, const char *bytes, int code)
{
	json_t *answer;

	say(fd, bytes);
	answer = hear(fd);
	assert_non_null(answer);
	assert_int_equal(number(json_object_get(answer, "error"), "code"), code);
	json_decref(answer);
}

static void read_exactly(int fd, void *data, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t done = 0;

	while (done < size) {
		ssize_t n;

		assert_int_equal(poll(&ready, 1, 10000), 1);
		n = read(fd, (char *)data + done, size - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
}

static void expect_closed(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&ready, 1, 10000), 1);
	assert_true(read(fd, &byte, 1) <= 0);
}

static void errors_have_the_codes_of_the_protocol(void **state)
{
	int fd = fake_socket(*state);

	expect_error(fd, "nonsense\n", CONTROL_ERROR_PARSE);
	expect_error(fd, "[]\n", CONTROL_ERROR_REQUEST);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}\n",
		     CONTROL_ERROR_METHOD);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.show\"}\n",
		     CONTROL_ERROR_PARAMS);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.show\","
		     "\"params\":{\"guest\":\"none\"}}\n", CONTROL_ERROR_FAILED);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.start\","
		     "\"params\":{\"guest\":\"web\"}}\n", CONTROL_ERROR_STATE);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", CONTROL_ERROR_REQUEST);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"capture.stop\","
		     "\"params\":{\"capture\":99}}\n", CONTROL_ERROR_FAILED);
	close(fd);
}

static void requests_in_one_write_are_answered_in_order(void **state)
{
	int fd = fake_socket(*state);
	char *all = calloc(1, 100 * 64);
	json_t *answer;

	for (int i = 0; i < 100; i++)
		sprintf(all + strlen(all), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":"
			"\"switch.list\"}\n", i);
	say(fd, all);
	shutdown(fd, SHUT_WR); /* they are answered all the same */
	for (int i = 0; i < 100; i++) {
		answer = hear(fd);
		assert_int_equal(number(answer, "id"), i);
		json_decref(answer);
	}
	expect_closed(fd);
	free(all);
	close(fd);
}

/* Puts a file that nobody answers for into a drive, as request number id. */
static void insert_hung(int fd, int id)
{
	char line[160];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"guest.insert\","
		 "\"params\":{\"guest\":\"web\",\"device\":\"disk0\",\"path\":\"/hung\"}}\n", id);
	say(fd, line);
}

static void ask_for_switches(int fd)
{
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":100,\"method\":\"switch.list\"}\n");
}

static void expect_answer(int fd, int id)
{
	json_t *answer = hear(fd);

	assert_non_null(answer);
	assert_int_equal(number(answer, "id"), id);
	assert_non_null(json_object_get(answer, "result"));
	json_decref(answer);
}

static void expect_silence(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, 50), 0);
}

static void resize_hung(int fd, int id, long long size)
{
	char line[160];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"guest.resize\","
		 "\"params\":{\"guest\":\"web\",\"device\":\"disk0\",\"size\":%lld}}\n", id, size);
	say(fd, line);
}

static void a_disk_that_does_not_grow_holds_nothing_up(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);
	json_t *answer;

	resize_hung(fd, 1, 1 << 20);
	ask_for_switches(fd);
	expect_answer(fd, 100);
	expect_silence(fd);
	atomic_store(&fake->answers, true);
	expect_answer(fd, 1);
	resize_hung(fd, 2, 1ll << 40);
	answer = hear(fd);
	assert_string_equal(text(json_object_get(answer, "error"), "message"),
			    "web: disk0: no space");
	json_decref(answer);
	close(fd);
}

static void a_medium_that_does_not_come_holds_nothing_up(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);

	insert_hung(fd, 1);
	ask_for_switches(fd);
	expect_answer(fd, 100);
	shutdown(fd, SHUT_WR); /* it is answered all the same */
	expect_silence(fd);
	atomic_store(&fake->answers, true);
	expect_answer(fd, 1);
	expect_closed(fd);
	close(fd);
}

static void of_media_that_do_not_come_there_is_an_end(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);
	unsigned seen = 0;

	for (int i = 0; i < PEER_OWED_MAX - 1; i++)
		insert_hung(fd, i);
	ask_for_switches(fd);
	expect_answer(fd, 100);
	insert_hung(fd, PEER_OWED_MAX - 1);
	ask_for_switches(fd);
	expect_silence(fd);
	atomic_store(&fake->answers, true);
	for (int i = 0; i <= PEER_OWED_MAX; i++) {
		json_t *answer = hear(fd);
		json_int_t id = number(answer, "id");

		seen |= 1u << (id == 100 ? PEER_OWED_MAX : id);
		json_decref(answer);
	}
	assert_int_equal(seen, (2u << PEER_OWED_MAX) - 1);
	close(fd);
}

static void a_medium_that_comes_late_is_not_told_to_a_raw_stream(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake), other = fake_socket(fake);
	char data[8];

	insert_hung(fd, 1);
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"console.open\",\"params\":"
		"{\"guest\":\"web\"}}\n");
	expect_answer(fd, 2);
	insert_hung(other, 3);
	atomic_store(&fake->answers, true);
	expect_answer(other, 3);
	expect_silence(fd);
	fake_print(fake, "web", "text", 4);
	read_exactly(fd, data, 4);
	assert_memory_equal(data, "text", 4);
	close(other);
	close(fd);
}

static void a_request_without_id_is_not_answered(void **state)
{
	int fd = fake_socket(*state);
	json_t *answer;

	say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"guest.start\",\"params\":{\"guest\":\"db\"}}\n"
		"{\"jsonrpc\":\"2.0\",\"method\":\"packets.subscribe\"}\n"
		"{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"guest.show\","
		"\"params\":{\"guest\":\"db\"}}\n");
	answer = hear(fd);
	assert_string_equal(text(answer, "id"), "last");
	assert_string_equal(text(json_object_get(answer, "result"), "state"), "running");
	json_decref(answer);
	close(fd);
}

static void garbage_is_answered_sixteen_times(void **state)
{
	int fd = fake_socket(*state);

	for (int i = 0; i < 15; i++)
		expect_error(fd, "\x01\x02\xff garbage\n", CONTROL_ERROR_PARSE);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}\n",
		     CONTROL_ERROR_METHOD); /* which starts the count again */
	for (int i = 0; i < 16; i++)
		expect_error(fd, "more\n", CONTROL_ERROR_PARSE);
	expect_closed(fd);
	close(fd);
}

static void what_nests_too_deep_is_refused_and_the_connection_goes_on(void **state)
{
	int fd = fake_socket(*state);
	char deep[1026];

	memset(deep, '[', 1024);
	strcpy(deep + 1024, "\n");
	for (int i = 0; i < 40; i++)
		expect_error(fd, deep, CONTROL_ERROR_REQUEST);
	expect_error(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}\n",
		     CONTROL_ERROR_METHOD);
	close(fd);
}

static void a_line_without_end_is_cut_off(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);
	struct link *link;
	static char block[65536];
	size_t sent = 0;
	json_t *answer;
	ssize_t n;

	memset(block, 'x', sizeof(block));
	while (sent < 64u << 20) {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN)
			break;
		else if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT }, 1, 10000) &&
			 recv(fd, block, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
			break;
	}
	assert_true(sent < 8u << 20);
	answer = hear(fd);
	assert_int_equal(number(json_object_get(answer, "error"), "code"), CONTROL_ERROR_REQUEST);
	json_decref(answer);
	expect_closed(fd);
	close(fd);
	link = fake_link(fake);
	json_decref(call(link, "guest.list", NULL));
	link_free(link);
}

static void stats_have_a_past(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result = call(link, "stats.history", json_pack("{s:s,s:s}", "guest", "web", "span",
							       "10m"));
	const json_t *fields = json_object_get(result, "fields"), *cpu, *memory;

	assert_int_equal(number(result, "interval_ms"), 10000);
	assert_int_equal(json_object_size(fields), STATS_EXITS + 1);
	cpu = json_object_get(fields, "cpu");
	memory = json_object_get(fields, "memory");
	assert_int_equal(json_array_size(cpu), 60);
	assert_int_equal(json_integer_value(json_array_get(cpu, 59)), 25);
	assert_true(json_is_null(json_array_get(cpu, 57)));
	assert_int_equal(json_integer_value(json_array_get(cpu, 56)), 50);
	assert_int_equal(json_integer_value(json_array_get(memory, 59)), 1 << 20);
	json_decref(result);
	result = call(link, "stats.history", json_pack("{s:s,s:s}", "guest", "web", "span", "24h"));
	assert_int_equal(number(result, "interval_ms"), 1800000);
	json_decref(result);
	/* Its profile has mistakes: there is nothing. */
	result = call(link, "stats.history", json_pack("{s:s,s:s}", "guest", "broken", "span",
						       "1h"));
	assert_int_equal(json_object_size(json_object_get(result, "fields")), 0);
	json_decref(result);
	refused(link, "stats.history", json_pack("{s:s,s:s}", "guest", "web", "span", "1w"),
		-EIO);
	link_free(link);
}

static void stats_carry_what_changed(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result, *params, *row;

	fake_sample(fake, "web", 1.5f);
	result = call(link, "stats.subscribe", json_pack("{s:[sss],s:i,s:b}", "guests", "web",
							 "broken", "ghost", "interval_ms", 100,
							 "history", 1));
	assert_int_equal(json_array_size(json_object_get(result, "fields")), STATS_VCPU + 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(result, "missing"),
							     0)), "ghost");
	row = json_array_get(json_object_get(json_object_get(result, "history"), "guests"), 0);
	assert_string_equal(text(row, "name"), "web");
	row = json_object_get(json_object_get(row, "fields"), "cpu1");
	assert_int_equal(json_array_size(row), 1);
	assert_float_equal(json_number_value(json_array_get(row, 0)), 1.5 + STATS_VCPU + 1, 1e-6);

	params = next(link, "stats");
	assert_int_equal(number(params, "subscription"), number(result, "subscription"));
	row = json_array_get(json_object_get(params, "guests"), 0);
	assert_int_equal(json_object_size(json_object_get(row, "values")), STATS_VCPU + 2);
	json_decref(params);

	fake_sample(fake, "web", 1.5f); /* the same values: no news */
	fake_sample(fake, "db", 1);	/* not subscribed */
	fake_sample(fake, "web", 2.5f);
	params = next(link, "stats");
	row = json_array_get(json_object_get(params, "guests"), 0);
	assert_float_equal(json_number_value(json_object_get(json_object_get(row, "values"),
							     "cpu")), 2.5, 1e-6);
	json_decref(params);

	json_decref(call(link, "stats.update", json_pack("{s:O,s:s}", "subscription",
			 json_object_get(result, "subscription"), "guests", "*")));
	params = next(link, "stats");
	assert_int_equal(json_array_size(json_object_get(params, "guests")), 2);
	json_decref(params);
	json_decref(call(link, "stats.cancel", json_pack("{s:O}", "subscription",
			 json_object_get(result, "subscription"))));
	refused(link, "stats.cancel", json_pack("{s:O}", "subscription",
		json_object_get(result, "subscription")), -ENOENT);
	json_decref(result);
	link_free(link);
}

static double host_value(const json_t *params, const char *name)
{
	const json_t *value = json_object_get(json_object_get(params, "values"), name);

	assert_non_null(value);
	return json_number_value(value);
}

/* All guests that live together, and of the host what changed. */
static void the_host_is_told_of(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result, *params;

	fake_set_state(fake, "db", GUEST_RUNNING, "");
	fake_sample(fake, "web", 3 << 20);
	fake_sample(fake, "db", 5 << 20);
	result = call(link, "host.subscribe", json_pack("{s:i}", "interval_ms", 100));
	assert_true(number(result, "cpus") > 0);
	assert_true(number(result, "memory") > 1 << 20);
	assert_true(json_is_boolean(json_object_get(result, "kvm")));
	params = next(link, "host");
	assert_int_equal(number(params, "subscription"), number(result, "subscription"));
	assert_true(host_value(params, "available") > 0);
	assert_true(host_value(params, "cpu") >= 0);
	assert_true(host_value(params, "guests_cpu") == 8 << 20);
	assert_true(host_value(params, "guests_memory") == 8 << 20); /* whole ones */
	assert_true(host_value(params, "guests_out") == (8 << 20) + 2 * STATS_NET_OUT);
	json_decref(params);
	fake_set_state(fake, "db", GUEST_STOPPED, "");
	/* Other values may change before, or not. */
	for (params = next(link, "host"); !json_object_get(json_object_get(params, "values"), "guests_cpu");
	     params = next(link, "host"))
		json_decref(params);
	assert_true(host_value(params, "guests_cpu") == 3 << 20);
	json_decref(params);
	json_decref(call(link, "host.cancel", json_pack("{s:O}", "subscription",
			 json_object_get(result, "subscription"))));
	json_decref(result);
	link_free(link);
}

static void stats_follow_guests_that_go(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *params, *row;

	fake_sample(fake, "web", 1);
	fake_sample(fake, "db", 2);
	json_decref(call(link, "stats.subscribe", json_pack("{s:s,s:i}", "guests", "*",
							    "interval_ms", 100)));
	json_decref(next(link, "stats"));
	fake_remove(fake, "db");
	fake_sample(fake, "web", 3);
	params = next(link, "stats");
	assert_int_equal(json_array_size(json_object_get(params, "guests")), 1);
	row = json_array_get(json_object_get(params, "guests"), 0);
	assert_string_equal(text(row, "name"), "web");
	json_decref(params);
	link_free(link);
}

static void subscriptions_are_bounded(void **state)
{
	struct link *link = fake_link(*state);

	for (int i = 0; i < 16; i++)
		json_decref(call(link, i % 2 ? "packets.subscribe" : "stats.subscribe",
				 i % 2 ? NULL : json_pack("{s:s,s:i}", "guests", "*",
							  "interval_ms", 1000)));
	refused(link, "stats.subscribe", json_pack("{s:s,s:i}", "guests", "*", "interval_ms",
						   1000), -ENOSPC);
	refused(link, "packets.subscribe", NULL, -ENOSPC);
	link_free(link);
}

static void events_come_in_order(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *event;

	json_decref(call(link, "events.subscribe", NULL));
	event = next(link, "event");
	assert_string_equal(text(event, "text"), "said at start-up");
	json_decref(event);
	json_decref(call(link, "guest.start", guest_named("db")));
	event = next(link, "event");
	assert_string_equal(text(event, "guest"), "db");
	assert_string_equal(text(event, "kind"), "state");
	assert_string_equal(text(event, "state"), "starting");
	json_decref(event);
	event = next(link, "event");
	assert_string_equal(text(event, "state"), "running");
	json_decref(event);
	fake_log(fake, "a disk is slow");
	event = next(link, "event");
	assert_string_equal(text(event, "kind"), "log");
	assert_true(json_is_null(json_object_get(event, "guest")));
	assert_string_equal(text(event, "text"), "a disk is slow");
	json_decref(event);
	json_decref(call(link, "deck.reload", NULL));
	event = next(link, "event");
	assert_string_equal(text(event, "kind"), "profiles");
	json_decref(event);
	link_free(link);
}

/* What happened before comes with the answer, if that is asked for, and not again as events. */
static void events_have_a_history(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result, *history, *event;

	result = call(link, "events.subscribe", json_pack("{s:b}", "history", 1));
	history = json_object_get(result, "history");
	assert_int_equal(json_array_size(history), 2);
	assert_string_equal(text(json_array_get(history, 0), "text"), "said at start-up");
	event = json_array_get(history, 1);
	assert_string_equal(text(event, "guest"), "web");
	assert_string_equal(text(event, "kind"), "state");
	assert_string_equal(text(event, "state"), "crashed");
	assert_string_equal(text(event, "text"), "triple fault");
	json_decref(result);
	fake_log(fake, "a disk is slow");
	event = next(link, "event");
	assert_string_equal(text(event, "text"), "a disk is slow");
	json_decref(event);
	link_free(link);
}

static void the_last_event_is_the_end(void **state)
{
	struct fake_deck fake = { 0 };
	struct cause cause;
	struct link *link;
	json_t *event, *message;

	(void)state;
	fake_start(&fake);
	link = fake_link(&fake);
	json_decref(call(link, "events.subscribe", NULL));
	json_decref(next(link, "event"));
	fake_stop(&fake);
	event = next(link, "event");
	assert_string_equal(text(event, "kind"), "ended");
	assert_true(json_is_null(json_object_get(event, "guest")));
	json_decref(event);
	assert_int_equal(link_next(link, &message, 10000, &cause), -ECONNRESET);
	link_free(link);
}

static void a_client_that_does_not_read_loses_events_first(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);
	struct link *link;
	char sentence[256];
	json_int_t lost = 0;
	unsigned got = 0;
	json_t *message, *params;

	memset(sentence, 's', sizeof(sentence) - 1);
	sentence[sizeof(sentence) - 1] = '\0';
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\"}\n");
	json_decref(hear(fd));
	for (unsigned i = 0; i < 8000; i++)
		fake_log(fake, sentence);
	assert_int_equal(link_adopt(&link, fd, NULL), 0);
	while (link_next(link, &message, 300, NULL) == 0) {
		got++;
		json_decref(message);
	}
	assert_true(got > 1000 && got < 8000);
	fake_log(fake, "the last");
	params = next(link, "event");
	lost = json_integer_value(json_object_get(params, "dropped"));
	assert_string_equal(text(params, "text"), "the last");
	assert_int_equal(got + lost, 8001); /* with that of start-up */
	json_decref(params);
	link_free(link);
}

static void a_client_that_asks_and_never_reads_is_closed(void **state)
{
	struct fake_deck *fake = *state;
	const char *ask = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.list\"}\n";
	int fd = fake_socket(fake);
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	struct link *link;
	unsigned sent = 0;

	while (sent < 100000) {
		ssize_t n = send(fd, ask, strlen(ask), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			break;
		if (n < 0)
			assert_int_equal(poll(&ready, 1, 10000), 1);
		sent++;
	}
	assert_true(sent < 100000);
	close(fd);
	link = fake_link(fake);
	json_decref(call(link, "guest.list", NULL));
	link_free(link);
}

static void wait_typed(struct fake_deck *fake, size_t size)
{
	size_t typed = 0;

	while (typed < size) {
		usleep(1000);
		pthread_mutex_lock(&fake->lock);
		typed = fake->typed_size;
		pthread_mutex_unlock(&fake->lock);
	}
	assert_int_equal(typed, size);
}

static void a_console_is_raw_both_ways(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	char data[64], binary[256];
	size_t size;
	int fd;

	fake_print(fake, "web", "before\r\n", 8);
	json_decref(call(link, "console.open", json_pack("{s:s,s:b}", "guest", "web", "backlog",
							 1)));
	fd = link_raw(link, &rest, &size);
	assert_true(size <= 8);
	memcpy(data, rest, size);
	read_exactly(fd, data + size, 8 - size);
	assert_memory_equal(data, "before\r\n", 8);
	fake_print(fake, "web", "\0\n\xff", 3);
	read_exactly(fd, data, 3);
	assert_memory_equal(data, "\0\n\xff", 3);
	for (int i = 0; i < 256; i++)
		binary[i] = (char)i;
	assert_int_equal(write(fd, binary, 256), 256);
	wait_typed(fake, 256);
	assert_memory_equal(fake->typed, binary, 256);
	shutdown(fd, SHUT_WR); /* types no more, reads on */
	fake_print(fake, "web", "still", 5);
	read_exactly(fd, data, 5);
	assert_memory_equal(data, "still", 5);
	link_free(link);
}

static void an_observer_reads_a_console_and_types_nothing(void **state)
{
	struct fake_deck *fake = *state;
	struct link *watching = fake_link(fake), *link = fake_link(fake);
	const uint8_t *rest;
	char data[8];
	size_t size;
	int fd;

	json_decref(call(watching, "hello", json_pack("{s:i,s:s}", "version", 1, "role",
						      "observe")));
	json_decref(call(watching, "console.open", guest_named("web")));
	fd = link_raw(watching, &rest, &size);
	assert_int_equal(write(fd, "typed", 5), 5);
	fake_print(fake, "web", "seen", 4);
	read_exactly(fd, data, 4);
	assert_memory_equal(data, "seen", 4);
	json_decref(call(link, "console.open", guest_named("web")));
	fd = link_raw(link, &rest, &size);
	assert_int_equal(write(fd, "y", 1), 1);
	wait_typed(fake, 1);
	assert_memory_equal(fake->typed, "y", 1);
	link_free(link);
	link_free(watching);
}

static void typing_waits_for_a_full_serial_port(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	char *much = malloc(20000);
	size_t size;
	int fd;

	memset(much, 't', 20000);
	pthread_mutex_lock(&fake->lock);
	fake->typed_room = 16;
	pthread_mutex_unlock(&fake->lock);
	json_decref(call(link, "console.open", guest_named("web")));
	fd = link_raw(link, &rest, &size);
	assert_int_equal(write(fd, much, 20000), 20000);
	wait_typed(fake, 16);
	for (size_t room = 16; room < 20000;) {
		pthread_mutex_lock(&fake->lock);
		room = fake->typed_room = fake->typed_room + 5000;
		pthread_mutex_unlock(&fake->lock);
		wait_typed(fake, room < 20000 ? room : 20000);
	}
	free(much);
	link_free(link);
}

/* Who types is told when nobody reads, and who goes, what of it is lost. */
static void typing_that_waits_is_told(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake), *events = fake_link(fake);
	const uint8_t *rest;
	size_t size;
	json_t *event;
	int fd;

	json_decref(call(events, "events.subscribe", NULL));
	json_decref(next(events, "event")); /* of start-up */
	pthread_mutex_lock(&fake->lock);
	fake->typed_room = 4;
	pthread_mutex_unlock(&fake->lock);
	json_decref(call(link, "console.open", guest_named("web")));
	fd = link_raw(link, &rest, &size);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	event = next(events, "event");
	assert_string_equal(text(event, "guest"), "web");
	assert_string_equal(text(event, "text"),
			    "the guest does not read its console: 6 bytes that were typed wait");
	json_decref(event);
	link_free(link);
	event = next(events, "event");
	assert_string_equal(text(event, "text"),
			    "6 bytes that were typed are lost: the guest did not read its console");
	json_decref(event);
	link_free(events);
}

static void typed_with_the_request_reaches_the_guest(void **state)
{
	struct fake_deck *fake = *state;
	int fd = fake_socket(fake);
	json_t *answer;

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"console.open\","
		"\"params\":{\"guest\":\"web\"}}\nuname -a\n");
	answer = hear(fd);
	assert_non_null(json_object_get(answer, "result"));
	json_decref(answer);
	wait_typed(fake, 9);
	assert_memory_equal(fake->typed, "uname -a\n", 9);
	close(fd);
}

static void a_slow_console_is_told_what_it_lost(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	char *data = malloc(1 << 20), block[1024];
	size_t size, got = 0;
	struct pollfd ready = { .events = POLLIN };
	bool lost = false;

	json_decref(call(link, "console.open", guest_named("web")));
	ready.fd = link_raw(link, &rest, &size);
	memset(block, 'p', sizeof(block));
	for (int i = 0; i < 2048; i++)
		fake_print(fake, "web", block, sizeof(block));
	fake_print(fake, "web", "END", 3);
	while (poll(&ready, 1, 10000) == 1) {
		ssize_t n = read(ready.fd, data + got, (1 << 20) - got - 1);

		assert_true(n > 0);
		got += (size_t)n;
		data[got] = '\0';
		lost |= strstr(data, "bytes were lost") != NULL;
		if (got >= 3 && memcmp(data + got - 3, "END", 3) == 0)
			break;
	}
	assert_true(lost);
	assert_true(got < 1 << 20);
	free(data);
	link_free(link);
}

static void a_console_ends_after_its_guests_last_byte_when_asked(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	char *text = calloc(1, 60001), *got = calloc(1, 60001);
	size_t size;
	ssize_t n;
	int fd;

	memset(text, 'p', 60000);
	memcpy(text + 59997, "END", 3);
	json_decref(call(link, "console.open", json_pack("{s:s,s:b}", "guest", "web", "until_end", 1)));
	fd = link_raw(link, &rest, &size);
	assert_int_equal(size, 0);
	fake_set_state(fake, "web", GUEST_PAUSED, ""); /* is no end */
	fake_print(fake, "web", text, 60000);
	fake_set_state(fake, "web", GUEST_STOPPED, "powered off");
	while (size < 60000 && (n = read(fd, got + size, 60000 - size)) > 0)
		size += (size_t)n;
	assert_string_equal(got, text);
	expect_closed(fd);
	link_free(link);
	/* Of a guest that is down it ends at once. */
	fd = fake_socket(fake);
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"console.open\",\"params\":"
		"{\"guest\":\"web\"}}\n");
	shutdown(fd, SHUT_WR); /* who types no more does not wait for its next start */
	expect_answer(fd, 1);
	expect_closed(fd);
	close(fd);
	link = fake_link(fake);
	json_decref(call(link, "console.open", json_pack("{s:s,s:b}", "guest", "web", "until_end", 1)));
	expect_closed(link_raw(link, &rest, &size));
	link_free(link);
	free(text);
	free(got);
}

static void a_console_closes_with_its_guest(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	size_t size;

	json_decref(call(link, "console.open", guest_named("web")));
	fake_remove(fake, "web");
	expect_closed(link_raw(link, &rest, &size));
	link_free(link);
	link = fake_link(fake);
	refused(link, "console.open", guest_named("broken"), -EBUSY);
	link_free(link);
}

/* With a character behind it; a guest that does not read gets none. */
static void a_serial_port_gets_a_break(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);

	json_decref(call(link, "console.break", guest_named("web")));
	json_decref(call(link, "console.break", json_pack("{s:s,s:s}", "guest", "web", "sysrq", "h")));
	refused(link, "console.break", json_pack("{s:s,s:s}", "guest", "web", "sysrq", "hh"), -EINVAL);
	refused(link, "console.break", json_pack("{s:s,s:s}", "guest", "web", "sysrq", "\n"), -EINVAL);
	pthread_mutex_lock(&fake->lock);
	assert_int_equal(fake->breaks, 2);
	assert_int_equal(fake->typed_size, 1);
	assert_int_equal(fake->typed[0], 'h');
	fake->typed_room = 1;
	pthread_mutex_unlock(&fake->lock);
	refused(link, "console.break", guest_named("web"), -EAGAIN);
	refused(link, "console.break", guest_named("db"), -EBUSY);
	link_free(link);
}

/* The one that is shown, or one that is asked for; and what it is shown in. */
static void a_guest_has_more_than_one_console(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result = call(link, "console.open", guest_named("db"));
	const uint8_t *rest;
	char data[8];
	size_t size;

	assert_string_equal(text(result, "console"), "virtio");
	json_decref(result);
	fake_print(fake, "db", "on hvc0", 7);
	read_exactly(link_raw(link, &rest, &size), data, 7);
	assert_memory_equal(data, "on hvc0", 7);
	link_free(link);
	link = fake_link(fake);
	result = call(link, "console.open", json_pack("{s:s,s:s,s:b}", "guest", "db", "console",
						      "serial", "backlog", 1));
	assert_string_equal(text(result, "console"), "serial");
	assert_int_equal(json_integer_value(json_object_get(result, "backlog")), 0);
	json_decref(result);
	link_free(link);

	link = fake_link(fake);
	refused(link, "console.open", json_pack("{s:s,s:s}", "guest", "web", "console", "virtio"),
		-ENODEV);
	refused(link, "console.window", json_pack("{s:s,s:s,s:i,s:i}", "guest", "web", "console",
						  "virtio", "rows", 24, "columns", 80), -ENODEV);
	json_decref(call(link, "console.window", json_pack("{s:s,s:i,s:i}", "guest", "db", "rows",
							   50, "columns", 132)));
	pthread_mutex_lock(&fake->lock);
	assert_int_equal(fake->window_line, CONSOLE_VIRTIO);
	assert_int_equal(fake->rows, 50);
	assert_int_equal(fake->columns, 132);
	pthread_mutex_unlock(&fake->lock);
	link_free(link);
}

static void switches_show_ports_leases_and_addresses(void **state)
{
	static const char *const ports[] = { "z/nat", "web/net0", "web9/net0", "web10/net0" };
	struct link *link = fake_link(*state);
	json_t *result = call(link, "switch.list", NULL), *sw, *row;

	sw = json_array_get(json_object_get(result, "switches"), 0);
	assert_string_equal(text(sw, "address"), "10.0.2.2/24");
	assert_string_equal(text(sw, "uplink"), "nat");
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		assert_string_equal(text(json_array_get(json_object_get(sw, "ports"), i), "name"),
				    ports[i]);
	row = json_array_get(json_object_get(sw, "ports"), 0);
	assert_true(json_is_null(json_object_get(row, "mac")));
	assert_string_equal(text(row, "state"), "connected to tcp://192.0.2.1:4000");
	row = json_array_get(json_object_get(sw, "ports"), 1);
	assert_null(json_object_get(row, "state"));
	assert_int_equal(number(json_object_get(row, "drops"), "no buffer"), 3);
	assert_int_equal(json_object_size(json_object_get(row, "drops")), 1);
	assert_int_equal(number(row, "in_bytes"), 600);
	row = json_array_get(json_object_get(sw, "leases"), 0);
	assert_string_equal(text(row, "address"), "10.0.2.15");
	assert_string_equal(text(row, "port"), "web/net0");
	row = json_array_get(json_object_get(sw, "leases"), 1);
	assert_true(json_is_null(json_object_get(row, "port")));
	sw = json_array_get(json_object_get(result, "switches"), 1);
	assert_true(json_is_null(json_object_get(sw, "address")));
	json_decref(result);
	link_free(link);
}

/* The bytes, and the filter as it runs, are there for who asks. */
static void packets_have_their_bytes(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *result, *params, *packets;
	size_t got = 0, count;

	result = call(link, "packets.subscribe",
		      json_pack("{s:i, s:b}", "bytes", 4, "program", 1));
	assert_int_equal(json_array_size(json_object_get(result, "program")), 0);
	assert_true(json_is_array(json_object_get(result, "program")));
	fake_packets(fake, 150);
	while (got < 150) {
		params = next(link, "packets");
		packets = json_object_get(params, "packets");
		count = json_array_size(packets);
		for (size_t i = 0; i < count; i++) {
			const char *data = text(json_array_get(packets, i), "data");

			assert_int_equal(strlen(data), 8);
			assert_int_equal(strspn(data, "0123456789abcdef"), 8);
		}
		got += count;
		json_decref(params);
	}
	assert_int_equal(got, 150);
	json_decref(result);
	result = call(link, "packets.subscribe", NULL);
	assert_null(json_object_get(result, "program"));
	json_decref(result);
	link_free(link);
}

static void packets_come_in_bounded_batches(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_int_t dropped = 0;
	size_t got = 0;
	json_t *result, *params, *packet;

	assert_string_equal(refused(link, "packets.subscribe", json_pack("{s:s}", "filter", "bad"),
				    -EINVAL), "filter: 'bad': syntax error");
	refused(link, "packets.subscribe", json_pack("{s:s}", "switch", "nowhere"), -ENOENT);
	result = call(link, "packets.subscribe", json_pack("{s:s}", "switch", "lan"));
	fake_packets(fake, 3);
	params = next(link, "packets");
	assert_int_equal(number(params, "subscription"), number(result, "subscription"));
	assert_int_equal(number(params, "dropped"), 0);
	packet = json_array_get(json_object_get(params, "packets"), 2);
	assert_string_equal(text(packet, "from_port"), "web/net0");
	assert_string_equal(text(packet, "to_port"), "db/net0");
	assert_string_equal(text(packet, "verdict"), "forward");
	assert_string_equal(text(packet, "text"), "number 2");
	assert_int_equal(number(packet, "size"), 60);
	json_decref(params);
	fake_packets(fake, 1000);
	while (got + (size_t)dropped < 1000) {
		params = next(link, "packets");
		assert_true(json_array_size(json_object_get(params, "packets")) <= 200);
		got += json_array_size(json_object_get(params, "packets"));
		dropped += number(params, "dropped");
		json_decref(params);
	}
	assert_true(got >= 200 && got + (size_t)dropped == 1000);
	json_decref(call(link, "packets.cancel", json_pack("{s:O}", "subscription",
			 json_object_get(result, "subscription"))));
	json_decref(result);
	link_free(link);
}

/* Each way in: refused at once or later, and not waited for when the deck ends. */
static void filters_are_answered_when_they_are_compiled(void **state)
{
	static const struct {
		const char *name, *more;
	} methods[] = { { "packets.subscribe", "" }, { "capture.start", "" },
			{ "capture.stream", "" }, { "port.break", ",\"port\":\"web/net0\"" } };
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	char line[192];
	int fds[16];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		for (size_t word = 0; word < 2; word++) {
			snprintf(line, sizeof(line), "{\"filter\":\"%s\"%s}",
				 word ? "bad" : "wrong", methods[i].more);
			refused(link, methods[i].name, json_loads(line, 0, NULL), -EINVAL);
		}
	}
	json_decref(call(link, "packets.subscribe", json_pack("{s:s}", "filter", "tcp")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = fake_socket(fake);
		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\","
			 "\"params\":{\"filter\":\"slow\"%s}}\n",
			 methods[i % ARRAY_SIZE(methods)].name,
			 methods[i % ARRAY_SIZE(methods)].more);
		say(fds[i], line);
	}
	usleep(100000);
	refused(link, "packets.subscribe", json_pack("{s:s}", "filter", "tcp"), -EAGAIN);
	link_free(link);
	fake_stop(fake);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		json_t *answer = hear(fds[i]);

		assert_non_null(strstr(text(json_object_get(answer, "error"), "message"),
				       "the deck ends"));
		json_decref(answer);
		close(fds[i]);
	}
	fake_start(fake);
}

static void captures_go_to_files(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	char path[128], magic[4] = "";
	json_t *result, *list, *row, *id;
	struct stat st;
	off_t counted;
	FILE *file;
	bool ended;

	snprintf(path, sizeof(path), "%s/lan.pcapng", fake->folder);
	refused(link, "capture.start", json_pack("{s:s}", "path", "relative.pcapng"), -EINVAL);
	refused(link, "capture.start", json_pack("{s:s,s:s}", "path", path, "filter", "bad"),
		-EINVAL);
	assert_int_equal(access(path, F_OK), -1); /* nothing is left of a failure */
	result = call(link, "capture.start", json_pack("{s:s,s:[s]}", "path", path, "ports",
						       "lan"));
	id = json_incref(json_object_get(result, "capture"));
	assert_string_equal(text(result, "path"), path);
	json_decref(result);
	refused(link, "capture.start", json_pack("{s:s}", "path", path), -EEXIST);
	fake_packets(fake, 5);
	list = call(link, "capture.list", NULL);
	row = json_array_get(json_object_get(list, "captures"), 0);
	assert_int_equal(number(row, "records"), 5);
	assert_true(json_is_null(json_object_get(row, "ended")));
	assert_true(json_is_null(json_object_get(row, "filter")));
	json_decref(list);
	fake_end_captures(fake, ENOSPC, "lan.pcapng: no space left");
	/* The writer's word reaches the deck a moment later. */
	do {
		list = call(link, "capture.list", NULL);
		row = json_array_get(json_object_get(list, "captures"), 0);
		ended = !json_is_null(json_object_get(row, "ended"));
		if (ended)
			assert_string_equal(text(row, "ended"), "lan.pcapng: no space left");
		json_decref(list);
	} while (!ended);
	result = call(link, "capture.stop", json_pack("{s:O}", "capture", id));
	assert_int_equal(number(result, "records"), 5);
	assert_string_equal(text(result, "ended"), "lan.pcapng: no space left");
	assert_true(fake_noticed(fake, "lan.pcapng: no space left"));
	counted = (off_t)number(result, "bytes");
	json_decref(result);
	refused(link, "capture.stop", json_pack("{s:o}", "capture", id), -ENOENT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, counted); /* with the statistics at the end */
	file = fopen(path, "r");
	assert_int_equal(fread(magic, 1, 4, file), 4);
	assert_memory_equal(magic, "\x0a\x0d\x0d\x0a", 4);
	fclose(file);
	unlink(path);
	link_free(link);
}

/* Of which there was no room for a single block. */
static void a_capture_of_nothing_leaves_no_file(void **state)
{
	static const char why[] = "x: no room; nothing could be written, so the file was removed";
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	json_t *id, *result;
	char path[128];

	snprintf(path, sizeof(path), "%s/x.pcapng", fake->folder);
	result = call(link, "capture.start", json_pack("{s:s}", "path", path));
	id = json_incref(json_object_get(result, "capture"));
	json_decref(result);
	assert_int_equal(truncate(path, 0), 0);
	fake_end_captures(fake, ENOSPC, "x: no room");
	while (access(path, F_OK) == 0)
		usleep(1000);
	result = call(link, "capture.stop", json_pack("{s:o}", "capture", id));
	assert_string_equal(text(result, "ended"), why);
	json_decref(result);
	assert_true(fake_noticed(fake, why));
	link_free(link);
}

static void a_capture_without_path_finds_its_folder(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	char command[160];
	json_t *result, *second;

	setenv("XDG_STATE_HOME", fake->folder, 1);
	result = call(link, "capture.start", json_pack("{s:[s]}", "ports", "web/net0"));
	second = call(link, "capture.start", json_pack("{s:[s]}", "ports", "web/net0"));
	assert_non_null(strstr(text(result, "path"), "/vmdeck/captures/"));
	assert_non_null(strstr(text(result, "path"), "web-net0"));
	assert_string_not_equal(text(result, "path"), text(second, "path"));
	assert_int_equal(access(text(result, "path"), R_OK), 0);
	json_decref(result);
	json_decref(second);
	link_free(link); /* the captures go on without their client, and end with the server */
	assert_int_equal(fake_captures(fake), 2);
	snprintf(command, sizeof(command), "rm -rf '%s/vmdeck'", fake->folder);
	assert_int_equal(system(command), 0);
}

static void a_capture_stream_begins_after_its_answer(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	const uint8_t *rest;
	uint8_t data[4096];
	unsigned prepared;
	size_t size;
	ssize_t n;
	int fd;

	assert_non_null(strstr(refused(link, "capture.stream", json_pack("{s:s}", "filter", "bad"),
				       -EINVAL), "syntax"));
	json_decref(call(link, "guest.list", NULL)); /* the connection goes on after it */
	prepared = fake_prepared(fake);
	json_decref(call(link, "capture.stream", json_pack("{s:[s]}", "ports", "lan")));
	fd = link_raw(link, &rest, &size);
	memcpy(data, rest, size);
	read_exactly(fd, data + size, 48 - size);
	assert_memory_equal(data, "\x0a\x0d\x0d\x0a", 4);
	while (fake_captures(fake) == 0)
		usleep(1000);
	assert_int_equal(fake_prepared(fake), prepared + 1);
	fake_packets(fake, 2);
	read_exactly(fd, data, 2 * 36);
	assert_int_equal(data[0], 6);
	shutdown(fd, SHUT_WR);
	size = 0;
	while ((n = read(fd, data + size, sizeof(data) - size)) > 0)
		size += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(size, 40); /* the statistics */
	assert_int_equal(data[0], 5);
	link_free(link);
}

static void capture_streams_end_however_their_clients_do(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link;
	const uint8_t *rest;
	size_t size;

	for (int i = 0; i < 20; i++) { /* at whatever moment */
		int fd = fake_socket(fake);

		say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"capture.stream\"}\n");
		usleep((useconds_t)i * 500);
		if (i % 2)
			shutdown(fd, SHUT_WR);
		close(fd);
	}
	link = fake_link(fake);
	json_decref(call(link, "capture.stream", NULL));
	while (fake_captures(fake) == 0)
		usleep(1000);
	usleep(50000);
	fake_end_captures(fake, EIO, "the writer failed");
	link_raw(link, &rest, &size);
	for (int i = 0; i < 10000 && fake_captures(fake); i++)
		usleep(1000);
	assert_int_equal(fake_captures(fake), 0);
	link_free(link);
}

static void profiles_are_checked(void **state)
{
	struct link *link = fake_link(*state);
	json_t *result = call(link, "profile.check", json_pack("{s:s}", "path", "/x/bad.ini"));

	assert_int_equal(number(json_array_get(json_object_get(result, "mistakes"), 0), "line"),
			 4);
	json_decref(result);
	result = call(link, "profile.check", json_pack("{s:s}", "path", "/x/good.ini"));
	assert_int_equal(json_array_size(json_object_get(result, "mistakes")), 0);
	json_decref(result);
	refused(link, "profile.check", json_pack("{s:s}", "path", "x.ini"), -EINVAL);
	link_free(link);
}

static void quit_ends_the_deck(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);

	json_decref(call(link, "deck.quit", json_pack("{s:s}", "mode", "shutdown")));
	assert_true(atomic_load(&fake->quit));
	assert_false(atomic_load(&fake->forced));
	json_decref(call(link, "guest.start", guest_named("db")));
	json_decref(call(link, "deck.quit", json_pack("{s:s}", "mode", "off"))); /* no patience */
	assert_non_null(strstr(refused(link, "guest.off", guest_named("db"), -EBUSY), "stopped"));
	link_free(link);
}

/* Another process connects to the deck, until the pipe that is returned is closed. */
static int visit(struct fake_deck *fake, pid_t *visitor)
{
	int go[2], there[2];
	struct cause cause;
	char byte = 0;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(there), 0);
	*visitor = fork();
	if (*visitor == 0) {
		int fd = endpoint_connect(&fake->endpoint, &cause);

		close(go[1]);
		/* An answer says that the deck knows of us. */
		if (fd >= 0 && send(fd, "{}\n", 3, MSG_NOSIGNAL) == 3 && read(fd, &byte, 1) == 1 &&
		    write(there[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 0)
			_exit(0);
		_exit(1);
	}
	close(go[0]);
	close(there[1]);
	assert_int_equal(read(there[0], &byte, 1), 1);
	close(there[0]);
	return go[1];
}

static bool quits_when_idle(struct link *link)
{
	json_t *result = call(link, "deck.quit", json_pack("{s:s}", "mode", "idle"));
	bool ends = json_is_true(json_object_get(result, "ends"));

	assert_true(json_is_boolean(json_object_get(result, "ends")));
	json_decref(result);
	return ends;
}

static void a_deck_ends_when_nobody_would_miss_it(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake), *second = fake_link(fake);
	pid_t visitor;
	int pipe, status;

	assert_false(quits_when_idle(link)); /* "web" runs */
	json_decref(call(link, "guest.off", guest_named("web")));
	pipe = visit(fake, &visitor);
	assert_false(quits_when_idle(link));
	assert_false(atomic_load(&fake->quit));
	close(pipe);
	assert_int_equal(waitpid(visitor, &status, 0), visitor);
	assert_int_equal(status, 0);
	json_decref(call(second, "guest.list", NULL)); /* one process, two connections */
	while (!quits_when_idle(link))
		usleep(1000); /* until the deck has seen the visitor go */
	assert_true(atomic_load(&fake->quit));
	link_free(second);
	link_free(link);
}

static void a_deck_that_was_left_ends_with_its_last_client(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);
	pid_t visitor;
	int pipe;

	/* A guest that comes up again is worth staying for. */
	json_decref(call(link, "guest.off", guest_named("web")));
	pipe = visit(fake, &visitor);
	assert_false(quits_when_idle(link));
	json_decref(call(link, "guest.start", guest_named("db")));
	json_decref(call(link, "guest.off", guest_named("db")));
	link_free(link);
	close(pipe);
	assert_int_equal(waitpid(visitor, NULL, 0), visitor);
	usleep(20000);
	link = fake_link(fake);
	json_decref(call(link, "guest.list", NULL));
	assert_false(atomic_load(&fake->quit));

	pipe = visit(fake, &visitor);
	assert_false(quits_when_idle(link));
	link_free(link);
	assert_false(atomic_load(&fake->quit));
	close(pipe);
	assert_int_equal(waitpid(visitor, NULL, 0), visitor);
	while (!atomic_load(&fake->quit))
		usleep(1000);
}

static void keep(struct deck *deck, void *arg)
{
	(void)deck;
	server_keep(arg);
}

static void a_deck_that_is_kept_does_not_end_by_itself(void **state)
{
	struct fake_deck *fake = *state;
	struct link *link = fake_link(fake);

	fake_call(fake, keep, fake->server);
	json_decref(call(link, "guest.off", guest_named("web")));
	assert_false(quits_when_idle(link));
	assert_false(atomic_load(&fake->quit));
	link_free(link);
}

/* As a program does that opened its socket before files ran out. */
static void connect_to(const struct fake_deck *fake, int fd)
{
	struct sockaddr_un address;

	assert_int_equal(endpoint_address(&address, fake->socket, NULL), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* What a request on the connection is answered with: 0 or the code of an error. */
static json_int_t answered(int fd)
{
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.list\"}\n";
	json_t *answer, *error;
	json_int_t code;

	/* Who is turned away may have lost the connection by then. */
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	answer = hear(fd);
	assert_non_null(answer);
	error = json_object_get(answer, "error");
	code = error ? number(error, "code") : 0;
	json_decref(answer);
	return code;
}

/* At the limit of open files one client is served, and others are told. */
static void there_is_a_descriptor_for_clients(void **state)
{
	const struct fake_deck *fake = *state;
	struct rlimit limit, old;
	int fds[4], lowest;

	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	connect_to(fake, fds[0]);
	assert_int_equal(answered(fds[0]), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	lowest = dup(fds[0]);
	close(lowest);
	limit.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	connect_to(fake, fds[1]);
	assert_int_equal(answered(fds[1]), 0);
	connect_to(fake, fds[2]);
	assert_int_equal(answered(fds[2]), CONTROL_ERROR_FAILED);
	connect_to(fake, fds[3]);
	assert_int_equal(answered(fds[3]), CONTROL_ERROR_FAILED);
	assert_int_equal(answered(fds[1]), 0);
	setrlimit(RLIMIT_NOFILE, &old);
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void connections_are_bounded(void **state)
{
	struct fake_deck *fake = *state;
	struct cause cause;
	static int fds[SERVER_PEERS_MAX + 20];
	unsigned open = 0, turned_away = 0;
	struct link *link;

	for (int i = 0; i < SERVER_PEERS_MAX + 20; i++) {
		fds[i] = endpoint_connect(&fake->endpoint, &cause);
		assert_true(fds[i] >= 0);
	}
	for (int i = 0; i < SERVER_PEERS_MAX + 20; i++) {
		json_t *answer;

		send(fds[i], "{}\n", 3, MSG_NOSIGNAL);
		answer = hear(fds[i]);
		assert_non_null(answer);
		if (number(json_object_get(answer, "error"), "code") == CONTROL_ERROR_FAILED)
			turned_away++;
		else
			open++;
		json_decref(answer);
	}
	assert_int_equal(open, SERVER_PEERS_MAX);
	assert_int_equal(turned_away, 20);
	for (int i = 0; i < SERVER_PEERS_MAX + 20; i++)
		close(fds[i]);
	for (;;) { /* until the server has seen them go */
		json_t *result;

		assert_int_equal(link_open(&link, &fake->endpoint, &cause), 0);
		if (link_call(link, "guest.list", NULL, &result, &cause) == 0) {
			json_decref(result);
			break;
		}
		link_free(link);
	}
	link_free(link);
}

struct second {
	const char *path;
	struct cause cause;
	int error;
};

static void try_second(struct deck *deck, void *arg)
{
	struct second *second = arg;
	struct endpoint endpoint;
	struct server *server;

	second->error = endpoint_find(&endpoint, second->path, &second->cause);
	if (!second->error)
		second->error = server_new(&server, deck, &second->cause);
	if (second->error)
		return;
	second->error = server_listen(server, &endpoint, &second->cause);
	server_free(server);
}

/* Another server listens at path, and ends. */
static int listen_too(struct fake_deck *fake, const char *path, struct cause *cause)
{
	struct second second = { .path = path };

	fake_call(fake, try_second, &second);
	*cause = second.cause;
	return second.error;
}

static void the_socket_is_private_and_taken_once(void **state)
{
	struct fake_deck *fake = *state;
	struct cause cause;
	char path[128], pid[32];
	struct stat st;

	assert_int_equal(stat(fake->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/run", fake->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	assert_int_equal(listen_too(fake, fake->socket, &cause), -EADDRINUSE);
	snprintf(pid, sizeof(pid), "process %d", getpid());
	assert_non_null(strstr(cause.text, pid));
	snprintf(path, sizeof(path), "%s/open", fake->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	strcat(path, "/deck.sock");
	assert_int_equal(listen_too(fake, path, &cause), -EACCES);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(listen_too(fake, path, &cause), -ENAMETOOLONG);
}

static void a_dead_deck_s_socket_is_replaced(void **state)
{
	struct fake_deck *fake = *state;
	struct sockaddr_un address;
	struct cause cause;
	char path[128];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *file;

	snprintf(path, sizeof(path), "%s/run/other.sock", fake->folder);
	assert_int_equal(endpoint_address(&address, path, &cause), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(listen_too(fake, path, &cause), -EADDRINUSE); /* it lives */
	close(fd);
	assert_int_equal(listen_too(fake, path, &cause), 0);
	assert_int_equal(access(path, F_OK), -1);

	file = fopen(path, "w");
	fclose(file);
	assert_int_equal(listen_too(fake, path, &cause), -EEXIST); /* a file of somebody's */
	assert_int_equal(unlink(path), 0);
}

static void any_stream_of_bytes_leaves_the_server_well(void **state)
{
	static const char *const pieces[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"", "guest.list", "capture.stream",
		"console.open", "packets.subscribe", "stats.subscribe", "\",\"params\":{", "}",
		"\"guest\":\"web\"", "\"guests\":\"*\",\"interval_ms\":100", "\"", "\n", "\n",
		"{", "[", "\\u0000", "\xff", "null", ":", ",", "-1e999", "events.subscribe",
	};
	struct fake_deck *fake = *state;
	struct link *link;
	unsigned seed = 7;

	for (int round = 0; round < 60; round++) {
		int fd = fake_socket(fake);

		for (int i = 0; i < 200; i++) {
			const char *piece;

			seed = seed * 1103515245 + 12345;
			piece = pieces[(seed >> 16) % (sizeof(pieces) / sizeof(pieces[0]))];
			if (send(fd, piece, strlen(piece), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				break;
		}
		close(fd);
	}
	link = fake_link(fake);
	json_decref(call(link, "guest.list", NULL));
	link_free(link);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_agrees_on_a_version),
		TEST(an_observer_can_look_and_not_touch),
		TEST(guests_are_listed_with_their_mistakes),
		TEST(a_guest_is_shown_in_full),
		TEST(media_are_exchanged),
		TEST(a_disk_is_unlocked),
		TEST(a_device_gets_another_size),
		TEST(orders_follow_the_states_of_the_table),
		TEST(each_method_of_the_table_has_a_handler),
		TEST(errors_have_the_codes_of_the_protocol),
		TEST(requests_in_one_write_are_answered_in_order),
		TEST(a_disk_that_does_not_grow_holds_nothing_up),
		TEST(a_medium_that_does_not_come_holds_nothing_up),
		TEST(of_media_that_do_not_come_there_is_an_end),
		TEST(a_medium_that_comes_late_is_not_told_to_a_raw_stream),
		TEST(a_request_without_id_is_not_answered),
		TEST(garbage_is_answered_sixteen_times),
		TEST(what_nests_too_deep_is_refused_and_the_connection_goes_on),
		TEST(a_line_without_end_is_cut_off),
		TEST(stats_have_a_past),
		TEST(stats_carry_what_changed),
		TEST(the_host_is_told_of),
		TEST(stats_follow_guests_that_go),
		TEST(subscriptions_are_bounded),
		TEST(events_come_in_order),
		TEST(events_have_a_history),
		cmocka_unit_test(the_last_event_is_the_end),
		TEST(a_client_that_does_not_read_loses_events_first),
		TEST(a_client_that_asks_and_never_reads_is_closed),
		TEST(a_console_is_raw_both_ways),
		TEST(an_observer_reads_a_console_and_types_nothing),
		TEST(typing_waits_for_a_full_serial_port),
		TEST(typing_that_waits_is_told),
		TEST(typed_with_the_request_reaches_the_guest),
		TEST(a_slow_console_is_told_what_it_lost),
		TEST(a_console_ends_after_its_guests_last_byte_when_asked),
		TEST(a_console_closes_with_its_guest),
		TEST(a_serial_port_gets_a_break),
		TEST(a_guest_has_more_than_one_console),
		TEST(switches_show_ports_leases_and_addresses),
		TEST(packets_come_in_bounded_batches),
		TEST(packets_have_their_bytes),
		TEST(filters_are_answered_when_they_are_compiled),
		TEST(captures_go_to_files),
		TEST(a_capture_of_nothing_leaves_no_file),
		TEST(a_capture_without_path_finds_its_folder),
		TEST(a_capture_stream_begins_after_its_answer),
		TEST(capture_streams_end_however_their_clients_do),
		TEST(profiles_are_checked),
		TEST(quit_ends_the_deck),
		TEST(a_deck_ends_when_nobody_would_miss_it),
		TEST(a_deck_that_was_left_ends_with_its_last_client),
		TEST(a_deck_that_is_kept_does_not_end_by_itself),
		TEST(connections_are_bounded),
		TEST(there_is_a_descriptor_for_clients),
		TEST(the_socket_is_private_and_taken_once),
		TEST(a_dead_deck_s_socket_is_replaced),
		TEST(any_stream_of_bytes_leaves_the_server_well),
	};

	signal(SIGPIPE, SIG_IGN); /* as main() does: a client may go before its capture's bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
