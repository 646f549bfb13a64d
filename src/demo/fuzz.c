/*
 * A hostile guest: nonsense in every register, queue and descriptor of the virtio devices, of
 * an e1000e card and of an AHCI controller, in PCI configuration space and in I/O ports, from a
 * seed.
 *
 * The guest shall outlive it, so addresses that a device may write to are
 * either in a page range set aside or above the RAM (their low halves too,
 * since an address is set by halves), MSI-X data name harmless vectors, and
 * values that reset or power off are left out; so is a balloon's first queue, by which
 * a guest gives its own pages away. Afterwards the devices are
 * reset and configuration space is put back; disk and network stay off. CPU 0.
 */
#include "acpi.h"
#include "clock.h"
#include "command.h"
#include "console.h"
#include "disk.h"
#include "machine.h"
#include "memory.h"
#include "nic.h"
#include "pci.h"
#include "task.h"
#include "uart.h"
#include "virtio.h"

#define ARENA (256u << 10)
#define ARENA_USED (128u << 10) /* addresses lie in it, lengths reach into the rest */
#define CONFIG_DWORDS 64
#define QUEUE_ENABLE 0x1c
#define QUEUE_ADDRESSES 0x20
#define RESTORE_EVERY 64 /* operations */

/* The devices of virtio that this guest has no other use for. */
static struct virtio others[] = {
	{ .type = VIRTIO_ENTROPY }, { .type = VIRTIO_BALLOON }, { .type = VIRTIO_VSOCK },
	{ .type = VIRTIO_CONSOLE },
};

/* Devices with few registers, and where these are; 0: there is none. */
static struct {
	uint16_t vendor, device;
	uintptr_t bar;
} small[] = { { 0x1b36, 0x0011, 0 } /* panic */, { 0x8086, 0x25ab, 0 } /* watchdog */ };

/* Registers of an e1000e card; 0: there is none. */
static uintptr_t card;

/* The same of an AHCI controller. */
static uintptr_t ahci;

#define AHCI_SIZE 0x1000
#define AHCI_CONTROL 4
#define AHCI_RESET 1
#define AHCI_ENABLED 0x80000000
#define AHCI_PORTS 6
#define AHCI_PORT(n) (0x100 + (n) * 0x80)
#define COMMANDS 32
#define COMMAND_SIZE 32 /* in the list */
#define TABLE_SIZE 256	/* a FIS, an ATAPI command at 0x40, regions from 0x80 on */

#define CARD_SIZE 0x20000
#define CARD_RESET 0x4000000
#define CARD_RCTL 0x100
#define CARD_RECEIVE 0x2800 /* the rings */
#define CARD_TRANSMIT 0x3800
#define SMALL_SIZE 16
#define OWN_DEVICES 2
#define DEVICES (OWN_DEVICES + ARRAY_SIZE(others))

static uint8_t *arena;
static uint32_t chance;
static bool may_write_disk;
static uint32_t saved[PCI_FUNCTIONS_MAX][CONFIG_DWORDS];
static bool changed[PCI_FUNCTIONS_MAX];

static uint32_t pick(uint32_t limit)
{
	return random_next(&chance) % limit;
}

static uint32_t nonsense(void)
{
	static const uint32_t edges[] = { 0,       1,          2,          0x7f,       0x80,
					  0xff,    0x100,      0x7fff,     0x8000,     0xffff,
					  0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe };

	return pick(2) ? edges[pick(ARRAY_SIZE(edges))] : random_next(&chance);
}

/* Low half of an address: the arena, the end of the RAM, devices. */
static uint32_t low_address(void)
{
	static const uint32_t places[] = { 0xb0000000, 0xc0000000, 0xd0000000, 0xfec00000,
					   0xfee00000, 0xfffff000, 0xfffffff0, 0xffffffff };
	uint8_t *last = memory_free_page(memory_free_pages() - 1);

	if (pick(4) != 0)
		return (uint32_t)(uintptr_t)arena + (pick(ARENA_USED) & -(1u << pick(13)));
	if (last != NULL && pick(2) == 0)
		return (uint32_t)(uintptr_t)last + pick(8192);
	return places[pick(ARRAY_SIZE(places))] + (pick(2) ? pick(16) : 0);
}

static uint32_t high_address(void)
{
	return pick(4) != 0 ? 0 : nonsense();
}

