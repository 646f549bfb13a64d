/* See capture_limits.h, and dumpcap(1) for what the words mean: a kB has 1000 bytes. */
#include "cli/capture_limits.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"

#define SECONDS_MAX (366ull * 24 * 3600)
#define KILOBYTES_MAX (1ull << 40)

static const struct criterion {
	const char *name;
	size_t offset;
	bool stop, turn;
	bool fraction;
	uint64_t unit, max;
} criteria[] = {
	{ "duration", offsetof(struct capture_limit, duration), true, true, true, NS_PER_S,
	  SECONDS_MAX },
	{ "interval", offsetof(struct capture_limit, interval), false, true, false, NS_PER_S,
	  SECONDS_MAX },
	{ "filesize", offsetof(struct capture_limit, bytes), true, true, false, 1000,
	  KILOBYTES_MAX },
	{ "packets", offsetof(struct capture_limit, packets), true, true, false, 1, UINT64_MAX / 10 },
	{ "files", offsetof(struct capture_limit, files), true, true, false, 1,
	  CAPTURE_FILES_MAX },
};

/* A number of units, with a fraction where there can be one; 0: that is none. */
static uint64_t read_number(const struct criterion *criterion, const char *text)
{
	uint64_t whole = 0, part = 0, unit = criterion->unit;
	bool any = false;

	for (; isdigit((unsigned char)*text); text++, any = true) {
		whole = whole * 10 + (uint64_t)(*text - '0');
		if (whole > criterion->max)
			return 0;
	}
	if (criterion->fraction && *text == '.')
		for (text++; isdigit((unsigned char)*text); text++, any = true) {
			unit /= 10;
			part += (uint64_t)(*text - '0') * unit;
		}
	return any && !*text ? whole * criterion->unit + part : 0;
}

const char *capture_limit_read(struct capture_limit *limit, bool stop, const char *text)
{
	const char *colon = strchr(text, ':');

	for (size_t i = 0; colon && i < ARRAY_SIZE(criteria); i++) {
		const struct criterion *criterion = &criteria[i];
		uint64_t number;

		if (strlen(criterion->name) != (size_t)(colon - text) ||
		    memcmp(criterion->name, text, (size_t)(colon - text)) != 0 ||
		    !(stop ? criterion->stop : criterion->turn))
			continue;
		number = read_number(criterion, colon + 1);
		if (!number)
			return "has no number that can be used";
		memcpy((char *)limit + criterion->offset, &number, sizeof(number));
		return NULL;
	}
	return "is none of";
}

const char *capture_limit_words(bool stop)
{
	return stop ? "duration:SECONDS, filesize:KB, packets:COUNT, files:COUNT" :
		      "duration:SECONDS, interval:SECONDS, filesize:KB, packets:COUNT, files:COUNT";
}

bool capture_limits_turn(const struct capture_limits *limits)
{
	const struct capture_limit *turn = &limits->turn;

	return turn->duration || turn->interval || turn->bytes || turn->packets;
}

const char *capture_limits_check(const struct capture_limits *limits)
{
	if (capture_limits_turn(limits))
		return NULL;
	if (limits->turn.files)
		return "--ring-buffer files:COUNT needs another --ring-buffer that says when a file "
		       "ends";
	if (limits->stop.files)
		return "--autostop files:COUNT needs --ring-buffer";
	return NULL;
}
