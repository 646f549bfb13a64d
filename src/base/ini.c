/*
 * Reads INI files. Any thread.
 *
 * The text is walked once, line by line. Lines that are in order are copied
 * to an anonymous file for iniparser, which reads files by name only; comments
 * are not, because a backslash at the end of one would swallow the next line.
 */
#include "base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iniparser/iniparser.h>

#include "base/ini_value.h"
#include "base/plain.h"
#include "base/sentence.h"

#define EXCERPT 48

struct ini {
	char *text; /* names point into it */
	dictionary *values;
	struct ini_section *sections;
	size_t section_count;
	struct ini_entry *entries;
	size_t entry_count;
};

/* One walk through a text. */
struct walk {
	struct ini *ini;
	ini_mistake_fn *mistake;
	void *arg;
	unsigned line, mistakes;
	const char *section; /* the one that keys go to, or NULL */
	bool skip;	     /* the header of the keys that follow was refused */
	bool full; /* the limit of keys or sections is reached */
	char *clean; /* the lines for iniparser */
	size_t clean_size;
};

static void __attribute__((format(printf, 3, 4)))
report(struct walk *walk, unsigned line, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	walk->mistake(walk->arg, line, text);
	walk->mistakes++;
}

/* The length of the UTF-8 character at text, 0 if it is none or a control character. */
static size_t character_size(const char *text, size_t size)
{
	uint32_t c;
	size_t n = plain_decode(text, size, &c);

	return n && (c == '\t' || (c >= ' ' && c < 0x7f) || c >= 0xa0) ? n : 0;
}

const char *ini_excerpt(const char *text, char *out, size_t size)
{
	size_t n = strlen(text);

	if (n < size)
		return memcpy(out, text, n + 1);
	n = size - 4;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, text, n);
	memcpy(out + n, "...", 4);
	return out;
}

static bool is_name(const char *text, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t i;

	for (i = 0; i < size; i++)
		if (!memchr(allowed, text[i] | (text[i] >= 'A' && text[i] <= 'Z' ? 0x20 : 0),
			    sizeof(allowed) - 1))
			return false;
	return size > 0;
}

/* Ends and lower-cases a name inside the text. */
static const char *take_name(char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] |= 0x20;
	text[size] = '\0';
	return text;
}

static void trim(char **text, size_t *size)
{
	while (*size && ini_is_blank((*text)[*size - 1]))
		--*size;
	while (*size && ini_is_blank(**text)) {
		++*text;
		--*size;
	}
}

/* An array with room for one item more; sizes are 16 and its doubles. NULL: no memory. */
static void *grow(void *items, size_t count, size_t size)
{
	if (count && (count < 16 || (count & (count - 1))))
		return items;
	return reallocarray(items, count ? count * 2 : 16, size);
}

/* "[name]", perhaps with a comment behind it. */
static int take_section(struct walk *walk, char *line, size_t size)
{
	struct ini *ini = walk->ini;
	char *name = line + 1, *end = memchr(line, ']', size), *rest;
	struct ini_section *sections;
	char text[EXCERPT];
	size_t name_size, rest_size, i;

	walk->section = NULL;
	walk->skip = true;
	if (!end) {
		report(walk, walk->line, "the section's name has no ']' at its end");
		return 0;
	}
	rest = end + 1;
	rest_size = size - (size_t)(rest - line);
	trim(&rest, &rest_size);
	name_size = (size_t)(end - name);
	trim(&name, &name_size);
	if (rest_size && !ini_is_comment(*rest)) {
		report(walk, walk->line, "there is text behind the ']' of a section; "
		       "keys stand on lines of their own");
		return 0;
	}
	if (!is_name(name, name_size)) {
		name[name_size] = '\0';
		report(walk, walk->line, "[%s] is no name of a section; use letters, digits, "
		       "'-', '_' and '.'", ini_excerpt(name, text, sizeof(text)));
		return 0;
	}
	take_name(name, name_size);
	walk->skip = false;
	walk->clean_size += (size_t)sprintf(walk->clean + walk->clean_size, "[%s]\n", name);
	for (i = 0; i < ini->section_count; i++) {
		if (strcmp(ini->sections[i].name, name))
			continue;
		report(walk, walk->line, "[%s] stands twice, first in line %u; "
		       "put its keys together", ini_excerpt(name, text, sizeof(text)),
		       ini->sections[i].line);
		walk->section = ini->sections[i].name;
		return 0;
	}
	if (ini->section_count == INI_ENTRIES_MAX) {
		walk->full = true;
		return 0;
	}
	sections = grow(ini->sections, ini->section_count, sizeof(*sections));
	if (!sections)
		return -ENOMEM;
	ini->sections = sections;
	sections[ini->section_count++] = (struct ini_section){ name, walk->line };
	walk->section = name;
	return 0;
}

