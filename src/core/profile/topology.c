/* See topology.h. Any thread. */
#include "core/profile/topology.h"

#include <errno.h>

/* So many of these are that many vCPUs, or as near as it gets. */
static unsigned share(unsigned cpus, unsigned of)
{
	return cpus >= of ? cpus / of : 1;
}

int topology_find(const struct profile *profile, struct topology *out, struct cause *cause)
{
	unsigned cpus = profile->cpus, sockets = profile->cpu_sockets;
	unsigned cores = profile->cpu_cores, threads = profile->cpu_threads;
	unsigned last;

	if (!threads)
		threads = sockets && cores ? share(cpus, sockets * cores) : 1;
	if (!sockets)
		sockets = cores ? share(cpus, cores * threads) : 1;
	if (!cores)
		cores = share(cpus, sockets * threads);
	*out = (struct topology){ sockets, cores, threads };
	if (topology_cpus(out) != cpus)
		return cause_set(cause, EINVAL, "cpu_sockets, cpu_cores and cpu_threads make "
				 "%u * %u * %u = %u vCPUs, but cpus is %u", sockets, cores, threads,
				 topology_cpus(out), cpus);
	last = topology_apic_id(out, cpus - 1);
	if (last > TOPOLOGY_APIC_MAX)
		return cause_set(cause, EINVAL, "%u * %u * %u vCPUs need APIC IDs up to %u, of "
				 "which there are %u; make cpu_cores and cpu_threads powers of two",
				 sockets, cores, threads, last, TOPOLOGY_APIC_MAX);
	return 0;
}

/* To tell count of them apart. */
static unsigned bits(unsigned count)
{
	return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

unsigned topology_thread_bits(const struct topology *topology)
{
	return bits(topology->threads);
}

unsigned topology_socket_bits(const struct topology *topology)
{
	return bits(topology->threads) + bits(topology->cores);
}

unsigned topology_apic_id(const struct topology *topology, unsigned cpu)
{
	unsigned thread = cpu % topology->threads;
	unsigned core = cpu / topology->threads % topology->cores;
	unsigned socket = cpu / topology->threads / topology->cores;

	return socket << topology_socket_bits(topology) | core << topology_thread_bits(topology) |
	       thread;
}
