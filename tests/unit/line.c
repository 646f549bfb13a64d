/* The commands as a screen has them: what lines ask for, what can follow, and lines of requests. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/words.h"
#include "cli/hooks.h"
#include "cli/line.h"

#define WEB "{\"name\":\"web\",\"state\":\"running\",\"nets\":[{\"name\":\"net0\"}]," \
	    "\"disks\":[{\"name\":\"disk1\",\"cdrom\":true,\"path\":\"/a.iso\"}]}"
#define DB "{\"name\":\"db\",\"state\":\"stopped\"}"

static const char *setting(size_t number)
{
	return number == 0 ? "delay" : number == 1 ? "loss" : NULL;
}

static const struct cli_hooks hooks = { .setting = setting };

static json_t *answer(void *arg, const char *method, const json_t *params)
{
	const char *guest = json_string_value(json_object_get(params, "guest"));

	(void)arg;
	if (strcmp(method, "guest.list") == 0)
		return json_loads("{\"guests\":[" WEB "," DB "]}", 0, NULL);
	if (strcmp(method, "guest.show") == 0)
		return guest && strcmp(guest, "web") == 0 ? json_loads(WEB, 0, NULL) : NULL;
	return json_loads("{\"switches\":[{\"name\":\"lan\",\"ports\":[{\"name\":\"web/net0\","
			  "\"kind\":\"guest\"}]}]}", 0, NULL);
}

static const struct command_place place = { .guest = "web", .answer = answer };

static char *asks(const char *line, struct command_asked *asked)
{
	static char text[1024];
	struct cause cause = { "" };
	json_t *request;
	size_t i;

	*text = '\0';
	if (line_read(&hooks, line, &place, asked, &cause) < 0) {
		snprintf(text, sizeof(text), "%s", cause.text);
		return text;
	}
	json_array_foreach(asked->requests, i, request) {
		char *params = json_dumps(json_object_get(request, "params"), JSON_COMPACT);
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%s", json_string_value(
			 json_object_get(request, "method")), params);
		free(params);
	}
	json_decref(asked->requests);
	return text;
}

static void lines_ask_for_what_commands_do(void **state)
{
	static const char *const lines[][2] = {
		{ "stop db web", "guest.stop{\"guest\":\"db\"}guest.stop{\"guest\":\"web\"}" },
		{ "stop", "guest.stop{\"guest\":\"web\"}" },
		{ "stop -f", "guest.off{\"guest\":\"web\"}" },
		{ "balloon 512M", "guest.resize{\"guest\":\"web\",\"device\":\"balloon\",\"size\":536870912}" },
		{ "eject", "guest.eject{\"guest\":\"web\",\"device\":\"disk1\",\"force\":false}" },
		{ "port set loss=1%", "port.set{\"port\":\"web/net0\",\"settings\":{\"loss\":\"1%\"}}" },
		{ "port break 'tcp port 80'", "port.break{\"port\":\"web/net0\",\"filter\":\"tcp port 80\"}" },
		{ "capture -f 'udp'", "capture.start{\"filter\":\"udp\"}" },
		{ "capture --past 30s", "capture.start{\"past\":30000}capture.stop{}" },
		{ "capture --past 30s --follow", "capture.start{\"past\":30000}" },
		{ "reload", "deck.reload{}" },
		/* Mistakes, in the words of the commands. */
		{ "stpo web", "there is no command 'stpo'; did you mean 'stop'?" },
		{ "stop --froce", "stop has no option --froce; did you mean --force?" },
		{ "balloon web x", "'x' is not a size; write 512M or 2G" },
		{ "port set loss", "'loss': a setting is written key=value" },
		{ "capture -c 3 -w x", "--count is for 'vmdeck capture' in a shell alone" },
		{ "capture --tls-keys x", "--tls-keys is for 'vmdeck capture' in a shell alone" },
		{ "port inject web/net0 x.pcap", "port inject: captures are for a shell alone; here "
		  "it takes --data" },
		{ "stop -w web", "--wait is for 'vmdeck stop' in a shell alone" },
		{ "stop --socket /x web", "--socket is for a shell; this screen shows one deck" },
		{ "eject db", "guest 'db': there is none" },
		{ "doctor", "doctor does nothing to a deck: it is for a shell, 'vmdeck doctor'" },
		{ "stop 'web", "a quote is not closed" },
		{ "  ", "a command is missing" },
	};
	struct command_asked asked;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_string_equal(asks(lines[i][0], &asked), lines[i][1]);
}

static void what_shows_something_opens_a_view(void **state)
{
	static const char *const lines[][3] = {
		{ "list", "deck", "" }, { "show db", "guest", "db" }, { "console", "console", "web" },
		{ "switches", "network", "" }, { "network", "network", "" }, { "port held", "network", "" },
		{ "events", "log", "" }, { "help", "help", "" },
	};
	struct command_asked asked;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_string_equal(asks(lines[i][0], &asked), "");
		assert_non_null(asked.view);
		assert_string_equal(asked.view, lines[i][1]);
		assert_string_equal(asked.guest, lines[i][2]);
	}
	asks("capture", &asked);
	assert_string_equal(asked.view, "network");
	asks("port set loss=1%", &asked);
	assert_null(asked.view);
}

static void collect(void *arg, const char *word, const char *help)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 2048 - n, "%s%s%s,", word, help ? "=" : "", help ? help : "");
}

