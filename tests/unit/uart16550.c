/* The serial port, as drivers use it. */
#include "core/hw/uart16550.h"

#include <pthread.h>
#include <string.h>

#include "fake_bus.h"

#define PORT 0x3f8
#define RBR 0
#define IER 1
#define IIR 2
#define FCR 2
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

struct fixture {
	struct fake_bus io;
	struct uart16550 uart;
	uint8_t out[64];
	size_t out_size;
};

static void output(void *arg, const uint8_t *data, size_t size)
{
	struct fixture *f = arg;

	assert_true(f->out_size + size <= sizeof(f->out));
	memcpy(f->out + f->out_size, data, size);
	f->out_size += size;
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct uart_wires wires = { output, fake_irq, &fixture };

	fixture = (struct fixture){ .io.base = PORT };
	assert_int_equal(uart_init(&fixture.uart, &fixture.io.bus, PORT, &wires, NULL), 0);
	*state = &fixture;
	return 0;
}

/* What Linux' 8250 driver does to find out what it has. */
static void test_probe(void **state)
{
	struct fixture *f = *state;
	uint8_t mcr;

	out(&f->io, IER, 0);
	assert_int_equal(in(&f->io, IER), 0);
	out(&f->io, IER, 0xff);
	assert_int_equal(in(&f->io, IER), 0x0f);
	out(&f->io, IER, 0);

	mcr = in(&f->io, MCR);
	out(&f->io, MCR, 0x1a); /* loopback, RTS, OUT2 */
	assert_int_equal(in(&f->io, MSR) & 0xf0, 0x90);
	out(&f->io, MCR, 0x15); /* loopback, DTR, OUT1 */
	assert_int_equal(in(&f->io, MSR) & 0xf0, 0x60);
	out(&f->io, MCR, mcr);
	assert_int_equal(in(&f->io, MSR) & 0xf0, 0xb0);

	out(&f->io, LCR, 0xbf);
	out(&f->io, FCR, 0);
	out(&f->io, LCR, 0);
	out(&f->io, FCR, 1);
	assert_int_equal(in(&f->io, IIR), 0xc1);
	out(&f->io, FCR, 0x21); /* a 16750 would say 0xe1 */
	assert_int_equal(in(&f->io, IIR), 0xc1);
	out(&f->io, FCR, 0);
	assert_int_equal(in(&f->io, IIR), 0x01);

	out(&f->io, SCR, 0xa5);
	assert_int_equal(in(&f->io, SCR), 0xa5);
	out(&f->io, LCR, 0x80);
	out(&f->io, RBR, 1);
	out(&f->io, IER, 2);
	assert_int_equal(in(&f->io, RBR), 1);
	assert_int_equal(in(&f->io, IER), 2);
	out(&f->io, LCR, 0x03);
	assert_int_equal(in(&f->io, IER), 0);
	assert_int_equal(f->io.raised, 0);
	assert_int_equal(f->out_size, 0);
}

/* Linux' test of whether enabling THRI raises it each time, and the flow of sending by it. */
static void test_transmit_interrupt(void **state)
{
	struct fixture *f = *state;

	out(&f->io, MCR, 0x0b);
	out(&f->io, FCR, 1);
	out(&f->io, IER, 0x02);
	assert_true(f->io.line);
	assert_int_equal(in(&f->io, IIR), 0xc2);
	assert_false(f->io.line);
	assert_int_equal(in(&f->io, IIR), 0xc1);
	out(&f->io, IER, 0);
	out(&f->io, IER, 0x02);
	assert_int_equal(in(&f->io, IIR), 0xc2);
	assert_int_equal(f->io.raised, 2);

	assert_int_equal(in(&f->io, LSR), 0x60);
	out(&f->io, RBR, 'o');
	out(&f->io, RBR, 'k');
	assert_int_equal(f->io.raised, 3);
	assert_int_equal(in(&f->io, IIR), 0xc2);
	assert_false(f->io.line);
	out(&f->io, IER, 0);
	assert_int_equal(f->out_size, 2);
	assert_memory_equal(f->out, "ok", 2);
}

/* Other sources do not acknowledge the transmitter's. */
static void test_priority(void **state)
{
	struct fixture *f = *state;

	out(&f->io, MCR, 0x08);
	out(&f->io, FCR, 1);
	out(&f->io, IER, 0x03);
	assert_int_equal(uart_input(&f->uart, (const uint8_t *)"x", 1), 1);
	assert_int_equal(in(&f->io, IIR), 0xc4);
	assert_int_equal(in(&f->io, IIR), 0xc4);
	assert_int_equal(in(&f->io, RBR), 'x');
	assert_true(f->io.line);
	assert_int_equal(in(&f->io, IIR), 0xc2);
	assert_false(f->io.line);
}

