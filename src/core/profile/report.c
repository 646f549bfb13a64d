/*
 * Reports of mistakes in profiles. Any thread.
 */
#include "core/profile/report.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/plain.h"

void profile_report_add(struct profile_report *report, unsigned line, const char *format, ...)
{
	struct profile_mistake *mistakes = report->mistakes, mistake = { .line = line };
	size_t i;
	va_list ap;

	if (report->count > PROFILE_MISTAKES_MAX)
		return;
	if (!mistakes) {
		mistakes = calloc(PROFILE_MISTAKES_MAX + 1, sizeof(*mistakes));
		if (!mistakes)
			return;
		report->mistakes = mistakes;
	}
	va_start(ap, format);
	vsnprintf(mistake.text, sizeof(mistake.text), format, ap);
	va_end(ap);
	if (report->count == PROFILE_MISTAKES_MAX) {
		mistake.line = mistakes[report->count - 1].line;
		snprintf(mistake.text, sizeof(mistake.text),
			 "there are more mistakes than these %d", PROFILE_MISTAKES_MAX);
	}
	for (i = report->count; i && mistakes[i - 1].line > mistake.line; i--)
		mistakes[i] = mistakes[i - 1];
	mistakes[i] = mistake;
	report->count++;
}

void profile_mistake_place(char *out, size_t size, const char *path,
			   const struct profile_mistake *mistake)
{
	if (mistake->line)
		snprintf(out, size, "%s:%u", path, mistake->line);
	else
		snprintf(out, size, "%s", path);
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
	*report = (struct profile_report){ 0 };
}
