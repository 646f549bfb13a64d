/*
 * The chip set as PCI shows it: the bus, the Q35's host bridge and the ICH9's ISA
 * bridge. What hangs on PCI stands behind it in the table of devices.
 */
#ifndef CORE_HW_Q35_H
#define CORE_HW_Q35_H

#include "core/bus/device.h"

extern const struct device_type q35_device;

#endif
