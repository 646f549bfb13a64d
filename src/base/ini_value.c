/* Finds values of INI files that are not what they look like. Any thread. */
#include "base/ini_value.h"

#include <stdio.h>
#include <string.h>

/* One that begins with a quote. */
static bool quoted_fault(const char *value, size_t size, char fault[INI_FAULT_SIZE])
{
	const char *rest = memchr(value + 1, *value, size - 1), *end = value + size;

	if (!rest) {
		snprintf(fault, INI_FAULT_SIZE, "the quote is not closed");
		return true;
	}
	for (rest++; rest < end && ini_is_blank(*rest); rest++)
		;
	if (rest == end || ini_is_comment(*rest))
		return false;
	snprintf(fault, INI_FAULT_SIZE, "there is text behind the closing quote; "
		 "put the other kind of quotes around the whole value");
	return true;
}

/* How a value that holds all of these characters can be written. */
static const char *way_to_write(const char *value, size_t size)
{
	if (!memchr(value, '\'', size))
		return "put '...' around the whole value";
	if (!memchr(value, '"', size))
		return "put \"...\" around the whole value";
	return "a value cannot have it beside both kinds of quotes";
}

/*
 * One that does not. Quotes inside of it protect nothing, so what looks as if it were meant to
 * be part of the value must not end it.
 */
static bool bare_fault(const char *value, size_t size, char fault[INI_FAULT_SIZE])
{
	bool open = false;
	size_t i;

	for (i = 0; i < size; open ^= value[i++] == '"') {
		if (!ini_is_comment(value[i]))
			continue;
		if (!open && (!i || ini_is_blank(value[i - 1])))
			break;
		snprintf(fault, INI_FAULT_SIZE, "the '%c' %s would end the value; %s%s", value[i],
			 open ? "inside the quotes" : "with no blank before it",
			 way_to_write(value, size), open ? "" : ", or a blank before a comment");
		return true;
	}
	if (open)
		snprintf(fault, INI_FAULT_SIZE, "the '\"' inside the value is not closed; "
			 "close it, or %s", way_to_write(value, i));
	return open;
}

bool ini_value_fault(const char *value, size_t size, char fault[INI_FAULT_SIZE])
{
	if (size && (*value == '"' || *value == '\''))
		return quoted_fault(value, size, fault);
	return bare_fault(value, size, fault);
}
