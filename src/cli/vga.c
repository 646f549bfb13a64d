/* See vga.h. The newest picture is drawn when the one before it has gone out. */
#include "cli/vga.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/command.h"
#include "cli/fail.h"
#include "control/message_text.h"

#define PATIENCE_MS 5000 /* with a deck that sends no picture */

/* A terminal of another size is drawn anew. */
static void fit(struct vga *vga)
{
	vga->text.rows = vga->window.rows;
	vga->text.columns = vga->window.columns;
	vga->text.picture = 0;
}

static void send_text(struct vga *vga)
{
	ssize_t n = send(vga->fd, vga->out + vga->written, vga->size - vga->written,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	/* Of a session that has ended nothing is shown any more. */
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		vga->written = vga->size;
	else if (n > 0)
		vga->written += (size_t)n;
	if (vga->source.active)
		(void)loop_change(vga->loop, &vga->source, vga->written < vga->size ?
				  EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void draw(struct vga *vga)
{
	if (vga->written < vga->size || vga->text.picture == vga->screen.pictures)
		return;
	vga->written = 0;
	vga->size = screen_text_draw(&vga->text, &vga->screen, vga->out);
	send_text(vga);
}

static void take_keys(struct vga *vga)
{
	char keys[1024];
	ssize_t n = recv(vga->fd, keys, sizeof(keys), MSG_DONTWAIT);

	if (n > 0)
		typing_add(&vga->typing, keys, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		loop_remove(vga->loop, &vga->source);
}

static void ready(void *arg, uint32_t events)
{
	struct vga *vga = arg;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		take_keys(vga);
	if (vga->written < vga->size)
		send_text(vga);
	draw(vga);
}

static void resized(void *arg)
{
	fit(arg);
	draw(arg);
}

int vga_begin(struct vga *vga)
{
	int pair[2], error;

	vga->fd = -1;
	vga->typing.client = vga->client;
	vga->typing.loop = vga->loop;
	typing_begin(&vga->typing);
	vga->text.utf8 = plain_utf8(stdout);
	window_measure(&vga->window);
	fit(vga);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	vga->fd = pair[0];
	vga->size = (size_t)sprintf(vga->out, SCREEN_TEXT_BEGIN);
	error = loop_add(vga->loop, &vga->source, vga->fd, EPOLLIN, ready, vga);
	if (!error)
		error = window_watch(&vga->window, vga->loop, resized, vga);
	if (error < 0) {
		close(pair[1]);
		return error;
	}
	send_text(vga);
	return pair[1];
}

void vga_update(struct vga *vga, const json_t *params)
{
	if (remote_screen_update(&vga->screen, params))
		draw(vga);
}

void vga_hang_up(struct vga *vga)
{
	shutdown(vga->fd, SHUT_WR);
}

void vga_end(struct vga *vga)
{
	typing_end(&vga->typing);
	loop_remove(vga->loop, &vga->source);
	window_end(&vga->window);
	if (vga->fd >= 0)
		close(vga->fd);
}

static int print(const struct remote_screen *screen)
{
	char row[SCREEN_TEXT_ROW_MAX], words[64];

	remote_screen_say(screen, words, sizeof(words));
	if (*words)
		plain_print(stdout, "[%s]\n", words);
	for (unsigned y = 0; !*words && y < screen->rows; y++) {
		screen_text_row(screen, y, row);
		plain_print(stdout, "%s\n", row);
	}
	return fflush(stdout) ? fail("standard output: %s", strerror(errno)) : CLI_OK;
}

int vga_print(struct link *link, const char *guest)
{
	struct remote_screen *screen = calloc(1, sizeof(*screen));
	struct cause cause = { "no memory" };
	json_t *message = NULL;
	int status = CLI_FAILED;
	bool good = screen && link_call(link, "screen.subscribe",
					json_pack("{s:o}", "guest", message_text(guest)), NULL,
					&cause) == 0;

	if (good)
		good = link_next(link, &message, PATIENCE_MS, &cause) == 0;
	if (!good)
		fail("%s", cause.text);
	else if (remote_screen_update(screen, json_object_get(message, "params")))
		status = print(screen);
	json_decref(message);
	free(screen);
	return status;
}
