/*
 * The built-in guest's console and its CPUs' figures, compiled for the host:
 * a port and a clock of the test's own in place of the machine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define memcpy demo_memcpy
#define memmove demo_memmove
#define memset demo_memset
#define memcmp demo_memcmp
#define strlen demo_strlen
#define strcmp demo_strcmp
#include "demo/lib.c"
#include "demo/console.c"
#include "demo/cpu.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp

#define TYPED 4000u

/* What was typed, and how much of it the guest has read. */
static struct {
	char text[TYPED];
	unsigned length, read;
	unsigned looked; /* times that the port was found empty */
} port;

static jmp_buf idle;	   /* where a console goes that has nothing to do */
static bool interrupt_due; /* the port became non-empty since it was empty */
static unsigned lines, commands_length;
static void (*during_command)(void);

uint8_t trampoline[1], trampoline_end[1];

int uart_read(void)
{
	if (port.read < port.length)
		return port.text[port.read++];
	port.looked++;
	return -1;
}

void uart_write(const char *data, size_t length)
{
	(void)data;
	(void)length;
}

void command_run(char *line_text)
{
	lines++;
	commands_length += demo_strlen(line_text);
	if (during_command)
		during_command();
}

/* What the events between tasks do for the console. */
static void events_between(void)
{
	if (interrupt_due || console_waiting()) {
		interrupt_due = false;
		console_receive();
	}
}

void task_wait(uint64_t until)
{
	(void)until;
	if (!interrupt_due && !console_waiting())
		longjmp(idle, 1);
	events_between();
}

void task_event(void) {}
bool command_in_background(void) { return false; }
uint64_t clock_now(void) { return 0; }
void clock_enable_steal(void *record) { (void)record; }
uint8_t *memory_low_page(void) { return NULL; }

static void type(const char *text, size_t length)
{
	assert_true(port.length + length <= TYPED);
	for (size_t i = 0; i < length; i++)
		port.text[port.length++] = text[i];
	interrupt_due = true;
}

static int clear(void **state)
{
	(void)state;
	port.length = port.read = port.looked = 0;
	input_head = input_tail = 0;
	lines = commands_length = 0;
	left = prompting = interrupted = after_return = interrupt_due = false;
	during_command = NULL;
	return 0;
}

/* The console's task, until it has nothing more to do. */
static void run_console(void)
{
	if (setjmp(idle) == 0)
		console_task(NULL);
}

/* One interrupt is all there is: the port does not become empty in between. */
static void takes_all_that_comes_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++)
		type("status 123\r", 11);
	run_console();
	assert_int_equal(port.read, 3300);
	assert_true(port.looked > 0); /* or no interrupt would come any more */
	assert_int_equal(lines, 300);
	assert_int_equal(commands_length, 3000);
	type("more\r", 5);
	run_console();
	assert_int_equal(lines, 301);
}

static void events_come(void)
{
	events_between();
	events_between();
}

/* While a command runs nobody takes its input: what has no room stays in the port. */
static void holds_back_while_a_command_runs(void **state)
{
	(void)state;
	type("first\r", 6);
	for (unsigned i = 0; i < 200; i++)
		type("again 456\r", 10);
	during_command = events_come;
	run_console();
	assert_int_equal(lines, 201);
	assert_int_equal(commands_length, 5 + 200 * 9);
}

static void type_interrupt(void)
{
	during_command = NULL;
	type("abc\003", 4);
	events_come();
	assert_true(console_interrupted());
}

static void an_interrupt_drops_what_was_typed_before_it(void **state)
{
	(void)state;
	type("first\r", 6);
	during_command = type_interrupt;
	run_console();
	type("last\r", 5);
	run_console();
	assert_int_equal(lines, 2);
	assert_int_equal(commands_length, 9);
}

static void busy_time_is_never_negative(void **state)
{
	struct cpu *cpu = &cpus[1];

	(void)state;
	cpu->idle = 1000;
	assert_int_equal(cpu_busy(cpu, 5000), 4000);
	cpu->steal.steal = 500;
	assert_int_equal(cpu_busy(cpu, 5000), 3500);
	/* It halted at 1200; another CPU looks when the time at rest is counted already. */
	cpu->halted_at = 1200;
	assert_int_equal(cpu_busy(cpu, 5000), 0);
	cpu->halted_at = 0;
	assert_int_equal(cpu_busy(cpu, 1400), 0);
	/* Time kept from it before it began: the sum is right although the parts wrap. */
	cpu->idle = (uint64_t)0 - 400;
	assert_int_equal(cpu_busy(cpu, 1400), 1300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_all_that_comes_at_once, clear),
		cmocka_unit_test_setup(holds_back_while_a_command_runs, clear),
		cmocka_unit_test_setup(an_interrupt_drops_what_was_typed_before_it, clear),
		cmocka_unit_test(busy_time_is_never_negative),
	};

	return _cmocka_run_group_tests("demo_console", tests, sizeof(tests) / sizeof(tests[0]), NULL,
				       NULL);
}
