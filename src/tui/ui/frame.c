/* What surrounds a view. Screen thread. */
#include "tui/ui/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tui/canvas/text.h"
#include "tui/ui/style.h"

#define ROWS_MIN 5
#define COLUMNS_MIN 20
#define HEADER_LEAST 24 /* columns of what stands before the counts */
#define NAME_LEAST 8 /* columns of a deck's name */
#define LINES_MOST 4 /* of one thing that is said */
#define ROWS_TWO 16 /* from here on a row is kept free for the status line */

/* What the header counts. Where there is no room for all, the last ones are left out. */
struct count {
	size_t count;
	bool always; /* also when there is none */
	unsigned style;
	const char *one, *many;
};

static void count_text(const struct count *count, char out[40])
{
	snprintf(out, 40, "%zu %s", count->count, count->count == 1 ? count->one : count->many);
}

static size_t count_loops(const struct model *model)
{
	uint64_t now = clock_monotonic();
	size_t count = 0;

	for (size_t i = 0; i < model->guest_count; i++)
		count += model_loops(model->guests[i], now);
	return count;
}

/* "1 crashed · 3 guests · 1 running · 1 paused" with its end at x + width; columns used. */
static int draw_counts(const struct model *model, int x, int width)
{
	size_t paused = model_count(model, GUEST_IN(GUEST_PAUSED));
	const struct count counts[] = {
		{ model_marked(model), false, INK_WARN | DRAW_BOLD, "marked", "marked" },
		{ model_count(model, GUEST_IN(GUEST_CRASHED)), false, INK_BAD | DRAW_BOLD,
		  "crashed", "crashed" },
		{ model_count(model, GUEST_IN(GUEST_FAILED)), false, INK_BAD, "failed", "failed" },
		{ count_loops(model), false, INK_BAD | DRAW_BOLD, "looping", "looping" },
		{ model->guest_count, true, INK_TEXT | DRAW_DIM, "guest", "guests" },
		{ model_count(model, GUEST_ALIVE) - paused, true, INK_TEXT | DRAW_DIM, "running",
		  "running" },
		{ paused, false, INK_WARN, "paused", "paused" },
	};
	size_t shown = 0;
	char text[40];
	int used = 0;

	for (; shown < ARRAY_SIZE(counts); shown++) {
		count_text(&counts[shown], text);
		if (!counts[shown].count && !counts[shown].always)
			continue;
		if (used + (used ? 3 : 0) + text_width(text) > width)
			break;
		used += (used ? 3 : 0) + text_width(text);
	}
	x += width - used;
	for (size_t i = 0, drawn = 0; i < shown; i++) {
		if (!counts[i].count && !counts[i].always)
			continue;
		count_text(&counts[i], text);
		if (drawn++)
			x += draw_format(0, x, 3, INK_TEXT | DRAW_DIM, " %s ",
					 draw_sign(SIGN_SEPARATOR));
		x += draw_text(0, x, text_width(text), counts[i].style, text);
	}
	return used;
}

/* Which deck it is, in width columns: its name where that finds room, and its host. */
static int draw_deck(const struct tui_deck *deck, int x, int width)
{
	const char *name = deck->config->title ? deck->config->title : deck->model.deck;
	int from = x, end = x + width, whole = name ? text_width(name) : 0;

	if (whole == 0 || width < 3 + (whole < NAME_LEAST ? whole : NAME_LEAST))
		return 0;
	x += draw_format(0, x, end - x, INK_TEXT | DRAW_DIM, " %s ", draw_sign(SIGN_SEPARATOR));
	x += draw_text(0, x, end - x, INK_TEXT | DRAW_MIDDLE, name);
	if (!deck->config->in_process && deck->model.host && *deck->model.host &&
	    end - x >= 4 + text_width(deck->model.host))
		x += draw_format(0, x, end - x, INK_TEXT | DRAW_DIM, " on %s", deck->model.host);
	return x - from;
}

/* That packets are captured, before end; returns the columns used. */
static int draw_capturing(const struct netmodel *model, int x, int end)
{
	size_t count = netmodel_running(model);
	char text[64];

	if (!count)
		return 0;
	snprintf(text, sizeof(text), "%s %zu capture%s", draw_sign(SIGN_DOT), count,
		 count == 1 ? "" : "s");
	if (text_width(text) + 24 > end - x)
		snprintf(text, sizeof(text), "%s", draw_sign(SIGN_DOT));
	draw_right(0, x, end - x, INK_BAD | DRAW_BOLD, text);
	return text_width(text) + 2;
}

