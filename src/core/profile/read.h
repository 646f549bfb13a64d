/*
 * Reading the INI files that describe guests and switches, by the tables of
 * keys. Every mistake is collected, each with its line, instead of stopping at
 * the first. Any thread.
 */
#ifndef CORE_PROFILE_READ_H
#define CORE_PROFILE_READ_H

#include "core/profile/profile.h"
#include "core/profile/report.h"
#include "net/port/port.h"

/*
 * Reads a guest's profile. 0 and *out, or a negative errno with at least one
 * mistake in the report (-EINVAL: the file has mistakes; others: it cannot be
 * read). The report needs no initial value; it is the caller's in both cases
 * and is freed with profile_report_free().
 */
int profile_read(struct profile **out, const char *path, struct profile_report *report);

/*
 * The same for who wants to know more of a profile that has mistakes: with -EINVAL *out is
 * what could be read of it, or NULL.
 */
int profile_read_partly(struct profile **out, const char *path, struct profile_report *report);

/* The same of a switch's profile; after 0 *out is to be freed by switch_config_free(). */
int profile_read_switch(struct switch_config *out, const char *path,
			struct profile_report *report);

#endif
