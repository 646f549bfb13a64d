/*
 * Standard output of "vmdeck run". Deck thread.
 *
 * It may be slow, non-blocking, or gone. What it does not take yet stays in
 * the console's ring, where only the guest's own later output replaces it;
 * that, and an end of standard output, is said on standard error. pipe(7): a
 * pipe that polls as writable takes PIPE_BUF bytes without waiting.
 */
#include "roles/run_output.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void go_on(void *arg);

static void say_lost(struct run_output *output)
{
	char text[128];

	if (output->lost) {
		snprintf(text, sizeof(text), "%" PRIu64 " bytes of the console were lost: "
			 "standard output is too slow", output->lost);
		output->lost = 0;
		output->say(output->arg, text);
	}
}

static void unfollow(struct run_output *output)
{
	if (output->console)
		console_unfollow(output->console, &output->reader);
	output->console = NULL;
}

static void fail(struct run_output *output, int error)
{
	char text[256];

	unfollow(output);
	output->size = output->written = 0;
	snprintf(text, sizeof(text), "standard output: %s; the guest goes on, and "
		 "'vmdeck console' shows what it prints", strerror(error));
	output->failed = true;
	output->say(output->arg, text);
}

/* Has at least a byte to write in data; false when there is none. */
static bool fill(struct run_output *output)
{
	uint64_t lost;

	if (output->written < output->size)
		return true;
	output->size = output->written = 0;
	if (output->console) {
		output->size = console_read(output->console, &output->reader, output->data,
					    RUN_OUTPUT_CHUNK, &lost);
		output->lost += lost;
	}
	return output->size > 0;
}

/* Writes one piece. 0, -EAGAIN, or a negative errno: there is no more standard output. */
static int write_piece(struct run_output *output)
{
	struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t size = output->size - output->written;
	ssize_t n;

	if (poll(&room, 1, 0) == 0)
		return -EAGAIN;
	n = write(STDOUT_FILENO, output->data + output->written, size < PIPE_BUF ? size : PIPE_BUF);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	output->written += (size_t)n;
	return 0;
}

static void room_ready(void *arg, uint32_t events)
{
	(void)events;
	go_on(arg);
}

/* Writes what is there and can be written. */
static void go_on(void *arg)
{
	struct run_output *output = arg;
	int err = 0;

	while (!output->failed && !err && fill(output))
		err = write_piece(output);
	if (err == -EAGAIN && !output->room.active)
		err = loop_add(output->loop, &output->room, STDOUT_FILENO, EPOLLOUT, room_ready,
			       output);
	else if (err == -EAGAIN)
		err = 0;
	if (err)
		fail(output, -err);
	if (output->written < output->size)
		return;
	loop_remove(output->loop, &output->room);
	say_lost(output);
	if (output->ended)
		output->done(output->arg);
}

void run_output_begin(struct run_output *output, struct loop *loop, struct console *console)
{
	output->loop = loop;
	output->console = console;
	output->reader = (struct console_reader){ .more = go_on, .arg = output };
	console_follow(console, &output->reader, true);
	go_on(output);
}

void run_output_end(struct run_output *output)
{
	size_t left = output->size - output->written, n;
	uint64_t lost;

	memmove(output->data, output->data + output->written, left);
	output->written = 0;
	output->size = left;
	if (output->console) {
		n = console_read(output->console, &output->reader, output->data + left,
				 sizeof(output->data) - left, &lost);
		output->size += n;
		output->lost += lost;
	}
	unfollow(output);
	output->ended = true;
	go_on(output);
}

void run_output_stop(struct run_output *output)
{
	if (!output->loop)
		return;
	unfollow(output);
	loop_remove(output->loop, &output->room);
	output->lost += output->size - output->written;
	output->size = output->written = 0;
	say_lost(output);
}
