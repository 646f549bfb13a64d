/*
 * A 16550A serial port. Registers on vCPU threads, input on any.
 *
 * National Semiconductor PC16550D data sheet, § 8. The receiver's trigger
 * level and time-out are one: data in the FIFO raises "data available".
 */
#include "core/hw/uart16550.h"

#include <stddef.h>
#include <string.h>

#include "core/bus/platform.h"
#include "core/kvm/irq.h"
#include "core/profile/profile.h"

enum {
	REG_DATA, /* RBR, THR; divisor low */
	REG_IER,  /* divisor high */
	REG_IIR,  /* FCR when written */
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCRATCH,
};

#define IER_DATA 0x01u
#define IER_THR 0x02u
#define IER_LINE 0x04u
#define IER_MODEM 0x08u
#define IER_MASK 0x0fu

#define IIR_MODEM 0x00u
#define IIR_NONE 0x01u
#define IIR_THR 0x02u
#define IIR_DATA 0x04u
#define IIR_LINE 0x06u
#define IIR_FIFO 0xc0u

#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RX 0x02u

#define LCR_DLAB 0x80u

#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_DATA 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_BREAK 0x10u
#define LSR_ERRORS 0x1eu
#define LSR_EMPTY 0x60u /* THR and shift register */

#define MSR_DELTA_CTS 0x01u
#define MSR_DELTA_DSR 0x02u
#define MSR_TRAILING_RI 0x04u
#define MSR_DELTA_DCD 0x08u
#define MSR_DELTAS 0x0fu
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u
#define MSR_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)

#define DIVISOR_9600 12

/* Between emptying the FIFO and using it Linux reads fewer, and among them throws away two bytes. */
#define HELD_READS 32

static unsigned fifo_room(const struct uart16550 *uart)
{
	unsigned depth = uart->regs.fifo_enabled ? UART_FIFO_SIZE : 1;

	return uart->regs.fifo_count < depth ? depth - uart->regs.fifo_count : 0;
}

static void fifo_put(struct uart16550 *uart, uint8_t byte)
{
	uart->regs.fifo[(uart->regs.fifo_start + uart->regs.fifo_count++) % UART_FIFO_SIZE] = byte;
	uart->regs.lsr |= LSR_DATA;
}

/* The wire is cut in loopback, so typed bytes wait; and as long as the guest does not read. */
static void receive(struct uart16550 *uart)
{
	unsigned n;

	if (uart->regs.mcr & MCR_LOOP || uart->regs.held)
		return;
	for (n = fifo_room(uart); n && uart->regs.queue_count; n--) {
		fifo_put(uart, uart->regs.queue[uart->regs.queue_start]);
		uart->regs.queue_start = (uart->regs.queue_start + 1) % UART_QUEUE_SIZE;
		uart->regs.queue_count--;
	}
}

static void clear_fifo(struct uart16550 *uart)
{
	uart->regs.fifo_start = uart->regs.fifo_count = uart->regs.looped = 0;
	uart->regs.breaking = 0;
	uart->regs.lsr &= (uint8_t)~LSR_DATA;
}

/*
 * A driver empties the FIFO and reads what it may have left before it begins: what was
 * typed goes back to the queue and waits there until the guest looks for it; a break is over.
 */
static void hold_back(struct uart16550 *uart)
{
	struct uart_registers *regs = &uart->regs;

	while (!regs->looped && regs->fifo_count && regs->queue_count < UART_QUEUE_SIZE) {
		if (regs->fifo_count-- == regs->breaking)
			continue;
		regs->queue_start = (regs->queue_start + UART_QUEUE_SIZE - 1) % UART_QUEUE_SIZE;
		regs->queue[regs->queue_start] =
			regs->fifo[(regs->fifo_start + regs->fifo_count) % UART_FIFO_SIZE];
		regs->queue_count++;
	}
	clear_fifo(uart);
	regs->held = 1;
	regs->reads = 0;
}

/* By its interrupt, or by looking again and again. */
static void release_when_read(struct uart16550 *uart)
{
	if ((uart->regs.mcr & MCR_OUT2 && uart->regs.ier & IER_DATA) ||
	    uart->regs.reads >= HELD_READS) {
		uart->regs.held = 0;
		receive(uart);
	}
}

