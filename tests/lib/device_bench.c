/* All devices of a machine without the machine. */
#include "lib/device_bench.h"

#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/state.h"
#include "core/bus/pci_function.h"
#include "core/bus/platform.h"
#include "core/bus/screen.h"
#include "core/disk/disk.h"
#include "core/machine/devices.h"
#include "net/network.h"
#include "net/switch/offload.h"
#include "net/switch/switch.h"

#define ECAM(slot) (PLATFORM_ECAM_BASE + ((slot) << 15))

/* Rings: queue n of a device at RING(device, n); buffers behind them. */
#define RING(device, n) (0x1000u + (device) * 0x5000u + (n) * 0x1000u)
#define AVAILABLE 0x400u
#define USED 0x800u
#define RX 0u
#define TX 1u

#define NEXT BENCH_NEXT
#define WRITE BENCH_WRITE

struct bench_effects bench_effects;

static bool routes[IRQ_MSI_MAX]; /* given to a vector */
/* The ports of [net0], a virtio card, and [net1], an e1000e one. */
static struct {
	struct net_port_ops ops;
	void *backend;
} nic_ports[2];

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s\n", what);
	abort();
}

/* --- what is around the devices --- */

void irq_set_line(struct irq_router *router, unsigned line, bool level)
{
	(void)router;
	bench_effects.level[line] = level;
}

int irq_msi_alloc(struct irq_router *router)
{
	(void)router;
	for (int i = 0; i < IRQ_MSI_MAX; i++)
		if (!routes[i]) {
			routes[i] = true;
			return IRQ_LINES + i;
		}
	return -ENOSPC;
}

void irq_msi_free(struct irq_router *router, int gsi)
{
	(void)router;
	routes[gsi - IRQ_LINES] = false;
}

int irq_msi_set(struct irq_router *router, int gsi, int fd, uint64_t address, uint32_t data)
{
	must(routes[gsi - IRQ_LINES] && fd >= 0, "a route that is nobody's");
	(void)router;
	(void)address;
	(void)data;
	return 0;
}

void irq_msi_clear(struct irq_router *router, int gsi, int fd)
{
	(void)router;
	(void)gsi;
	(void)fd;
}

struct net_switch *network_find_switch(struct network *network, const char *name)
{
	(void)name;
	return (struct net_switch *)network;
}

const struct switch_config *switch_get_config(const struct net_switch *sw)
{
	static const struct switch_config config;

	(void)sw;
	return &config;
}

int switch_port_add(struct net_port **out, struct net_switch *sw,
		    const struct net_port_config *config, const struct net_port_ops *ops,
		    void *backend, struct cause *cause)
{
	unsigned n = (unsigned)(config->name[strlen(config->name) - 1] - '0');

	(void)sw;
	(void)cause;
	must(n < ARRAY_SIZE(nic_ports), config->name);
	nic_ports[n].ops = *ops;
	nic_ports[n].backend = backend;
	*out = (struct net_port *)&nic_ports[n];
	return 0;
}

void switch_port_remove(struct net_port *port)
{
	memset(port, 0, sizeof(nic_ports[0]));
}

void switch_port_accepts(struct net_port *port, uint32_t accepts)
{
	(void)port;
	(void)accepts;
}

void switch_port_counters(const struct net_port *port, struct net_port_counters *out)
{
	(void)port;
	memset(out, 0, sizeof(*out));
}

/* As the switch has it: of all of its bytes, and of the segments that it is to be. */
static void swallow(const struct net_frame *frame)
{
	static struct offload_scratch scratch;
	uint64_t size = frame->head_size;

	for (unsigned i = 0; i < frame->rest_count; i++)
		size += frame->rest[i].iov_len;
	must(size == frame->size && frame->head_size <= NET_HEAD_MAX, "a frame with another size");
	if (size < NET_FRAME_MIN || size > NET_FRAME_MAX || frame->rest_count > NET_REST_MAX ||
	    !offload_valid(frame))
		return;
	offload_begin(&scratch, frame);
	while (offload_next(&scratch))
		;
}

void switch_input(struct net_port *from, const struct net_frame *frames, unsigned count)
{
	(void)from;
	bench_effects.sent += count;
	for (unsigned i = 0; i < count; i++)
		swallow(&frames[i]);
}

/*
 * Frames to addresses that begin with one of these go to receivers that have room now and then; the
 * second byte is the receiver.
 */
#define SLOW 0x0e

static struct {
	struct port_set held;
	unsigned sends;
} slow;

uint64_t switch_patience(const struct net_port *port)
{
	(void)port;
	return NS_PER_MS;
}

uint64_t switch_send(struct net_port *from, const struct net_frame *frames, unsigned count,
		     struct net_stay *some)
{
	bool room = ++slow.sends % 4 == 0;
	uint64_t stay = 0;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *head = frames[i].head;

		if (frames[i].head_size < NET_FRAME_MIN || (head[0] & 0x0f) != SLOW ||
		    (some->expired >> i & 1) || (room && !port_set_has(&slow.held, head[1]))) {
			switch_input(from, &frames[i], 1);
			continue;
		}
		port_set_add(&slow.held, head[1]);
		some->to[i] = head[1];
		stay |= 1ull << i;
	}
	return stay;
}

