/*
 * Ports that firmware and kernels write to when something is wrong: what comes to them
 * becomes events of the guest, a line each, and no more than DEBUG_LINES_MAX in a machine's life.
 */
#ifndef CORE_HW_DEBUG_PORTS_H
#define CORE_HW_DEBUG_PORTS_H

#include "core/bus/device.h"

#define DEBUG_LINES_MAX 256

extern const struct device_type debug_ports_device;

/* In a machine without these, the same ports, whose bytes go nowhere. */
extern const struct device_type unassigned_ports_device;

#endif