/* What the view shows comes before the counts, and both before the deck's name. */
static void draw_header(struct tui *tui, int width)
{
	char title[256] = "";
	int x = 1, end = width - 1, titled, counted;

	draw_fill((struct rect){ 0, 0, 1, width }, INK_TEXT);
	if (tui->top->ops->title)
		tui->top->ops->title(tui->top, title, sizeof(title));
	titled = *title ? 4 + text_width(title) : 0;
	/* Beside them the program's name and the beginning of a title have room. */
	counted = draw_counts(&tui->deck->model, x + HEADER_LEAST, end - x - HEADER_LEAST);
	if (counted)
		end -= counted + 2;
	end -= draw_capturing(&tui->deck->network, x, end);
	x += draw_text(0, x, end - x, INK_ACCENT | DRAW_BOLD, "vmdeck");
	if (tui->deck->config->read_only)
		x += draw_text(0, x, end - x, INK_WARN | DRAW_BOLD, " read-only");
	x += draw_deck(tui->deck, x, end - x - titled);
	if (*title)
		draw_format(0, x, end - x, INK_TEXT | DRAW_BOLD, "  %s %s", draw_sign(SIGN_RIGHT),
			    title);
}

/*
 * Lines that an entry may take of those that are left: a state stands there for long, and the
 * view keeps half of the screen, but for what a key takes away.
 */
static int status_lines(const struct status *status, const struct status_entry *entry, int left)
{
	bool state = status_is_state(status, entry);
	int most = !state ? LINES_MOST : draw_rows() < ROWS_TWO ? 1 : 2;

	if (most > draw_rows() / 2 && !status_ends_by_key(status, entry))
		most = draw_rows() / 2;
	return most > left ? left : most;
}

/* Something to say, and the lines that it takes. */
struct said {
	const struct status_entry *entry;
	int lines;
};

/*
 * What there is to say, from the bottom up: one thing on a low screen, else two, a state
 * lowest. rows: those above what is reserved.
 */
static size_t pick_said(struct tui *tui, int rows, struct said said[2])
{
	const struct status_entry *shown[2], *first;
	size_t count = status_pick(&tui->status, shown, draw_rows() < ROWS_TWO ? 1 : 2);

	if (count == 2 && !status_is_state(&tui->status, shown[0])) {
		first = shown[0];
		shown[0] = shown[1];
		shown[1] = first;
	}
	for (size_t i = 0; i < count; i++) {
		int most = rows > 1 ? status_lines(&tui->status, shown[i], rows - 1) : 0;

		said[i].entry = shown[i];
		said[i].lines = most ? draw_lines(shown[i]->text, draw_columns() - 2, most) : 0;
		rows -= said[i].lines;
	}
	return count;
}

/* Lines of states, which stand for long: a view goes on above them. */
static int state_lines(const struct tui *tui, const struct said *said, size_t count)
{
	int lines = 0;

	for (size_t i = 0; i < count; i++)
		if (status_is_state(&tui->status, said[i].entry))
			lines += said[i].lines;
	return lines;
}

/* Above bottom; long ones grow upward. */
static void draw_status(const struct said *said, size_t count, int bottom)
{
	int width = draw_columns();

	for (size_t i = 0; i < count; i++) {
		int lines = said[i].lines;

		bottom -= lines;
		draw_fill((struct rect){ bottom, 0, lines, width }, INK_TEXT);
		draw_wrapped((struct rect){ bottom, 1, lines, width - 2 },
			     style_severity(said[i].entry->severity), said[i].entry->text);
	}
}

/* A key with its word, if it finds room; returns where the next one goes. */
static int draw_key(int y, int x, int end, const char *label, const char *hint)
{
	if (x + (int)(strlen(label) + strlen(hint)) + 1 > end)
		return x;
	x += draw_text(y, x, end - x, INK_ACCENT | DRAW_BOLD, label) + 1;
	return x + draw_text(y, x, end - x, INK_TEXT, hint) + 2;
}

/* Whether keys of a view are named with this one: it has a word, and is not one that is refused. */
static bool is_named(const struct tui *tui, const struct view_ops *of, const struct key *key)
{
	return key->hint && keys_has(of, key) &&
	       !(tui->deck->config->read_only && keys_order(key));
}

