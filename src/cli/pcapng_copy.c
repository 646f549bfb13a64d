/*
 * See pcapng_copy.h. pipe(7): a pipe that polls as writable takes PIPE_BUF
 * bytes without waiting, so nothing else is written to it at a time.
 *
 * What comes is shaped in its place in data, from one end of a file to the next
 * at a time, then written. A file that is not the last ends with its counts, and
 * the next begins with what the first began with. However the copying ends, the
 * deck is asked to end the capture, and what it still sends is read for the sake
 * of the counts.
 */
#include "cli/pcapng_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
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

static bool is_ending(const struct pcapng_copy *copy)
{
	return copy->interrupted || copy->stopped || copy->error;
}

static void end_capture(const struct pcapng_copy *copy)
{
	shutdown(copy->from, SHUT_WR);
}

/* Nothing is written from here on. The last bytes of a block that is not whole leave a file. */
static void give_up(struct pcapng_copy *copy, int error)
{
	uint64_t before = copy->bytes - copy->out_size;
	uint64_t packets = pcapng_shape_whole(&copy->shape, copy->out, copy->out_size, !before,
					      &(size_t){ 0 });
	size_t whole;

	packets -= pcapng_shape_whole(&copy->shape, copy->out, copy->out_done, !before, &whole);
	copy->error = error;
	copy->turning = copy->naming = false;
	copy->captured -= packets;
	copy->nothing = copy->regular && !before && !whole && (!copy->files || copy->files->count == 1);
	if (copy->out_done != whole)
		copy->cut = !copy->regular ||
			    ftruncate(copy->to, copy->base + (int64_t)(before + whole)) < 0;
	copy->out_size = copy->out_done = 0;
	end_capture(copy);
}

static void put_out(struct pcapng_copy *copy, const uint8_t *data, size_t size)
{
	copy->out = data;
	copy->out_size = size;
	copy->out_done = 0;
	copy->bytes += size;
}

static void write_some(struct pcapng_copy *copy)
{
	size_t left = copy->out_size - copy->out_done;
	size_t size = copy->regular || left < PIPE_BUF ? left : PIPE_BUF;
	ssize_t n = write(copy->to, copy->out + copy->out_done, size);

	if (n >= 0)
		copy->out_done += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		give_up(copy, errno);
}

/* --- one file after the other --- */

static uint64_t next_turn(const struct capture_limit *turn)
{
	uint64_t now = clock_monotonic(), time = UINT64_MAX;

	if (turn->duration)
		time = now + turn->duration;
	if (turn->interval) {
		uint64_t left = turn->interval - clock_wall() % turn->interval;

		if (now + left < time)
			time = now + left;
	}
	return time;
}

static void begin_file(struct pcapng_copy *copy)
{
	struct stat st;

	copy->regular = fstat(copy->to, &st) == 0 && S_ISREG(st.st_mode);
	if (copy->regular)
		copy->base = lseek(copy->to, 0, fcntl(copy->to, F_GETFL) & O_APPEND ? SEEK_END :
										      SEEK_CUR);
	copy->bytes = copy->packets = 0;
	copy->turn_time = next_turn(&copy->limits.turn);
}

/* The file ends here: with its counts, if there is memory for them. */
static void end_file(struct pcapng_copy *copy)
{
	uint8_t *tail = realloc(copy->tail, PCAPNG_TAIL_SIZE(copy->shape.interface_count) + 1);

	copy->turning = false;
	copy->naming = true;
	if (!tail)
		return;
	copy->tail = tail;
	put_out(copy, tail, pcapng_shape_tail(&copy->shape, tail));
}

static void next_file(struct pcapng_copy *copy)
{
	bool made;
	int error = close(copy->to) < 0 ? -errno : 0;

	copy->naming = false;
	copy->to = -1;
	if (!error)
		error = capture_files_next(copy->files);
	if (!error)
		error = pcapng_copy_open(copy, copy->files->path, &copy->to, &made);
	if (error) {
		give_up(copy, -error);
		return;
	}
	plain_print(stderr, "File: %s\n", copy->files->path);
	begin_file(copy);
	put_out(copy, copy->shape.head, copy->shape.head_size);
}

