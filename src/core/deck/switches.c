/* See switches.h. */
#include "core/deck/switches.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sentence.h"
#include "core/deck/demo.h"
#include "core/profile/folder.h"
#include "core/profile/read.h"
#include "net/network.h"

/* A file of the folder, and what is known of it. */
struct switch_file {
	char *path;
	struct switch_config config; /* the newest that is valid */
	bool valid;		     /* there is one */
	struct profile_stamp stamp;
	struct profile_report report; /* of the newest */
	bool gone;
	bool waits; /* what it says is not applied, and that was said */
	bool failed; /* its switch could not be made, and that was said */
	struct switch_file *next;
};

static void __attribute__((format(printf, 2, 3)))
say(struct switches *switches, const char *format, ...)
{
	char sentence[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	sentence_format(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	switches->say(switches->arg, sentence);
}

/* --- reading --- */

static struct switch_file *file_of(struct switches *switches, const char *path)
{
	struct switch_file **at, *file;

	for (at = &switches->files; *at; at = &(*at)->next)
		if (strcmp((*at)->path, path) == 0)
			return *at;
	file = calloc(1, sizeof(*file));
	if (file)
		file->path = strdup(path);
	if (file && file->path)
		return *at = file;
	free(file);
	return NULL;
}

static void say_mistakes(struct switches *switches, const struct switch_file *file)
{
	char place[PATH_MAX + 16];

	for (size_t i = 0; i < file->report.count; i++) {
		profile_mistake_place(place, sizeof(place), file->path, &file->report.mistakes[i]);
		say(switches, "%s: %s", place, file->report.mistakes[i].text);
	}
	if (file->valid && file->report.count)
		say(switches, "switch %s stays as it is: its profile has mistakes",
		    file->config.name);
}

static void read_file(void *arg, const char *path)
{
	struct profile_stamp stamp = profile_stamp_take(path);
	struct switches *switches = arg;
	struct switch_file *file = file_of(switches, path);
	struct profile_report report;
	struct switch_config config;

	if (!file) {
		say(switches, "%s: out of memory", path);
		return;
	}
	file->gone = false;
	if (profile_stamp_equal(&file->stamp, &stamp))
		return;
	file->stamp = stamp;
	if (profile_read_switch(&config, path, &report) == 0) {
		file->failed &= file->valid && switch_config_equal(&file->config, &config);
		switch_config_free(&file->config);
		file->config = config;
		file->valid = true;
	}
	if (profile_report_equal(&file->report, &report)) {
		profile_report_free(&report);
		return;
	}
	profile_report_free(&file->report);
	file->report = report;
	say_mistakes(switches, file);
}

/* --- applying --- */

static void make(struct switches *switches, struct switch_file *file, const char *done)
{
	struct net_switch *sw;
	struct cause cause;

	if (switch_new(&sw, switches->network, &file->config, &cause) == 0) {
		file->failed = false;
		switches->made(switches->arg, sw);
		if (done)
			say(switches, "switch %s: %s", file->config.name, done);
	} else if (!file->failed) {
		file->failed = true;
		say(switches, "%s: %s", file->path, cause.text);
	}
}

static const char *news_of(const struct switch_file *file)
{
	return file->gone ? "its profile is gone" : "its profile has changed";
}

static void say_waits(struct switches *switches, const struct switch_file *file)
{
	say(switches, "switch %s: %s; that is applied when no running guest is on it",
	    file->config.name, news_of(file));
}

static void apply(struct switches *switches, struct switch_file *file)
{
	struct net_switch *sw = network_find_switch(switches->network, file->config.name);

	if (sw && !file->gone && switch_config_equal(switch_get_config(sw), &file->config)) {
		if (file->waits)
			say(switches, "switch %s: its profile is again what it is",
			    file->config.name);
		file->waits = false;
		return;
	}
	if (sw && switches->used(switches->arg, file->config.name)) {
		if (!file->waits)
			say_waits(switches, file);
		file->waits = true;
		return;
	}
	switch_free(sw);
	file->waits = false;
	if (!file->gone)
		make(switches, file, sw ? "as its profile says now" :
				     switches->settled ? "new" : NULL);
	else if (sw)
		say(switches, "switch %s: %s", file->config.name, news_of(file));
}

/* Nothing of it is read any more; where it comes back it is read again. */
static void lose(struct switch_file *file)
{
	profile_report_free(&file->report);
	file->stamp = (struct profile_stamp){ 0 };
}

static void forget(struct switch_file **at)
{
	struct switch_file *file = *at;

	*at = file->next;
	profile_report_free(&file->report);
	switch_config_free(&file->config);
	free(file->path);
	free(file);
}

static void make_default(struct switches *switches)
{
	struct net_switch *sw;
	struct cause cause;

	if (network_find_switch(switches->network, demo_switch.name) ||
	    !switches->wanted(switches->arg, demo_switch.name))
		return;
	if (switch_new(&sw, switches->network, &demo_switch, &cause) == 0)
		switches->made(switches->arg, sw);
	else
		say(switches, "%s", cause.text);
}

void switches_apply(struct switches *switches)
{
	struct switch_file **at = &switches->files;

	while (*at) {
		struct switch_file *file = *at;

		/* With mistakes in its profile it stays as it is. */
		if (file->valid && !file->report.count)
			apply(switches, file);
		if (file->gone && !file->waits)
			forget(at);
		else
			at = &file->next;
	}
	make_default(switches);
}

int switches_read(struct switches *switches, const char *folder, struct cause *cause)
{
	int err = 0;

	for (struct switch_file *file = switches->files; file; file = file->next)
		file->gone = true;
	if (folder)
		err = profile_folder_read(folder, read_file, switches, cause);
	/* Of a folder that cannot be read nothing is known: the switches stay. */
	for (struct switch_file *file = switches->files; err && file; file = file->next)
		file->gone = false;
	for (struct switch_file *file = switches->files; file; file = file->next)
		if (file->gone)
			lose(file);
	switches_apply(switches);
	switches->settled = true;
	return err;
}

int switches_mistaken(const char *name, const char *path, struct cause *cause)
{
	return cause_set(cause, EINVAL, "the profile of switch %s has mistakes; see "
			 "'vmdeck check %s'", name, path);
}

int switches_check(const struct switches *switches, const char *name, struct cause *cause)
{
	for (const struct switch_file *file = switches->files; file; file = file->next) {
		size_t length;
		const char *own = profile_file_name(file->path, &length);

		if (file->report.count && length == strlen(name) && !memcmp(own, name, length))
			return switches_mistaken(name, file->path, cause);
	}
	return 0;
}

void switches_remind(struct switches *switches)
{
	for (const struct switch_file *file = switches->files; file; file = file->next) {
		say_mistakes(switches, file);
		if (file->waits && !file->report.count)
			say_waits(switches, file);
	}
}

void switches_destroy(struct switches *switches)
{
	while (switches->files)
		forget(&switches->files);
}
