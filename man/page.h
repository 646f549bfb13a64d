/*
 * What a page is written with, and what it can be asked to take from a table;
 * make_page.c says how.
 */
#ifndef MAN_PAGE_H
#define MAN_PAGE_H

#include <stdbool.h>

/* Says what is wrong with the template at its line, and ends. */
void manual_fail(const char *what, const char *which) __attribute__((noreturn));

/* Sentences, each from a new line on; "{Xr vmdeck 1}" in them is a macro. */
void manual_text(const char *text);

/* "starts a guest" becomes "Starts a guest." */
void manual_help(const char *help);

#define MANUAL_NAMES_MAX 100

/* The names of one kind that the page describes. */
struct manual_names {
	const char *of[MANUAL_NAMES_MAX];
	unsigned count;
};

bool manual_has(const struct manual_names *names, const char *name);
void manual_note(struct manual_names *names, const char *name); /* fails if it is noted */

/*
 * What a line of the template asks for is noted first, of all lines, and then taken.
 * methods.c:
 */
void note_method(const char *name);
void take_method(const char *name);
void take_methods(const char *prefix);
void take_fields(const char *nothing);
void take_host_fields(const char *nothing);
void check_methods(void); /* fails if the page describes some and not all */

/* commands.c */
void note_command(const char *name);
void take_command(const char *name);
void take_commands(const char *nothing);
void check_commands(void);

/* keys.c */
void take_keys(const char *nothing);
void take_key_names(const char *nothing);

/* profiles.c */
void take_sections(const char *kind);

#endif
