/*
 * PCI configuration, INTA#, MSI-X and the virtio transport on top of them, as a
 * hostile guest sees them.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/bus/pci.h"
#include "core/bus/platform.h"
#include "core/bus/reset.h"
#include "core/virtio/pci.h"
#include "fake_router.h"
#include "settle.h"

#define SLOT 3
#define CAPABILITY_MSIX 0x11
#define ENABLE 0x80000000u

#define STATUS 0x14
#define QUEUE_SELECT 0x16
#define QUEUE_SIZE 0x18
#define QUEUE_ENABLE 0x1c
#define ISR 0x400
#define NOTIFY 0x1000
#define TABLE 0x2000
#define PENDING 0x3000

/* --- a device that does nothing --- */

struct dummy {
	struct virtio virtio;
	unsigned starts, stops, kicks, resets;
	bool busy; /* a reset has to wait */
};

static uint64_t features(struct virtio *virtio)
{
	(void)virtio;
	return 1;
}

static void config_read(struct virtio *virtio, uint32_t offset, void *data, unsigned length)
{
	(void)virtio;
	assert_true(offset + length <= 8);
	memset(data, 0x5a, length);
}

static void start(struct virtio *virtio)
{
	((struct dummy *)virtio)->starts++;
}

static void stop(struct virtio *virtio)
{
	((struct dummy *)virtio)->stops++;
}

static void kick(struct virtio *virtio, unsigned n)
{
	assert_true(n < 2);
	((struct dummy *)virtio)->kicks++;
}

static bool reset(struct virtio *virtio)
{
	((struct dummy *)virtio)->resets++;
	return !((struct dummy *)virtio)->busy;
}

static const struct virtio_ops ops = {
	.id = 42,
	.class_code = 0xff0000,
	.queues = 2,
	.queue_size = 64,
	.config_size = 8,
	.features = features,
	.config_read = config_read,
	.start = start,
	.stop = stop,
	.kick = kick,
	.reset = reset,
};

struct bench {
	struct bus io, mmio;
	struct irq_router irq;
	struct pci pci;
	struct guest_memory memory;
	struct loop loop;
	struct dummy device;
	struct virtio_pci transport;
	struct reset_control reset;
	unsigned resets;
};

static void reset_machine(void *arg)
{
	((struct bench *)arg)->resets++;
}

/* --- accesses --- */

static uint32_t config_get(struct bench *bench, unsigned offset, unsigned length)
{
	uint32_t value = 0;

	bus_read(&bench->mmio, PLATFORM_ECAM_BASE + (SLOT << 15) + offset, &value, length);
	return value;
}

static void config_set(struct bench *bench, unsigned offset, uint32_t value, unsigned length)
{
	bus_write(&bench->mmio, PLATFORM_ECAM_BASE + (SLOT << 15) + offset, &value, length);
}

