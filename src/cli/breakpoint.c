/* port break, held, pass, drop: breakpoints of ports, and the frames that they hold. */
#include "cli/breakpoint.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "cli/session.h"
#include "control/message_text.h"

#define FRAME_MAX 65550u /* bytes */

int port_break(struct cli *cli)
{
	const char *filter = strcmp(cli->argv[2], "off") ? cli->argv[2] : NULL;

	request_add(cli, METHOD_PORT_BREAK, json_pack("{s:o, s:o}", "port",
						      message_text(cli->argv[1]), "filter",
						      message_text(filter)));
	return CLI_OK;
}

/* --- looking --- */

static unsigned byte_at(const char *hex, size_t i)
{
	unsigned byte = 0;

	sscanf(hex + 2 * i, "%2x", &byte);
	return byte;
}

static void print_line(const char *hex, size_t at, size_t size)
{
	size_t end = at + 16 < size ? at + 16 : size;

	printf("  %04zx ", at);
	for (size_t i = at; i < at + 16; i++) {
		if (i < end)
			printf(" %02x", byte_at(hex, i));
		else
			printf("   ");
	}
	printf("  ");
	for (size_t i = at; i < end; i++) {
		unsigned byte = byte_at(hex, i);

		putchar(byte >= 0x20 && byte < 0x7f ? (int)byte : '.');
	}
	putchar('\n');
}

static void print_frame(const json_t *frame)
{
	const char *hex = text_of(frame, "data", "");
	size_t size = strlen(hex) / 2;
	int64_t behind = number_of(frame, "behind");
	char time[40];

	plain_print(stdout, "%s > %s %s %s\n", text_of(frame, "from", "?"),
		    text_of(frame, "to", "?"), text_of(frame, "protocol", "?"),
		    text_of(frame, "summary", ""));
	plain_print(stdout, "  %lld bytes, since %s, %lld frame%s behind it%s\n",
		    (long long)number_of(frame, "size"),
		    output_time(time, number_of(frame, "since")), (long long)behind,
		    behind == 1 ? "" : "s", json_is_true(json_object_get(frame, "decided"))
					      ? "; goes on when the guests do" : "");
	for (size_t at = 0; at < size; at += 16)
		print_line(hex, at, size);
}

static void print_break(const json_t *row)
{
	const json_t *frame = json_object_get(row, "frame");
	const char *filter = text_of(row, "filter", NULL);

	plain_print(stdout, "%s: ", text_of(row, "port", "?"));
	if (json_is_object(frame))
		print_frame(frame);
	else
		plain_print(stdout, "stops '%s', and holds nothing\n", filter ? filter : "");
}

int port_held(struct cli *cli)
{
	json_t *result = session_ask(cli, "port.held", NULL), *row;
	size_t i;

	if (!result)
		return CLI_FAILED;
	if (cli->json)
		output_json(result);
	else
		json_array_foreach(json_object_get(result, "breakpoints"), i, row)
			print_break(row);
	json_decref(result);
	return CLI_OK;
}

/* --- deciding --- */

/* The digits of a text that may have room and colons between them; NULL after a message. */
static char *take_hex(const struct cli *cli, const char *text)
{
	char *hex = malloc(strlen(text) + 1), *at = hex;

	for (; hex && *text; text++) {
		if (isxdigit((unsigned char)*text)) {
			*at++ = *text;
		} else if (!isspace((unsigned char)*text) && *text != ':') {
			usage_error(cli->command, "--data: '%c' is no hexadecimal digit", *text);
			free(hex);
			return NULL;
		}
	}
	if (hex)
		*at = '\0';
	return hex;
}

/* Bytes as digits; one more than there may be is what the deck refuses. */
static void read_digits(FILE *file, char *hex)
{
	int c;

	*hex = '\0';
	for (size_t i = 0; i <= FRAME_MAX && (c = getc(file)) != EOF; i++, hex += 2)
		sprintf(hex, "%02x", (unsigned)c);
}

/* A file's bytes as digits; NULL after a message. */
static char *read_hex(const char *path)
{
	FILE *file = fopen(path, "re");
	char *hex = file ? malloc(2 * FRAME_MAX + 3) : NULL;
	bool failed = !hex;

	if (hex) {
		read_digits(file, hex);
		failed = ferror(file);
	}
	if (failed) {
		fail("%s: %s", path, strerror(errno));
		free(hex);
		hex = NULL;
	}
	if (file)
		fclose(file);
	return hex;
}

static int decide(struct cli *cli, const char *decision, const char *hex)
{
	json_t *params = json_pack("{s:o, s:o}", "port", message_text(cli->argv[1]), "decision",
				   message_text(decision));

	if (hex)
		json_object_set_new(params, "data", message_text(hex));
	request_add(cli, METHOD_PORT_DECIDE, params);
	return CLI_OK;
}

char *port_data(const struct cli *cli, int *status)
{
	const char *data = option_text(cli, "data");

	*status = *data == '@' ? CLI_FAILED : CLI_USAGE;
	return *data == '@' ? read_hex(data + 1) : take_hex(cli, data);
}

int port_pass(struct cli *cli)
{
	char *hex;
	int status;

	if (!option_given(cli, "data"))
		return decide(cli, "pass", NULL);
	hex = port_data(cli, &status);
	if (!hex)
		return status;
	status = decide(cli, "pass", hex);
	free(hex);
	return status;
}

int port_drop(struct cli *cli)
{
	return decide(cli, "drop", NULL);
}
