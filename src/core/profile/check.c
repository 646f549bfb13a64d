/*
 * Folders of profiles, and checking a profile together with the files that it
 * names. Any thread.
 */
#include "core/profile/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ini.h"
#include "core/profile/keys.h"
#include "core/profile/report.h"
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
	fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		profile_report_add(report, entry->line, "%s: %s: %s", entry->key, text,
				   strerror(errno));
		return;
	}
	if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		profile_report_add(report, entry->line, "%s: %s is no file", entry->key, text);
	close(fd);
}

static void check_files(struct profile_report *report, const struct ini *ini, const char *folder)
{
	const struct profile_key *key;
	const struct ini_entry *entry, *readonly;
	const char *kind;
	unsigned number;
	char *path;
	size_t i;

	for (i = 0; (entry = ini_entry(ini, i)); i++) {
		kind = profile_section_kind(profile_guest_keys(), entry->section, &number);
		key = kind ? profile_key_find(profile_guest_keys(), kind, entry->key) : NULL;
		if (!key || key->type != PROFILE_PATH || !*entry->value)
			continue;
		path = profile_path_join(folder, entry->value);
		if (!path)
			continue;
		readonly = ini_find(ini, entry->section, "readonly");
		check_file(report, entry, path, !strcmp(kind, "disk") &&
			   (!readonly || strcmp(readonly->value, "yes")));
		free(path);
	}
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
		if (!error && report->count)
			error = -EINVAL;
		free(folder);
	}
	profile_free(profile);
	ini_free(ini);
	return error;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static bool is_profile(const char *name)
{
	size_t size = strlen(name);

	return *name != '.' && size > 4 && !strcmp(name + size - 4, ".ini");
}

int profile_files_list(struct profile_files *out, const char *folder, struct cause *cause)
{
	struct dirent *entry;
	DIR *dir;
	int error = 0;

	*out = (struct profile_files){ 0 };
	dir = opendir(folder);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return cause_errno(cause, errno, "%s", folder);
	out->paths = calloc(PROFILE_FILES_MAX + 1, sizeof(*out->paths));
	if (!out->paths)
		error = cause_errno(cause, ENOMEM, "%s", folder);
	while (!error && (errno = 0, entry = readdir(dir))) {
		if (!is_profile(entry->d_name))
			continue;
		if (out->count == PROFILE_FILES_MAX)
			error = cause_set(cause, E2BIG, "%s: has more than %d profiles", folder,
					  PROFILE_FILES_MAX);
		else if (asprintf(&out->paths[out->count], "%s/%s", folder, entry->d_name) < 0)
			error = cause_errno(cause, ENOMEM, "%s", folder);
		else
			out->count++;
	}
	if (!error && errno)
		error = cause_errno(cause, errno, "%s", folder);
	closedir(dir);
	if (error)
		profile_files_free(out);
	else
		qsort(out->paths, out->count, sizeof(*out->paths), compare_names);
	return error;
}

void profile_files_free(struct profile_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct profile_files){ 0 };
}
