/*
 * What a TCP connection carries, as text: the one of the packet that is
 * selected in the network's view, as far as the list has it. Screen thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/canvas/text.h"
#include "tui/model/stream.h"
#include "tui/ui/scroll.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

/* A row of the screen: the part of a line that is in it. */
struct row {
	uint32_t line, at, size;
};

struct stream_view {
	struct stream stream;
	char title[160];
	struct row *rows; /* of the lines, broken for that width */
	size_t count;
	int width, page, top;
};

static void forget(struct view *view)
{
	struct stream_view *state = view->state;

	stream_free(&state->stream);
	free(state->rows);
	memset(state, 0, sizeof(*state));
}

static void stream_enter(struct view *view)
{
	struct netmodel *model = &view->deck->network;
	struct stream_view *state = view->state;
	const struct packet *packet = netmodel_packet(model, model->packet);
	char from[64], to[64];
	struct flow flow;

	if (state->stream.count) /* it comes back from help */
		return;
	if (!packet || !flow_read(&flow, packet->data, packet->captured) || !flow.ports ||
	    flow.protocol != FLOW_TCP) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "The selected packet is not of a TCP "
			"connection.");
		tui_back(view->tui);
		return;
	}
	netmodel_hold(model); /* with the packet that it is about */
	stream_read(&state->stream, model, &flow);
	flow_end(&flow, true, from);
	flow_end(&flow, false, to);
	snprintf(state->title, sizeof(state->title), "%s %s %s", from, draw_sign(SIGN_RIGHT), to);
}

/* How many rows the lines take; writes them, unless rows is NULL. */
static size_t break_lines(const struct stream *stream, int width, struct row *rows)
{
	size_t count = 0, next;

	for (size_t i = 0; i < stream->count; i++) {
		const char *line = stream->text + stream->lines[i].at, *text = line;

		do {
			size_t bytes = text_cut(text, width, NULL);

			next = bytes ? bytes : strlen(text);
			if (rows)
				rows[count] = (struct row){ (uint32_t)i, (uint32_t)(text - line),
							    (uint32_t)bytes };
			count++;
			text += next;
		} while (*text);
	}
	return count;
}

static void lay_out(struct stream_view *state, int width)
{
	if (state->width == width)
		return;
	free(state->rows);
	state->count = break_lines(&state->stream, width, NULL);
	state->rows = calloc(state->count + 1, sizeof(*state->rows));
	if (state->rows)
		break_lines(&state->stream, width, state->rows);
	else
		state->count = 0;
	state->width = width;
}

static void draw_row(const struct stream_view *state, const struct row *row, struct rect r)
{
	static const unsigned styles[] = { INK_ACCENT, INK_SECOND, INK_WARN };
	const struct stream_line *line = &state->stream.lines[row->line];
	char text[STREAM_LINE + 8];

	snprintf(text, sizeof(text), "%.*s", (int)row->size,
		 state->stream.text + line->at + row->at);
	/* Both ways are told without colours, too. */
	draw_text(r.y, r.x, 1, styles[line->kind] | DRAW_DIM,
		  line->kind == STREAM_THERE ? ">" : line->kind == STREAM_BACK ? "<" : "");
	draw_text(r.y, r.x + 2, r.width - 2, styles[line->kind], text);
}

static void stream_draw(struct view *view, struct rect box)
{
	struct stream_view *state = view->state;
	struct rect r = draw_box(box, INK_ACCENT, state->title);
	char text[96], there[TEXT_NUMBER], back[TEXT_NUMBER];

	r.x++;
	r.width -= 2;
	if (r.width < 4 || r.height < 1)
		return;
	snprintf(text, sizeof(text), " > %sB  < %sB%s ",
		 text_size(there, (double)state->stream.there),
		 text_size(back, (double)state->stream.back),
		 state->stream.cut ? "; not all is shown" : "");
	draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_TEXT | DRAW_DIM, text);
	if (state->stream.count == 0) {
		draw_center(r, INK_TEXT | DRAW_DIM, "The packets of the list carry nothing.");
		return;
	}
	lay_out(state, r.width - 2);
	state->page = r.height;
	scroll_bound(&state->top, (int)state->count, state->page);
	for (int i = 0; i < r.height && (size_t)(state->top + i) < state->count; i++)
		draw_row(state, &state->rows[state->top + i],
			 (struct rect){ r.y + i, r.x, 1, r.width });
}

static bool stream_command(struct view *view, enum command command)
{
	struct stream_view *state = view->state;

	return scroll_command(&state->top, (int)state->count, state->page, command);
}

static void stream_title(struct view *view, char *out, size_t size)
{
	(void)view;
	snprintf(out, size, "Connection");
}

const struct view_ops view_stream = {
	.id = "stream",
	.name = "Connection",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP,
	.size = sizeof(struct stream_view),
	.destroy = forget,
	.enter = stream_enter,
	.close = forget,
	.draw = stream_draw,
	.command = stream_command,
	.title = stream_title,
};
