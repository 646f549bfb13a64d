/*
 * The firmware configuration device. Ports on vCPU threads, one access at a time under
 * its lock; items by the thread that builds the machine, before.
 *
 * QEMU's docs/specs/fw_cfg. No item can be written. Beyond the end of an item, and of
 * one that does not exist, there are zeros.
 */
#include "core/hw/fw_cfg.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/mutex.h"
#include "core/bus/platform.h"
#include "core/kvm/memory.h"
#include "core/profile/profile.h"

#define SELECTOR_PORT 0 /* 16 bits */
#define DATA_PORT 1	/* bytes */
#define DMA_HIGH 0	/* of the DMA ports: the upper half of the address; reads as a signature */
#define DMA_LOW 4	/* the lower half, which begins */

#define ID_PORTS 1u
#define ID_DMA 2u
#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

#define DMA_ERROR 0x01u
#define DMA_READ 0x02u
#define DMA_SKIP 0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE 0x10u

/* More than any item has: a guest that asks for more would only have us write zeros. */
#define DMA_MAX (32u << 20)

/* In the guest's memory, big-endian. */
struct dma_access {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

struct __attribute__((packed)) directory_entry {
	uint32_t size; /* this and select big-endian */
	uint16_t select;
	uint16_t reserved;
	char name[FW_CFG_NAME_MAX];
};

struct item {
	uint8_t *data; /* NULL: there is none */
	uint32_t size;
};

struct __attribute__((packed)) fw_cfg_registers {
	uint32_t offset; /* in the item */
	uint32_t dma_high;
	uint16_t selected;
};

struct fw_cfg {
	struct mutex lock;
	struct fw_cfg_registers regs;
	const struct guest_memory *memory;
	unsigned files;
	struct item items[FW_CFG_FILES + FW_CFG_FILES_MAX];
	/* As it is read: how many files there are, big-endian, then an entry each. */
	struct __attribute__((packed)) {
		uint32_t count;
		struct directory_entry entries[FW_CFG_FILES_MAX];
	} directory;
};

static const struct item *selected(const struct fw_cfg *fw_cfg)
{
	static const struct item none;

	return fw_cfg->regs.selected < ARRAY_SIZE(fw_cfg->items) ?
		       &fw_cfg->items[fw_cfg->regs.selected] : &none;
}

static void select_item(struct fw_cfg *fw_cfg, uint16_t key)
{
	fw_cfg->regs.selected = key;
	fw_cfg->regs.offset = 0;
}

/* Goes on by length bytes, which it gives to "to" unless that is NULL. */
static void read_item(struct fw_cfg *fw_cfg, uint8_t *to, uint32_t length)
{
	const struct item *item = selected(fw_cfg);
	uint32_t offset = fw_cfg->regs.offset, left;

	left = offset < item->size ? item->size - offset : 0;
	if (left > length)
		left = length;
	fw_cfg->regs.offset += left;
	if (!to)
		return;
	if (left)
		memcpy(to, item->data + offset, left);
	memset(to + left, 0, length - left);
}

/* --- the ports --- */

static void ports_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct fw_cfg *fw_cfg = device;

	if (offset != DATA_PORT) {
		memset(data, 0, length);
		return;
	}
	mutex_lock(&fw_cfg->lock);
	read_item(fw_cfg, data, length);
	mutex_unlock(&fw_cfg->lock);
}

static void ports_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct fw_cfg *fw_cfg = device;
	uint16_t key;

	if (offset != SELECTOR_PORT || length != sizeof(key))
		return;
	memcpy(&key, data, sizeof(key));
	mutex_lock(&fw_cfg->lock);
	select_item(fw_cfg, key);
	mutex_unlock(&fw_cfg->lock);
}

static const struct bus_ops ports_ops = { "firmware configuration", ports_read, ports_write };

/* What is left in the access's control field. */
static uint32_t transfer(struct fw_cfg *fw_cfg, const struct dma_access *access)
{
	uint32_t control = be32toh(access->control), length = be32toh(access->length);
	uint8_t *to = NULL;

	if (control & DMA_SELECT)
		select_item(fw_cfg, (uint16_t)(control >> 16));
	if (!(control & (DMA_READ | DMA_SKIP | DMA_WRITE)) || !length)
		return 0;
	if (control & DMA_READ) {
		if (length > DMA_MAX)
			return DMA_ERROR;
		to = memory_at(fw_cfg->memory, be64toh(access->address), length);
		if (!to)
			return DMA_ERROR;
	} else if (control & DMA_WRITE) {
		return DMA_ERROR;
	}
	read_item(fw_cfg, to, length);
	return 0;
}

static void run_dma(struct fw_cfg *fw_cfg, uint64_t address)
{
	void *at = memory_at(fw_cfg->memory, address, sizeof(struct dma_access));
	struct dma_access access;
	uint32_t control;

	if (!at)
		return;
	memcpy(&access, at, sizeof(access));
	control = htobe32(transfer(fw_cfg, &access));
	memcpy(at, &control, sizeof(control));
}

static void dma_read(void *device, uint64_t offset, void *data, unsigned length)
{
	uint64_t signature = htobe64(DMA_SIGNATURE);

	(void)device;
	memcpy(data, (const uint8_t *)&signature + offset, length);
}

