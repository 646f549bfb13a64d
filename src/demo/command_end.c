/*
 * Commands that end the guest, in order or not. CPU 0, tasks.
 */
#include "clock.h"
#include "command.h"
#include "console.h"
#include "machine.h"
#include "memory.h"
#include "start.h"

#define NOWHERE 0xd0000000ul /* below 4 GiB, mapped, and neither RAM nor a BAR */

bool command_poweroff(unsigned count, char **words)
{
	(void)count;
	(void)words;
	start_power_off();
}

bool command_reboot(unsigned count, char **words)
{
	(void)count;
	(void)words;
	console_flush();
	out8(0xcf9, 2);
	out8(0xcf9, 6);
	for (uint64_t limit = clock_now() + SECOND; clock_now() < limit;)
		relax();
	out8(0x64, 0xfe);
	for (uint64_t limit = clock_now() + SECOND; clock_now() < limit;)
		relax();
	print("reboot did not work\n");
	return true;
}

/* An exception without a vector table; an MMIO access that no emulator knows; code where no RAM is.
 */
bool command_crash(unsigned count, char **words)
{
	(void)count;
	if (strcmp(words[1], "triple") == 0) {
		print("crash: triple fault\n");
		console_flush();
		service(SERVICE_NO_IDT);
		__asm__ volatile("ud2");
	} else if (strcmp(words[1], "invalid") == 0) {
		print("crash: an instruction that cannot be emulated\n");
		console_flush();
		__asm__ volatile("int3" : : "a"(SERVICE_LOAD_FLOAT), "D"(NOWHERE) : "memory");
	} else if (strcmp(words[1], "mmio") == 0) {
		print("crash: a jump to where no memory is\n");
		console_flush();
		__asm__ volatile("int3" : : "a"(SERVICE_JUMP), "D"(NOWHERE) : "memory");
	} else {
		return false;
	}
	print("crash: survived\n");
	return true;
}
