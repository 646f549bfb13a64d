/*
 * libFuzzer: a guest's firmware that drives the firmware configuration device, its DMA
 * and the chip set's registers. Each step takes a byte that says what is done and six
 * that say how; now and then both are saved, and others go on.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/bus/pci.h"
#include "core/bus/platform.h"
#include "core/hw/fw_cfg.h"
#include "core/hw/q35.h"
#include "core/kvm/memory.h"
#include "core/profile/profile.h"
#include "lib/fuzz.h"

#define MEMORY_SIZE 0x10000u
#define STEP 7 /* bytes */
#define SEED(text) { text, sizeof(text) - 1 }

enum { READ, WRITE, PCI_READ, PCI_WRITE, ECAM, DMA, MOVE, STEPS };

const struct fuzz_seed fuzz_seeds[] = {
	/* the directory, the signature, a DMA read of a file */
	SEED("\1\0\1\x19\0\0\0\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1\0\0\0\0\0"
		  "\5\x0a\x20\x08\x10\0\0\5\x02\0\x08\xff\xff\xff\5\x04\0\xff\0\0\0\6\0\0\0\0\0\0"),
	/* PAM, PIRQ, PCIEXBAR, PMBASE as SeaBIOS writes them */
	SEED("\3\0\3\x90\0\0\x80\3\4\3\x30\x33\x33\x33\3\0\3\x60\xf8\0\x80\3\4\0\x0a\0\0\0"
		  "\3\0\3\x60\0\0\x80\3\4\3\0\0\0\0\2\4\3\0\0\0\0\4\x90\x80\x0f\1\2\0\6\0\0\0\0\0\0"),
	{ NULL, 0 },
};

struct bench {
	struct bus io, mmio;
	struct guest_memory memory;
	struct profile profile;
	struct device_host host;
	struct device devices[2];
};

static const struct device_type *const types[] = { &fw_cfg_device, &q35_device };

static void create(struct bench *bench)
{
	memset(&bench->io, 0, sizeof(bench->io));
	memset(&bench->mmio, 0, sizeof(bench->mmio));
	bench->profile.firmware = FIRMWARE_BIOS;
	bench->host = (struct device_host){ .io = &bench->io, .mmio = &bench->mmio,
					    .memory = &bench->memory, .profile = &bench->profile };
	for (unsigned i = 0; i < 2; i++) {
		bench->devices[i] = (struct device){ .type = types[i], .host = &bench->host,
						     .state = calloc(1, types[i]->size) };
		if (!bench->devices[i].state || types[i]->create(&bench->devices[i], NULL) < 0)
			abort();
	}
	if (fw_cfg_add(bench->host.fw_cfg, FW_CFG_NB_CPUS, "\1\0", 2, NULL) ||
	    fw_cfg_add_file(bench->host.fw_cfg, "etc/a", "0123456789", 10, NULL))
		abort();
}

static void destroy(struct bench *bench)
{
	for (unsigned i = 2; i--;) {
		types[i]->destroy(&bench->devices[i]);
		free(bench->devices[i].state);
	}
	bus_destroy(&bench->io);
	bus_destroy(&bench->mmio);
}

/* What can be saved can be loaded. */
static void move(struct bench *bench)
{
	void *saved[2];

	for (unsigned i = 0; i < 2; i++) {
		saved[i] = calloc(1, types[i]->saved);
		if (!saved[i])
			abort();
		types[i]->save(&bench->devices[i], saved[i]);
	}
	destroy(bench);
	create(bench);
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(!types[i]->load(&bench->devices[i], saved[i]));
		free(saved[i]);
	}
}

static uint32_t number(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

/* A transfer whose address and length are near an end of something, or anywhere. */
static void transfer(struct bench *bench, const uint8_t *data)
{
	struct {
		uint32_t control, length;
		uint64_t address;
	} access = {
		.control = htobe32((uint32_t)data[1] << 16 | (data[0] & 0x1f)),
		.length = htobe32(data[2] & 0x80 ? number(data + 2) : data[2]),
		.address = htobe64(data[3] & 0x80 ? number(data + 2) : number(data + 2) & 0xffff),
	};
	uint32_t at = htobe32(data[4] & 0x80 ? number(data + 2) : 0x100u);

	memcpy(memory_at(&bench->memory, 0x100, sizeof(access)), &access, sizeof(access));
	bus_write(&bench->io, PLATFORM_FW_CFG_DMA_PORT + 4, &at, sizeof(at));
}

static void step(struct bench *bench, const uint8_t *data)
{
	static const uint8_t lengths[] = { 1, 2, 3, 4 };
	unsigned length = lengths[data[2] % 4];
	uint64_t ecam = PLATFORM_ECAM_BASE + (number(data + 1) & 0xfffff);
	uint8_t bytes[8];

	memcpy(bytes, data + 3, 4);
	switch (data[0] % STEPS) {
	case READ:
		bus_read(&bench->io, PLATFORM_FW_CFG_PORT + data[1] % 12, bytes, length);
		break;
	case WRITE:
		bus_write(&bench->io, PLATFORM_FW_CFG_PORT + data[1] % 12, bytes, length);
		break;
	case PCI_READ:
		bus_read(&bench->io, PLATFORM_PCI_PORT + data[1] % 8, bytes, length);
		break;
	case PCI_WRITE:
		bus_write(&bench->io, PLATFORM_PCI_PORT + data[1] % 8, bytes, length);
		break;
	case ECAM:
		bus_write(&bench->mmio, ecam, bytes, length);
		bus_read(&bench->mmio, ecam, bytes, length);
		break;
	case DMA:
		transfer(bench, data + 1);
		break;
	case MOVE:
		move(bench);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;

	if (!bench.memory.count && memory_create(&bench.memory, MEMORY_SIZE, NULL))
		abort();
	create(&bench);
	for (; size >= STEP; data += STEP, size -= STEP)
		step(&bench, data);
	destroy(&bench);
	return 0;
}
