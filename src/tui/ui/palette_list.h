/* What the word being typed in the palette can become, best first. Screen thread only. */
#ifndef TUI_UI_PALETTE_LIST_H
#define TUI_UI_PALETTE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas/draw.h"
#include "tui/ui/keys.h"

struct candidate {
	char *word, *help; /* help: or "" */
	const struct key *key; /* whose command it is in place of the command line's, or NULL */
	int score;
	size_t order; /* as it came */
};

struct palette_list {
	struct candidate *items;
	size_t count, room;
	size_t chosen; /* from 1 on; 0: none is */
};

void palette_list_clear(struct palette_list *list);

/* Adds a word if what is typed fits it; one that is there already is not added again. */
void palette_list_add(struct palette_list *list, const char *typed, const char *word,
		      const char *help, const struct key *key);
void palette_list_sort(struct palette_list *list);

/* Chooses the next one, or the one before. */
void palette_list_choose(struct palette_list *list, bool next);

/* The one that is chosen, or the best; NULL: there is none. */
const struct candidate *palette_list_best(const struct palette_list *list);

/* As many as find room, the chosen one among them; the rows that it takes of room. */
int palette_list_rows(const struct palette_list *list, int room);
void palette_list_draw(const struct palette_list *list, struct rect rect);

#endif
