/*
 * See pcapng_copy.h. pipe(7): a pipe that polls as writable takes PIPE_BUF
 * bytes without waiting, so nothing else is written to it at a time.
 *
 * However the copying ends, the deck is asked to end the capture, and what it
 * still sends is read for the sake of the counts.
 */
#include "cli/pcapng_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/plain.h"
#include "cli/signals.h"

#define READER_LOOK_MS 100 /* whether a FIFO has a reader; nothing tells when it gets one */
#define END_MS 3000	   /* an ended capture that makes no progress is given up after this */

static bool is_fifo(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* 0: look again; or why there is nothing to wait for. */
static int wait_for_reader(const struct pcapng_copy *copy)
{
	struct pollfd fds[] = { { .fd = copy->signals, .events = POLLIN }, { .fd = copy->from } };

	if (poll(fds, 2, READER_LOOK_MS) < 0 && errno != EINTR)
		return -errno;
	if (signals_take(copy->signals))
		return -EINTR;
	return fds[1].revents & (POLLHUP | POLLERR) ? -ECONNRESET : 0;
}

/* As of tcpdump(1), which does not say so. */
static void tell_of_content(const char *name, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size)
		plain_print(stderr, "%s: overwrites the %lld bytes that were there\n", name,
			    (long long)st.st_size);
}

int pcapng_copy_open(const struct pcapng_copy *copy, const char *name, int *to, bool *made)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK;
	bool told = false;
	int error = 0;

	*to = open(name, flags | O_EXCL, 0600);
	*made = *to >= 0;
	if (*made)
		return 0;
	do {
		*to = open(name, flags, 0600);
		if (*to >= 0) {
			tell_of_content(name, *to);
			if (ftruncate(*to, 0) == 0 || errno == EINVAL)
				return 0;
			error = errno;
			close(*to);
			return -error;
		}
		error = errno;
		if (error != ENXIO || !is_fifo(name))
			return -error;
		if (!told)
			plain_print(stderr, "%s: waiting for a reader\n", name);
		told = true;
		error = wait_for_reader(copy);
	} while (!error);
	return error;
}

/* The last bytes of a block that is not whole leave a regular file again. */
static void cut(struct pcapng_copy *copy)
{
	const struct pcapng_counter *counter = &copy->counter;

	if (counter->broken)
		return;
	copy->nothing = copy->regular && !counter->whole;
	if (counter->bytes == counter->whole)
		return;
	copy->cut = !copy->regular ||
		    ftruncate(copy->to, copy->base + (int64_t)counter->whole) < 0;
}

/* Nothing is written from here on. */
static void give_up(struct pcapng_copy *copy, int error)
{
	copy->error = error;
	copy->captured = copy->counter.packets;
	cut(copy);
	shutdown(copy->from, SHUT_WR);
}

static void count(struct pcapng_copy *copy, size_t size)
{
	pcapng_count(&copy->counter, copy->next, size);
	copy->next += size;
	copy->left -= size;
}

static void write_some(struct pcapng_copy *copy)
{
	size_t size = copy->regular || copy->left < PIPE_BUF ? copy->left : PIPE_BUF;
	ssize_t n = write(copy->to, copy->next, size);

	if (n >= 0)
		count(copy, (size_t)n);
	else if (errno != EINTR && errno != EAGAIN)
		give_up(copy, errno);
}

static void read_some(struct pcapng_copy *copy)
{
	ssize_t n = recv(copy->from, copy->data, sizeof(copy->data), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	copy->ended = n <= 0;
	copy->next = copy->data;
	copy->left = n > 0 ? (size_t)n : 0;
}

/*
 * The first signal ends the capture well, a second one at once: what a reader has not taken
 * by then is counted and not written. The deck, which then waits for nobody, ends that.
 */
static void take_signal(struct pcapng_copy *copy)
{
	if (!signals_take(copy->signals))
		return;
	if (copy->interrupted && copy->left && !copy->error)
		give_up(copy, ETIMEDOUT);
	else
		copy->ended = copy->interrupted;
	copy->interrupted = true;
	shutdown(copy->from, SHUT_WR);
}

static bool is_ending(const struct pcapng_copy *copy)
{
	return copy->interrupted || copy->error;
}

/* Waits, then does what can be done. */
static void step(struct pcapng_copy *copy)
{
	bool writes = copy->left && !copy->error;
	struct pollfd fds[] = {
		{ .fd = copy->signals, .events = POLLIN },
		{ .fd = copy->left ? -1 : copy->from, .events = POLLIN },
		/* Without events it tells that a pipe's reader has gone. */
		{ .fd = copy->error ? -1 : copy->to, .events = writes ? POLLOUT : 0 },
	};
	int ready = poll(fds, 3, is_ending(copy) ? END_MS : -1);

	if (ready == 0 && copy->left && !copy->error)
		give_up(copy, ETIMEDOUT);
	else if (ready == 0)
		copy->ended = true;
	if (ready <= 0)
		return;
	if (fds[0].revents)
		take_signal(copy);
	if (fds[2].revents & (POLLERR | POLLHUP))
		give_up(copy, EPIPE);
	else if (fds[2].revents && !copy->error)
		write_some(copy);
	if (fds[1].revents)
		read_some(copy);
}

void pcapng_copy_run(struct pcapng_copy *copy)
{
	struct stat st;

	copy->regular = fstat(copy->to, &st) == 0 && S_ISREG(st.st_mode);
	if (copy->regular)
		copy->base = lseek(copy->to, 0, fcntl(copy->to, F_GETFL) & O_APPEND ? SEEK_END :
										      SEEK_CUR);
	while (!copy->ended) {
		if (copy->left && copy->error)
			count(copy, copy->left);
		step(copy);
	}
	copy->deck_gone = !is_ending(copy);
	if (!copy->error) {
		copy->captured = copy->counter.packets;
		cut(copy);
	}
	copy->dropped = copy->counter.dropped + copy->counter.packets - copy->captured;
}