static void fuzz_descriptors(void)
{
	struct descriptor *d = (struct descriptor *)arena + pick(1024);
	unsigned count = pick(32) + 1;

	for (unsigned i = 0; i < count; i++) {
		d[i].address = low_address() | (uint64_t)high_address() << 32;
		d[i].length = pick(8) == 0 && d[i].address - (uintptr_t)arena >= ARENA
				      ? nonsense()
				      : pick(ARENA - ARENA_USED);
		d[i].flags = pick(8) == 0 ? nonsense() : pick(8);
		d[i].next = pick(4) == 0 ? nonsense() : pick(64);
	}
}

/* A packet of this guest's to a port of the host's (virtio 1.2 §5.10.6), of a socket or of none. */
static void fuzz_packet(uint8_t *at)
{
	const uint32_t header[] = { 3, 0, 2, 0, pick(4), pick(4),
				    pick(2) ? pick(4096) : nonsense(), 1 | pick(9) << 16,
				    pick(4), nonsense(), nonsense() };

	memcpy(at, header, sizeof(header));
}

/* Request headers of a disk and of sockets, rings, and anything. */
static void fuzz_memory(void)
{
	uint32_t at = pick(ARENA_USED) & ~15u, type = pick(20);
	uint32_t header[4] = { type, nonsense(), nonsense(), 0 };

	if (type == DISK_WRITE && !may_write_disk)
		header[0] = DISK_READ;
	switch (pick(4)) {
	case 0:
		memcpy(arena + at, header, sizeof(header));
		break;
	case 1:
		fuzz_packet(arena + at);
		break;
	case 2:
		for (unsigned i = 0; i < 64; i += 2)
			put16(arena + at + i, pick(512));
		break;
	default:
		fuzz_descriptors();
	}
}

static void write_sized(uintptr_t address, unsigned width, uint32_t value)
{
	if (width == 1)
		mmio_write8(address, value);
	else if (width == 2)
		mmio_write16(address & ~1ul, value);
	else
		mmio_write32(address & ~3ul, value);
}

static void fuzz_common(const struct virtio *device)
{
	unsigned offset = pick(VIRTIO_COMMON_SIZE);

	if (offset >= QUEUE_ADDRESSES) {
		offset &= ~3u;
		mmio_write32(device->common + offset,
			     (offset & 4) != 0 ? high_address() : low_address());
		return;
	}
	if (device->type == VIRTIO_BALLOON && (offset & ~3u) == QUEUE_ENABLE)
		return;
	write_sized(device->common + offset, 1 << pick(3), pick(2) ? pick(4) : nonsense());
}

/* A queue that could be right, so that what is wrong lies deeper. */
static void fuzz_queue(const struct virtio *device)
{
	unsigned n = device->type == VIRTIO_BALLOON ? 1 + pick(4) : pick(5);

	mmio_write8(device->common + VIRTIO_STATUS, 0);
	mmio_write8(device->common + VIRTIO_STATUS, 3);
	for (unsigned half = 0; half < 2; half++) {
		mmio_write32(device->common + 8, half);
		mmio_write32(device->common + 12, half == 1 ? 1 : random_next(&chance));
	}
	mmio_write8(device->common + VIRTIO_STATUS, 11);
	mmio_write16(device->common + 0x16, n);
	mmio_write16(device->common + 0x18, pick(4) ? 1u << pick(9) : nonsense());
	for (unsigned i = 0; i < 3; i++) {
		mmio_write32(device->common + QUEUE_ADDRESSES + i * 8 + 4, high_address());
		mmio_write32(device->common + QUEUE_ADDRESSES + i * 8, low_address() & -16u);
	}
	mmio_write16(device->common + QUEUE_ENABLE, 1);
	mmio_write8(device->common + VIRTIO_STATUS, 15);
	mmio_write16(device->notify + n * device->notify_multiplier, n);
}

static void fuzz_msix(const struct virtio *device)
{
	uintptr_t entry = device->msix + pick(device->msix_entries) * 16;

	switch (pick(3)) {
	case 0:
		mmio_write32(entry + 4 * pick(2), nonsense());
		break;
	case 1:
		/* Timer, network and disk: their handlers only look. */
		mmio_write32(entry + 8, VECTOR_TIMER + pick(4));
		break;
	default:
		mmio_write32(entry + 12, nonsense());
	}
}

static struct virtio *device_at(unsigned n)
{
	return n == 0 ? nic_device() : n == 1 ? disk_device() : &others[n - OWN_DEVICES];
}

/* A device that is there; its common part is 0 otherwise. */
static void find_others(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		if (!virtio_open(&others[i], others[i].type, 0))
			others[i].common = 0;
}

