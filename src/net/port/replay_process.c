/* The process that reads captures; see replay_process.h. Its only thread. pcap-savefile(5). */
#include "net/port/replay_process.h"

#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/checked.h"
#include "base/library.h"
#include "net/frame/frame.h"
#include "sandbox/helper.h"

#define FROM_PROCESS (512u * 1024)
#define RECORD_MAX (sizeof(struct replay_packet) + NET_FRAME_MAX)

_Static_assert(FROM_PROCESS / 2 > RECORD_MAX, "the largest record always finds room");

/* What is used of libpcap. */
static struct {
	typeof(pcap_fopen_offline_with_tstamp_precision) *open;
	typeof(pcap_datalink) *datalink;
	typeof(pcap_next_ex) *next;
	typeof(pcap_geterr) *geterr;
	typeof(pcap_close) *close;
} pcap;

static const struct library_function functions[] = {
	{ "pcap_fopen_offline_with_tstamp_precision", &pcap.open },
	{ "pcap_datalink", &pcap.datalink },
	{ "pcap_next_ex", &pcap.next },
	{ "pcap_geterr", &pcap.geterr },
	{ "pcap_close", &pcap.close },
};

static struct library library = {
	.file = PCAP_SONAME,
	.package = "libpcap0.8",
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static int prepare(struct cause *cause)
{
	return library_load(&library, cause);
}

/* --- the file, which outlives what libpcap closes --- */

static ssize_t read_file(void *cookie, char *buffer, size_t size)
{
	(void)cookie;
	return read(HELPER_FD_FILE, buffer, size);
}

static FILE *open_file(void)
{
	return lseek(HELPER_FD_FILE, 0, SEEK_SET) < 0 ? NULL :
	       fopencookie(NULL, "r", (cookie_io_functions_t){ .read = read_file });
}

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

static void say_error(struct channel *channel, const char *text)
{
	size_t size = strlen(text);

	say(channel, REPLAY_ERROR, text, size < CAUSE_SIZE ? size : CAUSE_SIZE - 1);
}

/* --- packets --- */

struct pass {
	struct channel *channel;
	bool begun;
	uint64_t first, last; /* stamps, ns */
	struct replay_end end;
};

static void take_packet(struct pass *pass, const struct pcap_pkthdr *header, const u_char *data)
{
	/* The precision that was asked for: tv_usec are nanoseconds. */
	uint64_t stamp = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;
	struct replay_packet *packet;

	if (!header->caplen || header->caplen < header->len || header->caplen > NET_FRAME_MAX) {
		pass->end.left_out++;
		return;
	}
	if (!pass->begun)
		pass->first = stamp;
	pass->begun = true;
	stamp = stamp > pass->first ? stamp - pass->first : 0;
	if (stamp > pass->last)
		pass->last = stamp;
	packet = reserve(pass->channel, (uint32_t)sizeof(*packet) + header->caplen);
	packet->stamp = pass->last;
	memcpy(packet->frame, data, header->caplen);
	channel_commit(&pass->channel->out, (uint32_t)sizeof(*packet) + header->caplen,
		       REPLAY_PACKET);
}

static void read_packets(struct channel *channel, pcap_t *file)
{
	struct pass pass = { .channel = channel };
	struct pcap_pkthdr *header;
	const u_char *data;
	char text[64];
	int result;

	if (pcap.datalink(file) != DLT_EN10MB) {
		snprintf(text, sizeof(text), "its packets are no Ethernet frames (link type %d)",
			 pcap.datalink(file));
		say_error(channel, text);
		return;
	}
	while ((result = pcap.next(file, &header, &data)) == 1)
		take_packet(&pass, header, data);
	if (result == PCAP_ERROR_BREAK)
		say(channel, REPLAY_END, &pass.end, sizeof(pass.end));
	else
		say_error(channel, pcap.geterr(file));
}

static void read_capture(struct channel *channel)
{
	char why[PCAP_ERRBUF_SIZE] = "out of memory";
	FILE *stream = open_file();
	pcap_t *file = stream ? pcap.open(stream, PCAP_TSTAMP_PRECISION_NANO, why) : NULL;

	if (!file) {
		if (stream)
			fclose(stream);
		say_error(channel, why);
		return;
	}
	read_packets(channel, file);
	pcap.close(file);
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
	.prepare = prepare,
	.run = run,
};
