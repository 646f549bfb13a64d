/*
 * A profile in the user's editor. Screen thread, which goes on serving the
 * connection while the editor has the terminal; a pidfd says when it ended.
 */
#include "tui/ui/edit.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/message_text.h"
#include "tui/model/json.h"

extern char **environ;

struct editor {
	struct tui_deck *deck;
	pid_t pid; /* 0: none runs */
	int pidfd;
	struct loop_source source;
	char path[4096];
};

static void run(struct editor *editor);

static void again(void *arg, int choice, const char *text)
{
	(void)text;
	if (choice)
		run(arg);
}

static void checked(void *arg, json_t *result, const struct client_error *error)
{
	static const struct choice choices[] = { { 'e', "edit it again" }, { 0, "leave it so" } };
	const json_t *mistakes, *first;
	struct editor *editor = arg;
	struct tui *tui = editor->deck->tui;
	const char *file = strrchr(editor->path, '/');
	char more[64] = "";
	size_t count;

	if (error) {
		tui_fail(tui, error);
		return;
	}
	file = file ? file + 1 : editor->path;
	mistakes = json_object_get(result, "mistakes");
	count = json_array_size(mistakes);
	tui_call(editor->deck, "deck.reload", NULL, NULL, NULL);
	if (count == 0) {
		tui_say(tui, SEVERITY_GOOD, NULL, "%s is valid.", file);
		return;
	}
	for (size_t i = count < 100 ? count : 100; i-- > 0;) {
		first = json_array_get(mistakes, i);
		tui_say(tui, SEVERITY_ERROR, NULL, "%s:%u: %s", file,
			(unsigned)json_count(first, "line"), json_text(first, "text"));
	}
	first = json_array_get(mistakes, 0);
	if (count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", count - 1);
	if (!tui->prompt.active && !editor->pid)
		prompt_ask(&tui->prompt, choices, again, editor, "%s:%u: %.300s%s.", file,
			   (unsigned)json_count(first, "line"), json_text(first, "text"), more);
	tui_dirty(tui);
}

static void forget(struct editor *editor)
{
	loop_remove(&editor->deck->tui->loop, &editor->source);
	if (editor->pidfd >= 0)
		close(editor->pidfd);
	editor->pidfd = -1;
	editor->pid = 0;
}

static int watch_keys(struct tui *tui)
{
	return loop_add(&tui->loop, &tui->input, STDIN_FILENO, EPOLLIN, tui->input.ready, tui);
}

static void ended(void *arg, uint32_t events)
{
	struct editor *editor = arg;
	struct tui *tui = editor->deck->tui;
	int status = 0;

	(void)events;
	if (waitpid(editor->pid, &status, WNOHANG) == 0)
		return;
	forget(editor);
	if (tui->finished) {
		loop_stop(&tui->loop);
		return;
	}
	terminal_resume(&tui->terminal);
	if (watch_keys(tui) < 0)
		tui_finish(tui, TUI_HANGUP);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		tui_say(tui, SEVERITY_WARNING, NULL,
			"The editor ended with an error; set VISUAL or EDITOR to another one if it "
			"could not be run.");
	tui_call(editor->deck, "profile.check",
		 json_pack("{s:o}", "path", message_text(editor->path)), checked, editor);
	tui_dirty(tui);
}

/* Runs the user's editor by the shell, because $EDITOR may hold options. */
static int spawn_editor(struct editor *editor)
{
	const char *visual = getenv("VISUAL"), *command = getenv("EDITOR");
	char script[1024], shell[] = "sh", option[] = "-c", self[] = "vmdeck";
	char *argv[] = { shell, option, script, self, editor->path, NULL };
	posix_spawnattr_t attributes;
	sigset_t set;
	int error;

	if (visual && *visual)
		command = visual;
	if (!command || !*command)
		command = "vi";
	if (snprintf(script, sizeof(script), "%s \"$1\"", command) >= (int)sizeof(script))
		return E2BIG;
	error = posix_spawnattr_init(&attributes);
	if (error)
		return error;
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(&editor->pid, "/bin/sh", NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (error)
		editor->pid = 0;
	return error;
}

static void run(struct editor *editor)
{
	struct tui *tui = editor->deck->tui;
	int error;

	loop_remove(&tui->loop, &tui->input);
	terminal_suspend(&tui->terminal);
	error = spawn_editor(editor);
	if (error == 0) {
		editor->pidfd = pidfd_open(editor->pid, 0);
		if (editor->pidfd >= 0 && loop_add(&tui->loop, &editor->source, editor->pidfd,
						   EPOLLIN, ended, editor) == 0)
			return;
		error = errno;
		kill(editor->pid, SIGTERM);
		waitpid(editor->pid, NULL, 0);
		forget(editor);
	}
	terminal_resume(&tui->terminal);
	if (watch_keys(tui) < 0)
		tui_finish(tui, TUI_HANGUP);
	tui_say(tui, SEVERITY_ERROR, NULL, "The editor could not be run: %s", strerror(error));
}

/* The screen's editor, for a profile of the deck; NULL and a message without memory. */
static struct editor *editor_of(struct tui_deck *deck)
{
	struct tui *tui = deck->tui;

	if (!tui->editor)
		tui->editor = calloc(1, sizeof(*tui->editor));
	if (!tui->editor) {
		tui_say(tui, SEVERITY_ERROR, NULL, "There is no memory for an editor.");
		return NULL;
	}
	tui->editor->deck = deck;
	tui->editor->pidfd = -1;
	return tui->editor;
}

void editor_start(struct tui_deck *deck, const char *name)
{
	const struct tui_guest *guest = tui_guest(deck, name);
	const char *path = guest ? json_text(guest->json, "profile") : "";
	struct editor *editor;

	if (!guest)
		return;
	if (!*path) {
		tui_say(deck->tui, SEVERITY_WARNING, name,
			"This guest is built in and has no profile to edit.");
		return;
	}
	editor = editor_of(deck);
	if (!editor)
		return;
	if (path[0] != '/' || access(path, F_OK) != 0 ||
	    snprintf(editor->path, sizeof(editor->path), "%s", path) >=
		    (int)sizeof(editor->path)) {
		tui_say(deck->tui, SEVERITY_ERROR, name,
			"The profile %s is not on this machine, or cannot be read; edit it where "
			"the deck runs.", path);
		return;
	}
	run(editor);
}

void editor_stop(struct tui *tui)
{
	struct editor *editor = tui->editor;

	if (!editor)
		return;
	if (editor->pid) {
		kill(editor->pid, SIGHUP);
		waitpid(editor->pid, NULL, WNOHANG);
	}
	forget(editor);
	free(editor);
	tui->editor = NULL;
}
