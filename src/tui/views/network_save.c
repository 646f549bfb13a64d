/*
 * Packets of the list to a file, which a thread of its own writes: a disk may
 * be slow, and the screen does not wait. Screen thread.
 */
#include "tui/views/network_save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/worker.h"
#include "tui/canvas/text.h"
#include "tui/model/packet_file.h"

#define LEAVE_NS (2 * NS_PER_S)

static const struct thread_role role = { .name = "vmdeck-save" };

struct network_saving {
	struct worker worker;
	struct worker_job job;
	struct view *view;
	bool busy;
	struct packet_file file;
	char path[PATH_MAX];
	int error; /* errno */
};

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Helper thread. What could not be written whole is removed. */
static void work(void *arg)
{
	struct network_saving *saving = arg;
	int fd = open(saving->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	saving->error = fd < 0 ? errno : write_all(fd, saving->file.data, saving->file.size);
	if (fd >= 0 && close(fd) < 0 && !saving->error)
		saving->error = errno;
	if (fd >= 0 && saving->error)
		unlink(saving->path);
}

static void done(void *arg)
{
	struct network_saving *saving = arg;
	const struct packet_file *file = &saving->file;
	struct tui *tui = saving->view->tui;
	char unknown[64] = "", size[TEXT_NUMBER];

	free(saving->file.data);
	saving->busy = false;
	if (file->unknown)
		snprintf(unknown, sizeof(unknown), "; of %zu more no bytes are known",
			 file->unknown);
	if (saving->error)
		tui_say(tui, SEVERITY_ERROR, NULL, "%s: %s", saving->path, strerror(saving->error));
	else
		tui_say(tui, SEVERITY_GOOD, NULL, "%zu packet%s (%sB) %s in %s%s.", file->packets,
			file->packets == 1 ? "" : "s", text_size(size, (double)file->size),
			file->packets == 1 ? "is" : "are", saving->path, unknown);
}

static void begin(struct network_saving *saving)
{
	struct tui *tui = saving->view->tui;

	if (!packet_file_make(&saving->file, &saving->view->deck->network)) {
		tui_say(tui, SEVERITY_ERROR, NULL, "There is no memory for the packets.");
		return;
	}
	saving->job = (struct worker_job){ .work = work, .done = done, .arg = saving };
	saving->busy = worker_post(&saving->worker, &saving->job) == 0;
	if (saving->busy)
		return;
	free(saving->file.data);
	tui_say(tui, SEVERITY_ERROR, NULL, "No thread can be made to write the packets.");
}

static void path_typed(void *arg, int choice, const char *text)
{
	struct view *view = arg;
	struct network_view *state = view->state;
	struct cause cause = { "" };

	(void)choice;
	if (!text || state->packet_saving->busy)
		return;
	if (paths_typed(state->packet_saving->path, text, &cause) < 0)
		tui_say(view->tui, SEVERITY_ERROR, NULL, "%s", cause.text);
	else
		begin(state->packet_saving);
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
	if (!state->packet_saving) {
		state->packet_saving = calloc(1, sizeof(*state->packet_saving));
		if (!state->packet_saving)
			return;
		state->packet_saving->view = view;
		worker_init(&state->packet_saving->worker, &view->tui->loop, &role, 1);
	}
	if (state->packet_saving->busy) {
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
	struct network_saving *saving = state->packet_saving;

	/* One that a disk holds up stays where it is until the process has ended. */
	if (!saving || !worker_leave(&saving->worker, LEAVE_NS))
		return;
	worker_destroy(&saving->worker);
	free(saving);
	state->packet_saving = NULL;
}
