/*
 * XDG folders. Main thread.
 */
#include "base/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int __attribute__((format(printf, 3, 4)))
put(char out[PATH_MAX], struct cause *cause, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, PATH_MAX, format, ap);
	va_end(ap);
	if (n < 0 || n >= PATH_MAX)
		return cause_set(cause, ENAMETOOLONG, "%.100s...: the path is too long", out);
	return 0;
}

static const char *absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value == '/' ? value : NULL;
}

int paths_home(char out[PATH_MAX], struct cause *cause)
{
	const char *home = absolute("HOME");
	struct passwd user, *found;
	char text[1024];

	if (!home && !getpwuid_r(getuid(), &user, text, sizeof(text), &found) && found)
		home = user.pw_dir;
	if (!home || *home != '/')
		return cause_set(cause, ENOENT, "HOME: is not set; set it");
	return put(out, cause, "%s", home);
}

/* The value of an XDG variable, or rest below the home folder. */
static int xdg_folder(char out[PATH_MAX], const char *variable, const char *rest,
		      struct cause *cause)
{
	const char *folder = absolute(variable);
	char home[PATH_MAX];

	if (folder)
		return put(out, cause, "%s/vmdeck", folder);
	if (paths_home(home, NULL) < 0)
		return cause_set(cause, ENOENT, "HOME: is not set; set it or %s", variable);
	return put(out, cause, "%s/%s/vmdeck", home, rest);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int paths_settings(char out[PATH_MAX], const char *what, struct cause *cause)
{
	char user[PATH_MAX];
	int error = xdg_folder(user, "XDG_CONFIG_HOME", ".config", cause);

	return error ? error : put(out, cause, "%s/%s", user, what);
}

int paths_profiles(char out[PATH_MAX], const char *what, struct cause *cause)
{
	char user[PATH_MAX];
	int error;

	error = xdg_folder(user, "XDG_CONFIG_HOME", ".config", cause);
	if (!error)
		error = put(out, cause, "%s/%s", user, what);
	if ((error || !is_folder(out)) && is_folder(SYSCONFDIR "/vmdeck"))
		if (!put(user, NULL, "%s/vmdeck/%s", SYSCONFDIR, what) && is_folder(user))
			return put(out, cause, "%s", user);
	return error;
}

int paths_typed(char out[PATH_MAX], const char *typed, struct cause *cause)
{
	char folder[PATH_MAX];
	int error;

	if (*typed == '/')
		return put(out, cause, "%s", typed);
	if (!*typed)
		return cause_set(cause, EINVAL, "the name of a file is missing");
	if (*typed != '~' && !getcwd(folder, sizeof(folder)))
		return cause_errno(cause, errno, "the working folder");
	if (*typed != '~')
		return put(out, cause, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, typed);
	if (typed[1] && typed[1] != '/')
		return cause_set(cause, EINVAL, "%s: name that home folder in full", typed);
	error = paths_home(folder, cause);
	return error < 0 ? error : put(out, cause, "%s%s", folder, typed + 1);
}

int paths_state(char out[PATH_MAX], struct cause *cause)
{
	return xdg_folder(out, "XDG_STATE_HOME", ".local/state", cause);
}

int paths_data(char out[PATH_MAX], struct cause *cause)
{
	return xdg_folder(out, "XDG_DATA_HOME", ".local/share", cause);
}

/* Whether path itself, no link, is a folder that is ours and closed to others. */
static bool is_private(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

int paths_runtime(char out[PATH_MAX], struct cause *cause)
{
	unsigned uid = (unsigned)geteuid();
	const char *folder = absolute("XDG_RUNTIME_DIR");
	char standard[32];

	snprintf(standard, sizeof(standard), "/run/user/%u", uid);
	if (!folder || !is_private(folder))
		folder = is_private(standard) ? standard : NULL;
	return folder ? put(out, cause, "%s/vmdeck", folder) :
			put(out, cause, "/tmp/vmdeck-%u", uid);
}

int paths_make(const char *path, struct cause *cause)
{
	char part[PATH_MAX];
	size_t i;
	int error;

	error = put(part, cause, "%s", path);
	if (error)
		return error;
	for (i = 1; part[0]; i++) {
		char c = part[i];

		if (c && c != '/')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return cause_errno(cause, errno, "%s: cannot be made", part);
		part[i] = c;
		if (!c)
			break;
	}
	if (!is_folder(path))
		return cause_set(cause, ENOTDIR, "%s: is no folder", path);
	return 0;
}

int paths_make_runtime(char out[PATH_MAX], struct cause *cause)
{
	int error = paths_runtime(out, cause);
	struct stat st;

	if (!error)
		error = paths_make(out, cause);
	if (error)
		return error;
	if (lstat(out, &st) < 0)
		return cause_errno(cause, errno, "%s", out);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return cause_set(cause, EACCES, "%s: is no folder of yours alone; remove it, or set "
				 "XDG_RUNTIME_DIR", out);
	return 0;
}
