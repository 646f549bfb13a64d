/* See units.h. */
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A number and its unit; below tenths, with one digit behind the point. */
static const char *scale(char out[TEXT_NUMBER], double value, double base, const char *units,
			 double tenths)
{
	if (!(value > 0))
		value = 0;
	while (value >= 999.5 && units[1]) {
		value /= base;
		units++;
	}
	if (value > 9999)
		value = 9999;
	if (*units == ' ')
		snprintf(out, TEXT_NUMBER, "%.0f", value);
	else
		snprintf(out, TEXT_NUMBER, "%.*f%c", value < tenths ? 1 : 0, value, *units);
	return out;
}

const char *text_size(char out[TEXT_NUMBER], double bytes)
{
	return scale(out, bytes, 1024, " KMGTPE", 99.95);
}

int text_take_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = memchr(units, text[digits] & ~0x20, sizeof(units) - 1);
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (!digits || (text[digits] && (!unit || text[digits + 1])))
		return -EINVAL;
	for (*bytes = 0; digits--; text++)
		if (__builtin_mul_overflow(*bytes, 10, bytes) ||
		    __builtin_add_overflow(*bytes, (uint64_t)(*text - '0'), bytes))
			goto beyond;
	if (*bytes <= UINT64_MAX >> shift) {
		*bytes <<= shift;
		return 0;
	}
beyond:
	*bytes = UINT64_MAX;
	return -ERANGE;
}

const char *text_count(char out[TEXT_NUMBER], double count)
{
	return scale(out, count, 1000, " kMGTPE", 99.95);
}

const char *text_rate(char out[TEXT_NUMBER], double rate)
{
	char number[TEXT_NUMBER], *unit;

	scale(number, rate, 1000, " kMGTPE", 9.95);
	unit = number + strspn(number, "0123456789.");
	if (strcmp(number, "0") == 0)
		return strcpy(out, number);
	snprintf(out, TEXT_NUMBER, "%.*s%.1sB/s", (int)(unit - number), number, unit);
	return out;
}

const char *text_percent(char out[TEXT_NUMBER], double percent)
{
	if (!(percent > 0))
		percent = 0;
	if (percent > 99999)
		percent = 99999;
	snprintf(out, TEXT_NUMBER, "%.*f", percent < 99.95 ? 1 : 0, percent);
	return out;
}

const char *text_age(char out[TEXT_NUMBER], double seconds)
{
	unsigned s;

	if (!(seconds > 0))
		seconds = 0;
	if (seconds > 8e8)
		seconds = 8e8;
	s = (unsigned)seconds;
	if (s < 60)
		snprintf(out, TEXT_NUMBER, "%us", s);
	else if (s < 3600)
		snprintf(out, TEXT_NUMBER, "%um%02us", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_NUMBER, "%uh%02um", s / 3600, s / 60 % 60);
	else
		snprintf(out, TEXT_NUMBER, "%ud%02uh", s / 86400, s / 3600 % 24);
	return out;
}
