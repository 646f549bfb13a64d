/* Bounds of JSON (RFC 8259) before it is parsed. Any thread. */
#include "control/limits.h"

#include <errno.h>
#include <stdbool.h>

struct scan {
	const struct json_limits *limits;
	const char *text;
	size_t size, at; /* at: the byte that is looked at */
	unsigned depth, values;
	struct cause *cause;
};

static int count_value(struct scan *scan)
{
	if (scan->values++ < scan->limits->values)
		return 0;
	return cause_set(scan->cause, E2BIG, "more than %u values, at byte %zu",
			 scan->limits->values, scan->at + 1);
}

static int open_value(struct scan *scan)
{
	if (scan->depth++ >= scan->limits->depth)
		return cause_set(scan->cause, E2BIG, "deeper than %u arrays and objects inside "
				 "each other, at byte %zu", scan->limits->depth, scan->at + 1);
	scan->at++;
	return 0;
}

/* From the quote on to behind the one that ends it. */
static int skip_string(struct scan *scan)
{
	size_t start = ++scan->at;

	while (scan->at < scan->size && scan->text[scan->at] != '"')
		scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
	if (scan->at > scan->size)
		scan->at = scan->size;
	if (scan->at - start > scan->limits->string)
		return cause_set(scan->cause, E2BIG, "a string of more than %zu bytes, at byte %zu",
				 scan->limits->string, start);
	scan->at++;
	return 0;
}

/* Whether c can belong to a number or a word: neither structure, quote nor space. */
static bool in_number(char c)
{
	switch (c) {
	case '[': case ']': case '{': case '}': case ',': case ':': case '"':
	case ' ': case '\t': case '\r': case '\n':
		return false;
	}
	return true;
}

static int skip_number(struct scan *scan)
{
	size_t start = scan->at;

	while (scan->at < scan->size && in_number(scan->text[scan->at]))
		scan->at++;
	if (scan->at - start > scan->limits->number)
		return cause_set(scan->cause, E2BIG, "a number or word of more than %zu bytes, at "
				 "byte %zu", scan->limits->number, start + 1);
	return 0;
}

/* One value, or one character between values. */
static int step(struct scan *scan)
{
	char c = scan->text[scan->at];
	int error = 0;

	if (c == ']' || c == '}') {
		scan->depth -= scan->depth > 0;
	} else if (c == '[' || c == '{' || c == '"' || in_number(c)) {
		error = count_value(scan);
		if (error == 0 && c == '"')
			return skip_string(scan);
		if (error == 0)
			return c == '[' || c == '{' ? open_value(scan) : skip_number(scan);
	}
	scan->at++;
	return error;
}

int json_limits_check(const struct json_limits *limits, const char *text, size_t size,
		      struct cause *cause)
{
	struct scan scan = { .limits = limits, .text = text, .size = size, .cause = cause };
	int error = 0;

	while (error == 0 && scan.at < size)
		error = step(&scan);
	return error;
}
