/*
 * libFuzzer: the control protocol as a server or client reads it: bytes cut
 * into lines, lines into messages, parameters checked, and what a message
 * holds written again, and what was parsed is within the limits.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/framing.h"
#include "control/message.h"
#include "control/methods.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats.subscribe\",\"params\":"
	     "{\"guests\":[\"web\",\"db\"],\"interval_ms\":500,\"history\":true}}\n"),
	SEED("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"capture.stream\",\"params\":"
	     "{\"ports\":[\"web/net0\"],\"filter\":\"tcp\",\"snap\":64}}\nnonsense\n"),
	SEED("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"m\","
	     "\"data\":{\"errno\":\"ENOENT\"}}}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n"),
	SEED("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":[[[[]]],\"\\\"\","
	     "1e5,-2,true,null,{\"b\":{}}]}}\n"),
	SEED("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"text\":\"\\ud83d\\ude00\"}}\n"),
	SEED("\005\0\0\0\050\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\005\0\010\0\011\1\0\0\0\0\0\0\0\0\0\0"
	     "\050\0\0\0\006\0\0\0\014\0\0\0\014\0\0\0"),
	{ NULL, 0 },
};

/* Small, so that the fuzzer reaches them. */
static const struct json_limits limits = { .depth = 5, .values = 24, .string = 40, .number = 12 };

static void check_text(const char *line, size_t size)
{
	char *copy = malloc(size + 1);
	json_t *string;

	memcpy(copy, line, size);
	copy[size] = '\0';
	string = message_text(copy);
	if (!json_is_string(string))
		abort();
	json_decref(string);
	free(copy);
}

static void count(const json_t *value, unsigned depth, unsigned *values)
{
	const char *name;
	json_t *item;
	size_t i;

	(*values)++;
	if ((json_is_object(value) || json_is_array(value)) && depth >= limits.depth)
		abort();
	if (json_is_string(value) && json_string_length(value) > limits.string)
		abort();
	json_array_foreach((json_t *)value, i, item)
		count(item, depth + 1, values);
	json_object_foreach((json_t *)value, name, item) {
		(*values)++;
		count(item, depth + 1, values);
	}
}

/* What was parsed is within the limits. */
static void check_limits(const json_t *root)
{
	unsigned values = 0;

	count(root, 0, &values);
	if (values > limits.values)
		abort();
}

static void take_line(const char *line, size_t size)
{
	struct message message;
	struct cause cause = { "" };
	int code = message_parse(&message, &limits, line, size, &cause);
	const struct method *method = message.method ? method_find(message.method) : NULL;
	size_t length;
	char *again;

	if (code && !cause.text[0])
		abort();
	if (method)
		method_check(method, message.params, &cause);
	if (message.root)
		check_limits(message.root);
	if (!code) {
		again = message_line(json_incref(message.root), &length);
		if (!again || again[length - 1] != '\n' || memchr(again, '\n', length - 1))
			abort();
		free(again);
	}
	message_release(&message);
	check_text(line, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_reader reader = { .limit = 512 };
	int pair[2];
	size_t length;
	char *line;

	if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		return 0;
	if (write(pair[1], data, size) == (ssize_t)size) {
		close(pair[1]);
		pair[1] = -1;
		while (frame_reader_fill(&reader, pair[0]) > 0)
			while ((line = frame_reader_next(&reader, &length)))
				take_line(line, length);
	}
	frame_reader_destroy(&reader);
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	return 0;
}
