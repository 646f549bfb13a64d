/*
 * See dissector.h. Screen thread.
 *
 * The capture file has no name: it is memory, sealed, which the process is given open. It is
 * asked on its standard input, and answers on its output, a line each.
 */
#include "tui/ui/dissector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/program.h"
#include "tui/model/dissection.h"

#define PIECE 65536u

struct dissector {
	struct loop *loop;
	struct program_process process;
	int fd; /* of what it says */
	struct loop_source answers, status;
	struct loop_timer limit;
	char *text; /* DISSECTION_ANSWER bytes: the line that it is writing */
	size_t size;
	bool ended; /* nothing is wanted of it any more */
	const struct dissector_ops *ops;
	void *arg;
};

/* Has the process ended, by closing what it is watched by. */
static void leave(struct dissector *dissector)
{
	dissector->ended = true;
	loop_remove(dissector->loop, &dissector->answers);
	loop_remove(dissector->loop, &dissector->status);
	loop_timer_cancel(dissector->loop, &dissector->limit);
	program_close(&dissector->process);
}

static void fail(struct dissector *dissector, const char *why)
{
	leave(dissector);
	dissector->ops->failed(dissector->arg, why);
}

/* Hands on the lines that are whole. */
static void take_lines(struct dissector *dissector)
{
	char *line = dissector->text, *end = line + dissector->size, *next;

	while (!dissector->ended && (next = memchr(line, '\n', (size_t)(end - line)))) {
		if (dissector->ops->line(dissector->arg, line, (size_t)(next - line)))
			leave(dissector);
		line = next + 1;
	}
	dissector->size = (size_t)(end - line);
	memmove(dissector->text, line, dissector->size);
}

/* Reads a piece of what there is. False: there is no more now. */
static bool read_piece(struct dissector *dissector)
{
	size_t room = DISSECTION_ANSWER - dissector->size;
	ssize_t n;

	if (!room) {
		fail(dissector, "sharkd answers too much");
		return false;
	}
	n = recv(dissector->fd, dissector->text + dissector->size, room < PIECE ? room : PIECE,
		 MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		loop_remove(dissector->loop, &dissector->answers); /* its status says why */
	if (n <= 0)
		return false;
	dissector->size += (size_t)n;
	if (memchr(dissector->text + dissector->size - n, '\n', (size_t)n))
		take_lines(dissector);
	return !dissector->ended;
}

static void answers_ready(void *arg, uint32_t events)
{
	(void)events;
	(void)read_piece(arg);
}

static void status_ready(void *arg, uint32_t events)
{
	struct dissector *dissector = arg;
	char why[PROGRAM_WORDS_MAX + 64];

	(void)events;
	if (!program_ended(&dissector->process, why, sizeof(why)))
		return;
	while (read_piece(dissector))
		; /* its socket holds no more than that */
	if (!dissector->ended)
		fail(dissector, why);
}

static void limit_reached(void *arg)
{
	fail(arg, "sharkd did not answer in time");
}

/* --- its beginning --- */

/* Memory that nobody changes any more, or -1 with errno. */
static int make_file(const uint8_t *file, size_t size)
{
	int fd = memfd_create("packets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;
	ssize_t n = 0;

	while (fd >= 0 && done < size && (n = write(fd, file + done, size - done)) > 0)
		done += (size_t)n;
	if (fd >= 0 && done == size &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int run(struct dissector *dissector, int file, struct cause *cause)
{
	static const char *const arguments[] = { "-", NULL };
	static const struct program_file none[] = { { NULL, false } };
	int sockets[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return cause_errno(cause, errno, "sharkd");
	error = program_start(&dissector->process,
			      &(struct program_order){ .program = PROGRAM_SHARKD,
						       .arguments = arguments, .files = none,
						       .fds = { sockets[1], file, -1 },
						       .talks = true }, cause);
	close(sockets[1]);
	if (error)
		close(sockets[0]);
	else
		dissector->fd = sockets[0];
	return error;
}

static int watch(struct dissector *dissector, struct cause *cause)
{
	int error = loop_add(dissector->loop, &dissector->answers, dissector->fd, EPOLLIN,
			     answers_ready, dissector);

	if (error == 0)
		error = loop_add(dissector->loop, &dissector->status, dissector->process.status_fd,
				 EPOLLIN, status_ready, dissector);
	return error ? cause_errno(cause, -error, "sharkd cannot be watched") : 0;
}

/* What is asked finds room in a socket's buffer. */
static int ask(const struct dissector *dissector, size_t frame, struct cause *cause)
{
	char text[320];
	int size = snprintf(text, sizeof(text),
			    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"load\",\"params\":"
			    "{\"file\":\"/proc/self/fd/%d\"}}\n"
			    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"frame\",\"params\":"
			    "{\"frame\":%zu,\"proto\":true}}\n",
			    PROGRAM_FD + 1, DISSECTION_NUMBER, frame);

	if (send(dissector->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size)
		return cause_errno(cause, errno, "sharkd cannot be asked");
	return 0;
}

static int start(struct dissector *dissector, const uint8_t *file, size_t size, size_t frame,
		 struct cause *cause)
{
	int fd, error;

	dissector->text = malloc(DISSECTION_ANSWER);
	fd = dissector->text ? make_file(file, size) : -1;
	if (fd < 0)
		return cause_set(cause, ENOMEM, "there is no memory for the packets");
	error = run(dissector, fd, cause);
	close(fd);
	if (error == 0)
		error = watch(dissector, cause);
	return error ? error : ask(dissector, frame, cause);
}

struct dissector *dissector_start(struct loop *loop, const uint8_t *file, size_t size,
				  size_t frame, const struct dissector_ops *ops, void *arg,
				  struct cause *cause)
{
	struct dissector *dissector;
	char path[PATH_MAX];

	if (program_find(PROGRAM_SHARKD, path, cause) < 0)
		return NULL;
	dissector = calloc(1, sizeof(*dissector));
	if (!dissector) {
		cause_set(cause, ENOMEM, "there is no memory for sharkd");
		return NULL;
	}
	dissector->loop = loop;
	dissector->fd = dissector->process.status_fd = dissector->process.error_fd = -1;
	dissector->ops = ops;
	dissector->arg = arg;
	dissector->limit = (struct loop_timer){ .fire = limit_reached, .arg = dissector };
	if (start(dissector, file, size, frame, cause) < 0) {
		dissector_free(dissector);
		return NULL;
	}
	loop_timer_set(loop, &dissector->limit, DISSECTOR_LIMIT);
	return dissector;
}

void dissector_free(struct dissector *dissector)
{
	if (!dissector)
		return;
	leave(dissector);
	if (dissector->fd >= 0)
		close(dissector->fd);
	free(dissector->text);
	free(dissector);
}
