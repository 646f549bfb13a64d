/*
 * Console on the serial port. Each byte costs the host an exit, so output is
 * gathered and nothing is drawn twice. CPU 0.
 */
#include "console.h"

#include "command.h"
#include "task.h"
#include "uart.h"

#define LINE_MAX 160
#define CONTROL_C 3
#define CONTROL_U 0x15

char guest_name[32] = "demo";

static char output[1024];
static size_t output_length;
static char input[512];
static unsigned input_head, input_tail;
static char line[LINE_MAX];
static size_t line_length;
static bool prompting, interrupted, after_return;
static bool left; /* the port was not read until it was empty, so no interrupt is to come */

void console_flush(void)
{
	uart_write(output, output_length);
	output_length = 0;
}

static void put(const char *text, size_t length)
{
	for (; length > 0; length--, text++) {
		if (output_length + 2 > sizeof(output))
			console_flush();
		if (*text == '\n')
			output[output_length++] = '\r';
		output[output_length++] = *text;
	}
}

void print(const char *text, ...)
{
	char buffer[512];
	va_list list;
	size_t length;

	va_start(list, text);
	length = format_list(buffer, sizeof(buffer), text, list);
	va_end(list);
	if (prompting && command_in_background()) {
		buffer[length - (length > 0)] = '\0';
		note("%s", buffer);
	} else {
		put(buffer, length);
	}
}

void note(const char *text, ...)
{
	char buffer[512];
	va_list list;
	size_t length;

	va_start(list, text);
	length = format_list(buffer, sizeof(buffer), text, list);
	va_end(list);
	if (prompting)
		put("\r\033[K", 4);
	put(buffer, length);
	put("\n", 1);
	if (prompting) {
		put(guest_name, strlen(guest_name));
		put("> ", 2);
		put(line, line_length);
	}
	console_flush();
}

/* What finds no room stays in the port, which tells the host to hold back more. */
void console_receive(void)
{
	unsigned n;
	int c = 0;

	for (n = 0; n < sizeof(input) && input_head - input_tail < sizeof(input); n++) {
		c = uart_read();
		if (c < 0)
			break;
		if (c == CONTROL_C && !prompting) {
			interrupted = true;
			input_tail = input_head;
		} else {
			input[input_head++ % sizeof(input)] = c;
		}
	}
	left = c >= 0;
	task_event();
}

bool console_waiting(void)
{
	return left && input_head - input_tail < sizeof(input);
}

bool console_interrupted(void)
{
	return interrupted;
}

/* Edits the line by one typed character; true when it is complete. */
static bool edit(char c)
{
	bool second = c == '\n' && after_return;

	after_return = c == '\r';
	if (second)
		return false;
	switch (c) {
	case '\r':
	case '\n':
		print("\n");
		return true;
	case CONTROL_C:
		print("^C\n%s> ", guest_name);
		line_length = 0;
		break;
	case CONTROL_U:
		for (; line_length > 0; line_length--)
			print("\b \b");
		break;
	case '\b':
	case 0x7f:
		if (line_length > 0) {
			line_length--;
			print("\b \b");
		}
		break;
	default:
		if (c >= ' ' && c <= '~' && line_length < sizeof(line) - 1) {
			line[line_length++] = c;
			put(&c, 1);
		}
	}
	return false;
}

static void read_line(void)
{
	line_length = 0;
	prompting = true;
	print("%s> ", guest_name);
	for (;;) {
		while (input_tail != input_head) {
			if (edit(input[input_tail++ % sizeof(input)])) {
				line[line_length] = '\0';
				prompting = false;
				console_flush();
				return;
			}
		}
		console_flush();
		task_wait(NEVER);
	}
}

static void run(char *text)
{
	interrupted = false;
	command_run(text);
	console_flush();
}

static void run_first(char *text)
{
	while (*text != '\0') {
		char command[LINE_MAX];
		size_t length = 0;

		while (text[length] != '\0' && text[length] != ';')
			length++;
		copy_text(command, minimum(length + 1, sizeof(command)), text);
		text += length + (text[length] == ';');
		print("%s> %s\n", guest_name, command);
		run(command);
	}
}

void console_task(void *first)
{
	if (first != NULL)
		run_first(first);
	for (;;) {
		char command[LINE_MAX];

		read_line();
		copy_text(command, sizeof(command), line);
		run(command);
	}
}