/* Bus master enable */
static void allow(struct bench *bench, bool master)
{
	config_set(bench, PCI_COMMAND, PCI_COMMAND_MEMORY | (master ? PCI_COMMAND_MASTER : 0), 2);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct cause cause;

	fake_router_clear();
	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	assert_int_equal(memory_create(&bench->memory, 1 << 20, &cause), 0);
	assert_int_equal(reset_control_init(&bench->reset, &bench->io, reset_machine, bench, &cause),
			 0);
	assert_int_equal(pci_create(&bench->pci, &bench->io, &bench->mmio, &bench->irq, &cause), 0);
	bench->device.virtio.ops = &ops;
	/* No virtual machine: doorbells are MMIO exits. */
	assert_int_equal(virtio_pci_create(&bench->transport, &bench->device.virtio, &bench->pci, SLOT,
					   &bench->memory, &bench->loop, -1, &cause), 0);
	assert_int_equal(config_get(bench, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	allow(bench, true);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	bench->device.busy = false;
	virtio_pci_destroy(&bench->transport);
	assert_int_equal(fake_router.used, 0);
	pci_destroy(&bench->pci);
	memory_destroy(&bench->memory);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* --- registers --- */

static uint64_t bar(struct bench *bench)
{
	return config_get(bench, PCI_BAR0, 4) & ~0xfu;
}

static uint64_t get(struct bench *bench, uint64_t offset, unsigned length)
{
	uint64_t value = 0;

	bus_read(&bench->mmio, bar(bench) + offset, &value, length);
	return value;
}

static void set(struct bench *bench, uint64_t offset, uint64_t value, unsigned length)
{
	bus_write(&bench->mmio, bar(bench) + offset, &value, length);
}

static unsigned find_capability(struct bench *bench, uint8_t id, uint8_t type)
{
	unsigned at = config_get(bench, PCI_CAPABILITIES, 1), steps = 0;

	while (at) {
		assert_true(steps++ < 16);
		if (config_get(bench, at, 1) == id &&
		    (id == CAPABILITY_MSIX || config_get(bench, at + 3, 1) == type))
			return at;
		at = config_get(bench, at + 1, 1);
	}
	fail();
	return 0;
}

static bool line(void)
{
	return fake_router.level[PLATFORM_PCI_GSI + SLOT % PCI_INTX_LINES];
}

/* --- tests --- */

static void test_config_space(void **state)
{
	struct bench *bench = *state;
	uint32_t value, address = ENABLE | SLOT << 11;

	assert_int_equal(config_get(bench, 0, 4), 0x106a1af4);
	bus_write(&bench->io, PLATFORM_PCI_PORT, &address, 4);
	bus_read(&bench->io, PLATFORM_PCI_PORT + 4, &value, 4);
	assert_int_equal(value, 0x106a1af4);

	/* Identity is read only, what straddles a function's space is nobody's. */
	config_set(bench, 0, 0xffffffff, 4);
	assert_int_equal(config_get(bench, 0, 4), 0x106a1af4);
	config_set(bench, 0xfe, 0xffffffff, 4);
	config_get(bench, 0xfe, 4);
	config_set(bench, 0xffe, 0xffffffff, 4);
	config_get(bench, 0xfff, 4);

	/* Ports of address and data do not mix; other buses and functions are not there. */
	bus_read(&bench->io, PLATFORM_PCI_PORT + 2, &value, 4);
	assert_int_equal(value, 0xffffffff);
	address = ENABLE | 1 << 16 | SLOT << 11;
	bus_write(&bench->io, PLATFORM_PCI_PORT, &address, 4);
	bus_read(&bench->io, PLATFORM_PCI_PORT + 4, &value, 4);
	assert_int_equal(value, 0xffffffff);
	bus_read(&bench->mmio, PLATFORM_ECAM_BASE + (SLOT << 15) + (1 << 12), &value, 4);
	assert_int_equal(value, 0xffffffff);
	bus_read(&bench->mmio, PLATFORM_ECAM_BASE + PLATFORM_ECAM_SIZE - 4, &value, 4);
	assert_int_equal(value, 0xffffffff);
}

/* It answers bytes alone; wider accesses to its port are PCI's. */
static void test_reset_control(void **state)
{
	struct bench *bench = *state;
	uint32_t value = 0, address = ENABLE | SLOT << 11;
	static const struct {
		uint8_t value;
		unsigned resets;
		uint8_t back;
	} writes[] = { { 0x02, 0, 0x02 }, { 0xff, 1, 0x0e }, { 0x06, 1, 0x06 }, { 0x00, 1, 0x00 },
		       { PLATFORM_RESET_VALUE, 2, 0x06 } }; /* the last at once, as ACPI does */

	bus_write(&bench->io, PLATFORM_PCI_PORT, &address, 4);
	for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
		bus_write(&bench->io, PLATFORM_RESET_PORT, &writes[i].value, 1);
		assert_int_equal(bench->resets, writes[i].resets);
		bus_read(&bench->io, PLATFORM_RESET_PORT, &value, 1);
		assert_int_equal(value, writes[i].back);
	}
	value = 0x0606;
	bus_write(&bench->io, PLATFORM_RESET_PORT, &value, 2);
	assert_int_equal(bench->resets, 2);
	bus_read(&bench->io, PLATFORM_PCI_PORT, &value, 4);
	assert_int_equal(value, address);
}

static void test_bar(void **state)
{
	struct bench *bench = *state;
	uint64_t base = bar(bench);
	uint32_t value;

	config_set(bench, PCI_BAR0, 0xffffffff, 4);
	assert_int_equal(config_get(bench, PCI_BAR0, 4), 0xffffc000);
	config_set(bench, PCI_BAR0, (uint32_t)base, 4);

	/* At the very top, over ECAM, at zero, switched off, and back. */
	config_set(bench, PCI_BAR0, 0xffffc000, 4);
	assert_int_equal(get(bench, 0x12, 2), 2);
	config_set(bench, PCI_BAR0, PLATFORM_ECAM_BASE, 4);
	assert_int_equal(config_get(bench, 0, 4), 0x106a1af4);
	config_set(bench, PCI_BAR0, 0, 4);
	bus_read(&bench->mmio, 0x12, &value, 2);
	assert_int_equal(value & 0xffff, 0xffff);
	config_set(bench, PCI_BAR0, (uint32_t)base, 4);
	config_set(bench, PCI_COMMAND, 0, 2);
	assert_int_equal(get(bench, 0x12, 2), 0xffff);
	config_set(bench, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(get(bench, 0x12, 2), 2);
}

static void test_intx(void **state)
{
	struct bench *bench = *state;
	unsigned msix = find_capability(bench, CAPABILITY_MSIX, 0);

	virtio_interrupt(&bench->device.virtio, 0);
	assert_true(line());
	assert_true(config_get(bench, PCI_STATUS, 2) & 0x08);
	config_set(bench, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF, 2);
	assert_false(line());
	assert_true(config_get(bench, PCI_STATUS, 2) & 0x08);
	config_set(bench, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_true(line());
	config_set(bench, msix + 2, 0x8000, 2);
	assert_false(line());
	config_set(bench, msix + 2, 0, 2);
	assert_true(line());
	virtio_config_changed(&bench->device.virtio);
	assert_int_equal(get(bench, ISR, 1), 3);
	assert_false(line());
	assert_false(config_get(bench, PCI_STATUS, 2) & 0x08);
	assert_int_equal(get(bench, ISR, 1), 0);
}

static void *raise_often(void *arg)
{
	struct bench *bench = arg;

	for (unsigned i = 0; i < 20000; i++)
		virtio_interrupt(&bench->device.virtio, 0);
	return NULL;
}

/* However reading and raising interleave, the line is high while a bit is set. */
static void test_intx_is_not_lost(void **state)
{
	struct bench *bench = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, raise_often, bench), 0);
	for (unsigned i = 0; i < 20000; i++)
		get(bench, ISR, 1);
	pthread_join(thread, NULL);
	assert_int_equal(line(), bench->transport.isr != 0);
	virtio_interrupt(&bench->device.virtio, 0);
	assert_true(line());
	get(bench, ISR, 1);
	assert_false(line());
}

static uint64_t count_of(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void test_msix(void **state)
{
	struct bench *bench = *state;
	unsigned msix = find_capability(bench, CAPABILITY_MSIX, 0);
	struct pci_vector *vector = &bench->transport.function.vectors[1];

	assert_int_equal(config_get(bench, msix + 2, 2), 2); /* three vectors */
	assert_int_equal(get(bench, TABLE + 28, 4), 1);	     /* masked at first */
	config_set(bench, msix + 2, 0x8000, 2);
	set(bench, 0x16, 0, 2);
	set(bench, 0x1a, 1, 2);
	assert_int_equal(get(bench, 0x1a, 2), 1);

	/* Raised while it is masked: remembered, shown, and delivered once. */
	virtio_interrupt(&bench->device.virtio, 0);
	virtio_interrupt(&bench->device.virtio, 0);
	assert_int_equal(get(bench, PENDING, 8), 2);
	set(bench, TABLE + 16, 0xfee01003, 4);
	set(bench, TABLE + 20, 0, 4);
	set(bench, TABLE + 24, 0x41, 4);
	assert_int_equal(fake_router.sets, 0);
	set(bench, TABLE + 28, 0, 4);
	assert_int_equal(fake_router.address, 0xfee01000);
	assert_int_equal(fake_router.data, 0x41);
	assert_int_equal(count_of(vector->fd), 1);
	assert_int_equal(get(bench, PENDING, 8), 0);

	/* The whole function masked, then unmasked. */
	config_set(bench, msix + 2, 0xc000, 2);
	virtio_interrupt(&bench->device.virtio, 0);
	assert_int_equal(count_of(vector->fd), 0);
	config_set(bench, msix + 2, 0x8000, 2);
	assert_int_equal(count_of(vector->fd), 1);

	/* A message that KVM refuses closes the vector; a better one opens it again. */
	fake_router.refuse = -EINVAL;
	set(bench, TABLE + 16, 0xffffffffffffffff, 8);
	virtio_interrupt(&bench->device.virtio, 0);
	assert_int_equal(count_of(vector->fd), 0);
	fake_router.refuse = 0;
	set(bench, TABLE + 16, 0xfee00000, 8);
	assert_int_equal(count_of(vector->fd), 1);

	/* Accesses that are not legal, and vectors that are not there. */
	set(bench, TABLE + 17, 0xff, 1);
	set(bench, TABLE + 18, 0xffffffff, 4);
	set(bench, TABLE + 20, 0xffffffffffffffff, 8);
	assert_int_equal(get(bench, TABLE + 16, 8), 0xfee00000);
	set(bench, TABLE + 48, 0xffffffff, 4);
	get(bench, TABLE + 44, 8);
	get(bench, PENDING + 4, 8);
	set(bench, 0x1a, 3, 2);
	assert_int_equal(get(bench, 0x1a, 2), 0xffff);
	virtio_interrupt(&bench->device.virtio, 0);
	assert_int_equal(count_of(vector->fd), 0);
}

static void negotiate(struct bench *bench)
{
	set(bench, STATUS, 1, 1);
	set(bench, STATUS, 3, 1);
	set(bench, 0x08, 1, 4);
	set(bench, 0x0c, 1, 4);
	set(bench, STATUS, 0x0b, 1);
}

static void enable_queue(struct bench *bench, unsigned n, uint64_t at)
{
	set(bench, QUEUE_SELECT, n, 2);
	set(bench, QUEUE_SIZE, 16, 2);
	set(bench, 0x20, at, 8);
	set(bench, 0x28, at + 0x400, 4);
	set(bench, 0x2c, 0, 4);
	set(bench, 0x30, at + 0x800, 8);
	set(bench, QUEUE_ENABLE, 1, 2);
}

/* A second function goes on with the first one's BAR, vectors, line and negotiation. */
static void test_save(void **state)
{
	struct bench *bench = *state;
	unsigned msix = find_capability(bench, CAPABILITY_MSIX, 0);
	struct virtio_pci_registers saved = { 0 }, again = { 0 };
	uint64_t base = bar(bench) + 0x100000;

	config_set(bench, PCI_BAR0, (uint32_t)base, 4);
	config_set(bench, PCI_INTERRUPT_LINE, 11, 1);
	config_set(bench, msix + 2, 0x8000, 2);
	set(bench, TABLE + 16, 0xfee01000, 8);
	set(bench, TABLE + 24, 0x41, 4);
	negotiate(bench);
	enable_queue(bench, 0, 0x1000);
	set(bench, 0x1a, 1, 2);
	set(bench, STATUS, 0x0f, 1);
	virtio_interrupt(&bench->device.virtio, 0); /* masked: it is pending */
	config_set(bench, msix + 2, 0, 2);
	virtio_config_changed(&bench->device.virtio);
	assert_true(line());
	config_set(bench, msix + 2, 0x8000, 2);
	virtio_pci_pause(&bench->transport, true);
	virtio_pci_save(&bench->transport, &saved);
	teardown((void **)&bench);

	setup((void **)&bench);
	*state = bench;
	allow(bench, false); /* as after power-on */
	virtio_pci_pause(&bench->transport, true);
	assert_null(virtio_pci_load(&bench->transport, &saved));
	virtio_pci_save(&bench->transport, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_int_equal(bar(bench), base);
	assert_int_equal(config_get(bench, PCI_INTERRUPT_LINE, 1), 11);
	assert_int_equal(get(bench, STATUS, 1), 0x0f);
	assert_int_equal(get(bench, PENDING, 8), 2);
	set(bench, TABLE + 28, 0, 4);
	assert_int_equal(fake_router.address, 0xfee01000);
	assert_int_equal(fake_router.data, 0x41);
	assert_int_equal(count_of(bench->transport.function.vectors[1].fd), 1);
	assert_false(line());
	config_set(bench, msix + 2, 0, 2);
	assert_true(line());
	assert_int_equal(get(bench, ISR, 1), 2);

	/* It runs, but looks at its queue when the machine goes on. */
	assert_int_equal(bench->device.starts, 1);
	settle(&bench->loop);
	set(bench, NOTIFY, 0, 2);
	settle(&bench->loop);
	assert_int_equal(bench->device.kicks, 0);
	virtio_pci_pause(&bench->transport, false);
	settle(&bench->loop);
	assert_true(bench->device.kicks > 0);
}

static void test_load_damaged(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
		const char *wrong;
	} damages[] = {
#define AT(field) offsetof(struct virtio_pci_registers, field)
		{ AT(function.config), 0, "PCI configuration" }, /* another vendor */
		{ AT(function.config) + PCI_BAR0, 8, "PCI configuration" },
		{ AT(function.config) + PCI_COMMAND, 1, "PCI configuration" },
		{ AT(function.vectors[0].address), 1, "MSI-X vectors" },
		{ AT(function.vectors[1].masked), 2, "MSI-X vectors" },
		{ AT(function.vectors[2].pending), 0xff, "MSI-X vectors" },
		{ AT(function.vectors[3].data), 1, "MSI-X vectors" }, /* it has three */
		{ AT(features), 3, "features" }, /* not those of the driver */
		{ AT(driver_features), 3, "features" },
		{ AT(status), 3, "features" }, /* nothing is negotiated yet */
		{ AT(isr), 4, "ISR" },
		{ AT(config_vector), 3, "configuration vector" },
		{ AT(vectors[1]), 3, "queue vector" },
		{ AT(queues[0].size), 3, "queue size" },
		{ AT(queues[0].size), 0, "queue size" },
		{ AT(queues[1].size), 128, "queue size" },
		{ AT(queues[0].enabled), 2, "queue flags" },
		{ AT(queues[1].broken), 1, "queue flags" }, /* it is off */
		{ AT(queues[1].next_used), 1, "queue indices" },
		{ AT(queues[0].next_used), 1, "queue indices" }, /* nothing is under way */
		{ AT(queues[0].published), 0xef, "queue indices" }, /* 17 behind */
		{ AT(queues[0].driver_address), 1, "queue addresses" },
		{ AT(queues[0].device_address) + 3, 1, "queue addresses" }, /* beyond the RAM */
		{ AT(vectors[2]), 1, "queues" }, /* it has two */
		{ AT(queues[3].size), 1, "queues" },
#undef AT
	};
	struct bench *bench = *state;
	struct virtio_pci_registers good = { 0 }, bad;

	negotiate(bench);
	enable_queue(bench, 0, 0x1000);
	set(bench, STATUS, 0x0f, 1);
	virtio_pci_pause(&bench->transport, true);
	virtio_pci_save(&bench->transport, &good);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		const char *wrong;

		teardown((void **)&bench);
		setup((void **)&bench);
		*state = bench;
		virtio_pci_pause(&bench->transport, true);
		bad = good;
		((uint8_t *)&bad)[damages[i].offset] = damages[i].value;
		wrong = virtio_pci_load(&bench->transport, &bad);
		assert_non_null(wrong);
		assert_string_equal(wrong, damages[i].wrong);
	}
}

static void test_life(void **state)
{
	struct bench *bench = *state;
	char text[96];

	set(bench, STATUS, 3, 1);
	set(bench, STATUS, 0x0b, 1); /* no VERSION_1 */
	assert_int_equal(get(bench, STATUS, 1), 3);
	set(bench, 0x08, 0, 4);
	set(bench, 0x0c, 2, 4); /* not offered */
	negotiate(bench);
	assert_int_equal(get(bench, STATUS, 1), 3);
	set(bench, 0x08, 0, 4);
	set(bench, 0x0c, 1, 4);
	set(bench, STATUS, 0x0b, 1);
	assert_int_equal(get(bench, STATUS, 1), 0x0b);

	/* A decision is final: neither the bit nor the features go back. */
	set(bench, STATUS, 3, 1);
	assert_int_equal(get(bench, STATUS, 1), 0x0b);
	set(bench, 0x0c, 0, 4);
	assert_int_equal(get(bench, 0x0c, 4), 1);

	enable_queue(bench, 0, 0x1000);
	assert_int_equal(get(bench, QUEUE_ENABLE, 2), 1);
	set(bench, NOTIFY, 0, 2);
	set(bench, STATUS, 0x0f, 1);
	assert_int_equal(bench->device.starts, 1);
	settle(&bench->loop);
	assert_true(bench->device.kicks >= 2);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_string_equal(text, "running");

	/* While it runs: no queue is changed, no second start. */
	set(bench, STATUS, 0x0f, 1);
	assert_int_equal(bench->device.starts, 1);
	set(bench, 0x20, 0x5000, 8);
	assert_int_equal(get(bench, 0x20, 8), 0x1000);
	enable_queue(bench, 1, 0x4000);
	assert_int_equal(get(bench, QUEUE_ENABLE, 2), 0);

	bench->device.kicks = 0;
	set(bench, NOTIFY + 4, 1, 2);
	settle(&bench->loop);
	assert_int_equal(bench->device.kicks, 1);

	/* A reset that waits shows a status that is not zero, and ends all kicks. */
	bench->device.busy = true;
	set(bench, STATUS, 0, 1);
	assert_int_not_equal(get(bench, STATUS, 1), 0);
	set(bench, STATUS, 0x0f, 1);
	set(bench, STATUS, 0, 1);
	set(bench, NOTIFY, 0, 2);
	settle(&bench->loop);
	assert_int_equal(bench->device.kicks, 1);
	assert_int_equal(bench->device.resets, 1);
	pthread_mutex_lock(&bench->device.virtio.lock);
	virtio_reset_done(&bench->device.virtio);
	pthread_mutex_unlock(&bench->device.virtio.lock);
	assert_int_equal(get(bench, STATUS, 1), 0);
	set(bench, QUEUE_SELECT, 0, 2);
	assert_int_equal(get(bench, QUEUE_ENABLE, 2), 0);
	assert_int_equal(get(bench, QUEUE_SIZE, 2), 64);
	assert_int_equal(get(bench, 0x20, 8), 0);
}

/* A driver that has not made the function bus master: no ring is read, no message sent, §6.2.2. */
static void test_bus_master(void **state)
{
	struct bench *bench = *state;
	struct dummy *device = &bench->device;
	unsigned msix = find_capability(bench, CAPABILITY_MSIX, 0);
	struct pci_vector *vector = &bench->transport.function.vectors[1];
	char text[96];

	allow(bench, false);
	negotiate(bench);
	enable_queue(bench, 0, 0x1000);
	config_set(bench, msix + 2, 0x8000, 2);
	set(bench, QUEUE_SELECT, 0, 2);
	set(bench, 0x1a, 1, 2);
	set(bench, TABLE + 16, 0xfee00000, 8);
	set(bench, TABLE + 28, 0, 4);
	set(bench, STATUS, 0x0f, 1);
	assert_int_equal(get(bench, STATUS, 1), 0x0f);
	set(bench, NOTIFY, 0, 2);
	settle(&bench->loop);
	virtio_interrupt(&device->virtio, 0);
	assert_int_equal(device->starts + device->kicks, 0);
	assert_int_equal(fake_router.sets, 0);
	assert_int_equal(get(bench, PENDING, 8), 2);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_string_equal(text, "idle, no bus master");

	/* Set-up is over all the same. */
	enable_queue(bench, 1, 0x4000);
	assert_int_equal(get(bench, QUEUE_ENABLE, 2), 0);

	/* Allowed: everything is made up for. */
	allow(bench, true);
	assert_int_equal(device->starts, 1);
	assert_int_equal(count_of(vector->fd), 1);
	assert_int_equal(get(bench, PENDING, 8), 0);
	settle(&bench->loop);
	assert_int_equal(device->kicks, 2);

	/* Forbidden while it runs, and allowed again; a write that changes nothing does nothing. */
	allow(bench, false);
	config_set(bench, PCI_COMMAND, 0, 2);
	allow(bench, false);
	assert_int_equal(device->stops, 1);
	set(bench, NOTIFY, 0, 2);
	settle(&bench->loop);
	assert_int_equal(device->kicks, 2);
	virtio_interrupt(&device->virtio, 0);
	assert_int_equal(count_of(vector->fd), 0);
	allow(bench, true);
	allow(bench, true);
	assert_int_equal(device->starts, 2);
	assert_int_equal(count_of(vector->fd), 1);
	settle(&bench->loop);
	assert_int_equal(device->kicks, 4);

	/* A reset while it is forbidden is one; INTA# is no access to memory. */
	allow(bench, false);
	set(bench, STATUS, 0, 1);
	assert_int_equal(device->resets, 1);
	assert_int_equal(get(bench, STATUS, 1), 0);
	config_set(bench, msix + 2, 0, 2);
	virtio_interrupt(&device->virtio, 0);
	assert_true(line());
	allow(bench, true);
	assert_int_equal(device->starts, 2);
}

static void test_needs_reset(void **state)
{
	struct bench *bench = *state;
	char text[96];

	/* Not the driver's to say. */
	set(bench, STATUS, 0x40, 1);
	assert_int_equal(get(bench, STATUS, 1), 0);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_string_equal(text, "idle");

	negotiate(bench);
	enable_queue(bench, 0, 0xfffffffffffff000);
	assert_int_equal(get(bench, QUEUE_ENABLE, 2), 0);
	assert_int_equal(get(bench, STATUS, 1), 0x4b);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_non_null(strstr(text, "needs reset: a queue's rings"));
	set(bench, STATUS, 0x0f, 1);
	assert_int_equal(get(bench, STATUS, 1), 0x4f);
	settle(&bench->loop);
	assert_int_equal(bench->device.kicks, 0);
	set(bench, STATUS, 0, 1);
	assert_int_equal(get(bench, STATUS, 1), 0);

	/* The first reason stays; the driver is told by an interrupt. */
	negotiate(bench);
	set(bench, STATUS, 0x0f, 1);
	pthread_mutex_lock(&bench->device.virtio.lock);
	virtio_broken(&bench->device.virtio, "first");
	virtio_broken(&bench->device.virtio, "second");
	pthread_mutex_unlock(&bench->device.virtio.lock);
	assert_true(line());
	assert_int_equal(get(bench, ISR, 1), 2);
	virtio_pci_describe(&bench->transport, text, sizeof(text));
	assert_string_equal(text, "needs reset: first");
}

/* Without a file for its doorbell a queue is served all the same. */
static void test_no_files_left(void **state)
{
	struct bench *bench = *state;
	struct rlimit old, none;
	int lowest = dup(0);

	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	negotiate(bench);
	set(bench, STATUS, 0x0f, 1);
	settle(&bench->loop);
	bench->device.kicks = 0;
	set(bench, NOTIFY, 0, 2);
	settle(&bench->loop);
	assert_int_equal(bench->device.kicks, 1);
	assert_int_equal(bench->transport.queues[0].kick_fd, -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* The BAR through configuration space, §4.1.4.9. */
static void test_window(void **state)
{
	struct bench *bench = *state;
	unsigned at = find_capability(bench, 0x09, 5);

	config_set(bench, at + 4, 0, 1);
	config_set(bench, at + 8, 0x12, 4);
	config_set(bench, at + 12, 2, 4);
	assert_int_equal(config_get(bench, at + 16, 2), 2);
	config_set(bench, at + 8, STATUS, 4);
	config_set(bench, at + 12, 1, 4);
	config_set(bench, at + 16, 3, 1);
	assert_int_equal(get(bench, STATUS, 1), 3);

	/* Another BAR, lengths that are none, the MSI-X table, and far away. */
	config_set(bench, at + 16, 0xff, 4);
	config_set(bench, at + 4, 1, 1);
	config_get(bench, at + 16, 4);
	config_set(bench, at + 4, 0, 1);
	for (uint32_t length = 0; length < 9; length++)
		for (uint64_t offset = 0; offset <= UINT32_MAX; offset = offset * 3 + 1) {
			config_set(bench, at + 8, (uint32_t)offset, 4);
			config_set(bench, at + 12, length == 8 ? UINT32_MAX : length, 4);
			config_get(bench, at + 16, 4);
			config_set(bench, at + 16, 0, 4);
		}
	assert_int_equal(get(bench, TABLE + 12, 4), 1);
}

/* Every register, length and a good many values; no answer matters but that there is one. */
static void test_random_accesses(void **state)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 0x0b, 0x0f, 0x40, 0x100, 0x1000, 0xffff,
					   0xfffff000, 0xffffffff, 1ull << 32, ~0ull };
	static const unsigned lengths[] = { 1, 2, 4, 8, 3 };
	struct bench *bench = *state;
	unsigned seed = 1;

	for (unsigned i = 0; i < 200000; i++) {
		unsigned kind = (unsigned)rand_r(&seed) % 8;
		unsigned length = lengths[(unsigned)rand_r(&seed) % 5];
		uint64_t value = values[(unsigned)rand_r(&seed) % 14];
		uint64_t offset = (unsigned)rand_r(&seed) % (kind < 6 ? 0x40 : 0x4000);

		if (kind == 0)
			offset += TABLE;
		if (kind == 1)
			config_set(bench, (unsigned)offset * 4, (uint32_t)value, length > 4 ? 4 : length);
		else if (kind == 2)
			get(bench, offset, length);
		else
			set(bench, offset, value, length);
		if (i % 1000 == 0)
			settle(&bench->loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_config_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_intx, setup, teardown),
		cmocka_unit_test_setup_teardown(test_intx_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bus_master, setup, teardown),
		cmocka_unit_test_setup_teardown(test_needs_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_files_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_accesses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