/* No further packet is wanted. */
static void stop(struct pcapng_copy *copy)
{
	copy->full = copy->stopped = true;
	end_capture(copy);
}

static void turn(struct pcapng_copy *copy)
{
	if (copy->limits.stop.files && copy->files->count >= copy->limits.stop.files) {
		stop(copy);
	} else {
		copy->turning = true;
	}
}

/* --- what comes --- */

/* Whether a packet, or the file's size, has reached a limit. */
static void look_at_limits(struct pcapng_copy *copy, uint64_t bytes)
{
	const struct capture_limit *whole = &copy->limits.stop, *file = &copy->limits.turn;
	bool large = (whole->bytes && bytes >= whole->bytes) || (file->bytes && bytes >= file->bytes);

	if ((whole->packets && copy->captured >= whole->packets) || (large && !copy->files))
		stop(copy);
	else if (large || (file->packets && copy->packets >= file->packets))
		turn(copy);
}

/* A packet's block. Returns how much of it is to be written. */
static size_t take_packet(struct pcapng_copy *copy, uint8_t *out, const uint8_t *block, size_t size,
			  size_t before)
{
	if (copy->full) {
		pcapng_shape_skip(&copy->shape);
		copy->beyond++;
		return 0;
	}
	size = pcapng_shape_block(&copy->shape, out, block, size);
	if (copy->error || !size)
		return 0;
	copy->captured++;
	copy->packets++;
	look_at_limits(copy, copy->bytes + before + size);
	return size;
}

/* Whether something has come to the secrets, which is put out then. */
static bool put_keys(struct pcapng_copy *copy)
{
	size_t size = copy->bytes && !copy->full && !copy->error && !copy->shape.classic ?
			      tls_keys_next(&copy->keys) : 0;

	if (!size)
		return false;
	put_out(copy, copy->keys.block,
		pcapng_shape_block(&copy->shape, copy->keys.block, copy->keys.block, size));
	return true;
}

/* Shapes what is there of whole blocks, up to the end of a file, or what secrets stand before. */
static void shape(struct pcapng_copy *copy)
{
	uint8_t *begin = copy->data + copy->at, *out = begin;

	while (!copy->turning) {
		uint8_t *block = copy->data + copy->at;
		size_t size = pcapng_block_size(block, copy->end - copy->at);

		if (size == SIZE_MAX) {
			copy->broken = copy->ended = true;
			break;
		}
		if (!size || size > copy->end - copy->at)
			break;
		if (copy->keys.path && !copy->bytes && out > begin &&
		    pcapng_block_kind(block) == PCAPNG_PACKET)
			break;
		copy->at += size;
		if (pcapng_block_kind(block) == PCAPNG_PACKET)
			out += take_packet(copy, out, block, size, (size_t)(out - begin));
		else
			out += pcapng_shape_block(&copy->shape, out, block, size);
	}
	if (!copy->error)
		put_out(copy, begin, (size_t)(out - begin));
}

/* Nothing is left to be written: finds what is next, as far as it has come. */
static void refill(struct pcapng_copy *copy)
{
	size_t before = SIZE_MAX;

	while (copy->out_done == copy->out_size && !copy->broken) {
		if (copy->naming) {
			next_file(copy);
		} else if (copy->turning) {
			end_file(copy);
		} else if (put_keys(copy)) {
			continue;
		} else if (copy->at != before) {
			before = copy->at;
			shape(copy);
		} else {
			break;
		}
	}
}

