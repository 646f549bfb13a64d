/* What tests read out of a guest. */
#ifndef TESTS_LIB_GUEST_MEMORY_H
#define TESTS_LIB_GUEST_MEMORY_H

#include <errno.h>
#include <string.h>

#include "core/kvm/memory.h"

/* Copies out of the guest; 0, or -EFAULT when not all of it is RAM. */
static inline int memory_read(const struct guest_memory *memory, uint64_t address, void *to,
			      size_t length)
{
	const void *from = memory_at(memory, address, length);

	if (!from)
		return -EFAULT;
	memcpy(to, from, length);
	return 0;
}

#endif
