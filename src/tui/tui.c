/*
 * The screen's loop: keys, messages of the server, signals, drawing. The
 * thread that calls tui_run(), which never waits but in epoll.
 */
#include "tui/tui.h"

#include <curses.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/protocol.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/style.h"
#include "tui/ui/ui.h"

#define FRAME_NS (30 * NS_PER_MS)
#define MESSAGE_NS (12 * NS_PER_S)
#define ROWS_MIN 5
#define COLUMNS_MIN 20

static const struct view *const views[VIEW_COUNT] = {
	[VIEW_DECK] = &view_deck,	[VIEW_GUEST] = &view_guest,
	[VIEW_CONSOLE] = &view_console, [VIEW_NETWORK] = &view_network,
	[VIEW_LOG] = &view_log,		[VIEW_HELP] = &view_help,
};

static enum view_id current(const struct tui *tui)
{
	return tui->stack[tui->depth - 1];
}

void tui_dirty(struct tui *tui)
{
	uint64_t now, due = tui->drawn + FRAME_NS;

	if (tui->redraw.armed)
		return;
	now = clock_monotonic();
	loop_timer_set(&tui->loop, &tui->redraw, due > now ? due - now : 0);
}

static void tick_arm(struct tui *tui)
{
	if (views[current(tui)]->tick)
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	else
		loop_timer_cancel(&tui->loop, &tui->tick);
}

static void show(struct tui *tui)
{
	const struct view *view = views[current(tui)];

	if (view->enter)
		view->enter(tui);
	tick_arm(tui);
	tui_dirty(tui);
}

static void hide(struct tui *tui)
{
	const struct view *view = views[current(tui)];

	if (view->leave)
		view->leave(tui);
}

void tui_open(struct tui *tui, enum view_id view)
{
	unsigned i;

	if (current(tui) == view)
		return;
	hide(tui);
	for (i = 0; i < tui->depth; i++)
		if (tui->stack[i] == view)
			break;
	if (i == tui->depth)
		tui->stack[tui->depth++] = view;
	else
		tui->depth = i + 1;
	show(tui);
}

void tui_back(struct tui *tui)
{
	if (tui->depth == 1)
		return;
	hide(tui);
	tui->depth--;
	show(tui);
}

void tui_finish(struct tui *tui, enum tui_result result)
{
	tui->result = result;
	/* Somebody may have text in the editor that is not saved yet. */
	if (tui->editor.pid && result != TUI_HANGUP)
		tui->finish_after_editor = true;
	else
		loop_stop(&tui->loop);
}

static void hush(void *arg)
{
	struct tui *tui = arg;

	tui->message_shown = false;
	tui_dirty(tui);
}

void tui_say(struct tui *tui, enum severity severity, const char *guest, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	model_message(&tui->model, severity, 0, guest, text);
	tui->message_shown = true;
	loop_timer_set(&tui->loop, &tui->hush, MESSAGE_NS);
	tui_dirty(tui);
}

void tui_fail(struct tui *tui, const struct client_error *error)
{
	if (error->code) /* else the connection was lost, and closed() ends the screen */
		tui_say(tui, SEVERITY_ERROR, NULL, "%s",
			*error->message ? error->message : "The request failed without a reason.");
}

static void reply_nothing(void *arg, json_t *result, const struct client_error *error)
{
	(void)result;
	if (error)
		tui_fail(arg, error);
}

bool tui_call(struct tui *tui, const char *method, json_t *params, client_reply reply)
{
	int error = client_call(tui->client, method, params, reply ? reply : reply_nothing, tui);

	if (error && error != -ENOTCONN)
		tui_say(tui, SEVERITY_ERROR, NULL, "%s could not be sent: %s", method,
			strerror(-error));
	return error == 0;
}

bool scroll_command(int *top, int lines, int page, enum command command)
{
	int most = lines > page ? lines - page : 0;

	switch (command) {
	case COMMAND_UP:
		--*top;
		break;
	case COMMAND_DOWN:
		++*top;
		break;
	case COMMAND_PAGE_UP:
		*top -= page > 1 ? page - 1 : 1;
		break;
	case COMMAND_PAGE_DOWN:
		*top += page > 1 ? page - 1 : 1;
		break;
	case COMMAND_FIRST:
		*top = 0;
		break;
	case COMMAND_LAST:
		*top = most;
		break;
	default:
		return false;
	}
	*top = *top > most ? most : *top < 0 ? 0 : *top;
	return true;
}

/* Drawing */