static void fuzz_device(struct virtio *device)
{
	if (device->common == 0)
		return;
	switch (pick(8)) {
	case 0:
	case 1:
		fuzz_common(device);
		break;
	case 2:
		fuzz_queue(device);
		break;
	case 3:
		write_sized(device->config + pick(device->config_size), 1 << pick(3), nonsense());
		break;
	case 4:
	case 5:
		write_sized(device->notify + pick(device->notify_size), 2,
			    pick(4) ? pick(4) : nonsense());
		break;
	case 6:
		fuzz_msix(device);
		break;
	default:
		mmio_read8(device->isr != 0 ? device->isr : device->common);
	}
}

static void save_config(void)
{
	for (unsigned f = 0; f < pci_count; f++)
		for (unsigned i = 0; i < CONFIG_DWORDS; i++)
			saved[f][i] = pci_port_read(pci_functions[f].devfn, i * 4);
}

/* Puts back what fuzz_pci() changed, or its device would be out of reach for the rest. */
static void restore_config(void)
{
	for (unsigned f = 0; f < pci_count; f++) {
		for (unsigned i = 0; changed[f] && i < CONFIG_DWORDS; i++)
			pci_port_write(pci_functions[f].devfn, i * 4, saved[f][i]);
		changed[f] = false;
	}
}

static void fuzz_pci(void)
{
	unsigned n = pick(pci_count);
	const struct pci_function *f = &pci_functions[n];
	unsigned offset = pick(CONFIG_DWORDS) * 4;

	/* ICH9's RCBA and Q35's SMRAM can hide RAM, where a machine has them. */
	if ((f->devfn == 0xf8 && offset == 0xf0) || (f->devfn == 0 && (offset & ~15u) == 0x90))
		return;
	changed[n] = true;
	pci_port_write(f->devfn, offset, nonsense());
	pci_port_read(f->devfn, pick(CONFIG_DWORDS) * 4);
}

/* A BAR of an Intel device, which becomes a master of the bus; 0: there is none. */
static uintptr_t find_master(uint16_t device, unsigned bar, uint32_t size)
{
	for (unsigned f = 0; f < pci_count; f++) {
		uint8_t devfn = pci_functions[f].devfn;
		uintptr_t address;

		if (pci_functions[f].vendor != 0x8086 || pci_functions[f].device != device)
			continue;
		address = pci_bar(devfn, bar);
		if (address == 0 || !memory_map_device(address, size))
			return 0;
		pci_write(devfn, PCI_COMMAND, pci_read(devfn, PCI_COMMAND) | PCI_COMMAND_MASTER);
		return address;
	}
	return 0;
}

static void find_small(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(small); i++)
		for (unsigned f = 0; f < pci_count; f++)
			if (pci_functions[f].vendor == small[i].vendor &&
			    pci_functions[f].device == small[i].device)
				small[i].bar = pci_bar(pci_functions[f].devfn, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(small); i++)
		if (small[i].bar != 0 && !memory_map_device(small[i].bar, SMALL_SIZE))
			small[i].bar = 0;
}

static void fuzz_small(void)
{
	uintptr_t bar = small[pick(ARRAY_SIZE(small))].bar;

	if (bar == 0)
		return;
	/* What unlocks the watchdog. */
	if (pick(2) != 0) {
		mmio_write8(bar + 0xc, 0x80);
		mmio_write8(bar + 0xc, 0x86);
	}
	write_sized(bar + pick(SMALL_SIZE), 1 << pick(3), nonsense());
	mmio_read32(bar + 4 * pick(SMALL_SIZE / 4));
}

static bool forbidden(uint16_t port, unsigned width)
{
	static const struct {
		uint16_t first, last;
	} ranges[] = { { 0x20, 0x21 },   { 0xa0, 0xa1 },   { 0x92, 0x92 },  { 0xcf9, 0xcf9 },
		       { 0x514, 0x51b }, { 0x660, 0x67f }, { 0xcfc, 0xcff } };

	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++)
		if (port <= ranges[i].last && port + width > ranges[i].first &&
		    !(port == 0xcf8 && width == 4))
			return true;
	return false;
}

