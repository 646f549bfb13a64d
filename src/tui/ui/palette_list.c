/* See palette_list.h. */
#include "tui/ui/palette_list.h"

#include <stdlib.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/model/fuzzy.h"

#define ROWS_MOST 9 /* with the line above them */
#define WORD_MOST 30 /* columns of a word beside its help */

void palette_list_clear(struct palette_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].word);
		free(list->items[i].help);
	}
	free(list->items);
	*list = (struct palette_list){ .items = NULL };
}

static bool has_word(const struct palette_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].word, word) == 0)
			return true;
	return false;
}

static bool make_room(struct palette_list *list)
{
	size_t room = list->room ? 2 * list->room : 64;
	struct candidate *items;

	if (list->count < list->room)
		return true;
	items = realloc(list->items, room * sizeof(*items));
	if (!items)
		return false;
	list->items = items;
	list->room = room;
	return true;
}

void palette_list_add(struct palette_list *list, const char *typed, const char *word,
		      const char *help, const struct key *key)
{
	struct candidate item = { .key = key, .score = fuzzy_score(typed, word) };

	/* Only words of two tables meet: those of keys, which come second. */
	if (!*word || item.score < 0 || (key && has_word(list, word)) || !make_room(list))
		return;
	item.order = list->count;
	item.word = strdup(word);
	item.help = strdup(help ? help : "");
	if (item.word && item.help) {
		list->items[list->count++] = item;
		return;
	}
	free(item.word);
	free(item.help);
}

static int compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void palette_list_sort(struct palette_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

void palette_list_choose(struct palette_list *list, bool next)
{
	if (!list->count)
		return;
	if (next)
		list->chosen = list->chosen < list->count ? list->chosen + 1 : 1;
	else
		list->chosen = list->chosen > 1 ? list->chosen - 1 : list->count;
}

const struct candidate *palette_list_best(const struct palette_list *list)
{
	if (!list->count)
		return NULL;
	return &list->items[list->chosen ? list->chosen - 1 : 0];
}

int palette_list_rows(const struct palette_list *list, int room)
{
	int rows = list->count < ROWS_MOST ? (int)list->count + 1 : ROWS_MOST;

	if (!list->count || room < 2)
		return 0;
	return rows < room ? rows : room;
}

void palette_list_draw(const struct palette_list *list, struct rect rect)
{
	size_t shown = rect.height > 1 ? (size_t)rect.height - 1 : 0, top = 0;
	int column = 0;

	draw_fill(rect, INK_TEXT);
	draw_line(rect.y, rect.x, rect.width, INK_TEXT | DRAW_DIM);
	if (list->chosen > shown)
		top = list->chosen - shown;
	for (size_t i = top; i < list->count && i < top + shown; i++)
		if (text_width(list->items[i].word) > column)
			column = text_width(list->items[i].word);
	if (column > WORD_MOST)
		column = WORD_MOST;
	for (size_t i = top; i < list->count && i < top + shown; i++) {
		const struct candidate *item = &list->items[i];
		unsigned reverse = list->chosen == i + 1 ? DRAW_REVERSE : 0;
		int y = rect.y + 1 + (int)(i - top), x = rect.x + 2;

		draw_fill((struct rect){ y, rect.x, 1, rect.width }, INK_TEXT | reverse);
		draw_text(y, x, *item->help ? column : rect.width - 3,
			  INK_ACCENT | DRAW_BOLD | reverse, item->word);
		if (*item->help)
			draw_sentence(y, x + column + 2, rect.width - column - 5,
				      INK_TEXT | reverse, item->help);
	}
}
