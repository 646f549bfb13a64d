/*
 * See console_session.h. pipe(7): a pipe that polls as writable takes PIPE_BUF
 * bytes without waiting.
 */
#include "cli/console_session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECES_PER_TURN 64 /* of PIPE_BUF bytes: a flood must not keep the keys waiting */

static void pump(struct console_session *session);

static void make_raw(struct console_session *session)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &session->saved) < 0)
		return;
	raw = session->saved;
	cfmakeraw(&raw);
	session->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void console_session_restore(struct console_session *session)
{
	if (session->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &session->saved);
	session->raw = false;
}

/* --- from the keyboard to the guest --- */

/* True when the key is for the guest. */
static bool take_key(struct console_session *session, uint8_t key)
{
	const struct console_session_ops *ops = session->ops;

	if (session->escaped) {
		session->escaped = false;
		return ops->command && ops->command(session->arg, key);
	}
	if (!session->raw || !session->escape_key || key != session->escape_key)
		return true;
	session->escaped = !ops->escape || ops->escape(session->arg);
	session->input_ended = !session->escaped;
	return false;
}

static void end_input(struct console_session *session)
{
	session->input_ended = true;
	loop_remove(session->loop, &session->input);
	if (session->ops->input_end)
		session->ops->input_end(session->arg);
}

static void read_input(struct console_session *session)
{
	uint8_t data[CONSOLE_SESSION_TYPED];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(session);
		return;
	}
	for (ssize_t i = 0; i < n && !session->input_ended; i++)
		if (take_key(session, data[i]))
			session->keys[session->typed++] = data[i];
}

/* What was typed goes on; nothing is read of standard input while some of it finds no room. */
static void send_keys(struct console_session *session)
{
	ssize_t n;

	while (session->sent < session->typed && !session->connection_ended) {
		n = send(session->fd, session->keys + session->sent, session->typed - session->sent,
			 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) /* its end is read, with what came before it */
			break;
		session->sent += (size_t)n;
	}
	session->sent = session->typed = 0;
}

static void input_ready(void *arg, uint32_t events)
{
	struct console_session *session = arg;

	(void)events;
	if (session->sent == session->typed)
		read_input(session);
	pump(session);
}

static void watch_input(struct console_session *session)
{
	bool wanted = !session->input_ended && !session->connection_ended &&
		      session->sent == session->typed;
	int err = 0;

	if (!wanted)
		loop_remove(session->loop, &session->input);
	else if (!session->input_is_file && !session->input.active)
		err = loop_add(session->loop, &session->input, STDIN_FILENO, EPOLLIN, input_ready,
			       session);
	session->input_is_file |= err == -EPERM;
	if (wanted && session->input_is_file) /* it has always something, or its end */
		loop_timer_set(session->loop, &session->again, 0);
	else if (err) /* closed: nobody types */
		end_input(session);
}

/* --- from the guest to the screen --- */

/* Takes the next bytes into text, if there are any. */
static void read_connection(struct console_session *session)
{
	ssize_t n;

	session->printed = session->written = 0;
	if (session->rest_size) {
		n = (ssize_t)(session->rest_size < sizeof(session->text) ? session->rest_size
									  : sizeof(session->text));
		memcpy(session->text, session->rest, (size_t)n);
		session->rest += n;
		session->rest_size -= (size_t)n;
		session->printed = (size_t)n;
		return;
	}
	if (session->connection_ended)
		return;
	n = recv(session->fd, session->text, sizeof(session->text), MSG_DONTWAIT);
	if (n > 0) {
		session->printed = (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		session->connection_ended = true;
		session->error = n == 0 || errno == ECONNRESET ? 0 : errno;
	}
}

/* Writes one piece. 0, -EAGAIN, or a negative errno: there is no more standard output. */
static int write_piece(struct console_session *session)
{
	struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t size = session->printed - session->written;
	ssize_t n;

	if (session->output_gone) {
		session->written = session->printed;
		return 0;
	}
	if (poll(&room, 1, 0) == 0)
		return -EAGAIN;
	n = write(STDOUT_FILENO, session->text + session->written, size < PIPE_BUF ? size : PIPE_BUF);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	session->written += (size_t)n;
	return 0;
}

static void fail_output(struct console_session *session, int error)
{
	session->output_gone = true;
	session->written = session->printed;
	if (session->ops->output_failed)
		session->ops->output_failed(session->arg, error);
}

/* Prints what is there and can be written; true when something is left. */
static bool print(struct console_session *session)
{
	for (unsigned i = 0; i < PIECES_PER_TURN; i++) {
		int err;

		if (session->written == session->printed)
			read_connection(session);
		if (session->written == session->printed)
			return false;
		err = write_piece(session);
		if (err == -EAGAIN)
			break;
		if (err)
			fail_output(session, -err);
	}
	return session->written < session->printed;
}

static void output_ready(void *arg, uint32_t events)
{
	(void)events;
	pump(arg);
}

/* --- both --- */

static void connection_ready(void *arg, uint32_t events)
{
	(void)events;
	pump(arg);
}

static void again(void *arg)
{
	struct console_session *session = arg;

	if (session->input_is_file && !session->input_ended && session->sent == session->typed)
		read_input(session);
	pump(session);
}

/* Text is left: the connection waits until standard output takes some. */
static void watch_output(struct console_session *session, bool left)
{
	int err = 0;

	if (!left)
		loop_remove(session->loop, &session->output);
	else if (!session->output.active)
		err = loop_add(session->loop, &session->output, STDOUT_FILENO, EPOLLOUT,
			       output_ready, session);
	if (err)
		loop_timer_set(session->loop, &session->again, 0);
}

static void watch_connection(struct console_session *session, bool left)
{
	uint32_t events = (left ? 0 : (uint32_t)EPOLLIN) |
			  (session->sent < session->typed ? (uint32_t)EPOLLOUT : 0);

	if (session->connection_ended || !events)
		loop_remove(session->loop, &session->connection);
	else if (session->connection.active)
		(void)loop_change(session->loop, &session->connection, events);
	else
		(void)loop_add(session->loop, &session->connection, session->fd, events,
			       connection_ready, session);
}

static void pump(struct console_session *session)
{
	bool left;

	if (session->told)
		return;
	send_keys(session);
	left = print(session);
	watch_output(session, left);
	watch_connection(session, left);
	watch_input(session);
	if (session->connection_ended && !left && !session->told) {
		session->told = true;
		session->ops->ended(session->arg, session->error);
	}
}

int console_session_begin(struct console_session *session)
{
	int flags = fcntl(session->fd, F_GETFL);

	if (flags < 0 || fcntl(session->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	session->again = (struct loop_timer){ .fire = again, .arg = session };
	make_raw(session);
	pump(session);
	return 0;
}

size_t console_session_give_up(struct console_session *session)
{
	size_t count = session->printed - session->written;

	session->output_gone = true;
	session->written = session->printed;
	for (;;) {
		read_connection(session);
		if (!session->printed)
			break;
		count += session->printed;
		session->written = session->printed;
	}
	return count;
}

void console_session_end(struct console_session *session)
{
	console_session_restore(session);
	session->told = true;
	if (!session->loop)
		return;
	loop_remove(session->loop, &session->connection);
	loop_remove(session->loop, &session->input);
	loop_remove(session->loop, &session->output);
	loop_timer_cancel(session->loop, &session->again);
}
