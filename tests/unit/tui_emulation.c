/*
 * The terminal of a screen and the process it is in: what is shown, answered and
 * kept; that it dies, hangs, lies and runs out of memory, and the screen goes on.
 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "sandbox/helper.h"
#include "tui/console/emulation.h"
#include "tui/console/emulator.h"
#include "tui/console/emulator_process.h"

#define COLUMNS 40

/* --- processes that do as they like --- */

#define LIAR(NAME, RUN)                                         \
	{                                                       \
		.name = NAME, .layout = { 1 << 16, 1 << 14, GRID_SIZE }, \
		.walls = { .memory = 512u << 20, .descriptors = 8, .filter = FILTER_EMULATOR }, \
		.run = RUN,                                      \
	}

static void record(struct channel *channel, const void *data, uint32_t size, uint32_t mark)
{
	void *room = channel_reserve(&channel->out, size);

	if (!room)
		return;
	memcpy(room, data, size);
	channel_commit(&channel->out, size, mark);
	channel_publish(&channel->out);
}

static void lie_by_marks(struct channel *channel, const char *label)
{
	(void)label;
	record(channel, "nonsense", 8, 77);
	pause();
}

static void lie_by_sizes(struct channel *channel, const char *label)
{
	(void)label;
	channel->out.head = 0x7ffffff3;
	channel_publish(&channel->out);
	pause();
}

/* Frames without end, of a grid of noise, and no look at what it is sent. */
static void lie_by_cells(struct channel *channel, const char *label)
{
	struct grid *grid = (struct grid *)(void *)channel->shared;
	struct frame frame = { .terminal = 1, .rows = 10, .columns = COLUMNS, .row = ~0u,
			       .column = ~0u, .scrollback = ~0u, .back = ~0u, .flags = ~0u };
	uint32_t noise = 1;

	(void)label;
	for (;;) {
		for (int row = 0; row < 10; row++) {
			for (size_t i = 0; i < sizeof(grid->cells[0]) / 4; i++)
				((uint32_t *)(void *)grid->cells[row])[i] = noise = noise * 1664525 + 1013904223;
			atomic_fetch_add(&grid->written[row], 1);
		}
		frame.number++;
		record(channel, &frame, sizeof(frame), FROM_TERMINAL_FRAME);
	}
}

/* Emulates until it is given something that is deadly. */
static void run_fragile(struct channel *channel, const char *label)
{
	struct emulator_server *server = emulator_server_new(channel);
	struct channel_reader *in = &channel->in;
	struct pollfd fd = { .fd = channel->wake_fd, .events = POLLIN };

	(void)label;
	for (;;) {
		uint32_t head = atomic_load(&in->places->head);

		if (memmem(in->bytes + (in->tail & (in->size - 1)), head - in->tail, "deadly", 6))
			_exit(7);
		if (emulator_server_turn(server))
			continue;
		if (channel_wait_for_record(in))
			poll(&fd, 1, -1);
		channel_woken(channel);
	}
}

static const struct sandbox_kind liar_by_marks = LIAR("marks", lie_by_marks);
static const struct sandbox_kind liar_by_sizes = LIAR("sizes", lie_by_sizes);
static const struct sandbox_kind liar_by_cells = LIAR("cells", lie_by_cells);
static const struct sandbox_kind fragile = LIAR("fragile", run_fragile);
static struct sandbox_kind poor = { .name = "poor" };

static const struct sandbox_kind *const kinds[] = {
	&emulator_process, &liar_by_marks, &liar_by_sizes, &liar_by_cells, &fragile, &poor, NULL,
};

/* --- a console with this test behind it --- */

#define BACKLOG "before\033[6n"

struct console {
	struct tty *tty;
	int guest; /* the other end */
	bool backlog; /* begins with BACKLOG */
};

struct screen {
	struct loop loop;
	struct loop_timer poll;
	struct emulation *emulation;
	struct console one, other, *asked; /* whose guest was typed into */
	const struct picture *picture;
	struct terminal_found found;
	bool (*condition)(struct screen *screen);
	uint64_t deadline;
	const char *wanted;
	char said[512];
	unsigned failures;
};

