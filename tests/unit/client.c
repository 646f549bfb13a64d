/* The client that lives on a loop: replies, notifications, the raw switch, and losing the deck. */
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

#include "control/client.h"
#include "control/endpoint.h"

struct side {
	struct loop loop;
	struct client *client;
	int far; /* the deck's end; the test plays the deck */
	unsigned replies, errors, notifications, closed;
	char last[256];
	bool free_in_reply, detach_in_reply;
	int raw;
	uint8_t *rest;
	size_t rest_size;
};

static void note(void *arg, const char *method, json_t *params)
{
	struct side *side = arg;

	(void)params;
	side->notifications++;
	strcpy(side->last, method);
	if (strcmp(method, "stop") == 0)
		loop_stop(&side->loop);
}

static void lost(void *arg, const struct cause *cause)
{
	struct side *side = arg;

	side->closed++;
	snprintf(side->last, sizeof(side->last), "%.200s", cause->text);
	client_free(side->client);
	side->client = NULL;
	loop_stop(&side->loop);
}

static void reply(void *arg, json_t *result, const struct client_error *error)
{
	struct side *side = arg;

	if (error) {
		side->errors++;
		snprintf(side->last, sizeof(side->last), "%.200s", error->message);
	} else {
		side->replies++;
		assert_non_null(result);
	}
	if (side->detach_in_reply) {
		side->raw = client_detach(side->client, &side->rest, &side->rest_size);
		loop_stop(&side->loop);
	}
	if (side->free_in_reply) {
		client_free(side->client);
		side->client = NULL;
		loop_stop(&side->loop);
	}
}

static int setup(void **state)
{
	struct side *side = calloc(1, sizeof(*side));
	struct client_handlers handlers = { .notification = note, .closed = lost, .arg = side };
	int pair[2];

	if (loop_init(&side->loop, NULL) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
	    client_new(&side->client, &side->loop, pair[0], &handlers, NULL) < 0)
		return -1;
	side->far = pair[1];
	side->raw = -1;
	*state = side;
	return 0;
}

static int teardown(void **state)
{
	struct side *side = *state;

	client_free(side->client);
	loop_destroy(&side->loop);
	if (side->far >= 0)
		close(side->far);
	free(side->rest);
	free(side);
	return 0;
}

static void say(struct side *side, const char *text)
{
	assert_int_equal(write(side->far, text, strlen(text)), strlen(text));
}

#define STOP "{\"jsonrpc\":\"2.0\",\"method\":\"stop\",\"params\":{}}\n"

