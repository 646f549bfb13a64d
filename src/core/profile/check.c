/*
 * Checking a profile together with the files that it names. Any thread.
 */
#include "core/profile/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host_memory.h"
#include "base/ini.h"
#include "core/profile/keys.h"
#include "core/profile/read.h"
#include "core/profile/values.h"

#define EXCERPT 160

static void ignore_mistake(void *arg, unsigned line, const char *text)
{
	(void)arg;
	(void)line;
	(void)text;
}

static bool is_switch(const struct ini *ini)
{
	const struct ini_section *section;
	size_t i;

	for (i = 0; (section = ini_section(ini, i)); i++)
		if (!strcmp(section->name, "switch"))
			return true;
	return false;
}

/* Whether a regular file or block device can be opened; the reason goes to the report. */
static void check_file(struct profile_report *report, const struct ini_entry *entry,
		       const char *path, bool write)
{
	char text[EXCERPT];
	struct stat st;
	int fd;

	ini_excerpt(path, text, sizeof(text));
	/* Before it is opened: opening some devices does something. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		profile_report_add(report, entry->line, "%s: %s is no file", entry->key, text);
		return;
	}
	fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		profile_report_add(report, entry->line, "%s: %s: %s", entry->key, text,
				   strerror(errno));
	else
		close(fd);
}

static void check_files(struct profile_report *report, const struct ini *ini, const char *folder)
{
	const struct profile_section *section;
	const struct profile_key *key;
	const struct ini_entry *entry, *readonly;
	unsigned number;
	char *path;
	size_t i;

	for (i = 0; (entry = ini_entry(ini, i)); i++) {
		section = profile_section_find(profile_guest_sections, entry->section, &number);
		key = section ? profile_key_find(section, entry->key) : NULL;
		if (!key || key->type != PROFILE_PATH || !*entry->value)
			continue;
		path = profile_path_join(folder, entry->value);
		if (!path)
			continue;
		readonly = ini_find(ini, entry->section, "readonly");
		check_file(report, entry, path, !strcmp(section->kind, "disk") &&
			   (!readonly || strcmp(readonly->value, "yes")));
		free(path);
	}
}

/* A guest that the host has no memory for, even alone. */
static void check_memory(struct profile_report *report, const struct ini *ini,
			 const struct profile *profile)
{
	const struct ini_entry *entry = ini_find(ini, "guest", "memory");
	struct host_memory host;

	host_memory_read(&host, "");
	if (profile->overcommit || !host.limit || profile->memory <= host.limit)
		return;
	profile_report_add(report, entry ? entry->line : 0, "memory: %llu MiB are more than the "
			   "%llu MiB of %s; choose less, or write overcommit=yes",
			   (unsigned long long)profile->memory >> 20,
			   (unsigned long long)host.limit >> 20,
			   host.grouped ? "this control group" : "this host");
}

int profile_check(const char *path, struct profile_report *report)
{
	struct switch_config config;
	struct profile *profile = NULL;
	struct ini *ini = NULL;
	char *folder;
	int error;

	if (!ini_open(&ini, path, ignore_mistake, NULL, NULL) && is_switch(ini)) {
		error = profile_read_switch(&config, path, report);
	} else {
		error = profile_read(&profile, path, report);
		folder = ini ? profile_path_folder(path) : NULL;
		if (folder)
			check_files(report, ini, folder);
		if (profile && ini)
			check_memory(report, ini, profile);
		if (!error && report->count)
			error = -EINVAL;
		free(folder);
	}
	profile_free(profile);
	ini_free(ini);
	return error;
}
