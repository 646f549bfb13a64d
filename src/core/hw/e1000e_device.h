/* NICs of the profile with model = e1000e as devices of its machine. */
#ifndef CORE_HW_E1000E_DEVICE_H
#define CORE_HW_E1000E_DEVICE_H

#include "core/bus/device.h"

extern const struct device_type e1000e_device;

#endif
