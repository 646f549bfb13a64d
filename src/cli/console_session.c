/*
 * See console_session.h. pipe(7): a pipe that polls as writable takes PIPE_BUF
 * bytes without waiting.
 */
#include "cli/console_session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plain.h"

#define PIECES_PER_TURN 64 /* of PIPE_BUF bytes: a flood must not keep the keys waiting */
#define PATIENCE (1 * NS_PER_S) /* with a guest that takes nothing, before keys are lost */
#define SEQUENCE_PATIENCE (1 * NS_PER_S) /* with one that the guest does not end */
#define LAST_WORDS_MS 250 /* for which the terminal is waited for in the end, twice */

static void pump(struct console_session *session);

/* --- the terminal --- */

/* One who was stopped would leave the terminal raw to the shell. */
static void make_raw(struct console_session *session)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &session->saved) < 0)
		return;
	raw = session->saved;
	cfmakeraw(&raw);
	session->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	if (session->raw)
		sigaction(SIGTSTP, &ignore, &session->stop);
}

/*
 * A terminal that polls as writable may still make a writer wait. Others share the
 * description of standard output, so that O_NONBLOCK is set on one of our own.
 */
static void open_output(struct console_session *session)
{
	int fd = -1;

	session->output_fd = STDOUT_FILENO;
	session->output_is_terminal = isatty(STDOUT_FILENO);
	if (session->output_is_terminal)
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		session->output_fd = fd;
}

static void close_output(struct console_session *session)
{
	if (session->output_fd > STDOUT_FILENO)
		close(session->output_fd);
	session->output_fd = STDOUT_FILENO;
	session->output_is_terminal = false;
}

