/* Packets of the list to a file. Screen thread. */
#include "tui/views/network_save.h"

#include <stdio.h>

#include "tui/canvas/text.h"
#include "tui/model/packet_file.h"
#include "tui/ui/saving.h"

static void save(struct view *view, const char *path)
{
	const struct network_view *state = view->state;
	char before[96], after[64] = "", size[TEXT_NUMBER];
	struct packet_file file;

	if (!packet_file_make(&file, &view->deck->network)) {
		tui_say(view->tui, SEVERITY_ERROR, NULL, "There is no memory for the packets.");
		return;
	}
	snprintf(before, sizeof(before), "%zu packet%s (%sB) %s in", file.packets,
		 file.packets == 1 ? "" : "s", text_size(size, (double)file.size),
		 file.packets == 1 ? "is" : "are");
	if (file.unknown)
		snprintf(after, sizeof(after), "; of %zu more no bytes are known", file.unknown);
	saving_begin(state->packet_saving, path, file.data, file.size, before, after);
}

static void path_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	const struct network_view *state = view->state;

	(void)choice;
	if (text && !saving_busy(state->packet_saving))
		save(view, text);
}

void network_save(struct view *view)
{
	const struct netmodel *model = &view->deck->network;
	struct network_view *state = view->state;
	size_t chosen = packet_file_chosen(model);
	char question[96];

	if (model->row_first == model->row_end && !chosen) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "There are no packets to save.");
		return;
	}
	if (!state->packet_saving)
		state->packet_saving = saving_new(view->tui);
	if (!state->packet_saving)
		return;
	if (saving_busy(state->packet_saving)) {
		tui_say(view->tui, SEVERITY_WARNING, NULL, "Packets are being saved already.");
		return;
	}
	if (chosen)
		snprintf(question, sizeof(question), "Save the %zu marked packet%s to:", chosen,
			 chosen == 1 ? "" : "s");
	else
		snprintf(question, sizeof(question), "Save the packets that are listed to:");
	prompt_line(&view->tui->prompt, "", path_typed, view, question);
}

void network_save_destroy(struct view *view)
{
	struct network_view *state = view->state;

	saving_free(state->packet_saving);
	state->packet_saving = NULL;
}
