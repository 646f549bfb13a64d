/*
 * What firmware is told by QEMU's firmware configuration device: items by number, and
 * files by name. docs/specs/fw_cfg in QEMU's source.
 *
 * A machine with firmware has one; its other devices add files while they are created
 * (host->fw_cfg), the machine the rest before a vCPU runs. Nothing is added afterwards.
 */
#ifndef CORE_HW_FW_CFG_H
#define CORE_HW_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/bus/device.h"

/* Items that firmware knows by number. */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILES = 0x20, /* the first file; the next has the next number */
};

#define FW_CFG_FILES_MAX 48
#define FW_CFG_NAME_MAX 56 /* with the NUL */

/*
 * Adds a copy of size bytes as an item (below FW_CFG_FILES, once). -ENOMEM with a cause.
 * The thread that builds the machine, as all but the ports.
 */
int fw_cfg_add(struct fw_cfg *fw_cfg, enum fw_cfg_key key, const void *data, size_t size,
	       struct cause *cause);

/* The same of what malloc() gave and is fw_cfg's from now on. */
void fw_cfg_give(struct fw_cfg *fw_cfg, enum fw_cfg_key key, void *data, size_t size);

/* The same as a file: "etc/e820", "vgaroms/vgabios.bin". -ENOSPC when there are too many. */
int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
		    struct cause *cause);

extern const struct device_type fw_cfg_device;

#endif
