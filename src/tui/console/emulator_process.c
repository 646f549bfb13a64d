/* See emulator_process.h. The process's only thread. */
#include "tui/console/emulator_process.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "tui/console/emulator.h"
#include "tui/console/frame.h"
#include "tui/console/grid.h"

#define TURN (5 * NS_PER_MS) /* then what was taken is given back, and shown */
#define NICE 5		     /* whatever a guest prints, guests come first */

struct emulator_server {
	struct channel *channel;
	struct grid *grid;
	struct emulator *emulator;
	struct terminal_size size;
	uint32_t back;		/* as the screen wants it, */
	uint32_t shown_back;	/* and as far as there are lines */
	bool quiet;		/* what it answers now answers something old */
	bool changed, whole;	/* something, everything is to be shown */
	bool drawn;		/* the last frame was */
	uint32_t frame;
	bool found;		/* a line, whose number is: */
	uint64_t found_line;
	char answer[TERMINAL_PIECE_MAX];
	size_t answer_size;
};

static void __attribute__((noreturn)) give_up(struct channel *channel, const char *why)
{
	snprintf(channel->page->said, sizeof(channel->page->said), "%s", why);
	_exit(1);
}

static void exhausted(void *arg)
{
	struct emulator_server *server = arg;

	give_up(server->channel, "it had no memory left");
}

/* What finds no room is lost, as on a wire; a frame and what was found have room always. */
static void flush_answer(struct emulator_server *server)
{
	struct channel_writer *out = &server->channel->out;
	uint32_t size = (uint32_t)server->answer_size;
	void *record;

	server->answer_size = 0;
	if (!size)
		return;
	record = channel_reserve(out, size + 16 + sizeof(struct frame) +
				 sizeof(struct terminal_found));
	if (!record)
		return;
	memcpy(record, server->answer, size);
	channel_commit(out, size, FROM_TERMINAL_ANSWER);
	channel_publish(out);
}

static void output(const char *data, size_t size, void *arg)
{
	struct emulator_server *server = arg;

	if (server->quiet || size > sizeof(server->answer))
		return;
	if (size > sizeof(server->answer) - server->answer_size)
		flush_answer(server);
	memcpy(server->answer + server->answer_size, data, size);
	server->answer_size += size;
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
	return value < low ? low : value > high ? high : value;
}

static struct terminal_size read_size(const void *record)
{
	struct terminal_size size;

	memcpy(&size, record, sizeof(size));
	size.rows = clamp(size.rows, GRID_MIN, GRID_ROWS_MAX);
	size.columns = clamp(size.columns, GRID_MIN, GRID_COLUMNS_MAX);
	return size;
}

static void take_new(struct emulator_server *server, const void *record, uint32_t size)
{
	static const struct emulator_ops ops = { .output = output, .exhausted = exhausted };

	(void)size;
	emulator_free(server->emulator);
	server->size = read_size(record);
	server->emulator = emulator_new((int)server->size.rows, (int)server->size.columns, &ops,
					server);
	if (!server->emulator)
		exhausted(server);
	server->back = 0;
	server->found = false;
	server->whole = true;
}

static void take_resize(struct emulator_server *server, const void *record, uint32_t size)
{
	uint32_t terminal = server->size.terminal;

	(void)size;
	server->size = read_size(record);
	server->size.terminal = terminal;
	emulator_resize(server->emulator, (int)server->size.rows, (int)server->size.columns);
	server->whole = true;
}

static void take_back(struct emulator_server *server, const void *record, uint32_t size)
{
	(void)size;
	memcpy(&server->back, record, sizeof(server->back));
	server->whole = true;
}

static void take_drawn(struct emulator_server *server, const void *record, uint32_t size)
{
	uint32_t frame;

	(void)size;
	memcpy(&frame, record, sizeof(frame));
	server->drawn = frame == server->frame;
}

static void take_bytes(struct emulator_server *server, const void *record, uint32_t size)
{
	emulator_input(server->emulator, record, size);
	flush_answer(server);
	server->changed = true;
}

static void take_old(struct emulator_server *server, const void *record, uint32_t size)
{
	server->quiet = true;
	take_bytes(server, record, size);
	server->quiet = false;
}

