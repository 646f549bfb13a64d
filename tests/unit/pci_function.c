/*
 * A PCI function with several BARs, MSI and MSI-X, as firmware and drivers see it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/bus/pci.h"
#include "core/bus/pci_msi.h"
#include "core/bus/pci_msix.h"
#include "core/bus/platform.h"
#include "fake_router.h"

#define SLOT 5
#define BARS_IN_USE 3
#define DECODE (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define MESSAGE 0xfee00000u

/* Of the function: memory at 1 and 5, the last with the MSI-X tables, ports at 2. */
static const struct {
	unsigned bar;
	enum pci_bar_type type;
	uint32_t size;
} bars[BARS_IN_USE] = {
	{ 1, PCI_BAR_MEMORY, 0x20000 }, { 2, PCI_BAR_IO, 32 }, { 5, PCI_BAR_MEMORY, 0x1000 },
};

struct bench {
	struct bus io, mmio;
	struct irq_router irq;
	struct pci pci;
	struct pci_function function;
	unsigned bar; /* of the last access */
	uint64_t offset, moved[PCI_BARS];
};

static struct bench *bench_of(struct pci_function *function)
{
	return (struct bench *)((uint8_t *)function - offsetof(struct bench, function));
}

static void bar_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		     unsigned length)
{
	bench_of(function)->bar = bar;
	bench_of(function)->offset = offset;
	memset(data, (int)(0x10 + bar), length);
}

static void bar_write(struct pci_function *function, unsigned bar, uint64_t offset,
		      const void *data, unsigned length)
{
	(void)data;
	(void)length;
	bench_of(function)->bar = bar;
	bench_of(function)->offset = offset;
}

static void bar_moved(struct pci_function *function, unsigned bar, uint64_t base)
{
	bench_of(function)->moved[bar] = base;
}

static const struct pci_function_ops ops = {
	.name = "test",
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
};

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

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	fake_router_clear();
	assert_int_equal(pci_create(&bench->pci, &bench->io, &bench->mmio, &bench->irq, NULL), 0);
	pci_function_init(&bench->function, &ops, 0x1234, 0x5678, 0xff0000);
	for (unsigned i = 0; i < BARS_IN_USE; i++)
		pci_add_bar(&bench->function, bars[i].bar, bars[i].type, bars[i].size);
	pci_add_msi(&bench->function);
	pci_add_msix(&bench->function, 20, 5, 0, 0x800);
	assert_int_equal(pci_add(&bench->pci, &bench->function, SLOT, NULL), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	pci_remove(&bench->function);
	assert_int_equal(fake_router.used, 0);
	pci_destroy(&bench->pci);
	bus_destroy(&bench->mmio);
	free(bench);
	return 0;
}

/* Sizes them as firmware does, and expects the rest to be absent, the option ROM too. */
static void test_sizes(void **state)
{
	static const uint32_t sizes[] = { 0, 0xfffe0000, 0xffffffe1, 0, 0, 0xfffff000 };
	struct bench *bench = *state;

	assert_int_equal(config_get(bench, PCI_COMMAND, 2), DECODE);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		config_set(bench, PCI_BAR0 + 4 * i, 0xffffffff, 4);
		assert_int_equal(config_get(bench, PCI_BAR0 + 4 * i, 4), sizes[i]);
	}
	config_set(bench, 0x30, 0xfffff801, 4);
	assert_int_equal(config_get(bench, 0x30, 4), 0);
	assert_int_equal(config_get(bench, PCI_INTERRUPT_PIN, 1), 1);
}

/* Each is where it was placed, apart from the others, and moves alone. */
static void test_move(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < BARS_IN_USE; i++) {
		unsigned bar = bars[i].bar;
		bool io = bars[i].type == PCI_BAR_IO;
		struct bus *bus = io ? &bench->io : &bench->mmio;
		uint64_t base = config_get(bench, PCI_BAR0 + 4 * bar, 4) & ~3u;
		uint64_t there = io ? 0xfff0 & ~31u : 0xe0000000;
		uint16_t value = 0;

		assert_true(base >= (io ? PLATFORM_PCI_IO_BASE : PLATFORM_PCI_BASE));
		assert_int_equal(base % bars[i].size, 0);
		assert_int_equal(bench->moved[bar], base);
		bus_read(bus, base + bars[i].size - 2, &value, 2);
		assert_int_equal(value, 0x1010 + 0x101 * bar);
		assert_int_equal(bench->offset, bars[i].size - 2);

		config_set(bench, PCI_BAR0 + 4 * bar, (uint32_t)there, 4);
		assert_int_equal(bench->moved[bar], there);
		bus_read(bus, base, &value, 2);
		assert_int_equal(value, 0xffff);
		bus_write(bus, there + 28, &value, 2);
		if (bar != 5)
			assert_int_equal(bench->offset, 28);

		/* Its own bit of the command register switches it off, and no other. */
		config_set(bench, PCI_COMMAND, DECODE & ~(io ? PCI_COMMAND_MEMORY : PCI_COMMAND_IO), 2);
		assert_int_equal(bench->moved[bar], there);
		config_set(bench, PCI_COMMAND, io ? PCI_COMMAND_MEMORY : PCI_COMMAND_IO, 2);
		assert_int_equal(bench->moved[bar], BUS_NOWHERE);
		config_set(bench, PCI_COMMAND, DECODE, 2);
	}
	/* There are no ports up there. */
	config_set(bench, PCI_BAR0 + 8, 0x10000, 4);
	assert_int_equal(bench->moved[2], BUS_NOWHERE);
}

