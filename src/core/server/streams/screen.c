/*
 * screen.subscribe: what a guest's VGA screen shows, as rows of text that have changed;
 * screen.type: keys for it. Deck thread.
 *
 * While somebody looks, the screen is compared with what was sent last: often as long as
 * it changes or somebody types, less so when it rests. A client that reads slowly gets
 * fewer pictures, never old ones.
 */
#include "core/server/streams/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/plain.h"
#include "control/message.h"
#include "core/bus/screen.h"
#include "core/server/streams/cp437.h"

#define PACE_FIRST (25 * NS_PER_MS)
#define PACE_LAST (100 * NS_PER_MS)
#define WAITING_MAX 65536u /* bytes that wait for a client, beyond which it gets no picture */

#define INK 7
#define BLANK ' '
#define GROUND_SHIFT 4
#define BLINKS 0x80u
#define BLINK_SENT 0x100u

struct screen_subscription {
	struct subscription base;
	struct guest *guest; /* NULL: it has gone */
	struct loop_timer timer;
	uint64_t pace;
	bool begun; /* something was sent */
	struct screen now, sent;
};

static struct screen_subscription *of(struct subscription *base)
{
	return container_of(base, struct screen_subscription, base);
}

static void cancel(struct subscription *base)
{
	struct screen_subscription *screen = of(base);

	if (base->peer)
		loop_timer_cancel(base->peer->peers->loop, &screen->timer);
	free(screen);
}

/* --- a picture --- */

static void make_blank(struct screen *screen)
{
	for (unsigned y = 0; y < SCREEN_ROWS_MAX; y++)
		for (unsigned x = 0; x < SCREEN_COLUMNS_MAX; x++)
			screen->cells[y][x] = (struct screen_cell){ BLANK, INK };
}

/* Rows of one screen and of another have the same meaning. */
static bool is_alike(const struct screen *one, const struct screen *other)
{
	return one->mode == other->mode && one->columns == other->columns &&
	       one->rows == other->rows && one->blink == other->blink;
}

static bool is_cursor_alike(const struct screen *one, const struct screen *other)
{
	return one->cursor == other->cursor &&
	       (!one->cursor || (one->row == other->row && one->column == other->column &&
				 one->block == other->block));
}

/* As the protocol has them: bits 0-3 ink, 4-7 ground, 8 blinks. */
static unsigned colours(const struct screen *screen, struct screen_cell cell)
{
	if (!screen->blink || !(cell.attribute & BLINKS))
		return cell.attribute;
	return (cell.attribute & ~BLINKS) | BLINK_SENT;
}

/* A row up to its last cell that is not blank. */
static json_t *row_json(const struct screen *screen, unsigned y)
{
	const struct screen_cell *cells = screen->cells[y];
	char text[SCREEN_COLUMNS_MAX * PLAIN_BYTES + 1], *end = text;
	unsigned columns = screen->columns, same;
	json_t *runs = json_array();

	while (columns && cp437_code_point(cells[columns - 1].code) == BLANK &&
	       cells[columns - 1].attribute == INK)
		columns--;
	for (unsigned x = 0; x < columns; x++)
		end += plain_encode(end, cp437_code_point(cells[x].code));
	*end = '\0';
	for (unsigned x = 0; x < columns; x += same) {
		for (same = 1; x + same < columns &&
			       cells[x + same].attribute == cells[x].attribute; same++)
			;
		json_array_append_new(runs, json_integer(same));
		json_array_append_new(runs, json_integer(colours(screen, cells[x])));
	}
	return json_pack("{s:i, s:o, s:o}", "row", (int)y, "text", message_text(text), "colours",
			 runs);
}

static json_t *changed_rows(struct screen_subscription *screen)
{
	const struct screen *now = &screen->now;
	json_t *rows = json_array();

	for (unsigned y = 0; now->mode == SCREEN_TEXT && y < now->rows; y++) {
		if (memcmp(now->cells[y], screen->sent.cells[y],
			   now->columns * sizeof(now->cells[y][0])) != 0)
			json_array_append_new(rows, row_json(now, y));
	}
	return rows;
}

static json_t *cursor_json(const struct screen *screen)
{
	if (!screen->cursor)
		return json_null();
	return json_pack("{s:i, s:i, s:b}", "row", (int)screen->row, "column",
			 (int)screen->column, "block", (int)screen->block);
}

static void send_picture(struct screen_subscription *screen, json_t *rows)
{
	static const char *const modes[] = {
		[SCREEN_NONE] = "none", [SCREEN_OFF] = "off", [SCREEN_TEXT] = "text",
		[SCREEN_GRAPHICS] = "graphics",
	};
	const struct screen *now = &screen->now;
	json_t *params = json_pack("{s:I, s:o, s:i, s:i, s:o, s:o}", "subscription",
				   (json_int_t)screen->base.id, "mode",
				   message_text(modes[now->mode]), "columns", (int)now->columns,
				   "rows", (int)now->rows, "cursor", cursor_json(now), "lines", rows);

	screen->sent = screen->now;
	screen->begun = true;
	peer_send(screen->base.peer, message_notification("screen", params)); /* may end it */
}

