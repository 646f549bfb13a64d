/* See find.h. */
#include "core/profile/find.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "control/names.h"
#include "core/profile/folder.h"
#include "core/profile/read.h"

/* The guest's name; as a deck calls it, when the profile has mistakes. */
static void name_of(char name[NAME_SIZE], const char *path)
{
	struct profile_report report;
	struct profile *profile;
	const char *file;
	size_t length;

	if (profile_read(&profile, path, &report) == 0) {
		snprintf(name, NAME_SIZE, "%s", profile->name);
		profile_free(profile);
	} else {
		file = profile_file_name(path, &length);
		name_make(name, file, length);
	}
	profile_report_free(&report);
}

struct search {
	struct suggestion nearest; /* in best_name */
	char best_name[NAME_SIZE];
	char *out;
	bool found;
};

static void compare(void *arg, const char *path)
{
	struct search *search = arg;
	char name[NAME_SIZE];

	if (search->found)
		return;
	name_of(name, path);
	if (strcmp(name, search->nearest.wrong) == 0) {
		search->found = true;
		snprintf(search->out, PATH_MAX, "%s", path);
	}
	suggest_offer(&search->nearest, name);
	if (search->nearest.best == name)
		search->nearest.best = strcpy(search->best_name, name);
}

static bool is_path(const char *word)
{
	size_t length = strlen(word), suffix = strlen(NAME_FILE_SUFFIX);

	return strchr(word, '/') ||
	       (length >= suffix && strcmp(word + length - suffix, NAME_FILE_SUFFIX) == 0);
}

int profile_find(char out[PATH_MAX], const char *word, const char *folder, struct cause *cause)
{
	struct search search = { .nearest.wrong = word, .out = out };
	int err;

	if (!is_path(word)) {
		err = profile_folder_read(folder, compare, &search, cause);
		if (err || search.found)
			return err;
	}
	if ((size_t)snprintf(out, PATH_MAX, "%s", word) >= PATH_MAX)
		return cause_set(cause, ENAMETOOLONG, "%.100s...: the path is too long", word);
	if (is_path(word) || access(word, F_OK) == 0)
		return 0;
	if (search.nearest.best)
		return cause_set(cause, ENOENT, "guest '%s': there is none in %s; did you mean '%s'?",
				 word, folder, search.nearest.best);
	return cause_set(cause, ENOENT, "guest '%s': there is none in %s, and no file of that name",
			 word, folder);
}

struct listing {
	void (*each)(void *arg, const char *name);
	void *arg;
};

static void list(void *arg, const char *path)
{
	const struct listing *listing = arg;
	char name[NAME_SIZE];

	name_of(name, path);
	listing->each(listing->arg, name);
}

void profile_names(const char *folder, void (*each)(void *arg, const char *name), void *arg)
{
	struct listing listing = { each, arg };
	struct cause cause;

	profile_folder_read(folder, list, &listing, &cause);
}
