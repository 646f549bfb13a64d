/* vmdeck: picks the role. Main thread. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/paths.h"
#include "base/plain.h"
#include "cli/cli.h"
#include "cli/line.h"
#include "control/command_line.h"
#include "control/endpoint.h"
#include "control/names.h"
#include "core/boot/firmware.h"
#include "core/boot/load.h"
#include "core/deck/check.h"
#include "core/deck/demo.h"
#include "core/disk/disk.h"
#include "core/disk/format.h"
#include "core/disk/open.h"
#include "core/kvm/features.h"
#include "core/kvm/kvm.h"
#include "core/profile/find.h"
#include "core/profile/profile.h"
#include "core/profile/report.h"
#include "demo/image.h"
#include "net/capture/filter_compiler.h"
#include "net/port/nat_process.h"
#include "net/port/port.h"
#include "net/port/replay_process.h"
#include "net/switch/settings.h"
#include "roles/roles.h"
#include "sandbox/probe.h"
#include "sandbox/sandbox.h"
#include "tui/console/emulator_process.h"

/* What this program can be beside its roles: processes behind walls. */
static const struct sandbox_kind *const process_kinds[] = {
	&filter_process,
	&emulator_process,
	&nat_process,
	&replay_process,
	&probe_process,
	NULL,
};

static const struct boot_image *builtin_guest(void)
{
	static struct boot_image image;

	image = (struct boot_image){ demo_image, demo_image_size, DEMO_OPTIONS };
	return &image;
}

/* The folders of profiles, from the environment. */
static int find_folders(const char **guests, const char **switches, struct cause *cause)
{
	static char guests_path[PATH_MAX], switches_path[PATH_MAX];
	int err = paths_profiles(guests_path, "guests", cause);

	if (!err)
		err = paths_profiles(switches_path, "switches", cause);
	*guests = err ? NULL : guests_path;
	*switches = err ? NULL : switches_path;
	return err;
}

/* What is the same for all roles; false when it cannot be found out. */
static bool find_places(struct role_config *config)
{
	struct cause cause;

	if (find_folders(&config->guests_folder, &config->switches_folder, &cause) < 0) {
		plain_say("%s", cause.text);
		return false;
	}
	config->builtin = builtin_guest();
	return true;
}

static bool find_socket(const char *given, struct role_config *config, const char *otherwise)
{
	static struct endpoint endpoint;
	struct cause cause;

	if (endpoint_find(&endpoint, given, &cause) < 0) {
		plain_say("%s%s", cause.text, otherwise);
		return false;
	}
	config->endpoint = &endpoint;
	return true;
}

static int run_hook(const char *socket, const char *guest)
{
	static char profile[PATH_MAX];
	struct role_config config = { 0 };
	struct cause cause;

	if (!find_places(&config))
		return CLI_FAILED;
	if (profile_find(profile, guest, config.guests_folder, &cause) < 0) {
		plain_say("%s", cause.text);
		return CLI_FAILED;
	}
	config.profile = profile;
	find_socket(socket, &config, "; the guest runs, but no other command reaches it");
	return role_run(&config);
}

static const struct cli_hooks hooks;

static int screen_hook(const char *socket, int argc, char **argv)
{
	static const struct option options[] = {
		{ "demo", optional_argument, NULL, 'd' },
		{ "headless", no_argument, NULL, 'h' },
		{ "read-only", no_argument, NULL, 'R' },
		{ "socket", required_argument, NULL, 's' },
		{ 0 }
	};
	static const struct command_line line = { .arg = &hooks, .read = line_read,
						  .complete = line_complete, .spell = line_spell };
	struct role_config config = { .line = &line };
	bool headless = false;
	unsigned long guests;
	const char *word;
	char *end;
	int option;

	optind = 1;
	opterr = 0;
	while ((word = argv[optind], option = getopt_long(argc, argv, "+R", options, NULL)) != -1) {
		if (option == 'h') {
			headless = true;
			continue;
		}
		if (option == 's') {
			socket = optarg;
			continue;
		}
		if (option == 'R') {
			config.read_only = true;
			continue;
		}
		if (option != 'd') {
			plain_say("%s: there is no such option; try 'vmdeck help'", word);
			return CLI_USAGE;
		}
		config.demo = true;
		guests = optarg ? strtoul(optarg, &end, 10) : 0;
		if (optarg && (*end || !guests || guests > DEMO_GUESTS_MAX)) {
			plain_say("--demo takes a number of guests, 1 to %d", DEMO_GUESTS_MAX);
			return CLI_USAGE;
		}
		config.demo_guests = (unsigned)guests;
	}
	if (optind < argc) {
		plain_say("--demo, --headless and --read-only go without a command; '%s' is one too "
			  "many", argv[optind]);
		return CLI_USAGE;
	}
	if (config.read_only && (headless || config.demo)) {
		plain_say("--read-only watches a deck that runs, so it goes without --%s",
			  headless ? "headless" : "demo");
		return CLI_USAGE;
	}
	if (!find_places(&config) || !find_socket(socket, &config, ""))
		return CLI_FAILED;
	return headless ? role_headless(&config) : role_screen(&config);
}

