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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/message_text.h"
#include "tui/model/json.h"

extern char **environ;

/* Exit statuses of a shell that has not run the command. */
#define SHELL_NOT_RUN 126
#define SHELL_NOT_FOUND 127

struct editor {
	struct tui_deck *deck;
	pid_t pid; /* 0: none runs */
	int pidfd;
	struct loop_source source;
	char guest[128], path[4096];
	json_t *mistakes; /* of the profile after the edit, or NULL */
	char said[600]; /* by the reading after the edit, of the guest; or "" */
	struct stat before; /* of the profile */
};

static void run(struct editor *editor);

static void again(void *arg, int choice, const char *text)
{
	(void)text;
	if (choice)
		run(arg);
}

static const char *file_name(const struct editor *editor)
{
	const char *slash = strrchr(editor->path, '/');

	return slash ? slash + 1 : editor->path;
}

/* What a reading of the profiles has to say of the guest, behind its name; or NULL. */
static const char *find_sentence(const struct editor *editor, const json_t *list)
{
	size_t n = strlen(editor->guest);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text && strncmp(text, editor->guest, n) == 0 && strncmp(text + n, ": ", 2) == 0)
			return text + n + 2;
	}
	return NULL;
}

/* Of a guest that runs, what the edit changes has to wait, as the deck says. */
static void say_valid(void *arg, json_t *result, const struct client_error *error)
{
	struct editor *editor = arg;
	const char *pending = error ? "" : json_text(result, "pending");

	if (error && !error->code)
		return;
	if (*pending && *editor->said)
		tui_say(editor->deck->tui, SEVERITY_WARNING, editor->guest, "%s", editor->said);
	else
		tui_say(editor->deck->tui, SEVERITY_GOOD, NULL, "%s is valid.", file_name(editor));
}

static void reloaded(void *arg, json_t *result, const struct client_error *error)
{
	struct editor *editor = arg;
	const char *said = find_sentence(editor, json_object_get(result, "notes"));

	if (error) {
		tui_fail(editor->deck->tui, error);
		return;
	}
	if (!said)
		said = find_sentence(editor, json_object_get(result, "standing"));
	snprintf(editor->said, sizeof(editor->said), "%s", said ? said : "");
	tui_call(editor->deck, "guest.show",
		 json_pack("{s:o}", "guest", message_text(editor->guest)), say_valid, editor);
}

/* "web.ini:3", or "web.ini" of what is about the file as a whole. */
static const char *place(const struct editor *editor, const json_t *found, char out[300])
{
	unsigned line = (unsigned)json_count(found, "line");

	if (line)
		snprintf(out, 300, "%.280s:%u", file_name(editor), line);
	else
		snprintf(out, 300, "%.280s", file_name(editor));
	return out;
}

static void say_found(struct editor *editor, const json_t *list, enum severity severity)
{
	size_t count = json_array_size(list);
	char where[300];

	for (size_t i = count < 100 ? count : 100; i-- > 0;) {
		const json_t *found = json_array_get(list, i);

		tui_say(editor->deck->tui, severity, editor->guest, "%s: %s",
			place(editor, found, where), json_text(found, "text"));
	}
}

