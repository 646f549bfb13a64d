/* Ports of a switch, by their slots. */
#ifndef NET_SWITCH_PORT_SET_H
#define NET_SWITCH_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/frame/frame.h"

struct port_set {
	uint64_t bits[NET_PORTS_MAX / 64];
};

static inline void port_set_add(struct port_set *set, uint32_t slot)
{
	set->bits[slot / 64] |= 1ull << slot % 64;
}

static inline void port_set_remove(struct port_set *set, uint32_t slot)
{
	set->bits[slot / 64] &= ~(1ull << slot % 64);
}

static inline bool port_set_has(const struct port_set *set, uint32_t slot)
{
	return set->bits[slot / 64] >> slot % 64 & 1;
}

#endif
