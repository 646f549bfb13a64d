/*
 * The AHCI controller with a disk and a CD-ROM, driven by registers and commands as a driver
 * puts them into memory: queued commands and their errors, stops and resets in the middle of
 * them, images that are full or gone, media that are exchanged, saving and loading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/bus/pci.h"
#include "core/hw/ahci.h"
#include "lib/device_bench.h"
#include "killed.h"
#include "lib/refuse.h"
#include "small_fs.h"

#define RAM (4u << 20)
#define IMAGE_SIZE (1u << 20)
#define BLOCK 4096u

/* Where the driver has its structures: per port, per slot. */
#define LIST(port) (0x1000u + (port) * 0x400u)
#define RECEIVED(port) (0x2000u + (port) * 0x100u)
#define TABLE(port, slot) (0x10000u + ((port) * 32u + (slot)) * 0x100u)
#define DATA(slot) (0x100000u + (slot) * 0x10000u)

enum { DISK, CD, PORTS };

/* Registers of a port. */
enum { LIST_BASE = 0x00, FIS_BASE = 0x08, IS = 0x10, IE = 0x14, CMD = 0x18, TFD = 0x20,
       SIG = 0x24, SCTL = 0x2c, SERR = 0x30, SACT = 0x34, CI = 0x38 };

#define IS_D2H 0x1u
#define IS_BITS 0x8u
#define IS_TASK_FILE 0x40000000u
#define CMD_RUNNING 0x8000u
#define READ_QUEUED 0x60
#define WRITE_QUEUED 0x61

struct fixture {
	struct scratch scratch;
	struct bus io, mmio;
	struct irq_router irq;
	struct guest_memory memory;
	struct loop loop;
	struct disk_ring *ring;
	struct pci pci;
	struct ahci ahci;
	char image[160], medium[160];
	unsigned failures;
};

/* --- the machine --- */

static void stop(void *arg)
{
	loop_stop(arg);
}

static void run(struct fixture *f, uint64_t ns)
{
	struct loop_timer limit = { .fire = stop, .arg = &f->loop };

	loop_timer_set(&f->loop, &limit, ns);
	assert_int_equal(loop_run(&f->loop), 0);
	loop_timer_cancel(&f->loop, &limit);
}

/* What was posted is done; what the host's kernel has may be under way. */
static void run_posted(struct fixture *f)
{
	struct loop_task task = { .run = stop, .arg = &f->loop };

	loop_post(&f->loop, &task);
	assert_int_equal(loop_run(&f->loop), 0);
}

static void failed(void *arg, const char *why)
{
	struct fixture *f = arg;

	assert_non_null(why);
	f->failures++;
}

static struct disk *open_image(struct fixture *f, const char *name, const char *path, bool readonly)
{
	struct disk_config config = { .path = path, .readonly = readonly };
	struct disk *disk = NULL;

	snprintf(config.name, sizeof(config.name), "%s", name);
	assert_int_equal(disk_open(&disk, f->ring, &config, NULL), 0);
	return disk;
}

static struct disk *prepare_medium(const char *path)
{
	struct disk_config config = { .name = "disk1", .path = path, .readonly = true };
	struct disk *disk = NULL;

	assert_int_equal(disk_prepare(&disk, &config, NULL), 0);
	return disk;
}

static void build(struct fixture *f)
{
	struct cause cause;

	memset(&f->pci, 0, sizeof(f->pci));
	memset(&f->ahci, 0, sizeof(f->ahci));
	f->ahci.failed = failed;
	f->ahci.failed_arg = f;
	assert_int_equal(disk_ring_create(&f->ring, &f->loop, &cause), 0);
	disk_ring_exchanges(f->ring);
	assert_int_equal(pci_create(&f->pci, &f->io, &f->mmio, &f->irq, &cause), 0);
	assert_int_equal(ahci_create(&f->ahci, &f->pci, 3, &f->memory, &f->loop, f->ring, &cause), 0);
	assert_int_equal(ahci_plug(&f->ahci, DISK, &ata_disk_ops,
				   open_image(f, "disk0", f->image, false), "one"), 0);
	assert_int_equal(ahci_plug(&f->ahci, CD, &ata_cdrom_ops,
				   open_image(f, "disk1", f->medium, true), "two"), 0);
}