void switch_offer_again(struct net_port *port)
{
	(void)port;
	memset(&slow.held, 0, sizeof(slow.held));
}

bool switch_stays_on(struct net_port *port, uint32_t slot)
{
	(void)port;
	return port_set_has(&slow.held, slot);
}

void switch_resume(struct net_port *port, const struct port_set *senders)
{
	(void)port;
	(void)senders;
}

void switch_port_refuse(struct net_port *port, enum net_verdict verdict)
{
	(void)port;
	must(verdict == NET_DROP_NO_BUFFER, "another reason");
}

static void print(void *host, unsigned console, const uint8_t *data, size_t size)
{
	(void)host;
	must(console < CONSOLES, "a console that there is not");
	for (size_t i = 0; i < size; i++)
		bench_effects.last[bench_effects.printed++ % sizeof(bench_effects.last)] = data[i];
}

static void power_off(void *host)
{
	(void)host;
	bench_effects.power_offs++;
}

static void reset(void *host)
{
	(void)host;
	bench_effects.resets++;
}

static void remedy(void *host, enum profile_remedy remedy, const char *why)
{
	(void)host;
	bench_effects.remedies[remedy]++;
	bench_effects.why = why;
}

static void full(void *host, const char *why)
{
	(void)host;
	must(bench_effects.may_wait, why);
	bench_effects.waits++;
}

static void notice(void *host, const char *text)
{
	(void)host;
	(void)text;
	bench_effects.notices++;
}

/* --- life --- */

int bench_disk_file(void)
{
	struct io_uring uring;
	int fd;

	if (io_uring_queue_init(1, &uring, 0) < 0)
		return -1;
	io_uring_queue_exit(&uring);
	fd = memfd_create("disk", MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, BENCH_IMAGE) == 0, "no file for a disk");
	return fd;
}

static char folder[] = "/tmp/vmdeck-bench-XXXXXX";

static void remove_folder(void)
{
	rmdir(folder);
}

const char *bench_vsock_path(void)
{
	static char path[sizeof(folder) + sizeof("/vsock")];

	if (!path[0]) {
		must(mkdtemp(folder), "no folder for sockets");
		atexit(remove_folder);
		snprintf(path, sizeof(path), "%s/vsock", folder);
	}
	return path;
}

void bench_create(struct device_bench *bench, int disk_fd)
{
	bench_create_changed(bench, disk_fd, NULL);
}

/* A SATA disk of its own, and a CD-ROM drive without a medium. */
static void describe_sata(struct device_bench *bench, bool wanted)
{
	static char path[64];

	bench->sata_fd = wanted ? bench_disk_file() : -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", bench->sata_fd);
	bench->profile.disks[1] = (struct profile_disk){ .present = wanted, .path = path,
							 .bus = DISK_BUS_SATA };
	bench->profile.disks[2] = (struct profile_disk){ .present = wanted, .cdrom = true };
}

static void create_devices(struct device_bench *bench)
{
	static int network; /* its address is one that network_find_switch() knows */
	struct cause cause = { "" };

	bench->set = (struct device_set){
		.host = {
			.io = &bench->io,
			.mmio = &bench->mmio,
			.irq = &bench->irq,
			.memory = &bench->memory,
			.loop = &bench->loop,
			.vm_fd = -1, /* doorbells are accesses */
			.profile = &bench->profile,
			.media = &bench->media,
			.network = (struct network *)&network,
			.print = print,
			.power_off = power_off,
			.reset = reset,
			.remedy = remedy,
			.watchdog_reset = &bench_effects.watchdog_reset,
			.clock_offset = &bench_effects.clock_offset,
			.full = full,
			.notice = notice,
		},
		.hot = { bench->hot, sizeof(bench->hot) },
	};
	must(devices_create(&bench->set, device_table, &cause) == 0, cause.text);
}

void bench_create_changed(struct device_bench *bench, int disk_fd,
			  void (*change)(struct profile *profile))
{
	static char path[64];
	struct cause cause = { "" };

	memset(bench, 0, sizeof(*bench));
	memset(bench_effects.level, 0, sizeof(bench_effects.level));
	memset(&slow, 0, sizeof(slow));
	must(loop_init(&bench->loop, &cause) == 0, cause.text);
	snprintf(bench->profile.name, sizeof(bench->profile.name), "a");
	bench->profile.cpus = BENCH_CPUS;
	bench->profile.rng = bench->profile.balloon = true;
	bench->profile.vga = PROFILE_VGA_YES;
	bench->profile.console = CONSOLE_VIRTIO;
	bench->profile.vsock = (struct profile_vsock){ .present = true, .cid = 3,
						       .path = (char *)bench_vsock_path() };
	bench->profile.on_panic = bench->profile.watchdog = REMEDY_REPORT;
	for (unsigned n = 0; n < ARRAY_SIZE(nic_ports); n++) {
		bench->nets[n].mac[0] = 2;
		bench->nets[n].model = n ? NET_MODEL_E1000E : NET_MODEL_VIRTIO;
		bench->profile.nets[n] = &bench->nets[n];
	}
	bench->profile.disks[0].present = disk_fd >= 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk_fd);
	bench->profile.disks[0].path = path;
	describe_sata(bench, disk_fd >= 0);
	if (change)
		change(&bench->profile);
	must(memory_create_backed(&bench->memory, BENCH_RAM,
				  devices_share_memory(device_table, &bench->profile) ? MEMORY_MEMFD
										      : MEMORY_ANON,
				  &cause) == 0, cause.text);
	create_devices(bench);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop for a while, or until it is stopped. */
