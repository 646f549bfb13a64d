/*
 * The guest's start at CPL 3, its events, and its end on a fault.
 */
#include "acpi.h"
#include "background.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "events.h"
#include "memory.h"
#include "net.h"
#include "nic.h"
#include "pci.h"
#include "peers.h"
#include "start.h"
#include "task.h"
#include "tcp.h"
#include "uart.h"

static char command_line[1024];
static char first_commands[512];
static bool shutting_down;

__attribute__((noreturn)) void guest_start(struct cpu *cpu, unsigned unused,
					   const struct start_info *info);
__attribute__((noreturn)) void fault(unsigned vector, uint64_t error, uint64_t rip, uint64_t cr2);

/* The value of key= in the command line, without quotes; false when it is not there. */
bool start_option(const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	for (const char *at = command_line; *at != '\0';) {
		bool quoted = false, found;
		size_t n = 0;

		while (*at == ' ')
			at++;
		found = memcmp(at, key, length) == 0 &&
			(at[length] == '=' || at[length] == ' ' || at[length] == '\0');
		if (found)
			at += length + (at[length] == '=');
		for (; *at != '\0' && (quoted || *at != ' '); at++) {
			if (*at == '"')
				quoted = !quoted;
			else if (found && n + 1 < size)
				value[n++] = *at;
		}
		if (found) {
			value[n] = '\0';
			return true;
		}
	}
	return false;
}

static void read_command_line(uint64_t address)
{
	if (address != 0 && address < UINT32_MAX - sizeof(command_line))
		copy_text(command_line, sizeof(command_line), (const char *)(uintptr_t)address);
	if (!start_option("name", guest_name, sizeof(guest_name)) || guest_name[0] == '\0')
		copy_text(guest_name, sizeof(guest_name), "demo");
	start_option("cmd", first_commands, sizeof(first_commands));
}

static void shut_down(void *unused)
{
	(void)unused;
	note("power button: shutting down");
	start_power_off();
}

void start_power_off(void)
{
	console_flush();
	acpi_power_off();
	for (uint64_t limit = clock_now() + SECOND; clock_now() < limit;)
		relax();
	print("power-off did not work; halted\n");
	console_flush();
	for (;;)
		service(SERVICE_STOP);
}

uint64_t events_handle(uint64_t pending)
{
	uint64_t frames = net_counters.sink_frames, now = clock_now(), next;
	bool more = nic_poll();

	if (net_counters.sink_frames != frames) {
		net_counters.sink_last = now;
		if (net_counters.sink_first == 0)
			net_counters.sink_first = now;
	}
	if (pending & 0xffull << 8 * PENDING_SERIAL || console_waiting())
		console_receive();
	if (pending & 0xffull << 8 * PENDING_TRANSMIT)
		task_event();
	if (pending & 0xffull << 8 * PENDING_DISK)
		disk_poll();
	if (pending & 0xffull << 8 * PENDING_POWER && acpi_power_pressed() && !shutting_down)
		shutting_down = task_start(shut_down, NULL);
	next = tcp_timers(now);
	nic_flush();
	return more ? 0 : next;
}

bool events_rest(void)
{
	if (console_waiting())
		return false;
	nic_flush();
	return nic_rest();
}

void fault(unsigned vector, uint64_t error, uint64_t rip, uint64_t cr2)
{
	print("\nfault: exception %u, error %lx, rip %lx, cr2 %lx; halted\n", vector, error, rip,
	      cr2);
	console_flush();
	for (;;)
		service(SERVICE_STOP);
}

void guest_start(struct cpu *cpu, unsigned unused, const struct start_info *info)
{
	char option[8];
	bool memory;

	(void)unused;
	if (cpu != &cpus[0])
		cpu_run(cpu);
	/* Before paging covers more than boot.S does, only what lies there can be read. */
	memory = memory_setup(info);
	read_command_line(info->command_line);
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	acpi_setup(info->rsdp);
	clock_setup();
	cpu_setup(cpu);
	cpu_start_others(acpi.cpus, acpi.cpu_count);
	uart_setup();
	cpu->pending_byte[PENDING_SERIAL] = 1; /* what came before the interrupt was on */
	print("\nvmdeck demo guest \"%s\": %lu KiB RAM, %u vCPU, %s. Type help.\n", guest_name,
	      memory_size() / 1024, (unsigned)maximum(acpi.cpu_count, 1), clock_source);
	if (!memory)
		print("no RAM above the image in the memory map\n");
	acpi_enable_power_button();
	pci_setup();
	disk_setup();
	services_setup();
	if (nic_setup()) {
		task_start(link_task, NULL);
		task_start(hello_task, NULL);
	}
	background_setup();
	background_set(start_option("demo", option, sizeof(option)));
	task_start(console_task, first_commands);
	tasks_run();
}