static void changed(void *arg)
{
	struct screen *screen = arg;
	const char *trouble = emulation_trouble(screen->emulation);

	if (*trouble && strcmp(trouble, screen->said) != 0)
		screen->failures++;
	if (*trouble)
		snprintf(screen->said, sizeof(screen->said), "%s", trouble);
}

static void came(void *arg, struct tty *tty)
{
	(void)tty;
	emulation_more(((struct screen *)arg)->emulation);
}

static void state_changed(void *arg, struct tty *tty)
{
	(void)arg;
	(void)tty;
}

static const struct tty_ops tty_ops = { .came = came, .changed = state_changed };

static void look(void *arg)
{
	struct screen *screen = arg;

	screen->picture = emulation_picture(screen->emulation);
	if (screen->condition(screen)) {
		loop_stop(&screen->loop);
		return;
	}
	if (clock_monotonic() > screen->deadline)
		fail_msg("did not happen; wanted '%s', said '%s'", screen->wanted, screen->said);
	loop_timer_set(&screen->loop, &screen->poll, NS_PER_MS);
}

static void run_until(struct screen *screen, bool (*condition)(struct screen *screen),
		      const char *wanted)
{
	screen->condition = condition;
	screen->wanted = wanted;
	screen->deadline = clock_monotonic() + 60 * NS_PER_S;
	loop_timer_set(&screen->loop, &screen->poll, 0);
	loop_run(&screen->loop);
	atomic_store(&screen->loop.stop, false);
}

static bool shows(struct screen *screen)
{
	char text[4096] = "";
	const struct picture *picture = screen->picture;
	size_t n = 0;

	if (!picture || picture->frame.rows * picture->frame.columns >= sizeof(text))
		return false;
	for (int row = 0; row < (int)picture->frame.rows; row++)
		for (int i = 0; i < (int)picture->frame.columns; i++)
			text[n++] = (char)(picture_row(picture, row)[i].c & 0x7f);
	return strstr(text, screen->wanted) != NULL;
}

static bool says(struct screen *screen)
{
	return strstr(screen->said, screen->wanted) != NULL;
}

static bool is_open(struct screen *screen)
{
	return screen->one.tty->state == TTY_OPEN && screen->other.tty->state == TTY_OPEN;
}

static int dial(void *arg, struct cause *cause)
{
	struct console *console = arg;
	char answer[128];
	int fds[2];

	(void)cause;
	snprintf(answer, sizeof(answer), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}\n%s",
		 console->backlog ? "{\"backlog\":10}" : "{}", console->backlog ? BACKLOG : "");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	console->guest = fds[1];
	assert_int_equal(write(fds[1], answer, strlen(answer)), strlen(answer));
	return fds[0];
}

static void console_new(struct screen *screen, struct console *console, const char *name)
{
	console->tty = tty_new(&screen->loop, name, NULL, &tty_ops, screen);
	assert_non_null(console->tty);
	tty_connect(console->tty, dial, console, false);
}

static struct screen *screen_new(const struct sandbox_kind *kind)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	struct cause cause;
	char request[512];

	assert_non_null(screen);
	screen->poll = (struct loop_timer){ .fire = look, .arg = screen };
	assert_int_equal(loop_init(&screen->loop, &cause), 0);
	screen->emulation = emulation_new(&screen->loop, kind, changed, screen);
	assert_non_null(screen->emulation);
	console_new(screen, &screen->one, "one");
	screen->asked = &screen->one;
	screen->other.backlog = true;
	console_new(screen, &screen->other, "other");
	run_until(screen, is_open, "both consoles open");
	assert_true(read(screen->one.guest, request, sizeof(request)) > 0);
	assert_true(read(screen->other.guest, request, sizeof(request)) > 0);
	emulation_resize(screen->emulation, 10, COLUMNS);
	emulation_show(screen->emulation, screen->one.tty);
	return screen;
}

static void screen_free(struct screen *screen)
{
	int pid = emulation_pid(screen->emulation);

	emulation_free(screen->emulation);
	for (unsigned i = 0; pid && kill(pid, 0) == 0; i++) {
		assert_true(i < 10000);
		usleep(1000);
	}
	tty_free(screen->one.tty);
	tty_free(screen->other.tty);
	close(screen->one.guest);
	close(screen->other.guest);
	loop_destroy(&screen->loop);
	free(screen);
}