/* The row of the screen, negative above it, that a search begins with. */
static int find_begin(const struct emulator_server *server, const struct terminal_find *find)
{
	int last = (int)server->size.rows - 1, above = -(int)emulator_scrollback(server->emulator);
	int64_t row;

	if (find->step == FIND_FIRST || !server->found)
		return last;
	row = (int64_t)(server->found_line - emulator_first_line(server->emulator)) +
	      (find->step == FIND_OLDER ? -1 : 1);
	/* It may have been lost above meanwhile, or below, where the screen was cleared. */
	if (find->step == FIND_OLDER)
		return row < above ? above - 1 : row > last ? last : (int)row;
	return row < above ? above : row > last ? last + 1 : (int)row;
}

static bool find_row(struct emulator_server *server, const struct terminal_find *find, int *row)
{
	int above = -(int)emulator_scrollback(server->emulator), end;
	int columns = (int)server->size.columns;
	static struct grid_cell cells[GRID_COLUMNS_MAX];

	for (*row = find_begin(server, find); *row >= above && *row < (int)server->size.rows;
	     *row += find->step == FIND_NEWER ? 1 : -1) {
		emulator_row(server->emulator, *row, cells, columns);
		if (find_in_row(&find->text, cells, columns, 0, &end) >= 0)
			return true;
	}
	return false;
}

static void take_find(struct emulator_server *server, const void *record, uint32_t size)
{
	struct channel_writer *out = &server->channel->out;
	struct terminal_found found = { 0 }, *room;
	int row, rows = (int)server->size.rows, back = (int)server->back;
	struct terminal_find find;

	(void)size;
	memcpy(&find, record, sizeof(find));
	if (find.text.length == 0 || find.text.length > FIND_MAX)
		give_up(server->channel, "it was told nonsense");
	found.number = find.number;
	if (find_row(server, &find, &row)) {
		server->found = true;
		server->found_line = emulator_first_line(server->emulator) + (uint64_t)(int64_t)row;
		if (row + back < 0 || row + back >= rows)
			back = row < rows / 2 ? rows / 2 - row : 0;
		back = (int)clamp((uint32_t)back, 0, emulator_scrollback(server->emulator));
		found.found = 1;
		found.back = (uint32_t)back;
		found.row = (uint32_t)(row + back);
	}
	room = channel_reserve(out, sizeof(found));
	if (!room)
		return;
	*room = found;
	channel_commit(out, sizeof(found), FROM_TERMINAL_FOUND);
	channel_publish(out);
}

static void take_mouse(struct emulator_server *server, const void *record, uint32_t size)
{
	struct terminal_mouse mouse;

	(void)size;
	memcpy(&mouse, record, sizeof(mouse));
	if (mouse.button < 1 || mouse.button > 5)
		give_up(server->channel, "it was told nonsense");
	emulator_mouse(server->emulator, (int)clamp(mouse.row, 0, server->size.rows - 1),
		       (int)clamp(mouse.column, 0, server->size.columns - 1), (int)mouse.button,
		       mouse.pressed);
	flush_answer(server);
}

static const struct {
	uint32_t size; /* 0: up to TERMINAL_PIECE_MAX */
	void (*take)(struct emulator_server *server, const void *record, uint32_t size);
} takers[] = {
	[TO_TERMINAL_NEW] = { sizeof(struct terminal_size), take_new },
	[TO_TERMINAL_RESIZE] = { sizeof(struct terminal_size), take_resize },
	[TO_TERMINAL_BACK] = { sizeof(uint32_t), take_back },
	[TO_TERMINAL_DRAWN] = { sizeof(uint32_t), take_drawn },
	[TO_TERMINAL_BYTES] = { 0, take_bytes },
	[TO_TERMINAL_OLD] = { 0, take_old },
	[TO_TERMINAL_MOUSE] = { sizeof(struct terminal_mouse), take_mouse },
	[TO_TERMINAL_FIND] = { sizeof(struct terminal_find), take_find },
};

static void take_record(struct emulator_server *server, uint32_t size, uint32_t mark)
{
	uint8_t record[TERMINAL_PIECE_MAX];

	if (mark >= sizeof(takers) / sizeof(takers[0]) || size > sizeof(record) ||
	    (takers[mark].size && size != takers[mark].size) ||
	    (!server->emulator && mark != TO_TERMINAL_NEW))
		give_up(server->channel, "it was told nonsense");
	channel_copy(&server->channel->in, record, size);
	takers[mark].take(server, record, size);
}

