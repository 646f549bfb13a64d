/*
 * Reading captures, pcap and pcapng: libpcap does it, in a process of its own, because a file
 * may be anybody's. The process has the open file and reads it itself, so that neither a file
 * that is made to hurt nor a file system that hangs does more than end, or hold up, this one.
 *
 * Records to the process: REPLAY_BEGIN, empty: the file is read from its beginning. Records from
 * it: what struct replay_packet says, and then REPLAY_END, or REPLAY_ERROR.
 */
#ifndef NET_PORT_REPLAY_PROCESS_H
#define NET_PORT_REPLAY_PROCESS_H

#include <stdint.h>

#include "sandbox/sandbox.h"

/* Marks. */
enum replay_record {
	REPLAY_BEGIN,  /* to the process */
	REPLAY_PACKET, /* a struct replay_packet with its frame */
	REPLAY_END,    /* a struct replay_end */
	REPLAY_ERROR,  /* libpcap's words */
};

struct replay_packet {
	uint64_t stamp; /* ns since the file's first one, and never less than the one before */
	uint8_t frame[];
};

struct replay_end {
	uint64_t left_out; /* packets that are not whole, or too long */
};

/* "vmdeck-replay". */
extern const struct sandbox_kind replay_process;

#endif
