/* See settings.h. */
#include "tui/ui/settings.h"

#include <curses.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/ini.h"
#include "base/suggest.h"

#define KEYS_MOST 8 /* of one command */
#define COLOURS_MOST 256

/* Colours by number, of the 256 of xterm. */
static const struct {
	const char *name;
	struct draw_inks inks;
} themes[] = {
	{ "default",
	  { { [INK_GOOD] = COLOR_GREEN,
	      [INK_WARN] = COLOR_YELLOW,
	      [INK_BAD] = COLOR_RED,
	      [INK_ACCENT] = COLOR_CYAN,
	      [INK_SECOND] = COLOR_MAGENTA } } },
	/* Of the colours of Okabe and Ito, which those who see no red or green tell apart. */
	{ "colour-blind",
	  { { [INK_GOOD] = 32,
	      [INK_WARN] = 214,
	      [INK_BAD] = 166,
	      [INK_ACCENT] = 74,
	      [INK_SECOND] = 175 } } },
	{ "high-contrast",
	  { { [INK_GOOD] = 10,
	      [INK_WARN] = 11,
	      [INK_BAD] = 9,
	      [INK_ACCENT] = 14,
	      [INK_SECOND] = 13 } } },
};

static const char *const ink_names[INK_COUNT] = {
	[INK_GOOD] = "good",     [INK_WARN] = "warning",  [INK_BAD] = "bad",
	[INK_ACCENT] = "accent", [INK_SECOND] = "second",
};

static const char *const colour_names[] = { "black", "red",     "green", "yellow",
					    "blue",  "magenta", "cyan",  "white" };

struct reading {
	struct settings *settings;
	const char *path;
};

const char *settings_theme(unsigned n)
{
	return n < ARRAY_SIZE(themes) ? themes[n].name : NULL;
}

void settings_begin(struct settings *settings)
{
	*settings = (struct settings){ .keys = keys_table, .inks = themes[0].inks };
}

static void take_mistake(void *arg, unsigned line, const char *text)
{
	struct reading *reading = arg;
	struct settings *settings = reading->settings;
	char *sentence;

	if (settings->mistake_count++ >= SETTINGS_MISTAKES)
		return;
	if (asprintf(&sentence, "%s:%u: %s", reading->path, line, text) < 0)
		sentence = NULL;
	settings->mistakes[settings->mistake_count - 1] = sentence;
}

__attribute__((format(printf, 3, 4))) static void mistake(struct reading *reading, unsigned line,
							  const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	take_mistake(reading, line, text);
}

/* --- colours --- */

static bool parse_colour(const char *text, short *out)
{
	const char *name = strncmp(text, "bright-", 7) == 0 ? text + 7 : text;
	char *end;
	long number;

	for (short i = 0; i < (short)ARRAY_SIZE(colour_names); i++)
		if (strcasecmp(name, colour_names[i]) == 0) {
			*out = (short)(i + (name == text ? 0 : 8));
			return true;
		}
	if (strcasecmp(text, "default") == 0) {
		*out = -1;
		return true;
	}
	number = strtol(text, &end, 10);
	if (!*text || *end || number < 0 || number >= COLOURS_MOST)
		return false;
	*out = (short)number;
	return true;
}

static void take_theme(struct reading *reading, const struct ini_entry *entry)
{
	struct suggestion near = { .wrong = entry->value };

	for (size_t i = 0; i < ARRAY_SIZE(themes); i++) {
		suggest_offer(&near, themes[i].name);
		if (strcmp(entry->value, themes[i].name) == 0) {
			reading->settings->inks = themes[i].inks;
			return;
		}
	}
	mistake(reading, entry->line,
		"theme: there is no '%.60s'%s%s; it is default, colour-blind or "
		"high-contrast",
		entry->value, near.best ? "; did you mean " : "", near.best ? near.best : "");
}

static void take_colour(struct reading *reading, const struct ini_entry *entry)
{
	unsigned ink = INK_TEXT + 1;

	while (ink < INK_COUNT && strcmp(entry->key, ink_names[ink]) != 0)
		ink++;
	if (ink == INK_COUNT)
		mistake(reading, entry->line,
			"%.60s: nothing is drawn in a colour of that name; there "
			"are good, warning, bad, accent and second",
			entry->key);
	else if (!parse_colour(entry->value, &reading->settings->inks.colours[ink]))
		mistake(reading, entry->line,
			"%s: '%.60s' is no colour; write a name such as green or "
			"bright-green, a number from 0 to 255, or default",
			entry->key, entry->value);
}