static void take_apart(struct fixture *f)
{
	for (unsigned i = 0; !ahci_quiesce(&f->ahci); i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
	disk_give_up(f->ring);
	for (unsigned i = 0; !ahci_quiesce(&f->ahci); i++)
		assert_true(i < 10000);
	ahci_unplug(&f->ahci, DISK);
	ahci_unplug(&f->ahci, CD);
	ahci_destroy(&f->ahci);
	pci_destroy(&f->pci);
	bus_destroy(&f->io);
	bus_destroy(&f->mmio);
	f->io = f->mmio = (struct bus){ 0 };
	disk_ring_destroy(f->ring);
}

static void bring_up(struct fixture *f);

static int setup_in(void **state, bool small)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct cause cause;

	if (!f || scratch_create(&f->scratch) < 0 ||
	    (small && small_fs_mount(f->scratch.folder) < 0) ||
	    scratch_image(&f->scratch, "cd.iso", 64 * 2048) < 0)
		return -1;
	memcpy(f->medium, f->scratch.path, sizeof(f->scratch.path));
	if (scratch_image(&f->scratch, "x.img", small ? 0 : IMAGE_SIZE) < 0)
		return -1;
	memcpy(f->image, f->scratch.path, sizeof(f->scratch.path));
	if (truncate(f->image, 2 * IMAGE_SIZE) < 0 || loop_init(&f->loop, &cause) < 0 ||
	    memory_create(&f->memory, RAM, &cause) < 0)
		return -1;
	build(f);
	bring_up(f);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_in(state, false);
}

static int setup_small(void **state)
{
	return setup_in(state, true);
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", "cd.iso", "y.iso", NULL };
	struct fixture *f = *state;
	int r;

	take_apart(f);
	memory_destroy(&f->memory);
	loop_destroy(&f->loop);
	small_fs_unmount(f->scratch.folder);
	r = scratch_remove(&f->scratch, files);
	free(f);
	return r;
}

/* --- the driver --- */

static uint32_t get(struct fixture *f, unsigned port, unsigned reg)
{
	uint32_t value;

	f->ahci.function.ops->bar_read(&f->ahci.function, 5, 0x100 + port * 0x80 + reg, &value, 4);
	return value;
}

static void set(struct fixture *f, unsigned port, unsigned reg, uint32_t value)
{
	f->ahci.function.ops->bar_write(&f->ahci.function, 5, 0x100 + port * 0x80 + reg, &value, 4);
}

static uint32_t get_control(struct fixture *f)
{
	uint32_t value;

	f->ahci.function.ops->bar_read(&f->ahci.function, 5, 4, &value, 4);
	return value;
}

static void set_control(struct fixture *f, uint32_t value)
{
	f->ahci.function.ops->bar_write(&f->ahci.function, 5, 4, &value, 4);
}

static void *at(struct fixture *f, uint64_t address)
{
	return memory_at(&f->memory, address, 1);
}

static void start_ports(struct fixture *f)
{
	set_control(f, 0x80000002);
	for (unsigned port = 0; port < PORTS; port++) {
		set(f, port, LIST_BASE, LIST(port));
		set(f, port, FIS_BASE, RECEIVED(port));
		set(f, port, IE, 0x7dc000ff);
		set(f, port, CMD, 0x11);
	}
}

static void bring_up(struct fixture *f)
{
	f->ahci.function.ops->master_changed(&f->ahci.function, true);
	ahci_pause(&f->ahci, false);
	start_ports(f);
}

