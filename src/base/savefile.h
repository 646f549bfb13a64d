/*
 * Captures in files, pcap and pcapng, as libpcap reads them: frame by frame. A file may be
 * made to hurt: the one thread that calls this is all of a process behind walls of its own.
 */
#ifndef BASE_SAVEFILE_H
#define BASE_SAVEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

/* What reads it, and what it is told; the pointers are called with arg. */
struct savefile_reader {
	uint32_t frame_min, frame_max; /* bytes; other frames, and those cut short, are left out */
	/* Stamps are ns since the first frame and never fall; left_out counts up to here. */
	void (*frame)(void *arg, uint64_t stamp, uint64_t left_out, const uint8_t *data,
		      size_t size);
	void (*end)(void *arg, uint64_t stamp, uint64_t left_out);
	void (*failed)(void *arg, const char *text); /* libpcap's words; nothing follows */
	void *arg;
};

/* Loads libpcap, before walls keep its file out of sight. 0, or -ELIBACC with a cause. */
int savefile_prepare(struct cause *cause);

/* Reads Ethernet frames from where the file stands, which stays open, to its end or an error. */
void savefile_read(int fd, const struct savefile_reader *reader);

#endif
