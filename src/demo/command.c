/*
 * Commands by table, cut from lines; some run in the background. CPU 0, tasks.
 */
#include "command.h"

#include "acpi.h"
#include "background.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "memory.h"
#include "net.h"
#include "nic.h"
#include "peers.h"
#include "task.h"
#include "tcp.h"

#define JOBS 4

struct job {
	char line[160];
	bool used, stop;
};

static struct job jobs[JOBS];

static bool command_help(unsigned count, char **words);

static void print_date(uint64_t seconds)
{
	/* Civil date from days, with the year counted from March. */
	uint64_t days = seconds / 86400 + 719468, era = days / 146097, of_era = days % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100),
		 month = (5 * of_year + 2) / 153;

	print("date %lu-%02lu-%02lu %02lu:%02lu:%02lu UTC\n", year + era * 400 + (month >= 10),
	      month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1,
	      seconds % 86400 / 3600, seconds % 3600 / 60, seconds % 60);
}

static void status_net(void)
{
	if (!nic_present()) {
		print("net: none\n");
		return;
	}
	print("net: mac %s, address %s mask %s gateway %s by %s\n", mac_text(nic_mac),
	      ip_text(net_address.ip), ip_text(net_address.mask), ip_text(net_address.gateway),
	      net_address.origin);
	print("net: received %lu frames %lu bytes, sent %lu frames %lu bytes, dropped %lu, bad "
	      "%lu\n",
	      nic_counters.received, nic_counters.received_bytes, nic_counters.sent,
	      nic_counters.sent_bytes, nic_counters.dropped, net_counters.bad);
	print("tcp: opened %lu, accepted %lu, retransmitted %lu, failed %lu, open %u\n",
	      tcp_counters.opened, tcp_counters.accepted, tcp_counters.retransmitted,
	      tcp_counters.failed, tcp_open_count());
	print("served: pings %lu, texts %lu, transfers %lu of %lu bytes, pages %lu\n",
	      net_counters.echoes, service_counters.texts, service_counters.transfers,
	      service_counters.transfer_bytes, service_counters.requests);
}

static bool command_status(unsigned count, char **words)
{
	uint64_t now = clock_now(), wall = clock_wall();

	(void)count;
	(void)words;
	print("uptime %lu.%03lu s, %s, %lu.%03lu MHz\n", now / SECOND, now / MILLISECOND % 1000,
	      clock_source, clock_frequency() / 1000000, clock_frequency() / 1000 % 1000);
	if (wall != 0)
		print_date(wall);
	print("memory %lu KiB, free %lu KiB\n", memory_size() / 1024, memory_free_pages() * 4);
	for (unsigned i = 0; i < CPUS_MAX; i++) {
		uint64_t busy = cpus[i].online ? cpu_busy(&cpus[i], now) / MILLISECOND : 0;

		if (cpus[i].online)
			print("cpu %u: busy %lu.%03lu s, halts %lu, load %u.%u %%\n", i,
			      busy / 1000, busy % 1000, cpus[i].halts, cpus[i].load / 10,
			      cpus[i].load % 10);
	}
	if (disk_size() == 0)
		print("disk: none\n");
	else
		print("disk: %lu bytes%s, reads %lu of %lu bytes, writes %lu of %lu bytes, errors "
		      "%lu\n",
		      disk_size(), disk_read_only() ? " read-only" : "", disk_counters.reads,
		      disk_counters.read_bytes, disk_counters.writes, disk_counters.written_bytes,
		      disk_counters.errors);
	status_net();
	print("peers: %u; demo %s\n", peer_count(), background_on() ? "on" : "off");
	return true;
}

static bool command_demo(unsigned count, char **words)
{
	(void)count;
	if (strcmp(words[1], "on") != 0 && strcmp(words[1], "off") != 0)
		return false;
	if (words[1][1] == 'n')
		peers_quiet = false;
	background_set(words[1][1] == 'n');
	return true;
}

static bool command_quiet(unsigned count, char **words)
{
	(void)count;
	(void)words;
	background_set(false);
	peers_quiet = true;
	for (unsigned i = 0; i < JOBS; i++)
		jobs[i].stop = true;
	for (unsigned i = 0; i < CPUS_MAX; i++)
		if (cpus[i].online && cpus[i].load != 0)
			cpu_set_load(i, 0);
	return true;
}

static bool command_stop(unsigned count, char **words)
{
	(void)count;
	(void)words;
	for (unsigned i = 0; i < JOBS; i++)
		jobs[i].stop = true;
	task_event();
	return true;
}

