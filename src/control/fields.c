/* The fields of a guest's statistics by name. Any thread. */
#include "control/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPU_PREFIX "cpu"
#define VCPU_DIGITS 4

static const struct {
	const char *name, *help;
} rows[STATS_VCPU + 1] = {
	[STATS_CPU] = { "cpu", "% of one CPU, all virtual CPUs together" },
	[STATS_MEMORY] = { "memory", "bytes resident" },
	[STATS_DISK_READ] = { "disk_read", "bytes read from the disks" },
	[STATS_DISK_WRITE] = { "disk_write", "bytes written to the disks" },
	[STATS_DISK_READ_OPS] = { "disk_read_ops", "requests to read" },
	[STATS_DISK_WRITE_OPS] = { "disk_write_ops", "requests to write" },
	[STATS_NET_IN] = { "net_in", "bytes to the guest" },
	[STATS_NET_OUT] = { "net_out", "bytes from the guest" },
	[STATS_NET_IN_FRAMES] = { "net_in_frames", "frames to the guest" },
	[STATS_NET_OUT_FRAMES] = { "net_out_frames", "frames from the guest" },
	[STATS_EXITS] = { "exits", "VM exits" },
	[STATS_GUEST_TOTAL] = { "guest_total",
		"bytes of memory that the guest says it has, if it has a balloon" },
	[STATS_GUEST_AVAILABLE] = { "guest_available",
		"bytes of that which its programs could still have" },
	[STATS_VCPU] = { VCPU_PREFIX,
		"% of one CPU, virtual CPU 0; the others follow as cpu1 and so on" },
};

void stats_field_name(unsigned field, char name[STATS_NAME_SIZE])
{
	if (field < STATS_VCPU)
		snprintf(name, STATS_NAME_SIZE, "%s", rows[field].name);
	else
		snprintf(name, STATS_NAME_SIZE, "%s%u", rows[STATS_VCPU].name,
			 field - STATS_VCPU);
}

const char *stats_field_help(unsigned field)
{
	return rows[field < STATS_VCPU ? field : STATS_VCPU].help;
}

/* "cpu0", "cpu12", but not "cpu012". */
static unsigned find_vcpu(const char *name)
{
	const char *number = name + strlen(VCPU_PREFIX);
	size_t digits;

	if (strncmp(name, VCPU_PREFIX, strlen(VCPU_PREFIX)) != 0)
		return STATS_NONE;
	digits = strspn(number, "0123456789");
	if (digits == 0 || digits > VCPU_DIGITS || number[digits] || (*number == '0' && digits > 1))
		return STATS_NONE;
	return STATS_VCPU + (unsigned)atoi(number);
}

unsigned stats_field_find(const char *name)
{
	for (unsigned i = 0; i < STATS_VCPU; i++)
		if (strcmp(name, rows[i].name) == 0)
			return i;
	return find_vcpu(name);
}

static const struct {
	const char *name, *help;
} host_rows[HOST_FIELDS] = {
	[HOST_CPU] = { "cpu", "% of one CPU, all CPUs of the host together, to whole percent" },
	[HOST_AVAILABLE] = { "available",
		"bytes of memory that can be had without swapping, to whole MiB" },
	[HOST_CPU_PRESSURE] = { "cpu_pressure",
		"% of the last 10 seconds in which something waited for a CPU" },
	[HOST_MEMORY_PRESSURE] = { "memory_pressure", "the same for memory" },
	[HOST_IO_PRESSURE] = { "io_pressure", "the same for disks" },
	[HOST_GUESTS_CPU] = { "guests_cpu", "% of one CPU, of all guests" },
	[HOST_GUESTS_MEMORY] = { "guests_memory", "bytes resident of all guests, to whole MiB" },
	[HOST_GUESTS_READ] = { "guests_read", "bytes that guests read from their disks" },
	[HOST_GUESTS_WRITE] = { "guests_write", "bytes that they write" },
	[HOST_GUESTS_IN] = { "guests_in", "bytes to guests" },
	[HOST_GUESTS_OUT] = { "guests_out", "bytes from guests" },
};

const char *host_field_name(enum host_field field)
{
	return host_rows[field].name;
}

const char *host_field_help(enum host_field field)
{
	return host_rows[field].help;
}