/* The deck has told of the first mistake by now; all of them are kept, and the question says it. */
static void ask_again(void *arg, json_t *result, const struct client_error *error)
{
	static const struct choice choices[] = { { 'e', "edit it again" }, { 0, "leave it so" } };
	struct editor *editor = arg;
	struct tui *tui = editor->deck->tui;
	const json_t *first = json_array_get(editor->mistakes, 0);
	size_t count = json_array_size(editor->mistakes);
	char more[64] = "", where[300];

	(void)result;
	if (error)
		tui_fail(tui, error);
	say_found(editor, editor->mistakes, SEVERITY_ERROR);
	if (count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", count - 1);
	if (!count || tui->prompt.active || editor->pid)
		return;
	tui_hush(tui);
	prompt_ask(&tui->prompt, choices, again, editor, "%s: %.300s%s.",
		   place(editor, first, where), json_text(first, "text"), more);
	tui_dirty(tui);
}

static void checked(void *arg, json_t *result, const struct client_error *error)
{
	struct editor *editor = arg;
	struct tui *tui = editor->deck->tui;
	json_t *mistakes;

	if (error) {
		tui_fail(tui, error);
		return;
	}
	mistakes = json_object_get(result, "mistakes");
	say_found(editor, json_object_get(result, "warnings"), SEVERITY_WARNING);
	json_decref(editor->mistakes);
	editor->mistakes = json_incref(mistakes);
	tui_call(editor->deck, "deck.reload", NULL, json_array_size(mistakes) ? ask_again : reloaded,
		 editor);
}

/* A sentence that stands, about a guest of the deck's or not; more: behind it. */
static void say_standing(struct tui_deck *deck, const char *text, const char *more)
{
	const char *colon = strstr(text, ": ");
	char name[128] = "";

	if (colon)
		snprintf(name, sizeof(name), "%.*s", (int)(colon - text), text);
	if (model_find(&deck->model, name))
		tui_say(deck->tui, SEVERITY_WARNING, name, "as before, %s%s", colon + 2, more);
	else
		tui_say(deck->tui, SEVERITY_WARNING, NULL, "As before: %s%s", text, more);
}

static void reloaded_by_hand(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;
	const json_t *standing;
	const char *first;
	char others[40] = "";
	unsigned count;
	size_t more;

	if (error) {
		tui_fail(deck->tui, error);
		return;
	}
	count = (unsigned)json_count(result, "guests");
	standing = json_object_get(result, "standing");
	more = json_array_size(standing);
	if (more > 1)
		snprintf(others, sizeof(others), " (and %zu more)", more - 1);
	first = json_string_value(json_array_get(standing, 0));
	if (first)
		say_standing(deck, first, others);
	else if (json_array_size(json_object_get(result, "notes")) == 0)
		tui_say(deck->tui, SEVERITY_GOOD, NULL, "Nothing has changed in the "
			"profiles since they were read last: %u guest%s.", count,
			count == 1 ? "" : "s");
}

void profiles_reload(struct tui_deck *deck)
{
	tui_call(deck, "deck.reload", NULL, reloaded_by_hand, deck);
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

static const char *editor_command(void)
{
	const char *visual = getenv("VISUAL"), *command = getenv("EDITOR");

	if (visual && *visual)
		return visual;
	return command && *command ? command : "vi";
}

/* Says what else. One that failed after it has written the file has edited it all the same. */
static bool is_ended_well(const struct editor *editor, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	struct tui *tui = editor->deck->tui;
	char how[48];
	struct stat st;
	bool same;

	if (WIFEXITED(status) && code == 0)
		return true;
	same = stat(editor->path, &st) == 0 && st.st_ino == editor->before.st_ino &&
	       st.st_size == editor->before.st_size &&
	       st.st_mtim.tv_sec == editor->before.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == editor->before.st_mtim.tv_nsec;
	if (code == SHELL_NOT_FOUND || code == SHELL_NOT_RUN)
		snprintf(how, sizeof(how), "could not be run");
	else if (WIFEXITED(status))
		snprintf(how, sizeof(how), "ended with status %d", code);
	else
		snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
	tui_say(tui, SEVERITY_ERROR, NULL, "The editor '%.60s' %s%s; set VISUAL or EDITOR to "
		"another one.", editor_command(), how,
		same ? ", and the profile is as it was" : "");
	return !same;
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
	tui_dirty(tui);
	if (is_ended_well(editor, status))
		tui_call(editor->deck, "profile.check",
			 json_pack("{s:o}", "path", message_text(editor->path)), checked, editor);
}

/* Runs the user's editor by the shell, because $EDITOR may hold options. */
static int spawn_editor(struct editor *editor)
{
	char script[1024], shell[] = "sh", option[] = "-c", self[] = "vmdeck";
	char *argv[] = { shell, option, script, self, editor->path, NULL };
	posix_spawnattr_t attributes;
	sigset_t set;
	int error;

	if (snprintf(script, sizeof(script), "%s \"$1\"", editor_command()) >=
	    (int)sizeof(script))
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

	memset(&editor->before, 0, sizeof(editor->before));
	(void)stat(editor->path, &editor->before);
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
	snprintf(editor->guest, sizeof(editor->guest), "%s", name);
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
	json_decref(editor->mistakes);
	free(editor);
	tui->editor = NULL;
}
