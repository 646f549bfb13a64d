/* A screen without a terminal. */
#include "fake_screen.h"

#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tui/model/json.h"
#include "tui/ui/marked.h"
#include "tui/ui/media.h"
#include "tui/ui/mistakes.h"
#include "tui/ui/palette.h"
#include "tui/ui/subscribe.h"
#include "tui/views/table.h"

static int no_dial(void *arg, struct cause *cause)
{
	(void)arg;
	return cause_set(cause, ECONNREFUSED, "Nobody answers.");
}

struct tui_config fake_screen_config = { .dial = no_dial };

static void notification(void *arg, const char *method, json_t *params)
{
	subscriptions_notified(arg, method, params);
}

static void undrawn(void *arg)
{
	(void)arg;
}

struct fake_screen *fake_screen_new(const struct keys *keys)
{
	struct fake_screen *screen = calloc(1, sizeof(*screen));
	struct tui *tui = &screen->tui;
	const struct client_handlers handlers = { .notification = notification,
						  .arg = &tui->decks[0] };
	struct cause cause;
	int fds[2];

	assert_int_equal(loop_init(&tui->loop, &cause), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	screen->server = fds[1];
	tui->redraw = (struct loop_timer){ .fire = undrawn };
	tui->deck_count = 1;
	tui->deck = &tui->decks[0];
	tui->deck->tui = tui;
	tui->deck->config = &fake_screen_config;
	assert_int_equal(client_new(&tui->deck->client, &tui->loop, fds[0], &handlers, &cause), 0);
	tui_prepare(tui, keys);
	assert_int_equal(tui_init(tui, views_table, views_count), 0);
	assert_int_equal(palette_start(tui), 0);
	fake_screen_answer(screen, fake_screen_wait(screen, "capture.list"), "{}");
	return screen;
}

void fake_screen_free(struct fake_screen *screen)
{
	struct tui *tui = &screen->tui;

	client_free(tui->deck->client);
	media_stop(tui);
	palette_stop(tui);
	mistakes_forget(tui->deck);
	marked_forget(tui->deck);
	tui_destroy(tui);
	model_destroy(&tui->deck->model);
	netmodel_destroy(&tui->deck->network);
	loop_destroy(&tui->loop);
	close(screen->server);
	free(screen);
}

void fake_screen_guests(struct fake_screen *screen, const char *list)
{
	json_t *json = json_loads(list, 0, NULL);

	assert_non_null(json);
	assert_true(model_guests(&screen->tui.deck->model, json));
	json_decref(json);
}

static struct {
	SCREEN *screen;
	FILE *file;
} terminal;

bool fake_terminal_open(int rows, int columns, bool utf8)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", rows);
	setenv("LINES", number, 1);
	snprintf(number, sizeof(number), "%d", columns);
	setenv("COLUMNS", number, 1);
	if (utf8 && !setlocale(LC_ALL, "C.UTF-8")) {
		printf("there is no locale C.UTF-8\n");
		return false;
	}
	terminal.file = fopen("/dev/null", "r+");
	terminal.screen = terminal.file ? newterm("vt100", terminal.file, terminal.file) : NULL;
	if (!terminal.screen) {
		printf("curses does not know the terminal vt100\n");
		return false;
	}
	draw_start(utf8 ? GLYPHS_ALL : GLYPHS_ASCII, false, NULL);
	return true;
}

void fake_terminal_close(void)
{
	endwin();
	delscreen(terminal.screen);
	fclose(terminal.file);
}

const char *fake_screen_asked(struct fake_screen *screen, json_int_t *id, json_t **params)
{
	static char method[64];
	char line[4096];
	json_t *request;
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(screen->server, &line[n], 1) == 1 && line[n] != '\n')
		n++;
	if (n == 0)
		return NULL;
	line[n] = '\0';
	request = json_loads(line, 0, NULL);
	assert_non_null(request);
	snprintf(method, sizeof(method), "%s", json_text(request, "method"));
	*id = json_integer_value(json_object_get(request, "id"));
	*params = json_incref(json_object_get(request, "params"));
	json_decref(request);
	return method;
}

json_int_t fake_screen_wait(struct fake_screen *screen, const char *method)
{
	const char *asked;
	json_t *params;
	json_int_t id;

	do {
		asked = fake_screen_asked(screen, &id, &params);
		assert_non_null(asked);
		json_decref(params);
	} while (strcmp(asked, method) != 0);
	return id;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* A loop reads what is there before its timers fire: the line is taken before the end. */
static void send_line(struct fake_screen *screen, const char *line)
{
	struct loop *loop = &screen->tui.loop;
	struct loop_timer end = { .fire = stop, .arg = loop };

	assert_int_equal(write(screen->server, line, strlen(line)), strlen(line));
	loop_timer_set(loop, &end, 0);
	assert_int_equal(loop_run(loop), 0);
}

void fake_screen_answer(struct fake_screen *screen, json_int_t id, const char *result)
{
	char line[8192];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n",
		 (long long)id, result);
	send_line(screen, line);
}

void fake_screen_refuse(struct fake_screen *screen, json_int_t id, const char *name,
			const char *why)
{
	char line[8192];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":-32000,\"message\":\"%s\","
		 "\"data\":{\"errno\":\"%s\"}}}\n", (long long)id, why, name);
	send_line(screen, line);
}

void fake_screen_notify(struct fake_screen *screen, const char *method, const char *params)
{
	char line[8192];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}\n",
		 method, params);
	send_line(screen, line);
}