/* As a driver does after an error, AHCI § 6.2.2: stop, forget, start. */
static void restart(struct fixture *f, unsigned port)
{
	set(f, port, CMD, 0x10);
	for (unsigned i = 0; get(f, port, CMD) & CMD_RUNNING; i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
	assert_int_equal(get(f, port, CI), 0);
	assert_int_equal(get(f, port, SACT), 0);
	set(f, port, IS, ~0u);
	set(f, port, CMD, 0x11);
}

/* Of a command in slot: 16 bytes of FIS, a packet or NULL, and one region of data. */
static void put(struct fixture *f, unsigned port, unsigned slot, const uint8_t *fis,
		const uint8_t *packet, uint32_t size)
{
	const uint32_t header[4] = { 5 | (packet ? 0x20 : 0) | (size ? 0x10000 : 0), 0,
				     TABLE(port, slot) };
	const uint32_t region[4] = { DATA(slot), 0, 0, size - 1 };

	memory_write(&f->memory, LIST(port) + slot * 32, header, sizeof(header));
	memory_write(&f->memory, TABLE(port, slot), fis, 16);
	if (packet)
		memory_write(&f->memory, TABLE(port, slot) + 0x40, packet, 12);
	memory_write(&f->memory, TABLE(port, slot) + 0x80, region, sizeof(region));
}

static void put_command(struct fixture *f, unsigned slot, uint8_t code, uint64_t lba,
			uint16_t features, uint16_t count, uint32_t size)
{
	const uint8_t fis[16] = { 0x27, 0x80, code, (uint8_t)features, (uint8_t)lba,
				  (uint8_t)(lba >> 8), (uint8_t)(lba >> 16), 0x40,
				  (uint8_t)(lba >> 24), (uint8_t)(lba >> 32), (uint8_t)(lba >> 40),
				  (uint8_t)(features >> 8), (uint8_t)count, (uint8_t)(count >> 8) };

	put(f, DISK, slot, fis, NULL, size);
}

/* Blocks of the disk; the slot is the tag. */
static void put_queued(struct fixture *f, unsigned slot, uint8_t code, uint64_t block)
{
	put_command(f, slot, code, block * (BLOCK / 512), BLOCK / 512, (uint16_t)(slot << 3), BLOCK);
}

static void issue_queued(struct fixture *f, uint32_t slots)
{
	set(f, DISK, SACT, slots);
	set(f, DISK, CI, slots);
}

/* Serves until the bits of a register are gone. */
static void wait_clear(struct fixture *f, unsigned port, unsigned reg, uint32_t bits)
{
	for (unsigned i = 0; get(f, port, reg) & bits; i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
}

static void wait_set(struct fixture *f, unsigned port, unsigned reg, uint32_t bits)
{
	for (unsigned i = 0; !(get(f, port, reg) & bits); i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
}

/* A command in slot 0 that is not queued; whether it succeeds. */
static bool command(struct fixture *f, uint8_t code, uint64_t lba, uint16_t features, uint16_t count,
		    uint32_t size)
{
	put_command(f, 0, code, lba, features, count, size);
	set(f, DISK, CI, 1);
	for (unsigned i = 0; get(f, DISK, CI) & 1 && !(get(f, DISK, IS) & IS_TASK_FILE); i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
	return !(get(f, DISK, IS) & IS_TASK_FILE);
}

/* A packet for the CD-ROM in slot 0: the sense key, 0 if it succeeds. */
static unsigned packet(struct fixture *f, const uint8_t bytes[12], uint32_t size)
{
	const uint8_t fis[16] = { 0x27, 0x80, 0xa0, 1 };
	unsigned key;

	put(f, CD, 0, fis, bytes, size);
	set(f, CD, CI, 1);
	for (unsigned i = 0; get(f, CD, CI) & 1 && !(get(f, CD, IS) & IS_TASK_FILE); i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
	if (!(get(f, CD, IS) & IS_TASK_FILE))
		return 0;
	key = get(f, CD, TFD) >> 12;
	restart(f, CD);
	return key;
}

static bool is_block(struct fixture *f, unsigned slot, uint64_t block)
{
	const uint8_t *data = at(f, DATA(slot));

	for (unsigned i = 0; i < BLOCK; i++)
		if (data[i] != scratch_byte(block * BLOCK + i))
			return false;
	return true;
}

/* --- the disk --- */

static void commands_are_answered(void **state)
{
	struct fixture *f = *state;
	const uint16_t *words = at(f, DATA(0));
	uint32_t moved;

	assert_true(command(f, 0xec, 0, 0, 0, 512)); /* IDENTIFY DEVICE */
	assert_int_equal(words[75], 31);
	assert_memory_equal(words + 10, "no e", 4);
	assert_true(get(f, DISK, IS) & 0x2);
	set(f, DISK, IS, ~0u);
	assert_true(command(f, 0x25, 8, 0, 16, 2 * BLOCK)); /* READ DMA EXT */
	assert_true(is_block(f, 0, 1));
	memcpy(&moved, at(f, LIST(DISK) + 4), 4);
	assert_int_equal(moved, 2 * BLOCK);
	assert_true(get(f, DISK, IS) & IS_D2H);
	memset(at(f, DATA(0)), 0x5a, BLOCK);
	assert_true(command(f, 0x35, 80, 0, 8, BLOCK)); /* WRITE DMA EXT */
	assert_true(command(f, 0xea, 0, 0, 0, 0));	/* FLUSH CACHE EXT */
	memset(at(f, DATA(0)), 0, BLOCK);
	assert_true(command(f, 0x25, 80, 0, 8, BLOCK));
	assert_int_equal(*(uint8_t *)at(f, DATA(0)), 0x5a);
}

static void all_slots_at_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned slot = 0; slot < 32; slot++)
		put_queued(f, slot, READ_QUEUED, 3 * slot);
	issue_queued(f, ~0u);
	wait_clear(f, DISK, SACT, ~0u);
	assert_int_equal(get(f, DISK, CI), 0);
	assert_true(get(f, DISK, IS) & IS_BITS);
	assert_int_equal(*(uint8_t *)at(f, RECEIVED(DISK) + 0x58), 0xa1);
	for (unsigned slot = 0; slot < 32; slot++)
		assert_true(is_block(f, slot, 3 * slot));
}

/* § 6.2.2.2 and ACS § A.9: the port stands, and the log says which one it was, once. */
static void a_queued_command_fails(void **state)
{
	struct fixture *f = *state;
	const uint64_t beyond = 2 * IMAGE_SIZE / BLOCK;
	const uint8_t *log = at(f, DATA(0));
	uint8_t sum = 0;

	put_queued(f, 5, READ_QUEUED, beyond);
	issue_queued(f, 1u << 5);
	wait_set(f, DISK, IS, IS_TASK_FILE);
	assert_int_equal(get(f, DISK, SACT), 1u << 5);
	assert_int_equal(get(f, DISK, TFD) & 0x1, 1);
	assert_int_equal(get(f, DISK, CMD) >> 8 & 31, 5);
	/* It begins nothing until it is started anew, which forgets what was asked for. */
	put_queued(f, 6, READ_QUEUED, 0);
	issue_queued(f, 1u << 6);
	run(f, 5 * NS_PER_MS);
	assert_true(get(f, DISK, SACT) & 1u << 6);
	restart(f, DISK);

	assert_true(command(f, 0x2f, 0x10, 0, 1, 512)); /* READ LOG EXT */
	assert_int_equal(log[0], 5);
	assert_int_equal(log[2] & 1, 1);
	assert_int_equal(log[3], 0x10); /* ID not found */
	assert_int_equal(log[4] | log[5] << 8, beyond * 8);
	for (unsigned i = 0; i < 512; i++)
		sum += log[i];
	assert_int_equal(sum, 0);
	assert_true(command(f, 0x2f, 0x10, 0, 1, 512));
	assert_int_equal(log[0], 0x80);
	put_queued(f, 6, READ_QUEUED, 7);
	issue_queued(f, 1u << 6);
	wait_clear(f, DISK, SACT, ~0u);
	assert_true(is_block(f, 6, 7));
}

static void an_image_that_vanishes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(truncate(f->image, 0), 0);
	assert_false(command(f, 0x25, 0, 0, 8, BLOCK));
	assert_int_equal(get(f, DISK, TFD) >> 8, 0x40); /* uncorrectable */
	assert_int_equal(get(f, DISK, CI), 1);
	restart(f, DISK);
	put_queued(f, 9, READ_QUEUED, 0);
	issue_queued(f, 1u << 9);
	wait_set(f, DISK, IS, IS_TASK_FILE);
	restart(f, DISK);
	assert_int_equal(truncate(f->image, 2 * IMAGE_SIZE), 0);
	assert_true(command(f, 0x25, 0, 0, 8, BLOCK));
}

/* § 3.3.14: what was issued is gone with the start bit, and nothing is taken without it. */
static void issued_commands_are_dropped(void **state)
{
	struct fixture *f = *state;

	put_queued(f, 3, READ_QUEUED, 1);
	issue_queued(f, 1u << 3);
	assert_int_equal(get(f, DISK, CI), 1u << 3);
	set(f, DISK, CMD, 0x10);
	assert_int_equal(get(f, DISK, CI), 0);
	assert_int_equal(get(f, DISK, SACT), 0);
	issue_queued(f, 1u << 3);
	assert_int_equal(get(f, DISK, CI), 0);
	run(f, NS_PER_MS);
	assert_false(is_block(f, 3, 1));
	set(f, DISK, CMD, 0x11);
	issue_queued(f, 1u << 3);
	wait_clear(f, DISK, SACT, ~0u);
	assert_true(is_block(f, 3, 1));
}

static void begin_many(struct fixture *f, uint8_t code)
{
	for (unsigned slot = 0; slot < 32; slot++)
		put_queued(f, slot, code, slot);
	issue_queued(f, ~0u);
	run_posted(f);
}

static void stop_in_the_middle(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 20; round++) {
		begin_many(f, READ_QUEUED);
		restart(f, DISK);
		/* Nobody hears of what was dropped. */
		run(f, NS_PER_MS / 10);
		assert_int_equal(get(f, DISK, IS), 0);
	}
	assert_true(command(f, 0x25, 8, 0, 8, BLOCK));
	assert_true(is_block(f, 0, 1));
}

static void reset_in_the_middle(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 20; round++) {
		begin_many(f, round % 2 ? READ_QUEUED : WRITE_QUEUED);
		set(f, DISK, SCTL, 1); /* COMRESET */
		set(f, DISK, SCTL, 0);
		assert_true(get(f, DISK, TFD) & 0x80);
		wait_clear(f, DISK, TFD, 0x80);
		assert_int_equal(get(f, DISK, TFD), 0x150);
		assert_int_equal(get(f, DISK, SIG), 0x101);
		assert_true(get(f, DISK, SERR) & 1u << 26);
		assert_int_equal(get(f, DISK, CI) | get(f, DISK, SACT), 0);
		set(f, DISK, SERR, ~0u);
	}
	for (unsigned round = 0; round < 20; round++) {
		begin_many(f, READ_QUEUED);
		set_control(f, 0x80000001);
		for (unsigned i = 0; get_control(f) & 1; i++) {
			assert_true(i < 10000);
			run(f, NS_PER_MS);
		}
		assert_int_equal(get(f, DISK, CI) | get(f, DISK, SACT) | get(f, DISK, IE), 0);
		start_ports(f);
	}
	assert_true(command(f, 0x25, 100 * 8, 0, 8, BLOCK));
	assert_true(is_block(f, 0, 100));
}