/* The source of highest priority, as IIR names it. */
static inline uint8_t pending(const struct uart16550 *uart)
{
	if ((uart->regs.ier & IER_LINE) && (uart->regs.lsr & LSR_ERRORS))
		return IIR_LINE;
	if ((uart->regs.ier & IER_DATA) && (uart->regs.lsr & LSR_DATA))
		return IIR_DATA;
	if ((uart->regs.ier & IER_THR) && uart->regs.thr_interrupt)
		return IIR_THR;
	if ((uart->regs.ier & IER_MODEM) && (uart->regs.msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

/* In loopback the OUT2 pin is inactive whatever MCR says. */
static inline void update_line(struct uart16550 *uart)
{
	bool gate = (uart->regs.mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
	bool level = gate && pending(uart) != IIR_NONE;

	if (likely(level == uart->line))
		return;
	uart->line = level;
	uart->wires.irq(uart->wires.arg, level);
}

static void update_modem(struct uart16550 *uart)
{
	uint8_t now = MSR_CONNECTED, changed;

	if (uart->regs.mcr & MCR_LOOP) {
		now = 0;
		if (uart->regs.mcr & MCR_RTS)
			now |= MSR_CTS;
		if (uart->regs.mcr & MCR_DTR)
			now |= MSR_DSR;
		if (uart->regs.mcr & MCR_OUT1)
			now |= MSR_RI;
		if (uart->regs.mcr & MCR_OUT2)
			now |= MSR_DCD;
	}
	changed = (uart->regs.msr ^ now) & (uint8_t)~MSR_DELTAS;
	now |= uart->regs.msr & MSR_DELTAS;
	if (changed & MSR_CTS)
		now |= MSR_DELTA_CTS;
	if (changed & MSR_DSR)
		now |= MSR_DELTA_DSR;
	if (changed & uart->regs.msr & MSR_RI)
		now |= MSR_TRAILING_RI;
	if (changed & MSR_DCD)
		now |= MSR_DELTA_DCD;
	uart->regs.msr = now;
}

static uint8_t read_data(struct uart16550 *uart)
{
	uint8_t byte = uart->regs.fifo[uart->regs.fifo_start];

	if (uart->regs.fifo_count == 0)
		return 0;
	uart->regs.fifo_start = (uart->regs.fifo_start + 1) % UART_FIFO_SIZE;
	if (--uart->regs.fifo_count == 0)
		clear_fifo(uart);
	if (uart->regs.breaking && --uart->regs.breaking == 1)
		uart->regs.lsr |= LSR_BREAK;
	receive(uart);
	return byte;
}

static uint8_t read_iir(struct uart16550 *uart)
{
	uint8_t source = pending(uart);

	if (source == IIR_THR)
		uart->regs.thr_interrupt = false;
	return uart->regs.fifo_enabled ? source | IIR_FIFO : source;
}

EXIT_PATH static uint8_t read_register(struct uart16550 *uart, unsigned reg)
{
	uint8_t value = 0;

	switch (reg) {
	case REG_DATA:
		return uart->regs.lcr & LCR_DLAB ? uart->regs.divisor[0] : read_data(uart);
	case REG_IER:
		return uart->regs.lcr & LCR_DLAB ? uart->regs.divisor[1] : uart->regs.ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->regs.lcr;
	case REG_MCR:
		return uart->regs.mcr;
	case REG_LSR:
		value = uart->regs.lsr;
		uart->regs.lsr &= (uint8_t)~LSR_ERRORS;
		return value;
	case REG_MSR:
		value = uart->regs.msr;
		uart->regs.msr &= (uint8_t)~MSR_DELTAS;
		return value;
	case REG_SCRATCH:
		return uart->regs.scratch;
	}
	return value;
}

/* Whether the byte leaves the chip. */
static bool write_data(struct uart16550 *uart, uint8_t byte)
{
	uart->regs.thr_interrupt = true;
	if (!(uart->regs.mcr & MCR_LOOP))
		return true;
	uart->regs.looped = 1;
	if (fifo_room(uart))
		fifo_put(uart, byte);
	else
		uart->regs.lsr |= LSR_OVERRUN;
	return false;
}

static void write_fcr(struct uart16550 *uart, uint8_t value)
{
	bool enable = value & FCR_ENABLE;

	if (enable != uart->regs.fifo_enabled || (enable && (value & FCR_CLEAR_RX)))
		hold_back(uart);
	uart->regs.fifo_enabled = enable;
	receive(uart);
}

/* Whether value is a byte that leaves the chip. */
EXIT_PATH static bool write_register(struct uart16550 *uart, unsigned reg, uint8_t value)
{
	switch (reg) {
	case REG_DATA:
		if (!(uart->regs.lcr & LCR_DLAB))
			return write_data(uart, value);
		uart->regs.divisor[0] = value;
		break;
	case REG_IER:
		if (uart->regs.lcr & LCR_DLAB) {
			uart->regs.divisor[1] = value;
			break;
		}
		/* Enabling it while THR is empty raises it. */
		if (value & ~uart->regs.ier & IER_THR)
			uart->regs.thr_interrupt = true;
		uart->regs.ier = value & IER_MASK;
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->regs.lcr = value;
		break;
	case REG_MCR:
		uart->regs.mcr = value & MCR_MASK;
		update_modem(uart);
		receive(uart);
		break;
	case REG_SCRATCH:
		uart->regs.scratch = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
	return false;
}

/* A wider access is one to each register in turn, as an 8-bit ISA card sees it. */
EXIT_PATH static void uart_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct uart16550 *uart = device;
	uint8_t *bytes = data;
	unsigned i;

	mutex_lock(&uart->lock);
	if (unlikely(uart->regs.held)) {
		uart->regs.reads++;
		release_when_read(uart);
	}
	for (i = 0; i < length; i++)
		bytes[i] = read_register(uart, (unsigned)offset + i);
	update_line(uart);
	mutex_unlock(&uart->lock);
}

EXIT_PATH static void uart_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct uart16550 *uart = device;
	const uint8_t *bytes = data;
	bool sent = false;
	unsigned i;

	mutex_lock(&uart->lock);
	for (i = 0; i < length; i++)
		sent |= write_register(uart, (unsigned)offset + i, bytes[i]);
	if (unlikely(uart->regs.held))
		release_when_read(uart);
	update_line(uart);
	mutex_unlock(&uart->lock);
	/* Only the data register sends, and that is the first. */
	if (unlikely(sent))
		uart->wires.output(uart->wires.arg, bytes, 1);
}

static const struct bus_ops uart_ops = { "serial port", uart_read, uart_write };

int uart_init(struct uart16550 *uart, struct bus *bus, uint64_t port,
	      const struct uart_wires *wires, struct cause *cause)
{
	int range = bus_add(bus, port, UART_PORTS, &uart_ops, uart, cause);

	if (range < 0)
		return range;
	memset(uart, 0, sizeof(*uart));
	uart->wires = *wires;
	uart_reset(uart);
	return 0;
}

void uart_reset(struct uart16550 *uart)
{
	mutex_lock(&uart->lock);
	uart->regs.ier = uart->regs.lcr = uart->regs.mcr = uart->regs.scratch = 0;
	uart->regs.divisor[0] = DIVISOR_9600;
	uart->regs.divisor[1] = 0;
	uart->regs.lsr = LSR_EMPTY;
	uart->regs.msr = MSR_CONNECTED;
	uart->regs.fifo_enabled = uart->regs.thr_interrupt = false;
	clear_fifo(uart);
	uart->regs.queue_start = uart->regs.queue_count = 0;
	hold_back(uart);
	update_line(uart);
	mutex_unlock(&uart->lock);
}

static void queue_put(struct uart16550 *uart, uint8_t byte)
{
	unsigned end = uart->regs.queue_start + uart->regs.queue_count++;

	uart->regs.queue[end % UART_QUEUE_SIZE] = byte;
}

size_t uart_input(struct uart16550 *uart, const uint8_t *data, size_t size)
{
	size_t taken, i;

	mutex_lock(&uart->lock);
	taken = UART_QUEUE_SIZE - uart->regs.queue_count;
	if (taken > size)
		taken = size;
	for (i = 0; i < taken; i++)
		queue_put(uart, data[i]);
	receive(uart);
	update_line(uart);
	mutex_unlock(&uart->lock);
	return taken;
}

bool uart_break(struct uart16550 *uart)
{
	struct uart_registers *regs = &uart->regs;
	bool room;

	mutex_lock(&uart->lock);
	room = !regs->held && !(regs->mcr & MCR_LOOP) && !regs->queue_count && !regs->breaking &&
	       fifo_room(uart);
	if (room) {
		fifo_put(uart, 0);
		regs->breaking = regs->fifo_count;
		/* BI is of the byte that is read next. */
		if (regs->breaking == 1)
			regs->lsr |= LSR_BREAK;
	}
	update_line(uart);
	mutex_unlock(&uart->lock);
	return room;
}

void uart_save(struct uart16550 *uart, struct uart_registers *registers)
{
	mutex_lock(&uart->lock);
	*registers = uart->regs;
	mutex_unlock(&uart->lock);
}

/* The first register that no guest and no typist can bring to its value, or NULL. */
static const char *find_wrong(const struct uart_registers *regs)
{
	if (regs->ier & ~IER_MASK)
		return "IER";
	if (regs->mcr & ~MCR_MASK)
		return "MCR";
	if (regs->fifo_enabled > 1 || regs->thr_interrupt > 1 || regs->held > 1 ||
	    regs->looped > 1)
		return "flags";
	if (regs->fifo_start >= UART_FIFO_SIZE ||
	    regs->fifo_count > (regs->fifo_enabled ? UART_FIFO_SIZE : 1))
		return "FIFO";
	if (regs->breaking > regs->fifo_count)
		return "break";
	if (regs->queue_start >= UART_QUEUE_SIZE || regs->queue_count > UART_QUEUE_SIZE)
		return "queue";
	if ((regs->lsr & ~(LSR_DATA | LSR_ERRORS)) != LSR_EMPTY ||
	    (regs->lsr & LSR_DATA) != (regs->fifo_count ? LSR_DATA : 0))
		return "LSR";
	return NULL;
}

const char *uart_load(struct uart16550 *uart, const struct uart_registers *registers)
{
	const char *wrong = find_wrong(registers);

	if (wrong)
		return wrong;
	mutex_lock(&uart->lock);
	uart->regs = *registers;
	update_line(uart);
	mutex_unlock(&uart->lock);
	return NULL;
}

/* --- COM1 --- */

static void set_com1_line(void *arg, bool level)
{
	const struct device_host *host = arg;

	irq_set_line(host->irq, PLATFORM_COM1_GSI, level);
}

EXIT_PATH static void print_com1(void *arg, const uint8_t *data, size_t size)
{
	struct device_host *host = arg;

	host->print(host, CONSOLE_SERIAL, data, size);
}

static int create_com1(struct device *device, struct cause *cause)
{
	const struct uart_wires wires = { print_com1, set_com1_line, device->host };

	return uart_init(device->state, device->host->io, PLATFORM_COM1_PORT, &wires, cause);
}

static size_t type_com1(struct device *device, const uint8_t *data, size_t size)
{
	return uart_input(device->state, data, size);
}

static bool break_com1(struct device *device)
{
	return uart_break(device->state);
}

static void save_com1(struct device *device, void *registers)
{
	uart_save(device->state, registers);
}

static const char *load_com1(struct device *device, const void *registers)
{
	return uart_load(device->state, registers);
}

const struct device_type uart16550_device = {
	.name = "COM1",
	.size = sizeof(struct uart16550),
	.hot = true,
	.console = CONSOLE_SERIAL,
	.create = create_com1,
	.version = 2,
	.saved = sizeof(struct uart_registers),
	.save = save_com1,
	.load = load_com1,
	.input = type_com1,
	.line_break = break_com1,
};