static void replies_find_their_callers_in_any_order(void **state)
{
	struct side *side = *state;
	char sent[512];
	ssize_t n;

	assert_int_equal(client_call(side->client, "a", NULL, reply, side), 0);
	assert_int_equal(client_call(side->client, "b", json_pack("{s:i}", "x", 1), reply, side), 0);
	assert_int_equal(client_call(side->client, "c", NULL, NULL, NULL), 0);
	n = read(side->far, sent, sizeof(sent) - 1);
	assert_true(n > 0);
	sent[n] = '\0';
	assert_non_null(strstr(sent, "\"method\":\"b\",\"params\":{\"x\":1},\"id\":2}\n"));
	say(side, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"no\"}}\n"
		  "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n"
		  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\n"
		  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n" STOP);
	assert_int_equal(loop_run(&side->loop), 0);
	assert_int_equal(side->errors, 1);
	assert_int_equal(side->replies, 1);
	assert_int_equal(side->notifications, 2);
	assert_int_equal(side->closed, 0);
}

static void waiting_callers_hear_that_the_deck_is_gone(void **state)
{
	struct side *side = *state;

	client_call(side->client, "a", NULL, reply, side);
	client_call(side->client, "b", NULL, reply, side);
	say(side, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
	close(side->far);
	side->far = -1;
	assert_int_equal(loop_run(&side->loop), 0);
	assert_int_equal(side->replies, 1);
	assert_int_equal(side->errors, 1);
	assert_int_equal(side->closed, 1);
	assert_non_null(strstr(side->last, "closed"));
}

static void nonsense_from_the_deck_closes(void **state)
{
	static const char *const lines[] = {
		"garbage\n", "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"full\"}}\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct side *side = *state;

		say(side, lines[i]);
		assert_int_equal(loop_run(&side->loop), 0);
		assert_int_equal(side->closed, 1);
		assert_null(side->client);
		teardown(state);
		setup(state);
	}
}

static void a_reply_may_free_the_client(void **state)
{
	struct side *side = *state;

	side->free_in_reply = true;
	client_call(side->client, "a", NULL, reply, side);
	client_call(side->client, "b", NULL, reply, side);
	say(side, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
		  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
	assert_int_equal(loop_run(&side->loop), 0);
	assert_int_equal(side->replies, 1);
	assert_int_equal(side->closed, 0);
}

static void the_raw_stream_begins_after_the_reply(void **state)
{
	struct side *side = *state;
	char byte;

	side->detach_in_reply = true;
	client_call(side->client, "console.open", NULL, reply, side);
	say(side, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\nraw\nbytes");
	assert_int_equal(loop_run(&side->loop), 0);
	assert_int_equal(side->rest_size, 9);
	assert_memory_equal(side->rest, "raw\nbytes", 9);
	say(side, "!");
	assert_int_equal(read(side->raw, &byte, 1), 1);
	assert_int_equal(byte, '!');
	assert_int_equal(client_call(side->client, "a", NULL, NULL, NULL), -ENOTCONN);
	close(side->raw);
}

static void many_requests_wait_for_a_slow_deck(void **state)
{
	struct side *side = *state;
	char *line = malloc(100000), *data = malloc(1 << 20);
	size_t total = 0, got = 0;
	ssize_t n;

	memset(line, 'l', 99999);
	line[99999] = '\0';
	for (int i = 0; i < 20; i++)
		assert_int_equal(client_call(side->client, "a", json_pack("{s:s}", "x", line),
					     NULL, NULL), 0);
	total = 20 * 99999;
	assert_int_equal(client_call(side->client, "a",
				     json_pack("{s:o}", "x", json_stringn(data, 0)), NULL, NULL),
			 0);
	say(side, STOP);
	while (got < total) {
		while ((n = recv(side->far, data, 1 << 20, MSG_DONTWAIT)) > 0)
			got += (size_t)n;
		say(side, STOP); /* the loop sends what it can, then stops again */
		assert_int_equal(loop_run(&side->loop), 0);
	}
	free(line);
	free(data);
}

static void a_request_has_a_limit(void **state)
{
	struct side *side = *state;
	char *big = malloc(1 << 20);

	memset(big, 'b', 1 << 20);
	assert_int_equal(client_call(side->client, "a",
				     json_pack("{s:o}", "x", json_stringn(big, 1 << 20)), reply,
				     side), -EMSGSIZE);
	free(big);
}

static void connecting_to_nothing_says_enoent(void **state)
{
	const struct endpoint nowhere = { .paths = { "/nonexistent/deck.sock" } };
	struct cause cause;
	struct link *link;

	(void)state;
	assert_int_equal(link_open(&link, &nowhere, &cause), -ENOENT);
	assert_non_null(strstr(cause.text, "/nonexistent/deck.sock"));
}

/* As root may: its peers are whoever listens where it was told to look. */
static void root_names_anybody_s_socket(void **state)
{
	char folder[] = "/tmp/vmdeck-client-XXXXXX";
	struct endpoint theirs = { .given = true };
	struct sockaddr_un address;
	struct cause cause;
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	assert_true(snprintf(theirs.paths[0], sizeof(theirs.paths[0]), "%s/deck.sock", folder) > 0);
	assert_int_equal(endpoint_address(&address, theirs.paths[0], &cause), 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(seteuid(0), 0);
	fd = endpoint_connect(&theirs, &cause);
	assert_true(fd >= 0);
	close(fd);
	/* One that was planted where a deck of root's would be is not trusted. */
	theirs.given = false;
	assert_int_equal(endpoint_connect(&theirs, &cause), -EACCES);
	assert_non_null(strstr(cause.text, "65534"));
	close(listening);
	unlink(theirs.paths[0]);
	rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replies_find_their_callers_in_any_order),
		TEST(waiting_callers_hear_that_the_deck_is_gone),
		TEST(nonsense_from_the_deck_closes),
		TEST(a_reply_may_free_the_client),
		TEST(the_raw_stream_begins_after_the_reply),
		TEST(many_requests_wait_for_a_slow_deck),
		TEST(a_request_has_a_limit),
		TEST(connecting_to_nothing_says_enoent),
		TEST(root_names_anybody_s_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
