/*
 * How busy the host's CPUs are, and how long what runs on it has to wait: proc_stat(5), the
 * kernel's accounting/psi.rst. Any thread.
 */
#ifndef BASE_HOST_LOAD_H
#define BASE_HOST_LOAD_H

#include <stdint.h>

struct host_load {
	uint64_t busy, idle; /* clock ticks of all CPUs together since the host began */

	/* % of the last 10 s in which something waited for it; negative: the kernel does not tell */
	double cpu_pressure, memory_pressure, io_pressure;
};

/* root comes before "/proc", and is "" but for tests. Ticks that are unknown are 0. */
void host_load_read(struct host_load *out, const char *root);

/* CPU time between two readings, in % of one CPU of so many; 0 when no time has passed. */
double host_load_cpu(const struct host_load *before, const struct host_load *now, unsigned cpus);

#endif
