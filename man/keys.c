/* The keys of the screen, for their manual page. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "tui/ui/keys.h"
#include "tui/views/table.h"

/* Whether two rows work in the same views. */
static bool stand_together(const struct key *one, const struct key *other)
{
	return one->sets == other->sets &&
	       (one->view == other->view ||
		(one->view && other->view && strcmp(one->view, other->view) == 0));
}

#define MODES 4 /* of a view, at most, and itself */

/* A view, or a mode of one, for i below views_count * MODES; NULL: there is none of that number. */
static const struct view_ops *section(size_t i)
{
	const struct view_ops *view = views_table[i / MODES];

	if (i % MODES == 0)
		return view;
	for (size_t mode = 0; view->modes && view->modes[mode]; mode++)
		if (mode + 1 == i % MODES)
			return view->modes[mode];
	return NULL;
}

static bool section_has(size_t i, const struct key *key)
{
	const struct view_ops *of = section(i);

	return of && keys_has(of, key);
}

/* The views of a row by name: "Guests, Network:". */
static void put_views(const struct key *key)
{
	const char *joint = "";

	printf(".Pp\n");
	for (size_t i = 0; i < views_count * MODES; i++)
		if (section_has(i, key)) {
			printf("%s%s", joint, section(i)->name);
			joint = ",\n";
		}
	printf(":\n.Pp\n.Bl -tag -width \"Shift-PageDown\" -compact\n");
}

/* Whether two rows share a view. */
static bool meet(const struct key *one, const struct key *other)
{
	for (size_t i = 0; i < views_count * MODES; i++)
		if (section_has(i, one) && section_has(i, other))
			return true;
	return false;
}

/* A key with its other names, which are rows without help further down. */
static void put_key(const struct key *key)
{
	const char *last = key->label;
	char help[256];

	/* A bracket alone would be punctuation to mdoc(7). */
	printf(".It %s%s", strchr("[]", key->label[0]) ? "\\&" : "", key->label);
	for (const struct key *at = key + 1; at < keys_table.rows + keys_table.count; at++)
		if (keys_same(key, at) && !at->help && meet(key, at) && strcmp(at->label, last) != 0)
			printf(" , %s", last = at->label);
	putchar('\n');
	keys_help(key, help, sizeof(help));
	manual_help(help);
}

/* Rows of the same views stand together, where the first of them is. */
void take_keys(const char *nothing)
{
	const struct key *end = keys_table.rows + keys_table.count;

	(void)nothing;
	for (const struct key *first = keys_table.rows; first < end; first++) {
		bool seen = !first->help;

		for (const struct key *key = keys_table.rows; key < first && !seen; key++)
			seen = key->help && stand_together(key, first);
		if (seen)
			continue;
		put_views(first);
		for (const struct key *key = first; key < end; key++)
			if (key->help && stand_together(key, first))
				put_key(key);
		printf(".El\n");
	}
}

/* Whether a row before it has its name. */
static bool is_named_before(const struct key *key)
{
	char name[KEYS_NAME], other[KEYS_NAME];

	keys_name(key, name);
	for (const struct key *at = keys_table.rows; at < key; at++) {
		keys_name(at, other);
		if (at->help && strcmp(name, other) == 0)
			return true;
	}
	return false;
}

void take_key_names(const char *nothing)
{
	char name[KEYS_NAME], help[256];

	(void)nothing;
	printf(".Bl -tag -width \"charts-alone\" -compact\n");
	for (size_t i = 0; i < keys_table.count; i++) {
		const struct key *key = &keys_table.rows[i];

		if (!key->help || is_named_before(key))
			continue;
		keys_name(key, name);
		keys_help(key, help, sizeof(help));
		printf(".It Ic %s\n", name);
		manual_help(help);
	}
	printf(".El\n");
}