/* A register of any kind, with a value that it can have. */
static void fuzz_card_register(void)
{
	static const uint16_t places[] = { 0x0,   0x10,  0x14,  0x18,   0x20,   0xc0,   0xc4,  0xc8,
					   0xd0,  0xd8,  0xdc,  0xe0,   0xe4,   0xe8,   0x100, 0x400,
					   0x2170, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x3800, 0x3804,
					   0x3808, 0x3810, 0x3818, 0x3900, 0x3904, 0x3908, 0x3918, 0x5008 };
	unsigned offset = pick(4) != 0 ? places[pick(ARRAY_SIZE(places))] : pick(0x6000) & ~3u;
	uint32_t value = nonsense();

	if ((offset & ~0x1100u) == 0x2800)
		value = low_address();
	else if ((offset & ~0x1100u) == 0x2804)
		value = high_address();
	else if (offset == CARD_RCTL)
		value &= ~0xc00u; /* what packet split leaves in a descriptor may be an address */
	mmio_write32(card + offset, value);
	mmio_read32(card + (pick(2) != 0 ? offset : pick(0x6000) & ~3u));
}

/* A ring that could be right, in use. */
static void fuzz_card_ring(void)
{
	uintptr_t ring = card + (pick(2) != 0 ? CARD_TRANSMIT : CARD_RECEIVE) + 0x100 * (pick(4) == 0);

	mmio_write32(ring + 4, high_address());
	mmio_write32(ring, low_address() & -16u);
	mmio_write32(ring + 8, (1 + pick(32)) * 128);
	mmio_write32(ring + 0x10, pick(4) == 0 ? nonsense() : 0);
	mmio_write32(card + 0x400, 2);
	mmio_write32(card + CARD_RCTL, 0x801a | (pick(16) << 16 & 0x30000));
	mmio_write32(ring + 0x18, pick(4) == 0 ? nonsense() : pick(64));
}

static void fuzz_card(void)
{
	if (card == 0)
		return;
	if (pick(4) != 0)
		fuzz_card_register();
	else
		fuzz_card_ring();
}

/* Reads into the arena, with lengths that stay in it. */
static void fuzz_regions(uint8_t *table, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t region[4] = { low_address(), high_address(), nonsense(),
				       pick(ARENA - ARENA_USED) | pick(2) << 31 };

		memcpy(table + 0x80 + 16 * i, region, sizeof(region));
	}
}

/* A command that could be right: of a disk, of a CD-ROM drive (ATA-8 ACS, MMC), or anything. */
static void fuzz_command(uint32_t list, unsigned slot)
{
	static const uint8_t commands[] = { 0x20, 0x24, 0x25, 0x60, 0xa0, 0xa1, 0xc8, 0xe7,
					    0xea, 0xec, 0xef, 0xf5, 0x27, 0xf8, 0x40, 0x06 };
	static const uint8_t writes[] = { 0x30, 0x34, 0x35, 0x61, 0xca };
	static const uint8_t packets[] = { 0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x43,
					   0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xbd };
	uint32_t table = (uint32_t)(uintptr_t)arena + ARENA - (1 + pick(COMMANDS)) * TABLE_SIZE;
	uint8_t *bytes = (uint8_t *)(uintptr_t)table;
	bool writing = may_write_disk && pick(4) == 0;
	unsigned regions = pick(9);
	uint32_t header[8] = { 5 | (pick(2) != 0 ? 0x20 : 0) | (writing ? 0x40 : 0) |
			       regions << 16, 0, table, high_address() };

	for (unsigned i = 0; i < 0x80; i++)
		bytes[i] = pick(4) == 0 ? nonsense() : 0;
	bytes[0] = pick(16) != 0 ? 0x27 : nonsense();
	bytes[1] = pick(16) != 0 ? 0x80 : nonsense();
	bytes[2] = writing ? writes[pick(ARRAY_SIZE(writes))] : commands[pick(ARRAY_SIZE(commands))];
	bytes[0x40] = packets[pick(ARRAY_SIZE(packets))];
	fuzz_regions(bytes, regions < 8 ? regions : 8);
	memcpy((uint8_t *)(uintptr_t)list + slot * COMMAND_SIZE, header, sizeof(header));
}