/*
 * The footer: the keys of the view that have a word, as many as find room. Those that answer a
 * question stand in it; while a line is typed there are others.
 */
static void draw_keys(const struct tui *tui, int y, int x, int width)
{
	int end = x + width;

	if (tui->prompt.active && !tui->prompt.choices) {
		static const struct prompt_hint line[] = {
			{ "Enter", "done" }, { "Esc", "cancel" }, { "Ctrl-U", "clear" },
			{ NULL, NULL },
		};
		const struct prompt_hint *hint = tui->prompt.above ? tui->prompt.above->hints
								   : line;

		for (; hint->label; hint++)
			x = draw_key(y, x, end, hint->label, hint->does);
	}
	for (size_t i = 0; i < tui->keys->count && !tui->prompt.active; i++) {
		const struct key *key = &tui->keys->rows[i];

		if (is_named(tui, tui->top->ops, key))
			x = draw_key(y, x, end, key->label, key->hint);
	}
}

/* The keys of a mode with their words, from row y on; returns the rows that they take. */
static int walk_mode(const struct tui *tui, int y, int width, bool draw)
{
	int x = 1, rows = 1;

	for (size_t i = 0; i < tui->keys->count; i++) {
		const struct key *key = &tui->keys->rows[i];
		int room = key->hint ? (int)(strlen(key->label) + strlen(key->hint)) + 1 : 0;

		if (!is_named(tui, tui->top->mode, key))
			continue;
		if (x > 1 && x + room > width - 1) {
			x = 1;
			rows++;
		}
		if (draw)
			draw_key(y + rows - 1, x, width - 1, key->label, key->hint);
		x += room + 2;
	}
	return rows;
}

/* At the bottom, as many rows as it takes; returns the row above which there is room. */
static int draw_mode(const struct tui *tui, int bottom)
{
	int width = draw_columns(), rows = walk_mode(tui, 0, width, false);
	struct rect before;

	if (rows > bottom - 1)
		rows = bottom - 1;
	bottom -= rows;
	draw_fill((struct rect){ bottom, 0, rows, width }, INK_TEXT);
	before = draw_clip((struct rect){ bottom, 0, rows, width });
	walk_mode(tui, bottom, width, true);
	draw_unclip(before);
	return bottom;
}

/* In a view that has the whole screen: what came of a key, above its last line. */
static size_t pick_answer(struct tui *tui, struct said *said)
{
	const struct status_entry *shown;
	int most = draw_rows() / 2;

	if (!status_pick_answer(&tui->status, &shown))
		return 0;
	said->entry = shown;
	said->lines = draw_lines(shown->text, draw_columns() - 2,
				 most < LINES_MOST ? most : LINES_MOST);
	return 1;
}

void frame_draw(struct tui *tui)
{
	int rows = draw_rows(), columns = draw_columns();
	bool full = tui->top->ops->full;
	struct rect body = { 0, 0, rows, columns }, before;
	int reserved = rows >= 8 ? 1 : 0, bottom, kept;
	struct said said[2];
	size_t count = 0;

	if (rows < ROWS_MIN || columns < COLUMNS_MIN) {
		char text[128];

		snprintf(text, sizeof(text), "The terminal has %dx%d cells; vmdeck needs %dx%d.",
			 columns, rows, COLUMNS_MIN, ROWS_MIN);
		draw_wrapped(body, INK_TEXT, text);
		return;
	}
	bottom = rows - reserved - prompt_rows(&tui->prompt, reserved);
	if (!full) {
		count = pick_said(tui, bottom, said);
		kept = state_lines(tui, said, count);
		if (rows >= ROWS_TWO && !kept)
			kept = 1;
		if (rows >= 6) {
			draw_header(tui, columns);
			body.y++;
			body.height--;
		}
		body.height -= reserved + kept;
		if (reserved)
			draw_keys(tui, rows - 1, 1, columns - 2);
	}
	before = draw_clip(body);
	tui->top->ops->draw(tui->top, body);
	draw_unclip(before);
	if (full) {
		bottom = rows - 1 - prompt_rows(&tui->prompt, 0);
		if (tui->top->mode && !tui->prompt.active)
			bottom = draw_mode(tui, rows);
		count = pick_answer(tui, said);
	}
	draw_status(said, count, bottom);
	if (tui->prompt.active)
		prompt_draw(&tui->prompt, full ? 0 : reserved);
}