static void dma_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct fw_cfg *fw_cfg = device;
	uint64_t address;
	uint32_t half;

	if (length != sizeof(half))
		return;
	memcpy(&half, data, sizeof(half));
	half = be32toh(half);
	mutex_lock(&fw_cfg->lock);
	if (offset == DMA_HIGH) {
		fw_cfg->regs.dma_high = half;
	} else if (offset == DMA_LOW) {
		address = (uint64_t)fw_cfg->regs.dma_high << 32 | half;
		fw_cfg->regs.dma_high = 0;
		run_dma(fw_cfg, address);
	}
	mutex_unlock(&fw_cfg->lock);
}

static const struct bus_ops dma_ops = { "firmware configuration DMA", dma_read, dma_write };

/* --- items --- */

static void set_item(struct fw_cfg *fw_cfg, unsigned key, void *data, size_t size)
{
	fw_cfg->items[key] = (struct item){ data, (uint32_t)size };
}

static int add_item(struct fw_cfg *fw_cfg, unsigned key, const char *name, const void *data,
		    size_t size, struct cause *cause)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		return cause_errno(cause, ENOMEM, "%s", name);
	memcpy(copy, data, size);
	set_item(fw_cfg, key, copy, size);
	return 0;
}

int fw_cfg_add(struct fw_cfg *fw_cfg, enum fw_cfg_key key, const void *data, size_t size,
	       struct cause *cause)
{
	return add_item(fw_cfg, key, "firmware configuration", data, size, cause);
}

void fw_cfg_give(struct fw_cfg *fw_cfg, enum fw_cfg_key key, void *data, size_t size)
{
	set_item(fw_cfg, key, data, size);
}

int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
		    struct cause *cause)
{
	struct directory_entry *entry = &fw_cfg->directory.entries[fw_cfg->files];
	unsigned key = FW_CFG_FILES + fw_cfg->files;
	int err;

	if (fw_cfg->files == FW_CFG_FILES_MAX)
		return cause_set(cause, ENOSPC, "%s: no room for one more file of the firmware",
				 name);
	err = add_item(fw_cfg, key, name, data, size, cause);
	if (err)
		return err;
	entry->size = htobe32((uint32_t)size);
	entry->select = htobe16((uint16_t)key);
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	fw_cfg->files++;
	fw_cfg->directory.count = htobe32(fw_cfg->files);
	return 0;
}

/* --- the device --- */

static bool fw_cfg_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile_firmware(profile) != FIRMWARE_NONE;
}

static int create_fw_cfg(struct device *device, struct cause *cause)
{
	static const uint32_t id = ID_PORTS | ID_DMA;
	struct device_host *host = device->host;
	struct fw_cfg *fw_cfg = device->state;
	int err = bus_add(host->io, PLATFORM_FW_CFG_PORT, 2, &ports_ops, fw_cfg, cause);

	fw_cfg->memory = host->memory;
	host->fw_cfg = fw_cfg;
	if (err >= 0)
		err = bus_add(host->io, PLATFORM_FW_CFG_DMA_PORT, 8, &dma_ops, fw_cfg, cause);
	if (err >= 0)
		err = fw_cfg_add(fw_cfg, FW_CFG_SIGNATURE, "QEMU", 4, cause);
	if (err >= 0)
		err = fw_cfg_add(fw_cfg, FW_CFG_ID, &id, sizeof(id), cause);
	fw_cfg->items[FW_CFG_FILE_DIR].data = (uint8_t *)&fw_cfg->directory;
	fw_cfg->items[FW_CFG_FILE_DIR].size = sizeof(fw_cfg->directory);
	return err < 0 ? err : 0;
}

static void destroy_fw_cfg(struct device *device)
{
	struct fw_cfg *fw_cfg = device->state;

	for (unsigned i = 0; i < ARRAY_SIZE(fw_cfg->items); i++)
		if (i != FW_CFG_FILE_DIR)
			free(fw_cfg->items[i].data);
	device->host->fw_cfg = NULL;
}

static void save_fw_cfg(struct device *device, void *registers)
{
	struct fw_cfg *fw_cfg = device->state;

	mutex_lock(&fw_cfg->lock);
	memcpy(registers, &fw_cfg->regs, sizeof(fw_cfg->regs));
	mutex_unlock(&fw_cfg->lock);
}

/* Any of them can be: an offset behind the item's end reads as zeros. */
static const char *load_fw_cfg(struct device *device, const void *registers)
{
	struct fw_cfg *fw_cfg = device->state;

	mutex_lock(&fw_cfg->lock);
	memcpy(&fw_cfg->regs, registers, sizeof(fw_cfg->regs));
	mutex_unlock(&fw_cfg->lock);
	return NULL;
}

const struct device_type fw_cfg_device = {
	.name = "firmware configuration",
	.size = sizeof(struct fw_cfg),
	.wanted = fw_cfg_wanted,
	.create = create_fw_cfg,
	.destroy = destroy_fw_cfg,
	.version = 1,
	.saved = sizeof(struct fw_cfg_registers),
	.save = save_fw_cfg,
	.load = load_fw_cfg,
};
