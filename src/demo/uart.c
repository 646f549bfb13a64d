/*
 * 16550 UART: transmit polls once for each FIFO's worth, receive is driven by
 * its interrupt. National Semiconductor PC16550D data sheet. CPU 0.
 */
#include "uart.h"

#include "acpi.h"
#include "clock.h"
#include "machine.h"

#define DATA UART_PORT
#define INTERRUPT_ENABLE (UART_PORT + 1)
#define FIFO_CONTROL (UART_PORT + 2)
#define LINE_CONTROL (UART_PORT + 3)
#define MODEM_CONTROL (UART_PORT + 4)
#define LINE_STATUS (UART_PORT + 5)
#define LINE_RECEIVED 1
#define LINE_TRANSMIT_EMPTY 0x20
#define FIFO_SIZE 16

void uart_setup(void)
{
	out8(INTERRUPT_ENABLE, 0);
	out8(LINE_CONTROL, 0x83);
	out8(DATA, 1);
	out8(INTERRUPT_ENABLE, 0);
	out8(LINE_CONTROL, 3);
	out8(FIFO_CONTROL, 7);
	out8(MODEM_CONTROL, 0xb); /* OUT2 lets the interrupt through */
	in8(DATA);                /* a host that held back input goes on only after a read */
	acpi_route_line(4, VECTOR_SERIAL, false, false);
	out8(INTERRUPT_ENABLE, 1);
}

void uart_write(const char *data, size_t length)
{
	while (length > 0) {
		size_t burst = minimum(length, FIFO_SIZE);
		uint64_t limit = 0;

		while (!(in8(LINE_STATUS) & LINE_TRANSMIT_EMPTY)) {
			if (limit == 0)
				limit = clock_now() + 200 * MILLISECOND;
			if (clock_now() > limit)
				return;
		}
		length -= burst;
		while (burst-- > 0)
			out8(DATA, *data++);
	}
}

int uart_read(void)
{
	return in8(LINE_STATUS) & LINE_RECEIVED ? in8(DATA) : -1;
}
