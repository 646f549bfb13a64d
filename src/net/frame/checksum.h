/*
 * The Internet checksum (RFC 1071) of frames that a guest left to its NIC
 * (virtio 1.2 §5.1.6.2). Pure; any thread.
 */
#ifndef NET_FRAME_CHECKSUM_H
#define NET_FRAME_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sum of data, not folded; sum: what came before. */
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t size);

/* The checksum, in memory order, of a sum. */
uint16_t checksum_fold(uint64_t sum);

/*
 * The sum of the pseudo header, not folded, of size bytes of TCP or the like behind the IP
 * header, which has its addresses.
 */
uint64_t checksum_pseudo(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t size);

/*
 * Finishes a partial checksum in place. data: the whole frame, size bytes.
 * False if start and offset do not fit it.
 */
bool checksum_finish(uint8_t *data, uint32_t size, uint32_t start, uint32_t offset);

#endif
