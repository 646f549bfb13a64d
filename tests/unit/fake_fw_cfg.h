/*
 * A firmware configuration device on ports of its own, read as firmware reads it. A
 * test's fixture begins with struct fake_bus.
 */
#ifndef TESTS_UNIT_FAKE_FW_CFG_H
#define TESTS_UNIT_FAKE_FW_CFG_H

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "fake_bus.h"

#include "core/bus/platform.h"
#include "core/hw/fw_cfg.h"
#include "core/kvm/memory.h"
#include "core/profile/profile.h"

struct fake_fw_cfg {
	struct fake_bus io;
	struct profile profile;
	struct device_host host;
	struct device device;
};

/* memory outlives it. */
static inline void fake_fw_cfg_create(struct fake_fw_cfg *f, struct guest_memory *memory)
{
	*f = (struct fake_fw_cfg){ .io.base = PLATFORM_FW_CFG_PORT,
				   .profile.firmware = FIRMWARE_BIOS };
	f->host = (struct device_host){ .io = &f->io.bus, .memory = memory,
					.profile = &f->profile };
	f->device = (struct device){ .type = &fw_cfg_device, .host = &f->host,
				     .state = calloc(1, fw_cfg_device.size) };
	assert_non_null(f->device.state);
	assert_int_equal(fw_cfg_device.create(&f->device, NULL), 0);
	assert_non_null(f->host.fw_cfg);
}

static inline void fake_fw_cfg_destroy(struct fake_fw_cfg *f)
{
	fw_cfg_device.destroy(&f->device);
	assert_null(f->host.fw_cfg);
	free(f->device.state);
}

static inline void select_key(struct fake_fw_cfg *f, uint16_t key)
{
	fake_write(&f->io, 0, key, 2);
}

static inline void read_bytes(struct fake_fw_cfg *f, void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = in(&f->io, 1);
}

/* Selects the file of that name, as the directory has it; its size in bytes. */
static inline uint32_t select_file(struct fake_fw_cfg *f, const char *name)
{
	struct __attribute__((packed)) {
		uint32_t size;
		uint16_t select, reserved;
		char name[FW_CFG_NAME_MAX];
	} entry;
	uint32_t count;

	select_key(f, FW_CFG_FILE_DIR);
	read_bytes(f, &count, sizeof(count));
	for (count = be32toh(count); count; count--) {
		read_bytes(f, &entry, sizeof(entry));
		if (strcmp(entry.name, name))
			continue;
		select_key(f, be16toh(entry.select));
		return be32toh(entry.size);
	}
	fail_msg("there is no file %s", name);
	return 0;
}

#endif
