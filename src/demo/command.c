/*
 * Commands by table, and their lines.
 */
#include "command.h"

#include "acpi.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "start.h"

static void command_help(unsigned count, char **words);

static void command_poweroff(unsigned count, char **words)
{
	(void)count;
	(void)words;
	start_power_off();
}

static void command_status(unsigned count, char **words)
{
	(void)count;
	(void)words;
	print("uptime %lu ms, halts %lu\n", clock_now() / MILLISECOND, cpus[0].halts);
	for (unsigned i = 0; i < CPUS_MAX; i++)
		if (cpus[i].online)
			print("cpu %u busy %lu ms\n", i, cpu_busy(&cpus[i], clock_now()) / MILLISECOND);
}

static void command_cpu(unsigned count, char **words)
{
	uint64_t p;

	(void)count;
	if (parse_number(words[1], false, &p) && p <= 100)
		for (unsigned i = 0; i < cpu_count; i++)
			cpu_set_load(i, p * 10);
}

static const struct command commands[] = {
	{ "help", "", "this list", 0, 0, command_help },
	{ "status", "", "what there is", 0, 0, command_status },
	{ "cpu", "", "", 1, 1, command_cpu },
	{ "poweroff", "", "ACPI S5", 0, 0, command_poweroff },
};

static void command_help(unsigned count, char **words)
{
	(void)count;
	(void)words;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		print("%s %s  %s\n", commands[i].name, commands[i].arguments, commands[i].help);
}

void command_run(char *line)
{
	char *words[COMMAND_WORDS];
	unsigned count = 0;

	for (char *at = line; *at != '\0' && count < COMMAND_WORDS;) {
		while (*at == ' ')
			*at++ = '\0';
		if (*at == '\0')
			break;
		words[count++] = at;
		while (*at != ' ' && *at != '\0')
			at++;
	}
	if (count == 0)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words[0], commands[i].name) != 0)
			continue;
		if (count - 1 < commands[i].least || count - 1 > commands[i].most)
			print("usage: %s %s\n", commands[i].name, commands[i].arguments);
		else
			commands[i].run(count, words);
		return;
	}
	print("%s: no such command; try help\n", words[0]);
}