static int take_entry(struct walk *walk, char *line, size_t size, char *equals)
{
	struct ini *ini = walk->ini;
	char *key = line, *value = equals + 1;
	size_t key_size = (size_t)(equals - line), value_size = size - key_size - 1, i;
	struct ini_entry *entries;
	char text[EXCERPT], fault[INI_FAULT_SIZE];

	trim(&key, &key_size);
	trim(&value, &value_size);
	if (!is_name(key, key_size)) {
		*equals = '\0';
		report(walk, walk->line, "'%s' is no name of a key; use letters, digits, "
		       "'-', '_' and '.'", ini_excerpt(key, text, sizeof(text)));
		return 0;
	}
	if (walk->skip)
		return 0;
	take_name(key, key_size);
	if (!walk->section) {
		report(walk, walk->line, "%s: stands in no section; begin with a line "
		       "such as [guest]", ini_excerpt(key, text, sizeof(text)));
		return 0;
	}
	if (ini_value_fault(value, value_size, fault)) {
		report(walk, walk->line, "%s: %s", ini_excerpt(key, text, sizeof(text)), fault);
		return 0;
	}
	for (i = 0; i < ini->entry_count; i++) {
		if (ini->entries[i].section != walk->section ||
		    strcmp(ini->entries[i].key, key))
			continue;
		report(walk, walk->line, "%s: is given twice, first in line %u; remove one",
		       ini_excerpt(key, text, sizeof(text)), ini->entries[i].line);
		return 0;
	}
	if (ini->entry_count == INI_ENTRIES_MAX) {
		walk->full = true;
		return 0;
	}
	entries = grow(ini->entries, ini->entry_count, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	ini->entries = entries;
	entries[ini->entry_count++] =
		(struct ini_entry){ walk->section, key, NULL, walk->line };
	walk->clean_size += (size_t)sprintf(walk->clean + walk->clean_size, "%s=%.*s\n", key,
					    (int)value_size, value);
	return 0;
}

/* line[size] may be written. */
static int take_line(struct walk *walk, char *line, size_t size)
{
	char text[EXCERPT], *equals;
	size_t i, n;

	trim(&line, &size);
	if (!size || ini_is_comment(*line))
		return 0;
	if (size > INI_LINE_MAX) {
		report(walk, walk->line, "the line has %zu bytes; at most %u are read", size,
		       INI_LINE_MAX);
		return 0;
	}
	for (i = 0; i < size; i += n) {
		n = character_size(line + i, size - i);
		if (!n) {
			report(walk, walk->line, "byte 0x%02x is a control character or no UTF-8; "
			       "is this a text file?", (unsigned char)line[i]);
			return 0;
		}
	}
	if (line[size - 1] == '\\') {
		report(walk, walk->line, "a line cannot be continued with '\\'; "
		       "write it as one");
		return 0;
	}
	if (*line == '[')
		return take_section(walk, line, size);
	equals = memchr(line, '=', size);
	if (equals)
		return take_entry(walk, line, size, equals);
	line[size] = '\0';
	report(walk, walk->line, "'%s' is neither a [section] nor 'key = value'",
	       ini_excerpt(line, text, sizeof(text)));
	return 0;
}

static int take_text(struct walk *walk, char *text, size_t size)
{
	char *line = text, *end = text + size, *next;
	size_t length;
	int error;

	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		line += 3;
	for (; line < end && !walk->full && walk->mistakes < INI_MISTAKES_MAX; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		length = (size_t)((next ? next : end) - line);
		next = next ? next + 1 : end;
		if (length && line[length - 1] == '\r')
			length--;
		walk->line++;
		error = take_line(walk, line, length);
		if (error)
			return error;
	}
	if (walk->full)
		report(walk, walk->line, "the file has more than %u keys or sections; "
		       "this line and the rest are not read", INI_ENTRIES_MAX);
	else if (walk->mistakes >= INI_MISTAKES_MAX)
		report(walk, walk->line, "too many mistakes; the rest is not read; "
		       "is this a profile?");
	return 0;
}

static int discard_message(const char *format, ...)
{
	(void)format;
	return 0;
}

static void silence_iniparser(void)
{
	iniparser_set_error_callback(discard_message);
}

/* Has iniparser read the lines that were found to be in order. */
static int load_values(dictionary **out, const char *text, size_t size, const char *name,
		       struct cause *cause)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char path[32];
	int fd, error = 0;
	ssize_t n;

	pthread_once(&once, silence_iniparser);
	fd = memfd_create("ini", MFD_CLOEXEC);
	if (fd < 0)
		return cause_errno(cause, errno, "%s: cannot be parsed", name);
	while (size) {
		n = write(fd, text, size);
		if (n < 0) {
			error = cause_errno(cause, errno, "%s: cannot be parsed", name);
			break;
		}
		text += n;
		size -= (size_t)n;
	}
	if (!error) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		*out = iniparser_load(path);
		if (!*out)
			error = cause_set(cause, EIO, "%s: iniparser cannot read it; "
					  "is /proc mounted?", name);
	}
	close(fd);
	return error;
}

