/*
 * The screen's loop: keys, messages of the server, signals, drawing. The
 * thread that calls tui_run(), which never waits but in epoll.
 */
#include "tui/tui.h"

#include <curses.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/paths.h"
#include "control/names.h"
#include "tui/console/key_sequence.h"
#include "tui/ui/commands.h"
#include "tui/ui/edit.h"
#include "tui/ui/frame.h"
#include "tui/ui/media.h"
#include "tui/ui/palette.h"
#include "tui/ui/samples.h"
#include "tui/ui/server.h"
#include "tui/ui/suspend.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define WHEEL_LINES 3

static void use_mouse(struct tui *tui)
{
	const struct view_ops *ops = tui->top->ops;
	enum terminal_mouse_use use = TERMINAL_MOUSE_NONE;

	if (ops->click)
		use = TERMINAL_MOUSE_CLICKS;
	else if (ops->wants_mouse && ops->wants_mouse(tui->top))
		use = TERMINAL_MOUSE_ALL;
	terminal_mouse(&tui->terminal, use);
}

static void redraw(void *arg)
{
	struct tui *tui = arg;
	unsigned (*needs)(struct view *view);
	json_t *(*stats)(struct view *view);

	if (tui->terminal.suspended)
		return;
	/* What was typed ahead answers no question. */
	if (tui->prompt.active && tui->prompt.choices && !tui->prompt.drawn)
		flushinp();
	draw_erase();
	curs_set(tui->prompt.active && !tui->prompt.choices);
	frame_draw(tui);
	use_mouse(tui);
	refresh();
	/* The frame says which guests are in sight. */
	stats = tui->top->ops->stats;
	samples_want(tui->deck->samples, stats ? stats(tui->top) : NULL);
	needs = tui->top->ops->needs;
	samples_need(tui->deck->samples, needs ? needs(tui->top) : 0);
	tui_drawn(tui);
}

/* Keys */

/* Codes that curses has no use for: what is pasted comes between these two. */
enum { KEY_PASTE = 0x3f00, KEY_PASTED };

#define PASTE_NS NS_PER_S /* after so much silence its end was lost */

/*
 * What a terminal sends for a key with modifiers is one key, too, not several; so is what
 * another terminal sends than TERM says, as in a tmux whose shells set it.
 */
static void define_keys(void)
{
	static const struct {
		const char *text;
		int code;
	} others[] = {
		{ "\033[H", KEY_HOME }, { "\033OH", KEY_HOME }, { "\033[1~", KEY_HOME },
		{ "\033[7~", KEY_HOME }, { "\033[F", KEY_END }, { "\033OF", KEY_END },
		{ "\033[4~", KEY_END }, { "\033[8~", KEY_END },
		{ TERMINAL_PASTE, KEY_PASTE }, { TERMINAL_PASTED, KEY_PASTED },
	};
	char text[KEY_SEQUENCE_MAX];
	int code;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (key_defined(others[i].text) == 0)
			define_key(others[i].text, others[i].code);
	for (unsigned n = 0; key_sequence_modified(n, &code, text); n++) {
		int known = code ? key_defined(text) : KEY_MIN;

		if (known <= 0 || known > KEY_MAX)
			define_key(text, code);
	}
}

/* A button of the mouse, which answers no question; the wheel moves as keys do. */
static void mouse_pressed(struct tui *tui)
{
	struct view *view = tui->top;
	struct terminal_click click;

	if (!terminal_clicked(&click) || tui->prompt.active)
		return;
	if (view->ops->wants_mouse && view->ops->wants_mouse(view)) {
		view->ops->mouse(view, &click);
		return;
	}
	if (!view->ops->click || !click.pressed)
		return;
	tui_dirty(tui);
	if (click.button == 1)
		view->ops->click(view, click.y, click.x);
	for (unsigned i = 0; click.button > 3 && i < WHEEL_LINES; i++)
		view->ops->command(view, click.button == 4 ? COMMAND_UP : COMMAND_DOWN);
}

/* Text that is pasted goes where text goes, and is no command: not even the end of a line is. */
static void take_pasted(struct tui *tui, wint_t key, bool special)
{
	struct view *view = tui->top;

	if (tui->prompt.active) {
		tui_dirty(tui);
		/* A blank in the place of a line's end would make another secret of one. */
		if (!tui->prompt.choices && !special && !(tui->prompt.hidden && key < 0x20))
			prompt_key(&tui->prompt, key < 0x20 ? ' ' : key, false);
	} else if (view->ops->input) {
		view->ops->input(view, key, special);
	} else if (!tui->paste_told) {
		tui->paste_told = true;
		tui_say(tui, SEVERITY_WARNING, NULL, "Pasted text is not taken for keys; %s opens a "
			"line for commands.", tui_key(view, COMMAND_PALETTE));
	}
}

/* Whether a key is, or begins or ends, what is pasted. */
static bool pasted(struct tui *tui, wint_t key, bool special)
{
	bool begins = special && key == KEY_PASTE, ends = special && key == KEY_PASTED;

	if (begins || ends) {
		tui->paste_told = false;
		tui->pasting = begins;
	}
	if (tui->pasting && !begins && clock_monotonic() - tui->pasted > PASTE_NS)
		tui->pasting = false;
	else if (tui->pasting && !begins)
		take_pasted(tui, key, special);
	if (begins || tui->pasting)
		tui->pasted = clock_monotonic();
	return begins || ends || tui->pasting;
}