static void run_loop(struct device_bench *bench, uint64_t ns)
{
	struct loop_timer limit = { .fire = stop_loop, .arg = &bench->loop };

	loop_timer_set(&bench->loop, &limit, ns);
	must(loop_run(&bench->loop) == 0, "the loop");
	loop_timer_cancel(&bench->loop, &limit);
}

void bench_settle(struct device_bench *bench)
{
	struct loop_task task = { .run = stop_loop, .arg = &bench->loop };

	for (unsigned i = 0; i < 3; i++) {
		loop_post(&bench->loop, &task);
		must(loop_run(&bench->loop) == 0, "the loop");
	}
}

void bench_stop(struct device_bench *bench)
{
	for (unsigned i = 0; !devices_stop(&bench->set); i++) {
		must(i < 10000, "a device is not drained");
		run_loop(bench, NS_PER_MS);
	}
}

static void destroy_devices(struct device_bench *bench)
{
	for (unsigned i = 0; !devices_reset(&bench->set); i++) {
		must(i < 10000, "a device does not end");
		run_loop(bench, NS_PER_MS);
	}
	devices_destroy(&bench->set);
}

void bench_renew(struct device_bench *bench)
{
	destroy_devices(bench);
	bench->io = bench->mmio = (struct bus){ 0 };
	bench->irq = (struct irq_router){ 0 };
	create_devices(bench);
}

void bench_destroy(struct device_bench *bench)
{
	destroy_devices(bench);
	disks_media_free(&bench->media);
	if (bench->sata_fd >= 0)
		close(bench->sata_fd);
	memory_destroy(&bench->memory);
	loop_destroy(&bench->loop);
	for (unsigned i = 0; i < IRQ_MSI_MAX; i++)
		must(!routes[i], "a route was not given back");
}

struct bench_saved bench_save_devices(struct device_bench *bench)
{
	struct bench_saved saved = { .ram = malloc(BENCH_RAM) };
	struct state_writer writer = { 0 };

	bench_stop(bench);
	devices_save(&bench->set, &writer);
	must(saved.ram && state_end(&writer, &saved.data, &saved.size, NULL) == 0, "no memory");
	memcpy(saved.level, bench_effects.level, sizeof(saved.level));
	memcpy(saved.ram, memory_at(&bench->memory, 0, BENCH_RAM), BENCH_RAM);
	return saved;
}

struct bench_saved bench_save(int disk_fd)
{
	struct device_bench *bench = malloc(sizeof(*bench));
	struct bench_saved saved;

	must(bench, "no memory");
	bench_create(bench, disk_fd);
	bench_use(bench);
	saved = bench_save_devices(bench);
	bench_destroy(bench);
	free(bench);
	return saved;
}

void bench_saved_free(struct bench_saved *saved)
{
	free(saved->data);
	free(saved->ram);
}

int bench_load(struct device_bench *bench, const uint8_t *ram, const uint8_t *data, size_t size,
	       struct cause *cause)
{
	struct state_reader reader = { 0 };
	int err = state_open(&reader, data, size, cause);

	memcpy(memory_at(&bench->memory, 0, BENCH_RAM), ram, BENCH_RAM);
	if (!err)
		err = devices_load(&bench->set, &reader, cause);
	if (!err)
		err = state_all_found(&reader, cause);
	state_close(&reader);
	return err;
}

/* --- a guest --- */

static void out(struct device_bench *bench, uint16_t port, uint32_t value, unsigned length)
{
	bus_write(&bench->io, port, &value, length);
}

static uint64_t get(struct device_bench *bench, uint64_t address, unsigned length)
{
	uint64_t value = 0;

	bus_read(&bench->mmio, address, &value, length);
	return value;
}

static void set(struct device_bench *bench, uint64_t address, uint64_t value, unsigned length)
{
	bus_write(&bench->mmio, address, &value, length);
}

static void *at(struct device_bench *bench, uint64_t address)
{
	return memory_at(&bench->memory, address, 1);
}

/* The devices with a driver of virtio, by name; a ring's address is of the row's number. */
static const char *const names[] = { [BENCH_DISK] = "disk0", [BENCH_NIC] = "net0",
				     [BENCH_RNG] = "rng", [BENCH_BALLOON] = "balloon",
				     [BENCH_VSOCK] = "vsock",
				     [BENCH_CONSOLE] = "console" };

uint64_t bench_function(struct device_bench *bench, const char *name)
{
	for (unsigned i = 0; i < bench->set.count; i++)
		if (!strcmp(bench->set.devices[i].name, name))
			return ECAM((uint64_t)bench->set.devices[i].slot);
	must(false, name);
	return 0;
}

