/*
 * Profiles: the INI files that describe guests and switches.
 *
 * One table of keys (profile_keys()) serves the parser, "vmdeck check", the
 * manual page and whoever edits a profile. Reading collects every mistake,
 * each with file and line, instead of stopping at the first. Any thread; a
 * profile is immutable once read.
 */
#ifndef CORE_PROFILE_PROFILE_H
#define CORE_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cause.h"
#include "base/profile_key.h"
#include "control/names.h"
#include "net/port/port.h"
#include "net/switch/switch.h"

#define PROFILE_DISKS_MAX 4
#define PROFILE_NETS_MAX 4
#define PROFILE_CPUS_MAX 64

struct profile_disk {
	bool present;
	char *path;   /* absolute, or relative to the profile's folder and made absolute */
	bool readonly;
};

struct profile_net {
	bool present;
	char switch_name[NET_NAME_MAX];
	uint8_t mac[NET_MAC_SIZE]; /* given, or derived from guest name and NIC number (52:54:00:...) */
};

struct profile {
	char *path; /* of the file; NULL for a built-in guest */
	char name[NAME_SIZE];
	unsigned cpus;
	uint64_t memory; /* bytes */
	bool autostart;
	char *kernel;  /* NULL: the built-in demo guest */
	char *initrd;  /* or NULL */
	char *cmdline; /* "" if none */
	struct profile_disk disks[PROFILE_DISKS_MAX];
	struct profile_net nets[PROFILE_NETS_MAX];
};

/* The keys of guest profiles and of switch profiles; end with section NULL. */
const struct profile_key *profile_guest_keys(void);
const struct profile_key *profile_switch_keys(void);

/* One mistake; lines are counted from 1, 0 when it concerns the file as a whole. */
struct profile_mistake {
	unsigned line;
	char text[256]; /* "memory: 'x' is not a size; write 512M or 2G" */
};

#define PROFILE_MISTAKES_MAX 100 /* of a report; one more says that there are others */

/* By line, those of the file as a whole first. Text is UTF-8 without control characters. */
struct profile_report {
	struct profile_mistake *mistakes;
	size_t count;
};

/*
 * Reads a guest's profile. 0 and *out, or a negative errno with at least one
 * mistake in the report (-EINVAL: the file has mistakes; others: it cannot be
 * read). The report needs no initial value; it is the caller's in both cases
 * and is freed with profile_report_free().
 */
int profile_read(struct profile **out, const char *path, struct profile_report *report);
void profile_free(struct profile *profile); /* NULL is valid */
int profile_read_switch(struct switch_config *out, const char *path,
			struct profile_report *report);

/*
 * Reads a profile of either kind (a file with a section [switch] is a
 * switch's) for its mistakes alone; files that it names and that cannot be
 * opened are mistakes as well. 0 or a negative errno like profile_read().
 */
int profile_check(const char *path, struct profile_report *report);

/* "file:line: text" or "file: text", one mistake a line. */
void profile_report_print(const struct profile_report *report, const char *path, FILE *out);
void profile_report_free(struct profile_report *report); /* leaves an empty one */

/* The files of a folder that end in ".ini", by name; ended by a NULL. */
struct profile_files {
	char **paths;
	size_t count;
};

#define PROFILE_FILES_MAX 4096

/*
 * Lists a folder. A folder that does not exist has no files and is no
 * failure. -EACCES, -ENOTDIR, -E2BIG (more than PROFILE_FILES_MAX) and so on
 * with a cause. profile_files_free() is valid after a failure.
 */
int profile_files_list(struct profile_files *out, const char *folder, struct cause *cause);
void profile_files_free(struct profile_files *files);

/* Derives the MAC address of a guest's NIC from its name: 52:54:00 and a hash. */
void profile_derive_mac(const char *guest, unsigned nic, uint8_t mac[NET_MAC_SIZE]);

#endif