static void test_receive(void **state)
{
	uint8_t bytes[UART_QUEUE_SIZE + 100];
	struct fixture *f = *state;
	size_t i, taken;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	out(&f->io, FCR, 1);
	out(&f->io, MCR, 0x08);
	out(&f->io, IER, 0x01);
	assert_false(f->io.line);
	taken = uart_input(&f->uart, bytes, sizeof(bytes));
	assert_int_equal(taken, UART_QUEUE_SIZE);
	taken += uart_input(&f->uart, bytes + taken, sizeof(bytes) - taken);
	assert_int_equal(taken, UART_QUEUE_SIZE + UART_FIFO_SIZE);
	for (i = 0; i < taken; i++) {
		assert_true(f->io.line);
		assert_int_equal(in(&f->io, LSR), 0x61);
		assert_int_equal(in(&f->io, RBR), bytes[i]);
	}
	assert_int_equal(in(&f->io, LSR), 0x60);
	assert_false(f->io.line);
	assert_int_equal(f->io.raised, 1);
	assert_int_equal(in(&f->io, RBR), 0);
}

static void expect_typed(struct fixture *f, const char *text)
{
	for (; *text; text++) {
		assert_int_equal(in(&f->io, LSR), 0x61);
		assert_int_equal(in(&f->io, RBR), *text);
	}
	assert_int_equal(in(&f->io, LSR), 0x60);
}

/* BI is of the byte that is read next (PC16550D, 8.6.3), and is cleared as LSR is read. */
static void test_break(void **state)
{
	struct fixture *f = *state;
	struct uart_registers saved;

	/* Nobody reads yet: it would be lost. */
	assert_false(uart_break(&f->uart));
	out(&f->io, FCR, 1);
	out(&f->io, MCR, 0x08);
	out(&f->io, IER, 0x05);
	assert_int_equal(uart_input(&f->uart, (const uint8_t *)"a", 1), 1);
	assert_true(uart_break(&f->uart));
	assert_false(uart_break(&f->uart)); /* one at a time */
	assert_int_equal(uart_input(&f->uart, (const uint8_t *)"h", 1), 1);
	uart_save(&f->uart, &saved);
	assert_null(uart_load(&f->uart, &saved));
	saved.breaking = 4; /* of three */
	assert_string_equal(uart_load(&f->uart, &saved), "break");
	assert_int_equal(in(&f->io, LSR), 0x61);
	assert_int_equal(in(&f->io, RBR), 'a');
	assert_int_equal(in(&f->io, IIR) & 0x0f, 0x06);
	assert_int_equal(in(&f->io, LSR), 0x71);
	assert_int_equal(in(&f->io, LSR), 0x61);
	assert_int_equal(in(&f->io, RBR), 0);
	expect_typed(f, "h");
	assert_true(uart_break(&f->uart));
	assert_int_equal(in(&f->io, LSR), 0x71);
	assert_int_equal(in(&f->io, RBR), 0);
	assert_int_equal(in(&f->io, LSR), 0x60);
	/* Behind more than the FIFO holds there is no room, and in loopback no wire. */
	for (unsigned i = 0; i < UART_FIFO_SIZE; i++)
		uart_input(&f->uart, (const uint8_t *)"x", 1);
	assert_false(uart_break(&f->uart));
	expect_typed(f, "xxxxxxxxxxxxxxxx");
	out(&f->io, MCR, 0x18);
	assert_false(uart_break(&f->uart));
	out(&f->io, MCR, 0x08);
	/* A FIFO that is emptied has no break any more; what was typed waits. */
	uart_input(&f->uart, (const uint8_t *)"b", 1);
	assert_true(uart_break(&f->uart));
	out(&f->io, FCR, 3);
	out(&f->io, IER, 0x01);
	expect_typed(f, "b");
}

/* What Linux' driver does when the port is opened; and a second time, by somebody else. */
static void test_setup_loses_nothing(void **state)
{
	struct fixture *f = *state;

	uart_input(&f->uart, (const uint8_t *)"0123456789abcdefXY", 18);
	for (unsigned round = 0; round < 2; round++) {
		out(&f->io, IER, 0);
		out(&f->io, FCR, 0x01);
		out(&f->io, FCR, 0x07);
		out(&f->io, FCR, 0x00);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(in(&f->io, LSR), 0x60);
			assert_int_equal(in(&f->io, RBR), 0);
			in(&f->io, IIR);
			in(&f->io, MSR);
		}
		out(&f->io, FCR, 0x01);
		out(&f->io, MCR, 0x0b);
		assert_false(f->io.line);
		out(&f->io, IER, 0x05);
		assert_true(f->io.line);
	}
	expect_typed(f, "0123456789abcdefXY");
}

