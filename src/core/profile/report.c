/*
 * Reports of mistakes in profiles. Any thread.
 */
#include "core/profile/report.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "base/sentence.h"

static void add(struct profile_mistake **list, size_t *count, unsigned line, const char *format,
		va_list ap)
{
	struct profile_mistake *mistakes = *list, mistake = { .line = line };
	size_t i;

	if (*count > PROFILE_MISTAKES_MAX)
		return;
	if (!mistakes) {
		mistakes = calloc(PROFILE_MISTAKES_MAX + 1, sizeof(*mistakes));
		if (!mistakes)
			return;
		*list = mistakes;
	}
	sentence_format(mistake.text, sizeof(mistake.text), format, ap);
	if (*count == PROFILE_MISTAKES_MAX) {
		mistake.line = mistakes[*count - 1].line;
		snprintf(mistake.text, sizeof(mistake.text),
			 "there are more mistakes than these %d", PROFILE_MISTAKES_MAX);
	}
	for (i = *count; i && mistakes[i - 1].line > mistake.line; i--)
		mistakes[i] = mistakes[i - 1];
	mistakes[i] = mistake;
	++*count;
}

void profile_report_add(struct profile_report *report, unsigned line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(&report->mistakes, &report->count, line, format, ap);
	va_end(ap);
}

void profile_report_warn(struct profile_report *report, unsigned line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(&report->warnings, &report->warning_count, line, format, ap);
	va_end(ap);
}

static bool list_equal(const struct profile_mistake *one, size_t one_count,
		       const struct profile_mistake *other, size_t other_count)
{
	if (one_count != other_count)
		return false;
	for (size_t i = 0; i < one_count; i++)
		if (one[i].line != other[i].line || strcmp(one[i].text, other[i].text))
			return false;
	return true;
}

bool profile_report_equal(const struct profile_report *one, const struct profile_report *other)
{
	return list_equal(one->mistakes, one->count, other->mistakes, other->count) &&
	       list_equal(one->warnings, one->warning_count, other->warnings,
			  other->warning_count);
}

void profile_mistake_place(char *out, size_t size, const char *path,
			   const struct profile_mistake *mistake)
{
	if (mistake->line)
		snprintf(out, size, "%s:%u", path, mistake->line);
	else
		snprintf(out, size, "%s", path);
}

void profile_report_first(char *out, size_t size, const char *path,
			  const struct profile_report *report)
{
	const char *slash = strrchr(path, '/');
	char place[NAME_MAX + 16], text[304], more[40] = "";

	profile_mistake_place(place, sizeof(place), slash ? slash + 1 : path, report->mistakes);
	if (report->count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", report->count - 1);
	sentence_add(text, sizeof(text), 0, "%s", report->mistakes->text);
	sentence_add(out, size, 0, "%s: %s%s", place, text, more);
}

void profile_report_print(const struct profile_report *report, const char *path, FILE *out)
{
	char place[PATH_MAX + 16];

	for (size_t i = 0; i < report->count; i++) {
		profile_mistake_place(place, sizeof(place), path, &report->mistakes[i]);
		plain_print(out, "%s: %s\n", place, report->mistakes[i].text);
	}
}

void profile_report_free(struct profile_report *report)
{
	free(report->mistakes);
	free(report->warnings);
	*report = (struct profile_report){ 0 };
}