static void no_room(void *arg, const struct disk *disk, int error)
{
	struct fixture *f = arg;

	assert_non_null(disk);
	assert_int_equal(error, -ENOSPC);
	f->failures++;
}

/* The image lies where there is room for a quarter of it. */
static void a_full_file_system(void **state)
{
	struct fixture *f = *state;
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/ballast", f->scratch.folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, at(f, 0), BLOCK) == (ssize_t)BLOCK)
		;
	assert_false(command(f, 0x35, 0, 0, 8, BLOCK));
	assert_true(get(f, DISK, TFD) & 0x20); /* device fault */
	restart(f, DISK);

	/* With somebody who can make room it waits, and its driver with it. */
	disk_on_full(f->ring, no_room, f);
	memset(at(f, DATA(2)), 0x33, BLOCK);
	put_queued(f, 2, WRITE_QUEUED, 0);
	issue_queued(f, 1u << 2);
	for (unsigned i = 0; !f->failures; i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
	assert_int_equal(f->failures, 1);
	assert_int_equal(get(f, DISK, SACT), 1u << 2);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	disk_retry(f->ring);
	wait_clear(f, DISK, SACT, ~0u);
	assert_true(command(f, 0x25, 0, 0, 8, BLOCK));
	assert_int_equal(*(uint8_t *)at(f, DATA(0)), 0x33);
	assert_int_equal(unlink(path), 0);
}

/* --- the CD-ROM --- */

static const uint8_t test_ready[12] = { 0x00 }, read_one[12] = { 0x28, [5] = 3, [8] = 1 };
static const uint8_t lock_tray[12] = { 0x1e, [4] = 1 }, unlock_tray[12] = { 0x1e };
static const uint8_t request_sense[12] = { 0x03, [4] = 18 };
static const uint8_t events[12] = { 0x4a, 1, [4] = 0x10, [8] = 8 };
static const uint8_t open_tray[12] = { 0x1b, [4] = 2 };

static unsigned sense(struct fixture *f)
{
	const uint8_t *data = at(f, DATA(0));

	assert_int_equal(packet(f, request_sense, 18), 0);
	return (unsigned)(data[12] << 8 | data[13]);
}

static unsigned event(struct fixture *f)
{
	assert_int_equal(packet(f, events, 8), 0);
	return ((uint8_t *)at(f, DATA(0)))[4];
}

/* What does not come into the drive is closed. */
static int exchange(struct fixture *f, unsigned port, struct disk *medium, bool force,
		    struct cause *cause)
{
	int err = ahci_exchange(&f->ahci, port, &medium, force, cause);

	disk_close(medium);
	return err;
}

static void media_are_exchanged(void **state)
{
	struct fixture *f = *state;
	struct device_counters counters = { 0 };
	uint8_t *data = at(f, DATA(0));
	char other[160];

	assert_int_equal(packet(f, read_one, 2048), 0);
	assert_int_equal(data[0], scratch_byte(3 * 2048));
	assert_int_equal(exchange(f, CD, NULL, false, NULL), 0);
	run_posted(f);
	assert_int_equal(event(f), 3);
	assert_int_equal(packet(f, test_ready, 0), 2); /* not ready */
	assert_int_equal(sense(f), 0x3a01);
	assert_int_equal(packet(f, read_one, 2048), 2);

	snprintf(other, sizeof(other), "%s/y.iso", f->scratch.folder);
	memset(data, 0x66, 16 * 2048);
	scratch_write(other, data, 16 * 2048);
	assert_int_equal(exchange(f, CD, prepare_medium(other), false, NULL), 0);
	run_posted(f);
	assert_int_equal(event(f), 2);
	assert_int_equal(packet(f, test_ready, 0), 6); /* attention, once */
	assert_int_equal(sense(f), 0x2800);
	assert_int_equal(packet(f, test_ready, 0), 0);
	memset(data, 0, 2048);
	assert_int_equal(packet(f, read_one, 2048), 0);
	assert_int_equal(data[2047], 0x66);
	/* What was read of the first counts on. */
	ahci_sample(&f->ahci, CD, &counters);
	assert_int_equal(counters.read_requests, 2);

	/* One closes the tray that the guest has opened. */
	assert_int_equal(packet(f, open_tray, 0), 0);
	assert_int_equal(packet(f, test_ready, 0), 2);
	assert_int_equal(sense(f), 0x3a02);
	assert_int_equal(exchange(f, CD, prepare_medium(f->medium), false, NULL), 0);
	run_posted(f);
	assert_int_equal(packet(f, test_ready, 0), 6);
	assert_int_equal(packet(f, read_one, 2048), 0);
	assert_int_equal(data[0], scratch_byte(3 * 2048));
}

static void a_medium_that_is_held(void **state)
{
	struct fixture *f = *state;
	struct cause cause = { "" };

	assert_int_equal(packet(f, lock_tray, 0), 0);
	assert_int_equal(exchange(f, CD, NULL, false, &cause), -EBUSY);
	assert_non_null(strstr(cause.text, "the guest holds the medium"));
	run_posted(f);
	assert_int_equal(event(f), 1); /* it is asked for */
	assert_int_equal(packet(f, test_ready, 0), 0);
	assert_int_equal(exchange(f, CD, NULL, true, NULL), 0);
	run_posted(f);
	assert_int_equal(packet(f, test_ready, 0), 2);
	/* Nothing is held of an empty drive. */
	assert_int_equal(exchange(f, CD, prepare_medium(f->medium), false, NULL), 0);
	run_posted(f);
	assert_int_equal(packet(f, test_ready, 0), 6);
	assert_int_equal(packet(f, unlock_tray, 0), 0);
	assert_int_equal(exchange(f, CD, NULL, false, NULL), 0);
	assert_int_equal(exchange(f, DISK, NULL, true, &cause), -EINVAL);
}

/* A read is under way: the medium waits for it, and a second wish takes the first one's place. */
static void exchange_waits_for_commands(void **state)
{
	struct fixture *f = *state;
	const uint8_t fis[16] = { 0x27, 0x80, 0xa0, 1 };

	for (unsigned round = 0; round < 20; round++) {
		memset(at(f, DATA(0)), 0, 2048);
		put(f, CD, 0, fis, read_one, 2048);
		set(f, CD, CI, 1);
		run_posted(f);
		assert_int_equal(exchange(f, CD, NULL, false, NULL), 0);
		assert_int_equal(exchange(f, CD, prepare_medium(f->medium), false, NULL), 0);
		wait_clear(f, CD, CI, 1);
		assert_int_equal(*(uint8_t *)at(f, DATA(0)), scratch_byte(3 * 2048));
		run(f, NS_PER_MS / 10);
		assert_int_equal(packet(f, test_ready, 0), 6);
		assert_int_equal(packet(f, test_ready, 0), 0);
	}
	assert_int_equal(f->failures, 0);
}

/* --- saving and loading --- */

static void pause_all(struct fixture *f)
{
	for (unsigned i = 0; !ahci_pause(&f->ahci, true); i++) {
		assert_true(i < 10000);
		run(f, NS_PER_MS);
	}
}

/* The machine is another one, with the same memory and images. */
static void move(struct fixture *f)
{
	struct ahci_registers *saved = calloc(1, sizeof(*saved));

	assert_non_null(saved);
	pause_all(f);
	ahci_save(&f->ahci, saved);
	take_apart(f);
	build(f);
	ahci_pause(&f->ahci, true);
	assert_null(ahci_load(&f->ahci, saved));
	free(saved);
	f->ahci.function.ops->master_changed(&f->ahci.function, true);
	ahci_pause(&f->ahci, false);
}

static void saved_in_mid_traffic(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 10; round++) {
		/* Some are under way, the others have just been asked for. */
		for (unsigned slot = 0; slot < 32; slot++)
			put_queued(f, slot, READ_QUEUED, slot + round);
		issue_queued(f, 0xffff);
		if (round % 2)
			run_posted(f);
		issue_queued(f, 0xffff0000);
		move(f);
		wait_clear(f, DISK, SACT, ~0u);
		assert_int_equal(get(f, DISK, CI), 0);
		assert_true(get(f, DISK, IS) & IS_BITS);
		set(f, DISK, IS, ~0u);
		for (unsigned slot = 0; slot < 32; slot++) {
			assert_true(is_block(f, slot, slot + round));
			memset(at(f, DATA(slot)), 0, BLOCK);
		}
	}
}