/* --- keys --- */

/* What one word of a value says: codes that the terminal sends for a key. */
static size_t parse_key(const char *word, int codes[3])
{
	if (!word[1] && word[0] > ' ' && word[0] <= '~') {
		codes[0] = word[0];
		return 1;
	}
	if (strncasecmp(word, "ctrl-", 5) == 0 && word[5] && !word[6]) {
		codes[0] = KEYS_CTRL(word[5]);
		return codes[0] ? 1 : 0;
	}
	if ((word[0] == 'F' || word[0] == 'f') && atoi(word + 1) > 0 && atoi(word + 1) <= 12) {
		codes[0] = KEY_F(atoi(word + 1));
		return 1;
	}
	if (strcasecmp(word, "enter") == 0) {
		codes[0] = '\r';
		codes[1] = '\n';
		codes[2] = KEY_ENTER;
		return 3;
	}
	for (size_t i = 0; i < keys_table.count; i++)
		if (strcasecmp(word, keys_table.rows[i].label) == 0) {
			codes[0] = keys_table.rows[i].key;
			return 1;
		}
	return 0;
}

/* The keys that a command is to have. */
struct wanted {
	const struct ini_entry *entry;
	struct {
		int code;
		const char *label;
	} keys[KEYS_MOST * 3];
	size_t count;
};

static const char *keep_label(struct settings *settings, const char *word)
{
	char **labels = realloc(settings->labels, (settings->label_count + 1) * sizeof(*labels));
	char *label = labels ? strdup(word) : NULL;

	if (labels)
		settings->labels = labels;
	if (label)
		labels[settings->label_count++] = label;
	return label;
}

/* False after a mistake. */
static bool parse_keys(struct reading *reading, struct wanted *wanted)
{
	const struct ini_entry *entry = wanted->entry;
	char text[128], *save, *word;

	snprintf(text, sizeof(text), "%s", entry->value);
	for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		int codes[3];
		size_t n = parse_key(word, codes);
		const char *label = n ? keep_label(reading->settings, word) : NULL;

		if (!label || wanted->count + n > ARRAY_SIZE(wanted->keys)) {
			mistake(reading, entry->line,
				"%s: '%.40s' is no key; write a character, or "
				"Ctrl-x, F1, Enter, Space, Tab, Esc, PageUp, Up and so on",
				entry->key, word);
			return false;
		}
		for (size_t i = 0; i < n; i++) {
			wanted->keys[wanted->count].code = codes[i];
			wanted->keys[wanted->count++].label = label;
		}
	}
	if (!wanted->count)
		mistake(reading, entry->line, "%s: a key is missing", entry->key);
	return wanted->count;
}

static bool stand_together(const struct key *one, const struct key *other)
{
	return one->sets == other->sets &&
	       (one->view && other->view ? strcmp(one->view, other->view) == 0
					 : one->view == other->view);
}

static bool is_named(const struct key *key, const char *name)
{
	char own[KEYS_NAME];

	keys_name(key, own);
	return strcmp(own, name) == 0;
}

/* Whether a row is but another key of one that stands for its command in the same views. */
static bool is_other_name(const struct keys *keys, const struct key *key, const char *name)
{
	if (key->help)
		return false;
	for (size_t i = 0; i < keys->count; i++)
		if (keys->rows[i].help && stand_together(&keys->rows[i], key) &&
		    is_named(&keys->rows[i], name))
			return true;
	return false;
}

/* Whether two rows can be of the same view. */
static bool can_meet(const struct key *one, const struct key *other)
{
	return stand_together(one, other) || one->sets & other->sets;
}

/* A row of another command that one of these keys has already; NULL: there is none. */
static const struct key *find_conflict(const struct keys *keys, const struct wanted *wanted)
{
	const char *name = wanted->entry->key;

	for (size_t i = 0; i < keys->count; i++) {
		const struct key *own = &keys->rows[i];

		if (!is_named(own, name))
			continue;
		for (size_t n = 0; n < keys->count; n++)
			for (size_t k = 0; k < wanted->count; k++)
				if (keys->rows[n].key == wanted->keys[k].code &&
				    !is_named(&keys->rows[n], name) &&
				    can_meet(own, &keys->rows[n]))
					return &keys->rows[n];
	}
	return NULL;
}

