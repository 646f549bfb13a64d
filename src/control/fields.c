/* The fields of a guest's statistics by name. Any thread. */
#include "control/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPU_PREFIX "cpu"
#define VCPU_DIGITS 4

static const char *const names[STATS_VCPU] = {
	[STATS_CPU] = "cpu",
	[STATS_MEMORY] = "memory",
	[STATS_DISK_READ] = "disk_read",
	[STATS_DISK_WRITE] = "disk_write",
	[STATS_DISK_READ_OPS] = "disk_read_ops",
	[STATS_DISK_WRITE_OPS] = "disk_write_ops",
	[STATS_NET_IN] = "net_in",
	[STATS_NET_OUT] = "net_out",
	[STATS_NET_IN_FRAMES] = "net_in_frames",
	[STATS_NET_OUT_FRAMES] = "net_out_frames",
	[STATS_EXITS] = "exits",
};

void stats_field_name(unsigned field, char name[STATS_NAME_SIZE])
{
	if (field < STATS_VCPU)
		snprintf(name, STATS_NAME_SIZE, "%s", names[field]);
	else
		snprintf(name, STATS_NAME_SIZE, VCPU_PREFIX "%u", field - STATS_VCPU);
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
		if (strcmp(name, names[i]) == 0)
			return i;
	return find_vcpu(name);
}