/* Rows that are other than what was sent; NULL: nothing is, nor are cursor and size. */
static json_t *news(struct screen_subscription *screen)
{
	bool alike = screen->begun && is_alike(&screen->now, &screen->sent);
	json_t *rows;

	if (!alike)
		make_blank(&screen->sent);
	rows = changed_rows(screen);
	if (!alike || json_array_size(rows) || !is_cursor_alike(&screen->now, &screen->sent))
		return rows;
	json_decref(rows);
	return NULL;
}

static void look_in(struct screen_subscription *screen, uint64_t pace)
{
	screen->pace = pace < PACE_LAST ? pace : PACE_LAST;
	loop_timer_set(screen->base.peer->peers->loop, &screen->timer, screen->pace);
}

/* Of a guest that has ended the last picture stays. */
static void tick(void *arg)
{
	struct screen_subscription *screen = arg;
	struct peer *peer = screen->base.peer;
	bool alive = screen->guest && guest_state_in(guest_get_state(screen->guest), GUEST_ALIVE);
	json_t *rows = NULL;

	if (peer->out.size > WAITING_MAX || !peer_may_notify(peer)) {
		look_in(screen, PACE_LAST);
		return;
	}
	memset(&screen->now, 0, sizeof(screen->now));
	if ((alive && guest_screen(screen->guest, &screen->now)) || !screen->begun)
		rows = news(screen);
	if (alive)
		look_in(screen, rows ? PACE_FIRST : screen->pace * 2);
	if (rows)
		send_picture(screen, rows);
}

/* --- requests --- */

static int need_screen(const struct request *request, struct cause *cause)
{
	if (guest_has_screen(request->guest))
		return 0;
	return cause_set(cause, ENOTSUP, "%s has no VGA screen; vga=yes in its profile gives it one",
			 guest_name(request->guest));
}

static int subscribe(struct request *request, struct cause *cause)
{
	struct screen_subscription *screen;
	int error = need_screen(request, cause);

	if (error)
		return error;
	screen = calloc(1, sizeof(*screen));
	if (!screen)
		return cause_errno(cause, ENOMEM, "screen.subscribe");
	screen->base.kind = METHOD_SCREEN_SUBSCRIBE;
	screen->base.cancel = cancel;
	screen->guest = request->guest;
	screen->pace = PACE_FIRST;
	screen->timer = (struct loop_timer){ .fire = tick, .arg = screen };
	error = peer_subscribe(request->peer, &screen->base, cause);
	if (error < 0) {
		cancel(&screen->base);
		return error;
	}
	request->result = json_pack("{s:I}", "subscription", (json_int_t)screen->base.id);
	loop_timer_set(request->server->loop, &screen->timer, 0);
	return 0;
}

static int cancel_request(struct request *request, struct cause *cause)
{
	return peer_cancel(request->peer, param_integer(request, "subscription", 0),
			   METHOD_SCREEN_SUBSCRIBE, cause);
}

/* Calls act for all who look at a guest's screen. */
static void for_each(struct server *server, const struct guest *guest,
		     void (*act)(struct server *server, struct screen_subscription *screen))
{
	for (struct peer *peer = server->peers.first; peer; peer = peer->next)
		for (struct subscription *at = peer->subscriptions; at; at = at->next)
			if (at->kind == METHOD_SCREEN_SUBSCRIBE && of(at)->guest == guest)
				act(server, of(at));
}

static void look_soon(struct server *server, struct screen_subscription *screen)
{
	(void)server;
	look_in(screen, PACE_FIRST / 2);
}

static void forget(struct server *server, struct screen_subscription *screen)
{
	loop_timer_cancel(server->loop, &screen->timer);
	screen->guest = NULL;
}

static int type(struct request *request, struct cause *cause)
{
	const char *text = param_string(request, "text");
	int error = need_screen(request, cause);
	size_t taken;

	if (error)
		return error;
	taken = guest_keys(request->guest, (const uint8_t *)text, strlen(text));
	request->result = json_pack("{s:I}", "taken", (json_int_t)taken);
	for_each(request->server, request->guest, look_soon);
	return 0;
}

static void take_event(struct server *server, const struct deck_event *event)
{
	if (event->kind == DECK_EVENT_STATE)
		for_each(server, event->guest, look_soon);
}

static void forget_guest(struct server *server, const struct guest *guest)
{
	for_each(server, guest, forget);
}

static const struct handler handlers[] = {
	{ METHOD_SCREEN_SUBSCRIBE, .run = subscribe },
	{ METHOD_SCREEN_CANCEL, .run = cancel_request },
	{ METHOD_SCREEN_TYPE, .run = type },
	HANDLERS_END
};

const struct stream_kind screen_stream = {
	.handlers = handlers,
	.event = take_event,
	.guest_gone = forget_guest,
};
