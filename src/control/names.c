/* The names of guests and switches. Any thread. */
#include "control/names.h"

#include <stdio.h>
#include <string.h>

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_inner(char c)
{
	return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

bool name_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!(i ? is_inner(name[i]) : is_alphanumeric(name[i])))
			return false;
	return i > 0 && i < NAME_SIZE;
}

bool name_of_port_valid(const char *name)
{
	char first[NAME_SIZE];
	const char *slash = strchr(name, '/');

	if (!slash)
		return name_valid(name);
	if (slash - name >= NAME_SIZE)
		return false;
	memcpy(first, name, (size_t)(slash - name));
	first[slash - name] = '\0';
	return name_valid(first) && name_valid(slash + 1);
}

void name_make(char name[NAME_SIZE], const char *text, size_t length)
{
	const char *end = text + length;
	size_t size = 0;

	while (text < end && !is_alphanumeric(*text))
		text++;
	for (; text < end && size < NAME_SIZE - 1; text++)
		name[size++] = is_inner(*text) ? *text : '_';
	name[size] = '\0';
	if (!size)
		strcpy(name, "unnamed");
}

void name_number(char numbered[NAME_SIZE], const char *name, unsigned number)
{
	char suffix[16];
	size_t size = (size_t)snprintf(suffix, sizeof(suffix), ".%u", number) + 1;
	size_t length = strnlen(name, NAME_SIZE - size);

	memcpy(numbered, name, length);
	memcpy(numbered + length, suffix, size);
}

int name_order(const char *a, const char *b)
{
	return strverscmp(a, b);
}
