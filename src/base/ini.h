/*
 * INI files: sections of "key = value" lines, with the line each came from.
 *
 * Values are parsed by iniparser. The library gives no line numbers, keeps
 * the last of two equal keys, takes ':' for a separator and gives up on the
 * first long line, so the file's structure is read here as well: what is not
 * plainly a section, a key or a comment is reported and kept from iniparser,
 * and a key that only one of the two sees is a mistake.
 *
 * Names of sections and keys are letters, digits, '-', '_' and '.', and
 * compare without regard to case (ASCII); they are handed out in lower case.
 * A ';' or '#' begins a comment, except inside quotes around the whole value
 * ("..." or '...', no escapes); one without a blank before it, or inside quotes
 * that begin in the middle of a value, is a mistake. Text is UTF-8; a byte order
 * mark and CR LF line ends are accepted.
 *
 * Any thread; a struct ini is immutable and its strings live as long as it.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stddef.h>

#include "base/cause.h"

/* What looks for a key, or for one given twice, does so one by one: these keep it short. */
#define INI_FILE_MAX (64u << 10) /* bytes of a file */
#define INI_LINE_MAX 1000u	 /* bytes of a line that is not a comment */
#define INI_ENTRIES_MAX 256u	 /* keys of a file; and as many sections */
#define INI_MISTAKES_MAX 256u	 /* then the rest of the file is not read */

struct ini;

struct ini_section {
	const char *name;
	unsigned line; /* of its header */
};

struct ini_entry {
	const char *section;
	const char *key;
	const char *value; /* "" if nothing is given */
	unsigned line;
};

/* Called with each mistake, in order of the lines up to 0, the file as a whole. */
typedef void ini_mistake_fn(void *arg, unsigned line, const char *text);

/*
 * Reads a file; does not wait for one that is a pipe, nor open a device. 0 if it
 * could be read, whatever mistakes it has; the parts that have none are in *out. -ENOENT,
 * -EACCES, -EISDIR, -EINVAL (not a regular file), -EFBIG, -ENOMEM and so on with a cause.
 */
int ini_open(struct ini **out, const char *path, ini_mistake_fn *mistake, void *arg,
	     struct cause *cause);

/* The same for size bytes of text; name stands in causes. */
int ini_parse(struct ini **out, const char *name, const char *text, size_t size,
	      ini_mistake_fn *mistake, void *arg, struct cause *cause);

/* In order of the file; NULL beyond the last. A repeated section or key appears once. */
const struct ini_section *ini_section(const struct ini *ini, size_t index);
const struct ini_entry *ini_entry(const struct ini *ini, size_t index);

/* The value of a key, or NULL. Names in lower case. */
const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *key);

/* The line of a key, or else of its section, or 0. Names in lower case. */
unsigned ini_line(const struct ini *ini, const char *section, const char *key);

void ini_free(struct ini *ini); /* NULL is valid */

/*
 * Copies text to out, at most size - 1 bytes of it, for use in a sentence:
 * whole UTF-8 characters, with "..." in the place of what does not fit.
 * size is at least 4. Returns out.
 */
const char *ini_excerpt(const char *text, char *out, size_t size);

#endif
