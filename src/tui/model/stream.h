/*
 * What a TCP connection carries, as lines of text: the payload of the packets
 * of a list, put in order by their sequence numbers. Pure; the bytes are hostile,
 * and become harmless where lines are drawn.
 */
#ifndef TUI_MODEL_STREAM_H
#define TUI_MODEL_STREAM_H

#include "tui/model/flow.h"
#include "tui/model/netmodel.h"

#define STREAM_LINE 1000 /* bytes; what is longer is broken */
#define STREAM_LINES_MAX 100000u

enum stream_kind { STREAM_THERE, STREAM_BACK, STREAM_NOTE };

struct stream_line {
	size_t at, size; /* in text; a zero is behind it */
	enum stream_kind kind; /* of the way of the packet that it was asked of, or not */
};

struct stream {
	char *text;
	size_t used, room;
	struct stream_line *lines;
	size_t count, lines_room;
	bool cut; /* not all is there: it has too many lines, or memory is short */
	uint64_t there, back; /* bytes each way */
};

/* Reads all packets of the list, hidden or not, of the conversation of flow. */
void stream_read(struct stream *stream, const struct netmodel *model, const struct flow *flow);
void stream_free(struct stream *stream);

#endif