/* A port that could be in order, with commands; or nonsense in its registers. */
static void fuzz_ahci(void)
{
	static const uint8_t places[] = { 0x10, 0x14, 0x18, 0x20, 0x2c, 0x30, 0x34, 0x38 };
	uintptr_t port;
	uint32_t list;

	if (ahci == 0)
		return;
	port = ahci + AHCI_PORT(pick(4) != 0 ? pick(3) : pick(AHCI_PORTS));
	if (pick(4) == 0) {
		mmio_write32(port + places[pick(ARRAY_SIZE(places))], nonsense());
		mmio_write32(ahci + AHCI_CONTROL, AHCI_ENABLED | pick(4));
		mmio_read32(pick(2) != 0 ? port + 4 * pick(0x20) : ahci + 4 * pick(0x40));
		return;
	}
	/* Behind what other devices are given, so that these do not write into it. */
	list = (uint32_t)(uintptr_t)arena + ARENA - COMMANDS * (TABLE_SIZE + COMMAND_SIZE);
	list &= -1024u;
	mmio_write32(ahci + AHCI_CONTROL, AHCI_ENABLED);
	mmio_write32(port, pick(8) != 0 ? list : low_address());
	mmio_write32(port + 4, high_address());
	mmio_write32(port + 8, low_address() & -256u);
	mmio_write32(port + 12, 0);
	mmio_write32(port + 0x18, pick(8) != 0 ? 0x11 : nonsense());
	for (unsigned i = pick(4) + 1; i != 0; i--)
		fuzz_command(list, pick(COMMANDS));
	if (pick(2) != 0)
		mmio_write32(port + 0x34, nonsense());
	mmio_write32(port + 0x38, nonsense());
}

static void fuzz_port(void)
{
	static const uint16_t places[] = { 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff,
					   0x600, 0x602, 0x604, 0x608, 0x620, 0x628, 0x70,  0x71,
					   0x60,  0x64,  0x40,  0x41,  0x42,  0x43,  0x61,  0x80,
					   0xcf8, 0x510, 0x511, 0x402, 0xb2,  0xb3,  0x4d0, 0x4d1,
					   0x3c0, 0x3c2, 0x3c4, 0x3c7, 0x3c9, 0x3ce, 0x3d4, 0x3da };
	uint16_t port = pick(4) ? places[pick(ARRAY_SIZE(places))] : 0x100 + pick(0x2f0);
	unsigned width = 1 << pick(3);
	uint32_t value = nonsense();

	if (forbidden(port, width))
		return;
	if (pick(3) == 0) {
		(void)(width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port));
		return;
	}
	if (port <= 0x605 && port + width > 0x605)
		value &= ~(0x20u << 8 * (0x605 - port)); /* SLP_EN */
	if (port <= 0x3fc && port + width > 0x3fc)
		value &= ~(0x10u << 8 * (0x3fc - port)); /* the UART's loop would type commands */
	/* The keyboard controller: reset pulses and the output port. */
	for (unsigned i = 0; i < width; i++)
		if (port + i == 0x64 &&
		    ((value >> 8 * i & 0xf0) == 0xf0 || (value >> 8 * i & 0xff) == 0xd1))
			return;
	if (width == 1)
		out8(port, value);
	else if (width == 2)
		out16(port, value);
	else
		out32(port, value);
}

static void run(uint64_t number)
{
	for (uint64_t i = 0; i < number && !command_stopped(); i++) {
		unsigned what = pick(16);

		if (what < 4)
			fuzz_memory();
		else if (what < 5)
			fuzz_card();
		else if (what < 6)
			fuzz_ahci();
		else if (what < 12)
			fuzz_device(device_at(pick(DEVICES)));
		else if (what < 13 && pick(2) != 0)
			fuzz_pci();
		else if (what < 13)
			fuzz_small();
		else
			fuzz_port();
		if (i % RESTORE_EVERY == RESTORE_EVERY - 1)
			restore_config();
		if (i % 1024 == 1023)
			task_yield();
	}
}

bool command_fuzz(unsigned count, char **words)
{
	uint64_t seed, number;

	(void)count;
	if (!parse_number(words[1], false, &seed) || !parse_number(words[2], true, &number))
		return false;
	if (arena == NULL)
		arena = memory_take(ARENA);
	if (arena == NULL || pci_count == 0) {
		print("fuzz: no RAM for it, or no devices\n");
		return true;
	}
	may_write_disk = disk_size() != 0 && disk_claim() == NULL;
	chance = (uint32_t)seed * 2654435761u | 1;
	save_config();
	nic_give_up();
	disk_give_up();
	find_others();
	find_small();
	card = find_master(0x10d3, 0, CARD_SIZE);
	ahci = find_master(0x2922, 5, AHCI_SIZE);
	console_flush();
	run(number);
	restore_config();
	for (unsigned n = 0; n < DEVICES; n++)
		if (device_at(n)->common != 0)
			virtio_reset(device_at(n));
	if (card != 0)
		mmio_write32(card, CARD_RESET);
	if (ahci != 0)
		mmio_write32(ahci + AHCI_CONTROL, AHCI_RESET);
	uart_setup();
	acpi_enable_power_button();
	print("\nfuzz: seed %lu, %lu operations, alive; disk and network are off\n", seed, number);
	return true;
}