static void candidates_come_with_what_they_mean(void **state)
{
	char text[2048] = "";

	(void)state;
	line_complete(&hooks, "", &place, collect, text);
	assert_non_null(strstr(text, "stop=presses guests' power buttons,"));
	assert_null(strstr(text, "doctor"));
	assert_null(strstr(text, ",connect="));
	*text = '\0';
	line_complete(&hooks, "start ", &place, collect, text);
	assert_string_equal(text, "db=stopped,");
	*text = '\0';
	line_complete(&hooks, "port set web/net0 l", &place, collect, text);
	assert_string_equal(text, "delay=,loss=,");
	*text = '\0';
	line_complete(&hooks, "stop --", &place, collect, text);
	assert_non_null(strstr(text, "--force=take its power away at once,"));
	assert_null(strstr(text, "--socket"));
	assert_null(strstr(text, "--wait"));
	*text = '\0';
	/* Of one that is for a shell alone nothing is looked for. */
	line_complete(&hooks, "run ", &place, collect, text);
	line_complete(&hooks, "disk --", &place, collect, text);
	assert_string_equal(text, "");
	line_complete(&hooks, "eject ", &place, collect, text);
	assert_string_equal(text, "web/disk1=/a.iso,");
}

/* Asked again, the line of a request makes the same one. */
static void requests_have_their_lines(void **state)
{
	static const char *const lines[][3] = {
		{ "guest.stop", "{\"guest\":\"web\"}", "stop web" },
		{ "guest.off", "{\"guest\":\"web\"}", "stop --force web" },
		{ "guest.insert", "{\"guest\":\"web\",\"device\":\"disk1\",\"force\":true,"
		  "\"path\":\"/a b.iso\"}", "insert --force web/disk1 '/a b.iso'" },
		{ "port.set", "{\"port\":\"web/net0\",\"settings\":{\"loss\":\"1%\"}}",
		  "port set web/net0 loss=1%" },
		{ "port.break", "{\"port\":\"web/net0\",\"filter\":null}", "port break web/net0 off" },
		{ "port.decide", "{\"port\":\"web/net0\",\"decision\":\"drop\"}", "port drop web/net0" },
		{ "capture.start", "{\"ports\":[\"lan\"],\"filter\":\"tcp port 80\",\"past\":30000}",
		  "capture -i lan -f 'tcp port 80' --past 30s" },
		{ "deck.reload", "{}", "reload" },
		{ "deck.quit", "{\"mode\":\"off\"}", "shutdown --force" },
	};
	char line[COMMAND_LINE_MAX], same[1024], *text;
	struct command_asked asked;
	json_t *params, *passphrase;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		params = json_loads(lines[i][1], 0, NULL);
		assert_true(line_spell(&hooks, lines[i][0], params, line, sizeof(line)));
		assert_string_equal(line, lines[i][2]);
		text = asks(line, &asked);
		snprintf(same, sizeof(same), "%s%s", lines[i][0], lines[i][1]);
		/* The parameters of a capture come in another order. */
		if (strcmp(lines[i][0], "capture.start") != 0)
			assert_string_equal(text, same);
		assert_false(line_spell(&hooks, lines[i][0], params, line, 5));
		json_decref(params);
	}
	passphrase = json_pack("{s:s, s:s, s:s}", "guest", "web", "device", "disk0", "secret", "x");
	assert_false(line_spell(&hooks, "guest.unlock", passphrase, line, sizeof(line)));
	json_decref(passphrase);
	assert_false(line_spell(&hooks, "no.such", NULL, line, sizeof(line)));
}

static void words_are_those_of_a_shell(void **state)
{
	struct words words;

	(void)state;
	assert_int_equal(words_split(&words, " a  'b c'\"d\\\"\" \\ e\\"), 0);
	assert_int_equal(words.count, 3);
	assert_string_equal(words.words[0], "a");
	assert_string_equal(words.words[1], "b cd\"");
	assert_string_equal(words.words[2], " e\\");
	assert_int_equal(words.starts[1], 4);
	assert_int_equal(words.end, WORDS_WHOLE);
	words_free(&words);
	assert_int_equal(words_split(&words, "a '"), 0);
	assert_int_equal(words.count, 2);
	assert_int_equal(words.end, WORDS_QUOTE);
	words_free(&words);
	assert_int_equal(words_split(&words, "a "), 0);
	assert_int_equal(words.end, WORDS_BLANK);
	words_free(&words);
}

/* What nobody wants to know is not said on a terminal that a screen has. */
static void without_a_cause_nothing_is_printed(void **state)
{
	static const char *const lines[] = { "stpo web", "insert", "stop --froce", "doctor", "stop '" };
	struct command_asked asked;
	int before = dup(STDERR_FILENO), ends[2];
	unsigned failed = 0;
	char said[16];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		failed += line_read(&hooks, lines[i], &place, &asked, NULL) < 0;
	dup2(before, STDERR_FILENO);
	n = read(ends[0], said, sizeof(said));
	close(ends[0]);
	close(ends[1]);
	close(before);
	assert_int_equal(failed, ARRAY_SIZE(lines));
	assert_int_equal(n, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_ask_for_what_commands_do),
		cmocka_unit_test(what_shows_something_opens_a_view),
		cmocka_unit_test(candidates_come_with_what_they_mean),
		cmocka_unit_test(requests_have_their_lines),
		cmocka_unit_test(words_are_those_of_a_shell),
		cmocka_unit_test(without_a_cause_nothing_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