/* Gives the entries their values. One that iniparser does not know is dropped. */
static void take_values(struct walk *walk)
{
	struct ini *ini = walk->ini;
	char name[2 * INI_LINE_MAX + 2], text[EXCERPT];
	size_t i, kept = 0, counted = 0, count = ini->entry_count;

	for (i = 0; i < count; i++) {
		struct ini_entry entry = ini->entries[i];

		snprintf(name, sizeof(name), "%s:%s", entry.section, entry.key);
		entry.value = iniparser_getstring(ini->values, name, NULL);
		if (entry.value)
			ini->entries[kept++] = entry;
		else
			report(walk, entry.line, "%s: cannot be read; write it in a simpler way",
			       ini_excerpt(entry.key, text, sizeof(text)));
	}
	ini->entry_count = kept;
	for (i = 0; i < ini->section_count; i++) {
		int n = iniparser_getsecnkeys(ini->values, ini->sections[i].name);

		counted += n > 0 ? (size_t)n : 0;
	}
	if (counted != count)
		report(walk, 0, "%zu keys were found, but %zu were read; write the file in a "
		       "simpler way", count, counted);
}

int ini_parse(struct ini **out, const char *name, const char *text, size_t size,
	      ini_mistake_fn *mistake, void *arg, struct cause *cause)
{
	struct walk walk = { .mistake = mistake, .arg = arg };
	struct ini *ini;
	int error;

	*out = NULL;
	if (size > INI_FILE_MAX)
		return cause_set(cause, EFBIG, "%s: is larger than %u KiB; is this a profile?",
				 name, INI_FILE_MAX >> 10);
	ini = calloc(1, sizeof(*ini));
	if (!ini)
		return cause_errno(cause, ENOMEM, "%s", name);
	walk.ini = ini;
	ini->text = malloc(size + 1);
	walk.clean = malloc(size + 3); /* a newline more than the text, and sprintf's zero */
	if (!ini->text || !walk.clean) {
		error = cause_errno(cause, ENOMEM, "%s", name);
		goto out;
	}
	memcpy(ini->text, text, size);
	ini->text[size] = '\0';
	error = take_text(&walk, ini->text, size);
	if (error)
		cause_errno(cause, -error, "%s", name);
	if (!error)
		error = load_values(&ini->values, walk.clean, walk.clean_size, name, cause);
	if (!error)
		take_values(&walk);
out:
	free(walk.clean);
	if (error)
		ini_free(ini);
	else
		*out = ini;
	return error;
}

