/* The process that reads captures; see replay_process.h. Its only thread. */
#include "net/port/replay_process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/savefile.h"
#include "net/frame/frame.h"
#include "sandbox/helper.h"

#define FROM_PROCESS (512u * 1024)
#define RECORD_MAX (sizeof(struct replay_packet) + NET_FRAME_MAX)

_Static_assert(FROM_PROCESS / 2 > RECORD_MAX, "the largest record always finds room");

/* --- records --- */

static void wait_for(struct channel *channel)
{
	struct pollfd wake = { .fd = channel->wake_fd, .events = POLLIN };

	poll(&wake, 1, -1);
	channel_woken(channel);
}

static void *reserve(struct channel *channel, uint32_t size)
{
	void *room;

	while (!(room = channel_reserve(&channel->out, size))) {
		channel_publish(&channel->out);
		if (channel_wait_for_room(&channel->out, size))
			wait_for(channel);
	}
	return room;
}

static void say(struct channel *channel, enum replay_record mark, const void *data, size_t size)
{
	memcpy(reserve(channel, (uint32_t)size), data, size);
	channel_commit(&channel->out, (uint32_t)size, mark);
	channel_publish(&channel->out);
}

static void say_error(void *arg, const char *text)
{
	say(arg, REPLAY_ERROR, text, strnlen(text, CAUSE_SIZE - 1));
}

static void say_end(void *arg, uint64_t stamp, uint64_t left_out)
{
	const struct replay_end end = { .left_out = left_out };

	(void)stamp;
	say(arg, REPLAY_END, &end, sizeof(end));
}

/* It is published with others when the ring is full, or at the end. */
static void say_packet(void *arg, uint64_t stamp, uint64_t left_out, const uint8_t *data,
		       size_t size)
{
	struct channel *channel = arg;
	uint32_t whole = (uint32_t)(sizeof(struct replay_packet) + size);
	struct replay_packet *packet = reserve(channel, whole);

	(void)left_out;
	packet->stamp = stamp;
	memcpy(packet->frame, data, size);
	channel_commit(&channel->out, whole, REPLAY_PACKET);
}

static void read_capture(struct channel *channel)
{
	const struct savefile_reader reader = {
		.frame_min = 1,
		.frame_max = NET_FRAME_MAX,
		.frame = say_packet,
		.end = say_end,
		.failed = say_error,
		.arg = channel,
	};

	if (lseek(HELPER_FD_FILE, 0, SEEK_SET) < 0)
		say_error(channel, strerror(errno));
	else
		savefile_read(HELPER_FD_FILE, &reader);
}

static void run(struct channel *channel, const char *label)
{
	uint32_t size, mark;
	int there;

	(void)label;
	while ((there = channel_next(&channel->in, &size, &mark)) >= 0) {
		if (there) {
			channel_drop(&channel->in);
			channel_release(&channel->in);
			read_capture(channel);
		} else if (channel_wait_for_record(&channel->in)) {
			wait_for(channel);
		}
	}
}

const struct sandbox_kind replay_process = {
	.name = "replay",
	.layout = { .to_process = 4096, .from_process = FROM_PROCESS },
	.walls = { .memory = 256u << 20, .descriptors = 16, .filter = FILTER_COMPILER },
	.once = true,
	.prepare = savefile_prepare,
	.run = run,
};
