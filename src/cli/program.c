/* See program.h. posix_spawn(3). */
#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/fail.h"

#define OUTPUT_MAX (4u << 20) /* bytes of it that are kept */
#define ERRORS_MAX 4096

extern char **environ;

/* Text that comes through a pipe. */
struct output {
	char *text;
	size_t size, room;
};

static void keep(struct output *output, const char *text, size_t size)
{
	char *larger;

	if (size > OUTPUT_MAX - output->size)
		size = OUTPUT_MAX - output->size;
	if (output->size + size + 1 > output->room) {
		larger = realloc(output->text, 2 * (output->size + size + 1));
		if (!larger)
			return;
		output->text = larger;
		output->room = 2 * (output->size + size + 1);
	}
	memcpy(output->text + output->size, text, size);
	output->size += size;
	output->text[output->size] = '\0';
}

static int spawn(const struct program *program, pid_t *pid, int out, int err)
{
	sigset_t defaults;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	error = posix_spawnp(pid, program->argv[0], &actions, &attributes,
			     (char *const *)(const void *)program->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* Reads both pipes until their other ends are closed. */
static void collect(struct program *program, int out, int err, struct output *errors)
{
	struct output output = { 0 };
	struct pollfd fds[] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
	char text[4096];
	ssize_t n;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, -1) < 0) {
			if (errno != EINTR)
				break;
			continue;
		}
		for (unsigned i = 0; i < 2; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			n = read(fds[i].fd, text, sizeof(text));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				fds[i].fd = -1;
			else if (i == 1 && errors->size < ERRORS_MAX)
				keep(errors, text, (size_t)n);
			else if (i == 0 && program->printed)
				program->printed(program->arg, text, (size_t)n);
			else if (i == 0)
				keep(&output, text, (size_t)n);
		}
	}
	program->out = output.text;
	program->size = output.size;
}

/* Each line is said as one of ours. */
static void say_errors(const struct program *program, char *text)
{
	size_t name = strlen(program->argv[0]);
	char *line, *rest = text;

	while ((line = strsep(&rest, "\r\n"))) {
		if (strncmp(line, program->argv[0], name) == 0 && strncmp(line + name, ": ", 2) == 0)
			line += name + 2;
		if (*line)
			plain_say("%s", line);
	}
}

static void close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

int program_run(struct program *program)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct output errors = { 0 };
	int out[2], err[2], error, status = 0;
	pid_t pid = -1;

	program->out = NULL;
	program->size = 0;
	program->signal = 0;
	if (pipe2(out, O_CLOEXEC) < 0)
		return fail("%s: %s", program->argv[0], strerror(errno)), -1;
	if (pipe2(err, O_CLOEXEC) < 0) {
		fail("%s: %s", program->argv[0], strerror(errno));
		close_both(out);
		return -1;
	}
	sigaction(SIGINT, &ignore, &before);
	error = spawn(program, &pid, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (error == ENOENT)
		fail("%s is not installed; it comes with the package %s", program->argv[0],
		     program->package);
	else if (error)
		fail("%s: %s", program->argv[0], strerror(error));
	else
		collect(program, out[0], err[0], &errors);
	close(out[0]);
	close(err[0]);
	while (!error && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &before, NULL);
	if (errors.text)
		say_errors(program, errors.text);
	free(errors.text);
	if (!error && WIFSIGNALED(status))
		program->signal = WTERMSIG(status);
	return error || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}