/* A guest without interrupts, too. */
static void test_polling(void **state)
{
	struct fixture *f = *state;
	unsigned looks = 0;

	uart_input(&f->uart, (const uint8_t *)"typed", 5);
	while (in(&f->io, LSR) == 0x60)
		assert_true(++looks < 100);
	assert_int_equal(in(&f->io, RBR), 't');
	expect_typed(f, "yped");
}

/* What was looped back is no input of anybody's. */
static void test_fifo_of_loopback(void **state)
{
	struct fixture *f = *state;

	out(&f->io, FCR, 1);
	out(&f->io, MCR, 0x10);
	out(&f->io, RBR, 'l');
	assert_int_equal(in(&f->io, LSR), 0x61);
	out(&f->io, FCR, 3);
	out(&f->io, MCR, 0x08);
	uart_input(&f->uart, (const uint8_t *)"typed", 5);
	out(&f->io, IER, 0x01);
	expect_typed(f, "typed");
}

/* OUT2 gates the line on a PC. */
static void test_out2(void **state)
{
	struct fixture *f = *state;

	out(&f->io, IER, 0x01);
	uart_input(&f->uart, (const uint8_t *)"x", 1);
	assert_false(f->io.line);
	out(&f->io, MCR, 0x08);
	assert_true(f->io.line);
	out(&f->io, MCR, 0x18);
	assert_false(f->io.line);
}

static void test_loopback(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	out(&f->io, FCR, 1);
	out(&f->io, IER, 0x05);
	out(&f->io, MCR, 0x10);
	uart_input(&f->uart, (const uint8_t *)"typed", 5);
	assert_int_equal(in(&f->io, LSR), 0x60);
	for (i = 0; i < 17; i++)
		out(&f->io, RBR, (uint8_t)('a' + i));
	assert_int_equal(f->out_size, 0);
	assert_int_equal(in(&f->io, IIR), 0xc6);
	assert_int_equal(in(&f->io, LSR), 0x63); /* data, overrun */
	assert_int_equal(in(&f->io, LSR), 0x61);
	for (i = 0; i < 16; i++)
		assert_int_equal(in(&f->io, RBR), 'a' + i);
	assert_int_equal(in(&f->io, LSR), 0x60);
	out(&f->io, MCR, 0x08);
	expect_typed(f, "typed");
}

static void test_modem_status(void **state)
{
	struct fixture *f = *state;

	out(&f->io, MCR, 0x10);
	assert_int_equal(in(&f->io, MSR), 0x0b); /* CTS, DSR and DCD went */
	assert_int_equal(in(&f->io, MSR), 0x00);
	out(&f->io, MCR, 0x14);
	assert_int_equal(in(&f->io, MSR), 0x40);
	out(&f->io, MCR, 0x10);
	assert_int_equal(in(&f->io, MSR), 0x04); /* the end of RI */
	out(&f->io, MCR, 0x08);
	out(&f->io, IER, 0x08);
	assert_true(f->io.line);
	assert_int_equal(in(&f->io, IIR), 0x00);
	assert_int_equal(in(&f->io, MSR), 0xbb);
	assert_false(f->io.line);
}

static void test_wide_access(void **state)
{
	struct fixture *f = *state;
	uint32_t value = 0;
	uint8_t bytes[8];

	bus_read(&f->io.bus, PORT + 4, &value, 4);
	assert_int_equal(value, 0x00b06000);
	value = 0x00000041;
	bus_write(&f->io.bus, PORT, &value, 4);
	assert_int_equal(f->out_size, 1);
	assert_int_equal(f->out[0], 'A');
	bus_read(&f->io.bus, PORT, bytes, 8);
	bus_write(&f->io.bus, PORT, bytes, 8);
	bus_read(&f->io.bus, PORT + 6, &value, 4); /* crosses the end: nobody's */
	assert_int_equal(value, 0xffffffff);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;

	out(&f->io, MCR, 0x08);
	out(&f->io, IER, 0x0f);
	out(&f->io, LCR, 0x83);
	uart_input(&f->uart, (const uint8_t *)"x", 1);
	assert_true(f->io.line);
	uart_reset(&f->uart);
	assert_false(f->io.line);
	assert_int_equal(in(&f->io, LCR), 0);
	assert_int_equal(in(&f->io, IER), 0);
	assert_int_equal(in(&f->io, LSR), 0x60);
	assert_int_equal(in(&f->io, IIR), 0x01);
}