static void draw_header(struct tui *tui, int width)
{
	const char *deck = tui->config->title ? tui->config->title : tui->model.deck;
	size_t alive = model_alive(&tui->model);
	char right[128], title[256] = "";
	const struct view *view = views[current(tui)];
	int x = 1, room;

	draw_fill((struct rect){ 0, 0, 1, width }, INK_TEXT);
	snprintf(right, sizeof(right), "%zu guest%s %s %zu running", tui->model.guest_count,
		 tui->model.guest_count == 1 ? "" : "s", draw_sign(SIGN_SEPARATOR), alive);
	room = width - 2 - text_width(right) - 2;
	if (room < 24) {
		right[0] = '\0';
		room = width - 2;
	}
	x += draw_text(0, x, room, INK_ACCENT | DRAW_BOLD, "vmdeck");
	if (deck && *deck)
		x += draw_format(0, x, room - x, INK_TEXT | DRAW_DIM, " %s ",
				 draw_sign(SIGN_SEPARATOR));
	if (deck && *deck)
		x += draw_text(0, x, room - x, INK_TEXT, deck);
	if (!tui->config->in_process && tui->model.host && *tui->model.host)
		x += draw_format(0, x, room - x, INK_TEXT | DRAW_DIM, " on %s", tui->model.host);
	if (view->title)
		view->title(tui, title, sizeof(title));
	if (*title)
		draw_format(0, x, room - x, INK_TEXT | DRAW_BOLD, "  %s %s", draw_sign(SIGN_RIGHT),
			    title);
	draw_right(0, 1, width - 2, INK_TEXT | DRAW_DIM, right);
}

/* The last message, at the bottom above reserved rows; long ones grow upward. */
static void draw_message(struct tui *tui, int reserved)
{
	const struct message *message = model_last_message(&tui->model);
	int width = draw_columns(), lines = 0, bottom = draw_rows() - reserved;
	char text[2304];
	const char *rest;
	size_t next;

	if (!tui->message_shown || !message || !message->text)
		return;
	model_sentence(message, text, sizeof(text));
	for (rest = text; *rest && lines < 4 && lines < bottom - 1; rest += next, lines++)
		text_wrap(rest, width - 2, &next);
	draw_fill((struct rect){ bottom - lines, 0, lines, width }, INK_TEXT);
	draw_wrapped((struct rect){ bottom - lines, 1, lines, width - 2 },
		     style_severity(message->severity), text);
}

/* The footer: the keys of a view that have a word, as many as find room. */
static void draw_keys(int y, int x, int width, enum view_id view)
{
	int end = x + width;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		int need;

		if (!key->hint || !(key->views & 1u << view))
			continue;
		need = (int)(strlen(key->label) + strlen(key->hint)) + 1;
		if (x + need > end)
			continue;
		x += draw_text(y, x, end - x, INK_ACCENT | DRAW_BOLD, key->label) + 1;
		x += draw_text(y, x, end - x, INK_TEXT, key->hint) + 2;
	}
}

static void draw_frame(struct tui *tui)
{
	int rows = draw_rows(), columns = draw_columns();
	const struct view *view = views[current(tui)];
	struct rect body = { 0, 0, rows, columns };
	int reserved = rows >= 8 ? 1 : 0;

	if (rows < ROWS_MIN || columns < COLUMNS_MIN) {
		char text[128];

		snprintf(text, sizeof(text), "The terminal has %dx%d cells; vmdeck needs %dx%d.",
			 columns, rows, COLUMNS_MIN, ROWS_MIN);
		draw_wrapped(body, INK_TEXT, text);
		return;
	}
	if (!view->full) {
		if (rows >= 6) {
			draw_header(tui, columns);
			body.y++;
			body.height--;
		}
		body.height -= reserved + (rows >= 16);
		if (reserved)
			draw_keys(rows - 1, 1, columns - 2, current(tui));
	}
	view->draw(tui, body);
	if (!view->full)
		draw_message(tui, reserved);
	if (tui->prompt.active)
		prompt_draw(&tui->prompt, view->full ? 0 : reserved);
}

static void redraw(void *arg)
{
	struct tui *tui = arg;

	if (tui->terminal.suspended)
		return;
	draw_erase();
	curs_set(tui->prompt.active && !tui->prompt.choices);
	draw_frame(tui);
	refresh();
	subscribe_update(tui); /* the frame says which guests are in sight */
	tui->drawn = clock_monotonic();
}

static void tick(void *arg)
{
	struct tui *tui = arg;
	const struct view *view = views[current(tui)];

	if (view->tick) {
		view->tick(tui);
		loop_timer_set(&tui->loop, &tui->tick, NS_PER_S);
	}
}