static void saved_with_an_error(void **state)
{
	struct fixture *f = *state;
	const uint8_t *log = at(f, DATA(0));

	put_queued(f, 5, READ_QUEUED, 2 * IMAGE_SIZE / BLOCK);
	issue_queued(f, 1u << 5);
	wait_set(f, DISK, IS, IS_TASK_FILE);
	assert_int_equal(packet(f, lock_tray, 0), 0);
	move(f);
	assert_true(get(f, DISK, IS) & IS_TASK_FILE);
	assert_int_equal(get(f, DISK, SACT), 1u << 5);
	restart(f, DISK);
	assert_true(command(f, 0x2f, 0x10, 0, 1, 512));
	assert_int_equal(log[0], 5);
	assert_int_equal(exchange(f, CD, NULL, false, NULL), -EBUSY);
}

/* The caller closes it, as the drive never had it. */
static void a_medium_that_another_takes_the_place_of(void **state)
{
	struct fixture *f = *state;
	struct disk *first = prepare_medium(f->medium), *medium = first;

	assert_int_equal(ahci_exchange(&f->ahci, CD, &medium, false, NULL), 0);
	assert_null(medium);
	assert_int_equal(ahci_exchange(&f->ahci, CD, &medium, false, NULL), 0);
	assert_ptr_equal(medium, first);
	disk_close(medium);
	run_posted(f);
	assert_int_equal(packet(f, test_ready, 0), 2); /* not ready */
}