/* A line as it is shown, with its end, at the end of out. */
static size_t add_line(char *out, size_t room, char *line, const char *end)
{
	char *shown;
	size_t size;
	int n;

	shown = plain_copy(line, plain_utf8(stderr), 0, 0, &size);
	n = shown ? snprintf(out, room, "%s%s", shown, end) : 0;
	free(shown);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

/* Within a sequence, or within a character, what is written would become a part of it. */
static bool is_within(const struct modes *modes)
{
	return modes->sequence.state || modes->sequence.missing;
}

/* Writes what waits to be said, breaking off what the guest has begun. */
static void speak(struct console_session *session)
{
	static const char cancel[] = "\030", end[] = "\r\n"; /* CAN */
	char out[sizeof(session->unsaid) + sizeof(cancel) + sizeof(end)];
	bool within = is_within(&session->modes);
	ssize_t n;

	loop_timer_cancel(session->loop, &session->speak);
	if (!session->unsaid_size)
		return;
	n = snprintf(out, sizeof(out), "%s%s", within ? cancel : "",
		     !session->modes.in_line ? "" : session->raw ? end : end + 1);
	memcpy(out + n, session->unsaid, session->unsaid_size);
	n = write(session->output_fd, out, (size_t)n + session->unsaid_size);
	(void)n;
	session->unsaid_size = 0;
	session->modes.in_line = false;
	session->modes.sequence = (struct control_sequence){ 0 };
}

static void sequence_is_late(void *arg)
{
	speak(arg);
}

/* On the terminal that the console is on: at once, or when the guest's sequence is at its end. */
static void say_beside(struct console_session *session, const char *text, size_t size)
{
	if (size > sizeof(session->unsaid) - session->unsaid_size)
		return;
	memcpy(session->unsaid + session->unsaid_size, text, size);
	session->unsaid_size += size;
	if (!is_within(&session->modes))
		speak(session);
	else if (!session->speak.armed)
		loop_timer_set(session->loop, &session->speak, SEQUENCE_PATIENCE);
}

void console_session_say(struct console_session *session, const char *format, ...)
{
	const char *end = session->raw ? "\r\n" : "\n";
	char text[4096], out[2 * sizeof(text)], *line, *rest = text;
	size_t size = 0;
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	while ((line = strsep(&rest, "\n")) && (rest || *line || !size))
		size += add_line(out + size, sizeof(out) - size, line, end);
	if (session->output_is_terminal && isatty(STDERR_FILENO)) {
		say_beside(session, out, size);
		return;
	}
	n = write(STDERR_FILENO, out, size);
	(void)n;
}

/* Whether the terminal took all of it. */
static bool write_last(const struct console_session *session, const char *text, size_t size)
{
	struct pollfd room = { .fd = session->output_fd, .events = POLLOUT };

	return size == 0 || (poll(&room, 1, LAST_WORDS_MS) > 0 &&
			     write(session->output_fd, text, size) == (ssize_t)size);
}

/* The terminal answers in order: behind its answer to this there is none to the guest. */
static void drop_answers(const struct console_session *session)
{
	static const char dsr[] = "\033[5n", ok[] = "\033[0n";
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t end = clock_monotonic() + LAST_WORDS_MS * NS_PER_MS, now;
	size_t found = 0;

	if (!write_last(session, dsr, strlen(dsr)))
		return;
	while (found < strlen(ok) && (now = clock_monotonic()) < end) {
		char c;

		if (poll(&input, 1, (int)((end - now) / NS_PER_MS) + 1) <= 0 ||
		    read(STDIN_FILENO, &c, 1) != 1)
			return;
		found = c == ok[found] ? found + 1 : c == ok[0];
	}
}

void console_session_restore(struct console_session *session)
{
	char text[MODES_UNDO_MAX + 3] = "\030"; /* CAN, in a sequence that is not at its end */
	size_t size;

	if (session->unsaid_size)
		speak(session);
	size = session->modes.sequence.state != 0;
	size += modes_undo(&session->modes, text + size);
	if (session->modes.in_line) {
		text[size++] = '\r';
		text[size++] = '\n';
	}
	if (session->output_is_terminal && !session->output_gone)
		write_last(session, text, size);
	session->modes = (struct modes){ 0 };
	if (session->raw) {
		if (session->output_is_terminal && session->queries.asked)
			drop_answers(session);
		tcsetattr(STDIN_FILENO, TCSANOW, &session->saved);
		sigaction(SIGTSTP, &session->stop, NULL);
	}
	session->raw = session->queries.asked = false;
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

/* Where there is no room any more, on a terminal, only the escape is looked for. */
static void read_input(struct console_session *session)
{
	uint8_t data[4096];
	size_t room = sizeof(session->keys) - session->typed;
	ssize_t n = read(STDIN_FILENO, data,
			 !session->deaf && room < sizeof(data) ? room : sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(session);
		return;
	}
	for (ssize_t i = 0; i < n && !session->input_ended; i++)
		if (take_key(session, data[i]) && session->typed < sizeof(session->keys))
			session->keys[session->typed++] = data[i];
}

static bool has_room(const struct console_session *session)
{
	return session->typed < sizeof(session->keys) || session->deaf;
}

static void stalled(void *arg)
{
	struct console_session *session = arg;

	session->deaf = true;
	if (session->ops->deaf)
		session->ops->deaf(session->arg);
	pump(session);
}

/* Who types waits for a guest that reads slowly, but not for one that does not read. */
static void watch_progress(struct console_session *session, bool progress)
{
	if (progress)
		session->deaf = false;
	if (!session->raw || session->deaf || session->typed < sizeof(session->keys))
		loop_timer_cancel(session->loop, &session->stalled);
	else if (progress || !session->stalled.armed)
		loop_timer_set(session->loop, &session->stalled, PATIENCE);
}

/* What was typed goes on. */
static void send_keys(struct console_session *session)
{
	size_t sent = 0, left;
	ssize_t n = 0;

	while (sent < session->typed && !session->connection_ended && n >= 0) {
		n = send(session->fd, session->keys + sent, session->typed - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		sent += n > 0 ? (size_t)n : 0;
	}
	/* The end of a connection is read, with what came before it. */
	if (session->connection_ended || (n < 0 && errno != EAGAIN))
		sent = session->typed;
	left = session->typed - sent;
	memmove(session->keys, session->keys + sent, left);
	session->typed = left;
	watch_progress(session, sent > 0);
	if (session->says_end && session->input_ended && !left && !session->said_end) {
		shutdown(session->fd, SHUT_WR);
		session->said_end = true;
	}
}

static void input_ready(void *arg, uint32_t events)
{
	struct console_session *session = arg;

	(void)events;
	if (has_room(session))
		read_input(session);
	pump(session);
}

static void watch_input(struct console_session *session)
{
	bool wanted = !session->input_ended && !session->connection_ended && has_room(session);
	int err = 0;

	if (!wanted)
		loop_remove(session->loop, &session->input);
	else if (!session->input_is_file && !session->input.active)
		err = loop_add(session->loop, &session->input, STDIN_FILENO, EPOLLIN, input_ready,
			       session);
	session->input_is_file |= err == -EPERM;
	if (wanted && session->input_is_file) { /* it has always something, or its end */
		loop_timer_set(session->loop, &session->again, 0);
	} else if (err) { /* closed: nobody types */
		end_input(session);
		send_keys(session);
	}
}

/* --- from the guest to the screen --- */

/* The next bytes, at most CONSOLE_SESSION_PRINTED; how many. */
static size_t receive(struct console_session *session, uint8_t *data)
{
	size_t size = session->rest_size < CONSOLE_SESSION_PRINTED ? session->rest_size
								   : CONSOLE_SESSION_PRINTED;
	ssize_t n;

	if (size) {
		memcpy(data, session->rest, size);
		session->rest += size;
		session->rest_size -= size;
		return size;
	}
	if (session->connection_ended)
		return 0;
	n = recv(session->fd, data, CONSOLE_SESSION_PRINTED, MSG_DONTWAIT);
	if (n > 0)
		return (size_t)n;
	if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		session->connection_ended = true;
		session->error = n == 0 || errno == ECONNRESET ? 0 : errno;
	}
	return 0;
}

/* Takes the next bytes into text, if there are any; how many came. */
static size_t read_connection(struct console_session *session)
{
	uint8_t data[CONSOLE_SESSION_PRINTED];
	size_t size = receive(session, data);

	session->written = 0;
	session->printed = queries_pass(&session->queries, session->text, data, size);
	session->heard |= size > 0;
	return size;
}

/* Writes one piece. 0, -EAGAIN, or a negative errno: there is no more standard output. */
static int write_piece(struct console_session *session)
{
	struct pollfd room = { .fd = session->output_fd, .events = POLLOUT };
	size_t size = session->printed - session->written;
	const uint8_t *text = session->text + session->written;
	ssize_t n;

	if (session->output_gone) {
		session->written = session->printed;
		return 0;
	}
	if (poll(&room, 1, 0) == 0)
		return -EAGAIN;
	n = write(session->output_fd, text, size < PIPE_BUF ? size : PIPE_BUF);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (session->output_is_terminal)
		modes_read(&session->modes, text, (size_t)n);
	session->written += (size_t)n;
	if (session->unsaid_size && !is_within(&session->modes))
		speak(session);
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

		if (session->written == session->printed && !read_connection(session))
			return false;
		err = session->written < session->printed ? write_piece(session) : 0;
		if (err == -EAGAIN)
			break;
		if (err)
			fail_output(session, -err);
	}
	return session->written < session->printed;
}

/* Also of a reader that has gone while there was nothing to write. */
static void output_ready(void *arg, uint32_t events)
{
	struct console_session *session = arg;

	if (events & (EPOLLERR | EPOLLHUP)) {
		loop_remove(session->loop, &session->output);
		if (!session->output_gone && !session->told)
			fail_output(session, EPIPE);
	}
	pump(session);
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

	if (session->input_is_file && !session->input_ended && has_room(session))
		read_input(session);
	pump(session);
}

/* Text is left: the connection waits until standard output takes some. */
static void watch_output(struct console_session *session, bool left)
{
	uint32_t events = left ? EPOLLOUT : 0; /* and whether there is a reader */
	int err = 0;

	if (session->output_gone)
		loop_remove(session->loop, &session->output);
	else if (session->output.active && session->output_waits != left)
		err = loop_change(session->loop, &session->output, events);
	else if (!session->output.active && !session->output_is_file)
		err = loop_add(session->loop, &session->output, session->output_fd, events,
			       output_ready, session);
	session->output_is_file |= err == -EPERM;
	session->output_waits = left;
	if (left && (err || session->output_is_file))
		loop_timer_set(session->loop, &session->again, 0);
}

static void watch_connection(struct console_session *session, bool left)
{
	uint32_t events = (left ? 0 : (uint32_t)EPOLLIN) |
			  (session->typed ? (uint32_t)EPOLLOUT : 0);

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
	session->stalled = (struct loop_timer){ .fire = stalled, .arg = session };
	session->speak = (struct loop_timer){ .fire = sequence_is_late, .arg = session };
	open_output(session);
	make_raw(session);
	pump(session);
	return 0;
}

size_t console_session_give_up(struct console_session *session)
{
	size_t count = session->printed - session->written, n;

	session->written = session->printed;
	while ((n = read_connection(session))) {
		count += n;
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
	loop_timer_cancel(session->loop, &session->stalled);
	close_output(session);
}
