/*
 * libFuzzer: a line typed into a screen. Whatever it is, it is refused with a sentence or asks
 * for requests that the table of methods knows; what it asks for has a line that asks for the
 * same; words that were quoted are the same words again.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/hooks.h"
#include "cli/line.h"
#include "control/methods.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("stop --force web 'd b'"), SEED("port set web/net0 loss=1% delay=20ms"),
	SEED("port break web/net0 \"tcp port 80\""), SEED("capture -i web -f 'tcp' --past 30s -w ~/x"),
	SEED("insert web/disk1 -f a\\ b.iso"), SEED("port pass web/net0 --data 00:11"),
	SEED("balloon 512M"), SEED("start --timeout=5 -w -- --x"), SEED("eject"), SEED("run "), SEED("\\'\"\\\\"),
	{ NULL, 0 },
};

static const char *setting(size_t number)
{
	return number ? NULL : "loss";
}

static const struct cli_hooks hooks = { .setting = setting };

static json_t *answer(void *arg, const char *method, const json_t *params)
{
	const char *text = strcmp(method, "guest.show") == 0 ?
		"{\"name\":\"web\",\"nets\":[{\"name\":\"net0\"}],\"disks\":[{\"name\":\"disk1\","
		"\"cdrom\":true}]}" :
		"{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}],\"switches\":[{\"name\":\"lan\","
		"\"ports\":[{\"name\":\"web/net0\"}]}]}";

	(void)arg;
	(void)params;
	return json_loads(text, 0, NULL);
}

static void offered(void *arg, const char *word, const char *help)
{
	(void)help;
	*(size_t *)arg += strlen(word);
}

static void check_words(const char *line)
{
	struct words words, again;
	size_t size = 5 * strlen(line) + 16;
	char *made = calloc(1, size);

	REQUIRE(made && words_split(&words, line) == 0);
	for (size_t i = 0; i < words.count; i++)
		REQUIRE(words_add(made, size, words.words[i]) == 0);
	REQUIRE(words_split(&again, made) == 0 && again.count == words.count);
	for (size_t i = 0; i < words.count; i++)
		REQUIRE(strcmp(words.words[i], again.words[i]) == 0);
	words_free(&words);
	words_free(&again);
	free(made);
}

/* The end of a capture of what has been, which is asked for with its beginning. */
static bool is_end(const json_t *request)
{
	return strcmp(json_string_value(json_object_get(request, "method")), "capture.stop") == 0;
}

/* The request's line asks for it alone, but for that end. */
static void check_line(const json_t *request, const struct command_place *place)
{
	const json_t *params = json_object_get(request, "params");
	const char *method = json_string_value(json_object_get(request, "method"));
	char line[COMMAND_LINE_MAX];
	struct command_asked asked;
	struct cause cause;

	REQUIRE(method && method_find(method));
	if (method_check(method_find(method), params, NULL) < 0 ||
	    !line_spell(&hooks, method, params, line, sizeof(line)))
		return;
	REQUIRE(line_read(&hooks, line, place, &asked, &cause) == 0);
	REQUIRE(json_array_size(asked.requests) == 1 ||
		(json_array_size(asked.requests) == 2 && is_end(json_array_get(asked.requests, 1))));
	REQUIRE(json_equal(json_array_get(asked.requests, 0), request));
	json_decref(asked.requests);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct command_place place = { .guest = "web", .answer = answer };
	struct command_asked asked;
	struct cause cause = { "" };
	char *line = malloc(size + 1);
	json_t *request;
	size_t i, n = 0;

	REQUIRE(line);
	memcpy(line, data, size);
	line[size] = '\0';
	check_words(line);
	line_complete(&hooks, line, &place, offered, &n);
	if (line_read(&hooks, line, &place, &asked, &cause) < 0)
		REQUIRE(*cause.text);
	else
		json_array_foreach(asked.requests, i, request)
			check_line(request, &place);
	json_decref(asked.requests);
	free(line);
	return 0;
}
