/* Packets of a list as a pcapng file (draft-ietf-opsawg-pcapng). Pure. */
#ifndef TUI_MODEL_PACKET_FILE_H
#define TUI_MODEL_PACKET_FILE_H

#include "tui/model/netmodel.h"

struct packet_file {
	uint8_t *data; /* malloc'd; the caller's */
	size_t size, room;
	size_t packets; /* that are in it; */
	size_t unknown; /* of so many no bytes are known, and they are not */
};

/* How many packets of the list are marked, shown or not. */
size_t packet_file_chosen(const struct netmodel *model);

/* The marked packets, or, if there are none, those that are shown. false: no memory. */
bool packet_file_make(struct packet_file *file, const struct netmodel *model);

/*
 * The packet of that number, last, behind all that the list has of before it, shown or not, so
 * that what it belongs to can be seen. false: no memory.
 */
bool packet_file_until(struct packet_file *file, const struct netmodel *model, uint64_t last);

#endif