static uint64_t count_of(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static bool line(void)
{
	return fake_router.level[PLATFORM_PCI_GSI + SLOT % PCI_INTX_LINES];
}

/* With PICs: a line leads to an ISA interrupt, which more than one can share. */
static void test_isa_interrupts(void **state)
{
	struct bench *bench = *state;
	unsigned mine = SLOT % PCI_INTX_LINES, other = (SLOT + 1) % PCI_INTX_LINES;

	pci_intx(&bench->function, true);
	assert_true(line());
	pci_route_intx(&bench->pci, mine, 10);
	assert_true(fake_router.level[10] && line());
	pci_route_intx(&bench->pci, other, 10);
	pci_route_intx(&bench->pci, other, 0);
	assert_true(fake_router.level[10]);
	pci_route_intx(&bench->pci, mine, 11);
	assert_true(!fake_router.level[10] && fake_router.level[11]);
	pci_intx(&bench->function, false);
	assert_true(!fake_router.level[11] && !line());
	pci_intx(&bench->function, true);
	assert_true(fake_router.level[11]);
	config_set(bench, PCI_COMMAND, DECODE | PCI_COMMAND_INTX_OFF, 2);
	assert_false(fake_router.level[11]);
	config_set(bench, PCI_COMMAND, DECODE, 2);
	pci_route_intx(&bench->pci, mine, 0);
	assert_true(!fake_router.level[11] && line());
	assert_int_equal(config_get(bench, PCI_INTERRUPT_LINE, 1), PLATFORM_PCI_ISA_IRQ(mine));
}

static void test_msi(void **state)
{
	struct bench *bench = *state;
	unsigned at = bench->function.msi_capability;
	struct pci_registers registers = { 0 };

	assert_int_equal(config_get(bench, at, 1), 5);
	assert_int_equal(config_get(bench, at + 2, 2), 0x80);
	pci_msi_raise(&bench->function); /* it is off: nobody hears of it later either */
	pci_intx(&bench->function, true);
	assert_true(line());

	config_set(bench, at + 4, MESSAGE | 3, 4);
	assert_int_equal(config_get(bench, at + 4, 4), MESSAGE);
	config_set(bench, at + 12, 0xabcd0041, 4);
	config_set(bench, at + 2, 1, 2);
	assert_false(line());
	pci_msi_raise(&bench->function);
	pci_function_save(&bench->function, &registers);
	assert_int_equal(registers.msi_pending, 1);
	assert_int_equal(fake_router.sets, 0);

	/* A bus master may send what was held back. */
	config_set(bench, PCI_COMMAND, DECODE | PCI_COMMAND_MASTER, 2);
	assert_int_equal(fake_router.address, MESSAGE);
	assert_int_equal(fake_router.data, 0x41);
	assert_int_equal(count_of(bench->function.message.fd), 1);
	pci_msi_raise(&bench->function);
	assert_int_equal(count_of(bench->function.message.fd), 1);
	config_set(bench, at + 12, 0x42, 2);
	assert_int_equal(fake_router.data, 0x42);
	config_set(bench, at + 2, 0, 2);
	assert_true(line());

	/* What was saved stands where it did. */
	assert_null(pci_function_load(&bench->function, &registers));
	assert_false(line());
	config_set(bench, PCI_COMMAND, DECODE | PCI_COMMAND_MASTER, 2);
	assert_int_equal(count_of(bench->function.message.fd), 1);
	registers.msi_pending = 2;
	assert_string_equal(pci_function_load(&bench->function, &registers), "MSI");
}

static void test_msix_in_its_bar(void **state)
{
	struct bench *bench = *state;
	unsigned at = bench->function.msix_capability;
	uint64_t table = config_get(bench, PCI_BAR0 + 20, 4);
	uint64_t other = config_get(bench, PCI_BAR0 + 4, 4), message = MESSAGE, value = 0;
	uint32_t open = 0;

	assert_int_equal(config_get(bench, at + 2, 2), 19);
	assert_int_equal(config_get(bench, at + 4, 4), 5);
	assert_int_equal(config_get(bench, at + 8, 4), 0x805);
	config_set(bench, at + 2, 0x8000, 2);
	config_set(bench, PCI_COMMAND, DECODE | PCI_COMMAND_MASTER, 2);
	pci_msix_raise(&bench->function, 19);
	bus_read(&bench->mmio, table + 0x800, &value, 8);
	assert_int_equal(value, 1 << 19);
	bus_write(&bench->mmio, table + 16 * 19, &message, 8);
	bus_write(&bench->mmio, table + 16 * 19 + 12, &open, 4);
	assert_int_equal(count_of(bench->function.vectors[19].fd), 1);
	bus_read(&bench->mmio, other + 16 * 19, &value, 8);
	assert_int_equal(bench->bar, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_isa_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msix_in_its_bar, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
