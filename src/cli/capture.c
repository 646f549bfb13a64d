/*
 * capture: packets as pcapng to a file or to standard output. An interrupt
 * shuts down our side of the connection; the deck then writes out what is
 * left, with its counts, and closes.
 */
#include "cli/commands.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/files.h"
#include "base/paths.h"
#include "base/plain.h"
#include "cli/fail.h"
#include "cli/pcapng_copy.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "control/message_text.h"
#include "control/names.h"

enum { INTERFACE, FILTER, SNAP, WRITE, COUNT, AUTOSTOP, RING_BUFFER, FORMAT, CLASSIC, NO_NAMES, PAST, FOLLOW, TLS_KEYS,
       QUIET };

#define PAST_SECONDS_MAX 86400u

static struct pcapng_copy copying; /* too large for the stack */
static struct capture_files files;

/* "30s" or a number of seconds, "5m", "1h"; 0: it is none. */
static uint64_t past_ms(const struct cli *cli)
{
	static const struct { const char *unit; unsigned seconds; } units[] = {
		{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "min", 60 },
	};
	const char *text = cli->values[PAST].text;
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)*text))
		return 0;
	number = strtoul(text, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(end, units[i].unit) == 0 && number <= PAST_SECONDS_MAX / units[i].seconds)
			return (uint64_t)number * units[i].seconds * 1000;
	return 0;
}

/* A past alone is all that is wanted, unless something says how the capture ends. */
static bool is_past_alone(const struct cli *cli)
{
	return cli->values[PAST].set && !cli->values[COUNT].set && !cli->values[AUTOSTOP].set &&
	       !cli->values[RING_BUFFER].set && !cli->values[FOLLOW].set;
}

static json_t *params_of(const struct cli *cli)
{
	json_t *params = json_object(), *ports;

	if (cli->values[INTERFACE].set) {
		ports = json_array();
		for (unsigned i = 0; i < cli->values[INTERFACE].count; i++)
			json_array_append_new(ports, message_text(cli->values[INTERFACE].list[i]));
		json_object_set_new(params, "ports", ports);
	}
	if (cli->values[FILTER].set)
		json_object_set_new(params, "filter", message_text(cli->values[FILTER].text));
	if (cli->values[SNAP].set && cli->values[SNAP].number)
		json_object_set_new(params, "snap",
				    json_integer((json_int_t)cli->values[SNAP].number));
	if (cli->values[PAST].set)
		json_object_set_new(params, "past", json_integer((json_int_t)past_ms(cli)));
	if (cli->values[NO_NAMES].set)
		json_object_set_new(params, "names", json_false());
	return params;
}

static int read_limits(const struct cli *cli, unsigned option, struct capture_limit *limit)
{
	const struct option_value *value = &cli->values[option];
	bool stop = option == AUTOSTOP;

	for (unsigned i = 0; i < value->count; i++) {
		const char *wrong = capture_limit_read(limit, stop, value->list[i]);

		if (wrong)
			return usage_error(cli->command, "--%s: '%s' %s %s",
					   cli->command->options[option].name, value->list[i],
					   wrong, capture_limit_words(stop));
	}
	return 0;
}

static int read_format(const struct cli *cli)
{
	const char *format = cli->values[FORMAT].text;

	copying.shape.classic = cli->values[CLASSIC].set;
	if (!format)
		return 0;
	if (strcmp(format, "pcap") != 0 && strcmp(format, "pcapng") != 0)
		return usage_error(cli->command, "--format: '%s' is neither pcapng nor pcap", format);
	copying.shape.classic = strcmp(format, "pcap") == 0;
	return 0;
}

static int read_interfaces(const struct cli *cli)
{
	const struct option_value *value = &cli->values[INTERFACE];

	for (unsigned i = 0; i < value->count; i++)
		if (!name_of_port_valid(value->list[i]))
			return usage_error(cli->command, "--interface: '%s' is neither a port, such as "
					   "web/net0, nor a switch", value->list[i]);
	return 0;
}

static int read_keys(const struct cli *cli)
{
	const char *path = cli->values[TLS_KEYS].text;
	int error;

	if (!path)
		return 0;
	if (copying.shape.classic)
		return usage_error(cli->command, "--tls-keys: a classic pcap has no place for them");
	error = tls_keys_open(&copying.keys, path);
	if (error == -EINVAL)
		return usage_error(cli->command, "--tls-keys: %s is no regular file", path);
	return error ? usage_error(cli->command, "--tls-keys: %s: %s", path, strerror(-error)) : 0;
}

static int read_past(const struct cli *cli)
{
	if (!cli->values[PAST].set || past_ms(cli))
		return 0;
	return usage_error(cli->command, "--past: '%s' is no time from 1s to 24h, such as 30s or "
			   "5m", cli->values[PAST].text);
}

/* 0, with what is to be written and where set in copying and files; or CLI_USAGE. */
static int read_options(const struct cli *cli)
{
	const char *name = cli->values[WRITE].text, *wrong;
	struct capture_limits *limits = &copying.limits;

	if (!name)
		return usage_error(cli->command, "capture needs --write FILE or --write -");
	if (strcmp(name, "-") == 0 && isatty(STDOUT_FILENO))
		return usage_error(cli->command, "standard output is a terminal; pcapng is not "
				   "for reading, so redirect it or name a file");
	if (read_interfaces(cli) || read_limits(cli, AUTOSTOP, &limits->stop) ||
	    read_limits(cli, RING_BUFFER, &limits->turn) || read_format(cli))
		return CLI_USAGE;
	if (read_past(cli))
		return CLI_USAGE;
	if (is_past_alone(cli))
		limits->stop.duration = 1;
	if (cli->values[COUNT].set)
		limits->stop.packets = cli->values[COUNT].number;
	wrong = capture_limits_check(limits);
	if (wrong)
		return usage_error(cli->command, "%s", wrong);
	if (read_keys(cli))
		return CLI_USAGE;
	if (!capture_limits_turn(limits))
		return 0;
	if (strcmp(name, "-") == 0)
		return usage_error(cli->command, "--ring-buffer needs the name of a file");
	if (capture_files_init(&files, name, (unsigned)limits->turn.files) < 0)
		return fail("%s", strerror(ENOMEM));
	copying.files = &files;
	return 0;
}

