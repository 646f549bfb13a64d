/* The table of subcommands. */
#include "cli/table.h"

#include "base/checked.h"
#include "cli/commands.h"
#include "cli/new_profile.h"
#include "cli/profile_words.h"
#include "cli/requests.h"

#define TIMEOUT_OPTION \
	{ 't', "timeout", OPTION_NUMBER, "SECONDS", WORD_ANY, 1, 86400, "wait no longer (60)" }

static const struct option_row start_options[] = {
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "wait until the guest runs, as it does anyway" },
	TIMEOUT_OPTION,
	{ .name = NULL },
};

static const struct option_row order_options[] = {
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until it is done" },
	TIMEOUT_OPTION,
	{ .name = NULL },
};

static const struct option_row stop_options[] = {
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until the guest has stopped" },
	TIMEOUT_OPTION,
	{ 'f', "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "take its power away at once" },
	{ .name = NULL },
};

static const struct option_row console_options[] = {
	{ 'n', "no-backlog", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "do not show what was printed before" },
	{ 'e', "escape", OPTION_TEXT, "LETTER", WORD_ANY, 0, 0,
	  "leave with Ctrl and this character (']')" },
	{ 'v', "vga", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "its VGA screen and its keyboard; not on a terminal: what the screen shows, once" },
	{ 's', "serial", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "its serial port, also where its console is a virtio one" },
	{ .name = NULL },
};

static const struct option_row break_options[] = {
	{ 'k', "keyboard", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "in place of that, strike SYSRQ on its PS/2 keyboard with Alt and SysRq" },
	{ .name = NULL },
};

static const struct option_row capture_options[] = {
	{ 'i', "interface", OPTION_LIST, "NAME", WORD_PORT, 0, 0,
	  "capture at this port (web/net0), guest or switch; may be repeated; without: "
	  "everywhere" },
	{ 'f', "filter", OPTION_TEXT, "FILTER", WORD_ANY, 0, 0,
	  "a pcap-filter(7) expression" },
	{ 's', "snap", OPTION_NUMBER, "BYTES", WORD_ANY, 0, 65550,
	  "keep only the first bytes of each frame; 0: all of them" },
	{ 'w', "write", OPTION_TEXT, "FILE|-", WORD_FILE, 0, 0,
	  "where the pcapng goes; -: standard output" },
	{ 'c', "count", OPTION_NUMBER, "COUNT", WORD_ANY, 1, INT64_MAX,
	  "end with this many packets" },
	{ 'a', "autostop", OPTION_LIST, "LIMIT", WORD_ANY, 0, 0,
	  "end after so much: duration:SECONDS, filesize:KB, packets:COUNT, files:COUNT" },
	{ 'b', "ring-buffer", OPTION_LIST, "LIMIT", WORD_ANY, 0, 0,
	  "go on in another file after so much, or interval:SECONDS; files:COUNT of them stay" },
	{ 'F', "format", OPTION_TEXT, "pcapng|pcap", WORD_ANY, 0, 0,
	  "what is written (pcapng)" },
	{ 'P', "pcap", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "write classic pcap" },
	{ 'n', "no-names", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "leave out what addresses are called" },
	{ 0, "past", OPTION_TEXT, "TIME", WORD_ANY, 0, 0,
	  "what has passed in this time (30s, 5m); with -c, -a or -b, go on with what comes" },
	{ 0, "follow", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "with --past: go on with what comes in any case" },
	{ 0, "tls-keys", OPTION_TEXT, "FILE", WORD_FILE, 0, 0,
	  "put in what a program writes to this file (SSLKEYLOGFILE), to decrypt TLS" },
	{ 'q', "quiet", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "do not say how many packets there were" },
	{ .name = NULL },
};

static const struct option_row extcap_options[] = {
	{ 0, "extcap-interfaces", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "list what can be captured" },
	{ 0, "extcap-version", OPTION_TEXT, "VERSION", WORD_ANY, 0, 0, "Wireshark's" },
	{ 0, "extcap-interface", OPTION_TEXT, "NAME", WORD_ANY, 0, 0, "what it is about" },
	{ 0, "extcap-dlts", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "list its kinds of frames" },
	{ 0, "extcap-config", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "list what it can be asked for" },
	{ 0, "capture", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "capture it" },
	{ 0, "fifo", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "into this" },
	{ 0, "extcap-capture-filter", OPTION_TEXT, "FILTER", WORD_ANY, 0, 0,
	  "packets that match this" },
	{ 0, "past", OPTION_TEXT, "TIME", WORD_ANY, 0, 0, "and what has passed in this time" },
	{ 0, "snap", OPTION_TEXT, "BYTES", WORD_ANY, 0, 0, "the first bytes of each" },
	{ 0, "tls-keys", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "with the secrets of TLS in it" },
	{ .name = NULL },
};

static const struct option_row list_options[] = {
	{ 't', "tag", OPTION_TEXT, "TAG", WORD_ANY, 0, 0, "those that have this tag alone" },
	{ .name = NULL },
};

static const struct option_row stats_options[] = {
	{ 'w', "watch", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "go on until interrupted" },
	{ 'n', "interval", OPTION_NUMBER, "MS", WORD_ANY, 100, 3600000,
	  "milliseconds between two lines (1000)" },
	{ 'p', "past", OPTION_TEXT, "SPAN", WORD_ANY, 0, 0,
	  "what one guest used in the last 10m, 1h or 24h, as averages" },
	{ .name = NULL },
};

static const struct option_row events_options[] = {
	{ 'p', "past", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "what has happened up to now, and no more" },
	{ .name = NULL },
};

static const struct option_row incident_options[] = {
	{ 0, "to", OPTION_TEXT, "FOLDER", WORD_FILE, 0, 0,
	  "where its folder is made (~/.local/state/vmdeck/incidents)" },
	{ 0, "after", OPTION_NUMBER, "SECONDS", WORD_ANY, 1, 3600,
	  "packets go on for so long" },
	{ 0, "event", OPTION_TEXT, "TEXT", WORD_ANY, 0, 0,
	  "wait for an event of the guest first: a state, such as crashed, or a part of a message" },
	{ 'f', "filter", OPTION_TEXT, "FILTER", WORD_ANY, 0, 0,
	  "wait for a packet of the guest's first that matches a pcap-filter(7) expression" },
	{ .name = NULL },
};

static const struct option_row disk_options[] = {
	{ 'f', "format", OPTION_TEXT, "FORMAT", WORD_ANY, 0, 0,
	  "what the image is: raw, qcow2, vmdk, vdi, vhdx, ... (by its name's ending)" },
	{ 't', "to", OPTION_TEXT, "FORMAT", WORD_ANY, 0, 0,
	  "what convert makes (by the new name's ending)" },
	{ 0, "others", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "other files that the image names may be opened, too" },
	{ 0, "shrink", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "resize may cut off what lies behind" },
	{ 0, "repair", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "check mends what it can" },
	{ .name = NULL },
};

static const struct option_row media_options[] = {
	{ 'f', "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "also take a medium that the guest holds, as by a mount" },
	{ .name = NULL },
};

static const struct option_row port_options[] = {
	{ 0, "data", OPTION_TEXT, "HEX|@FILE", WORD_FILE, 0, 0,
	  "bytes of a frame to inject, or to pass in its place, in hexadecimal or in a file" },
	{ 0, "fast", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "inject a capture as fast as it goes, not at its own pace" },
	{ .name = NULL },
};

static const struct option_row shutdown_options[] = {
	{ 'f', "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "take their power away at once" },
	{ 'w', "wait", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "wait until the deck has ended" },
	{ .name = NULL },
};

/* The orders that have options of their own; each has its row by the table of methods. */
static const struct {
	enum method_id method, forced;
	const struct option_row *options;
} own_options[] = {
	{ METHOD_GUEST_START, 0, start_options },
	{ METHOD_GUEST_STOP, METHOD_GUEST_OFF, stop_options },
};

/* The orders to guests stand where the row without a name is. */
static const struct command rows[] = {
	{ .name = "run", .args = "[GUEST|PROFILE]", .max_args = 1, .word = WORD_PROFILE,
	  .method = -1, .help = "runs one guest, its console on the terminal",
	  .more = "A word with a '/' in it or '.ini' at its end is the file of a profile, another one\n"
		  "the name of a guest. Options in its place describe a guest without a profile:\n"
		  "  vmdeck run --kernel bzImage --initrd initrd.img --append 'console=ttyS0'\n",
	  .options = profile_options, .run = run_main },
	{ .name = "new", .args = "NAME", .min_args = 1, .max_args = 1, .method = -1, .json = true,
	  .help = "makes a guest: its profile, with comments, and the image of its disk",
	  .more = "It starts from the copy of an image, from a CD, or from a kernel:\n"
		  "  vmdeck new web --from debian-12-generic-amd64.qcow2 --ssh-key ~/.ssh/id_ed25519.pub\n"
		  "  vmdeck new lab --iso netinst.iso --disk 20G --memory 2G\n"
		  "  vmdeck new dev --kernel bzImage --append 'console=ttyS0'\n",
	  .options = new_options, .run = new_main },
	{ .name = "clone", .args = "GUEST NAME", .min_args = 2, .max_args = 2, .word = WORD_GUEST,
	  .method = -1, .help = "copies a guest's profile to that of another guest",
	  .more = "What one guest alone can have is left out: its name, its cards' addresses and ports "
		  "of\nthe host. Its disks are the same; 'vmdeck disk convert' copies an image.\n",
	  .run = clone_main },
	{ .name = "rename", .args = "GUEST NAME", .min_args = 2, .max_args = 2,
	  .word = WORD_GUEST, .method = -1, .help = "gives a guest that does not run another name",
	  .run = rename_main },
	{ .name = "delete", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = -1, .help = "deletes the profile of a guest that does not run",
	  .more = "The images of its disks stay.\n", .run = delete_main },
	{ .name = "list", .alias = "ls", .args = "", .method = METHOD_GUEST_LIST, .json = true,
	  .options = list_options, .run = list_main, .requests = requests_plain,
	  .view = "deck" },
	{ .name = "show", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_SHOW, .json = true, .run = show_main, .requests = requests_plain,
	  .view = "guest" },
	{ .name = NULL },
	{ .name = "console", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = METHOD_CONSOLE_OPEN, .help = "connects the terminal to a guest's console",
	  .more = "Ctrl-] leaves the console; the guest goes on. Standard input that is no terminal\n"
		  "is typed to its end; then the console is shown until the guest ends.\n",
	  .options = console_options, .run = console_main,
	  .requests = console_requests,
	  .view = "console",
	  .shell_options = "no-backlog|escape|vga|serial" },
	{ .name = "break", .args = "GUEST [SYSRQ]", .min_args = 1, .max_args = 2,
	  .word = WORD_GUEST, .method = METHOD_CONSOLE_BREAK,
	  .help = "sends a break to a guest's serial port",
	  .more = "SYSRQ is a character behind it, which Linux takes for a Magic SysRq key if that "
		  "port is\na console of its, such as h for a list of them.\n",
	  .options = break_options, .run = requests_ask, .requests = break_requests },
	{ .name = "connect", .args = "GUEST PORT", .min_args = 2, .max_args = 2,
	  .word = WORD_GUEST, .method = METHOD_GUEST_SHOW, .states = GUEST_ALIVE,
	  .help = "connects standard input and output to a port of a guest",
	  .more = "By vsock, which needs [vsock] in the guest's profile. For ssh(1), in "
		  "~/.ssh/config:\n"
		  "  Host *.vmdeck\n"
		  "      ProxyCommand vmdeck connect %h 22\n", .run = connect_main,
	  .requests = connect_requests },
	{ .name = "balloon", .args = "GUEST SIZE", .min_args = 2, .max_args = 2,
	  .word = WORD_GUEST, .method = METHOD_GUEST_RESIZE,
	  .help = "asks a guest to do with less of its memory, or gives it back",
	  .more = "SIZE is what it is left with, such as 512M; with all that it has the balloon "
		  "is empty.\nThe guest needs balloon=yes in its profile and a driver; what has "
		  "become of it\nis in 'vmdeck show'.\n", .run = requests_ask,
	  .requests = balloon_requests },
	{ .name = "eject", .args = "GUEST/DISK", .min_args = 1, .max_args = 1, .word = WORD_DRIVE,
	  .method = METHOD_GUEST_EJECT, .help = "takes the medium out of a guest's CD-ROM drive",
	  .more = "Of a guest with one drive its name is enough.\n"
		  "  vmdeck eject lab/disk1\n", .options = media_options, .run = requests_ask,
	  .requests = eject_requests },
	{ .name = "insert", .args = "GUEST/DISK IMAGE", .min_args = 2, .max_args = 2,
	  .word = WORD_DRIVE, .method = METHOD_GUEST_INSERT,
	  .help = "puts an image into a guest's CD-ROM drive",
	  .more = "It takes the place of what is in the drive, until the guest is stopped.\n"
		  "  vmdeck insert lab/disk1 tools.iso\n", .options = media_options,
	  .run = requests_ask, .requests = insert_requests },
	{ .name = "capture", .args = "", .method = METHOD_CAPTURE_STREAM,
	  .help = "captures packets as pcapng",
	  .more = "It ends at an interrupt (Ctrl-C) and then says how many packets it has:\n"
		  "  vmdeck capture -i lan -w lan.pcapng\n"
		  "  vmdeck capture -i web/net0 -f 'tcp port 80' -w - | tshark -r -\n"
		  "  vmdeck capture -b filesize:100000 -b files:10 -w ring.pcapng\n",
	  .options = capture_options, .run = capture_main, .requests = capture_requests,
	  .view = "network",
	  .shell_options = "count|autostop|ring-buffer|format|pcap|tls-keys|quiet" },
	{ .name = "extcap", .args = "", .method = -1,
	  .help = "shows a deck's switches, guests and ports to Wireshark",
	  .more = "Wireshark and tshark call it, by a script in a folder that is theirs or named to "
		  "them:\n"
		  "  export WIRESHARK_EXTCAP_DIR=/usr/local/share/vmdeck/extcap\n"
		  "  tshark -i vmdeck:lan\n",
	  .options = extcap_options, .run = extcap_main },
	{ .name = "check", .args = "[PROFILE...]", .max_args = -1, .word = WORD_FILE,
	  .method = METHOD_PROFILE_CHECK, .json = true,
	  .help = "reads profiles and lists their mistakes",
	  .more = "It looks at what they name as well, as a start does. A folder stands for the "
		  "profiles in it;\nwithout an argument it is all of yours. No deck needs to run "
		  "for it.\n", .run = check_main },
	{ .name = "disk", .args = "create IMAGE SIZE | info IMAGE | resize IMAGE SIZE | "
				  "convert IMAGE NEW | check IMAGE",
	  .min_args = 1, .max_args = 3, .verbs = "create|info|resize|convert|check",
	  .word = WORD_FILE, .method = -1, .json = true, .help = "makes images of disks and looks at them",
	  .more = "Formats beyond raw need qemu-img. A guest that runs has its images locked; resize makes\n"
		  "them larger all the same, and tells it.\n"
		  "  vmdeck disk create web.qcow2 20G\n"
		  "  vmdeck disk convert debian.qcow2 web.img\n",
	  .options = disk_options, .run = disk_main },
	{ .name = "doctor", .args = "", .method = -1, .json = true,
	  .help = "tries what this host gives to guests and to the walls around them",
	  .more = "It says what to do about what is missing, and then fails. No deck needs to run "
		  "for it.\n", .run = doctor_main },
	{ .name = "switches", .alias = "network", .args = "[SWITCH...]", .max_args = -1,
	  .word = WORD_SWITCH, .method = METHOD_SWITCH_LIST, .json = true, .run = switches_main,
	  .requests = requests_plain,
	  .view = "network" },
	{ .name = "port", .args = "set PORT KEY=VALUE... | show PORT | break PORT FILTER|off | "
				  "held | pass PORT | drop PORT | inject PORT [CAPTURE]",
	  .min_args = 1, .max_args = -1, .verbs = "set|show|break|held|pass|drop|inject",
	  .word = WORD_SETTING, .method = METHOD_PORT_SET, .json = true,
	  .help = "changes and shows settings of a port of a switch, and stops and injects frames",
	  .more = "The keys are those of vmdeck-guest(5); what is set so lasts until its guest is "
		  "stopped, also\nafter a reset. A frame that matches a breakpoint's filter is "
		  "held, and the guests of the\nswitch are paused until it is passed or dropped.\n"
		  "  vmdeck port set web/net0 link=down\n"
		  "  vmdeck port break web/net0 'tcp port 80'\n"
		  "  vmdeck port held\n"
		  "  vmdeck port pass web/net0 --data @frame\n"
		  "  vmdeck port inject lan/nat attack.pcapng\n",
	  .options = port_options, .run = port_main, .requests = port_requests,
	  .view = "network" },
	{ .name = "stats", .args = "[GUEST...]", .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_STATS_SUBSCRIBE, .json = true, .help = "shows what guests use",
	  .options = stats_options, .run = stats_main, .requests = stats_requests,
	  .view = "deck",
	  .shell_options = "watch|interval|past" },
	{ .name = "events", .args = "[GUEST...]", .max_args = -1, .word = WORD_GUEST,
	  .method = METHOD_EVENTS_SUBSCRIBE, .json = true,
	  .help = "prints events as they happen", .options = events_options, .run = events_main,
	  .requests = events_requests, .view = "log", .shell_options = "past" },
	{ .name = "incident", .args = "GUEST", .min_args = 1, .max_args = 1, .word = WORD_GUEST,
	  .method = METHOD_GUEST_SHOW, .json = true,
	  .help = "saves what is known of a guest, with its packets, as a folder",
	  .more = "What show, events, stats, switches and capture print of what has been, a\n"
		  "file each. It has its name when it is whole, which is printed then.\n",
	  .options = incident_options, .run = incident_main, .requests = incident_requests },
	{ .name = "reload", .args = "", .method = METHOD_DECK_RELOAD, .json = true,
	  .run = reload_main, .requests = requests_plain },
	{ .name = "shutdown", .args = "", .method = METHOD_DECK_QUIT,
	  .more = "Each guest has 30 seconds from its power button on, then it is forced.\n",
	  .options = shutdown_options, .run = shutdown_main, .requests = shutdown_requests,
	  .shell_options = "wait" },
	{ .name = "complete", .args = "WORD...", .max_args = -1, .method = -1,
	  .help = "prints what a shell can complete", .run = complete_main },
	{ .name = "help", .args = "[COMMAND]", .max_args = 1, .word = WORD_COMMAND, .method = -1,
	  .help = "explains a command", .run = help_main,
	  .view = "help" },
};

static struct command order_row(int method)
{
	const struct method_order *order = method_table[method].order;
	struct command row = { .name = order->command, .args = "GUEST...", .min_args = 1,
			       .max_args = -1, .word = WORD_GUEST, .method = method,
			       .help = order->command_help, .options = order_options,
			       .run = order_main, .requests = order_requests,
			       .shell_options = "wait|timeout" };

	for (size_t i = 0; i < ARRAY_SIZE(own_options); i++)
		if ((int)own_options[i].method == method) {
			row.options = own_options[i].options;
			row.forced = own_options[i].forced;
		}
	return row;
}

const struct command *command_list(void)
{
	static struct command commands[ARRAY_SIZE(rows) + METHOD_COUNT];
	size_t count = 0;

	if (commands[0].name)
		return commands;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].name) {
			commands[count++] = rows[i];
			continue;
		}
		for (int method = 0; method < METHOD_COUNT; method++)
			if (method_table[method].order && method_table[method].order->command)
				commands[count++] = order_row(method);
	}
	return commands;
}
