/*
 * The 16550 at COM1.
 */
#ifndef DEMO_UART_H
#define DEMO_UART_H

#include "lib.h"

#define UART_PORT 0x3f8

/* Divisor 1, 8N1, FIFOs, receive interrupt through the IOAPIC. */
void uart_setup(void);

/* Writes length bytes; gives up when the port takes none for long. */
void uart_write(const char *data, size_t length);

/* The next received byte, or -1. */
int uart_read(void);

#endif
