/* See window.h. signalfd(2). */
#include "cli/window.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "control/message_text.h"

#define STANDARD_ROWS 25
#define STANDARD_COLUMNS 80

void window_measure(struct window *window)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = STANDARD_ROWS, .ws_col = STANDARD_COLUMNS };
	window->rows = size.ws_row;
	window->columns = size.ws_col;
}

static void ready(void *arg, uint32_t events)
{
	struct window *window = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(window->fd, &info, sizeof(info)) != sizeof(info))
		return;
	window_measure(window);
	window->changed(window->arg);
}

int window_watch(struct window *window, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	sigset_t set;

	window_measure(window);
	window->loop = loop;
	window->changed = changed;
	window->arg = arg;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	window->fd = sigprocmask(SIG_BLOCK, &set, NULL) < 0
			     ? -1 : signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (window->fd < 0)
		return -errno;
	return loop_add(loop, &window->source, window->fd, EPOLLIN, ready, window);
}

void window_tell(const struct window *window, struct client *client, const char *guest)
{
	client_call(client, "console.window",
		    json_pack("{s:o, s:i, s:i}", "guest", message_text(guest), "rows",
			      (int)window->rows, "columns", (int)window->columns), NULL, NULL);
}

void window_end(struct window *window)
{
	if (!window->loop)
		return;
	loop_remove(window->loop, &window->source);
	if (window->fd >= 0)
		close(window->fd);
	window->loop = NULL;
}
