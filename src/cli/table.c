/* The table of subcommands. */
#include "cli/table.h"

#include "cli/commands.h"

static const struct option_row start_options[] = {
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until the guest runs" },
	{ 't', "timeout", OPTION_NUMBER, "SECONDS", WORD_ANY, 1, 86400, "wait no longer" },
	{ .name = NULL },
};

static const struct option_row stop_options[] = {
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until the guest has stopped" },
	{ 't', "timeout", OPTION_NUMBER, "SECONDS", WORD_ANY, 1, 86400, "wait no longer" },
	{ 'f', "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "take its power away at once" },
	{ .name = NULL },
};

static const struct option_row console_options[] = {
	{ 'n', "no-backlog", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "do not show what was printed before" },
	{ 'e', "escape", OPTION_TEXT, "LETTER", WORD_ANY, 0, 0,
	  "leave with Ctrl and this character (']')" },
	{ .name = NULL },
};

static const struct option_row capture_options[] = {
	{ 'i', "interface", OPTION_LIST, "PORT|SWITCH", WORD_PORT, 0, 0,
	  "capture at this port (web/net0) or switch; may be repeated; without: everywhere" },
	{ 'f', "filter", OPTION_TEXT, "FILTER", WORD_ANY, 0, 0,
	  "a pcap-filter(7) expression" },
	{ 's', "snap", OPTION_NUMBER, "BYTES", WORD_ANY, 1, 65550,
	  "keep only the first bytes of each frame" },
	{ 'w', "write", OPTION_TEXT, "FILE|-", WORD_FILE, 0, 0,
	  "where the pcapng goes; -: standard output" },
	{ .name = NULL },
};

static const struct option_row stats_options[] = {
	{ 'w', "watch", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "go on until interrupted" },
	{ 'n', "interval", OPTION_NUMBER, "MS", WORD_ANY, 100, 3600000,
	  "milliseconds between two lines (1000)" },
	{ .name = NULL },
};

static const struct option_row shutdown_options[] = {
	{ 'f', "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "take their power away at once" },
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until the deck has ended" },
	{ .name = NULL },
};

static const struct command commands[] = {
	{ .name = "run", .args = "", .max_args = 0, .word = WORD_FILE, .method = -1,
	  .help = "runs one guest, its console on the terminal" },
	{ .name = "list", .alias = "ls", .args = "", .method = METHOD_GUEST_LIST, .json = true,
	  .run = list_main },
	{ .name = "show", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_SHOW, .json = true, .run = show_main },
	{ .name = "start", .args = "GUEST...", .min_args = 1, .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_START, .help = "starts guests", .options = start_options,
	  .run = order_main },
	{ .name = "stop", .args = "GUEST...", .min_args = 1, .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_STOP, .forced = METHOD_GUEST_OFF,
	  .help = "presses guests' power buttons",
	  .options = stop_options, .run = order_main },
	{ .name = "pause", .args = "GUEST...", .min_args = 1, .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_PAUSE, .help = "pauses guests", .run = order_main },
	{ .name = "resume", .args = "GUEST...", .min_args = 1, .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_RESUME, .help = "lets paused guests go on",
	  .run = order_main },
	{ .name = "reset", .args = "GUEST...", .min_args = 1, .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_RESET, .help = "presses guests' reset buttons",
	  .run = order_main },
	{ .name = "console", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = METHOD_CONSOLE_OPEN, .help = "connects the terminal to a guest's console",
	  .more = "Ctrl-] leaves the console; the guest goes on.\n",
	  .options = console_options, .run = console_main },
	{ .name = "capture", .args = "", .method = METHOD_CAPTURE_STREAM,
	  .help = "captures packets as pcapng",
	  .more = "It ends at an interrupt (Ctrl-C) and then says how many packets it has:\n"
		  "  vmdeck capture -i lan -w lan.pcapng\n"
		  "  vmdeck capture -i web/net0 -f 'tcp port 80' -w - | tshark -r -\n",
	  .options = capture_options, .run = capture_main },
	{ .name = "check", .args = "PROFILE...", .min_args = 1, .max_args = -1, .word = WORD_FILE,
	  .method = METHOD_PROFILE_CHECK, .json = true,
	  .help = "reads profiles and lists their mistakes",
	  .more = "No deck needs to run for it.\n", .run = check_main },
	{ .name = "switches", .alias = "network", .args = "[SWITCH...]", .max_args = -1,
	  .method = METHOD_SWITCH_LIST, .json = true, .run = switches_main },
	{ .name = "stats", .args = "[GUEST...]", .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_STATS_SUBSCRIBE, .json = true, .help = "shows what guests use",
	  .options = stats_options, .run = stats_main },
	{ .name = "events", .args = "", .method = METHOD_EVENTS_SUBSCRIBE, .json = true,
	  .help = "prints events as they happen", .run = events_main },
	{ .name = "reload", .args = "", .method = METHOD_DECK_RELOAD, .json = true,
	  .run = reload_main },
	{ .name = "shutdown", .args = "", .method = METHOD_DECK_QUIT,
	  .more = "Each guest has 30 seconds from its power button on, then it is forced.\n",
	  .options = shutdown_options, .run = shutdown_main },
	{ .name = "complete", .args = "WORD...", .max_args = -1, .method = -1,
	  .help = "prints what a shell can complete", .run = complete_main },
	{ .name = "help", .args = "[COMMAND]", .max_args = 1, .word = WORD_COMMAND, .method = -1,
	  .help = "explains a command", .run = help_main },
	{ .name = NULL },
};

const struct command *command_list(void)
{
	return commands;
}
