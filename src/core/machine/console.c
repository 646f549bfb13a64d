/*
 * The console ring. The lock is held for a copy at most; a vCPU that prints
 * wakes the deck thread only while somebody follows, and only after a rest.
 */
#include "core/machine/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void wake_readers(void *arg)
{
	struct console *console = arg;
	struct console_reader *reader, *next;

	pthread_mutex_lock(&console->lock);
	console->told = console->written;
	pthread_mutex_unlock(&console->lock);
	loop_timer_set(console->loop, &console->pace, CONSOLE_PACE);
	for (reader = console->readers; reader; reader = next) {
		next = reader->next;
		reader->more(reader->arg);
	}
}

static void pace_over(void *arg)
{
	struct console *console = arg;
	bool more;

	pthread_mutex_lock(&console->lock);
	more = console->followed && console->written != console->told;
	console->telling = more;
	pthread_mutex_unlock(&console->lock);
	if (more)
		wake_readers(console);
}

int console_init(struct console *console, struct loop *deck_loop)
{
	memset(console, 0, sizeof(*console));
	console->loop = deck_loop;
	console->wake.run = wake_readers;
	console->wake.arg = console;
	console->pace = (struct loop_timer){ .fire = pace_over, .arg = console };
	return -pthread_mutex_init(&console->lock, NULL);
}

void console_destroy(struct console *console)
{
	loop_unpost(console->loop, &console->wake);
	loop_timer_cancel(console->loop, &console->pace);
	free(console->ring);
	pthread_mutex_destroy(&console->lock);
}

/* Copies into the ring, of more than that is the last of it; the lock is held. */
static void store(struct console *console, const uint8_t *data, size_t size)
{
	if (size > CONSOLE_SIZE) {
		console->written += size - CONSOLE_SIZE;
		data += size - CONSOLE_SIZE;
		size = CONSOLE_SIZE;
	}
	while (size) {
		size_t at = console->written % CONSOLE_SIZE;
		size_t n = CONSOLE_SIZE - at < size ? CONSOLE_SIZE - at : size;

		memcpy(console->ring + at, data, n);
		console->written += n;
		data += n;
		size -= n;
	}
}

void console_output(struct console *console, const uint8_t *data, size_t size)
{
	bool tell;

	pthread_mutex_lock(&console->lock);
	if (!console->ring)
		console->ring = malloc(CONSOLE_SIZE);
	if (console->ring)
		store(console, data, size);
	tell = console->followed && !console->telling;
	console->telling |= tell;
	pthread_mutex_unlock(&console->lock);
	if (tell)
		loop_post(console->loop, &console->wake);
}

uint64_t console_follow(struct console *console, struct console_reader *reader, bool backlog)
{
	uint64_t before;

	pthread_mutex_lock(&console->lock);
	reader->position = console->written;
	if (backlog)
		reader->position = console->written > CONSOLE_SIZE ?
				   console->written - CONSOLE_SIZE : 0;
	before = console->written - reader->position;
	reader->next = console->readers;
	console->readers = reader;
	console->followed = true;
	pthread_mutex_unlock(&console->lock);
	return before;
}

void console_unfollow(struct console *console, struct console_reader *reader)
{
	struct console_reader **at;

	pthread_mutex_lock(&console->lock);
	for (at = &console->readers; *at && *at != reader; at = &(*at)->next)
		;
	if (*at)
		*at = reader->next;
	console->followed = console->readers != NULL;
	pthread_mutex_unlock(&console->lock);
}

size_t console_read(struct console *console, struct console_reader *reader, uint8_t *data,
		    size_t room, uint64_t *lost)
{
	size_t done = 0;

	*lost = 0;
	pthread_mutex_lock(&console->lock);
	if (console->written - reader->position > CONSOLE_SIZE) {
		*lost = console->written - CONSOLE_SIZE - reader->position;
		reader->position += *lost;
	}
	while (done < room && reader->position < console->written) {
		size_t at = reader->position % CONSOLE_SIZE;
		uint64_t left = console->written - reader->position;
		size_t n = CONSOLE_SIZE - at;

		n = n < left ? n : left;
		n = n < room - done ? n : room - done;
		memcpy(data + done, console->ring + at, n);
		done += n;
		reader->position += n;
	}
	pthread_mutex_unlock(&console->lock);
	return done;
}

size_t console_input(struct console *console, const uint8_t *data, size_t size)
{
	size_t taken = 0;

	pthread_mutex_lock(&console->lock);
	if (console->ops)
		taken = console->ops->input(console->arg, console->line, data, size);
	pthread_mutex_unlock(&console->lock);
	return taken;
}

int console_break(struct console *console, const uint8_t *data, size_t size)
{
	int err = -ENODEV;

	pthread_mutex_lock(&console->lock);
	if (console->ops)
		err = console->ops->send_break(console->arg, console->line);
	if (!err && size && console->ops->input(console->arg, console->line, data, size) < size)
		err = -EAGAIN;
	pthread_mutex_unlock(&console->lock);
	return err;
}

/* The lock is held. */
static void tell_window(struct console *console)
{
	if (console->ops && console->ops->window && console->rows)
		console->ops->window(console->arg, console->line, console->rows, console->columns);
}

void console_window(struct console *console, unsigned rows, unsigned columns)
{
	pthread_mutex_lock(&console->lock);
	console->rows = rows;
	console->columns = columns;
	tell_window(console);
	pthread_mutex_unlock(&console->lock);
}

void console_attach(struct console *console, const struct console_ops *ops, void *arg,
		    unsigned line)
{
	pthread_mutex_lock(&console->lock);
	console->ops = ops;
	console->arg = arg;
	console->line = line;
	tell_window(console);
	pthread_mutex_unlock(&console->lock);
}

enum escape { PLAIN, ESCAPED, CONTROL_SEQUENCE };

/* Whether a byte is text, not a control character or part of an escape sequence. ECMA-48 §5.4. */
static bool is_text(enum escape *state, uint8_t c)
{
	switch (*state) {
	case ESCAPED:
		*state = c == '[' ? CONTROL_SEQUENCE : PLAIN;
		return false;
	case CONTROL_SEQUENCE:
		if (c >= 0x40 && c <= 0x7e)
			*state = PLAIN;
		if (c >= ' ')
			return false;
		*state = PLAIN; /* it was broken off */
		break;
	default:
		break;
	}
	if (c == 0x1b)
		*state = ESCAPED;
	return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\t';
}

char *console_tail(struct console *console, unsigned max)
{
	enum escape state = PLAIN;
	char *text = malloc(CONSOLE_SIZE + 1);
	uint64_t begin, at;
	unsigned lines = 0;
	size_t n = 0;

	if (!text)
		return NULL;
	pthread_mutex_lock(&console->lock);
	begin = console->written > CONSOLE_SIZE ? console->written - CONSOLE_SIZE : 0;
	for (at = console->written; at > begin; at--)
		if (console->ring[(at - 1) % CONSOLE_SIZE] == '\n' && at < console->written &&
		    ++lines == max)
			break;
	for (; at < console->written; at++)
		if (is_text(&state, console->ring[at % CONSOLE_SIZE]))
			text[n++] = (char)console->ring[at % CONSOLE_SIZE];
	pthread_mutex_unlock(&console->lock);
	text[n] = '\0';
	return text;
}
