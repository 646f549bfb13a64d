/*
 * The fields of a guest's statistics, what stats.subscribe sends, and of the host's, what
 * host.subscribe does. Any thread.
 */
#ifndef CONTROL_FIELDS_H
#define CONTROL_FIELDS_H

#include <limits.h>

/* Fixed series; rates are per second. STATS_VCPU + n follows for vCPU n. */
enum stats_field {
	STATS_CPU, STATS_MEMORY,
	STATS_DISK_READ, STATS_DISK_WRITE, STATS_DISK_READ_OPS, STATS_DISK_WRITE_OPS,
	STATS_NET_IN, STATS_NET_OUT, STATS_NET_IN_FRAMES, STATS_NET_OUT_FRAMES,
	STATS_EXITS,
	STATS_GUEST_TOTAL, STATS_GUEST_AVAILABLE, /* of guests with a balloon; else 0 */
	STATS_VCPU
};

#define STATS_NAME_SIZE 16
#define STATS_NONE UINT_MAX

/* "cpu", "memory", "disk_read", ..., "cpu0", ... */
void stats_field_name(unsigned field, char name[STATS_NAME_SIZE]);

/* What it counts, as a sentence of the manual has it: "bytes resident". */
const char *stats_field_help(unsigned field);

/* STATS_NONE for a name that is none. */
unsigned stats_field_find(const char *name);

/* What is known of the host, and of all its deck's guests together; rates are per second. */
enum host_field {
	HOST_CPU, HOST_AVAILABLE, HOST_CPU_PRESSURE, HOST_MEMORY_PRESSURE, HOST_IO_PRESSURE,
	HOST_GUESTS_CPU, HOST_GUESTS_MEMORY, HOST_GUESTS_READ, HOST_GUESTS_WRITE, HOST_GUESTS_IN,
	HOST_GUESTS_OUT,
	HOST_FIELDS
};

/* "cpu", ..., and what it counts. */
const char *host_field_name(enum host_field field);
const char *host_field_help(enum host_field field);

#endif