static void write_row(struct emulator_server *server, int row)
{
	emulator_row(server->emulator, row - (int)server->shown_back, server->grid->cells[row],
		     (int)server->size.columns);
	atomic_store_explicit(&server->grid->written[row], server->frame, memory_order_relaxed);
}

static void write_grid(struct emulator_server *server)
{
	struct emulator *emulator = server->emulator;
	uint32_t back = clamp(server->back, 0, emulator_scrollback(emulator));
	bool all = server->whole || back != server->shown_back ||
		   (back && emulator_scrolled(emulator));

	server->shown_back = back;
	server->frame++;
	for (uint32_t row = 0; row < server->size.rows; row++)
		if (all || (row >= back && emulator_changed(emulator, (int)(row - back))))
			write_row(server, (int)row);
	emulator_unchanged(emulator);
}

static void describe(const struct emulator_server *server, struct frame *frame)
{
	struct emulator *emulator = server->emulator;
	int row, column;
	bool cursor = emulator_cursor(emulator, &row, &column);

	*frame = (struct frame){
		.number = server->frame,
		.terminal = server->size.terminal,
		.rows = server->size.rows,
		.columns = server->size.columns,
		.row = clamp((uint32_t)(row < 0 ? 0 : row), 0, server->size.rows - 1),
		.column = clamp((uint32_t)(column < 0 ? 0 : column), 0, server->size.columns - 1),
		.scrollback = emulator_scrollback(emulator),
		.back = server->shown_back,
		.flags = (cursor ? FRAME_CURSOR : 0) |
			 (emulator_alternate(emulator) ? FRAME_ALTERNATE : 0) |
			 (emulator_cursor_keys(emulator) ? FRAME_CURSOR_KEYS : 0) |
			 (emulator_wants_mouse(emulator) ? FRAME_MOUSE : 0),
	};
}

static void show(struct emulator_server *server)
{
	struct channel_writer *out = &server->channel->out;
	struct frame *frame;

	if (!server->emulator || !server->drawn || !(server->changed || server->whole))
		return;
	frame = channel_reserve(out, sizeof(*frame));
	if (!frame)
		return;
	write_grid(server);
	describe(server, frame);
	channel_commit(out, sizeof(*frame), FROM_TERMINAL_FRAME);
	channel_publish(out);
	server->changed = server->whole = server->drawn = false;
}

bool emulator_server_turn(struct emulator_server *server)
{
	struct channel_reader *in = &server->channel->in;
	uint64_t begin = clock_monotonic();
	uint32_t size, mark;
	int result;

	while ((result = channel_next(in, &size, &mark)) == 1) {
		take_record(server, size, mark);
		channel_drop(in);
		if (clock_monotonic() - begin > TURN)
			break;
	}
	if (result < 0)
		give_up(server->channel, "it was told nonsense");
	channel_release(in);
	show(server);
	return result == 1;
}

struct emulator_server *emulator_server_new(struct channel *channel)
{
	struct emulator_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->channel = channel;
	server->grid = (struct grid *)(void *)channel->shared;
	server->drawn = true;
	return server;
}

void emulator_server_free(struct emulator_server *server)
{
	if (!server)
		return;
	emulator_free(server->emulator);
	free(server);
}

static int prepare(struct cause *cause)
{
	(void)cause;
	setpriority(PRIO_PROCESS, 0, NICE);
	return 0;
}

static void run(struct channel *channel, const char *label)
{
	struct emulator_server *server = emulator_server_new(channel);
	struct pollfd fd = { .fd = channel->wake_fd, .events = POLLIN };

	(void)label;
	if (!server)
		give_up(channel, "it had no memory left");
	for (;;) {
		if (emulator_server_turn(server))
			continue;
		if (channel_wait_for_record(&channel->in) && poll(&fd, 1, -1) < 0 && errno != EINTR)
			give_up(channel, "it cannot wait");
		channel_woken(channel);
	}
}

const struct sandbox_kind emulator_process = {
	.name = "emulator",
	.layout = {
		.to_process = 1 << 16,
		.from_process = 1 << 14,
		.shared = (GRID_SIZE),
	},
	/* Both screens and the lines above, at the largest size, twice while that changes. */
	.walls = { .memory = 512u << 20, .descriptors = 8, .filter = FILTER_EMULATOR },
	.patience = 2 * NS_PER_S,
	.prepare = prepare,
	.run = run,
};
