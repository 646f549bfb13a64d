/*
 * One packet taken apart: its fields, and below them its bytes, of which those of the
 * selected field stand out. Wireshark's sharkd says what there is in it, where that is
 * installed; else, and until then, it is what the list says of it. Screen thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "tui/model/dissection.h"
#include "tui/model/packet_file.h"
#include "tui/ui/dissector.h"
#include "tui/ui/hex.h"
#include "tui/ui/scroll.h"
#include "tui/ui/ui.h"
#include "tui/views/table.h"

#define BYTES_LEAST 3 /* lines of bytes, where there is room for both */

struct packet_view {
	struct dissection dissection;
	struct dissector *dissector; /* NULL: there is none, or it was refused */
	uint8_t *data; /* of the packet; NULL: none is shown */
	uint32_t captured, size;
	char title[160];
	char note[CAUSE_SIZE]; /* why no more is shown than the list says, or "" */
	char find[PROMPT_TEXT];
	char found[PROMPT_TEXT]; /* the last one that was not taken back */
	int at, top, page; /* rows: the selected one, the first one in sight */
	int bytes_top;
};

static void packet_forget(struct view *view)
{
	struct packet_view *state = view->state;

	dissector_free(state->dissector);
	dissection_free(&state->dissection);
	free(state->data);
	memset(state, 0, sizeof(*state));
}

/* The selected field, or NULL. */
static struct dissection_field *chosen(const struct packet_view *state)
{
	const struct dissection *dissection = &state->dissection;

	return (uint32_t)state->at < dissection->row_count ?
		&dissection->fields[dissection->rows[state->at]] : NULL;
}

/* Makes the rows, and has the same field selected, or the one before it that is shown. */
static void show_rows(struct packet_view *state, uint32_t field)
{
	struct dissection *dissection = &state->dissection;

	dissection_rows(dissection, state->find);
	state->at = 0;
	while ((uint32_t)state->at + 1 < dissection->row_count &&
	       dissection->rows[state->at + 1] <= field)
		state->at++;
}

/* --- what sharkd says --- */

static void fall_back(struct packet_view *state, const char *why)
{
	snprintf(state->note, sizeof(state->note), "Only what the list says is shown: %.400s.",
		 why);
}

/* The last of its fields that lies in none is the innermost protocol. */
static void select_last(struct packet_view *state)
{
	for (uint32_t i = state->dissection.count; i-- > 0;)
		if (state->dissection.fields[i].depth == 0) {
			show_rows(state, i);
			return;
		}
}

static int line_came(void *arg, const char *line, size_t size)
{
	struct view *view = arg;
	struct packet_view *state = view->state;
	struct cause cause;
	int r = dissection_read(&state->dissection, line, size, state->captured, &cause);
	char why[CAUSE_SIZE];

	if (r == 0)
		return 0;
	tui_dirty(view->tui);
	state->note[0] = '\0';
	if (r < 0) {
		snprintf(why, sizeof(why), "of sharkd: %.400s", cause.text);
		fall_back(state, why);
	} else {
		select_last(state);
	}
	return 1;
}

static void dissector_failed(void *arg, const char *why)
{
	struct view *view = arg;

	fall_back(view->state, why);
	tui_dirty(view->tui);
}

/* With the packets before it, which say what it belongs to. */
static void start_dissector(struct view *view)
{
	static const struct dissector_ops ops = { .line = line_came, .failed = dissector_failed };
	const struct netmodel *model = &view->deck->network;
	struct packet_view *state = view->state;
	struct packet_file file;
	struct cause cause = { "" };

	if (!packet_file_until(&file, model, model->packet)) {
		fall_back(state, "there is no memory for more");
		return;
	}
	state->dissector = dissector_start(&view->tui->loop, file.data, file.size, file.packets, &ops,
					   view, &cause);
	free(file.data);
	if (state->dissector)
		snprintf(state->note, sizeof(state->note), "sharkd takes it apart ...");
	else
		fall_back(state, cause.text);
}

