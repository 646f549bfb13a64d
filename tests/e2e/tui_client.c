/*
 * The screen alone, on a control socket: tui_client SOCKET [in-process].
 * Says in the end how it ended, and writes the same to SOCKET.result, for when
 * there is no terminal any more. Main thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "tui/console/emulator_process.h"
#include "tui/tui.h"

static void report(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void report(const char *path, const char *format, ...)
{
	char text[1024], name[256];
	FILE *file;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%s.result", path);
	file = fopen(name, "w");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
	fputs(text, stdout);
}

static int dial(void *arg, struct cause *cause)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", (const char *)arg);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cause_errno(cause, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		close(fd);
		return cause_errno(cause, error, "%s", (const char *)arg);
	}
	return fd;
}

static void outlive(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	static const struct sandbox_kind *const kinds[] = { &emulator_process, NULL };
	static const char *const results[] = { "quit", "leave", "hangup", "ended", "lost" };
	struct tui_config config = { .dial = dial };
	enum tui_result result = TUI_QUIT;
	struct cause cause = { "" };
	int error;

	sandbox_entry(argc, argv, kinds);
	/* Without a socket, TESTS runs this program: there is nothing to show then. */
	if (argc < 2) {
		fprintf(stderr, "tui_client: needs a control socket; tui_mock.sh gives it one\n");
		return 77;
	}
	config.dial_arg = argv[1];
	signal(SIGHUP, outlive); /* one more can come when the screen has ended */
	error = helper_start(NULL, &cause);
	if (!error)
		error = tui_run(&config, &result, &cause);
	if (error < 0)
		report(argv[1], "failed: %s: %s\n", strerror(-error), cause.text);
	else
		report(argv[1], "result: %s%s%s\n", results[result], *cause.text ? ": " : "", cause.text);
	return error < 0;
}
