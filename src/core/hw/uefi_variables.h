/*
 * The flash chip of a guest that begins with UEFI firmware: its variables, which the
 * firmware looks for right below its own image, and the file that they are kept in.
 */
#ifndef CORE_HW_UEFI_VARIABLES_H
#define CORE_HW_UEFI_VARIABLES_H

#include "core/bus/device.h"

extern const struct device_type uefi_variables_device;

#endif
