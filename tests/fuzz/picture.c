/*
 * libFuzzer: the screen's side of a terminal whose process does as it likes: records
 * of any kind, places of the ring, and a grid of any bytes, between the screen's
 * own steps. The grid is the input again and again.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "lib/fuzz.h"
#include "tui/console/emulator.h"
#include "tui/console/emulator_process.h"
#include "tui/console/picture.h"

#define SEED(text) { text, sizeof(text) - 1 }

/* A step is a byte and what it needs. */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\000\001\000\000\000\001\000\000\000\012\000\000\000\050\000\000\000\377\377\377\377"
	     "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\003\004"),
	SEED("\002\003\000\004\001\000\000\000\001\000\000\000\012\000\000\000\050\000\000\000\000\000"
	     "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\003\004\002\005\003\004"),
	SEED("\001\012\033[1;1R\000\000\000\000\003\005\377\377\000\000\003\006\003"),
	{ NULL, 0 },
};

struct input {
	const uint8_t *data, *all;
	size_t size, all_size;
};

static void take(struct input *input, void *to, size_t size)
{
	size_t n = size < input->size ? size : input->size;

	memset(to, 0, size);
	memcpy(to, input->data, n);
	input->data += n;
	input->size -= n;
}

/* The process's end of the ring, which the screen reads. */
static struct channel_writer process_writer(struct channel *channel)
{
	return (struct channel_writer){
		.places = &channel->page->from_process,
		.bytes = (uint8_t *)(uintptr_t)channel->in.bytes,
		.size = channel->in.size,
		.head = atomic_load(&channel->page->from_process.head),
		.tail = atomic_load(&channel->page->from_process.tail),
		.wake_fd = channel->peer_fd,
	};
}

static void say(struct channel *channel, struct input *input, uint32_t mark, uint32_t size)
{
	struct channel_writer out = process_writer(channel);
	void *record = channel_reserve(&out, size);

	if (!record)
		return;
	take(input, record, size);
	channel_commit(&out, size, mark);
	channel_publish(&out);
}

static void write_grid(struct channel *channel, const struct input *input, uint32_t row)
{
	struct grid *grid = (struct grid *)(void *)channel->shared;
	uint8_t *to = (uint8_t *)grid->cells[row % GRID_ROWS_MAX];
	size_t room = sizeof(grid->cells[0]);

	grid->written[row % GRID_ROWS_MAX]++;
	for (size_t n; room > 0; to += n, room -= n) {
		n = input->all_size < room ? input->all_size : room;
		memcpy(to, input->all, n);
	}
}

static void check_row(const struct grid_cell *cells, uint32_t columns)
{
	for (uint32_t i = 0; i < columns; i++) {
		const struct grid_cell *cell = &cells[i];

		REQUIRE(cell->width == 1 || cell->width == 2);
		REQUIRE(cell->c >= ' ' && cell->c != 0x7f && cell->c <= 0x10ffff &&
			(cell->c < 0x80 || cell->c >= 0xa0));
		REQUIRE(!(cell->attributes & ~GRID_ATTRIBUTES));
		REQUIRE((cell->fg >> 24 == 0 && cell->fg == GRID_DEFAULT) ||
			(cell->fg >> 24 == 1 && (cell->fg & 0xffffff) < 256) || cell->fg >> 24 == 2);
		for (unsigned m = 0; m < GRID_MARKS_MAX && cell->marks[m]; m++)
			REQUIRE(cell->marks[m] >= 0x300 && wcwidth((wchar_t)cell->marks[m]) == 0);
		if (cell->width == 2)
			i++;
		REQUIRE(i < columns);
	}
}

static void check(const struct picture *picture, const struct terminal_size *size)
{
	const struct frame *frame = &picture->frame;

	if (!frame->number)
		return;
	REQUIRE(frame->rows == size->rows && frame->columns == size->columns);
	REQUIRE(frame->row < frame->rows && frame->column < frame->columns);
	REQUIRE(frame->back <= frame->scrollback && frame->scrollback <= EMULATOR_SCROLLBACK);
	for (uint32_t row = 0; row < frame->rows; row++)
		check_row(picture_row(picture, (int)row), frame->columns);
}

static void answer(const uint8_t *data, size_t size, void *arg)
{
	uint8_t *sum = arg;

	REQUIRE(size <= TERMINAL_PIECE_MAX);
	for (size_t i = 0; i < size; i++)
		*sum += data[i];
}

static void step(struct channel *channel, struct picture *picture, struct input *input)
{
	static const struct terminal_size size = { 1, 10, 40 };
	uint8_t what, sum = 0;
	uint32_t value;

	take(input, &what, 1);
	switch (what % 8) {
	case 0:
		say(channel, input, FROM_TERMINAL_FRAME, sizeof(struct frame));
		break;
	case 1:
		take(input, &what, 1);
		say(channel, input, FROM_TERMINAL_ANSWER, what * 8u);
		break;
	case 7:
		say(channel, input, FROM_TERMINAL_FOUND, sizeof(struct terminal_found));
		break;
	case 2:
		take(input, &what, 1);
		write_grid(channel, input, what % 16);
		break;
	case 3:
		if (picture_input(picture, channel, answer, &sum) < 0)
			input->size = 0;
		break;
	case 4:
		picture_take(picture, channel, &size);
		check(picture, &size);
		break;
	case 5:
		take(input, &value, sizeof(value));
		atomic_store(&channel->page->from_process.head, value);
		break;
	case 6:
		take(input, &what, 1);
		say(channel, input, what % 4, what % 64);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data, size, size };
	struct picture picture = { 0 };
	struct channel channel;

	setlocale(LC_CTYPE, "C.UTF-8"); /* which says how wide characters are */
	REQUIRE(channel_create(&channel, &emulator_process.layout, NULL) == 0);
	while (input.size > 0)
		step(&channel, &picture, &input);
	picture_destroy(&picture);
	channel_destroy(&channel);
	return 0;
}
