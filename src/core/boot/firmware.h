/*
 * Starting a guest by firmware: its image is read-only memory that ends at 4 GiB, of a
 * BIOS the end of it is in the RAM below 1 MiB, too, and the first vCPU begins at the reset
 * vector. What firmware is told of the machine comes by fw_cfg.
 *
 * The machine's thread, while no vCPU runs.
 */
#ifndef CORE_BOOT_FIRMWARE_H
#define CORE_BOOT_FIRMWARE_H

#include "base/cause.h"
#include "base/state.h"
#include "core/bus/device.h"
#include "core/hw/rom.h"
#include "core/kvm/memory.h"
#include "core/profile/check.h"

/* All zero: the machine has none. */
struct firmware {
	struct rom rom;
};

/* Whether a firmware's package is installed: 0, or -ENOENT and so on with a cause. Any thread. */
int firmware_find(enum profile_firmware firmware, struct cause *cause);

/* Tells of what keeps the profile's firmware from being found. Any thread. */
void firmware_check(const struct profile_check *check);

/*
 * Reads the image that the profile asks for, if any, and gives it to the virtual machine;
 * before KVM_CREATE_IRQCHIP. -ENOENT and so on with a cause.
 */
int firmware_create(struct firmware *firmware, const struct profile *profile, int vm_fd,
		    struct cause *cause);
void firmware_destroy(struct firmware *firmware); /* also one that was not created */

/* What the chip set shows of the image below 1 MiB after a reset. -ENOMEM with a cause. */
int firmware_shadow(const struct firmware *firmware, const struct guest_memory *memory,
		    struct cause *cause);

/* Adds what firmware asks for to the machine's fw_cfg; all devices have been created. */
int firmware_describe(const struct device_set *devices, struct cause *cause);

/* Of that, the kernel that UEFI firmware is to start, if the profile has one. */
int firmware_add_kernel(const struct device_set *devices, struct cause *cause);

/* Tells of what keeps it from being started. Any thread. */
void firmware_check_kernel(const struct profile_check *check);

/* Saves the image: a package may bring another one meanwhile. */
void firmware_save(const struct firmware *firmware, struct state_writer *writer);

/* Takes over a saved image of the same size. -EINVAL with a cause. */
int firmware_load(struct firmware *firmware, struct state_reader *reader, struct cause *cause);

#endif