static const struct command commands[] = {
	{ "help", "", "this list", 0, 0, command_help },
	{ "status", "", "time, memory, CPUs, disk, network", 0, 0, command_status },
	{ "ping", "IP|PEER [COUNT [MS]]", "ICMP echo, one a second or each MS milliseconds", 1, 3,
	  command_ping },
	{ "peers", "", "demo guests that were heard of", 0, 0, command_peers },
	{ "udp", "IP|PEER TEXT", "sends a line to its console", 2, 2, command_udp },
	{ "tcp", "IP|PEER BYTES", "sends over TCP, checksum verified", 2, 2, command_tcp },
	{ "http", "IP PORT PATH", "gets a page", 3, 3, command_http },
	{ "disk", "read|write|verify OFFSET BYTES [force]", "a pattern, in sectors of 512", 3, 4,
	  command_disk },
	{ "mem", "MIB", "fills and checks so much memory", 1, 1, command_mem },
	{ "cpu", "PERCENT [VCPU]", "load, until changed", 1, 2, command_cpu },
	{ "load", "disk-read|disk-write RATE SECONDS; load net PEER RATE SECONDS", "bytes a second",
	  3, 4, command_load },
	{ "rate", "random|stream BYTES DEPTH SECONDS", "reads of the disk, as fast as can be", 4,
	  4, command_rate },
	{ "flood", "IP|PEER SIZE SECONDS", "frames as fast as can be", 3, 3, command_flood },
	{ "sink", "", "flood frames received since the last time", 0, 0, command_sink },
	{ "demo", "on|off", "traffic and load in the background", 1, 1, command_demo },
	{ "quiet", "", "no load, no traffic by itself", 0, 0, command_quiet },
	{ "stop", "", "ends commands in the background (LINE &)", 0, 0, command_stop },
	{ "exits", "COUNT [mmio]", "reads of a device register", 1, 2, command_exits },
	{ "attack", "WORD SECONDS [IP|PEER]", "see \"attack help 0\"; until ^C", 2, 3,
	  command_attack },
	{ "fuzz", "SEED COUNT", "nonsense into every device", 2, 2, command_fuzz },
	{ "crash", "triple|invalid|mmio", "dies", 1, 1, command_crash },
	{ "reboot", "", "", 0, 0, command_reboot },
	{ "poweroff", "", "", 0, 0, command_poweroff },
};

static bool command_help(unsigned count, char **words)
{
	(void)count;
	(void)words;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		print("%s%s%s%s%s\n", commands[i].name, *commands[i].arguments != '\0' ? " " : "",
		      commands[i].arguments, *commands[i].help != '\0' ? " - " : "",
		      commands[i].help);
	return true;
}

static const struct command *find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static void execute(char *line)
{
	char *words[COMMAND_WORDS + 1] = { NULL };
	const struct command *command = NULL;
	unsigned count = 0;
	char *at = line;

	while (count < COMMAND_WORDS) {
		while (*at == ' ')
			*at++ = '\0';
		if (*at == '\0')
			break;
		words[count++] = at;
		if (command != NULL && count == command->most + 1 && command->most > 0)
			break;
		while (*at != ' ' && *at != '\0')
			at++;
		if (*at == ' ')
			*at++ = '\0';
		if (count == 1)
			command = find(words[0]);
	}
	if (count == 0)
		return;
	if (command == NULL)
		print("%s: no such command; try help\n", words[0]);
	else if (count - 1 < command->least || count - 1 > command->most ||
		 !command->run(count, words))
		print("usage: %s %s\n", command->name, command->arguments);
}

static void job_task(void *argument)
{
	struct job *job = argument;

	execute(job->line);
	job->used = false;
}

static void start_job(const char *line)
{
	for (unsigned i = 0; i < JOBS; i++) {
		if (jobs[i].used)
			continue;
		jobs[i] = (struct job){ .used = true };
		copy_text(jobs[i].line, sizeof(jobs[i].line), line);
		if (task_start(job_task, &jobs[i]))
			return;
		jobs[i].used = false;
		break;
	}
	print("too many commands in the background; \"stop\" ends them\n");
}

static size_t cut_blanks(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && line[length - 1] == ' ')
		line[--length] = '\0';
	return length;
}

void command_run(char *line)
{
	size_t length = cut_blanks(line);

	if (length > 0 && line[length - 1] == '&') {
		line[length - 1] = '\0';
		cut_blanks(line);
		start_job(line);
	} else {
		execute(line);
	}
}

bool command_in_background(void)
{
	struct job *job = task_argument();

	return job >= jobs && job < jobs + JOBS;
}

bool command_stopped(void)
{
	struct job *job = task_argument();

	return command_in_background() ? job->stop : console_interrupted();
}

bool command_sleep_until(uint64_t when)
{
	while (clock_now() < when && !command_stopped())
		task_wait(when);
	return !command_stopped();
}

bool command_failed(const char *name, const char *why)
{
	if (why != NULL)
		print("%s: %s\n", name, why);
	return why != NULL;
}