/* A second chip goes on where the first was saved: what was typed, its line, its registers. */
static void test_save(void **state)
{
	struct fixture *f = *state, other = { .io.base = PORT };
	struct uart_wires wires = { output, fake_irq, &other };
	struct uart_registers saved, again;

	out(&f->io, LCR, 0x83);
	out(&f->io, 0, 3);
	out(&f->io, LCR, 0x03);
	out(&f->io, FCR, 1);
	out(&f->io, MCR, 0x0b);
	out(&f->io, IER, 0x01);
	out(&f->io, SCR, 0x5a);
	uart_input(&f->uart, (const uint8_t *)"0123456789abcdefXYZ", 19);
	assert_int_equal(in(&f->io, RBR), '0');
	out(&f->io, IER, 0x0f);
	uart_save(&f->uart, &saved);

	assert_int_equal(uart_init(&other.uart, &other.io.bus, PORT, &wires, NULL), 0);
	assert_null(uart_load(&other.uart, &saved));
	uart_save(&other.uart, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_true(other.io.line);
	assert_int_equal(in(&other.io, SCR), 0x5a);
	for (const char *c = "123456789abcdefXYZ"; *c; c++)
		assert_int_equal(in(&other.io, RBR), *c);
	assert_int_equal(in(&other.io, LSR), 0x60);
	out(&other.io, LCR, 0x83);
	assert_int_equal(in(&other.io, 0), 3);
}

static void test_load_damaged(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
		const char *wrong;
	} damages[] = {
		{ offsetof(struct uart_registers, ier), 0x10, "IER" },
		{ offsetof(struct uart_registers, mcr), 0x20, "MCR" },
		{ offsetof(struct uart_registers, lsr), 0x61, "LSR" }, /* data, but none there */
		{ offsetof(struct uart_registers, lsr), 0x00, "LSR" },
		{ offsetof(struct uart_registers, fifo_enabled), 2, "flags" },
		{ offsetof(struct uart_registers, thr_interrupt), 0xff, "flags" },
		{ offsetof(struct uart_registers, held), 2, "flags" },
		{ offsetof(struct uart_registers, looped), 2, "flags" },
		{ offsetof(struct uart_registers, fifo_start), UART_FIFO_SIZE, "FIFO" },
		{ offsetof(struct uart_registers, fifo_count), 2, "FIFO" }, /* it is off */
		{ offsetof(struct uart_registers, queue_start) + 1, 2, "queue" },
		{ offsetof(struct uart_registers, queue_count) + 1, 3, "queue" },
	};
	struct fixture *f = *state;
	struct uart_registers good, bad, after;

	uart_save(&f->uart, &good);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		const char *wrong;

		bad = good;
		((uint8_t *)&bad)[damages[i].offset] = damages[i].value;
		wrong = uart_load(&f->uart, &bad);
		assert_non_null(wrong);
		assert_string_equal(wrong, damages[i].wrong);
		uart_save(&f->uart, &after);
		assert_memory_equal(&good, &after, sizeof(good));
	}
	assert_null(uart_load(&f->uart, &good));
}

#define TYPED 50000u

static void *typist(void *arg)
{
	struct fixture *f = arg;
	uint32_t sent = 0;
	uint8_t byte;

	while (sent < TYPED) {
		byte = (uint8_t)(sent % 251);
		if (uart_input(&f->uart, &byte, 1))
			sent++;
		else
			sched_yield();
	}
	return NULL;
}

/* No byte is lost, doubled or reordered between the typist and the guest. */
static void test_threads(void **state)
{
	struct fixture *f = *state;
	uint32_t got = 0;
	pthread_t thread;

	out(&f->io, FCR, 1);
	out(&f->io, MCR, 0x08);
	out(&f->io, IER, 0x01);
	assert_int_equal(pthread_create(&thread, NULL, typist, f), 0);
	while (got < TYPED) {
		if (!(in(&f->io, LSR) & 1)) {
			sched_yield();
			continue;
		}
		assert_int_equal(in(&f->io, RBR), got % 251);
		got++;
	}
	pthread_join(thread, NULL);
	assert_false(f->io.line);
}

static void test_overlap(void **state)
{
	struct fixture *f = *state;
	struct uart_wires wires = { output, fake_irq, f };
	struct uart16550 other;
	struct cause cause;

	assert_true(uart_init(&other, &f->io.bus, PORT + 4, &wires, &cause) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_probe, setup),
		cmocka_unit_test_setup(test_transmit_interrupt, setup),
		cmocka_unit_test_setup(test_priority, setup),
		cmocka_unit_test_setup(test_receive, setup),
		cmocka_unit_test_setup(test_break, setup),
		cmocka_unit_test_setup(test_setup_loses_nothing, setup),
		cmocka_unit_test_setup(test_polling, setup),
		cmocka_unit_test_setup(test_fifo_of_loopback, setup),
		cmocka_unit_test_setup(test_out2, setup),
		cmocka_unit_test_setup(test_loopback, setup),
		cmocka_unit_test_setup(test_modem_status, setup),
		cmocka_unit_test_setup(test_wide_access, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test_setup(test_load_damaged, setup),
		cmocka_unit_test_setup(test_threads, setup),
		cmocka_unit_test_setup(test_overlap, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
