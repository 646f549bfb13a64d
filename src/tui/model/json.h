/*
 * Reading what the server sent: every member may be missing or of another
 * type, and then has its fallback. Pure.
 */
#ifndef TUI_MODEL_JSON_H
#define TUI_MODEL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A string member, or "". Valid as long as object. */
static inline const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Where a disk is; one that lives in the deck's memory has no path. */
static inline const char *json_disk_path(const json_t *disk)
{
	const char *path = json_text(disk, "path");

	if (json_is_true(json_object_get(disk, "in_memory")))
		return "in memory";
	return *path ? path : "no medium";
}

/* "line 3: memory: ...", or the text alone of a mistake of the file as a whole. */
static inline void json_mistake(char *out, size_t size, const json_t *mistake)
{
	json_int_t line = json_integer_value(json_object_get(mistake, "line"));

	if (line > 0)
		snprintf(out, size, "line %lld: %s", (long long)line, json_text(mistake, "text"));
	else
		snprintf(out, size, "%s", json_text(mistake, "text"));
}

/* A number, or 0 for what is missing or not finite. */
static inline double json_double(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));

	return value == value && value < 1e300 && value > -1e300 ? value : 0;
}

/* A count, 0 for what is missing or negative. */
static inline uint64_t json_count(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static inline bool json_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif
