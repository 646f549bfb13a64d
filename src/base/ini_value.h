/*
 * Values of INI files as they stand behind the '=': quotes and comments; see
 * ini.h. Any thread.
 */
#ifndef BASE_INI_VALUE_H
#define BASE_INI_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#define INI_FAULT_SIZE 160

static inline bool ini_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool ini_is_comment(char c)
{
	return c == ';' || c == '#';
}

/*
 * Whether a value of size bytes, without blanks around it but perhaps with a comment behind it,
 * would be read otherwise than it looks; then fault is a sentence that begins after "key: ".
 */
bool ini_value_fault(const char *value, size_t size, char fault[INI_FAULT_SIZE]);

#endif
