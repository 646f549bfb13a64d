/*
 * A request as a driver puts it into the ring, taken apart. virtio 1.2 §5.2.6.
 * The guest's I/O thread.
 *
 * The driver may cut it into buffers as it likes (§2.7.4.3): the header is the first 16
 * bytes that we read, the status the last one that we write.
 */
#ifndef CORE_VIRTIO_BLK_COMMAND_H
#define CORE_VIRTIO_BLK_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/virtio/queue.h"

/* What it says, its data, where its status goes. */
struct blk_command {
	struct virtq_chain chain;
	unsigned queue;
	uint32_t type;
	uint64_t sector;
	struct iovec *out, *in; /* what the driver sends after the header; what it gets */
	unsigned out_count, in_count;
	uint32_t out_size, in_size;
	uint8_t *status;
};

/* Takes command->chain with its iovecs apart. False when it has no room for header and status. */
bool blk_command_parse(struct blk_command *command, struct iovec *iov);

/* Copies the first size bytes that the driver sends, and drops them. False: there are fewer. */
bool blk_command_take(struct blk_command *command, void *to, uint32_t size);

/* Writes to where the driver gets data, as much as there is room for; returns how much. */
uint32_t blk_command_give(const struct blk_command *command, const void *from, uint32_t size);

/* Joins neighbours in host memory; returns how many iovecs are left. */
unsigned blk_join(struct iovec *iov, unsigned count);

#endif
