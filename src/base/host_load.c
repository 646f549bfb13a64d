/* See host_load.h. Any thread. */
#include "base/host_load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"

/*
 * Numbers of the line of all CPUs, in its order; those behind are in user and nice already. What
 * is stolen from a host that is a guest itself is not to be had, as if it were busy.
 */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, NUMBERS };

static void take_ticks(struct host_load *out, const char *text)
{
	const char *at = strncmp(text, "cpu ", 4) == 0 ? text + 4 : "";
	char *end;

	for (unsigned i = 0; i < NUMBERS; i++, at = end) {
		uint64_t ticks = strtoull(at, &end, 10);

		if (end == at || *at == '\n')
			return;
		if (i == IDLE || i == IOWAIT)
			out->idle += ticks;
		else
			out->busy += ticks;
	}
}

/* Of "some avg10=1.25 avg60=...". */
static double read_pressure(const char *root, const char *what)
{
	static const char begin[] = "some avg10=";
	char path[PATH_MAX], text[256];

	snprintf(path, sizeof(path), "%s/proc/pressure/%s", root, what);
	if (!files_read_start(path, text, sizeof(text)) ||
	    strncmp(text, begin, sizeof(begin) - 1) != 0)
		return -1;
	return strtod(text + sizeof(begin) - 1, NULL);
}

void host_load_read(struct host_load *out, const char *root)
{
	char path[PATH_MAX], text[512];

	*out = (struct host_load){ 0 };
	snprintf(path, sizeof(path), "%s/proc/stat", root);
	if (files_read_start(path, text, sizeof(text)))
		take_ticks(out, text);
	out->cpu_pressure = read_pressure(root, "cpu");
	out->memory_pressure = read_pressure(root, "memory");
	out->io_pressure = read_pressure(root, "io");
}

double host_load_cpu(const struct host_load *before, const struct host_load *now, unsigned cpus)
{
	/* Ticks of waiting for I/O may go back. */
	double busy = now->busy > before->busy ? (double)(now->busy - before->busy) : 0;
	double idle = now->idle > before->idle ? (double)(now->idle - before->idle) : 0;

	return busy + idle > 0 ? busy / (busy + idle) * 100 * cpus : 0;
}