/* --- coming and going --- */

/* NULL, or why the packet cannot be shown. */
static const char *take(struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	const struct packet *packet = netmodel_packet(model, model->packet);
	struct packet_view *state = view->state;

	if (!packet || packet->mark || !packet->captured)
		return "There is no packet here whose bytes are known.";
	state->data = malloc(packet->captured);
	if (!state->data || dissection_list(&state->dissection, packet) < 0)
		return "There is no memory for the packet.";
	memcpy(state->data, packet->data, packet->captured);
	state->captured = packet->captured;
	state->size = packet->size;
	snprintf(state->title, sizeof(state->title), "%s %s %s  %s", packet->fields[PACKET_FROM],
		 draw_sign(SIGN_RIGHT), packet->fields[PACKET_TO],
		 packet->fields[PACKET_PROTOCOL]);
	return NULL;
}

static void packet_enter(struct view *view)
{
	struct packet_view *state = view->state;
	const char *why;

	if (state->data) /* it comes back from help */
		return;
	why = take(view);
	if (why) {
		packet_forget(view);
		tui_say(view->tui, SEVERITY_WARNING, NULL, "%s", why);
		tui_back(view->tui);
		return;
	}
	netmodel_hold(&view->deck->network); /* with the packet that it is about */
	start_dissector(view);
}

/* --- drawing --- */

static void draw_field(const struct packet_view *state, int row, struct rect r)
{
	const struct dissection *dissection = &state->dissection;
	const struct dissection_field *field = &dissection->fields[dissection->rows[row]];
	unsigned style = field->depth ? INK_TEXT : INK_TEXT | DRAW_BOLD;
	int indent = 2 * field->depth;

	if (row == state->at) {
		style |= DRAW_REVERSE;
		draw_fill(r, style);
	}
	if (indent > r.width / 2)
		indent = r.width / 2;
	draw_text(r.y, r.x + indent, 1, style,
		  !field->inner ? "" : field->open || *state->find ? "-" : "+");
	draw_text(r.y, r.x + indent + 2, r.width - indent - 2, style, field->label);
}

static void draw_fields(struct packet_view *state, struct rect box)
{
	struct rect r = draw_box(box, INK_ACCENT, state->title);
	int rows = (int)state->dissection.row_count;

	r.x++;
	r.width -= 2;
	if (*state->note && r.height > 2) {
		int lines = draw_wrapped((struct rect){ r.y, r.x, r.height / 2, r.width },
					 INK_WARN, state->note);

		r.y += lines;
		r.height -= lines;
	}
	state->page = r.height > 1 ? r.height : 1;
	if (state->at < state->top)
		state->top = state->at;
	if (state->at >= state->top + state->page)
		state->top = state->at - state->page + 1;
	scroll_bound(&state->top, rows, state->page);
	for (int i = 0; i < r.height && state->top + i < rows; i++)
		draw_field(state, state->top + i, (struct rect){ r.y + i, r.x, 1, r.width });
	if (state->dissection.cut)
		draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_WARN,
			   " not all fields are shown ");
	if (!rows)
		draw_center(r, INK_TEXT | DRAW_DIM, "No field contains that.");
}

/* Has the first of the selected field's bytes in sight. */
static void draw_bytes(struct packet_view *state, struct rect box)
{
	const struct dissection_field *field = chosen(state);
	struct rect r = draw_box(box, INK_TEXT, "Bytes");
	struct hex hex = { .data = state->data, .size = state->captured, .cursor = HEX_NO_CURSOR,
			   .marked_at = field ? field->at : 0, .marked = field ? field->size : 0 };
	char text[64];
	int line;

	r.x++;
	r.width -= 2;
	if (r.width < 4 || r.height < 1)
		return;
	line = (int)hex.marked_at / hex_per_line(r.width);
	if (hex.marked && (line < state->bytes_top || line >= state->bytes_top + r.height))
		state->bytes_top = line;
	scroll_bound(&state->bytes_top, hex_lines(hex.size, r.width), r.height);
	hex_draw(r, &hex, state->bytes_top);
	snprintf(text, sizeof(text), state->captured < state->size ? " %u bytes, %u of them known " :
		 " %u bytes ", state->size, state->captured);
	draw_right(box.y + box.height - 1, box.x + 2, box.width - 4, INK_TEXT | DRAW_DIM, text);
}

