/* The device by which a guest's kernel tells that it has panicked; see on_panic of a profile. */
#ifndef CORE_HW_PVPANIC_H
#define CORE_HW_PVPANIC_H

#include "core/bus/device.h"

extern const struct device_type pvpanic_device;

#endif