static uint64_t config_of(struct device_bench *bench, enum bench_device device)
{
	return bench_function(bench, names[device]);
}

static uint64_t bar(struct device_bench *bench, enum bench_device device)
{
	return get(bench, config_of(bench, device) + PCI_BAR0, 4) & ~0xfull;
}

/* Finds the capability of MSI-X and switches it on. */
static void enable_msix(struct device_bench *bench, enum bench_device device)
{
	uint64_t base = bar(bench, device), config = config_of(bench, device);
	unsigned capability = (unsigned)get(bench, config + PCI_CAPABILITIES, 1);

	while (capability && get(bench, config + capability, 1) != 0x11)
		capability = (unsigned)get(bench, config + capability + 1, 1);
	set(bench, config + capability + 2, 0x8000, 2);
	for (unsigned n = 0; n < 3; n++) {
		set(bench, base + 0x2000 + 16 * n, 0xfee00000, 8);
		set(bench, base + 0x2008 + 16 * n, 0x40 + n, 4);
		set(bench, base + 0x200c + 16 * n, n == 2, 4); /* the last stays masked */
	}
}

bool bench_start_driver(struct device_bench *bench, enum bench_device device, unsigned queues,
			uint32_t features, bool msix)
{
	uint64_t base = bar(bench, device);

	set(bench, config_of(bench, device) + PCI_COMMAND,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	if (msix)
		enable_msix(bench, device);
	set(bench, base + 0x14, 0, 1);
	for (unsigned i = 0; get(bench, base + 0x14, 1); i++) {
		must(i < 10000, "a device is not reset");
		run_loop(bench, NS_PER_MS);
	}
	memset(at(bench, RING(device, 0)), 0, queues * 0x1000);
	bench->event_idx &= ~(1u << device);
	if (features & BENCH_EVENT_IDX)
		bench->event_idx |= 1u << device;
	set(bench, base + 0x14, 3, 1);
	set(bench, base + 0x08, 0, 4);
	set(bench, base + 0x0c, features, 4);
	set(bench, base + 0x08, 1, 4);
	set(bench, base + 0x0c, 1, 4); /* VERSION_1 */
	set(bench, base + 0x14, 0x0b, 1);
	for (unsigned n = 0; n < queues; n++) {
		set(bench, base + 0x16, n, 2);
		set(bench, base + 0x18, BENCH_RING, 2);
		set(bench, base + 0x1a, msix ? n + 1 : 0xffff, 2);
		set(bench, base + 0x20, RING(device, n), 8);
		set(bench, base + 0x28, RING(device, n) + AVAILABLE, 8);
		set(bench, base + 0x30, RING(device, n) + USED, 8);
		set(bench, base + 0x1c, 1, 2);
	}
	set(bench, base + 0x14, 0x0f, 1);
	return get(bench, base + 0x14, 1) == 0x0f;
}

uint64_t bench_config(struct device_bench *bench, enum bench_device device, unsigned offset,
		      unsigned length)
{
	return get(bench, bar(bench, device) + 0x800 + offset, length);
}

void bench_set_config(struct device_bench *bench, enum bench_device device, unsigned offset,
		      uint64_t value, unsigned length)
{
	set(bench, bar(bench, device) + 0x800 + offset, value, length);
}

uint8_t bench_status(struct device_bench *bench, enum bench_device device)
{
	return (uint8_t)get(bench, bar(bench, device) + 0x14, 1);
}

uint8_t bench_generation(struct device_bench *bench, enum bench_device device)
{
	return (uint8_t)get(bench, bar(bench, device) + 0x15, 1);
}

int bench_resize(struct device_bench *bench, const char *device, uint64_t bytes,
		 struct cause *cause)
{
	struct device_size size = { .bytes = bytes };
	int err = devices_resize(&bench->set, device, &size, cause);

	if (!err && size.growth)
		err = disk_growth_run(size.growth, cause);
	if (!err && size.growth)
		err = devices_resize(&bench->set, device, &size, cause);
	disk_growth_free(size.growth);
	return err;
}

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

void *bench_at(struct device_bench *bench, uint64_t address)
{
	return memory_at(&bench->memory, address, 1);
}

void bench_describe(struct device_bench *bench, enum bench_device device, unsigned n, unsigned i,
		    uint64_t address, uint32_t length, uint16_t flags)
{
	struct descriptor *table = at(bench, RING(device, n));

	table[i] = (struct descriptor){ address, length, flags, (uint16_t)(i + 1) };
}

void bench_offer(struct device_bench *bench, enum bench_device device, unsigned n, uint16_t head)
{
	uint16_t *available = at(bench, RING(device, n) + AVAILABLE);

	available[2 + available[1] % BENCH_RING] = head;
	__atomic_store_n(&available[1], (uint16_t)(available[1] + 1), __ATOMIC_RELEASE);
}

void bench_kick(struct device_bench *bench, enum bench_device device, unsigned n)
{
	const uint16_t *ring = at(bench, RING(device, n) + USED);
	uint16_t offered = ((uint16_t *)at(bench, RING(device, n) + AVAILABLE))[1];
	bool wanted = bench->event_idx & 1u << device
			      ? (uint16_t)(offered - 1) == ring[2 + 4 * BENCH_RING]
			      : !(ring[0] & 1);

	if (!wanted)
		return;
	set(bench, bar(bench, device) + 0x1000 + 4 * n, n, 2);
}

unsigned bench_used(struct device_bench *bench, enum bench_device device, unsigned n)
{
	return __atomic_load_n((uint16_t *)at(bench, RING(device, n) + USED) + 1,
			       __ATOMIC_ACQUIRE);
}

uint32_t bench_used_length(struct device_bench *bench, enum bench_device device, unsigned n)
{
	uint32_t *entries = at(bench, RING(device, n) + USED + 4);

	return entries[2 * ((bench_used(bench, device, n) - 1) % BENCH_RING) + 1];
}

bool bench_wait_used(struct device_bench *bench, enum bench_device device, unsigned n,
		     unsigned wanted)
{
	uint64_t end = clock_monotonic() + 10 * NS_PER_S;

	while (bench_used(bench, device, n) != wanted && clock_monotonic() < end)
		run_loop(bench, NS_PER_MS);
	return bench_used(bench, device, n) == wanted;
}

unsigned bench_disk_used(struct device_bench *bench)
{
	return bench_used(bench, BENCH_DISK, 0);
}

unsigned bench_sent_used(struct device_bench *bench)
{
	return bench_used(bench, BENCH_NIC, TX);
}

void bench_disk_ask(struct device_bench *bench, unsigned n, uint32_t type, uint64_t sector,
		    uint32_t size)
{
	uint64_t header = BENCH_BUFFERS + 32 * n;
	bool in = type == 0 || type == 8; /* read, identity */

	memcpy(at(bench, header), &(uint64_t[]){ type, sector }, 16);
	*(uint8_t *)at(bench, header + 16) = 0xff;
	bench_describe(bench, BENCH_DISK, n, 0, header, 16, NEXT);
	bench_describe(bench, BENCH_DISK, n, 1, BENCH_DISK_DATA + 0x1000 * n, size,
		       in ? NEXT | WRITE : NEXT);
	bench_describe(bench, BENCH_DISK, n, 2, header + 16, 1, WRITE);
	bench_offer(bench, BENCH_DISK, n, 0);
	bench_kick(bench, BENCH_DISK, n);
}

uint8_t bench_disk_status(struct device_bench *bench, unsigned n)
{
	return *(uint8_t *)at(bench, BENCH_BUFFERS + 32 * n + 16);
}

void bench_disk_read(struct device_bench *bench)
{
	bench_disk_ask(bench, 0, 0, 0, 512);
}

void bench_send(struct device_bench *bench)
{
	bench_describe(bench, BENCH_NIC, TX, 0, BENCH_BUFFERS + 0x2000, 12 + 60, 0);
	bench_offer(bench, BENCH_NIC, TX, 0);
	bench_kick(bench, BENCH_NIC, TX);
}

static void start_driver(struct device_bench *bench, enum bench_device device, unsigned queues,
			 uint32_t features, bool msix)
{
	must(bench_start_driver(bench, device, queues, features, msix), "a driver is refused");
}

/* A request of the entropy device. */
static void ask_for_bytes(struct device_bench *bench)
{
	bench_describe(bench, BENCH_RNG, 0, 0, BENCH_BUFFERS + 0xa000, 64, WRITE);
	bench_offer(bench, BENCH_RNG, 0, 0);
	bench_kick(bench, BENCH_RNG, 0);
}

/* The balloon's buffer of statistics, which it keeps: there are 7 MiB free. */
static void offer_stats(struct device_bench *bench)
{
	static const uint8_t free[10] = { 4, 0, 0, 0, 0x70 };

	memcpy(at(bench, BENCH_BUFFERS + 0xb000), free, sizeof(free));
	bench_describe(bench, BENCH_BALLOON, 2, 0, BENCH_BUFFERS + 0xb000, sizeof(free), 0);
	bench_offer(bench, BENCH_BALLOON, 2, 0);
	bench_kick(bench, BENCH_BALLOON, 2);
}

/* A buffer for events and one for packets; a program of the guest's finds nobody on the host. */
static void use_vsock(struct device_bench *bench)
{
	static const uint8_t request[44] = { 3, [8] = 2, [16] = 1, [20] = 1, [28] = 1, [30] = 1 };

	memcpy(at(bench, BENCH_BUFFERS + 0xc000), request, sizeof(request));
	for (unsigned n = 0; n < 3; n++) {
		bench_describe(bench, BENCH_VSOCK, n, 0, BENCH_BUFFERS + 0xc000 + (n ^ 1) * 0x100,
			       sizeof(request), n == TX ? 0 : WRITE);
		bench_offer(bench, BENCH_VSOCK, n, 0);
		bench_kick(bench, BENCH_VSOCK, n);
	}
}

/* A line to be printed, and a buffer for less than was typed. */
static void use_console(struct device_bench *bench)
{
	memcpy(at(bench, BENCH_BUFFERS + 0xd000), "hello\n", 6);
	for (unsigned n = 0; n < 2; n++) {
		bench_describe(bench, BENCH_CONSOLE, n, 0, BENCH_BUFFERS + 0xd000 + (n ^ 1) * 0x100,
			       6, n == TX ? 0 : WRITE);
		bench_offer(bench, BENCH_CONSOLE, n, 0);
		bench_kick(bench, BENCH_CONSOLE, n);
	}
}

bool bench_deliver(unsigned nic)
{
	static uint8_t data[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct net_frame frame = { .head = data, .head_size = 60, .size = 60 };
	const struct net_frame *list[] = { &frame };
	enum net_verdict verdict = NET_FORWARD;
	unsigned taken = nic_ports[nic].ops.deliver(nic_ports[nic].backend, 0, list, 1, &verdict);

	nic_ports[nic].ops.flush(nic_ports[nic].backend);
	return taken == 1;
}

static void give_buffers(struct device_bench *bench)
{
	for (unsigned i = 0; i < 4; i++) {
		bench_describe(bench, BENCH_NIC, RX, i, BENCH_BUFFERS + 0x4000 + i * 0x1000, 0x800,
			       WRITE);
		bench_offer(bench, BENCH_NIC, RX, (uint16_t)i);
	}
}

/* The e1000e card: rings of 8 descriptors, and their registers. */
#define E1000E_TX 0x38000u
#define E1000E_RX 0x39000u
#define E1000E_IMS 0xd0u
#define E1000E_RCTL 0x100u
#define E1000E_TCTL 0x400u
#define E1000E_RDBAL 0x2800u
#define E1000E_TDBAL 0x3800u

static uint64_t e1000e_base(struct device_bench *bench)
{
	return get(bench, bench_function(bench, "net1") + PCI_BAR0, 4) & ~0xfull;
}

void bench_set_link(unsigned nic, bool up)
{
	nic_ports[nic].ops.link(nic_ports[nic].backend, up);
}

bool bench_e1000e_link_changed(struct device_bench *bench)
{
	return get(bench, e1000e_base(bench) + 0xc0, 4) & 4; /* ICR.LSC */
}

unsigned bench_e1000e_head(struct device_bench *bench)
{
	return (unsigned)get(bench, e1000e_base(bench) + E1000E_TDBAL + 0x10, 4);
}

void bench_e1000e_send(struct device_bench *bench)
{
	uint64_t base = e1000e_base(bench) + E1000E_TDBAL;
	unsigned tail = (unsigned)get(bench, base + 0x18, 4) % BENCH_RING;
	uint64_t words[] = { BENCH_BUFFERS + 0x2000, 0x0b00003c };

	memcpy(at(bench, E1000E_TX + 16 * tail), words, sizeof(words));
	set(bench, base + 0x18, (tail + 1) % BENCH_RING, 4);
}

/* A driver with interrupts by INTA#, and four receive buffers. */
static void use_e1000e(struct device_bench *bench)
{
	uint64_t base = e1000e_base(bench);

	set(bench, bench_function(bench, "net1") + PCI_COMMAND,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t address = BENCH_BUFFERS + 0x10000 + i * 0x1000;

		memcpy(at(bench, E1000E_RX + 16 * i), &address, sizeof(address));
	}
	set(bench, base + E1000E_TDBAL, E1000E_TX, 8);
	set(bench, base + E1000E_TDBAL + 8, 16 * BENCH_RING, 4);
	set(bench, base + E1000E_RDBAL, E1000E_RX, 8);
	set(bench, base + E1000E_RDBAL + 8, 16 * BENCH_RING, 4);
	set(bench, base + E1000E_RDBAL + 0x18, 4, 4);
	set(bench, base + E1000E_IMS, 0x81, 4);
	set(bench, base + E1000E_TCTL, 2, 4);
	set(bench, base + E1000E_RCTL, 0x8002, 4);
	must(bench_deliver(1), "a frame is not taken");
	bench_e1000e_send(bench);
}

/* Where the driver of SATA has its things; the disk is at port 1, a CD-ROM drive at port 2. */
#define SATA_LIST (BENCH_BUFFERS + 0x30000u)
#define SATA_FIS (BENCH_BUFFERS + 0x30400u)
#define SATA_TABLE (BENCH_BUFFERS + 0x30800u)
#define SATA_DATA (BENCH_BUFFERS + 0x31000u)
#define SATA_PORT(base, n) ((base) + 0x100 + 0x80 * (n))

static uint64_t sata_base(struct device_bench *bench)
{
	return get(bench, bench_function(bench, "AHCI") + 0x24, 4) & ~0xfull;
}

static void start_sata_port(struct device_bench *bench, uint64_t port)
{
	set(bench, port, SATA_LIST, 4);
	set(bench, port + 0x08, SATA_FIS, 4);
	set(bench, port + 0x14, 0x7dc000ff, 4);
	set(bench, port + 0x18, 0x11, 4);
}

/* A queued read of the first sectors, of one at a time in a slot. */
static void ask_sata(struct device_bench *bench, unsigned slot)
{
	const uint32_t header[] = { 0x10005, 0, SATA_TABLE + 0x100 * slot, 0 };
	const uint32_t fis[] = { 0x08608027, 0x40000000, 0, slot << 3 };
	const uint32_t region[] = { SATA_DATA, 0, 0, 8 * 512 - 1 };
	uint64_t port = SATA_PORT(sata_base(bench), 1);

	memcpy(at(bench, SATA_LIST + slot * 32), header, sizeof(header));
	memcpy(at(bench, SATA_TABLE + 0x100 * slot), fis, sizeof(fis));
	memcpy(at(bench, SATA_TABLE + 0x100 * slot + 0x80), region, sizeof(region));
	set(bench, port + 0x34, 1 << slot, 4);
	set(bench, port + 0x38, 1 << slot, 4);
}

static void use_sata(struct device_bench *bench)
{
	uint64_t base = sata_base(bench);

	set(bench, bench_function(bench, "AHCI") + PCI_COMMAND,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	set(bench, base + 4, 0x80000002, 4);
	start_sata_port(bench, SATA_PORT(base, 1));
	start_sata_port(bench, SATA_PORT(base, 2));
	ask_sata(bench, 0);
}

uint32_t bench_sata_waits(struct device_bench *bench)
{
	uint64_t port = SATA_PORT(sata_base(bench), 1);

	return (uint32_t)(get(bench, port + 0x34, 4) | get(bench, port + 0x38, 4));
}

/* All its registers, then a reset. */
static void drive_sata(struct device_bench *bench)
{
	uint64_t base = sata_base(bench);

	for (unsigned offset = 0; offset < 0x300; offset += 4)
		get(bench, base + offset, 4);
	ask_sata(bench, 2);
	bench_settle(bench);
	for (unsigned port = 0; port < 4; port++) {
		set(bench, SATA_PORT(base, port) + 0x10, ~0u, 4);
		set(bench, SATA_PORT(base, port) + 0x18, 0x10, 4);
	}
	set(bench, base + 4, 0x80000001, 4);
	bench_settle(bench);
}

void bench_use(struct device_bench *bench)
{
	devices_start(&bench->set);
	out(bench, PLATFORM_COM1_PORT + 2, 1, 1);
	out(bench, PLATFORM_COM1_PORT + 4, 0x0b, 1);
	out(bench, PLATFORM_COM1_PORT + 1, 0x03, 1);
	devices_input(&bench->set, CONSOLE_SERIAL,
		      (const uint8_t *)"typed by somebody, more than 16", 31);
	devices_input(&bench->set, CONSOLE_VIRTIO, (const uint8_t *)"and by another", 14);
	devices_window(&bench->set, CONSOLE_VIRTIO, 24, 80);
	out(bench, PLATFORM_CMOS_PORT, 0x40, 1);
	out(bench, PLATFORM_CMOS_PORT + 1, 0x5a, 1);
	out(bench, PLATFORM_CMOS_PORT, 0x0b, 1);
	out(bench, PLATFORM_CMOS_PORT + 1, 0x72, 1); /* all its interrupts */
	out(bench, PLATFORM_I8042_PORT + 4, 0x60, 1);
	out(bench, PLATFORM_I8042_PORT, 0x45, 1);
	must(devices_keys(&bench->set, (const uint8_t *)"typed", 5) == 5, "there is no keyboard");
	out(bench, PLATFORM_I8042_PORT, 0xed, 1);
	out(bench, PLATFORM_VGA_PORT + 0x10, 0x20, 1);
	out(bench, PLATFORM_VGA_PORT + 0x19, 0x3f, 1);
	out(bench, PLATFORM_PM_PORT + 2, 0x100, 2);
	devices_power_button(&bench->set);
	out(bench, PLATFORM_RESET_PORT, 0x02, 1);
	out(bench, PLATFORM_PCI_PORT, 0x80000000, 4);

	start_driver(bench, BENCH_NIC, 2, 0, true);
	give_buffers(bench);
	must(bench_deliver(0), "a frame is not taken");
	bench_send(bench);
	if (bench->profile.disks[0].present) {
		start_driver(bench, BENCH_DISK, 1, 0, false);
		for (unsigned i = 0; i < BENCH_RING / 2; i++)
			bench_disk_read(bench);
	}
	start_driver(bench, BENCH_RNG, 1, 0, true);
	ask_for_bytes(bench);
	start_driver(bench, BENCH_BALLOON, 3, 1u << 1, true);
	offer_stats(bench);
	start_driver(bench, BENCH_VSOCK, 3, 0, true);
	use_vsock(bench);
	use_e1000e(bench);
	if (bench->sata_fd >= 0)
		use_sata(bench);
	set(bench, bench_function(bench, "watchdog") + 0x68, 0x02, 1); /* it runs */
	start_driver(bench, BENCH_CONSOLE, 2, 1, true);
	use_console(bench);
	bench_settle(bench);
	bench_send(bench);
	bench_e1000e_send(bench);
	ask_for_bytes(bench);
	if (bench->profile.disks[0].present)
		bench_disk_read(bench);
	if (bench->sata_fd >= 0)
		ask_sata(bench, 1);
}

/* All registers of a virtio device, with values that hurt. */
static void drive_virtio(struct device_bench *bench, enum bench_device device)
{
	uint64_t base = bar(bench, device), config = config_of(bench, device);

	for (unsigned offset = 0; offset < PCI_CONFIG_SIZE; offset += 4)
		get(bench, config + offset, 4);
	for (unsigned offset = 0; offset < 0x38; offset += 2)
		get(bench, base + offset, 2);
	get(bench, base + 0x400, 1);
	for (unsigned offset = 0; offset < 0x40; offset += 8)
		get(bench, base + 0x800 + offset, 8);
	for (unsigned offset = 0; offset < 0x40; offset += 4)
		get(bench, base + 0x2000 + offset, 4);
	get(bench, base + 0x3000, 8);
	for (unsigned n = 0; n < 2; n++)
		set(bench, base + 0x1000 + 4 * n, n, 2);
	bench_settle(bench);
	set(bench, config + PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	set(bench, config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	set(bench, config + PCI_BAR0, 0xffffc000, 4);
	set(bench, config + PCI_BAR0, base, 4);
}

/* Registers of a device with few of them. */
static void drive_function(struct device_bench *bench, const char *name)
{
	uint64_t config = bench_function(bench, name);
	uint64_t base = get(bench, config + PCI_BAR0, 4) & ~0xfull;

	for (unsigned offset = 0; offset < 0x10; offset += 4) {
		get(bench, base + offset, 4);
		set(bench, base + offset, 0x80, 1);
		set(bench, base + 0xc, 0x80, 1);
		set(bench, base + 0xc, 0x86, 1);
		set(bench, base + offset, 0x301, 2);
	}
	set(bench, config + 0x68, 0, 1);
	set(bench, config + 0x68, 0x07, 1);
}

/* The e1000e card does what it was asked for, then its registers and its ports are read. */
static void drive_e1000e(struct device_bench *bench)
{
	static const struct {
		uint16_t first, end;
	} registers[] = { { 0, 0x200 }, { 0x2800, 0x2820 }, { 0x3800, 0x3820 }, { 0x4080, 0x40a0 } };
	uint64_t base = e1000e_base(bench), config = bench_function(bench, "net1");
	uint16_t ports = (uint16_t)(get(bench, config + PCI_BAR0 + 8, 4) & ~3u);
	uint32_t value;

	bench_e1000e_send(bench);
	bench_settle(bench);
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
		for (unsigned n = registers[i].first; n < registers[i].end; n += 4)
			get(bench, base + n, 4);
	out(bench, ports, E1000E_RCTL, 4);
	bus_read(&bench->io, ports + 4u, &value, 4);
	set(bench, config + PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	set(bench, config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static void drive_port(struct device_bench *bench, uint16_t port)
{
	uint8_t bytes[8];

	for (unsigned length = 1; length <= 4; length *= 2)
		bus_read(&bench->io, port, bytes, length);
}

void bench_drive(struct device_bench *bench)
{
	static const struct {
		uint16_t port, count;
	} ports[] = { { PLATFORM_COM1_PORT, 8 }, { PLATFORM_CMOS_PORT, 2 },
		      { PLATFORM_I8042_PORT, 5 }, { PLATFORM_PM_PORT, PLATFORM_PM_SIZE },
		      { PLATFORM_PCI_PORT, 8 }, { PLATFORM_VGA_PORT, 0x30 } };
	static struct screen screen;
	struct guest_device rows[16];
	struct device_counters counters;

	devices_start(&bench->set);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		for (unsigned n = 0; n < ports[i].count; n++)
			drive_port(bench, (uint16_t)(ports[i].port + n));
	for (unsigned reg = 0; reg < 128; reg++) {
		out(bench, PLATFORM_CMOS_PORT, reg, 1);
		drive_port(bench, PLATFORM_CMOS_PORT + 1);
	}
	for (unsigned i = 0; i < 600; i++)
		drive_port(bench, PLATFORM_COM1_PORT);
	devices_input(&bench->set, CONSOLE_SERIAL, (const uint8_t *)"more", 4);
	devices_input(&bench->set, CONSOLE_VIRTIO, (const uint8_t *)"more", 4);
	devices_window(&bench->set, CONSOLE_VIRTIO, 25, 80);
	devices_keys(&bench->set, (const uint8_t *)"\033[A", 3);
	for (unsigned i = 0; i < 20; i++)
		drive_port(bench, PLATFORM_I8042_PORT);
	must(devices_screen(&bench->set, &screen), "there is no screen");
	devices_power_button(&bench->set);
	out(bench, PLATFORM_COM1_PORT, 'x', 1);
	for (unsigned i = 0; i < 8; i++)
		bench_deliver(i % 2);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (i != BENCH_DISK || bench->profile.disks[0].present)
			drive_virtio(bench, i);
	drive_function(bench, "panic");
	drive_function(bench, "watchdog");
	drive_e1000e(bench);
	if (bench->sata_fd >= 0)
		drive_sata(bench);
	for (unsigned i = 0; i < 8; i++)
		bench_deliver(i % 2);
	bench_settle(bench);
	devices_describe(&bench->set, rows, ARRAY_SIZE(rows));
	devices_sample(&bench->set, &counters);
}
