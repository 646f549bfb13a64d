/* The devices of a machine, in the order in which they are built. */
#ifndef CORE_MACHINE_DEVICES_H
#define CORE_MACHINE_DEVICES_H

#include "core/bus/device.h"

/* Ends with NULL. */
extern const struct device_type *const device_table[];

#endif