/* Keys */

static const char *selected_guest(struct tui *tui)
{
	return current(tui) == VIEW_GUEST ? tui->guest.name : view_deck_selected(tui);
}

static void command_run(struct tui *tui, enum command command)
{
	const struct view *view = views[current(tui)];

	if (view->command && view->command(tui, command))
		return;
	switch (command) {
	case COMMAND_BACK:
		tui_back(tui);
		break;
	case COMMAND_QUIT:
		quit_ask(tui);
		break;
	case COMMAND_HELP:
		tui->help_for = current(tui);
		tui_open(tui, VIEW_HELP);
		break;
	case COMMAND_LOG:
		tui_open(tui, VIEW_LOG);
		break;
	case COMMAND_NETWORK:
		tui_open(tui, VIEW_NETWORK);
		break;
	case COMMAND_REDRAW:
		clearok(curscr, TRUE);
		break;
	default:
		order_command(tui, selected_guest(tui), command);
		break;
	}
}

static void key_pressed(struct tui *tui, wint_t key, bool special)
{
	const struct view *view = views[current(tui)];
	enum command command;

	if (special && key == KEY_RESIZE)
		return;
	tui_dirty(tui);
	if (tui->prompt.active) {
		prompt_key(&tui->prompt, tui, key, special);
		return;
	}
	/* A character beyond the KEY_* range must not be taken for one. */
	command = special || key < KEY_MIN ? keys_find(current(tui), (int)key) : COMMAND_NONE;
	if (command != COMMAND_NONE)
		command_run(tui, command);
	else if (view->input)
		view->input(tui, key, special);
}

static void input_ready(void *arg, uint32_t events)
{
	struct tui *tui = arg;
	wint_t key;
	int kind;

	/* A bound, so that a flood of keys does not keep the server waiting. */
	for (int i = 0; i < 4096 && (kind = get_wch(&key)) != ERR; i++) {
		key_pressed(tui, key, kind == KEY_CODE_YES);
		if (tui->terminal.suspended)
			return;
	}
	if (events & (EPOLLHUP | EPOLLERR))
		tui_finish(tui, TUI_HANGUP);
}

static void signals_ready(void *arg, uint32_t events)
{
	struct tui *tui = arg;
	unsigned seen = terminal_signals(&tui->terminal);

	(void)events;
	if (seen & 1u << SIGHUP) {
		tui_finish(tui, TUI_HANGUP);
	} else if (seen & 1u << SIGTERM) {
		if (tui->config->in_process)
			quit_shutdown(tui);
		else
			tui_finish(tui, TUI_HANGUP);
	}
	if (seen & 1u << SIGWINCH) {
		terminal_resize(&tui->terminal);
		tui_dirty(tui);
	}
}

/* The server */

static void list_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	tui->list_asked = false;
	if (error) {
		tui_fail(tui, error);
		return;
	}
	if (!model_guests(&tui->model, result))
		tui_say(tui, SEVERITY_ERROR, NULL, "The server's list of guests makes no sense.");
	tui->stats.stale = tui->stats.stale || tui->stats.failed;
	if (tui->list_again)
		tui_list(tui);
	quit_check(tui);
	tui_dirty(tui);
}

static void list_now(void *arg)
{
	struct tui *tui = arg;

	tui->list_again = false;
	tui->list_asked = tui_call(tui, "guest.list", NULL, list_reply);
}

void tui_list(struct tui *tui)
{
	if (tui->list_asked)
		tui->list_again = true;
	else if (!tui->list.armed)
		loop_timer_set(&tui->loop, &tui->list, 50 * NS_PER_MS);
}

static void event(struct tui *tui, const json_t *params)
{
	const char *guest = json_text(params, "guest"), *text = json_text(params, "text");
	const char *state = json_text(params, "state"), *kind = json_text(params, "kind");
	enum severity severity = SEVERITY_EVENT;
	char sentence[300];

	tui->ended = tui->ended || strcmp(kind, "ended") == 0;
	if (strcmp(kind, "state") == 0) {
		model_state(&tui->model, guest, state);
		if (guest_state_in(guest_state_find(state), GUEST_BAD))
			severity = SEVERITY_ERROR;
		else if (guest_state_find(state) == GUEST_RUNNING)
			severity = SEVERITY_GOOD;
		else if (guest_state_find(state) == GUEST_PAUSED && *text)
			severity = SEVERITY_WARNING;
		if (!*text) {
			snprintf(sentence, sizeof(sentence), "is %s", state);
			text = sentence;
		}
	}
	if (strcmp(kind, "state") == 0 || strcmp(kind, "profiles") == 0)
		tui_list(tui);
	if (*text) {
		size_t n = strlen(guest);

		/* The name goes before the text, once. */
		if (n && strncmp(text, guest, n) == 0 && text[n] == ':')
			text += n + 1 + strspn(text + n + 1, " ");
		model_message(&tui->model, severity, json_count(params, "time"), guest, text);
		tui->message_shown = true;
		loop_timer_set(&tui->loop, &tui->hush, MESSAGE_NS);
	}
	quit_check(tui);
	tui_dirty(tui);
}

