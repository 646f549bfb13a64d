/* The AHCI controller with its disks and CD-ROMs as devices of a machine. */
#ifndef CORE_HW_AHCI_DEVICE_H
#define CORE_HW_AHCI_DEVICE_H

#include "core/bus/device.h"

extern const struct device_type ahci_device; /* stands before what is plugged into it */
extern const struct device_type sata_device;

#endif