static void packet_draw(struct view *view, struct rect box)
{
	struct packet_view *state = view->state;
	int lines, most = box.height / 3;

	if (!state->data)
		return;
	lines = hex_lines(state->captured, box.width - 4) + 2;
	if (lines > most)
		lines = most;
	if (lines < BYTES_LEAST)
		lines = 0;
	draw_fields(state, (struct rect){ box.y, box.x, box.height - lines, box.width });
	if (lines)
		draw_bytes(state, (struct rect){ box.y + box.height - lines, box.x, lines,
						 box.width });
}

/* --- keys --- */

static void open_field(struct packet_view *state, bool open)
{
	struct dissection *dissection = &state->dissection;
	uint32_t field;

	if (!chosen(state))
		return;
	field = dissection->rows[state->at];
	if (!dissection_open(dissection, field, open) && !open)
		field = dissection_outer(dissection, field);
	show_rows(state, field);
}

static void find_typed(void *arg, const char *text)
{
	struct view *view = arg;
	struct packet_view *state = view->state;
	uint32_t field = chosen(state) ? state->dissection.rows[state->at] : 0;

	snprintf(state->find, sizeof(state->find), "%s", text);
	show_rows(state, field);
	tui_dirty(view->tui);
}

static void find_answer(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct packet_view *state = view->state;

	(void)choice;
	if (text)
		snprintf(state->found, sizeof(state->found), "%s", text);
	find_typed(arg, text ? text : "");
}

static void filter_for_field(struct view *view)
{
	struct packet_view *state = view->state;
	struct netmodel *model = &view->deck->network;
	const struct dissection_field *field = chosen(state);

	if (!field || !dissection_filter(field, state->data, state->captured, model->wanted,
					 sizeof(model->wanted))) {
		model->wanted[0] = '\0';
		tui_say(view->tui, SEVERITY_WARNING, NULL, "A filter of packets cannot say that; "
			"select an address, a port, a protocol, or a field of 1, 2 or 4 bytes.");
		return;
	}
	tui_back(view->tui);
}

static bool packet_command(struct view *view, enum command command)
{
	struct packet_view *state = view->state;
	const struct dissection_field *field = chosen(state);

	switch (command) {
	case COMMAND_LOOK:
	case COMMAND_RIGHT:
	case COMMAND_LEFT:
		open_field(state, command == COMMAND_RIGHT ||
				  (command == COMMAND_LOOK && field && !field->open));
		return true;
	case COMMAND_FILTER:
		prompt_line(&view->tui->prompt, state->found, find_answer, view,
			    "Fields containing:");
		prompt_live(&view->tui->prompt, find_typed);
		return true;
	case COMMAND_CONVERSATION:
		filter_for_field(view);
		return true;
	default:
		return scroll_cursor(&state->at, (int)state->dissection.row_count, state->page,
				     command);
	}
}

static void packet_title(struct view *view, char *out, size_t size)
{
	(void)view;
	snprintf(out, size, "Packet");
}

const struct view_ops view_packet = {
	.id = "packet",
	.name = "Packet",
	.keys = KEYS_LIST | KEYS_BACK | KEYS_HELP,
	.size = sizeof(struct packet_view),
	.destroy = packet_forget,
	.enter = packet_enter,
	.close = packet_forget,
	.draw = packet_draw,
	.command = packet_command,
	.title = packet_title,
};
