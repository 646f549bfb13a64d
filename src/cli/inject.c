/* port inject: frames, of a capture or one as bytes, put in at a port. */
#include "cli/inject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plain.h"
#include "cli/breakpoint.h"
#include "cli/capture_reader.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"

/* What became of the frames so far. */
struct injection {
	struct link *link;
	const char *port;
	json_t *verdicts; /* how many had each */
	json_int_t frames;
	bool shown; /* the progress */
	uint64_t next; /* CLOCK_MONOTONIC, ns: when it is shown again */
};

static json_t *params_of(const char *port, const char *hex)
{
	return json_pack("{s:o, s:o}", "port", message_text(port), "data", message_text(hex));
}

static int put(struct injection *injection, const char *hex)
{
	json_t *result = session_call(injection->link, "port.inject",
				      params_of(injection->port, hex));
	const char *verdict;

	if (!result)
		return CLI_FAILED;
	verdict = text_of(result, "verdict", "?");
	json_object_set_new(injection->verdicts, verdict,
			    json_integer(number_of(injection->verdicts, verdict) + 1));
	injection->frames++;
	json_decref(result);
	return CLI_OK;
}

/* --- a capture --- */

static void show_progress(struct injection *injection)
{
	uint64_t now = clock_monotonic();

	if (now < injection->next || !isatty(STDERR_FILENO))
		return;
	injection->next = now + NS_PER_S / 2;
	injection->shown = true;
	plain_print(stderr, "\rvmdeck: %lld frames", (long long)injection->frames);
	fflush(stderr);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec due = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL))
		;
}

static int put_frame(struct injection *injection, const struct capture_reader *reader, char *hex)
{
	for (uint32_t i = 0; i < reader->size; i++)
		sprintf(hex + 2 * (size_t)i, "%02x", reader->frame[i]);
	return put(injection, hex);
}

static int put_all(struct injection *injection, struct capture_reader *reader, char *hex, bool fast)
{
	uint64_t start = clock_monotonic();
	int status = CLI_OK, there;

	while ((there = capture_reader_next(reader)) == 1 && status == CLI_OK) {
		if (!fast)
			sleep_until(start + reader->stamp);
		status = put_frame(injection, reader, hex);
		show_progress(injection);
	}
	return there < 0 ? CLI_FAILED : status;
}

static int put_capture(struct injection *injection, const char *path, bool fast)
{
	struct capture_reader *reader = calloc(1, sizeof(*reader));
	char *hex = malloc(2 * CAPTURE_READER_FRAME_MAX + 1);
	int status = CLI_FAILED;

	if (!reader || !hex)
		fail("out of memory");
	else if (!capture_reader_open(reader, path))
		status = put_all(injection, reader, hex, fast);
	if (injection->shown)
		fputs("\r\033[K", stderr);
	if (reader && reader->left_out)
		fail("%s: %llu packet%s left out: cut short, too short or too long", reader->path,
		     (unsigned long long)reader->left_out, reader->left_out == 1 ? "" : "s");
	if (reader)
		capture_reader_close(reader);
	free(reader);
	free(hex);
	return status;
}

/* --- what is said --- */

static void print_result(const struct cli *cli, const struct injection *injection)
{
	const char *verdict, *before = ": ";
	json_t *count;

	if (cli->json) {
		json_t *result = json_pack("{s:I, s:O}", "frames", injection->frames, "verdicts",
					   injection->verdicts);

		output_json(result);
		json_decref(result);
		return;
	}
	plain_print(stdout, "%lld frame%s", (long long)injection->frames,
		    injection->frames == 1 ? "" : "s");
	json_object_foreach(injection->verdicts, verdict, count) {
		plain_print(stdout, "%s%lld %s", before, (long long)json_integer_value(count),
			    verdict);
		before = ", ";
	}
	putchar('\n');
}

static int put_data(const struct cli *cli, struct injection *injection)
{
	int status;
	char *hex = port_data(cli, &status);

	if (!hex)
		return status;
	status = put(injection, hex);
	free(hex);
	return status;
}

static int check_words(const struct cli *cli)
{
	bool data = option_given(cli, "data");

	if (cli->argc > 3 || data == (cli->argc == 3))
		return usage_error(cli->command, "port inject takes a port and a capture, or a "
				   "port and --data");
	return CLI_OK;
}

int port_inject_requests(struct cli *cli)
{
	int status = check_words(cli);
	char *hex;

	if (status)
		return status;
	if (!option_given(cli, "data"))
		return usage_error(cli->command, cli->on_screen ?
				   "port inject: captures are for a shell alone; here it takes --data" :
				   "port inject: the frames of a capture are not printed by --dry-run; "
				   "that of --data is");
	hex = port_data(cli, &status);
	if (!hex)
		return status;
	request_add(cli, METHOD_PORT_INJECT, params_of(cli->argv[1], hex));
	free(hex);
	return CLI_OK;
}

int port_inject(struct cli *cli)
{
	struct injection injection = { .port = cli->argv[1] };
	bool data = option_given(cli, "data");
	int status = check_words(cli);

	if (status)
		return status;
	injection.link = session_open(cli);
	if (!injection.link)
		return CLI_FAILED;
	injection.verdicts = json_object();
	status = data ? put_data(cli, &injection) :
			put_capture(&injection, cli->argv[2], option_given(cli, "fast"));
	if (injection.frames || status == CLI_OK)
		print_result(cli, &injection);
	json_decref(injection.verdicts);
	link_free(injection.link);
	return status;
}