static void read_some(struct pcapng_copy *copy)
{
	size_t room;
	ssize_t n;

	memmove(copy->data, copy->data + copy->at, copy->end - copy->at);
	copy->end -= copy->at;
	copy->at = 0;
	room = sizeof(copy->data) - copy->end;
	if (copy->left) {
		n = (ssize_t)(copy->left < room ? copy->left : room);
		memcpy(copy->data + copy->end, copy->next, (size_t)n);
		copy->next += n;
		copy->left -= (size_t)n;
	} else {
		n = recv(copy->from, copy->data + copy->end, room, MSG_DONTWAIT);
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	copy->ended = n <= 0;
	copy->end += n > 0 ? (size_t)n : 0;
	refill(copy);
}

/*
 * The first signal ends the capture well, a second one at once: what a reader has not taken
 * by then is counted and not written. The deck, which then waits for nobody, ends that.
 */
static void take_signal(struct pcapng_copy *copy)
{
	if (!signals_take(copy->signals))
		return;
	if (copy->interrupted && copy->out_done < copy->out_size && !copy->error)
		give_up(copy, ETIMEDOUT);
	else
		copy->ended = copy->interrupted;
	copy->interrupted = true;
	end_capture(copy);
}

/* Milliseconds for poll(): until the capture or the file has had its time, -1: for ever. */
static int time_left(const struct pcapng_copy *copy)
{
	uint64_t time = copy->stop_time < copy->turn_time ? copy->stop_time : copy->turn_time, now;

	if (is_ending(copy))
		return END_MS;
	if (time == UINT64_MAX)
		return -1;
	now = clock_monotonic();
	if (time <= now)
		return 0;
	time = (time - now) / NS_PER_MS + 1;
	return time < INT_MAX ? (int)time : INT_MAX;
}

static void look_at_clock(struct pcapng_copy *copy)
{
	uint64_t now = clock_monotonic();

	if (is_ending(copy))
		return;
	if (now >= copy->stop_time) {
		copy->stopped = true; /* what was captured until now comes yet */
		end_capture(copy);
	} else if (now >= copy->turn_time && !copy->turning && !copy->naming) {
		copy->turn_time = UINT64_MAX;
		turn(copy);
		if (copy->out_done == copy->out_size)
			refill(copy);
	}
}

/* Waits, then does what can be done. */
static void step(struct pcapng_copy *copy)
{
	bool full = copy->out_done < copy->out_size, writes = full && !copy->error;
	struct pollfd fds[] = {
		{ .fd = copy->signals, .events = POLLIN },
		{ .fd = full || copy->left ? -1 : copy->from, .events = POLLIN },
		/* Without events it tells that a pipe's reader has gone. */
		{ .fd = copy->error ? -1 : copy->to, .events = writes ? POLLOUT : 0 },
	};
	int ready = poll(fds, 3, copy->left && !full ? 0 : time_left(copy));

	if (ready == 0 && is_ending(copy) && writes)
		give_up(copy, ETIMEDOUT);
	else if (ready == 0 && is_ending(copy) && !copy->left)
		copy->ended = true;
	look_at_clock(copy);
	if (fds[0].revents)
		take_signal(copy);
	if (fds[2].revents & (POLLERR | POLLHUP))
		give_up(copy, EPIPE);
	else if (fds[2].revents && !copy->error && copy->out_done < copy->out_size)
		write_some(copy);
	if (copy->out_done == copy->out_size)
		refill(copy);
	if (fds[1].revents || (copy->left && !full))
		read_some(copy);
}

void pcapng_copy_run(struct pcapng_copy *copy)
{
	uint64_t duration = copy->limits.stop.duration;

	begin_file(copy);
	put_out(copy, copy->data, 0);
	copy->stop_time = duration ? clock_monotonic() + duration : UINT64_MAX;
	while (!copy->ended || (copy->out_done < copy->out_size && !copy->error))
		step(copy);
	copy->deck_gone = !is_ending(copy);
	if (copy->regular && !copy->bytes && !copy->error)
		copy->nothing = true;
	copy->dropped = copy->shape.dropped + copy->shape.packets - copy->captured - copy->beyond;
	free(copy->tail);
	copy->tail = NULL;
	pcapng_shape_destroy(&copy->shape);
}