static void print(const struct console *console, const char *text)
{
	assert_int_equal(write(console->guest, text, strlen(text)), strlen(text));
}

static void until_shown(struct screen *screen, const char *text)
{
	run_until(screen, shows, text);
}

/* What was typed into the guest so far. */
static const char *typed(const struct console *console)
{
	static char text[4096];
	ssize_t n = read(console->guest, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool is_typed(struct screen *screen)
{
	const char *text = typed(screen->asked);

	assert_true(!*text || strcmp(text, screen->wanted) == 0);
	return *text;
}

static bool is_up(struct screen *screen)
{
	return emulation_pid(screen->emulation) > 0;
}

static void signal_it(struct screen *screen, int number)
{
	run_until(screen, is_up, "a process");
	kill(emulation_pid(screen->emulation), number);
}

/* --- tests --- */

static void what_comes_is_shown_and_answered(void **state)
{
	struct screen *screen = screen_new(&emulator_process);

	(void)state;
	print(&screen->one, "hello \033[31mworld");
	until_shown(screen, "hello world");
	assert_int_equal(picture_row(screen->picture, 0)[6].fg, GRID_INDEXED | 1);
	assert_int_equal(screen->picture->frame.column, 11);
	print(&screen->one, "\033[6n");
	run_until(screen, is_typed, "\033[1;12R");
	assert_int_equal(screen->failures, 0);
	screen_free(screen);
}

static bool is_back(struct screen *screen)
{
	return screen->picture->frame.back == 5;
}

static bool is_back_again(struct screen *screen)
{
	return screen->picture->frame.terminal == 2 && is_back(screen) && shows(screen);
}

static bool is_wide(struct screen *screen)
{
	return screen->picture->frame.columns == 60 && shows(screen);
}

static void it_scrolls_back_and_takes_another_size(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	char line[32];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "line %u.\r\n", i);
		print(&screen->one, line);
	}
	until_shown(screen, "line 39.");
	assert_int_equal(screen->picture->frame.scrollback, 31);
	emulation_scroll(screen->emulation, 5);
	run_until(screen, is_back, "5 lines back");
	until_shown(screen, "line 26.");
	/* A process that begins again scrolls back to there. */
	signal_it(screen, SIGKILL);
	run_until(screen, is_back_again, "line 26.");
	emulation_scroll(screen->emulation, 0);
	emulation_resize(screen->emulation, 8, 60);
	run_until(screen, is_wide, "line 39.");
	screen_free(screen);
}

static bool wants_mouse(struct screen *screen)
{
	return screen->picture && screen->picture->frame.flags & FRAME_MOUSE;
}

/* As the guest has asked for it: nothing, and by SGR (1006). */
static void the_mouse_is_the_guests_on_request(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	struct terminal_mouse mouse = { 2, 5, 1, 1 };

	(void)state;
	print(&screen->one, "hello");
	until_shown(screen, "hello");
	assert_false(wants_mouse(screen));
	emulation_mouse(screen->emulation, &mouse); /* is not told */
	print(&screen->one, "\033[?1000h\033[?1006h");
	run_until(screen, wants_mouse, "the mouse");
	mouse.row = 3;
	emulation_mouse(screen->emulation, &mouse);
	run_until(screen, is_typed, "\033[<0;6;4M");
	mouse.pressed = 0;
	emulation_mouse(screen->emulation, &mouse);
	run_until(screen, is_typed, "\033[<0;6;4m");
	mouse = (struct terminal_mouse){ ~0u, ~0u, 5, 1 };
	emulation_mouse(screen->emulation, &mouse);
	run_until(screen, is_typed, "\033[<65;40;10M");
	assert_int_equal(screen->failures, 0);
	screen_free(screen);
}

static bool is_answered(struct screen *screen)
{
	return emulation_found(screen->emulation, &screen->found);
}

static void find(struct screen *screen, const char *text, enum find_step step)
{
	struct find_text wanted = { (uint32_t)strlen(text), { 0 } };

	for (size_t i = 0; text[i]; i++)
		wanted.c[i] = (uint8_t)text[i];
	emulation_find(screen->emulation, &wanted, step);
	run_until(screen, is_answered, text);
}

