/*
 * The console: output, line editing, and commands by line.
 */
#ifndef DEMO_CONSOLE_H
#define DEMO_CONSOLE_H

#include "lib.h"

extern char guest_name[32];

/*
 * Adds to the output, which goes out with the next prompt, console_flush() or
 * when much has come up. From a command in the background: one whole line.
 */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* One line from the background: the line being typed moves below it. Text without newline. */
void note(const char *text, ...) __attribute__((format(printf, 1, 2)));

void console_flush(void);

/* The serial port has received something: takes it, as far as there is room. */
void console_receive(void);

/* There is room again for what console_receive() had to leave in the port. */
bool console_waiting(void);

/* ^C was typed since the current command began. */
bool console_interrupted(void);

/* The task that reads lines and runs them; argument: commands to run first, or NULL. */
void console_task(void *first);

#endif
