/*
 * The fields of a guest's statistics: what stats.subscribe sends. Any thread.
 */
#ifndef CONTROL_FIELDS_H
#define CONTROL_FIELDS_H

#include <limits.h>

/* Fixed series; STATS_VCPU + n follows for vCPU n. */
enum stats_field {
	STATS_CPU,		/* % of one CPU, all vCPUs summed */
	STATS_MEMORY,		/* bytes resident */
	STATS_DISK_READ, STATS_DISK_WRITE,	   /* bytes a second */
	STATS_DISK_READ_OPS, STATS_DISK_WRITE_OPS, /* requests a second */
	STATS_NET_IN, STATS_NET_OUT,		   /* bytes a second; in: to the guest */
	STATS_NET_IN_FRAMES, STATS_NET_OUT_FRAMES, /* frames a second */
	STATS_EXITS,		/* VM exits a second */
	STATS_VCPU		/* % of one CPU, vCPU 0; the following fields are its neighbours */
};

#define STATS_NAME_SIZE 16
#define STATS_NONE UINT_MAX

/* "cpu", "memory", "disk_read", ..., "cpu0", ... */
void stats_field_name(unsigned field, char name[STATS_NAME_SIZE]);

/* STATS_NONE for a name that is none. */
unsigned stats_field_find(const char *name);

#endif