/* The table with these keys in the place of those that the command had. */
static void replace(struct settings *settings, const struct wanted *wanted)
{
	struct key *rows = calloc(settings->keys.count * (wanted->count + 1), sizeof(*rows));
	const char *name = wanted->entry->key;
	size_t count = 0;

	if (!rows)
		return;
	for (size_t i = 0; i < settings->keys.count; i++) {
		const struct key *row = &settings->keys.rows[i];

		if (!is_named(row, name)) {
			rows[count++] = *row;
			continue;
		}
		for (size_t k = 0; k < wanted->count && !is_other_name(&settings->keys, row, name);
		     k++) {
			rows[count] = *row;
			rows[count].key = wanted->keys[k].code;
			rows[count].label = wanted->keys[k].label;
			if (k)
				rows[count].hint = rows[count].help = NULL;
			count++;
		}
	}
	free(settings->rows);
	settings->rows = rows;
	settings->keys = (struct keys){ rows, count };
}

static bool is_known(struct reading *reading, const struct ini_entry *entry)
{
	struct suggestion near = { .wrong = entry->key };
	char names[64][KEYS_NAME];
	size_t n = 0;

	for (size_t i = 0; i < keys_table.count; i++) {
		char *name = names[n % ARRAY_SIZE(names)];
		const char *best = near.best;

		keys_name(&keys_table.rows[i], name);
		if (strcmp(name, entry->key) == 0)
			return true;
		suggest_offer(&near, name);
		n += near.best != best; /* it is kept */
	}
	mistake(reading, entry->line, "%.60s: keys do nothing of that name%s%s", entry->key,
		near.best ? "; did you mean " : "", near.best ? near.best : "");
	return false;
}

static void take_keys(struct reading *reading, const struct ini_entry *entry)
{
	struct wanted wanted = { .entry = entry };
	const struct key *other;
	char name[KEYS_NAME];

	if (!is_known(reading, entry) || !parse_keys(reading, &wanted))
		return;
	other = find_conflict(&reading->settings->keys, &wanted);
	if (other) {
		keys_name(other, name);
		mistake(reading, entry->line,
			"%s: %s is the key of %s; give that another one first, "
			"above",
			entry->key, other->label, name);
		return;
	}
	replace(reading->settings, &wanted);
}

/* --- the file --- */

static void take_entry(struct reading *reading, const struct ini_entry *entry)
{
	if (strcmp(entry->section, "keys") == 0)
		take_keys(reading, entry);
	else if (strcmp(entry->section, "colours") == 0 && strcmp(entry->key, "theme") == 0)
		take_theme(reading, entry);
	else if (strcmp(entry->section, "colours") == 0)
		take_colour(reading, entry);
	else
		mistake(reading, entry->line,
			"[%.60s]: there is no such section; there are [colours] "
			"and [keys]",
			entry->section);
}

/* A theme goes before single colours, wherever it stands. */
static void take_all(struct reading *reading, const struct ini *ini)
{
	const struct ini_entry *theme = ini_find(ini, "colours", "theme"), *entry;

	if (theme)
		take_entry(reading, theme);
	for (size_t i = 0; (entry = ini_entry(ini, i)); i++)
		if (entry != theme)
			take_entry(reading, entry);
}

void settings_read(struct settings *settings, const char *path)
{
	struct reading reading = { settings, path };
	struct cause cause = { "" };
	struct ini *ini;
	int error = ini_open(&ini, path, take_mistake, &reading, &cause);

	if (error == -ENOENT)
		return;
	if (error) {
		take_mistake(&reading, 0, cause.text);
		return;
	}
	take_all(&reading, ini);
	ini_free(ini);
}

void settings_end(struct settings *settings)
{
	for (size_t i = 0; i < SETTINGS_MISTAKES; i++)
		free(settings->mistakes[i]);
	for (size_t i = 0; i < settings->label_count; i++)
		free(settings->labels[i]);
	free(settings->labels);
	free(settings->rows);
	*settings = (struct settings){ .keys = keys_table };
}