/* Of ten rows, the last of which is empty, lines 31 to 39 are in sight. */
static void a_text_is_found_above_and_below(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	struct terminal_found *found = &screen->found;
	char line[32];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "Line %u.\r\n", i);
		print(&screen->one, line);
	}
	until_shown(screen, "Line 39.");
	find(screen, "line 33", FIND_FIRST);
	assert_int_equal(found->found, 1);
	assert_int_equal(found->back, 0);
	assert_int_equal(found->row, 2);
	find(screen, "Line 3", FIND_OLDER); /* another text, from there on */
	assert_int_equal(found->row, 1);
	find(screen, "line 7.", FIND_OLDER);
	assert_int_equal(found->found, 1);
	assert_int_equal(found->back, 29); /* in the middle */
	assert_int_equal(found->row, 5);
	find(screen, "Line 7.", FIND_OLDER);
	assert_int_equal(found->found, 0);
	/* What was found last stays where the next search begins. */
	find(screen, "line 8.", FIND_NEWER);
	assert_int_equal(found->back, 28);
	find(screen, "line 1.", FIND_OLDER);
	assert_int_equal(found->back, 31); /* there are no more */
	assert_int_equal(found->row, 1);
	find(screen, "LINE 33", FIND_FIRST);
	assert_int_equal(found->found, 0);
	assert_int_equal(screen->failures, 0);
	screen_free(screen);
}

static bool is_narrow(struct screen *screen)
{
	return screen->picture->frame.columns == 6 && shows(screen);
}

/* A line is as long as before when there is room for it again; what was asked is asked once. */
static void narrowed_and_widened_it_has_its_text(void **state)
{
	struct screen *screen = screen_new(&emulator_process);

	(void)state;
	print(&screen->one, "some words in a line\033[6n");
	until_shown(screen, "some words in a line");
	run_until(screen, is_typed, "\033[1;21R");
	emulation_resize(screen->emulation, 10, 6);
	run_until(screen, is_narrow, "words");
	emulation_resize(screen->emulation, 10, 60);
	run_until(screen, is_wide, "some words in a line");
	print(&screen->one, "\033[6n");
	run_until(screen, is_typed, "\033[1;21R");
	screen_free(screen);
}

static bool has_lost_none(struct screen *screen)
{
	static char keys[4096];

	while (read(screen->one.guest, keys, sizeof(keys)) > 0)
		;
	return screen->one.tty->lost == 0;
}

/* What is typed waits for the guest, within bounds; what does not find room is counted. */
static void typed_without_room_it_is_counted(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	static const char keys[TTY_OUTPUT + 1];

	(void)state;
	tty_send(screen->one.tty, keys, TTY_OUTPUT);
	assert_int_equal(screen->one.tty->lost, 0);
	tty_send(screen->one.tty, keys, 7);
	assert_int_equal(screen->one.tty->lost, 7);
	run_until(screen, has_lost_none, "room again");
	tty_send(screen->one.tty, "x", 1);
	assert_int_equal(screen->one.tty->lost, 0);
	screen_free(screen);
}

static bool is_closed(struct screen *screen)
{
	return screen->one.tty->state == TTY_CLOSED;
}

static void what_was_lost_is_no_matter_of_the_next_connection(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	static const char keys[TTY_OUTPUT + 1];

	(void)state;
	tty_send(screen->one.tty, keys, TTY_OUTPUT);
	tty_send(screen->one.tty, keys, 7);
	close(screen->one.guest);
	run_until(screen, is_closed, "the console closed");
	assert_int_equal(screen->one.tty->lost, 7);
	tty_connect(screen->one.tty, dial, &screen->one, false);
	assert_int_equal(screen->one.tty->lost, 0);
	screen_free(screen);
}

/* Hidden it is kept as bytes; nothing of that is answered, and the terminal is the same. */
static void one_that_nobody_sees_goes_on_later(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	uint32_t terminal;
	int pid;

	(void)state;
	print(&screen->one, "\033[?1049h\033[5;5Hbefore");
	until_shown(screen, "before");
	terminal = screen->picture->frame.terminal;
	pid = emulation_pid(screen->emulation);
	emulation_show(screen->emulation, NULL);
	print(&screen->one, " after\033[6n");
	while (screen->one.tty->kept.end < 30)
		run_until(screen, is_open, "a turn of the loop");
	emulation_show(screen->emulation, screen->one.tty);
	until_shown(screen, "before after");
	assert_int_equal(screen->picture->frame.terminal, terminal);
	assert_true(screen->picture->frame.flags & FRAME_ALTERNATE);
	print(&screen->one, "\033[6n");
	run_until(screen, is_typed, "\033[5;17R");
	assert_string_equal(typed(&screen->one), "");
	assert_int_equal(emulation_pid(screen->emulation), pid);
	screen_free(screen);
}

