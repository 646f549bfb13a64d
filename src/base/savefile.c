/* See savefile.h. pcap-savefile(5). */
#include "base/savefile.h"

#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/checked.h"
#include "base/library.h"

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

int savefile_prepare(struct cause *cause)
{
	return library_load(&library, cause);
}

/* How far a file has been read; stamps in ns. */
struct place {
	bool begun;
	uint64_t first, last, left_out;
};

static void take_frame(const struct savefile_reader *reader, struct place *place,
		       const struct pcap_pkthdr *header, const u_char *data)
{
	/* The precision that was asked for: tv_usec are nanoseconds. */
	uint64_t stamp = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;

	if (header->caplen < reader->frame_min || header->caplen < header->len ||
	    header->caplen > reader->frame_max) {
		place->left_out++;
		return;
	}
	if (!place->begun)
		place->first = stamp;
	place->begun = true;
	if (stamp > place->first && stamp - place->first > place->last)
		place->last = stamp - place->first;
	reader->frame(reader->arg, place->last, place->left_out, data, header->caplen);
}

static void read_frames(const struct savefile_reader *reader, pcap_t *file)
{
	struct place place = { .begun = false };
	struct pcap_pkthdr *header;
	const u_char *data;
	char text[64];
	int result;

	if (pcap.datalink(file) != DLT_EN10MB) {
		snprintf(text, sizeof(text), "its packets are no Ethernet frames (link type %d)",
			 pcap.datalink(file));
		reader->failed(reader->arg, text);
		return;
	}
	while ((result = pcap.next(file, &header, &data)) == 1)
		take_frame(reader, &place, header, data);
	if (result == PCAP_ERROR_BREAK)
		reader->end(reader->arg, place.last, place.left_out);
	else
		reader->failed(reader->arg, pcap.geterr(file));
}

static ssize_t read_file(void *cookie, char *buffer, size_t size)
{
	return read(*(int *)cookie, buffer, size);
}

void savefile_read(int fd, const struct savefile_reader *reader)
{
	/* What libpcap closes is the stream; the file is its owner's. */
	FILE *stream = fopencookie(&fd, "r", (cookie_io_functions_t){ .read = read_file });
	char why[PCAP_ERRBUF_SIZE] = "out of memory";
	pcap_t *file = stream ? pcap.open(stream, PCAP_TSTAMP_PRECISION_NANO, why) : NULL;

	if (file) {
		read_frames(reader, file);
		pcap.close(file);
		return;
	}
	if (stream)
		fclose(stream);
	reader->failed(reader->arg, why);
}
