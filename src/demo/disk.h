/*
 * The disk, virtio-blk.
 */
#ifndef DEMO_DISK_H
#define DEMO_DISK_H

#include "lib.h"

#define SECTOR 512u
#define DISK_TRANSFER_MAX 65536u /* of disk_transfer() */
#define DISK_DEPTH_MAX 32

enum disk_operation { DISK_READ = 0, DISK_WRITE = 1, DISK_FLUSH = 4 };

struct disk_counters {
	uint64_t reads, writes, read_bytes, written_bytes, errors;
};

extern struct disk_counters disk_counters;

/* False when there is none. */
bool disk_setup(void);

/* Bytes; 0: no disk. */
uint64_t disk_size(void);
bool disk_read_only(void);

/*
 * One request of at most DISK_TRANSFER_MAX bytes; offset and length in bytes,
 * multiples of SECTOR; both 0 to flush. The task waits. NULL, or why it failed.
 */
const char *disk_transfer(enum disk_operation operation, uint64_t offset, void *data,
			  uint32_t length);

/*
 * Many at once: begins one, of any length, which the device sees after disk_send(); its number,
 * or -1 when there are DISK_DEPTH_MAX, or for a reason.
 */
int disk_begin(enum disk_operation operation, uint64_t offset, void *data, uint32_t length,
	       const char **why);
void disk_send(void);

/* Whether it has ended, by an event; then its number is another's, and *why NULL or why it failed. */
bool disk_ended(int number, const char **why);

/* NULL when the disk may be written: it has our marker, or was blank and has it now. */
const char *disk_claim(void);

/* DISK_TRANSFER_MAX bytes for a task's transfers, or NULL; given back by disk_free(). */
uint8_t *disk_buffer(void);
void disk_free(uint8_t *buffer);

/* For the fuzzer: the device (common 0: none), which the driver leaves alone from then on. */
struct virtio *disk_device(void);
void disk_give_up(void);

/* The interrupt. */
void disk_poll(void);

#endif
