/*
 * Captures that a user names, read frame by frame. libpcap reads them in a process of its own,
 * which may read and write what is open and nothing else: what they hold is somebody's. Main
 * thread; what goes wrong is said on stderr.
 */
#ifndef CLI_CAPTURE_READER_H
#define CLI_CAPTURE_READER_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CAPTURE_READER_FRAME_MIN 14u
#define CAPTURE_READER_FRAME_MAX 65550u /* bytes, with the Ethernet header */

struct capture_reader {
	const char *path; /* for messages; "-": standard input */
	FILE *records;
	pid_t pid;
	uint64_t left_out; /* packets so far that are cut short, too short or too long */
	uint64_t stamp;	   /* ns, from the first frame on: of the one that came last, rising */
	uint32_t size;
	uint8_t frame[CAPTURE_READER_FRAME_MAX];
};

/* Opens a pcap or pcapng file of Ethernet frames. 0, or -1 after a message. */
int capture_reader_open(struct capture_reader *reader, const char *path);

/* The next frame is in frame and size: 1; 0 at the end; -1 after a message. */
int capture_reader_next(struct capture_reader *reader);

/* Valid after any of these. */
void capture_reader_close(struct capture_reader *reader);

#endif
