/* See trial.h. */
#include "cli/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/paths.h"
#include "base/plain.h"
#include "cli/fail.h"
#include "control/names.h"

#define FILE_PREFIX "run-"

/* Removes what runs that were killed have left behind. */
static void sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid;

		if (strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
			continue;
		pid = strtol(entry->d_name + strlen(FILE_PREFIX), &end, 10);
		if (pid > 0 && strcmp(end, NAME_FILE_SUFFIX) == 0 && kill((pid_t)pid, 0) < 0 &&
		    errno == ESRCH)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

int trial_write(char path[PATH_MAX], const struct profile_words *words, struct cause *cause)
{
	char folder[PATH_MAX];
	ssize_t written;
	int fd, err = paths_make_runtime(folder, cause);

	if (err)
		return err;
	sweep(folder);
	if (snprintf(path, PATH_MAX, "%s/" FILE_PREFIX "%ld" NAME_FILE_SUFFIX, folder,
		     (long)getpid()) >= PATH_MAX)
		return cause_errno(cause, ENAMETOOLONG, "%s", folder);
	/* One that was left by another process of our number. */
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	written = write(fd, words->text, words->size);
	err = written == (ssize_t)words->size ? 0 : written < 0 ? errno : ENOSPC;
	close(fd);
	if (err)
		(void)unlink(path);
	return err ? cause_errno(cause, err, "%s", path) : 0;
}

struct trial {
	const struct profile_words *words;
	const struct profile_word *pending;
	bool starts, failed;
};

/* The options are to blame for what is wrong with their lines. */
static void tell_mistake(void *arg, const char *profile, unsigned line, bool warning,
			 const char *text)
{
	struct trial *trial = arg;
	const struct profile_words *words = trial->words;
	const struct profile_word *word = line < ARRAY_SIZE(words->words) &&
					  line <= words->lines ? words->words[line] : NULL;
	size_t key = word ? strlen(word->key) : 0;
	bool option = word && word->option;

	(void)profile;
	if ((word && word == trial->pending) || (warning && trial->starts))
		return;
	trial->failed |= !warning;
	if (option && strncmp(text, word->key, key) == 0 && strncmp(text + key, ": ", 2) == 0)
		text += key + 2;
	plain_say("%s%s%s%s%s", warning ? "warning: " : "", option ? "--" : "",
		  option ? word->option : "", option ? ": " : "", text);
}

int trial_check(const struct cli *cli, const char *path, const struct profile_words *words,
		const struct profile_word *pending, bool starts)
{
	struct trial trial = { .words = words, .pending = pending, .starts = starts };
	struct cause cause = { "" };

	if (cli->hooks->check(path, tell_mistake, &trial, &cause) < 0 && *cause.text)
		return fail("%s", cause.text);
	return trial.failed ? CLI_FAILED : CLI_OK;
}