static void notification(void *arg, const char *method, json_t *params)
{
	struct tui *tui = arg;

	if (strcmp(method, "stats") == 0)
		subscribe_notified(tui, params);
	else if (strcmp(method, "packets") == 0)
		view_network_notified(tui, params);
	else if (strcmp(method, "event") == 0)
		event(tui, params);
}

static void closed(void *arg, const struct cause *cause)
{
	struct tui *tui = arg;

	if (!tui->quitting && !tui->ended && tui->cause)
		*tui->cause = *cause;
	tui_finish(tui, tui->quitting ? TUI_QUIT : tui->ended ? TUI_ENDED : TUI_LOST);
}

static void hello_reply(void *arg, json_t *result, const struct client_error *error)
{
	struct tui *tui = arg;

	if (error && !error->code)
		return;
	if (error || json_count(result, "version") != CONTROL_VERSION) {
		tui->error = cause_set(tui->cause, EPROTO,
				       "the core speaks another version of the control protocol "
				       "than this vmdeck%s%s; run the same version of both",
				       error ? ": " : "", error ? error->message : "");
		loop_stop(&tui->loop);
		return;
	}
	model_hello(&tui->model, result);
	tui_dirty(tui);
}

static int connect_core(struct tui *tui)
{
	const struct client_handlers handlers = { notification, closed, tui };
	int fd = tui->config->dial(tui->config->dial_arg, tui->cause), error;

	if (fd < 0)
		return fd;
	error = client_new(&tui->client, &tui->loop, fd, &handlers, tui->cause);
	if (error)
		return error;
	tui_call(tui, "hello", json_pack("{s:i}", "version", CONTROL_VERSION), hello_reply);
	tui_call(tui, "events.subscribe", NULL, NULL);
	list_now(tui);
	return 0;
}

static void timers_init(struct tui *tui)
{
	tui->redraw = (struct loop_timer){ .fire = redraw, .arg = tui };
	tui->tick = (struct loop_timer){ .fire = tick, .arg = tui };
	tui->list = (struct loop_timer){ .fire = list_now, .arg = tui };
	tui->hush = (struct loop_timer){ .fire = hush, .arg = tui };
}

static int start(struct tui *tui)
{
	int error = loop_init(&tui->loop, tui->cause);

	if (error)
		return error;
	timers_init(tui);
	subscribe_init(tui);
	tui->depth = 1;
	error = terminal_start(&tui->terminal, tui->cause);
	if (error)
		return error;
	draw_start(tui->terminal.utf8, tui->terminal.colour);
	error = loop_add(&tui->loop, &tui->input, STDIN_FILENO, EPOLLIN, input_ready, tui);
	if (error == 0)
		error = loop_add(&tui->loop, &tui->signals, tui->terminal.signal_fd, EPOLLIN,
				 signals_ready, tui);
	if (error)
		return cause_errno(tui->cause, -error, "the terminal cannot be watched");
	error = connect_core(tui);
	if (error == 0)
		show(tui);
	return error;
}

static void stop(struct tui *tui)
{
	editor_stop(tui);
	view_console_close(tui);
	client_free(tui->client);
	terminal_stop(&tui->terminal);
	loop_destroy(&tui->loop);
	json_decref(tui->guest.show);
	json_decref(tui->guest.before);
	json_decref(tui->stats.names);
	netmodel_destroy(&tui->network);
	model_destroy(&tui->model);
	free(tui);
}

int tui_run(const struct tui_config *config, enum tui_result *result, struct cause *cause)
{
	struct tui *tui = calloc(1, sizeof(*tui));
	int error;

	if (!tui)
		return cause_set(cause, ENOMEM, "no memory for the screen");
	tui->config = config;
	tui->cause = cause;
	tui->loop.epoll_fd = -1;
	tui->terminal.signal_fd = -1;
	tui->editor.pidfd = -1;
	error = start(tui);
	if (error == 0)
		error = loop_run(&tui->loop);
	if (error == 0)
		error = tui->error;
	*result = tui->result;
	stop(tui);
	return error;
}