/* Nor is anything that the guest printed before this screen was there. */
static void a_backlog_is_not_answered(void **state)
{
	struct screen *screen = screen_new(&emulator_process);

	(void)state;
	emulation_show(screen->emulation, screen->other.tty);
	until_shown(screen, "before");
	print(&screen->other, "now\033[6n");
	screen->asked = &screen->other;
	run_until(screen, is_typed, "\033[1;10R");
	until_shown(screen, "beforenow");
	screen_free(screen);
}

static void another_guest_gets_a_process_of_its_own(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	int pid;

	(void)state;
	print(&screen->one, "of one");
	print(&screen->other, "of other\033[c");
	until_shown(screen, "of one");
	pid = emulation_pid(screen->emulation);
	emulation_show(screen->emulation, screen->other.tty);
	until_shown(screen, "of other");
	assert_int_not_equal(emulation_pid(screen->emulation), pid);
	emulation_show(screen->emulation, screen->one.tty);
	until_shown(screen, "of one");
	assert_string_equal(typed(&screen->other), "");
	assert_int_equal(screen->failures, 0);
	screen_free(screen);
}

static void until_it_has_ended(struct screen *screen, const char *why)
{
	screen->said[0] = '\0';
	run_until(screen, says, why);
}

static void one_that_is_killed_is_started_again(void **state)
{
	struct screen *screen = screen_new(&emulator_process);

	(void)state;
	print(&screen->one, "kept\033[6n");
	until_shown(screen, "kept");
	run_until(screen, is_typed, "\033[1;5R");
	signal_it(screen, SIGKILL);
	until_it_has_ended(screen, "ended by signal 9");
	print(&screen->one, " and more");
	until_shown(screen, "kept and more");
	assert_string_equal(typed(&screen->one), "");
	screen_free(screen);
}

static void one_that_ends_of_nothing_begins_with_what_was_kept(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	static const char *const shown[] = {"kept", "kept twice"};

	(void)state;
	print(&screen->one, "kept");
	/* What it is told beside the console's bytes is not what ended it. */
	for (unsigned i = 0; i < 2; i++) {
		until_shown(screen, shown[i]);
		signal_it(screen, SIGSTOP);
		emulation_scroll(screen->emulation, i + 1);
		signal_it(screen, SIGKILL);
		until_it_has_ended(screen, "The terminal failed: ");
		print(&screen->one, i == 0 ? " twice" : " always");
	}
	emulation_scroll(screen->emulation, 0);
	until_shown(screen, "kept twice always");
	screen_free(screen);
}

/* Whatever it was that ended it is not given to it for ever. */
static void one_that_ends_there_again_begins_empty(void **state)
{
	struct screen *screen = screen_new(&fragile);

	(void)state;
	print(&screen->one, "kept");
	until_shown(screen, "kept");
	print(&screen->one, " deadly");
	until_it_has_ended(screen, "The terminal failed: it ended with status 7. It begins again in");
	until_it_has_ended(screen, "failed again: it ended with status 7. It begins again, empty,");
	print(&screen->one, "\r\nnew");
	until_shown(screen, "new");
	screen->wanted = "kept";
	assert_false(shows(screen));
	assert_int_equal(screen->failures, 2);
	screen_free(screen);
}

static void one_that_hangs_is_ended(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	uint64_t begin;

	(void)state;
	print(&screen->one, "kept");
	until_shown(screen, "kept");
	signal_it(screen, SIGSTOP);
	print(&screen->one, " more");
	begin = clock_monotonic();
	until_it_has_ended(screen, "did not answer");
	assert_true(clock_monotonic() - begin < SANDBOX_PATIENCE);
	until_shown(screen, "kept more");
	screen_free(screen);
}

