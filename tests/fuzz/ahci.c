/*
 * libFuzzer: a guest that drives an AHCI disk and a CD-ROM. Each eight bytes of the input
 * are what is done, an offset and a value: registers and guest memory are written, and the
 * commands run on a real disk ring.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/bus/pci.h"
#include "core/hw/ahci.h"
#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }
#define RAM (1u << 20)
#define LISTS 0x1000u
#define TABLES 0x4000u

/* Kinds: 0 a register, 1 memory, 2 the loop runs; then a length, an offset, a value. */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\1\0\0\x40\x27\x80\xec\0\0\0\x38\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	SEED("\1\0\0\x40\x27\x80\x25\0\1\0\x0c\x40\1\0\0\0\0\0\x38\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	SEED("\1\0\0\x50\x27\x80\xa0\0\1\0\x40\x50\x28\0\0\0\1\0\x48\x50\1\0\0\0\1\0\0\x14\x25\0\1\0"
	     "\0\0\xb8\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	{ NULL, 0 },
};

static void stop(void *arg)
{
	loop_stop(arg);
}

static void run(struct loop *loop, uint64_t ns)
{
	struct loop_timer limit = { .fire = stop, .arg = loop };

	loop_timer_set(loop, &limit, ns);
	REQUIRE(loop_run(loop) == 0);
	loop_timer_cancel(loop, &limit);
}

static void set(struct ahci *ahci, uint32_t offset, uint32_t value)
{
	ahci->function.ops->bar_write(&ahci->function, 5, offset, &value, 4);
}

static void start_port(struct ahci *ahci, const struct guest_memory *memory, uint32_t port)
{
	uint32_t list = LISTS + port * 0x400, table = TABLES + port * 0x1000;
	uint32_t header[] = { 0x10005, 0, table, 0 }, region[] = { 0x10000, 0, 0, 0xffff };

	memory_write(memory, list, header, sizeof(header));
	memory_write(memory, table + 0x80, region, sizeof(region));
	set(ahci, 0x100 + port * 0x80, list);
	set(ahci, 0x108 + port * 0x80, 0x2000 + port * 0x100);
	set(ahci, 0x118 + port * 0x80, 0x11);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ahci ahci;
	static int fd = -1, medium_fd;
	static char path[64], medium_path[64];
	struct bus io = { 0 }, mmio = { 0 };
	struct irq_router irq = { 0 };
	struct guest_memory memory;
	struct disk_ring *ring;
	struct disk *disk, *medium;
	struct loop loop;
	struct pci pci;
	struct cause cause;

	if (fd < 0 && ((fd = bench_disk_file()) < 0 || (medium_fd = bench_disk_file()) < 0))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(medium_path, sizeof(medium_path), "/proc/self/fd/%d", medium_fd);
	memset(&ahci, 0, sizeof(ahci));
	memset(&pci, 0, sizeof(pci));
	REQUIRE(!loop_init(&loop, &cause) && !memory_create(&memory, RAM, &cause));
	REQUIRE(!disk_ring_create(&ring, &loop, &cause));
	REQUIRE(!disk_open(&disk, ring, &(struct disk_config){ .name = "disk0", .path = path,
							       .raw = true }, &cause));
	REQUIRE(!disk_open(&medium, ring,
			   &(struct disk_config){ .name = "disk1", .path = medium_path,
						  .readonly = true, .raw = true }, &cause));
	REQUIRE(!pci_create(&pci, &io, &mmio, &irq, &cause));
	REQUIRE(!ahci_create(&ahci, &pci, 3, &memory, &loop, ring, &cause));
	REQUIRE(!ahci_plug(&ahci, 0, &ata_disk_ops, disk, "a"));
	REQUIRE(!ahci_plug(&ahci, 1, &ata_cdrom_ops, medium, "b"));
	ahci.function.ops->master_changed(&ahci.function, true);
	start_port(&ahci, &memory, 0);
	start_port(&ahci, &memory, 1);
	for (; size >= 8; data += 8, size -= 8) {
		uint32_t offset = data[2] | (uint32_t)data[3] << 8, value;

		memcpy(&value, data + 4, sizeof(value));
		if (data[0] % 4 == 0)
			set(&ahci, offset & 0xffc, value);
		else if (data[0] % 4 == 1)
			memory_write(&memory, offset, &value, sizeof(value));
		else
			run(&loop, NS_PER_MS / 10);
	}
	for (unsigned i = 0; !ahci_quiesce(&ahci); i++) {
		REQUIRE(i < 10000);
		run(&loop, NS_PER_MS);
	}
	ahci_unplug(&ahci, 0);
	ahci_unplug(&ahci, 1);
	ahci_destroy(&ahci);
	pci_destroy(&pci);
	disk_close(disk);
	disk_close(medium);
	disk_ring_destroy(ring);
	memory_destroy(&memory);
	loop_destroy(&loop);
	return 0;
}
