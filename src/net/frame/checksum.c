/* The Internet checksum, eight bytes at a time. Pure; any thread. */
#include "net/frame/checksum.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t size)
{
	uint64_t last = 0;

	for (; size >= 8; data += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, data, sizeof(word));
		sum += (word >> 32) + (word & 0xffffffff);
	}
	memcpy(&last, data, size);
	return sum + (last >> 32) + (last & 0xffffffff);
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

uint64_t checksum_pseudo(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t size)
{
	uint8_t tail[8] = { 0 };

	put_be32(tail, size);
	tail[7] = protocol;
	return checksum_add(checksum_add(0, tail, sizeof(tail)), ip + (v6 ? 8 : 12), v6 ? 32 : 8);
}

bool checksum_finish(uint8_t *data, uint32_t size, uint32_t start, uint32_t offset)
{
	uint16_t value;

	if (!range_inside((uint64_t)start + offset, 2, size))
		return false;
	value = checksum_fold(checksum_add(0, data + start, size - start));
	if (!value)
		value = 0xffff; /* the same number; to UDP a zero means "none" */
	memcpy(data + start + offset, &value, sizeof(value));
	return true;
}
