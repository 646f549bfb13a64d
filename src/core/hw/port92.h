/* System control port A of a PS/2: the A20 gate and a fast reset. */
#ifndef CORE_HW_PORT92_H
#define CORE_HW_PORT92_H

#include "core/bus/device.h"

extern const struct device_type port92_device;

#endif