/* What "vmdeck check" tells of what is checked. */
struct checking {
	check_found *found;
	void *arg;
	bool mistakes;
};

static void tell_report(void *arg, const char *path, const struct profile_report *report)
{
	struct checking *checking = arg;

	for (size_t i = 0; i < report->count; i++)
		checking->found(checking->arg, path, report->mistakes[i].line, false,
				report->mistakes[i].text);
	for (size_t i = 0; i < report->warning_count; i++)
		checking->found(checking->arg, path, report->warnings[i].line, true,
				report->warnings[i].text);
	checking->mistakes |= report->count != 0;
}

static int check_hook(const char *path, check_found *found, void *arg, struct cause *cause)
{
	struct checking checking = { .found = found, .arg = arg };
	struct deck_config config = { .builtin = builtin_guest() };
	struct profile_report report;
	struct cause lost;
	struct stat st;
	int count;

	/* A profile that is named can do without. */
	count = find_folders(&config.guests_folder, &config.switches_folder, path ? &lost : cause);
	if (count < 0 && !path)
		return count;
	if (path && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))) {
		deck_check(&config, path, &report);
		tell_report(&checking, path, &report);
		profile_report_free(&report);
		return checking.mistakes ? -EINVAL : 0;
	}
	count = deck_check_folder(&config, path, tell_report, &checking, cause);
	if (count < 0)
		return count;
	if (count == 0)
		return cause_set(cause, ENOENT, "%s: no profile lies there; their names end in "
				 NAME_FILE_SUFFIX, path ? path : config.guests_folder);
	return checking.mistakes ? -EINVAL : 0;
}

static void profiles_hook(void (*each)(void *arg, const char *name), void *arg)
{
	char folder[PATH_MAX];

	if (paths_profiles(folder, "guests", NULL) == 0)
		profile_names(folder, each, arg);
}

static const char *setting_hook(size_t number)
{
	size_t i = 0;

	while (i < number && net_port_keys[i].key)
		i++;
	return net_port_keys[i].key;
}

static int kvm_hook(struct cause *cause)
{
	struct kvm_host *kvm = NULL;
	int error = kvm_open(&kvm, cause);

	kvm_close(kvm);
	return error;
}

static int masks_hook(void)
{
	struct kvm_host *kvm = NULL;
	int given = kvm_open(&kvm, NULL);

	if (!given)
		given = features_hidden_from_guests(kvm);
	kvm_close(kvm);
	return given;
}

static const char *image_kind_hook(const char *path, struct cause *what)
{
	const struct image_format *format = image_format_look(path);

	if (!format)
		return disk_look(path, what) == -EINVAL ? "" : NULL;
	if (format->readable)
		return NULL;
	cause_set(what, 0, "%s is %s", path, format->what);
	return format->name;
}

static int firmware_hook(bool uefi, struct cause *cause)
{
	return firmware_find(uefi ? FIRMWARE_UEFI : FIRMWARE_BIOS, cause);
}

static const struct cli_hooks hooks = {
	.check = check_hook,
	.profiles = profiles_hook,
	.setting = setting_hook,
	.kvm = kvm_hook,
	.masks = masks_hook,
	.firmware = firmware_hook,
	.rings = disk_ring_probe,
	.image_kind = image_kind_hook,
	.standard_switch = demo_switch.name,
	.run = run_hook,
	.screen = screen_hook,
	.screen_args = "[--demo[=GUESTS]] [--headless] [--read-only]",
	.screen_help = "  --demo[=GUESTS]  the built-in guests instead of your own\n"
		       "  --headless       the deck without a screen, in the foreground\n"
		       "  -R, --read-only  the screen of a deck that runs, to watch it and no more\n",
};

int main(int argc, char **argv)
{
	sandbox_entry(argc, argv, process_kinds);
	files_fill_standard();
	/* A reader that goes away, or a file at its limit, is an error of that write, not the end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cli_main(argc, argv, &hooks);
}
