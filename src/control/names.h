/*
 * The names of guests and switches: one rule for profiles, for the deck that
 * must call a guest without a valid profile something, and for the protocol.
 * Any thread.
 */
#ifndef CONTROL_NAMES_H
#define CONTROL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_SIZE 32 /* bytes, with the zero */

/* name_valid() in words. */
#define NAME_RULE "1 to 31 letters, digits, '-', '_' and '.', with a letter or digit first"

/* What the file of a profile is called behind the name. */
#define NAME_FILE_SUFFIX ".ini"

/* Behind a guest's name, where that stands for a host: by it ssh(1) knows guests from hosts. */
#define NAME_HOST_SUFFIX ".vmdeck"

/* Whether it is 1 to 31 ASCII letters, digits, '-', '_' and '.', with a letter or digit first. */
bool name_valid(const char *name);

/* Whether it is such a name, as a switch has, or two of them, as a port has: "web/net0". */
bool name_of_port_valid(const char *name);

/* The valid name that is nearest to a text; "unnamed" when there is nothing of one in it. */
void name_make(char name[NAME_SIZE], const char *text, size_t length);

/* The name of another with this name, which is valid: "web.2". */
void name_number(char numbered[NAME_SIZE], const char *name, unsigned number);

/*
 * The order in which lists show names: as text, but numbers by their value, so that
 * "guest4" comes before "guest10". As strcmp(): 0 only for equal names.
 */
int name_order(const char *a, const char *b);

#endif
