/*
 * The table of devices. Its order is theirs on the buses, where the first are found
 * first, and, of those on PCI, that of their device numbers: a new one goes to the
 * end.
 */
#include "core/machine/devices.h"

#include "core/bus/disks.h"
#include "core/bus/reset.h"
#include "core/hw/ahci_device.h"
#include "core/hw/debug_ports.h"
#include "core/hw/e1000e_device.h"
#include "core/hw/fw_cfg.h"
#include "core/hw/i6300esb.h"
#include "core/hw/i8042.h"
#include "core/hw/ich9_pm.h"
#include "core/hw/mc146818.h"
#include "core/hw/port92.h"
#include "core/hw/pvpanic.h"
#include "core/hw/q35.h"
#include "core/hw/uart16550.h"
#include "core/hw/uefi_variables.h"
#include "core/hw/vga.h"
#include "core/virtio/balloon.h"
#include "core/virtio/blk_device.h"
#include "core/virtio/console.h"
#include "core/virtio/net_device.h"
#include "core/virtio/rng.h"
#include "core/virtio/vhost_blk.h"
#include "core/virtio/vhost_fs.h"
#include "core/virtio/vsock.h"

const struct device_type *const device_table[] = {
	&uart16550_device,
	&mc146818_device,
	&i8042_device,
	&ich9_pm_device,
	&reset_control_device,
	&fw_cfg_device,
	&q35_device,
	&disk_ring_device,
	&blk_device,
	&vhost_blk_device,
	&net_device,
	&rng_device,
	&vga_device,
	&debug_ports_device,
	&port92_device,
	&ahci_device,
	&sata_device,
	&balloon_device,
	&unassigned_ports_device,
	&vsock_device,
	&vhost_fs_device,
	&uefi_variables_device,
	&pvpanic_device,
	&i6300esb_device,
	&e1000e_device,
	&virtio_console_device,
	&seed_device,
	NULL,
};
