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

/*
 * Kinds: 0 a register is written, 1 memory, 2 the loop runs, 3 registers are read, 4 the
 * CD-ROM gets a packet, 5 the disk a command, 6 somebody exchanges its medium; then a byte more
 * of these, an offset, a value, which is the length of what is read, the head of the packet, or
 * the command's registers; of an exchange bit 0 says that there is another, bit 1 force.
 */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\1\0\0\x40\x27\x80\xec\0\0\0\x38\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	SEED("\1\0\0\x40\x27\x80\x25\0\1\0\x0c\x40\1\0\0\0\0\0\x38\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	SEED("\1\0\0\x50\x27\x80\xa0\0\1\0\x40\x50\x28\0\0\0\1\0\x48\x50\1\0\0\0\1\0\0\x14\x25\0\1\0"
	     "\0\0\xb8\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	/* Queued write and read */
	SEED("\1\0\0\100\47\200\141\1\1\0\4\100\0\0\0\100"
	     "\0\000\64\1\1\0\0\0\0\000\70\1\1\0\0\0"
	     "\2\0\0\0\0\0\0\0\1\0\0\100\47\200\140\1"
	     "\0\000\64\1\1\0\0\0\0\000\70\1\1\0\0\0"
	     "\2\0\0\0\0\0\0\0\3\000\64\1\4\0\0\0"),
	/* A queued command that fails, and its log */
	SEED("\1\0\0\100\47\200\140\1\1\0\4\100\377\377\377\100"
	     "\1\0\10\100\377\377\377\0\0\000\64\1\1\0\0\0"
	     "\0\000\70\1\1\0\0\0\2\0\0\0\0\0\0\0"
	     "\0\0\30\1\20\0\0\0\0\0\30\1\21\0\0\0"
	     "\1\0\0\100\47\200\57\0\1\0\4\100\20\0\0\0"
	     "\1\0\10\100\0\0\0\0\1\0\14\100\1\0\0\0"
	     "\0\000\70\1\1\0\0\0\2\0\0\0\0\0\0\0"),
	/* TRIM */
	SEED("\1\0\0\100\47\200\6\1\1\0\14\100\1\0\0\0"
	     "\1\0\200\100\0\140\0\0\1\0\0\140\0\0\0\0"
	     "\1\0\4\140\0\0\10\0\0\000\70\1\1\0\0\0"
	     "\2\0\0\0\0\0\0\0"),
	/* Resets of the drive, the port and the controller */
	SEED("\1\0\0\100\47\0\0\0\1\0\14\100\0\0\0\4"
	     "\0\000\70\1\1\0\0\0\2\0\0\0\0\0\0\0"
	     "\1\0\14\100\0\0\0\0\0\000\70\1\1\0\0\0"
	     "\2\0\0\0\0\0\0\0\0\0\54\1\1\0\0\0"
	     "\0\0\54\1\0\0\0\0\2\0\0\0\0\0\0\0"
	     "\0\0\4\0\1\0\0\0\2\0\0\0\0\0\0\0"
	     "\3\0\4\0\4\0\0\0"),
	/* Every packet */
	SEED("\004\000\000\000\000\000\000\000\004\000\022\000\003\000\000\000"
	     "\004\140\000\000\022\000\000\000\004\000\100\000\032\000\077\000"
	     "\004\000\002\000\033\000\000\000\004\000\003\000\033\000\000\000"
	     "\004\000\000\000\000\000\000\000\004\000\001\000\036\000\000\000"
	     "\004\000\000\000\045\000\000\000\004\000\000\000\050\000\000\000"
	     "\004\100\000\000\103\002\000\000\004\200\000\000\106\000\000\000"
	     "\004\010\020\000\112\001\000\000\004\100\000\000\121\000\000\000"
	     "\004\100\000\000\132\000\077\000\004\000\000\000\250\000\000\000"
	     "\004\000\000\000\273\000\000\000\004\100\000\000\275\000\000\000"
	     "\004\000\000\000\231\000\000\000"),
	/* Every command of a disk */
	SEED("\005\000\000\000\000\000\001\000\005\000\000\000\006\001\001\000"
	     "\005\000\000\000\010\000\001\000\005\000\000\000\020\000\001\000"
	     "\005\000\000\000\040\000\001\000\005\000\000\000\044\000\001\000"
	     "\005\000\000\000\045\000\001\000\005\000\000\000\047\000\001\000"
	     "\005\000\000\000\051\000\001\000\005\000\000\000\057\000\001\000"
	     "\005\000\000\000\060\000\001\000\005\000\000\000\064\000\001\000"
	     "\005\000\000\000\065\000\001\000\005\000\000\000\071\000\001\000"
	     "\005\000\000\000\075\000\001\000\005\000\000\000\100\000\001\000"
	     "\005\000\000\000\102\000\001\000\005\000\000\000\140\000\001\000"
	     "\005\000\000\000\160\000\001\000\005\000\000\000\221\000\001\000"
	     "\005\000\000\000\241\000\001\000\005\000\000\000\260\000\001\000"
	     "\005\000\000\000\304\000\001\000\005\000\000\000\305\000\001\000"
	     "\005\000\000\000\306\000\001\000\005\000\000\000\310\000\001\000"
	     "\005\000\000\000\312\000\001\000\005\000\000\000\340\000\001\000"
	     "\005\000\000\000\345\000\001\000\005\000\000\000\347\000\001\000"
	     "\005\000\000\000\352\000\001\000\005\000\000\000\354\000\001\000"
	     "\005\000\000\000\357\002\001\000\005\000\000\000\370\000\001\000"
	     "\005\000\020\000\057\000\001\000\005\000\000\000\357\202\001\000"
	     "\005\000\000\000\065\000\001\000\005\377\377\377\045\000\001\000"),
	/* Media: taken, put in, held by the guest, taken all the same while it is read */
	SEED("\6\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\6\1\0\0\0\0\0\0"
	     "\4\0\0\0\0\0\0\0\4\0\1\0\36\0\0\0\6\0\0\0\0\0\0\0"
	     "\4\10\20\0\112\1\0\0\1\0\0\x50\x27\x80\xa0\0\1\0\x40\x50\x28\0\0\0"
	     "\0\0\xb8\1\1\0\0\0\6\2\0\0\0\0\0\0\2\0\0\0\0\0\0\0"),
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

static void get(struct ahci *ahci, uint32_t offset, unsigned length)
{
	uint8_t data[8];

	ahci->function.ops->bar_read(&ahci->function, 5, offset, data, length);
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

/* Its data is in the port's one region. */
static void send(struct ahci *ahci, const struct guest_memory *memory, uint32_t port,
		 const uint8_t *fis, const uint8_t *packet)
{
	const uint32_t header = packet ? 0x10025 : 0x10005, table = TABLES + port * 0x1000;

	memory_write(memory, LISTS + port * 0x400, &header, sizeof(header));
	memory_write(memory, table, fis, 16);
	if (packet)
		memory_write(memory, table + 0x40, packet, 12);
	set(ahci, 0x138 + port * 0x80, 1);
	run(ahci->loop, NS_PER_MS / 10);
	/* One that failed stands until the port begins anew. */
	set(ahci, 0x118 + port * 0x80, 0x10);
	set(ahci, 0x118 + port * 0x80, 0x11);
}

static void send_packet(struct ahci *ahci, const struct guest_memory *memory, const uint8_t *data)
{
	const uint8_t fis[16] = { 0x27, 0x80, 0xa0, data[1] & 1 };
	const uint8_t packet[12] = { data[4], data[5], data[6], data[7], data[2], 0, 0, data[3],
				     data[1], data[3], data[2], 0 };

	send(ahci, memory, 1, fis, packet);
}

static void send_command(struct ahci *ahci, const struct guest_memory *memory, const uint8_t *data)
{
	const uint8_t fis[16] = { 0x27, 0x80, data[4], data[5], data[2], data[3], 0, 0x40,
				  data[1], 0, 0, 0, data[6], data[7] };

	send(ahci, memory, 0, fis, NULL);
}

static void exchange(struct ahci *ahci, const char *path, const uint8_t *data)
{
	const struct disk_config config = { .name = "disk1", .path = path, .readonly = true,
					    .raw = true };
	struct disk *medium = NULL;

	if (data[1] & 1)
		REQUIRE(!disk_prepare(&medium, &config, NULL));
	(void)ahci_exchange(ahci, 1, &medium, data[1] & 2, NULL);
	disk_close(medium);
}

static void failed(void *arg, const char *why)
{
	(void)arg;
	REQUIRE(why);
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
	ahci.failed = failed;
	REQUIRE(!disk_ring_create(&ring, &loop, &cause));
	disk_ring_exchanges(ring);
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
	ahci_pause(&ahci, false);
	start_port(&ahci, &memory, 0);
	start_port(&ahci, &memory, 1);
	for (; size >= 8; data += 8, size -= 8) {
		uint32_t offset = data[2] | (uint32_t)data[3] << 8, value;

		memcpy(&value, data + 4, sizeof(value));
		if (data[0] % 7 == 0)
			set(&ahci, offset & 0xffc, value);
		else if (data[0] % 7 == 1)
			memory_write(&memory, offset, &value, sizeof(value));
		else if (data[0] % 7 == 2)
			run(&loop, NS_PER_MS / 10);
		else if (data[0] % 7 == 3)
			get(&ahci, offset & 0xfff, 1 + value % 8);
		else if (data[0] % 7 == 4)
			send_packet(&ahci, &memory, data);
		else if (data[0] % 7 == 5)
			send_command(&ahci, &memory, data);
		else
			exchange(&ahci, medium_path, data);
	}
	for (unsigned i = 0; !ahci_quiesce(&ahci); i++) {
		REQUIRE(i < 10000);
		run(&loop, NS_PER_MS);
	}
	ahci_unplug(&ahci, 0);
	ahci_unplug(&ahci, 1);
	ahci_destroy(&ahci);
	pci_destroy(&pci);
	disk_ring_destroy(ring);
	memory_destroy(&memory);
	loop_destroy(&loop);
	return 0;
}
