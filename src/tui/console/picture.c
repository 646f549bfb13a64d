/* See picture.h. */
#include "tui/console/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tui/console/emulator.h"

static int take_record(struct picture *picture, const struct channel *channel, uint32_t size,
		       uint32_t mark,
		       void (*answer)(const uint8_t *data, size_t size, void *arg), void *arg)
{
	uint8_t data[TERMINAL_PIECE_MAX];

	if (mark == FROM_TERMINAL_FRAME && size == sizeof(struct frame)) {
		channel_copy(&channel->in, &picture->next, size);
		return picture->next.number ? 0 : -EPROTO;
	}
	if (mark == FROM_TERMINAL_FOUND && size == sizeof(struct terminal_found)) {
		channel_copy(&channel->in, &picture->found, size);
		return 0;
	}
	if (mark == FROM_TERMINAL_ANSWER && size <= sizeof(data)) {
		channel_copy(&channel->in, data, size);
		answer(data, size, arg);
		return 0;
	}
	return -EPROTO;
}

int picture_input(struct picture *picture, struct channel *channel,
		  void (*answer)(const uint8_t *data, size_t size, void *arg), void *arg)
{
	uint32_t size, mark, left = channel->in.size / 8;
	int result = 0;

	while (left-- > 0 && (result = channel_next(&channel->in, &size, &mark)) == 1) {
		int error = take_record(picture, channel, size, mark, answer, arg);

		if (error)
			return error;
		channel_drop(&channel->in);
	}
	if (result >= 0)
		channel_release(&channel->in);
	return result;
}

static bool fits(const struct frame *frame, const struct terminal_size *size)
{
	return frame->terminal == size->terminal && frame->rows == size->rows &&
	       frame->columns == size->columns;
}

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value > most ? most : value;
}

/* The grid gets another size, or is another terminal's: nothing of it has been copied. */
static bool begin(struct picture *picture, const struct frame *frame)
{
	struct grid_cell *cells;

	if (fits(&picture->frame, &(struct terminal_size){ frame->terminal, frame->rows,
							   frame->columns }))
		return true;
	cells = realloc(picture->cells,
			(size_t)frame->rows * frame->columns * sizeof(struct grid_cell));
	if (!cells)
		return false;
	picture->cells = cells;
	memset(picture->copied, 0, sizeof(picture->copied));
	return true;
}

static void copy_rows(struct picture *picture, const struct grid *grid)
{
	const struct frame *frame = &picture->frame;

	for (uint32_t row = 0; row < frame->rows; row++) {
		uint32_t written = atomic_load_explicit(&grid->written[row], memory_order_relaxed);

		/* One that was not written ever is nothing that could be shown before. */
		if (written && written == picture->copied[row])
			continue;
		grid_copy_row(grid, (int)row, picture->cells + (size_t)row * frame->columns,
			      (int)frame->columns);
		picture->copied[row] = written;
	}
}

uint32_t picture_take(struct picture *picture, const struct channel *channel,
		      const struct terminal_size *size)
{
	struct frame frame = picture->next;

	picture->next.number = 0;
	if (!frame.number || !fits(&frame, size) || !begin(picture, &frame))
		return frame.number;
	frame.row = at_most(frame.row, frame.rows - 1);
	frame.column = at_most(frame.column, frame.columns - 1);
	frame.scrollback = at_most(frame.scrollback, EMULATOR_SCROLLBACK);
	frame.back = at_most(frame.back, frame.scrollback);
	picture->frame = frame;
	copy_rows(picture, (const struct grid *)(const void *)channel->shared);
	return frame.number;
}

void picture_detach(struct picture *picture)
{
	picture->next.number = 0;
	memset(picture->copied, 0, sizeof(picture->copied));
}

void picture_destroy(struct picture *picture)
{
	free(picture->cells);
	*picture = (struct picture){ 0 };
}