/* What has become of the file. */
static const char *outcome(const struct pcapng_copy *copy, bool removed)
{
	if (copy->nothing)
		return removed ? "; nothing could be written, so the file was removed" :
				 "; nothing could be written";
	if (copy->cut)
		return "; its last packet is cut short";
	return copy->regular ? "; it ends with the last packet that found room" : "";
}

/* How the capture ended, without its counts. */
static int judge(const struct pcapng_copy *copy, const char *name, bool removed)
{
	const char *rest = outcome(copy, removed);

	if (copy->error == EPIPE)
		return CLI_OK;
	if (copy->error == ETIMEDOUT)
		return fail("%s: its reader takes nothing, so that the rest was not written%s", name,
			    rest);
	if (copy->error)
		return fail("%s: %s%s", name, strerror(copy->error), rest);
	if (copy->broken)
		return fail("what the deck sends is no capture%s", copy->nothing ? rest : "");
	if (copy->deck_gone)
		return fail("the deck ended the capture%s", copy->nothing ? rest : "");
	return CLI_OK;
}

static int report(const struct pcapng_copy *copy, const char *name, bool removed, bool quiet)
{
	if (!quiet)
		fprintf(stderr, "%llu packets captured\n%llu packets dropped\n",
			(unsigned long long)copy->captured, (unsigned long long)copy->dropped);
	return judge(copy, name, removed);
}

/* 0, the fd that the capture goes to, and whether it is a new file; or a negative errno. */
static int open_output(struct pcapng_copy *copy, const char *name, bool *made)
{
	int error = copy->files ? capture_files_next(copy->files) : 0;

	if (error)
		return error;
	if (copy->files)
		plain_print(stderr, "File: %s\n", copy->files->path);
	if (copy->files || strcmp(name, "-") != 0)
		return pcapng_copy_open(copy, copy->files ? copy->files->path : name, &copy->to,
					made);
	*made = false;
	copy->to = dup(STDOUT_FILENO);
	return copy->to < 0 ? -errno : 0;
}

/* Opens the output only when the deck has agreed, so that a mistake costs no file. */
static int capture_into(const char *name, struct link *link, bool quiet)
{
	bool made, removed;
	int error;

	copying.from = link_raw(link, &copying.next, &copying.left);
	copying.signals = signals_open(NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error */
	error = open_output(&copying, name, &made);
	if (error == -EINTR)
		return CLI_OK;
	if (error == -ECONNRESET)
		return fail("the deck ended the capture");
	if (copying.files)
		name = copying.files->path;
	if (error)
		return fail("%s: %s", name, strerror(-error));
	if (isatty(STDERR_FILENO) && copying.limits.stop.duration != 1)
		fputs("capturing; Ctrl-C ends it\n", stderr);
	pcapng_copy_run(&copying);
	if (copying.to >= 0 && close(copying.to) < 0 && !copying.error)
		copying.error = errno;
	removed = copying.nothing && made && files_remove_empty(name);
	return report(&copying, name, removed, quiet);
}

/* What the capture is not of yet. */
static void say_waiting(json_t *waiting)
{
	json_t *name;
	size_t i;

	json_array_foreach(waiting, i, name)
		plain_print(stderr, "%s is not there yet; the capture waits for it\n",
			    json_string_value(name));
}

/*
 * To a file on the deck's host, with a name of its own unless one is given. Of a past alone the
 * second request ends it; whoever asks puts in which one it is.
 */
static int start_requests(struct cli *cli)
{
	int status = read_interfaces(cli) || read_past(cli) ? CLI_USAGE : CLI_OK;
	const char *name = cli->values[WRITE].text;
	json_t *params = status ? NULL : params_of(cli);
	char path[PATH_MAX];
	struct cause cause;

	if (status)
		return status;
	if (name && paths_typed(path, name, &cause) < 0) {
		json_decref(params);
		return fail("%s", cause.text);
	}
	if (name)
		json_object_set_new(params, "path", message_text(path));
	request_add(cli, METHOD_CAPTURE_START, params);
	if (is_past_alone(cli))
		request_add(cli, METHOD_CAPTURE_STOP, json_object());
	return CLI_OK;
}

int capture_requests(struct cli *cli)
{
	int status;

	if (cli->on_screen)
		return start_requests(cli);
	status = read_options(cli);
	if (!status)
		request_add(cli, METHOD_CAPTURE_STREAM, params_of(cli));
	capture_files_destroy(&files);
	tls_keys_close(&copying.keys);
	return status;
}

int capture_main(struct cli *cli)
{
	int status = read_options(cli);
	struct link *link;
	json_t *result;

	if (status)
		return status;
	link = session_open(cli);
	if (!link)
		return CLI_FAILED;
	result = session_call(link, "capture.stream", params_of(cli));
	if (result) {
		bool quiet = cli->values[QUIET].set;

		if (!quiet)
			say_waiting(json_object_get(result, "waiting"));
		status = capture_into(cli->values[WRITE].text, link, quiet);
	} else {
		status = CLI_FAILED;
	}
	json_decref(result);
	link_free(link);
	capture_files_destroy(&files);
	tls_keys_close(&copying.keys);
	return status;
}
