/*
 * Building a report of mistakes. Any thread.
 */
#ifndef CORE_PROFILE_REPORT_H
#define CORE_PROFILE_REPORT_H

#include "core/profile/profile.h"

/* Adds a mistake in its place by line; beyond PROFILE_MISTAKES_MAX one says that there are more. */
void profile_report_add(struct profile_report *report, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
