/* Cause sentences. Any thread. */
#include "base/cause.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/sentence.h"

int cause_set(struct cause *cause, int error, const char *format, ...)
{
	va_list ap;

	if (cause) {
		va_start(ap, format);
		sentence_format(cause->text, sizeof(cause->text), format, ap);
		va_end(ap);
	}
	return -error;
}

int cause_errno(struct cause *cause, int error, const char *format, ...)
{
	va_list ap;
	char system[128];

	if (!cause)
		return -error;
	va_start(ap, format);
	sentence_format(cause->text, sizeof(cause->text), format, ap);
	va_end(ap);
	sentence_add(cause->text, sizeof(cause->text), strlen(cause->text), ": %s",
		     strerror_r(error, system, sizeof(system)));
	return -error;
}

int cause_prefix(struct cause *cause, int error, const char *format, ...)
{
	char text[CAUSE_SIZE];
	va_list ap;
	int n;

	if (!cause)
		return error;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return error;
	if (strncmp(cause->text, text, (size_t)n) == 0 && strncmp(cause->text + n, ": ", 2) == 0)
		return error;
	sentence_add(text, sizeof(text), (size_t)n, ": %s", cause->text);
	memcpy(cause->text, text, sizeof(text));
	return error;
}