static void liars_are_ended(void **state)
{
	static const struct sandbox_kind *const liars[] = { &liar_by_marks, &liar_by_sizes };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct screen *screen = screen_new(liars[i]);

		run_until(screen, says, "makes no sense");
		screen_free(screen);
	}
}

/* A loop that such a process kept busy would never come to its timers. */
static bool has_seen_noise(struct screen *screen)
{
	const struct picture *picture = screen->picture;

	if (!picture || picture->frame.number < 20)
		return false;
	assert_true(picture->frame.row < 10 && picture->frame.column < COLUMNS);
	assert_true(picture->frame.back <= picture->frame.scrollback &&
		    picture->frame.scrollback <= EMULATOR_SCROLLBACK);
	for (int row = 0; row < 10; row++)
		for (int i = 0; i < COLUMNS; i += picture_row(picture, row)[i].width) {
			const struct grid_cell *cell = &picture_row(picture, row)[i];

			assert_true(cell->width == 1 || cell->width == 2);
			assert_true(cell->c >= ' ' && cell->c <= 0x10ffff);
			assert_true((cell->attributes & ~GRID_ATTRIBUTES) == 0);
		}
	return true;
}

static void noise_is_shown_as_what_can_be_shown(void **state)
{
	struct screen *screen = screen_new(&liar_by_cells);

	(void)state;
	run_until(screen, has_seen_noise, "noise");
	screen_free(screen);
}

static void one_without_memory_says_so(void **state)
{
	struct screen *screen;

	(void)state;
#ifdef THREAD_SANITIZED
	skip();
#endif
	screen = screen_new(&poor);
	emulation_resize(screen->emulation, GRID_ROWS_MAX, GRID_COLUMNS_MAX);
	run_until(screen, says, "no memory left");
	emulation_resize(screen->emulation, 10, COLUMNS);
	print(&screen->one, "small");
	until_shown(screen, "small");
	screen_free(screen);
}

/* What is printed faster than it can be emulated waits with the deck; the last of it is shown. */
static void a_flood_waits_where_it_comes_from(void **state)
{
	struct screen *screen = screen_new(&emulator_process);
	char flood[4096];
	size_t sent = 0;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(flood); i++)
		flood[i] = "x\033#8y\033[2J"[i % 9];
	for (unsigned turn = 0; sent < 8u << 20 && turn < 100; turn++) {
		while ((n = write(screen->one.guest, flood, sizeof(flood) / 9 * 9)) > 0)
			sent += (size_t)n;
		run_until(screen, is_open, "a turn of the loop");
		assert_true(screen->one.tty->kept.end - screen->one.tty->kept.begin <= KEPT_MAX);
	}
	emulation_resize(screen->emulation, 10, COLUMNS);
	while (write(screen->one.guest, "\033[Hlast", 7) != 7)
		run_until(screen, is_open, "a turn of the loop");
	until_shown(screen, "last");
	assert_int_equal(screen->failures, 0);
	screen_free(screen);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_is_shown_and_answered),
		cmocka_unit_test(it_scrolls_back_and_takes_another_size),
		cmocka_unit_test(a_text_is_found_above_and_below),
		cmocka_unit_test(the_mouse_is_the_guests_on_request),
		cmocka_unit_test(narrowed_and_widened_it_has_its_text),
		cmocka_unit_test(typed_without_room_it_is_counted),
		cmocka_unit_test(what_was_lost_is_no_matter_of_the_next_connection),
		cmocka_unit_test(one_that_nobody_sees_goes_on_later),
		cmocka_unit_test(a_backlog_is_not_answered),
		cmocka_unit_test(another_guest_gets_a_process_of_its_own),
		cmocka_unit_test(one_that_is_killed_is_started_again),
		cmocka_unit_test(one_that_ends_of_nothing_begins_with_what_was_kept),
		cmocka_unit_test(one_that_ends_there_again_begins_empty),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(liars_are_ended),
		cmocka_unit_test(noise_is_shown_as_what_can_be_shown),
		cmocka_unit_test(one_without_memory_says_so),
		cmocka_unit_test(a_flood_waits_where_it_comes_from),
	};
	struct cause cause;

	poor = emulator_process;
	poor.name = "poor";
	poor.walls.memory = 64u << 20;
	sandbox_entry(argc, argv, kinds);
	setlocale(LC_CTYPE, "C.UTF-8");
	if (helper_start(NULL, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
