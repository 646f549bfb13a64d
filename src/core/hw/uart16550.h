/*
 * A 16550A serial port, wired as a PC's: OUT2 gates the interrupt.
 *
 * What the guest writes leaves at once, so the transmitter is always empty.
 * Input waits in a queue of UART_QUEUE_SIZE bytes behind the chip's own 16; there, as
 * behind a wire with flow control, until the guest shows that it reads: it lets the
 * chip interrupt it for data, or reads its registers again and again.
 */
#ifndef CORE_HW_UART16550_H
#define CORE_HW_UART16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/device.h"

#define UART_PORTS 8
#define UART_FIFO_SIZE 16
#define UART_QUEUE_SIZE 512u

struct uart_wires {
	/* The guest sent bytes. vCPU thread, no lock of the chip held. */
	void (*output)(void *arg, const uint8_t *data, size_t size);
	/*
	 * The interrupt line changed. vCPU thread or that of uart_input(), the
	 * chip's lock held: must not call the chip.
	 */
	void (*irq)(void *arg, bool level);
	void *arg;
};

/* What is saved of the chip. */
struct uart_registers {
	uint8_t ier, lcr, mcr, lsr, msr, scratch, divisor[2];
	uint8_t fifo_enabled;  /* 0 or 1 */
	uint8_t thr_interrupt; /* 0 or 1: THR is empty, not yet acknowledged */
	uint8_t fifo_start, fifo_count;
	uint8_t held;   /* 0 or 1: nothing comes out of the queue */
	uint8_t reads;  /* of the guest's since then */
	uint8_t looped; /* 0 or 1: what is in the FIFO was not typed, or not all of it */
	uint8_t breaking; /* a break's byte in the FIFO, from 1 on; 0: there is none */
	uint16_t queue_start, queue_count;
	uint8_t fifo[UART_FIFO_SIZE];
	uint8_t queue[UART_QUEUE_SIZE];
};

struct uart16550 {
	struct mutex lock;
	bool line; /* level of the interrupt line */
	struct uart_wires wires;
	struct uart_registers regs;
};

/* Claims UART_PORTS ports at port. 0, or what bus_add() says. There is nothing to free. */
int uart_init(struct uart16550 *uart, struct bus *bus, uint64_t port,
	      const struct uart_wires *wires, struct cause *cause);

/* As after power-on; input that waits is dropped. No vCPU may run. */
void uart_reset(struct uart16550 *uart);

/* Types into the guest; returns how many bytes found room, from the first on. Any thread. */
size_t uart_input(struct uart16550 *uart, const uint8_t *data, size_t size);

/*
 * Sends a break: a byte of zero with LSR's BI, behind what was typed. false: bytes that were
 * typed, or another break, wait for the guest to read them, or it does not read. Any thread.
 */
bool uart_break(struct uart16550 *uart);

void uart_save(struct uart16550 *uart, struct uart_registers *registers);

/*
 * Takes registers over into a chip after reset and has its line follow. NULL, or the name
 * of a register that cannot be so; the chip is then as it was.
 */
const char *uart_load(struct uart16550 *uart, const struct uart_registers *registers);

/* COM1, the guest's console. */
extern const struct device_type uart16550_device;

#endif