/* Reads on until the end of the file or INI_FILE_MAX + 1 bytes; room is for its first size. */
static int read_all(int fd, char **text, size_t *size, size_t room)
{
	ssize_t n;

	for (;;) {
		char *grown = realloc(*text, room);

		if (!grown)
			return -ENOMEM;
		*text = grown;
		while (*size < room && (n = read(fd, *text + *size, room - *size))) {
			if (n < 0 && errno != EINTR)
				return -errno;
			*size += n < 0 ? 0 : (size_t)n;
		}
		if (*size < room || room > INI_FILE_MAX)
			return 0;
		room = room * 2 > INI_FILE_MAX ? INI_FILE_MAX + 1 : room * 2;
	}
}

static int check_kind(const struct stat *st, const char *path, struct cause *cause)
{
	if (S_ISDIR(st->st_mode))
		return cause_set(cause, EISDIR, "%s: is a folder; name a file", path);
	if (!S_ISREG(st->st_mode))
		return cause_set(cause, EINVAL, "%s: is no regular file; name one", path);
	return 0;
}

/* The file's bytes, with at most INI_FILE_MAX + 1 read. The caller frees *text. */
static int read_file(char **text, size_t *size, const char *path, struct cause *cause)
{
	struct stat st;
	int fd, error;

	*text = NULL;
	*size = 0;
	/* Before it is opened: opening some devices does something. */
	if (stat(path, &st))
		return cause_errno(cause, errno, "%s", path);
	error = check_kind(&st, path, cause);
	if (error)
		return error;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	error = fstat(fd, &st) ? cause_errno(cause, errno, "%s", path) :
				 check_kind(&st, path, cause);
	if (!error) {
		error = read_all(fd, text, size, st.st_size < INI_FILE_MAX ?
				 (size_t)st.st_size + 1 : INI_FILE_MAX + 1);
		if (error)
			cause_errno(cause, -error, "%s", path);
	}
	close(fd);
	if (error) {
		free(*text);
		*text = NULL;
	}
	return error;
}

int ini_open(struct ini **out, const char *path, ini_mistake_fn *mistake, void *arg,
	     struct cause *cause)
{
	size_t size;
	char *text;
	int error;

	*out = NULL;
	error = read_file(&text, &size, path, cause);
	if (error)
		return error;
	error = ini_parse(out, path, text, size, mistake, arg, cause);
	free(text);
	return error;
}

const struct ini_section *ini_section(const struct ini *ini, size_t index)
{
	return index < ini->section_count ? &ini->sections[index] : NULL;
}

const struct ini_entry *ini_entry(const struct ini *ini, size_t index)
{
	return index < ini->entry_count ? &ini->entries[index] : NULL;
}

const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < ini->entry_count; i++)
		if (!strcmp(ini->entries[i].section, section) && !strcmp(ini->entries[i].key, key))
			return &ini->entries[i];
	return NULL;
}

unsigned ini_line(const struct ini *ini, const char *section, const char *key)
{
	const struct ini_entry *entry = ini_find(ini, section, key);
	size_t i;

	if (entry)
		return entry->line;
	for (i = 0; i < ini->section_count; i++)
		if (!strcmp(ini->sections[i].name, section))
			return ini->sections[i].line;
	return 0;
}

void ini_free(struct ini *ini)
{
	if (!ini)
		return;
	if (ini->values)
		iniparser_freedict(ini->values);
	free(ini->sections);
	free(ini->entries);
	free(ini->text);
	free(ini);
}
