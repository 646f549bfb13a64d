/* See console_vga.h. */
#include "tui/views/console_vga.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "control/message_text.h"
#include "tui/console/key_sequence.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"
#include "tui/views/console_cells.h"

static void dirty(struct console_vga *vga)
{
	if (tui_shows(vga->view))
		tui_dirty(vga->view->tui);
}

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct console_vga *vga = arg;

	(void)result;
	if (error)
		snprintf(vga->trouble, sizeof(vga->trouble), "%s", error->message);
	dirty(vga);
}

/* What its text is, as a number; 0: there is none. FNV-1a. */
static uint64_t text_mark(const struct remote_screen *screen)
{
	uint64_t mark = 0xcbf29ce484222325;
	bool empty = true;

	for (unsigned y = 0; screen->mode == REMOTE_TEXT && y < screen->rows; y++)
		for (unsigned x = 0; x < screen->columns; x++) {
			uint16_t c = screen->cells[y][x].c;

			mark = (mark ^ c) * 0x100000001b3;
			empty &= c == ' ' || c == 0;
		}
	return empty ? 0 : mark;
}

/* Where another side is shown, only that something new is there is drawn. */
static void notified(void *arg, const json_t *params)
{
	struct console_vga *vga = arg;
	bool before = vga->unseen;
	uint64_t mark;

	if (!remote_screen_update(&vga->screen, params))
		snprintf(vga->trouble, sizeof(vga->trouble), "The server's picture makes no sense.");
	if (!vga->shown) {
		mark = text_mark(&vga->screen);
		vga->unseen = mark && (mark != vga->seen || strcmp(vga->guest, vga->seen_of) != 0);
	}
	if (vga->shown || vga->unseen != before)
		dirty(vga);
}

static void typing_changed(void *arg)
{
	dirty(arg);
}

void console_vga_create(struct console_vga *vga, struct view *view)
{
	vga->view = view;
	vga->subscription = (struct subscription){
		.deck = view->deck, .name = "screen", .answered = answered, .notified = notified,
		.arg = vga,
	};
	subscription_add(&vga->subscription);
	vga->typing = (struct typing){ .loop = &view->tui->loop, .guest = vga->guest,
				       .changed = typing_changed, .arg = vga };
	typing_begin(&vga->typing);
}

void console_vga_destroy(struct console_vga *vga)
{
	typing_end(&vga->typing);
	subscription_destroy(&vga->subscription);
}

static void subscribe(struct console_vga *vga, const char *guest)
{
	if (strcmp(vga->guest, guest) == 0 && !*vga->trouble)
		return;
	snprintf(vga->guest, sizeof(vga->guest), "%s", guest);
	vga->trouble[0] = '\0';
	vga->unseen = false;
	vga->screen = (struct remote_screen){ 0 };
	subscription_start(&vga->subscription, json_pack("{s:o}", "guest", message_text(guest)));
}

/* It is no longer shown, if it was. */
static void hide(struct console_vga *vga)
{
	if (!vga->shown)
		return;
	vga->shown = false;
	typing_end(&vga->typing);
	vga->seen = text_mark(&vga->screen);
	snprintf(vga->seen_of, sizeof(vga->seen_of), "%s", vga->guest);
}

void console_vga_show(struct console_vga *vga, const char *guest)
{
	typing_end(&vga->typing);
	vga->typing.client = vga->view->deck->client;
	subscribe(vga, guest);
	vga->shown = true;
	vga->unseen = false;
}

void console_vga_watch(struct console_vga *vga, const char *guest)
{
	hide(vga);
	subscribe(vga, guest);
}

void console_vga_stop(struct console_vga *vga)
{
	if (!vga->guest[0])
		return;
	hide(vga);
	vga->guest[0] = '\0';
	vga->unseen = false;
	subscription_stop(&vga->subscription);
}

/* Without colours a bright ground is shown by exchanging the two. */
static struct grid_cell grid_cell(const struct terminal *terminal, const struct remote_cell *cell)
{
	return (struct grid_cell){
		.c = wcwidth((wchar_t)cell->c) == 1 ? cell->c : '?',
		.width = 1,
		.fg = GRID_INDEXED | cell->ink,
		.bg = GRID_INDEXED | cell->ground,
		.attributes = !terminal->colour && cell->ground % 8 > cell->ink % 8 ? GRID_REVERSE : 0,
	};
}

static void draw_screen_row(const struct terminal *terminal, int y, const struct remote_cell *cells,
			    int columns)
{
	struct grid_cell row[REMOTE_COLUMNS_MAX];

	for (int x = 0; x < columns; x++)
		row[x] = grid_cell(terminal, &cells[x]);
	console_cells_draw(terminal, y, row, columns);
}

void console_vga_draw(const struct console_vga *vga, struct rect body)
{
	const struct remote_screen *screen = &vga->screen;
	unsigned first = remote_screen_first(screen, (unsigned)body.height);
	int columns = body.width < (int)screen->columns ? body.width : (int)screen->columns;
	char words[64];

	remote_screen_say(screen, words, sizeof(words));
	if (*words || *vga->trouble)
		draw_center(body, INK_WARN, *vga->trouble ? vga->trouble : words);
	if (screen->mode != REMOTE_TEXT || *vga->trouble)
		return;
	for (int y = 0; y < body.height && first + (unsigned)y < screen->rows; y++)
		draw_screen_row(&vga->view->tui->terminal, body.y + y,
				screen->cells[first + (unsigned)y], columns);
	if (screen->cursor && (int)screen->column < columns && !vga->view->tui->prompt.active) {
		curs_set(screen->block ? 2 : 1);
		move(body.y + (int)(screen->row - first), (int)screen->column);
	}
}

void console_vga_key(struct console_vga *vga, wint_t key, bool special)
{
	char text[KEY_SEQUENCE_MAX];

	typing_add(&vga->typing, text, key_sequence(text, key, special, false));
}
