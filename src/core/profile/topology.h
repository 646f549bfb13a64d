/*
 * How a guest's vCPUs lie in sockets, cores and threads, and the APIC IDs that follow
 * from it. Any thread.
 */
#ifndef CORE_PROFILE_TOPOLOGY_H
#define CORE_PROFILE_TOPOLOGY_H

#include "base/cause.h"
#include "core/profile/profile.h"

#define TOPOLOGY_APIC_MAX 254u /* of an APIC ID: 255 are all processors */

/* sockets * cores * threads vCPUs: cores of a socket, threads of a core. Each is at least 1. */
struct topology {
	unsigned sockets, cores, threads;
};

/*
 * What the profile says, with what it leaves out filled in: one thread a core, and, unless it
 * says otherwise, one socket. -EINVAL with a cause when that is no other number than its cpus.
 */
int topology_find(const struct profile *profile, struct topology *out, struct cause *cause);

static inline unsigned topology_cpus(const struct topology *topology)
{
	return topology->sockets * topology->cores * topology->threads;
}

/* Bits of an APIC ID that tell threads of a core, or threads and cores of a socket, apart. */
unsigned topology_thread_bits(const struct topology *topology);
unsigned topology_socket_bits(const struct topology *topology);

/*
 * The APIC ID of a vCPU, 0 to topology_cpus() - 1, the threads of a core beside each other:
 * Intel SDM vol. 3, 9.9.1. Without a gap where cores and threads are powers of two.
 */
unsigned topology_apic_id(const struct topology *topology, unsigned cpu);

#endif