/* --- killed --- */

static struct fixture *killed_fixture;

static void write_versions(const char *path, struct killed *killed)
{
	struct fixture *f = killed_fixture;

	/* What was built before the fork is the parent's. */
	f->io = f->mmio = (struct bus){ 0 };
	if (loop_init(&f->loop, NULL) < 0)
		return;
	snprintf(f->image, sizeof(f->image), "%s", path);
	build(f);
	bring_up(f);
	for (uint32_t version = 1;; version++) {
		for (unsigned slot = 0; slot < KILLED_BLOCKS; slot++) {
			*(uint32_t *)at(f, DATA(slot)) = version;
			put_queued(f, slot, WRITE_QUEUED, slot);
		}
		issue_queued(f, (1u << KILLED_BLOCKS) - 1);
		wait_clear(f, DISK, SACT, ~0u);
		if (!command(f, 0xea, 0, 0, 0, 0)) /* FLUSH CACHE EXT */
			return;
		killed_flushed(killed, version);
	}
}

static void what_was_flushed_is_there(void **state)
{
	struct fixture *f = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/y.iso", f->scratch.folder);
	scratch_write(path, "", 0);
	killed_fixture = f;
	killed_rounds(path, write_versions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(commands_are_answered),
		TEST(all_slots_at_once),
		TEST(a_queued_command_fails),
		TEST(an_image_that_vanishes),
		TEST(issued_commands_are_dropped),
		TEST(stop_in_the_middle),
		TEST(reset_in_the_middle),
		TEST(media_are_exchanged),
		TEST(a_medium_that_is_held),
		TEST(exchange_waits_for_commands),
		TEST(a_medium_that_another_takes_the_place_of),
		TEST(saved_in_mid_traffic),
		TEST(saved_with_an_error),
		TEST(what_was_flushed_is_there),
	};
	const struct CMUnitTest small[] = {
		cmocka_unit_test_setup_teardown(a_full_file_system, setup_small, teardown),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	if (small_fs_here())
		result += cmocka_run_group_tests_name("small", small, NULL, NULL);
	if (refuse_calls(&(struct refusal){ SYS_io_uring_setup, ENOSYS }, 1) == 0)
		result += cmocka_run_group_tests_name("threads", tests, NULL, NULL);
	return result;
}
