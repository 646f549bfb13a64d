/*
 * extcap: the deck's switches, guests and ports as interfaces of Wireshark, which calls this by a
 * script in its folder of such programs (extcap(4)). What it asks for is printed sentence by
 * sentence; a capture is that of the subcommand, into Wireshark's FIFO.
 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/plain.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

#define PREFIX "vmdeck:" /* and the name, with a ':' in the place of a '/': a file is named so */
#define NAME_MAX_HERE 128

static void print_interface(const char *name, const char *what)
{
	char value[NAME_MAX_HERE];

	snprintf(value, sizeof(value), "%s", name);
	for (char *at = value; (at = strchr(at, '/'));)
		*at = ':';
	plain_print(stdout, "interface {value=" PREFIX "%s}{display=vmdeck: %s %s}\n", value, what,
		    name);
}

static void print_switch(const json_t *row)
{
	json_t *port;
	size_t i;

	print_interface(text_of(row, "name", ""), "switch");
	json_array_foreach(json_object_get(row, "ports"), i, port)
		print_interface(text_of(port, "name", ""), "port");
}

/* Without a deck there is none, which is no mistake. */
static int print_interfaces(const struct cli *cli)
{
	json_t *switches = session_try(cli, "switch.list"), *guests = session_try(cli, "guest.list");
	json_t *row;
	size_t i;

	puts("extcap {version=1.0}{display=vmdeck}");
	json_array_foreach(json_object_get(switches, "switches"), i, row)
		print_switch(row);
	json_array_foreach(json_object_get(guests, "guests"), i, row)
		print_interface(text_of(row, "name", ""), "guest");
	json_decref(switches);
	json_decref(guests);
	return CLI_OK;
}

static int print_dlts(void)
{
	puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
	return CLI_OK;
}

static int print_config(void)
{
	puts("arg {number=0}{call=--past}{display=Begin in the past}{type=string}"
	     "{tooltip=What the switch has kept of so much time, such as 30s or 5m, comes first}");
	puts("arg {number=1}{call=--snap}{display=Bytes of each packet}{type=unsigned}{default=0}"
	     "{range=0,65550}{tooltip=0: all of them}");
	puts("arg {number=2}{call=--tls-keys}{display=Secrets of TLS}{type=fileselect}{mustexist=false}"
	     "{tooltip=The file that a program writes to by SSLKEYLOGFILE}");
	return CLI_OK;
}

/* The name that an interface of ours stands for; NULL: it is none. */
static const char *name_of(const char *interface, char name[NAME_MAX_HERE])
{
	if (!interface || strncmp(interface, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	snprintf(name, NAME_MAX_HERE, "%s", interface + strlen(PREFIX));
	for (char *at = name; (at = strchr(at, ':'));)
		*at = '/';
	return name;
}

/* The subcommand with these words, as if they had been typed. */
static int run_capture(const struct cli *cli, int argc, char **argv)
{
	struct cli capture = { .hooks = cli->hooks, .commands = cli->commands,
			       .command = command_find(cli->commands, "capture"),
			       .socket = cli->socket };
	int status = options_read(&capture, argc, argv);

	return status ? status : capture.command->run(&capture);
}

static int capture(const struct cli *cli, const char *interface)
{
	static const char *const passed[][2] = {
		{ "fifo", "--write" }, { "extcap-capture-filter", "--filter" }, { "past", "--past" },
		{ "snap", "--snap" }, { "tls-keys", "--tls-keys" },
	};
	char *argv[5 + 2 * ARRAY_SIZE(passed)], name[NAME_MAX_HERE];
	int argc = 0;

	argv[argc++] = (char *)"capture";
	argv[argc++] = (char *)"--quiet";
	argv[argc++] = (char *)"--follow";
	argv[argc++] = (char *)"--interface";
	argv[argc++] = (char *)name_of(interface, name);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
		const char *text = option_text(cli, passed[i][0]);

		if (!text || !*text)
			continue;
		argv[argc++] = (char *)passed[i][1];
		argv[argc++] = (char *)text;
	}
	return run_capture(cli, argc, argv);
}

int extcap_main(struct cli *cli)
{
	const char *interface = option_text(cli, "extcap-interface");
	char name[NAME_MAX_HERE];

	if (option_given(cli, "extcap-interfaces"))
		return print_interfaces(cli);
	if (!name_of(interface, name))
		return usage_error(cli->command, "extcap: %s%s", interface ? interface : "",
				   interface ? " is no interface of a deck's" :
					       "Wireshark calls this, see extcap(4)");
	if (option_given(cli, "extcap-dlts"))
		return print_dlts();
	if (option_given(cli, "extcap-config"))
		return print_config();
	if (option_given(cli, "capture") && option_given(cli, "fifo"))
		return capture(cli, interface);
	if (option_given(cli, "extcap-capture-filter"))
		return CLI_OK; /* whether it is one is said once it is used */
	return usage_error(cli->command, "extcap: what is to be done with %s?", interface);
}
