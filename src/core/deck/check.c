/* Checks profiles without a deck. Any thread. */
#include "core/deck/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ini.h"
#include "control/names.h"
#include "core/deck/conflict.h"
#include "core/deck/demo.h"
#include "core/deck/switches.h"
#include "core/machine/vm.h"
#include "core/profile/folder.h"
#include "core/profile/read.h"
#include "core/profile/values.h"

/* One or many profiles being checked. */
struct run {
	struct deck_config config;
	struct profile **beside; /* valid profiles of the guests' folder, once they were wanted */
	size_t count, room;
	bool read;
	/* Of a folder. */
	void (*checked)(void *arg, const char *path, const struct profile_report *report);
	void *arg;
	int profiles;
};

/* A guest's profile being checked. */
struct subject {
	struct run *run;
	const struct ini *ini;
	struct profile_report *report;
};

static void ignore_mistake(void *arg, unsigned line, const char *text)
{
	(void)arg;
	(void)line;
	(void)text;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whether a file lies in a folder of the config's; NULL: there is none. */
static bool lies_in(const char *path, const char *folder)
{
	char *own = folder ? profile_path_folder(path) : NULL;
	struct stat one, other;
	bool same = own && stat(own, &one) == 0 && stat(folder, &other) == 0 &&
		    one.st_dev == other.st_dev && one.st_ino == other.st_ino;

	free(own);
	return same;
}

static bool is_switch(const struct run *run, const struct ini *ini, const char *path)
{
	return ini_line(ini, "switch", "") || lies_in(path, run->config.switches_folder);
}

/* --- a guest --- */

static void add_beside(void *arg, const char *path)
{
	struct profile_report report;
	struct profile *profile;
	struct run *run = arg;

	profile_read(&profile, path, &report);
	profile_report_free(&report);
	if (!profile)
		return;
	if (run->count == run->room) {
		size_t room = run->room ? 2 * run->room : 16;
		struct profile **beside = reallocarray(run->beside, room, sizeof(*beside));

		if (!beside) {
			profile_free(profile);
			return;
		}
		run->beside = beside;
		run->room = room;
	}
	run->beside[run->count++] = profile;
}

static void check_pair(const struct subject *subject, const struct profile *profile,
		       const struct profile *other)
{
	char section[16];

	if (!strcmp(profile->name, other->name))
		conflict_report(subject->report, ini_line(subject->ini, "guest", "name"), "name",
				other->name, other->path);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		snprintf(section, sizeof(section), "net%u", i);
		for (unsigned claim = 0; profile->nets[i] && claim < CONFLICT_CLAIMS; claim++) {
			const char *key = conflict_keys[claim];

			if (conflict_card(other, profile->nets[i], claim))
				conflict_report(subject->report,
						ini_line(subject->ini, section, key), key,
						other->name, other->path);
		}
	}
}

static void check_beside(const struct subject *subject, const struct profile *profile)
{
	struct run *run = subject->run;

	if (!lies_in(profile->path, run->config.guests_folder))
		return;
	if (!run->read)
		profile_folder_read(run->config.guests_folder, add_beside, run, NULL);
	run->read = true;
	for (size_t i = 0; i < run->count; i++)
		if (strcmp(run->beside[i]->path, profile->path))
			check_pair(subject, profile, run->beside[i]);
}

/* A deck makes a switch of each valid profile, and one more that needs none. */
static int find_switch(void *arg, const char *name, struct switch_config *config,
		       struct cause *cause)
{
	const struct subject *subject = arg;
	const char *folder = subject->run->config.switches_folder;
	struct profile_report report = { 0 };
	char path[PATH_MAX];
	int error = -ENOENT;

	if (folder && (size_t)snprintf(path, sizeof(path), "%s/%s" NAME_FILE_SUFFIX, folder,
				       name) < sizeof(path))
		error = profile_read_switch(config, path, &report);
	profile_report_free(&report);
	if (error == -ENOENT && !strcmp(name, demo_switch.name)) {
		*config = demo_switch;
		error = 0;
	}
	if (!error)
		return 0;
	if (error != -ENOENT)
		return switches_mistaken(name, path, cause);
	return cause_set(cause, ENOENT, "there is no switch named %s; describe it in %s/%s"
			 NAME_FILE_SUFFIX, name, folder ? folder : "switches", name);
}

static void found(void *arg, const char *section, const char *key, bool warning, const char *text)
{
	const struct subject *subject = arg;
	size_t size = strlen(key);
	bool named = !size || (!strncmp(text, key, size) && text[size] == ':');

	(warning ? profile_report_warn : profile_report_add)(
		subject->report, ini_line(subject->ini, section, key), "%s%s%s",
		named ? "" : key, named ? "" : ": ", text);
}

static int check_guest(struct run *run, const struct ini *ini, const char *path,
		       struct profile_report *report)
{
	struct subject subject = { run, ini, report };
	struct profile_check check = { .find_switch = find_switch, .found = found,
				       .arg = &subject };
	struct profile *profile;
	int error = profile_read_partly(&profile, path, report);

	if (profile) {
		check.profile = profile;
		check_beside(&subject, profile);
		vm_check(&check, run->config.builtin);
	}
	profile_free(profile);
	return error || !report->count ? error : -EINVAL;
}

/* --- any profile --- */

static int check_file(struct run *run, const char *path, struct profile_report *report)
{
	struct switch_config config = { 0 };
	struct ini *ini = NULL;
	int error;

	if (ini_open(&ini, path, ignore_mistake, NULL, NULL) < 0 || is_switch(run, ini, path))
		error = profile_read_switch(&config, path, report);
	else
		error = check_guest(run, ini, path, report);
	switch_config_free(&config);
	ini_free(ini);
	return error;
}

static void end_run(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		profile_free(run->beside[i]);
	free(run->beside);
}

int deck_check(const struct deck_config *config, const char *path, struct profile_report *report)
{
	struct run run = { .config = *config };
	int error = check_file(&run, path, report);

	end_run(&run);
	return error;
}

static void check_one(void *arg, const char *path)
{
	struct profile_report report;
	struct run *run = arg;

	check_file(run, path, &report);
	run->checked(run->arg, path, &report);
	profile_report_free(&report);
	run->profiles++;
}

static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

int deck_check_folder(const struct deck_config *config, const char *folder,
		      void (*checked)(void *arg, const char *path,
				      const struct profile_report *report),
		      void *arg, struct cause *cause)
{
	struct run run = { .config = *config, .checked = checked, .arg = arg };
	char guests[PATH_MAX], switches[PATH_MAX];
	int error = 0;

	if (folder && (!join(guests, folder, "guests") || !join(switches, folder, "switches")))
		return cause_errno(cause, ENAMETOOLONG, "%.200s...", folder);
	if (folder && (is_folder(guests) || is_folder(switches))) {
		run.config.guests_folder = guests;
		run.config.switches_folder = switches;
	} else if (folder) {
		run.config.guests_folder = folder;
		if (join(switches, folder, "../switches") && is_folder(switches))
			run.config.switches_folder = switches;
	}
	if (run.config.guests_folder != folder && run.config.switches_folder)
		error = profile_folder_read(run.config.switches_folder, check_one, &run, cause);
	if (!error && run.config.guests_folder)
		error = profile_folder_read(run.config.guests_folder, check_one, &run, cause);
	end_run(&run);
	return error ? error : run.profiles;
}