/* Works behind a question, too, which waits. */
static bool suspends(struct tui *tui, wint_t key, bool special)
{
	const struct key *row = special ? NULL : keys_find(tui->keys, tui->top->ops, (int)key);

	if (!row || row->command != COMMAND_SUSPEND || !tui->prompt.active)
		return false;
	command_run(tui, row);
	return true;
}

/* To a command, or as input, of the view or its mode. */
static void key_given(struct tui *tui, wint_t key, bool special)
{
	struct view *view = tui->top;
	const struct view_ops *of = view->mode ? view->mode : view->ops;
	const struct key *row = NULL;

	if (view->mode)
		tui_dirty(tui);
	if (of->once)
		view->mode = NULL;
	/* A character beyond the KEY_* range must not be taken for one. */
	if (special || key < KEY_MIN)
		row = keys_find(tui->keys, of, (int)key);
	if (row) {
		tui_dirty(tui);
		command_run(tui, row);
	} else if (of->input) {
		of->input(view, key, special);
	}
}

static void key_pressed(struct tui *tui, wint_t key, bool special)
{
	if (special && key == KEY_RESIZE)
		return;
	if (pasted(tui, key, special))
		return;
	tui_key_pressed(tui);
	if (special && key == KEY_MOUSE) {
		mouse_pressed(tui);
		return;
	}
	if (suspends(tui, key, special))
		return;
	if (tui->prompt.active) {
		tui_dirty(tui);
		prompt_key(&tui->prompt, key, special);
		return;
	}
	key_given(tui, key, special);
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
	if (seen & (1u << SIGHUP | 1u << SIGTERM | 1u << SIGQUIT))
		tui_finish(tui, TUI_HANGUP);
	if (seen & 1u << SIGCONT)
		suspend_ended(tui);
	else if (seen & 1u << SIGTSTP && tui->terminal.suspended)
		suspend_job(tui);
	if (seen & 1u << SIGWINCH) {
		terminal_resize(&tui->terminal);
		tui_dirty(tui);
	}
}

/* In ~/.config/vmdeck/screen.ini. */
static void read_settings(struct tui *tui)
{
	char path[PATH_MAX];

	settings_begin(&tui->settings);
	if (paths_settings(path, "screen" NAME_FILE_SUFFIX, NULL) == 0)
		settings_read(&tui->settings, path);
}

static void say_mistakes(struct tui *tui)
{
	const struct settings *settings = &tui->settings;

	for (unsigned i = 0; i < settings->mistake_count && i < SETTINGS_MISTAKES; i++)
		if (settings->mistakes[i])
			tui_say(tui, SEVERITY_WARNING, NULL, "%s", settings->mistakes[i]);
}

static int start(struct tui *tui, const struct tui_config *config)
{
	int error = loop_init(&tui->loop, tui->cause);

	if (error)
		return error;
	tui->redraw = (struct loop_timer){ .fire = redraw, .arg = tui };
	error = terminal_start(&tui->terminal, tui->cause);
	if (error)
		return error;
	define_keys();
	read_settings(tui);
	draw_start(tui->terminal.glyphs, tui->terminal.colour, &tui->settings.inks);
	error = loop_add(&tui->loop, &tui->input, STDIN_FILENO, EPOLLIN, input_ready, tui);
	if (error == 0)
		error = loop_add(&tui->loop, &tui->signals, tui->terminal.signal_fd, EPOLLIN,
				 signals_ready, tui);
	if (error)
		return cause_errno(tui->cause, -error, "the terminal cannot be watched");
	tui_prepare(tui, &tui->settings.keys);
	error = server_connect(tui, config);
	if (error)
		return error;
	error = tui_init(tui, views_table, views_count);
	if (error)
		return cause_errno(tui->cause, -error, "the screen");
	error = palette_start(tui);
	if (error)
		return cause_errno(tui->cause, -error, "the screen");
	tui_show(tui);
	say_mistakes(tui);
	return 0;
}

static void stop(struct tui *tui)
{
	editor_stop(tui);
	for (size_t i = 0; i < tui->deck_count; i++)
		server_disconnect(&tui->decks[i]);
	media_stop(tui);
	palette_stop(tui);
	tui_destroy(tui);
	for (size_t i = 0; i < tui->deck_count; i++)
		server_destroy(&tui->decks[i]);
	settings_end(&tui->settings);
	terminal_stop(&tui->terminal);
	loop_destroy(&tui->loop);
	free(tui);
}

int tui_run(const struct tui_config *config, enum tui_result *result, struct cause *cause)
{
	struct tui *tui = calloc(1, sizeof(*tui));
	int error;

	if (!tui)
		return cause_set(cause, ENOMEM, "no memory for the screen");
	tui->cause = cause;
	tui->loop.epoll_fd = -1;
	tui->terminal.signal_fd = -1;
	error = start(tui, config);
	if (error == 0)
		error = loop_run(&tui->loop);
	if (error == 0)
		error = tui->error;
	*result = tui->result;
	stop(tui);
	return error;
}
